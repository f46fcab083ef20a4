"""Contact with the broker: whether it answers what it is asked for, and whether producers have had time to come back."""

from collections.abc import Sequence
from dataclasses import dataclass

AWAY_SECONDS = 5.0
"""A fetch is answered every tenth of a second, whether or not anything came."""

SETTLING_SECONDS = 15.0
"""What producers may take to find a broker again that was away: librdkafka pauses for up to 10 s between attempts."""

_LONG_BATCH_SECONDS = 1.0
_BLIND_SECONDS = 3.0  # looks are taken every second


@dataclass(slots=True)
class Contact:
    """What the answers to fetches tell; all times are seconds since 1970.

    Nobody asks for records while partitions are paused, a batch takes long or the process stands still: that
    silence is ours.
    """

    asking_since: float = 0.0
    looked_at: float = 0.0
    busy_since: float | None = None
    away_since: float | None = None
    settled_at: float = 0.0

    def asks(self, now: float) -> None:
        """Records are asked for again from *now* on."""
        self.asking_since = now

    def is_busy(self, now: float) -> None:
        """A batch is in hand from *now* on."""
        self.busy_since = now

    def is_done(self, now: float) -> None:
        """The batch has been dealt with."""
        if self._has_been_busy_for_long(now):
            self.asks(now)
        self.busy_since = None

    def was_away(self, now: float) -> None:
        """The broker answers after it had to be waited for."""
        self.away_since = None
        self.settled_at = now + SETTLING_SECONDS

    def look(self, answered: Sequence[float | None], now: float) -> int:
        """Take in when each partition was *answered* for last; returns for how many there is no answer."""
        if now - self.looked_at > _BLIND_SECONDS:
            self.asks(now)
        self.looked_at = now
        if self._has_been_busy_for_long(now):
            return 0
        away = sum(now - max(at or 0.0, self.asking_since) > AWAY_SECONDS for at in answered)
        if away:
            self.away_since = self.away_since or now
        elif self.away_since is not None and any(at is not None and at > self.away_since for at in answered):
            self.was_away(now)
        return away

    def is_settled(self, now: float) -> bool:
        """Whether the silence of a device is its own.

        Not while the broker is away, nor just after: devices could not send, and send now what they kept.
        """
        return self.away_since is None and now >= self.settled_at

    def _has_been_busy_for_long(self, now: float) -> bool:
        return self.busy_since is not None and now - self.busy_since > _LONG_BATCH_SECONDS
