"""Changes in JSON that somebody wrote by hand: what is not changed stays byte for byte, comments too. Pure.

    {"a": [1, 2]}    Node(object, members={"a": Node(array, items=(Node, Node))}), each with where it begins and ends

Whatever is added comes last, and taking it away again gives the text from before.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from json.decoder import scanstring  # type: ignore[attr-defined]  # public in practice, and not in the stubs
from typing import Any

_SPACE = re.compile(r"(?:\s|\ufeff|//[^\n]*|/\*.*?\*/)*", re.DOTALL)
_SCALAR = re.compile(r"[-+\w.]+")
_INDENT = re.compile(r"^([ \t]+)\S", re.MULTILINE)
_MAX_DEPTH = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """One value, and where it stands."""

    start: int
    end: int
    items: tuple[Node, ...] = ()
    """Of an array its items, of an object its values."""
    keys: tuple[str, ...] = ()
    starts: tuple[int, ...] = ()
    """Where each item begins, with its key."""
    kind: str = "scalar"
    _members: dict[str, Node] = field(default_factory=dict)

    def get(self, key: str) -> Node | None:
        """The value of a key; `None` if this is no object or has no such key. Raises ValueError if it stands twice."""
        if self.keys.count(key) > 1:
            raise ValueError(f"{key!r} stands twice in one object")
        return self._members.get(key)


def parse(text: str) -> Node:
    """The value that `text` is. Raises ValueError if it is no JSON with comments."""
    node, end = _value(text, _skip(text, 0), 0)
    if _skip(text, end) != len(text):
        raise ValueError(f"something stands behind the end, at {end}")
    return node


def value(text: str, node: Node) -> Any:
    """What a node is as a value. Raises ValueError where comments stand in it."""
    return json.loads(text[node.start : node.end])


def with_item(text: str, array: Node, item: Any) -> str:
    """`text` with one more item at the end of an array."""
    return _with(text, array, json.dumps(item, indent=_unit(text), ensure_ascii=False))


def with_member(text: str, parent: Node, key: str, item: Any) -> str:
    """`text` with one more member at the end of an object."""
    body = json.dumps(item, indent=_unit(text), ensure_ascii=False)
    return _with(text, parent, f"{json.dumps(key, ensure_ascii=False)}: {body}")


def without(text: str, parent: Node, place: int) -> str:
    """`text` without the item or member at `place` of its parent. Comments around it stay."""
    begin, end = parent.starts[place], parent.items[place].end
    if len(parent.items) == 1:
        before, after = text[parent.start + 1 : begin], text[end : parent.end - 1]
        kept = _ended(before, after) + after
        return text[: parent.start + 1] + (kept if kept.strip() else "") + text[parent.end - 1 :]
    if place:
        kept = _ended(_without_comma(text, parent.items[place - 1].end, begin), text[end:])
        return text[: parent.items[place - 1].end] + kept + text[end:]
    kept = _without_comma(text, end, parent.starts[1]).lstrip()
    return text[:begin] + kept + text[parent.starts[1] :]


def holds_only_one(text: str, parent: Node) -> bool:
    """Whether one item is all that stands in it: neither another one nor a comment."""
    if len(parent.items) != 1:
        return False
    besides = text[parent.start + 1 : parent.starts[0]] + text[parent.items[0].end : parent.end - 1]
    return not besides.strip()


def scalars(text: str, node: Node) -> Iterator[str]:
    """Every value in a node that holds no others, as it is written."""
    if node.kind == "scalar":
        yield text[node.start : node.end]
    for item in node.items:
        yield from scalars(text, item)


def _without_comma(text: str, start: int, end: int) -> str:
    """What stands between two items besides the comma."""
    comma = _skip(text, start)
    return text[start:comma] + text[comma + 1 : end]


def _ended(kept: str, after: str) -> str:
    """The comments that come before `after`, each still ended where a line ends it; empty if there are none."""
    ends_here = not after.lstrip(" \t") or after.lstrip(" \t").startswith(("\n", "\r", "//"))
    bare = kept.rstrip()
    return bare if ends_here or not bare else kept.rstrip(" \t")


def _with(text: str, parent: Node, body: str) -> str:
    newline = "\r\n" if "\r\n" in text else "\n"
    outer = newline + _indent_at(text, parent.start)
    inner = outer + _unit(text)
    added = inner + body.replace("\n", inner)
    if parent.items:
        place = parent.items[-1].end
        return f"{text[:place]},{added}{text[place:]}"
    inside = text[parent.start + 1 : parent.end - 1]
    place = parent.start + 1 + len(inside.rstrip())
    return text[:place] + added + (text[place:] if inside.strip() else outer + text[parent.end - 1 :])


def _unit(text: str) -> str:
    found = _INDENT.search(text)
    return found[1] if found else "  "


def _indent_at(text: str, place: int) -> str:
    """The indent of the line that `place` stands on."""
    line = text[text.rfind("\n", 0, place) + 1 : place]
    return line[: len(line) - len(line.lstrip(" \t"))]


def _skip(text: str, place: int) -> int:
    found = _SPACE.match(text, place)
    return found.end() if found else place


def _value(text: str, place: int, depth: int) -> tuple[Node, int]:
    if depth > _MAX_DEPTH:
        raise ValueError("it is nested too deep")
    first = text[place : place + 1]
    if first in ("{", "["):
        return _container(text, place, depth, closing="}" if first == "{" else "]")
    if first == '"':
        _, end = scanstring(text, place + 1)
        return Node(start=place, end=end), end
    found = _SCALAR.match(text, place)
    if found is None:
        raise ValueError(f"no value stands at {place}")
    json.loads(found[0])
    return Node(start=place, end=found.end()), found.end()


def _container(text: str, start: int, depth: int, *, closing: str) -> tuple[Node, int]:
    parts = tuple(_parts(text, start, depth, closing))
    end = _skip(text, parts[-1][2].end if parts else start + 1) + 1
    keys = tuple(key for key, _, _ in parts)
    nodes = tuple(node for _, _, node in parts)
    node = Node(
        start=start,
        end=end,
        items=nodes,
        keys=keys,
        starts=tuple(begins for _, begins, _ in parts),
        kind="object" if closing == "}" else "array",
        _members=dict(zip(keys, nodes, strict=True)) if closing == "}" else {},
    )
    return node, end


def _parts(text: str, start: int, depth: int, closing: str) -> Iterator[tuple[str, int, Node]]:
    """Each item of a container with its key and where it begins; the last one is followed by the closing bracket."""
    place = _skip(text, start + 1)
    if text[place : place + 1] == closing:
        return
    while True:
        begins, key = place, ""
        if closing == "}":
            key, place = _key(text, place)
        node, place = _value(text, place, depth + 1)
        yield key, begins, node
        place = _skip(text, place)
        if text[place : place + 1] == closing:
            return
        if text[place : place + 1] != ",":
            raise ValueError(f"a comma or {closing} is missing at {place}")
        place = _skip(text, place + 1)


def _key(text: str, place: int) -> tuple[str, int]:
    if text[place : place + 1] != '"':
        raise ValueError(f"no key stands at {place}")
    key, place = scanstring(text, place + 1)
    place = _skip(text, place)
    if text[place : place + 1] != ":":
        raise ValueError(f"a colon is missing at {place}")
    return key, _skip(text, place + 1)
