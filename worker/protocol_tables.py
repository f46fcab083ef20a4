"""A protocol as a table, and two of them side by side."""

from collections.abc import Iterator

from rich.table import Table

from domain.protocol import OLDEST, AlarmLimit, Condition, Measure, Protocol, Side, Tier
from domain.vital_signs import DEFINITIONS
from domain.wording import quantity

_WHEN = {
    Condition.SPO2_TARGET_88_92: "target 88-92 %",
    Condition.NO_SPO2_TARGET: "no target",
    Condition.ON_OXYGEN: "on oxygen",
}
_YEAR = 12


def heading_of(protocol: Protocol) -> str:
    """Which protocol it is, by name, version and hash."""
    return f"{protocol.protocol_id} {protocol.version}: {protocol.title}\nhash {protocol.digest}"


def table_of(protocol: Protocol) -> Table:
    """One row for each tier of each limit."""
    table = Table("vital sign", "limit", "priority", "after", "clears", "who", "rule", "source", box=None)
    for limit in protocol.limits:
        for number, tier in enumerate(limit.tiers):
            first = number == 0
            table.add_row(
                DEFINITIONS[limit.vital_sign].display if first else "",
                threshold_of(limit, tier),
                tier.priority.word.upper(),
                f"{tier.on_delay.total_seconds():g} s" if tier.on_delay else "at once",
                clearing_of(limit) if first else "",
                who_of(limit) if first else "",
                limit.limit_id if first else "",
                limit.source if first else "",
            )
    return table


def changes_between(one: Protocol, other: Protocol) -> Table | None:
    """What differs, one row each; None where both judge alike."""
    table = Table(
        "what", f"{one.protocol_id} {one.version}", f"{other.protocol_id} {other.version}", box=None
    )
    before, after = _facts(one), _facts(other)
    for name in sorted(before.keys() | after.keys()):
        if before.get(name) != after.get(name):
            table.add_row(name, before.get(name, "-"), after.get(name, "-"))
    return table if table.row_count else None


def threshold_of(limit: AlarmLimit, tier: Tier) -> str:
    """`below 92 %`, `220 mmHg or more`, in the words of a page."""
    value = quantity(limit.vital_sign, tier.threshold)
    if limit.measure is Measure.FALL:
        value = f"a fall of {value} in {limit.window}"
    if tier.is_inclusive:
        return f"{value} or {'less' if limit.side is Side.LOW else 'more'}"
    return f"{'below' if limit.side is Side.LOW else 'above'} {value}"


def clearing_of(limit: AlarmLimit) -> str:
    """By how much inside, and for how long."""
    parts = []
    if limit.deadband:
        parts.append(f"inside by {limit.deadband:g}")
    if limit.clear_time:
        parts.append(f"for {limit.clear_time.total_seconds():g} s")
    return " ".join(parts) or "next reading"


def who_of(limit: AlarmLimit) -> str:
    """For whom it stands."""
    who = sorted(_WHEN[each] for each in limit.conditions)
    if limit.age_from:
        who.append(f"from {_age(limit.age_from)}")
    if limit.age_below < OLDEST:
        who.append(f"below {_age(limit.age_below)}")
    return ", ".join(who) or "everybody"


def _age(months: int) -> str:
    return f"{months // _YEAR} y" if months % _YEAR == 0 else f"{months} mo"


def _facts(protocol: Protocol) -> dict[str, str]:
    """Everything a protocol says, by name, in words that can be compared."""
    return dict([*_limit_facts(protocol), *_rule_facts(protocol)])


def _limit_facts(protocol: Protocol) -> Iterator[tuple[str, str]]:
    for limit in protocol.limits:
        name = f"limit {limit.limit_id}"
        yield f"{name}: for", f"{who_of(limit)}, {limit.vital_sign}"
        yield f"{name}: clears", clearing_of(limit) + (", latching" if limit.is_latching else "")
        yield f"{name}: source", limit.source
        if limit.level_one is not None:
            yield f"{name}: level 1", quantity(limit.vital_sign, limit.level_one)
        for number, tier in enumerate(limit.tiers, 1):
            delay = f"after {tier.on_delay.total_seconds():g} s" if tier.on_delay else "at once"
            yield f"{name}: tier {number}", f"{threshold_of(limit, tier)}, {tier.priority.word}, {delay}"


def _rule_facts(protocol: Protocol) -> Iterator[tuple[str, str]]:
    for part in ("signals", "lateness"):
        rules = getattr(protocol, part)
        for name in rules.__dataclass_fields__:
            if name != "sensors_of":
                yield f"{part}: {name}", str(getattr(rules, name))
