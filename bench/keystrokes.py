"""What one keystroke in a document of 5,000 lines costs on the event loop: its new text, and who wrote its lines."""

from __future__ import annotations

import os
from collections.abc import Iterator
from itertools import count

from lsprotocol import types as lsp

from bench.answering import N_LINES, large_text
from bench.measure import interleaved, timed
from bench.places import Bench, opened, write
from bench.recording import SAVED
from bench.table import Row
from takeback.lsp.documents import Document
from takeback.lsp.lines import Lines
from takeback.model.paths import WorkspacePath
from takeback.service import provenance

_PATH = WorkspacePath("typed.py")
_RUNS = 40


def rows(bench: Bench) -> Iterator[Row]:
    """The median of keystrokes all over the document."""
    root = bench.tree(bench.sizes[0])
    with opened(root) as workspace:
        for version in range(2):
            write(root, _PATH, large_text(version))
            workspace.looker.at([_PATH], SAVED)
        text = large_text(1).decode()
        known = provenance.of_document(workspace, _PATH, 0, text).provenance
    document = Document(uri="file:///typed.py", version=0, lines=Lines(text))
    versions = count(1)

    def keystroke() -> float:
        version = next(versions)
        place = lsp.Position(line=version * 31 % N_LINES, character=4)
        change = lsp.TextDocumentContentChangePartial(range=lsp.Range(start=place, end=place), text="x")

        def typed() -> None:
            edits = document.edited(version, [change], lsp.PositionEncodingKind.Utf16)
            assert document.text, "BUG: it is put together here, as for the core"
            for edit in edits or ():
                known.replace(*edit)

        return timed(typed)

    (ours,) = interleaved(bench.n_runs * _RUNS, keystroke)
    os.remove(os.path.join(root, _PATH))
    yield Row(what=f"provenance per keystroke, {N_LINES:,} lines", ours=ours, max_ours=0.001)
