"""Metrics of what comes in: readings, commands, and what could not be used."""

from prometheus_client import CollectorRegistry, Counter, Histogram

from domain.alerts import Flag
from domain.observations import Acquisition
from domain.vital_signs import VitalSign
from worker.messages.refusals import EXPLANATIONS
from worker.observability.labels import CommandName, CommandOutcome

LATENESS_BUCKETS = (0.1, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 900.0, 3600.0, 21600.0, 86400.0)
SIZE_BUCKETS = (128.0, 256.0, 512.0, 1024.0, 2048.0, 4096.0, 8192.0, 16384.0, 65536.0, 262144.0, 1048576.0)


class IntakeMetrics:
    """What came in, and what became of it."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.readings_received = Counter(
            "vigil_readings_received_total",
            "Records read from an input topic, usable or not.",
            ["topic"],
            registry=registry,
        )
        self.readings_accepted = Counter(
            "vigil_readings_accepted_total",
            "Readings stored, by vital sign.",
            ["vital"],
            registry=registry,
        )
        self.readings_duplicate = Counter(
            "vigil_readings_duplicate_total",
            "Readings that had been stored before; they changed nothing.",
            registry=registry,
        )
        self.readings_late = Counter(
            "vigil_readings_late_total",
            "Readings that arrived later than allowed for, by vital sign.",
            ["vital"],
            registry=registry,
        )
        self.readings_flagged = Counter(
            "vigil_readings_flagged_total",
            "Readings stored with a word of caution, by flag.",
            ["flag"],
            registry=registry,
        )
        self.readings_rejected = Counter(
            "vigil_readings_rejected_total",
            "Records and single readings that could not be used, by the stage that refused them and why.",
            ["stage", "reason"],
            registry=registry,
        )
        self.reading_lateness_seconds = Histogram(
            "vigil_reading_lateness_seconds",
            "Time from a reading's observation to its arrival in the log.",
            buckets=LATENESS_BUCKETS,
            registry=registry,
        )
        self.reading_size_bytes = Histogram(
            "vigil_reading_size_bytes",
            "Size of a record's value; one observation per batch, of its mean.",
            buckets=SIZE_BUCKETS,
            registry=registry,
        )
        self.commands = Counter(
            "vigil_commands_total",
            "Commands of the registry and of staff, by outcome.",
            ["command", "outcome"],
            registry=registry,
        )
        self.dead_letters = Counter(
            "vigil_dead_letters_total",
            "Dead letters recorded, by the stage that refused the record and why.",
            ["stage", "reason"],
            registry=registry,
        )
        self.device_dead_letters = Counter(
            "vigil_device_dead_letters_total",
            "Dead letters of which the device is known, by the way it acquires: continuous or spot_check.",
            ["acquisition"],
            registry=registry,
        )
        self._show_intake_at_zero()

    def _show_intake_at_zero(self) -> None:
        for vital in VitalSign:
            self.readings_accepted.labels(vital=vital)
            self.readings_late.labels(vital=vital)
        for acquisition in Acquisition:
            self.device_dead_letters.labels(acquisition=acquisition)
        for flag in Flag:
            self.readings_flagged.labels(flag=flag)
        for command in CommandName:
            for outcome in CommandOutcome:
                self.commands.labels(command=command, outcome=outcome)
        for reason, explanation in EXPLANATIONS.items():
            self.readings_rejected.labels(stage=explanation.stage, reason=reason)
            self.dead_letters.labels(stage=explanation.stage, reason=reason)
