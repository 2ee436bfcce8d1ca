"""What somebody else did to a file as a whole (its existence, name, mode or kind) since a toggled change did. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass

from takeback.model.ids import ChangeSeq
from takeback.model.paths import WorkspacePath
from takeback.undo.fold import Folded, Register


@dataclass(frozen=True, slots=True, kw_only=True)
class Contest:
    """One property of a file that a toggled change set and a standing one set since."""

    what: str
    setters: frozenset[ChangeSeq]
    blockers: frozenset[ChangeSeq]


def contests(folded: Folded, after: frozenset[ChangeSeq]) -> tuple[Contest, ...]:
    """Where going over to `after` meets what a change that goes on standing did to the file as a whole."""
    toggled = sorted(folded.standing ^ after)
    others = folded.standing & after
    made = anew(folded, after)
    makers = frozenset[ChangeSeq]().union(*made.values())
    found = [Contest(what="kind", setters=frozenset(made), blockers=makers)] if makers else []
    if not folded.exists.value(after) and folded.exists.value(folded.standing):
        blockers = {
            s for seq in _setters(folded.exists, toggled) for s in folded.rewriting if s > seq and s in others
        }
        if blockers:
            found.append(Contest(what="existence", setters=frozenset(toggled), blockers=frozenset(blockers)))
    for what, register in (("name", folded.place), ("mode", folded.mode)):
        setters = _setters(register, toggled)
        later = frozenset(s for seq in setters for s in register.later(seq, others))
        found += [Contest(what=what, setters=frozenset(setters), blockers=later)] if later else []
    return tuple(found)


def anew(folded: Folded, after: frozenset[ChangeSeq]) -> Mapping[ChangeSeq, Set[ChangeSeq]]:
    """Toggled deletions of a file that somebody made anew since, with those who did."""
    others = folded.standing & after
    found = {}
    for seq in folded.standing - after:
        if folded.exists.made(seq, False):  # noqa: FBT003 - the value of a register
            makers = {s for s in folded.exists.later(seq, others) if folded.exists.made(s, True)}  # noqa: FBT003 - the same
            if makers and folded.exists.value(after):
                found[seq] = makers
    return found


def _setters(
    register: Register[bool] | Register[WorkspacePath] | Register[int], seqs: Sequence[ChangeSeq]
) -> list[ChangeSeq]:
    return [seq for seq in seqs if register.set_by(seq)]
