"""Columns are counted in the units that were agreed on, whatever the text: emoji, combining characters, CRLF, a BOM."""

from __future__ import annotations

import codecs

import pytest
import pytest_lsp
from lsprotocol import types as lsp
from pytest_lsp import LanguageClient

from process.conftest import SERVER, connect

pytestmark = [
    pytest.mark.server,
    pytest.mark.asyncio,
    pytest.mark.filterwarnings("error::pytest_lsp.LspSpecificationWarning"),
]

UTF8, UTF16, UTF32 = (lsp.PositionEncodingKind(f"utf-{bits}") for bits in (8, 16, 32))
FAMILY = "\U0001f469\u200d\U0001f469\u200d\U0001f467"
SCRIPT = "\U0001d4b3"
LINES = ["one 😀 \ufeff", f"e\u0301 two {FAMILY} |", f"three {SCRIPT} \f\u2028", "four ñ", "five 😀 end"]


def bytes_of(lines):
    """A file with a byte order mark and CRLF, and none at its end."""
    return codecs.BOM_UTF8 + "\r\n".join(lines).encode()


def with_line(number, text, lines=LINES):
    """The lines with another one in its place."""
    return [*lines[:number], text, *lines[number + 1 :]]


@pytest.fixture(
    params=[
        (None, UTF16),
        ([UTF16], UTF16),
        ([UTF8, UTF16, UTF32], UTF8),
        ([UTF32, UTF8, UTF16], UTF32),
    ],
    ids=["nothing", "as VS Code", "as Neovim", "as Eglot"],
)
def offered(request):
    """What a client offers, and what is agreed on."""
    return request.param


@pytest_lsp.fixture(config=SERVER)
async def client(lsp_client: LanguageClient, project, offered):
    """A server and an editor that counts columns as it was agreed on."""
    await connect(lsp_client, project, offers=offered[0])
    lsp_client.editor.encoding = offered[1]
    yield
    await lsp_client.shutdown_session()


def column(text, encoding):
    """How many units come before what follows `text`."""
    width = {UTF8: ("utf-8", 1), UTF16: ("utf-16-le", 2), UTF32: ("utf-32-le", 4)}[encoding]
    return len(text.encode(width[0])) // width[1]


@pytest.mark.trap(14)
@pytest.mark.promise(2)
@pytest.mark.promise(8)
async def test_the_middle_operation_is_taken_back_to_the_byte(client, offered):
    """Of three operations the middle one goes, in the document and on disk; what was typed between emoji stays."""
    editor, path = client.editor, client.editor.root / "c.txt"
    assert (client.capabilities_of_server.position_encoding or UTF16) == offered[1]
    first = with_line(0, "one 😀 agent")
    second = with_line(4, "five 😀 agent 👍 end", first)
    third = with_line(2, f"three {SCRIPT} other", second)
    path.write_bytes(bytes_of(LINES))
    await editor.recorded(1)
    for n, lines in enumerate((first, second, third), start=2):
        path.write_bytes(bytes_of(lines))
        await editor.recorded(n)
    editor.open("c.txt", "\r\n".join(third))
    at, wide = (column(text, offered[1]) for text in (f"e\u0301 two {FAMILY} ", "one 😀"))
    editor.type("c.txt", (1, at, 1, at + 1, "mine 🙂"), (0, wide, 0, wide, "!"), (3, 99, 3, 99, "\r\n"))

    undone = await editor.run("takeback.undoOperations", {"ids": [3]})

    assert undone["outcome"] == "applied"
    assert path.read_bytes() == bytes_of(with_line(4, LINES[4], third))
    shown = [
        "one 😀! agent",
        f"e\u0301 two {FAMILY} mine 🙂",
        f"three {SCRIPT} other",
        "four ñ",
        "",
        "five 😀 end",
    ]
    assert editor.texts["c.txt"].split("\r\n") == shown
    path.write_bytes(bytes_of(shown))
    editor.told("c.txt")
    (document,) = (await editor.run("takeback.status", {}))["documents"]
    assert ((await editor.recorded(6))["actor"], document["dirty"]) == ("human", False)
    await editor.run("takeback.undoOperations", {"ids": [4]})
    assert path.read_bytes() == bytes_of(with_line(2, LINES[2], shown))
    assert editor.texts["c.txt"].split("\r\n") == with_line(2, LINES[2], shown)
