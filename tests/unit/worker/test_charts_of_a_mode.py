"""Test, demonstration and real data of one patient never meet in a chart."""

from tests.unit.messages.records import a_command, a_record, a_set
from worker.batches import Run, read_batch


async def test_each_mode_of_a_patient_has_a_chart_of_its_own():
    said = [a_record(a_set(mode=mode)) for mode in ("real", "test", "demo")]
    told = [
        a_record(a_command("admit", ward="7B", mode=mode), topic="commands")
        for mode in ("real", "test", "demo")
    ]

    batch = await read_batch([Run("readings", 0, None, said), Run("commands", 0, None, told)], "commands")

    assert batch.refused == []
    assert [item.chart_key for item in batch.items[:3]] == [item.chart_key for item in batch.items[3:]]
    assert len({item.chart_key for item in batch.items}) == 3
    assert {item.chart_key.patient_id for item in batch.items} == {"P-0042"}
