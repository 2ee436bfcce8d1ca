"""Hands a request to the editor that holds unsaved text over one of its files: only there both can be kept."""

from __future__ import annotations

from collections.abc import Sequence, Set

from takeback.errors import Refused
from takeback.model.paths import WorkspacePath
from takeback.service import channel
from takeback.service.published import Editor
from takeback.service.requests import Request, Result, Verb, request_out, result_in

ANSWER_S = 30.0
"""How long an editor may take to change its documents."""


def take_back(holding: Sequence[Editor], paths: Set[WorkspacePath], verb: Verb, request: Request) -> Result:
    """The result of the editor. Raises Refused if it does not answer, or if several editors would have to."""
    if len(holding) == 1:
        message = {"do": "take back", "request": request_out(verb, request)}
        answer = channel.ask(holding[0].address, message, ANSWER_S)
        if answer is not None and "outcome" in answer:
            return result_in(answer)
        if answer is not None and "error" in answer:
            raise Refused(answer["error"]["message"], hint=answer["error"]["hint"])
    raise refusal(holding, paths)


def refusal(holding: Sequence[Editor], paths: Set[WorkspacePath]) -> Refused:
    """Why nothing is written while an editor holds unsaved text."""
    names = ", ".join(f"{editor.name} (process {editor.pid})" for editor in holding)
    files = ", ".join(sorted(path for editor in holding for path in editor.dirty & paths))
    return Refused(
        f"{names} has unsaved text in {files}, so nothing was changed",
        hint="Save or close it there, or undo from that editor.",
    )
