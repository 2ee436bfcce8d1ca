"""Between the protocol's words and the core's: URIs and paths, texts and edits."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote, urlsplit

from lsprotocol import types as lsp

from takeback.lsp.columns import Encoding
from takeback.lsp.lines import Lines

if TYPE_CHECKING:
    from takeback.service.texts import Replacement


def relative_path(root: str, uri: str) -> str | None:
    """The path below `root` that a URI names, a link itself; `None` if it is none there."""
    full = file_of(uri)
    if full is None:
        return None
    return _below(root, os.path.join(os.path.realpath(os.path.dirname(full)), os.path.basename(full)))


def document_path(root: str, uri: str) -> str | None:
    """The path below `root` of the file that a document is; `None` if it is none there.

    Editors read and write through links, so links are followed to the end.
    """
    full = file_of(uri)
    return None if full is None else _below(root, os.path.realpath(full))


def is_held(root: str, uri: str) -> bool:
    """Whether a document or folder is `root` or lies below it, by whatever way its URI goes there."""
    full = file_of(uri)
    if full is None:
        return False
    return relative_path(root, uri) is not None or is_below(root, os.path.realpath(full))


def is_below(root: str, full: str) -> bool:
    """Whether a real path is `root` or lies below it."""
    return not _leads_out(os.path.relpath(full, root))


def file_of(uri: str) -> str | None:
    """The file that a URI names, bytes outside UTF-8 as lone surrogates; `None` if it names something else."""
    try:
        parts = urlsplit(uri)
    except ValueError:  # "file://["
        return None
    path = unquote(parts.path, errors="surrogateescape")
    is_here = parts.scheme == "file" and parts.netloc in ("", "localhost")
    return path if is_here and "\0" not in path else None


def name_of(uri: str) -> str:
    """What a URI names, however it is written: editors escape more or less of a name than we do. Asks no disk."""
    return file_of(uri) or uri


def real_name(uri: str) -> str:
    """What a URI leads to by links, in the end; asks the disk."""
    full = file_of(uri)
    return uri if full is None else os.path.realpath(full)


def file_uri(full: str) -> str:
    """The URI of a file or folder."""
    return f"file://{quote(os.fsencode(full))}"


def text_edits(text: str, found: Iterable[Replacement], encoding: Encoding) -> list[lsp.TextEdit]:
    """Replacements in `text`, as the protocol counts."""
    lines = Lines(text)
    return [
        lsp.TextEdit(
            range=lsp.Range(start=lines.position(one.start, encoding), end=lines.position(one.end, encoding)),
            new_text=one.text,
        )
        for one in found
    ]


def _below(root: str, full: str) -> str | None:
    relative = os.path.relpath(full, root)
    return None if relative == "." or _leads_out(relative) else relative


def _leads_out(relative: str) -> bool:
    return relative == os.pardir or relative.startswith(os.pardir + os.sep)
