"""Failures that are reported: marked at their lines, followed while somebody types, and what broke them taken back."""

from __future__ import annotations

import pytest
from lsprotocol import types as lsp
from pygls.exceptions import JsonRpcException

from editor import send, until

pytestmark = [
    pytest.mark.server,
    pytest.mark.asyncio,
    pytest.mark.filterwarnings("error::pytest_lsp.LspSpecificationWarning"),
]


def marks(editor, name="a.txt"):
    """The marked lines of a file, with what they say."""
    found = editor.client.diagnostics.get(editor.uri(name), ())
    return [(one.range.start.line, one.message) for one in found]


async def test_marks_follow_what_is_typed(client):
    """Marks stay at their lines while lines come and go above them, and end when the task passes."""
    editor = client.editor
    editor.open("a.txt")
    places = [{"uri": editor.uri("a.txt"), "line": line, "message": str(line)} for line in (3, 20)]
    await send(editor, "recordFailure", {"task": "test", "locations": places})
    await until(lambda: marks(editor) == [(2, "3"), (19, "20")])

    editor.replace("a.txt", "line 10\n", "line 10\nmine\nmine too\n")
    await until(lambda: marks(editor) == [(2, "3"), (21, "20")])
    editor.replace("a.txt", "line 1\nline 2\n", "")
    await until(lambda: marks(editor) == [(0, "3"), (19, "20")])
    await send(editor, "recordFailure", {"task": "lint", "output": "a.txt:5: warning: long\n"})
    await until(lambda: (4, "warning: long") in marks(editor))
    await send(editor, "recordFailure", {"task": "test"})

    await until(lambda: marks(editor) == [(4, "warning: long")])


async def test_sarif_names_places(client):
    """Results of a SARIF log are marked; those that lie elsewhere are counted."""
    editor = client.editor

    def result(uri, line, level):
        region = {"startLine": line, "startColumn": 2}
        place = {"physicalLocation": {"artifactLocation": {"uri": uri}, "region": region}}
        return {"message": {"text": f"at {line}"}, "level": level, "locations": [place]}

    results = [
        result("b.txt", 7, "warning"),
        result("/elsewhere.py", 1, "error"),
        {"message": 5, "locations": [1]},
    ]
    found = await send(
        editor,
        "recordFailure",
        {"task": "lint", "sarif": {"version": "2.1.0", "runs": [{"results": results}]}},
    )
    await until(lambda: marks(editor, "b.txt"))

    assert ([one["path"] for one in found["locations"]], found["elsewhere"]) == (["b.txt"], 1)
    assert editor.client.diagnostics[editor.uri("b.txt")][0].severity == lsp.DiagnosticSeverity.Warning


@pytest.mark.parametrize(
    ("params", "what"),
    [
        ({}, "task is missing"),
        ({"task": "t", "output": "", "sarif": {}}, "exclude each other"),
        ({"task": "t", "locations": [{"line": 3}]}, "uri is missing"),
        ({"task": "t", "locations": [{"uri": "file:///a", "line": 0}]}, "line is 0"),
        ({"task": "t", "output": 5}, "output is 5"),
    ],
)
async def test_a_wrong_report_is_refused(client, params, what):
    """A report that is none is refused with a reason."""
    with pytest.raises(JsonRpcException, match=what):
        await send(client.editor, "recordFailure", params)
