"""The editors: how each is started with its page's configuration, and what it can do."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

PAGES = Path(__file__).parents[2] / "docs" / "editors"
DRIVERS = Path(__file__).with_name("drivers")

_ELPA = "(progn (require 'package) (add-to-list 'package-directory-list \"/usr/share/emacs/site-lisp/elpa\") (package-initialize))"
_NEOVIM = ("--headless", "-i", "NONE")
_EMACS = ("-Q", "-nw", "--eval", _ELPA, "-l", "{pages}/emacs.el")
_VIM = ("-N", "-i", "NONE", "-X", "--not-a-term")


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """One editor with one way to speak to language servers."""

    name: str
    program: str
    """What is on the search path, or the environment variable that says where it is."""
    words: tuple[str, ...]
    on_terminal: bool = False
    """Whether it needs a terminal to wait for anything."""
    edits: bool = True
    """Whether it changes documents when asked; else it reloads files."""
    asks: bool = True
    """Whether a person can be asked."""
    lenses: bool = True
    tells_late: bool = False
    """Whether it may run a command before it has told of what was typed last."""

    @property
    def path(self) -> str | None:
        """Where the program is; `None` if it is not here."""
        return os.environ.get(self.program) or shutil.which(self.program)

    def command(self) -> list[str]:
        """How it is started."""
        assert self.path is not None, f"{self.name} is missing: run tests/editors/run.sh"
        return [self.path, *(word.format(pages=PAGES, drivers=DRIVERS) for word in self.words)]


CLIENTS: Mapping[str, Client] = {
    one.name: one
    for one in (
        Client(
            name="neovim",
            program="TAKEBACK_NVIM",
            words=(*_NEOVIM, "-u", "{pages}/neovim.lua", "-c", "luafile {drivers}/neovim.lua"),
        ),
        Client(
            name="neovim-0.7",
            program="TAKEBACK_NVIM_OLD",
            words=(*_NEOVIM, "-u", "{pages}/neovim-0.7.lua", "-c", "luafile {drivers}/neovim.lua"),
        ),
        Client(
            name="eglot",
            program="emacs",
            words=(
                *_EMACS,
                *("-l", "{pages}/eglot.el", "-l", "{drivers}/emacs.el", "-l", "{drivers}/eglot.el"),
            ),
            on_terminal=True,
            lenses=False,
            tells_late=True,
        ),
        Client(
            name="lsp-mode",
            program="emacs",
            words=(
                *_EMACS,
                *("-l", "{pages}/lsp-mode.el", "-l", "{drivers}/emacs.el", "-l", "{drivers}/lsp-mode.el"),
            ),
            on_terminal=True,
        ),
        Client(
            name="ale",
            program="vim.nox",
            words=(*_VIM, "-u", "{pages}/ale.vim", "-S", "{drivers}/ale.vim", "-c", "call Drive()"),
            edits=False,
            asks=False,
            lenses=False,
        ),
    )
}


def among(chosen: Callable[[Client], bool]) -> pytest.MarkDecorator:
    """Only in editors that can it."""
    clients = [one for one in CLIENTS.values() if chosen(one)]
    return pytest.mark.parametrize("client", clients, ids=lambda client: client.name, indirect=True)
