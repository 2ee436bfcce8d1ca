"""Paths of a workspace cannot leave it, and never name anything inside a `.git`."""

from __future__ import annotations

import pytest

from takeback.errors import UsageError
from takeback.model.paths import ROOT, ancestors, is_within, parent, workspace_path


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a", "a"),
        ("a/b", "a/b"),
        ("./a//b/", "a/b"),
        ("a/./b", "a/b"),
        ("-x", "-x"),
        ("a\nb", "a\nb"),
        (".gitignore", ".gitignore"),
        ("a/.github/b", "a/.github/b"),
        ("\udcff", "\udcff"),
    ],
)
def test_a_path_is_normalised(text, expected):
    """Dots, doubled and closing slashes go; every other name stays as it is, whatever bytes it holds."""
    assert workspace_path(text) == expected


@pytest.mark.promise(1)
@pytest.mark.parametrize(
    "text",
    ["", ".", "/", "/a", "..", "../a", "a/../b", "a/..", ".git", ".git/config", "a/.git/HEAD", "a\0b"],
)
def test_a_path_outside_or_inside_git_is_refused(text):
    """The root itself, absolute paths, ways upwards, a `.git` and what is below it are no paths of a workspace."""
    with pytest.raises(UsageError):
        workspace_path(text)


def test_folders_above_a_path():
    """A path knows the folders above it, nearest first, without the root."""
    path = workspace_path("a/b/c")

    assert parent(path) == "a/b"
    assert ancestors(path) == ("a/b", "a")
    assert ancestors(workspace_path("a")) == ()


def test_within_compares_whole_names():
    """`ab` does not lie in `a`, though it begins with it."""
    assert is_within(workspace_path("a/b"), workspace_path("a"))
    assert is_within(workspace_path("a"), workspace_path("a"))
    assert not is_within(workspace_path("ab"), workspace_path("a"))
    assert is_within(workspace_path("a/b"), ROOT)
