"""Where something stands in TOML: tomllib has no positions, so tree-sitter is asked, once something is wrong."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any


def broken_at(text: str, error: Any) -> tuple[int, int]:
    """Where TOML is broken. tomllib has the place as fields from Python 3.14 on, before that in its text only."""
    if hasattr(error, "lineno"):
        return error.lineno, error.colno
    found = re.search(r"\(at line (\d+), column (\d+)\)$", str(error))
    if found:
        return int(found[1]), int(found[2])
    lines = text.split("\n")
    return len(lines), len(lines[-1]) + 1


def sentence(error: ValueError) -> str:
    """What is wrong, in words alone."""
    return re.sub(r" \(at (line .*|end of document)\)$", "", str(error))


def of(text: str, keys: tuple[str, ...]) -> tuple[int, int]:
    """Line and column of the place in TOML that sets `keys`, or of the nearest table around it."""
    places = _places(text)
    while keys and keys not in places:
        keys = keys[:-1]
    if not keys:
        return 1, 1
    row, column_bytes = places[keys]
    line = text.encode().split(b"\n")[row]
    return row + 1, len(line[:column_bytes].decode(errors="replace")) + 1


@lru_cache(maxsize=1)
def _places(text: str) -> Mapping[tuple[str, ...], tuple[int, int]]:
    """Every key in TOML with its row and byte column, both from 0; none where it is nested beyond all measure."""
    import tree_sitter  # noqa: PLC0415 - needed only where something is wrong
    import tree_sitter_toml  # noqa: PLC0415 - the same

    parser = tree_sitter.Parser(tree_sitter.Language(tree_sitter_toml.language()))
    try:
        return dict(_places_below(parser.parse(text.encode()).root_node, ()))
    except RecursionError:
        return {}


def _places_below(node: Any, above: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], tuple[int, int]]]:
    for child in node.named_children:
        if child.type in ("table", "pair") and child.named_children:
            name = child.named_children[0]
            keys = above + _names(name)
            for length in range(len(above) + 1, len(keys) + 1):
                yield keys[:length], tuple(name.start_point)
            yield from _places_below(child, keys)
        elif child.type == "inline_table":
            yield from _places_below(child, above)


def _names(key: Any) -> tuple[str, ...]:
    if key.type == "dotted_key":
        return tuple(name for part in key.named_children for name in _names(part))
    text = key.text.decode()
    return (text if key.type == "bare_key" else text[1:-1],)
