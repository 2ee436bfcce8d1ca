"""How a client is asked: which folders it has open, and what a person decides.

Until revision 2025-11-25 of the protocol a server asks while it works on a call. Since 2026-07-28 it answers with what
it needs, and the client calls again with that. Both look the same from here: what is needed and not there yet is
either waited for, or ends the call with `InputNeeded`.
"""

from __future__ import annotations

import secrets
from collections import OrderedDict
from typing import Any, Protocol

import anyio
from mcp.server.context import ServerRequestContext
from mcp.shared.exceptions import MCPError
from mcp.shared.message import ServerMessageMetadata
from mcp_types import (
    CallToolRequestParams,
    ElicitRequest,
    ElicitRequestFormParams,
    ElicitResult,
    InputRequest,
    InputRequiredResult,
    ListRootsRequest,
    ListRootsResult,
)

from takeback.errors import Refused
from takeback.mcp.folders import path_of
from takeback.model.words import as_text
from takeback.service.permission import Choice, Consent, Question, consent

Context = ServerRequestContext[Any, Any]

ROOTS_S = 5.0
"""How long a client may take to say which folders it has open."""

_CHOICE = "choice"
_ROOTS = "roots"
_MOST_QUESTIONS = 16
"""How many questions may be open: one more, and the oldest is asked anew."""


class InputNeeded(Exception):
    """Not an error: the client has to call again, with what this asks for."""

    def __init__(self, result: InputRequiredResult) -> None:
        super().__init__("input needed")
        self.result = result


class Asking(Protocol):
    """One call's way to ask."""

    given: Consent | None
    """What a person has decided about this call already."""

    async def roots(self) -> tuple[str, ...]:
        """The folders that the client has open."""

    async def decide(self, question: Question) -> Consent:
        """What a person says to it. Raises Refused if that is no, or nothing in time."""


def has_person(context: Context) -> bool:
    """Whether the client can ask a person to fill in a form."""
    capabilities = context.session.client_capabilities
    asks = capabilities.elicitation if capabilities else None
    return asks is not None and (asks.form is not None or asks.url is None)


def has_roots(context: Context) -> bool:
    """Whether the client tells which folders it has open."""
    capabilities = context.session.client_capabilities
    return capabilities is not None and capabilities.roots is not None


class Pushed:
    """Asks while the call waits."""

    def __init__(self, context: Context, patience_s: float) -> None:
        self._context = context
        self._patience_s = patience_s
        self.given: Consent | None = None

    async def roots(self) -> tuple[str, ...]:
        """The folders that the client has open; none if it does not say so in time."""
        with anyio.move_on_after(ROOTS_S):
            try:
                return _folders(await self._send(ListRootsRequest(), ListRootsResult))
            except MCPError:
                return ()
        return ()

    async def decide(self, question: Question) -> Consent:
        """What a person says to it."""
        with anyio.move_on_after(self._patience_s):
            try:
                answer = await self._send(_asked(question), ElicitResult)
            except MCPError as problem:
                raise Refused(
                    f"the question could not be asked: {problem}", hint="Nothing was changed."
                ) from problem
            return _decided(question, answer)
        raise Refused(
            f"nobody answered within {self._patience_s:g} seconds, so nothing was changed",
            hint="Go on without it, or ask again when the person is there.",
        )

    async def _send(self, request: Any, kind: type[Any]) -> Any:
        related = ServerMessageMetadata(related_request_id=self._context.request_id)
        return await self._context.session.send_request(request, kind, metadata=related)


class Questions:
    """The questions that a client was told to put, until it calls again."""

    def __init__(self) -> None:
        self._open: OrderedDict[str, Question] = OrderedDict()

    def keep(self, question: Question) -> str:
        """A name for a question."""
        name = secrets.token_hex(8)
        self._open[name] = question
        while len(self._open) > _MOST_QUESTIONS:
            self._open.popitem(last=False)
        return name

    def take(self, name: str | None) -> Question | None:
        """The question of this name, once; `None` for one that was never asked, or is forgotten: it is asked anew."""
        return self._open.pop(name, None) if name is not None else None


class Retried:
    """Ends the call with what it needs; the next one has it."""

    def __init__(self, params: CallToolRequestParams, questions: Questions) -> None:
        """Raises Refused if a person was asked and said no."""
        self._given = params.input_responses or {}
        self._questions = questions
        self.given = self._consent(questions.take(params.request_state))

    async def roots(self) -> tuple[str, ...]:
        """The folders that the client has open."""
        answer = self._given.get(_ROOTS)
        if isinstance(answer, ListRootsResult):
            return _folders(answer)
        raise _needed(_ROOTS, ListRootsRequest(), None)

    async def decide(self, question: Question) -> Consent:
        """Ends the call with the question."""
        raise _needed(_CHOICE, _asked(question), self._questions.keep(question))

    def _consent(self, question: Question | None) -> Consent | None:
        answer = self._given.get(_CHOICE)
        if question is None or not isinstance(answer, ElicitResult):
            return None
        return _decided(question, answer)


def _needed(name: str, request: InputRequest, state: str | None) -> InputNeeded:
    return InputNeeded(InputRequiredResult(input_requests={name: request}, request_state=state))


def _asked(question: Question) -> ElicitRequest:
    names = [choice.value for choice in question.choices]
    schema = {
        "type": "object",
        "properties": {_CHOICE: {"type": "string", "title": "What to do", "enum": names}},
        "required": [_CHOICE],
    }
    return ElicitRequest(
        params=ElicitRequestFormParams(message=as_text(question.text), requested_schema=schema)
    )


def _decided(question: Question, answer: ElicitResult) -> Consent:
    if answer.action == "cancel":
        raise Refused(
            "the person closed the question without an answer, so nothing was changed",
            hint="Go on without it, or ask them.",
        )
    choice = (answer.content or {}).get(_CHOICE) if answer.action == "accept" else Choice.CANCEL.value
    if choice not in [one.value for one in question.choices]:
        raise Refused(f"{choice!r} is no answer to the question, so nothing was changed", hint="Ask again.")
    return consent(question, Choice(str(choice)))


def _folders(answer: ListRootsResult) -> tuple[str, ...]:
    paths = (path_of(str(root.uri)) for root in answer.roots)
    return tuple(path for path in paths if path)
