"""The benchmarks run and write what they promise; how fast is not asked here."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[2]
pytestmark = [pytest.mark.services, pytest.mark.slow, pytest.mark.timeout(240)]


def test_a_quick_run_measures_everything_and_finds_every_alert(tmp_path):
    output = tmp_path / "quick.json"

    done = subprocess.run(
        [sys.executable, "-m", "benchmarks", "--quick", "--output", str(output)],
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    figures = json.loads(output.read_text())
    assert {"readings_per_s", "ratio_to_tutorial", "ratio_to_floor"} <= figures["throughput"].keys()
    assert {"processes", "ratio_to_one_process"} <= figures["throughput"].keys()
    assert figures["throughput"]["one_process"].keys() == {"readings_per_s", "cpu_us_per_reading"}
    assert figures["latency"].keys() == figures["latency_one_process"].keys()
    assert all({"p50_ms", "p99_ms"} <= rate.keys() for rate in figures["latency"].values())
    assert figures["throughput"]["alarming_readings"] > 0
    assert all(rate["alarming_readings"] > 0 for rate in figures["latency"].values())
    assert {"cores", "memory_gib", "cpu", "python", "kafka", "postgres", "libraries"} <= figures[
        "machine"
    ].keys()
    assert figures["machine"]["postgres"]["fsync"] == "on"
    assert "Throughput" in done.stdout
    assert "Latency" in done.stdout
    assert "Vigil, one process" in done.stdout


@pytest.mark.parametrize("name", ["tutorial", "floor"])
def test_what_vigil_is_compared_with_stays_small_enough_to_read(name):
    source = (CHECKOUT / "benchmarks" / f"{name}.py").read_text()

    assert len(source.splitlines()) <= 80
