"""Which tracked paths the user's index can vouch for, so that their content need not be read.

git calls a file clean although disk and blob differ where a filter or a line-ending rule stands between them; an undo
would then write an LFS pointer over the real file. So a path counts only if its stat data agree and nothing converts it.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from takeback import regular
from takeback.repository import command
from takeback.repository.window import Repository

_CONVERTING = ("text", "crlf", "eol", "ident", "filter", "working-tree-encoding")
_HARMLESS = (b"unspecified", b"unset")
_FILTER_PROGRAM = re.compile(r"filter\..*\.(clean|smudge|process)", re.DOTALL)
_ORDINARY = b"H"
"""The tag of `ls-files -v` for an entry that is not skip-worktree, assume-unchanged (lower case) or unmerged."""

_SYSTEM_ATTRIBUTES = ("/etc/gitattributes", "/usr/local/etc/gitattributes", "/opt/homebrew/etc/gitattributes")
"""Where the builds of git look for the machine's attributes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexShortcut:
    """What the index cannot vouch for."""

    untrusted: frozenset[str]
    """Tracked paths, relative to the work tree, whose file must be read: it changed, is gone, or is converted."""
    reason: str | None
    """Set: the index vouches for nothing."""
    stamp: tuple[int, int, int]
    """The index that was asked (`Repository.index_stamp`)."""


def dirty_paths(repository: Repository) -> IndexShortcut:
    """The tracked paths whose content on disk may differ from the index. Raises Unsupported without git.

    Cost: one `stat` per tracked file, in git; nothing is read but what changed too lately for stat data to tell.
    """
    stamp = repository.index_stamp()
    if repository.is_index_fragile():
        spread = "git changes files by reading a split or sparse index"
        return IndexShortcut(untrusted=frozenset(), reason=spread, stamp=stamp)
    settings = _settings(repository)
    if settings is None:
        return IndexShortcut(untrusted=frozenset(), reason="git cannot read the repository", stamp=stamp)
    reason = _converts_everything(settings)
    untrusted = None if reason else _untrusted(repository, settings)
    if repository.index_stamp() != stamp:
        reason = "the index was being written"
    elif untrusted is None and not reason:
        reason = "git cannot read the index, or the attributes"
    return IndexShortcut(untrusted=untrusted or frozenset(), reason=reason, stamp=stamp)


def _settings(repository: Repository) -> dict[str, str] | None:
    """Every setting that git sees, by lower-case name as git writes it; `None` if git refuses the repository."""
    answer = command.run(repository.work_tree, ["config", "--list", "--null"])
    checked = command.run(repository.work_tree, ["rev-parse", "--git-dir"])
    if answer.status or checked.status:
        return None
    pairs = (item.partition("\n") for item in command.nul_split(answer.out))
    return {name: value for name, _, value in pairs}


def _converts_everything(settings: dict[str, str]) -> str | None:
    if settings.get("core.autocrlf", "false").lower() in ("false", "no", "off", "0"):
        return None
    return "core.autocrlf converts line endings"


def _untrusted(repository: Repository, settings: dict[str, str]) -> frozenset[str] | None:
    listed = command.run(repository.work_tree, ["ls-files", "-v", "-z"])
    items = listed.out.split(b"\0")[:-1]
    flagged = [os.fsdecode(item[2:]) for item in items if item[:1] != _ORDINARY]
    tracked = [item[2:] for item in items]
    holding = _with_attributes(repository, tracked)
    if listed.status or holding is None:
        return None
    differing = _differing(repository, settings)
    reached = tracked if _attributes_everywhere(repository, settings) else _below(holding, tracked)
    converted = _converted(repository, reached)
    if differing is None or converted is None:
        return None
    return frozenset((*differing, *flagged, *converted))


def _differing(repository: Repository, settings: dict[str, str]) -> list[str] | None:
    """The paths whose stat data, or content where stat data cannot tell, differ from the index.

    To compare content git would run the clean filters that the repository names: programs of a stranger's. They are
    taken away, which can only make a path differ that is untrusted anyhow.
    """
    without_filters = {name: "" for name in settings if _FILTER_PROGRAM.fullmatch(name)}
    required = {re.sub(r"\.\w+$", ".required", name): "false" for name in without_filters}
    answer = command.run(
        repository.work_tree,
        ["diff-files", "--name-only", "--no-ext-diff", "--ignore-submodules=all", "-z"],
        settings={**without_filters, **required},
    )
    return None if answer.status else command.nul_split(answer.out)


def _converted(repository: Repository, reached: Sequence[bytes]) -> frozenset[str] | None:
    """The paths that an attribute converts, of those that an attributes file reaches."""
    if not reached:
        return frozenset()
    answer = command.run(
        repository.work_tree,
        ["check-attr", "--stdin", "-z", *_CONVERTING],
        stdin=b"\0".join(reached) + b"\0",
    )
    if answer.status:
        return None
    fields = answer.out.split(b"\0")[:-1]
    triples = zip(fields[::3], fields[2::3], strict=True)
    return frozenset(os.fsdecode(path) for path, value in triples if value not in _HARMLESS)


def _attributes_everywhere(repository: Repository, settings: dict[str, str]) -> bool:
    """Whether an attributes file outside the work tree may reach any path."""
    configured = settings.get("core.attributesfile")
    home = os.environ.get("XDG_CONFIG_HOME") or os.path.expanduser("~/.config")
    places = (
        os.path.join(repository.common_dir, "info", "attributes"),
        os.path.expanduser(configured) if configured else os.path.join(home, "git", "attributes"),
        *_SYSTEM_ATTRIBUTES,
    )
    return any(map(os.path.lexists, places))


def _with_attributes(repository: Repository, tracked: Sequence[bytes]) -> set[bytes] | None:
    """The folders with a `.gitattributes`, on disk or in the index; `None` if git would wait for one for ever."""
    listed = {path.rpartition(b"/")[0] for path in tracked if path.endswith(b".gitattributes")}
    places = {folder: os.path.join(folder, b".gitattributes") for folder in _folders(tracked)}
    root = os.fsencode(repository.work_tree)
    holding = {f for f, name in places.items() if f in listed or os.path.lexists(os.path.join(root, name))}
    can_be_read = all(regular.has_end(os.path.join(root, places[folder])) for folder in holding)
    return holding if can_be_read else None


def _below(holding: set[bytes], tracked: Sequence[bytes]) -> list[bytes]:
    """The tracked paths with a folder above that is among `holding`."""
    return [path for path in tracked if any(above in holding for above in _above(path))] if holding else []


def _folders(paths: Iterable[bytes]) -> set[bytes]:
    found: set[bytes] = set()
    for folder in {path.rpartition(b"/")[0] for path in paths}:
        found.add(folder)
        found.update(_above(folder))
    return found


def _above(path: bytes) -> list[bytes]:
    """Every folder above `path`, the root (an empty name) last."""
    found = []
    while path:
        path = path.rpartition(b"/")[0]
        found.append(path)
    return found
