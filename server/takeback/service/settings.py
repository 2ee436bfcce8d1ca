"""The configuration of one open workspace: taken anew when a file of it changes, or an editor passes on other settings."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from takeback import config as configuration
from takeback.config import EditorConfig, Problem, RecordConfig, StoreConfig, WatchConfig

Given = Mapping[str, Any]
"""What an editor passes on, nested as in a file: `{"watch": {"settle_ms": 50}}`."""

_Stamps = tuple[tuple[int, ...], ...]

NOTHING: Given = {}


class Settings:
    """What holds at this moment. Belongs to the thread that opened the workspace."""

    def __init__(self, root: str, environ: Mapping[str, str], given: Given = NOTHING) -> None:
        self._root = root
        self._environ = environ
        self._given = given
        self.files = configuration.files(root, environ)
        """Every file that may set something, whether it is there or not."""
        self._stamps = self._look()
        self._loaded = configuration.load(root, environ, given)

    @property
    def record(self) -> RecordConfig:
        """What is recorded."""
        return self._loaded.config.record

    @property
    def watch(self) -> WatchConfig:
        """How writes become operations."""
        return self._loaded.config.watch

    @property
    def store(self) -> StoreConfig:
        """How much is kept."""
        return self._loaded.config.store

    @property
    def editor(self) -> EditorConfig:
        """What an editor shows of the changes of others."""
        return self._loaded.config.editor

    @property
    def problems(self) -> tuple[Problem, ...]:
        """What was not taken, and where it stands."""
        return self._loaded.problems

    def renew(self) -> bool:
        """Whether anything is otherwise now that files were written. Costs a `stat` of each if none was."""
        stamps = self._look()
        if stamps == self._stamps:
            return False
        self._stamps = stamps
        return self._load()

    def take(self, given: Given) -> bool:
        """Whether anything is otherwise now that an editor passed this on."""
        self._given = given
        return self._load()

    def _load(self) -> bool:
        before, self._loaded = self._loaded, configuration.load(self._root, self._environ, self._given)
        return before != self._loaded

    def _look(self) -> _Stamps:
        return tuple(_stamp(path) for path in self.files)


def _stamp(path: str) -> tuple[int, ...]:
    with suppress(OSError):
        found = os.stat(path)
        return (found.st_mtime_ns, found.st_ctime_ns, found.st_size, found.st_ino)
    return ()
