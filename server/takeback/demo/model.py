"""What every file must hold, computed without Takeback: the first contents, and every edit with its author.

    contents      a step of an agent      a step of a human       the agent's step left out
    a b           a B                     a B c                   a b c

Taking something back is nothing but leaving a step out, and going through the others again. Edits find their place by
the text of a line, never by its number, so that they mean the same whatever is left out. Pure.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

FIRST = "before"
"""The author of every line that was there at the beginning."""

Line = tuple[str, bytes]
"""Who wrote it, and its bytes with their ending."""


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """One file: its lines with their authors."""

    lines: tuple[Line, ...]
    executable: bool = False
    is_link: bool = False

    @property
    def data(self) -> bytes:
        """The bytes; of a symlink, its target."""
        return b"".join(text for _, text in self.lines)

    def authors(self) -> Counter[str]:
        """How many lines each author has in it."""
        return Counter(author for author, _ in self.lines)


Tree = Mapping[str, File]
"""Every file of a workspace by its path."""


def file_of(data: bytes, author: str = FIRST) -> File:
    """A plain file with all lines by one author."""
    return File(lines=tuple((author, line) for line in data.splitlines(keepends=True)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Rewrite:
    """The one line that reads `line` becomes `by`."""

    path: str
    line: bytes
    by: tuple[bytes, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Append:
    """Lines come to the end of a file."""

    path: str
    lines: tuple[bytes, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Write:
    """A file gets other content, or comes into being."""

    path: str
    file: File


@dataclass(frozen=True, slots=True, kw_only=True)
class Delete:
    """A file goes."""

    path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Substitute:
    """In every line of a file one word becomes another."""

    path: str
    word: bytes
    by: bytes


Edit = Rewrite | Append | Write | Delete | Substitute


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What one author did in one go."""

    author: str
    edits: tuple[Edit, ...]

    @property
    def paths(self) -> tuple[str, ...]:
        """The files it touches, each once."""
        return tuple(dict.fromkeys(edit.path for edit in self.edits))


def after(first: Tree, steps: Iterable[Step]) -> dict[str, File]:
    """Every file after `steps`, in their order."""
    tree = dict(first)
    for step in steps:
        for edit in step.edits:
            changed = _edited(tree.get(edit.path), edit, step.author)
            if changed is None:
                tree.pop(edit.path, None)
            else:
                tree[edit.path] = changed
    return tree


def _edited(file: File | None, edit: Edit, author: str) -> File | None:
    match edit:
        case Delete():
            return None
        case Write(file=written):
            return written
        case _:
            assert file is not None, f"BUG: {edit.path} is edited and not there"
            return replace(file, lines=_lines(file, edit, author))


def _lines(file: File, edit: Rewrite | Append | Substitute, author: str) -> tuple[Line, ...]:
    match edit:
        case Append(lines=more):
            return file.lines + tuple((author, text) for text in more)
        case Substitute(word=word, by=by):
            return tuple(
                (author, text.replace(word, by)) if word in text else (who, text) for who, text in file.lines
            )
        case Rewrite(line=line, by=texts):
            texts_now = [text for _, text in file.lines]
            assert texts_now.count(line) == 1, f"BUG: {line!r} is not one line of {edit.path}"
            at = texts_now.index(line)
            return file.lines[:at] + tuple((author, text) for text in texts) + file.lines[at + 1 :]
