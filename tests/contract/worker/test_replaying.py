"""A replay on a real broker: what goes out is what came in, and a cut-off one leaves nothing out and doubles nothing."""

from datetime import UTC, datetime
from uuid import UUID

import pytest

from persistence.dead_letter_search import Place
from persistence.dead_letters import DeadLetterRow
from persistence.unit_of_work import unit_of_work
from worker.dead_letters.replaying import Replay, _producing, _send_one
from worker.dead_letters.rounds import original_headers, round_of
from worker.dead_letters.sources import stored

HOSTILE = (
    ("none", None), ("empty", b""), ("bytes", b"\xff\x00"), ("twice", b"1"), ("twice", b"2"), ("", b"no name"),
    ("dlq-replay-count", b"\xff"), ("vigil-replay-round", b"7"), ("reply_to", b"elsewhere"), ("na\u00efve \x00", b""),
)  # fmt: skip
CONTENTS = [
    (b"P-1", b"{"),
    (None, b"\xff\x00"),
    (b"\x80", None),
    (None, None),
    (b"", b""),
    (b"P-2", b"x" * 100_000),
]


def a_row(names, offset, key, value):
    return DeadLetterRow(
        topic=names.readings, partition=0, offset=offset, position=0, received_at=datetime(2026, 11, 23, tzinfo=UTC),
        stage="decode", reason="invalid_json", key=key, value=value, headers=HOSTILE, problem="{}", device_id=None,
        correlation_id=UUID(int=offset),
    )  # fmt: skip


@pytest.fixture
async def asked(engine, names):
    rows = [a_row(names, offset, key, value) for offset, (key, value) in enumerate(CONTENTS)]
    async with unit_of_work(engine) as work:
        await work.dead_letters.add(rows)
        await work.replays.ask("all", [Place(*row[:3]) for row in rows], again=False)


@pytest.fixture
def replay(engine, names, kafka_bootstrap):
    def make(**more):
        return Replay(
            **{
                "engine": engine,
                "connection": {"bootstrap_servers": kafka_bootstrap},
                "source": stored,
                "largest": {names.readings: 1_000_000},
                "rate": 10_000.0,
                **more,
            }
        )

    return make


async def test_bytes_key_and_headers_go_back_as_they_came(asked, replay, read, names):
    replaying = replay()

    await replaying.run()

    records = await read(names.readings)
    assert [(record.key, record.value) for record in records] == CONTENTS
    assert {original_headers(record.headers) for record in records} == {HOSTILE}
    assert {round_of(record.headers) for record in records} == {1}
    assert [dict(record.headers)["dlq-original-offset"] for record in records] == [
        b"%d" % offset for offset in range(len(CONTENTS))
    ]
    assert replaying.sent == len(CONTENTS)


async def test_what_a_killed_replay_had_sent_is_found_in_the_log_and_the_rest_is_sent(  # noqa: PLR0917
    asked, replay, read, names, engine, bystander
):
    async with unit_of_work(engine) as work:
        taken = await work.replays.take(4)
    killed = replay()
    async with _producing(killed.connection) as producer:
        for content in (await killed._contents(taken))[:2]:
            await (await _send_one(producer, content))
    await bystander.execute("UPDATE dead_letter_replays SET tried_at = tried_at - interval '10 s'")

    await replay().run()

    offsets = [dict(record.headers)["dlq-original-offset"] for record in await read(names.readings)]
    assert sorted(offsets) == [b"%d" % offset for offset in range(len(CONTENTS))]
    assert await bystander.fetchval("SELECT count(*) FROM dead_letter_replays WHERE outcome = 'sent'") == len(
        offsets
    )


async def test_a_record_that_no_longer_fits_is_left_out_and_costs_no_other(asked, replay, read, names):
    replaying = replay(largest={names.readings: 50_000})

    await replaying.run()

    assert (replaying.sent, replaying.too_large) == (len(CONTENTS) - 1, 1)
    assert len(await read(names.readings)) == len(CONTENTS) - 1
