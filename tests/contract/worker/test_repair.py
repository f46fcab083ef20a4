"""A lane's repair on a real broker and a real database: what is out stays out once, what is not goes out once."""

import asyncio
from uuid import uuid4

import pytest
from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.errors import ProducerFenced
from aiokafka.structs import OffsetAndMetadata

from persistence.outbox import OutgoingRecord
from persistence.unit_of_work import unit_of_work
from worker.cursors import cursor_group
from worker.errors import LaneStoppedError, OperatorError
from worker.lane_repair import LaneRepair, connected_client, repair_lane
from worker.lane_standing import Finding, Place, standing_of


@pytest.fixture
def place(engine, names, group, kafka_bootstrap):
    connection = {"bootstrap_servers": kafka_bootstrap}
    return Place(engine=engine, names=names, group=group, connection=connection)


@pytest.fixture
def say(engine):
    """Queues alerts with the ids they always have: the same text, the same alert."""

    async def say(*texts):
        records = [
            OutgoingRecord(
                topic="alerts", key=b"P-1", value=text.encode(), headers=(("ce_id", text.encode()),)
            )
            for text in texts
        ]
        async with unit_of_work(engine) as work:
            await work.outbox.append({0: records})

    return say


@pytest.fixture
def publish(desk):
    """Publishes whatever waits, as the lane's next holder."""

    async def publish():
        publisher = desk.publisher()
        await publisher.take()
        return await publisher.publish_all()

    return publish


@pytest.fixture
def out(read, names):
    async def out():
        """What is out, with rising numbers, none of them given twice."""
        records = await read(names.alerts)
        given = [int(dict(record.headers)["ce_sequence"]) for record in records]
        assert given == sorted(set(given))
        return [record.value.decode() for record in records]

    return out


async def back_up(bystander):
    await bystander.execute("CREATE TABLE backup_of_outbox AS TABLE outbox")
    await bystander.execute("CREATE TABLE backup_of_lanes AS TABLE lanes")
    await bystander.execute("CREATE TABLE backup_of_ids AS TABLE published_ids")


async def restore(bystander):
    async with bystander.transaction():
        await bystander.execute("TRUNCATE outbox, lanes, published_ids")
        await bystander.execute("INSERT INTO outbox TABLE backup_of_outbox")
        await bystander.execute("INSERT INTO lanes TABLE backup_of_lanes")
        await bystander.execute("INSERT INTO published_ids TABLE backup_of_ids")


async def reset_cursor(place, offset, metadata=""):
    """What a tool does: the offset is written, what belongs to it is not."""
    producer = AIOKafkaProducer(**place.connection, transactional_id=f"a-tool-{uuid4()}")
    await producer.start()
    async with producer.transaction():
        await producer.send_offsets_to_transaction(
            {TopicPartition(place.names.alerts, 0): OffsetAndMetadata(offset, metadata)},
            cursor_group(place.group),
        )
    await producer.stop()


async def test_after_a_restore_only_what_was_never_out_goes_out(place, say, publish, out, bystander):
    await say("a", "b")
    await publish()
    await back_up(bystander)
    await say("c", "d")
    await publish()
    await restore(bystander)
    await say("c")  # the backup lacked it, its reading was taken in again
    with pytest.raises(LaneStoppedError, match="run `vigil lanes repair 0`"):
        await publish()

    repaired = await repair_lane(place, 0)

    await say("d", "e")  # one that is out, and one that is new
    await publish()
    assert await out() == ["a", "b", "c", "d", "e"]
    assert [each.seq for each in repaired.plan.unexplained] == [4]  # d, until its reading is taken in again


async def test_a_cursor_that_a_tool_set_to_the_beginning_is_noticed_and_mended(place, say, publish, out):
    await say("a", "b")
    await publish()
    await say("c")
    await reset_cursor(place, 0)
    with pytest.raises(LaneStoppedError, match="cursor was reset"):
        await publish()

    repaired = await repair_lane(place, 0)

    assert repaired.plan.unexplained == ()
    await publish()
    assert await out() == ["a", "b", "c"]


@pytest.mark.parametrize("offset", [1, 2, 7])
async def test_a_cursor_that_a_tool_set_to_any_offset_is_noticed_and_mended(place, say, publish, out, offset):
    await say("a", "b")
    await publish()
    await reset_cursor(place, offset, "by hand")
    with pytest.raises(LaneStoppedError):
        await publish()

    await repair_lane(place, 0)

    await say("c")
    await publish()
    assert await out() == ["a", "b", "c"]


async def test_a_restore_and_a_reset_together_give_no_number_twice(place, say, publish, out, bystander):
    await back_up(bystander)
    await say("a", "b", "c")
    await publish()
    await restore(bystander)
    await reset_cursor(place, 0)
    await say("c", "x")

    await repair_lane(place, 0)

    await publish()
    assert await out() == ["a", "b", "c", "x"]


@pytest.mark.parametrize("steps", [1, 2, 3])
async def test_a_repair_killed_at_any_step_is_simply_run_again(  # noqa: PLR0917
    place, say, publish, out, bystander, steps
):
    await say("a")
    await publish()
    await back_up(bystander)
    await say("b", "c")
    await publish()
    await restore(bystander)
    await say("b", "new")
    killed = LaneRepair(place, 0)
    for step in (killed.fence, killed.look, killed.renumber)[:steps]:
        await step()
    await killed.discard()
    with pytest.raises(LaneStoppedError):
        await publish()

    await repair_lane(place, 0)

    await say("c", "newer")
    await publish()
    assert await out() == ["a", "b", "c", "new", "newer"]


async def test_a_lane_taken_while_it_is_repaired_fences_the_repair_and_stays_stopped(
    place, say, publish, out, bystander
):
    await say("a", "b")
    await publish()
    await reset_cursor(place, 0)
    slow = LaneRepair(place, 0)
    await slow.fence()
    await slow.look()
    with pytest.raises(LaneStoppedError):
        await publish()

    _, cursor = await slow.renumber()
    with pytest.raises(ProducerFenced):
        await slow.set_cursor(cursor)

    await slow.discard()
    with pytest.raises(LaneStoppedError):
        await publish()
    await repair_lane(place, 0)
    await publish()
    assert await out() == ["a", "b"]


async def test_a_stopped_lane_is_looked_at_without_fencing_its_repair(place, desk, say, publish, out):
    await say("a")
    await publish()
    await reset_cursor(place, 0)
    repair = LaneRepair(place, 0)
    await repair.fence()
    await repair.look()

    with pytest.raises(LaneStoppedError):
        await desk.publisher().look()

    _, cursor = await repair.renumber()
    await repair.set_cursor(cursor)
    await desk.publisher().look()
    await repair.discard()
    await say("b")
    await publish()
    assert await out() == ["a", "b"]


async def test_a_sound_lane_is_not_repaired_and_goes_on(place, desk, say, out):
    await say("a")
    publisher = desk.publisher()
    await publisher.take()
    await publisher.publish_all()

    assert await repair_lane(place, 0) is None

    await say("b")
    await publisher.publish_all()
    assert await out() == ["a", "b"]


async def test_a_repair_forced_upon_a_sound_lane_is_harmless(place, say, publish, out):
    await say("a")
    await publish()
    await say("b")
    needless = LaneRepair(place, 0)

    await needless.fence()
    await needless.look()
    _, cursor = await needless.renumber()
    await needless.set_cursor(cursor)
    await needless.discard()

    await publish()
    assert await out() == ["a", "b"]


async def test_a_lane_that_never_published_needs_no_cursor(place, desk):
    async with connected_client(place) as client:
        standing = await standing_of(place, client, 0)

    assert standing.finding is Finding.SOUND
    await desk.publisher().take()


async def test_a_lane_that_only_gave_signs_of_life_before_it_had_a_nonce_goes_on(place, publish, say, out):
    await reset_cursor(place, 0)  # as the version before wrote it with its first heartbeat
    await say("a")

    await publish()

    assert await out() == ["a"]


async def test_a_cursor_at_the_beginning_is_not_trusted_where_only_dead_letters_are_out(
    place, engine, publish, read
):
    letter = OutgoingRecord(topic="dead_letters", key=b"k", value=b"v", headers=())
    async with unit_of_work(engine) as work:
        await work.outbox.append({0: [letter]})
    await publish()
    await reset_cursor(place, 0)
    with pytest.raises(LaneStoppedError):
        await publish()

    await repair_lane(place, 0)

    await publish()
    assert len(await read(place.names.dead_letters)) == 1


async def test_a_dry_run_tells_and_changes_nothing(place, say, publish, out, bystander):
    await say("a", "b")
    await publish()
    await reset_cursor(place, 0)
    await say("c")
    before = await bystander.fetch("SELECT lane, epoch, last_seq FROM lanes ORDER BY lane")

    told = await repair_lane(place, 0, is_dry_run=True)

    assert (told.out, told.plan.waiting) == (2, (3,))
    assert await bystander.fetch("SELECT lane, epoch, last_seq FROM lanes ORDER BY lane") == before
    with pytest.raises(LaneStoppedError):
        await publish()
    await repair_lane(place, 0)
    await publish()
    assert await out() == ["a", "b", "c"]


async def test_a_row_older_than_the_look_back_is_not_guessed_about(place, say, publish, bystander):
    await say("a", "b")
    await publish()
    await bystander.execute("UPDATE outbox SET recorded_at = recorded_at - interval '1 day'")
    await reset_cursor(place, 0)
    since = await bystander.fetchval("SELECT now() + interval '1 second'")
    await asyncio.sleep(0)

    with pytest.raises(OperatorError, match="2 records in the outbox are older than --since"):
        await repair_lane(place, 0, since=since)


async def test_pruned_rows_are_not_told_as_missing(place, say, publish, bystander):
    await say("a", "b", "c")
    await publish()
    await bystander.execute("DELETE FROM outbox WHERE seq < 3")
    await reset_cursor(place, 0)

    repaired = await repair_lane(place, 0)

    assert repaired.plan.unexplained == ()
