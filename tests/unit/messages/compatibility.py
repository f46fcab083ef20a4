"""What a change of a published schema would break for those who hold to the last release."""

from collections.abc import Iterator
from typing import Any, NamedTuple

Schema = dict[str, Any]

_UPPER = ("maxLength", "maxItems", "maximum", "exclusiveMaximum")
_LOWER = ("minLength", "minItems", "minimum", "exclusiveMinimum")


class Place(NamedTuple):
    """One place in a message: which kinds of value may stand there, and what is asked of each."""

    kinds: frozenset[str]
    asked: dict[str, Schema]


def broken_for_producers(released: Schema, present: Schema) -> list[str]:
    """List what a producer that holds to *released* may send and *present* would refuse."""
    return list(_compare(released, present, _refused))


def broken_for_consumers(released: Schema, present: Schema) -> list[str]:
    """List what a consumer that holds to *released* counts on and *present* no longer gives."""
    return list(_compare(released, present, _unexpected))


def _compare(released: Schema, present: Schema, judge: Any) -> Iterator[str]:
    old, new = _places(released), _places(present)
    for path, place in old.items():
        if path not in new:
            yield f"{path} was removed"
            continue
        yield from (f"{path} {what}" for what in judge(place, new[path]))


def _refused(old: Place, new: Place) -> Iterator[str]:
    if not old.kinds <= new.kinds:
        yield f"no longer takes {sorted(old.kinds - new.kinds)}"
    for kind in old.kinds & new.kinds:
        before, after = old.asked[kind], new.asked[kind]
        if set(after.get("required", ())) - set(before.get("required", ())):
            yield "requires more"
        if "enum" in after and not set(before.get("enum", [...])) <= set(after["enum"]):
            yield "takes fewer words"
        if after.get("const") != before.get("const") or after.get("pattern") != before.get("pattern"):
            yield "takes another form"
        if any(key in after and after[key] < before.get(key, float("inf")) for key in _UPPER):
            yield "has a lower bound above"
        if any(key in after and after[key] > before.get(key, float("-inf")) for key in _LOWER):
            yield "has a higher bound below"


def _unexpected(old: Place, new: Place) -> Iterator[str]:
    if not new.kinds <= old.kinds:
        yield f"may now be {sorted(new.kinds - old.kinds)}"
    for kind in old.kinds & new.kinds:
        before, after = old.asked[kind], new.asked[kind]
        if set(before.get("required", ())) - set(after.get("required", ())):
            yield "may now be left out in part"
        if after.get("const") != before.get("const") or after.get("format") != before.get("format"):
            yield "has another form"


def _places(schema: Schema) -> dict[str, Place]:
    places: dict[str, Place] = {}
    _walk(schema, schema.get("$defs", {}), "$", places)
    return places


def _walk(node: Schema, definitions: dict[str, Schema], path: str, places: dict[str, Place]) -> None:
    asked = dict(_options(node, definitions))
    places[path] = Place(frozenset(asked), asked)
    several = sum(kind.startswith("object") for kind in asked) > 1
    for kind, option in asked.items():
        inside = f"{path}<{kind}>" if several else path
        for name, field in option.get("properties", {}).items():
            _walk(field, definitions, f"{inside}.{name}", places)
        if "items" in option:
            _walk(option["items"], definitions, f"{inside}[]", places)


def _options(node: Schema, definitions: dict[str, Schema]) -> Iterator[tuple[str, Schema]]:
    if "$ref" in node:
        node = definitions[node["$ref"].rpartition("/")[2]] | {k: v for k, v in node.items() if k != "$ref"}
    several = node.get("anyOf") or node.get("oneOf")
    if several:
        for option in several:
            yield from _options(option, definitions)
    elif node.get("type") == "object":
        yield f"object {node.get('title', '')}".strip(), node
    else:
        yield node.get("type", "anything"), node
