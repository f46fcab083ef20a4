"""A chart comes under another protocol, or another version: what no longer exists ends, and says so."""

from collections.abc import Mapping

from domain.alerts import Reason
from domain.chart import Judgement
from domain.draft import Draft
from domain.news import Cause
from domain.protocol import Protocol


def adopt(draft: Draft) -> None:
    """Bring *draft* under its protocol; nothing to do while that is the one the chart was last judged by."""
    was = draft.protocol_hash
    draft.protocol_hash = draft.protocol.digest
    if was in ("", draft.protocol.digest):
        return
    dropped: set[str] = set()
    for sign, track in draft.tracks.items():
        base = _still_known(track.base, draft.protocol)
        present = _still_known(track.present, draft.protocol)
        dropped |= set(track.present) - set(present)
        draft.tracks[sign] = track._replace(base=base, present=present)
    cause = Cause(
        key=f"protocol\x1f{was}\x1f{draft.protocol.digest}",
        observed_ms=draft.clock_ms,
        received_ms=draft.clock_ms,
    )
    for rule_id, alarm in list(draft.alarms.items()):
        is_gone = alarm.vital_sign is not None and rule_id not in draft.protocol.limit_by_id
        if is_gone or rule_id in dropped:  # a limit with other tiers is another limit
            draft.end(alarm, Reason.PROTOCOL_CHANGED, cause)


def _still_known(judgements: Mapping[str, Judgement], protocol: Protocol) -> dict[str, Judgement]:
    return {
        limit_id: judgement
        for limit_id, judgement in judgements.items()
        if limit_id in protocol.limit_by_id
        and len(protocol.limit_by_id[limit_id].tiers) == len(judgement.violated_since)
    }
