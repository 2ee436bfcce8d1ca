"""Which files and lines of a repository the demo plays with. Pure.

Edits find their place by the text of a line, so a file serves only if it has enough lines that occur once; and a line
that somebody is to edit must not hold the word that the command replaces everywhere, or the two could not be told apart.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from takeback.demo.model import File, Tree

_MIN_LINES, _MAX_LINES = 25, 4000
_MANY = 150
"""So many files the command rewrites, at most."""
_MIN_MANY = 6
_FOLDER = range(3, 60)
"""How many files a folder holds that the agent removes."""
_SETTINGS = ("takeback.toml", "pyproject.toml")
_WORD = re.compile(rb"[a-z]{4,12}")
_OWN_WORDS = frozenset({b"agent", b"demo", b"human"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A file in which several write, and the lines that they rewrite: the first two follow each other."""

    path: str
    lines: tuple[bytes, ...]

    def number(self, tree: Tree, n: int) -> int:
        """The number of line `n` as an editor counts."""
        return [text for _, text in tree[self.path].lines].index(self.lines[n]) + 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenery:
    """The files that the demo plays with."""

    shared: Place
    second: Place
    on_branch: str
    """Differs on the other branch, and nobody else writes it."""
    word: bytes
    many: tuple[str, ...]
    """The command replaces `word` in these; the two shared files are among them."""
    folder: str
    below: tuple[str, ...]
    """All files of a folder that the agent removes."""
    overwritten: tuple[str, ...]


def choose(tree: Tree) -> Scenery | None:
    """What of `tree` serves; `None` if it is too small or has too few text files."""
    texts = {path: file for path, file in tree.items() if _serves(path, file)}
    for word in _words(texts):
        many = [path for path, file in texts.items() if word in file.data][:_MANY]
        places = [place for path in many if (place := _place(path, texts[path], word))]
        others = [
            path for path in texts if path not in many or path not in [place.path for place in places[:2]]
        ]
        folder = _folder(tree)
        if len(many) >= _MIN_MANY and len(places) >= 2 and others and folder:
            shared, second = places[0], places[1]
            on_branch = others[-1]
            return Scenery(
                shared=shared,
                second=second,
                on_branch=on_branch,
                word=word,
                many=tuple(path for path in many if path != on_branch),
                folder=folder,
                below=tuple(path for path in tree if path.startswith(folder + "/")),
                overwritten=tuple(many[2:5]),
            )
    return None


def _serves(path: str, file: File) -> bool:
    plain = (
        not file.is_link and b"\0" not in file.data and b"\r" not in file.data and file.data.endswith(b"\n")
    )
    name = path.rpartition("/")[2]
    sized = _MIN_LINES <= len(file.lines) <= _MAX_LINES
    return plain and sized and name not in _SETTINGS and not name.startswith(".") and path.isprintable()


def _words(texts: Mapping[str, File]) -> Iterator[bytes]:
    """Words by the number of files that hold them, most common first."""
    count = Counter(word for file in texts.values() for word in set(_WORD.findall(file.data)))
    by_number = sorted(count.items(), key=lambda item: (-item[1], item[0]))
    yield from (word for word, _ in by_number[:20] if word not in _OWN_WORDS)


def _place(path: str, file: File, word: bytes) -> Place | None:
    texts = [text for _, text in file.lines]
    once = Counter(texts)
    usable = [
        bool(text.strip()) and once[text] == 1 and word not in text and word.swapcase() not in text
        for text in texts
    ]
    pairs = [n for n in range(len(texts) - 1) if usable[n] and usable[n + 1]]
    if not pairs:
        return None
    later = _spread(usable, pairs[0] + 4)
    if len(later) < 2:
        return None
    chosen = (pairs[0], pairs[0] + 1, later[0], later[1])
    return Place(path=path, lines=tuple(texts[n] for n in chosen))


def _spread(usable: Sequence[bool], start: int) -> list[int]:
    """Usable lines from `start` on, with three others between any two."""
    found: list[int] = []
    for n in range(start, len(usable)):
        if usable[n] and (not found or n - found[-1] > 3):
            found.append(n)
    return found


def _folder(tree: Tree) -> str | None:
    count = Counter(path.rpartition("/")[0] for path in tree)
    nested = {folder: sum(path.startswith(folder + "/") for path in tree) for folder in count if folder}
    fitting = [folder for folder, n in nested.items() if n in _FOLDER]
    return max(fitting, key=lambda folder: (nested[folder], folder), default=None)
