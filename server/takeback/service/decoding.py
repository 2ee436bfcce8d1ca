"""Between the bytes of a file and the text that an editor shows of it. Pure."""

from __future__ import annotations

import codecs
from contextlib import suppress

from takeback.model.text import is_binary

_BOM = codecs.BOM_UTF8
_OTHERS = ("utf-16", "cp1252", "latin-1")
"""Encodings that editors take for files that are not UTF-8. What they write in another one is not recognised."""


def normal(content: bytes | str | None) -> str | None:
    """Text without byte order mark and with LF; `None` for what is no text in UTF-8."""
    if content is None:
        return None
    if isinstance(content, bytes):
        if is_binary(content):
            return None
        try:
            content = content.decode()
        except UnicodeDecodeError:
            return None
    content = content.removeprefix("\ufeff")
    return content.replace("\r\n", "\n") if "\r" in content else content  # asked at every keystroke


def shows(text: str, data: bytes | None) -> bool:
    """Whether `text` is what an editor shows of `data`; byte order mark and endings do not count."""
    return normal(text) in readings(data)


def readings(data: bytes | None) -> tuple[str, ...]:
    """What editors may show of `data`, without byte order mark and with LF."""
    if data is None:
        return ()
    found = normal(data)
    texts = (found,) if found is not None else (_decoded_as(data, name) for name in _OTHERS)
    return tuple(text for text in texts if text is not None)


def decoded(data: bytes, like: str) -> str:
    """What an editor shows of UTF-8, with a byte order mark if it shows one in `like`."""
    text = data.decode("utf-8", "surrogatepass")
    return text if like.startswith("\ufeff") else text.removeprefix("\ufeff")


def encoded(text: str, like: bytes | None) -> bytes:
    """`text` as the editor writes it: with the endings and the byte order mark of the file it came from."""
    if like is not None and b"\r\n" in like and "\r\n" not in text:
        text = text.replace("\n", "\r\n")
    return with_mark(text, like or b"")


def with_mark(text: str, like: bytes) -> bytes:
    """`text` in UTF-8; with a byte order mark, which editors do not show, if `like` has one."""
    data = text.encode("utf-8", "surrogatepass")
    return _BOM + data if like.startswith(_BOM) and not data.startswith(_BOM) else data


def _decoded_as(data: bytes, encoding: str) -> str | None:
    with suppress(UnicodeError):
        return normal(data.decode(encoding))
    return None
