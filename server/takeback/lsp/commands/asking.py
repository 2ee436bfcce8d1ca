"""Questions to the person: a handful of choices at once, the rest by turning pages."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from takeback.lsp.server import Server
from takeback.service.choosing import Choice

T = TypeVar("T")

PAGE = 5
CANCEL = "Cancel"
MORE = "More…"
BACK = "Back"


async def choose(
    server: Server, question: str, choices: Sequence[Choice[T]], otherwise: str
) -> Choice[T] | None:
    """What the person chose; `None` if nothing. `otherwise` is said where nobody can be asked."""
    start = 0
    while True:
        left = len(choices) - start
        page = choices[start : start + (left if left == PAGE + 1 else PAGE)]  # none is left alone on a page
        named = {choice.line: choice for choice in page}
        has_more = len(page) < left
        turning = [*([MORE] if has_more else []), *([BACK] if start else [])]
        place = f" ({start + 1} to {start + len(page)} of {len(choices)})" if turning else ""
        answer = await server.ask(question + place, (*named, *turning, CANCEL), otherwise)
        if answer == MORE and has_more:
            start += PAGE
        elif answer == BACK and start:
            start -= PAGE
        else:
            return named.get(answer or "")


async def confirmed(server: Server, question: str, yes: str, otherwise: str) -> bool:
    """Whether the person said yes."""
    return await server.ask(question, (yes, CANCEL), otherwise) == yes


def call(command: str, arguments: Mapping[str, Any]) -> str:
    """How to call a command so that it does not ask."""
    return f"This editor does not answer questions: call {command} with {json.dumps([arguments])}."
