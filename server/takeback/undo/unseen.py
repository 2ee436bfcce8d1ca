"""Whether enough is known of a file's content to take a change back: what was not captured is never guessed. Pure."""

from __future__ import annotations

from collections.abc import Set
from itertools import pairwise

from takeback.model.ids import ChangeSeq
from takeback.model.state import ABSENT, Reason
from takeback.undo.fold import History


def is_blind(history: History, toggled: Set[ChangeSeq]) -> bool:
    """Whether it takes content that was never captured to tell what a toggled change did.

    Such content is only passed over where the change that led to it and the one that led away are toggled together.
    """
    changes = [step.change for step in history.steps if not step.change.flips and step.change.sets_content]
    if not changes:
        return False
    inner = pairwise((None, *changes, None))
    sides = ((one.after if one else other.before if other else ABSENT, one, other) for one, other in inner)
    return any(
        state.never_captured
        and (one is not None and one.seq in toggled) != (other is not None and other.seq in toggled)
        for state, one, other in sides
    )


def unseen_note(history: History) -> str:
    """What was never captured, in words."""
    if history.state.never_captured:
        return f"what is there now was not captured: {history.state.reason}"
    states = [state for step in history.steps for state in (step.change.before, step.change.after)]
    reason = next((state.reason for state in states if state.never_captured), None)
    return f"not captured: {reason}"


def lacking(history: History) -> Reason | None:
    """Why one of its states cannot be read; `None` if all of them can."""
    steps = (state for step in history.steps for state in (step.change.before, step.change.after))
    return next((state.reason for state in (history.state, *steps) if state.reason), None)


def missing(history: History, toggled: Set[ChangeSeq], *, exists: bool) -> Reason | None:
    """Why it is not known what a toggled change did to the lines; `None` if all of it is known.

    Where the file will not exist, nothing has to be known of how it came and went.
    """
    guessed = (step.change for step in history.steps if step.guessed and step.change.seq in toggled)
    needed = (one for one in guessed if exists or one.before.exists == one.after.exists)
    return next(
        (reason for one in needed for reason in (one.before.reason, one.after.reason) if reason), None
    )
