"""Which dead letters a replay would send, and which it leaves out and why."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from persistence.dead_letter_search import FoundLetter, Place
from persistence.headers import Headers
from worker.dead_letters.rounds import round_of


@dataclass(slots=True)
class Plan:
    """What is to be sent, in order; *reasons* counts dead letters, of which one record may have led to several."""

    most_rounds: int
    again: bool = False
    places: list[Place] = field(default_factory=list)
    reasons: Counter[tuple[str, str]] = field(default_factory=Counter)  # by stage and reason
    replayed_before: int = 0
    too_often: int = 0

    def take(self, letters: Sequence[FoundLetter], headers: Headers) -> None:
        """Take in one record, the *letters* it led to, and the *headers* it would be sent with."""
        if letters[0].replayed is not None and not self.again:
            self.replayed_before += 1
        elif round_of(headers) >= self.most_rounds:
            self.too_often += 1
        else:
            self.places.append(letters[0].place)
            self.reasons.update((letter.stage, letter.reason) for letter in letters)
