"""Places that tools name in what they print."""

from __future__ import annotations

import pytest

from takeback.service.locating import Level, in_output, in_sarif


def found(output):
    """Path, line, column and message of each place."""
    return [(one.path, one.line, one.column, one.message) for one in in_output(output)]


@pytest.mark.parametrize(
    ("output", "expected"),
    [
        ("src/a.c:3:7: error: no such thing\n", [("src/a.c", 3, 7, "error: no such thing")]),
        (
            "a.py:3: error: Incompatible types  [misc]\n",
            [("a.py", 3, 0, "error: Incompatible types  [misc]")],
        ),
        ("tests/test_a.py:12: AssertionError\n", [("tests/test_a.py", 12, 0, "AssertionError")]),
        ("a.ts(3,7): error TS2304: Cannot find x.\n", [("a.ts", 3, 7, "error TS2304: Cannot find x.")]),
        ("\x1b[1ma.py\x1b[0m:3:1: F401 unused\n", [("a.py", 3, 1, "F401 unused")]),
        ("F401 unused\n --> my a.py:3:1\n  |\n", [("my a.py", 3, 1, "F401 unused")]),
        (
            'Traceback:\n  File "/w/a.py", line 3, in f\n    g()\n  File "b.py", line 4, in g\n    1 / 0\nZeroDivisionError: no\n',
            [("/w/a.py", 3, 0, "ZeroDivisionError: no"), ("b.py", 4, 0, "ZeroDivisionError: no")],
        ),
        ("/w/a.js\n  3:7  error  'x' is not defined\n", [("/w/a.js", 3, 7, "error  'x' is not defined")]),
        ("/w/a.js: line 3, col 7, Error - no x\n", [("/w/a.js", 3, 7, "Error - no x")]),
        ("(group)/p.txt:3: broken\n", [("(group)/p.txt", 3, 0, "broken")]),
        ("app/(a b)/[id]/p.tsx:3:5 - error TS1: no\n", [("app/(a b)/[id]/p.tsx", 3, 5, "- error TS1: no")]),
        ("app/(group)/p.ts(3,5): error TS1: no\n", [("app/(group)/p.ts", 3, 5, "error TS1: no")]),
        ("my (2)/p (3).c(4): error C1: no\n", [("my (2)/p (3).c", 4, 0, "error C1: no")]),
        ("(group)/p.sh: line 3: no such thing\n", [("(group)/p.sh", 3, 0, "no such thing")]),
        ("app/(group)/p.js\n  3:7  error  no\n", [("app/(group)/p.js", 3, 7, "error  no")]),
        ("it failed (p.c:3: no)\n  at f (p.js:3:7)\n", []),
        ("all 12 tests passed in 0.3 s\nno places here: none\n", []),
        ("", []),
    ],
)
def test_common_shapes_are_read(output, expected):
    """Compilers, linters, type checkers, tracebacks and test runners name places in a handful of shapes."""
    assert found(output) == expected


def test_a_warning_is_milder():
    """What calls itself a warning is marked as one."""
    assert [one.level for one in in_output("a.c:1:1: warning: w\na.c:2:1: error: e\n")] == [
        Level.WARNING,
        Level.ERROR,
    ]


@pytest.mark.parametrize(
    "line",
    ["a" * 100_000 + ":1: x", ":" * 50_000, "(" * 50_000, " 1:1" * 30_000, "()" * 30_000, "(a" * 900 + ":1"],
)
def test_long_lines_take_no_time(line):
    """A line of any length is read at once."""
    assert len(in_output(line)) <= 1


@pytest.mark.parametrize(
    "log", [{}, {"runs": 5}, {"runs": [{"results": [{"locations": "x"}]}]}, {"runs": [None, {"results": {}}]}]
)
def test_a_strange_log_names_no_place(log):
    """What is no SARIF is none, and no error."""
    assert in_sarif(log) == ()


def test_sarif_may_name_files_by_index_and_base():
    """A place may be named by the table of artifacts, and below a base."""
    place = {"artifactLocation": {"index": 0}, "region": {"startLine": 4}}
    run = {
        "originalUriBaseIds": {"SRC": {"uri": "file:///w/"}},
        "artifacts": [{"location": {"uri": "my%20a.py", "uriBaseId": "SRC"}}],
        "results": [{"message": {"text": "m"}, "level": "error", "locations": [{"physicalLocation": place}]}],
    }

    (one,) = in_sarif({"runs": [run]})

    assert (one.path, one.line, one.level) == ("file:///w/my%20a.py", 4, Level.ERROR)
