"""What `vigil simulate` does with its options."""

from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console

from domain.observations import Mode
from domain.times import to_ms
from worker.feed.pacing import Pace
from worker.feed.progress import Progress
from worker.feed.running import run_until_stopped
from worker.settings import Settings
from worker.simulation.running import Simulation, simulate_into
from worker.simulation.running import simulate as send_simulated


def simulate(  # noqa: PLR0913  as many as the command has options
    settings: Settings,
    *,
    beds: int = 12,
    ward: str = "7B",
    seed: int = 1,
    rate: float | None = None,
    speed_up: float = 1.0,
    seconds: float | None = None,
    mode: Mode | str = Mode.DEMO,
    deteriorations: int = 4,
    start: datetime | None = None,
    out: Path | None = None,
) -> None:
    """Simulate a ward until stopped or for *seconds*, and say what was sent. Raises WorkerError."""
    simulation = Simulation(
        start_ms=to_ms(start or datetime.now(UTC)),
        beds=beds, ward=ward, seed=seed, rate=rate, speed_up=speed_up, seconds=seconds, mode=Mode(mode),
        deteriorations=deteriorations,
    )  # fmt: skip
    with Progress(f"simulating ward {ward}, {beds} beds") as progress:
        if out is not None:
            sent = simulate_into(out, simulation, settings, progress)
        else:
            sent = run_until_stopped(
                lambda pace: send_simulated(simulation, settings, pace, progress),
                lambda: Pace(speed_up=speed_up, seconds=seconds),
            )
    Console(stderr=True).print(
        f"sent {sent.sets:,} sets with {sent.readings_sent:,} readings and {sent.commands} commands"
    )
