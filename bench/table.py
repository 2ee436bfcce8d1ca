"""One row for each thing that was measured, and the table that README.md shows."""

from __future__ import annotations

import os
import platform
import re
from collections.abc import Sequence
from dataclasses import dataclass

import pygit2

from bench.places import Bench, git_version

_BLOCK = re.compile(r"(<!-- generated: bench -->\n).*?(<!-- /generated -->)", re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What one thing cost. Seconds, or MiB where `unit` says so."""

    what: str
    ours: float
    peer: float | None = None
    beside: str = ""
    """What the peer is."""
    max_ratio: float | None = None
    """The budget: ours divided by the peer's, at most."""
    max_ours: float | None = None
    """The budget: ours, at most."""
    unit: str = "s"

    @property
    def ratio(self) -> float | None:
        """Ours divided by the peer's."""
        return self.ours / self.peer if self.peer else None

    @property
    def is_over(self) -> bool:
        """Whether a budget is exceeded."""
        over_ratio = self.max_ratio is not None and self.ratio is not None and self.ratio > self.max_ratio
        return over_ratio or (self.max_ours is not None and self.ours > self.max_ours)

    @property
    def budget(self) -> str:
        """The budget in words; a dash where there is none."""
        if self.max_ratio is not None:
            return f"≤ {_times(self.max_ratio)}"
        return f"≤ {_amount(self.max_ours, self.unit)}" if self.max_ours is not None else "-"

    @property
    def verdict(self) -> str:
        """`ok`, `over`, or nothing where there is no budget."""
        if self.max_ratio is None and self.max_ours is None:
            return ""
        return "**over**" if self.is_over else "ok"


def line(row: Row) -> str:
    """The row as a line of the table."""
    peer = f"{_amount(row.peer, row.unit)} ({row.beside})" if row.peer is not None else "-"
    ratio = _times(row.ratio) if row.ratio is not None else "-"
    return f"| {row.what} | {_amount(row.ours, row.unit)} | {peer} | {ratio} | {row.budget} | {row.verdict} |"


def rendered(rows: Sequence[Row], bench: Bench) -> str:
    """The whole table, with the machine that it was measured on."""
    head = ["| what | Takeback | beside it | ratio | budget | |", "|---|---|---|---|---|---|"]
    busy = os.getloadavg()[0]
    machine = (
        f"Medians of {bench.n_runs} interleaved runs; {platform.system()}, {os.cpu_count()} processors, "
        f"Python {platform.python_version()}, {git_version()}, libgit2 {pygit2.LIBGIT2_VERSION}; "
        f"load at the end {busy:.1f}."
    )
    return "\n".join([*head, *map(line, rows), "", machine, ""])


def write_into(page: str, text: str) -> None:
    """Put the table where `page` wants it."""
    with open(page, encoding="utf-8") as file:
        old = file.read()
    with open(page, "w", encoding="utf-8") as file:
        file.write(_BLOCK.sub(lambda block: block[1] + text + block[2], old))


def _amount(value: float | None, unit: str) -> str:
    if value is None:
        return "-"
    if unit != "s":
        return f"{value:.0f} {unit}"
    return f"{value * 1000:.3g} ms" if value < 1 else f"{value:.2f} s"


def _times(ratio: float) -> str:
    return f"1/{1 / ratio:.0f} x" if ratio < 0.1 else f"{ratio:.2f} x".replace(".00 ", " ")
