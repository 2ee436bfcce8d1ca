"""Where taking changes back meets lines that somebody rewrote since, and what the lines become.

A change is *toggled* when an undo makes it stop standing, or a redo makes it stand again. Its hunk then needs some
lines to be as it left them: those it wrote (undo), or those it removed (redo). A standing change that is not toggled
clashes with it when it *replaced* such a line, or when such lines were to be replaced and all of them are gone.
Lines that others merely added or removed around it do not clash.

    base a b c      1: b -> B      2: B -> B2      undo 1: b would return beside B2, which replaced what 1 wrote
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from enum import StrEnum
from itertools import groupby
from types import MappingProxyType

from takeback.model.ids import ChangeSeq
from takeback.model.text import Line
from takeback.undo.weave import Atom, Replacement, Weave


class OnConflict(StrEnum):
    """What becomes of lines that clash."""

    STOP = "stop"
    MARKERS = "markers"
    KEEP_MINE = "keep-mine"
    """The text that stands now stays."""
    TAKE_THEIRS = "take-theirs"
    """The text from before the toggled change returns, whatever replaced it."""
    SKIP_FILE = "skip-file"


@dataclass(frozen=True, slots=True, kw_only=True)
class Clash:
    """A run of lines in which toggled and standing changes cannot be told apart."""

    toggled: frozenset[ChangeSeq]
    others: frozenset[ChangeSeq]
    """The standing changes in the way, with all that rewrote their lines in turn."""
    span: tuple[int, int]
    """First and last atom concerned, as positions in `Weave.atoms()`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """What the lines become when some changes are toggled."""

    clashes: tuple[Clash, ...]
    lines: tuple[Line, ...]
    after_flips: tuple[Line, ...]
    """The lines that follow from the standing changes alone; where `lines` differ, somebody chose."""
    already_there: frozenset[ChangeSeq]
    """Changes that had brought back, on their own, lines that would have returned."""
    order_chosen: bool
    """Lines returned to a gap into which others had inserted: which come first was our choice."""


def outlook(
    weave: Weave,
    after: Set[ChangeSeq],
    on_conflict: OnConflict,
    label: Mapping[ChangeSeq, str],
    anew: Mapping[ChangeSeq, Set[ChangeSeq]] = MappingProxyType({}),
) -> Outlook:
    """The lines of `weave` if exactly `after` stood; clashes are decided as `on_conflict` says. The weave stays as it is.

    `label` names the operation of each change in conflict markers. `anew` says where a toggled deletion clashes with
    standing changes that wrote the file anew.
    """
    standing = Standing(frozenset(weave.standing), frozenset(after))
    atoms = list(weave.atoms())
    clashes = _merged([*_clashes(weave, atoms, standing), *_whole(anew, weave, len(atoms))])
    added = frozenset(atom for one in weave.replacements if not one.removed for atom in one.inserted)
    segments: list[Settled] = []
    at = 0
    for clash in clashes:
        start, end = clash.span
        segments.append(_settled(atoms[at:start], standing, added))
        segments.append(Settled(_decided(atoms[start : end + 1], clash, standing, on_conflict, label)))
        at = end + 1
    segments.append(_settled(atoms[at:], standing, added))
    return Outlook(
        clashes=clashes,
        lines=tuple(line for segment in segments for line in segment.lines),
        after_flips=tuple(_lines(atoms, standing.after)),
        already_there=frozenset().union(*(segment.already_there for segment in segments)),
        order_chosen=any(segment.order_chosen for segment in segments),
    )


@dataclass(frozen=True, slots=True)
class Standing:
    """Which changes stand, before the toggling and after it."""

    before: frozenset[ChangeSeq]
    after: frozenset[ChangeSeq]


@dataclass(frozen=True, slots=True)
class Settled:
    """What a stretch of lines becomes."""

    lines: Sequence[Line]
    already_there: frozenset[ChangeSeq] = frozenset()
    order_chosen: bool = False


def _lines(atoms: Iterable[Atom], standing: Set[ChangeSeq]) -> list[Line]:
    return [atom.line for atom in atoms if atom.visible(standing)]


def _whole(anew: Mapping[ChangeSeq, Set[ChangeSeq]], weave: Weave, n_atoms: int) -> Iterable[Clash]:
    removed_by = _removals(weave, weave.standing)
    for toggled, makers in anew.items():
        theirs = _closure((one for one in weave.replacements if one.seq in makers), removed_by)
        others = frozenset(makers) | {one.seq for one in theirs}
        yield Clash(toggled=frozenset({toggled}), others=others, span=(0, n_atoms - 1))


def _removals(weave: Weave, *every: Set[ChangeSeq]) -> dict[Atom, list[Replacement]]:
    """What removed a line and stands in `every` case."""
    found: dict[Atom, list[Replacement]] = {}
    for replacement in weave.replacements:
        if all(replacement.stands(standing) for standing in every):
            for atom in replacement.removed:
                found.setdefault(atom, []).append(replacement)
    return found


def _clashes(weave: Weave, atoms: Sequence[Atom], standing: Standing) -> Sequence[Clash]:
    removed_by = _removals(weave, standing.before, standing.after)
    if not removed_by:
        return ()
    place = {atom: index for index, atom in enumerate(atoms)}
    found = []
    for hunk in weave.replacements:
        stood = hunk.stands(standing.before)
        if stood != hunk.stands(standing.after):
            needed = hunk.inserted if stood else hunk.removed
            whole = hunk.hunk.inserted if stood else hunk.hunk.removed
            blockers = _blockers(hunk, needed, whole, removed_by)
            if blockers:
                found.append(_clash(hunk, needed, _closure(blockers, removed_by), place))
    return found


def _blockers(
    hunk: Replacement,
    needed: Sequence[Atom],
    whole: Sequence[Atom],
    removed_by: Mapping[Atom, list[Replacement]],
) -> list[Replacement]:
    touching = [other for atom in needed for other in removed_by.get(atom, ())]
    rewrites = [other for other in touching if other.inserted]
    if rewrites:
        return rewrites
    all_gone = bool(whole) and all(atom in removed_by for atom in whole)
    return touching if all_gone and hunk.removed and hunk.inserted else []


def _closure(
    blockers: Iterable[Replacement], removed_by: Mapping[Atom, list[Replacement]]
) -> tuple[Replacement, ...]:
    found: dict[Replacement, None] = {}
    waiting = list(blockers)
    while waiting:
        replacement = waiting.pop()
        if replacement not in found:
            found[replacement] = None
            waiting += [other for atom in replacement.inserted for other in removed_by.get(atom, ())]
    return tuple(found)


def _clash(
    hunk: Replacement, needed: Sequence[Atom], others: Sequence[Replacement], place: Mapping[Atom, int]
) -> Clash:
    if hunk.removed and hunk.inserted:
        own = {*hunk.removed, *hunk.inserted}
    else:  # of lines that were only added, or only removed, those count that somebody rewrote
        own = {atom for other in others for atom in other.removed} & set(needed)
    theirs = {atom for other in others for atom in (*other.removed, *other.inserted)}
    positions = [place[atom] for atom in own | theirs]
    return Clash(
        toggled=frozenset({hunk.seq}),
        others=frozenset(other.seq for other in others),
        span=(min(positions), max(positions)),
    )


def _merged(clashes: Iterable[Clash]) -> tuple[Clash, ...]:
    """Clashes whose spans overlap, as one."""
    result: list[Clash] = []
    for clash in sorted(clashes, key=lambda c: c.span):
        if result and clash.span[0] <= result[-1].span[1]:
            last = result.pop()
            clash = Clash(  # noqa: PLW2901 - the loop variable is the one that grows
                toggled=last.toggled | clash.toggled,
                others=last.others | clash.others,
                span=(last.span[0], max(last.span[1], clash.span[1])),
            )
        result.append(clash)
    return tuple(result)


def _decided(
    atoms: Sequence[Atom],
    clash: Clash,
    standing: Standing,
    on_conflict: OnConflict,
    label: Mapping[ChangeSeq, str],
) -> list[Line]:
    now = _lines(atoms, standing.before)
    returned = _lines(atoms, standing.after - clash.others)
    if on_conflict is OnConflict.TAKE_THEIRS:
        return returned
    if on_conflict is OnConflict.MARKERS:
        chosen = _names(clash.toggled, label)
        return [
            Line(f"<<<<<<< now: {_names(clash.others, label)}".encode()),
            *now,
            Line(f"||||||| {chosen}".encode()),
            *_lines(atoms, standing.before - clash.others),
            Line(b"======="),
            *returned,
            Line(f">>>>>>> before {chosen.partition(' (')[0]}".encode()),
        ]
    return now


def _names(seqs: Set[ChangeSeq], label: Mapping[ChangeSeq, str]) -> str:
    return ", ".join(dict.fromkeys(label[seq] for seq in sorted(seqs)))


def _settled(atoms: Sequence[Atom], standing: Standing, added: frozenset[Atom]) -> Settled:
    """The lines of a stretch without clashes, less those that returned although somebody brought them back.

    `added` are the lines that replaced none: only beside these the order of what returns is a choice.
    """
    shown = [atom for atom in atoms if atom.visible(standing.after)]
    lines: list[Line] = []
    already: set[ChangeSeq] = set()
    order_chosen = False
    at = 0
    for returns, group in groupby(shown, key=lambda atom: not atom.visible(standing.before)):
        run = list(group)
        end = at + len(run)
        following, preceding = shown[end : end + len(run)], shown[max(0, at - len(run)) : at]
        twins = (_twins(run, following) or _twins(run, preceding)) if returns else set()
        already |= twins
        if not twins:
            lines += [atom.line for atom in run]
            beside = added.intersection(preceding[-1:] + following[:1])
            order_chosen = order_chosen or (returns and _beside_newer(run, beside))
        at = end
    return Settled(lines, frozenset(already), order_chosen)


def _twins(run: Sequence[Atom], neighbours: Sequence[Atom]) -> set[ChangeSeq]:
    """The changes that wrote `neighbours`, if these are the lines of `run` brought back since by hand.

    A run of brackets alone is no evidence: such lines repeat everywhere.
    """
    same = [atom.line.text for atom in run] == [atom.line.text for atom in neighbours]
    if not same or not any(byte for atom in run for byte in atom.line.text if chr(byte).isalnum()):
        return set()
    writers = {atom.log[0][0] for atom in neighbours}
    return writers if min(writers) > _last_touch(run) else set()


def _beside_newer(run: Sequence[Atom], neighbours: Iterable[Atom]) -> bool:
    return any(atom.log[0][0] > _last_touch(run) for atom in neighbours)


def _last_touch(run: Sequence[Atom]) -> ChangeSeq:
    return max(atom.log[-1][0] for atom in run)
