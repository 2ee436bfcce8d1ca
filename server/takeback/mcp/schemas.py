"""The answers of the tools as JSON Schema. The shapes are those of the command line; more keys may come."""

from __future__ import annotations

from typing import Any

from takeback.model.operation import ChangeStatus, OperationKind, Standing
from takeback.service.requests import Outcome
from takeback.undo.plan import FileOutcome

Schema = dict[str, Any]


def _object(required: str, **properties: Schema) -> Schema:
    return {"type": "object", "properties": properties, "required": required.split()}


def _many(items: Schema) -> Schema:
    return {"type": "array", "items": items}


def _maybe(one: Schema) -> Schema:
    return {"anyOf": [one, {"type": "null"}]}


def _word(*known: str) -> Schema:
    return {"type": "string", "enum": list(known)}


_TEXT: Schema = {"type": "string"}
_NUMBER: Schema = {"type": "integer"}
_TRUTH: Schema = {"type": "boolean"}
_ANY: Schema = {"type": "object"}

_CHANGE = _object(
    "path status from captured reason",
    path=_TEXT,
    status=_word(*ChangeStatus),
    **{"from": _maybe(_TEXT)},
    captured=_TRUTH,
    reason=_maybe(_TEXT),
    hunks=_many(_ANY),
)
_OPERATION = _object(
    "id kind actor label turn at changes inferred standing undoes undone_by",
    id=_NUMBER,
    kind=_word(*OperationKind),
    actor=_TEXT,
    label=_TEXT,
    turn=_maybe(_TEXT),
    at=_TEXT,
    changes=_many(_CHANGE),
    inferred=_TRUTH,
    standing=_word(*Standing),
    undoes=_many(_NUMBER),
    undone_by=_maybe(_NUMBER),
)
_TURN = _object(
    "id actor label began ended", id=_TEXT, actor=_TEXT, label=_TEXT, began=_TEXT, ended=_maybe(_TEXT)
)
_UNDONE = _object(
    "operation label standing undone_by kind by at reason files",
    operation=_NUMBER,
    label=_TEXT,
    standing=_word(*Standing),
    undone_by=_NUMBER,
    kind=_word(*OperationKind),
    by=_TEXT,
    at=_TEXT,
    reason=_TEXT,
    files=_many(_TEXT),
)
_ERROR = _object("code message hint", code=_TEXT, message=_TEXT, hint=_TEXT)
_FILE = _object("path outcome note", path=_TEXT, outcome=_word(*FileOutcome), note=_TEXT)
_CONFLICT = _object(
    "path what chosen in_the_way", path=_TEXT, what=_TEXT, chosen=_many(_NUMBER), in_the_way=_many(_NUMBER)
)


def _answer(**properties: Schema) -> Schema:
    """An answer. An error is one too, and clients check it against the same schema: so only the version is certain."""
    return _object("version", version=_NUMBER, error=_ERROR, undone_since=_many(_UNDONE), **properties)


STATUS = _answer(
    workspace=_TEXT,
    state=_TEXT,
    paused=_TRUTH,
    recorder=_maybe(_NUMBER),
    turns=_many(_TURN),
    operations=_many(_OPERATION),
    checkpoints=_many(_ANY),
    not_captured=_many(_TEXT),
    notices=_many(_TEXT),
)
OPERATIONS = _answer(operations=_many(_OPERATION))
DIFF = _answer(diff=_TEXT, truncated=_TRUTH)
RECORDED = _answer(operation=_maybe(_OPERATION), operations=_many(_OPERATION))
TURN = _answer(turn=_TURN)
CHECKPOINT = _answer(checkpoint=_ANY)
RESULT = _answer(
    outcome=_word(*Outcome),
    operation=_maybe(_NUMBER),
    undone=_many(_NUMBER),
    files=_many(_FILE),
    conflicts=_many(_CONFLICT),
    hint=_TEXT,
    passed=_many(_ANY),
)
