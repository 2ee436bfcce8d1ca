"""How one text of a document becomes another: whole lines, and only those that differ. Pure but for the diff."""

from __future__ import annotations

from dataclasses import dataclass

from takeback.model.text import Span
from takeback.store.diff import differ


@dataclass(frozen=True, slots=True, kw_only=True)
class Replacement:
    """A run of characters and what takes its place."""

    start: int
    end: int
    text: str


def replacements(old: str, new: str) -> tuple[Replacement, ...]:
    """What makes `new` of `old`; the places are indexes in `old`, in order."""
    before, after = old.split("\n"), new.split("\n")
    starts = [0]
    for line in before:
        starts.append(starts[-1] + len(line) + 1)
    return tuple(_replacement(old, starts, span, after) for span in _spans(before, after))


def same_lines(one: str, other: str) -> bool:
    """Whether two texts have the same lines, whatever ends these: some editors write one ending, whatever they are told."""
    return one == other or _with_lf(one) == _with_lf(other)


def _with_lf(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")


def is_made(old: str, new: str, shown: str) -> bool:
    """Whether `shown` is `new` with other lines changed since, and not `old` with lines changed."""
    before, after, now = old.split("\n"), new.split("\n"), shown.split("\n")
    made, since = _spans(before, after), _spans(after, now)
    is_whole = not any(_undoes(later, one) for one in made for later in since)
    return is_whole and _size(since) < _size(_spans(before, now))


def is_typed_into(old: str, new: str, shown: str) -> bool:
    """Whether `shown` is `new` with something typed at one place since, rather than `old`: in the very lines, too."""
    return _n_replaced(new, shown) < _n_replaced(old, shown)


def _n_replaced(one: str, other: str) -> int:
    """How many characters went and came in the one run in which two texts differ."""
    head = _n_same(one, other)
    tail = _n_same(one[head:][::-1], other[head:][::-1])
    return len(one) + len(other) - 2 * (head + tail)


def _n_same(one: str, other: str) -> int:
    """How many characters both begin with."""
    low, high = 0, min(len(one), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        if one[low:middle] == other[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low


def _undoes(later: Span, made: Span) -> bool:
    """Whether a change after `made` is in its lines; if it left none, whether lines come where it took some."""
    start, end, first, last = later
    if made[2] == made[3]:
        return start <= made[2] <= end and last - first > end - start
    return start < made[3] and made[2] < end


def _size(spans: tuple[Span, ...]) -> int:
    return sum(end - start + last - first for start, end, first, last in spans)


def _replacement(old: str, starts: list[int], span: Span, after: list[str]) -> Replacement:
    start, end, first, last = span
    lines = after[first:last]
    if end < len(starts) - 1:
        text = "".join(line + "\n" for line in lines)
        return Replacement(start=starts[start], end=starts[end], text=text)
    if start == 0 or (lines and start < end):
        return Replacement(start=starts[start], end=len(old), text="\n".join(lines))
    # To the end of the text: the line feed before goes, or comes, with the lines. No place lies inside of CRLF.
    begin = starts[start] - 1
    kept = "\r" if old[begin - 1 : begin + 1] == "\r\n" else ""
    text = kept + "".join("\n" + line for line in lines)
    return Replacement(start=begin - len(kept), end=len(old), text=text)


def _spans(before: list[str], after: list[str]) -> tuple[Span, ...]:
    def keys(lines: list[str]) -> list[bytes]:
        return [line.encode("utf-8", "surrogatepass") for line in lines]

    return differ(keys(before), keys(after))
