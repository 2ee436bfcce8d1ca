"""What is about to be done, written down before it is done: enough to finish or to reverse it after a death.

The body of an intent is a blob in the store; the journal's row names it. Further rows say what became of it:

    recorded    its operation is in the journal, and there is no way back; what was there before may still wait
    finished    that is removed too
    reversed    everything was put back
"""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from takeback.journal.log import Journal
from takeback.model.ids import BlobId, ChangeSeq, FileId, TurnId
from takeback.model.operation import OperationKind
from takeback.model.paths import WorkspacePath
from takeback.model.source import Source
from takeback.model.staged import staged_name
from takeback.model.state import FileKind, FileState, Reason
from takeback.model.text import decode, encode
from takeback.record import Entry
from takeback.undo.moves import Move

RECORDED = "recorded"


@dataclass(frozen=True, slots=True, kw_only=True)
class Intent:
    """An operation of Takeback's own that is to be carried out and recorded."""

    source: Source
    entries: tuple[Entry, ...]
    token: str
    """Distinguishes its staged names from those of every other intent."""

    def moves(self) -> tuple[Move, ...]:
        """What it does on disk."""
        return tuple(
            Move(
                path=entry.moved_from or entry.path,
                target=entry.path,
                before=entry.before,
                after=entry.after,
                staged=staged_name(self.token, number),
            )
            for number, entry in enumerate(self.entries)
            if entry.before != entry.after or entry.moved_from is not None
        )

    def paths(self) -> frozenset[WorkspacePath]:
        """Every path it touches."""
        return frozenset(path for entry in self.entries for path in (entry.path, entry.moved_from) if path)


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenIntent:
    """An intent that is under way, or was when its process died."""

    id: int
    body: BlobId
    is_recorded: bool


def still_open(journal: Journal) -> tuple[OpenIntent, ...]:
    """The intents that are neither finished nor reversed, oldest first."""
    over = "SELECT intent FROM intent_ends WHERE outcome <> ?"
    rows = journal.records("intents", f"id NOT IN ({over}) ORDER BY id", (RECORDED,))
    return tuple(
        OpenIntent(
            id=row[0],
            body=BlobId(row[1]),
            is_recorded=bool(journal.records("intent_ends", "intent = ?", row[:1])),
        )
        for row in rows
    )


def to_bytes(intent: Intent) -> bytes:
    """`intent` as JSON."""
    source = intent.source
    body = {
        "version": 1,
        "token": intent.token,
        "source": [source.kind, source.actor, source.label, source.turn, source.inferred, source.checkpoint],
        "entries": [_entry_out(entry) for entry in intent.entries],
    }
    return json.dumps(body, separators=(",", ":")).encode()


def from_bytes(data: bytes) -> Intent:
    """What `to_bytes` made `data` of."""
    body = json.loads(data)
    kind, actor, label, turn, inferred, checkpoint = body["source"]
    return Intent(
        token=body["token"],
        source=Source(
            kind=OperationKind(kind),
            actor=actor,
            label=label,
            turn=TurnId(turn) if turn else None,
            inferred=inferred,
            checkpoint=checkpoint,
        ),
        entries=tuple(map(_entry_in, body["entries"])),
    )


def _entry_out(entry: Entry) -> list[Any]:
    return [
        entry.file,
        _path_out(entry.path),
        _path_out(entry.moved_from),
        _state_out(entry.before),
        _state_out(entry.after),
        list(entry.flips.items()),
        base64.b64encode(encode(entry.rewrite)).decode() if entry.rewrite else None,
        entry.flipping,
    ]


def _entry_in(row: Sequence[Any]) -> Entry:
    file, path, moved_from, before, after, flips, rewrite, flipping = row
    return Entry(
        file=FileId(file),
        path=_path_in(path),
        moved_from=_path_in(moved_from) if moved_from is not None else None,
        before=_state_in(before),
        after=_state_in(after),
        flips={ChangeSeq(seq): stands for seq, stands in flips},
        rewrite=decode(base64.b64decode(rewrite)) if rewrite else None,
        flipping=flipping,
    )


def _path_out(path: WorkspacePath | None) -> str | None:
    return None if path is None else os.fsencode(path).decode("latin-1")


def _path_in(raw: str) -> WorkspacePath:
    return WorkspacePath(os.fsdecode(raw.encode("latin-1")))


def _state_out(state: FileState) -> list[Any]:
    return [state.kind, state.blob, state.mode, state.size_bytes, state.reason]


def _state_in(row: Sequence[Any]) -> FileState:
    kind, blob, mode, size_bytes, reason = row
    return FileState(
        kind=FileKind(kind) if kind else None,
        blob=BlobId(blob) if blob else None,
        mode=mode,
        size_bytes=size_bytes,
        reason=Reason(reason) if reason else None,
    )
