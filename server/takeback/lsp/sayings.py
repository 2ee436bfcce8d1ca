"""Operations as an editor shows them: one line for lenses, hints and actions, a few for hovers."""

from __future__ import annotations

import re

from takeback.service import wording
from takeback.service.provenance import Author

_MARKDOWN = re.compile(r"([\\`*_{}\[\]()#+\-.!|<>~&])")
_LABEL = 80


def who(author: Author, now_ns: int) -> str:
    """`agent:claude, 2 min ago`."""
    return f"{wording.plain(author.actor)}, {wording.ago(author.at_ns, now_ns)}"


def what(author: Author) -> str:
    """What it is about: the turn that it belongs to, else its own label; empty where nobody said."""
    return wording.plain(author.turn_label or author.label, _LABEL)


def headline(author: Author, now_ns: int) -> str:
    """`agent:claude, 2 min ago: rename helper`."""
    return ": ".join(filter(None, (who(author, now_ns), what(author))))


def hover(author: Author, now_ns: int, did: str, *, markdown: bool) -> str:
    """Who, when, what and in which turn; `did` says what it did to the line."""
    actor, label = wording.plain(author.actor), wording.plain(author.label, 200)
    turn = f"{author.turn}: {wording.plain(author.turn_label, 200)}" if author.turn else ""
    doubt = "The actor was concluded from time alone." if author.inferred else ""
    kept = "Kept." if author.kept else ""
    head = f"{did} {wording.ago(author.at_ns, now_ns)}, operation {author.op}"
    if not markdown:
        return "\n".join(filter(None, (f"{actor} {head}", label, turn, doubt, kept)))
    paragraphs = (f"**{_escaped(actor)}** {head}", _escaped(label), _escaped(turn), doubt, kept)
    return "\n\n".join(filter(None, paragraphs))


def _escaped(text: str) -> str:
    """`text` that no renderer takes for markup: a label may be anybody's words."""
    return _MARKDOWN.sub(r"\\\1", text)
