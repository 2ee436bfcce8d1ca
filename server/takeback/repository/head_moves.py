"""What git wrote when HEAD moved, told from what it only recorded.

A checkout, merge or rebase writes files; a commit does not: it keeps what somebody else wrote. HEAD's own log says
which step was what, so an agent that edits and commits is not taken for git.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from takeback.repository import command
from takeback.repository.window import Head, Repository

Leaf = tuple[str, int]
"""Object id and git file mode."""

_TAIL_BYTES = 1 << 17
_EMPTY_TREE = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"
_LINE = re.compile(r"([0-9a-f]{40,64}) ([0-9a-f]{40,64}) [^\t\n]*\t?(.*)")
_MOVING = re.compile(r"checkout: moving from (\S+) to (\S+)")
_GITLINK = 0o160000


@dataclass(frozen=True, slots=True, kw_only=True)
class HeadMove:
    """How HEAD came from one commit to another, as far as git itself wrote files."""

    label: str
    """`checkout main -> other`, `merge other`, `rebase` ..."""
    leaves: Mapping[str, Leaf | None]
    """What git left at the paths it wrote (relative to the work tree); `None`: it removed the file."""


@dataclass(frozen=True, slots=True)
class _Step:
    """One line of HEAD's log."""

    old: str
    new: str
    message: str

    @property
    def keeps_files(self) -> bool:
        """Whether it recorded what was there already."""
        return self.message.startswith(("commit", "Branch:", "branch:"))


def moved_since(repository: Repository, old: str | None, head: Head) -> HeadMove | None:
    """What git wrote since HEAD was at commit `old`; `None` if it wrote nothing. Cost: one git process a step."""
    if old is None or head.commit is None or old == head.commit:
        return None
    steps = _steps_since(repository, old, head.commit)
    leaves: dict[str, Leaf | None] = {}
    for kept, run in groupby(steps, key=lambda step: step.keeps_files):
        part = list(run)
        differing = _differing(repository, part[0].old, part[-1].new)
        if kept:
            for path in differing:
                leaves.pop(path, None)
        else:
            leaves.update(differing)
    label = ", ".join(dict.fromkeys(_label(step.message) for step in steps if not step.keeps_files))
    return HeadMove(label=label, leaves=leaves) if leaves else None


def _steps_since(repository: Repository, old: str, new: str) -> Sequence[_Step]:
    """The steps from `old` to `new`, oldest first; one that is called after nothing where no log tells."""
    steps: list[_Step] = []
    for step in reversed(_log(repository)):
        steps.append(step)
        if step.old == old:
            break
    if not steps or steps[-1].old != old or steps[0].new != new:
        message = steps[0].message if steps and steps[0].new == new else "commit"
        return [_Step(old, new, message)]
    return list(reversed(steps))


def _log(repository: Repository) -> list[_Step]:
    try:
        with open(os.path.join(repository.git_dir, "logs", "HEAD"), "rb") as log:
            log.seek(max(0, log.seek(0, os.SEEK_END) - _TAIL_BYTES))
            lines = log.read().decode("utf-8", "surrogateescape").split("\n")
    except OSError:
        return []
    return [_Step(*found.groups()) for found in map(_LINE.fullmatch, lines) if found]


def _differing(repository: Repository, old: str, new: str) -> dict[str, Leaf | None]:
    sides = [_EMPTY_TREE if not side.strip("0") else side for side in (old, new)]
    answer = command.run(
        repository.work_tree, ["diff-tree", "-r", "-z", "--no-renames", "--no-commit-id", *sides]
    )
    return dict(_parsed(answer.out.split(b"\0"))) if answer.status == 0 else {}


def _parsed(parts: Sequence[bytes]) -> Iterable[tuple[str, Leaf | None]]:
    """Source: git-diff-tree(1), "RAW OUTPUT FORMAT"."""
    for facts, name in zip(parts[::2], parts[1::2], strict=False):
        old_mode, mode, _, blob, status = facts.lstrip(b":").split(b" ")
        if _GITLINK not in (int(mode, 8), int(old_mode, 8)):
            yield os.fsdecode(name), None if status == b"D" else (blob.decode(), int(mode, 8))


def _label(message: str) -> str:
    moving = _MOVING.fullmatch(message)
    if moving:
        return f"checkout {moving[1]} -> {moving[2]}"
    action, _, rest = message.partition(":")
    action = re.sub(r" \(.*\)$", "", action).strip()
    if action == "reset":
        return f"reset {rest.removeprefix(' moving').strip()}"
    return action or "git"
