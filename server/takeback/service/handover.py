"""Hands a request to the editor that holds unsaved text over one of its files: only there both can be kept."""

from __future__ import annotations

import time
from collections.abc import Sequence, Set

from takeback.errors import OutcomeUnknown, Refused
from takeback.model.paths import WorkspacePath
from takeback.service import channel
from takeback.service.published import Editor
from takeback.service.requests import Request, Result, Verb, request_out, result_in

BEGIN_S = 20.0
"""How long an editor may take to change its documents; later it writes no file, and puts them back."""
ANSWER_S = 30.0
"""How long it may take until it has answered."""


def take_back(holding: Sequence[Editor], paths: Set[WorkspacePath], verb: Verb, request: Request) -> Result:
    """The result of the editor.

    Raises Refused if it cannot be asked or several editors would have to, and OutcomeUnknown if it does not answer.
    """
    line = channel.call(holding[0].address, ANSWER_S) if len(holding) == 1 else None
    if line is None:
        raise refusal(holding, paths)
    message = {
        "do": "take back",
        "request": request_out(verb, request),
        "until_s": time.monotonic() + BEGIN_S,
    }
    with line:
        answer = line.ask(message, ANSWER_S)
    if answer is not None and "outcome" in answer:
        return result_in(answer)
    if answer is not None and "error" in answer:
        raise Refused(answer["error"]["message"], hint=answer["error"]["hint"])
    raise OutcomeUnknown(f"{_name(holding[0])} did not say whether it has done it")


def refusal(holding: Sequence[Editor], paths: Set[WorkspacePath]) -> Refused:
    """Why nothing is written while an editor holds unsaved text."""
    names = ", ".join(map(_name, holding))
    files = ", ".join(sorted(path for editor in holding for path in editor.dirty & paths))
    return Refused(
        f"{names} has unsaved text in {files}, so nothing was changed",
        hint="Save or close it there, or undo from that editor.",
    )


def _name(editor: Editor) -> str:
    return f"{editor.name} (process {editor.pid})"
