"""The defects that can be planted: each takes away one thing the scheme says is needed."""

from enum import StrEnum


class Defect(StrEnum):
    """What is done wrong."""

    GROUP_OFFSETS = "go on from the consumer group's offsets instead of `progress`"
    CLAIM_NOT_COMPARED = "claim not compared"
    GAP_BELIEVED_AT_ONCE = "a gap accepted without a second fetch"
    ABSENT_CHART_NOT_LOCKED = "an absent chart not locked"
    READ_WHILE_LOCKING = "a chart's other rows read in the locking statement"
    TICK_WITHOUT_LOCK = "tick without the chart's lock"
    DUE_NOT_READ_AGAIN = "`due_at` not read again under the lock"
    TICK_OF_A_LOST_LANE = "a lane ticked that was lost while the turn was waited for"
    SEQ_FROM_SEQUENCE = "`seq` from a sequence before the locks"
    ID_PER_WORKER = "one transactional id per worker"
    FROM_MEMORY = "publish from memory"
    PUBLISH_THEN_MARK = "publish, then mark"
    CURSOR_BEFORE_START = "cursor read before the producer's start"
    ERROR_IS_ABSENCE = "the coordinator's error read as no cursor"
    NONCE_NOT_CHECKED = "nonce not checked after a restore"
    ZERO_NOT_CHECKED = "nonce checked only where the cursor is not 0"
    PROGRESS_NOT_READ_AGAIN = "`progress` not read again after a database error or when idle"
    MARKER_ADJOINS = "a repair's marker that leaves no number free"
    REPAIR_NOTES_NOTHING = "a repair that does not note what is out"
    MARKER_TOO_LOW = "a repair's marker beyond last_seq and cursor, but not beyond the numbers that are out"
    REPAIR_NOT_FENCED = "a repair that does not fence the lane's publisher"


NEEDS_RESTORE = frozenset(
    {
        Defect.NONCE_NOT_CHECKED,
        Defect.ZERO_NOT_CHECKED,
        Defect.PROGRESS_NOT_READ_AGAIN,
        Defect.MARKER_ADJOINS,
        Defect.REPAIR_NOTES_NOTHING,
        Defect.MARKER_TOO_LOW,
        Defect.REPAIR_NOT_FENCED,
    }
)
"""Those that show only where the database is restored, or a cursor reset."""
