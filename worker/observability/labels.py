"""The closed sets of words that metric labels are made of, where the domain has none."""

from enum import StrEnum


class CommandName(StrEnum):
    """Which command a record held."""

    ADMIT = "admit"
    MOVE = "move"
    DISCHARGE = "discharge"
    ACKNOWLEDGE_ALARM = "acknowledge_alarm"
    CLOSE_ALARM = "close_alarm"
    UNKNOWN = "unknown"  # it could not be told


class CommandOutcome(StrEnum):
    """What became of a command."""

    APPLIED = "applied"
    WITHOUT_EFFECT = "without_effect"  # stored, but the chart had nothing to do it to
    DUPLICATE = "duplicate"  # its id had been seen before
    REFUSED = "refused"  # it became a dead letter


class PauseReason(StrEnum):
    """Why partitions are not read from for a while."""

    DATABASE = "database"  # it does not answer
    BROKER = "broker"  # it does not answer
    UNUSABLE = "unusable"  # nothing on the partition can be used


class ProbeOutcome(StrEnum):
    """What a look at a paused partition found."""

    USABLE = "usable"  # work on it goes on
    UNUSABLE = "unusable"  # it is looked at again, later


class RebalanceEvent(StrEnum):
    """What the group's coordinator told the worker."""

    ASSIGNED = "assigned"
    REVOKED = "revoked"


class CommitStatus(StrEnum):
    """How a commit of the group's offsets ended; they are for the eye, nothing is read from them."""

    OK = "ok"
    FAILED = "failed"


class LoopPhase(StrEnum):
    """What the worker spends its time on."""

    DECODE = "decode"
    DB = "db"
    EVALUATE = "evaluate"
    PUBLISH = "publish"


class TransactionOutcome(StrEnum):
    """How a lane's Kafka transaction ended."""

    COMMITTED = "committed"
    ABORTED = "aborted"
    FENCED = "fenced"  # another worker holds the lane now
