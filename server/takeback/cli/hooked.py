"""`takeback hook AGENT`, as an agent calls it: without the rest of the command line, and never in its way.

Whatever happens, the exit status is 0 and standard output stays empty: an agent would take either for a refusal or an
instruction.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from contextlib import suppress

_MAX_BYTES = 64 << 20
"""An event that is larger is none: it holds a whole file at most."""


def hooked(words: Sequence[str]) -> None:
    """Take in what an agent says on standard input. `words` are the agent, perhaps its event, perhaps `-C DIR`."""
    try:
        _hooked(words)
    except BaseException as failure:  # noqa: BLE001 - the front end's edge: an agent's tool call never fails because of us
        with suppress(BaseException):
            _note(words, failure)
    with suppress(BaseException):
        sys.stderr.flush()
    os._exit(0)  # what is still open may not raise either


def _hooked(words: Sequence[str]) -> None:
    from takeback.agents.decoding import AGENTS  # noqa: PLC0415 - so that failing to import it is noted too
    from takeback.service import hooking  # noqa: PLC0415 - the same

    agent, event, folder = _parsed(words)
    if agent not in AGENTS:
        raise ValueError(f"no agent is called {agent!r}; known are {', '.join(AGENTS)}")
    said = sys.stdin.buffer.read(_MAX_BYTES + 1)
    if len(said) > _MAX_BYTES:
        raise ValueError(f"it said more than {_MAX_BYTES} bytes")
    hooking.told(agent, said, event, folder, os.environ)


def _parsed(words: Sequence[str]) -> tuple[str, str, str]:
    """The agent, its event where the settings name it, and the folder that it works in; empty if that is gone."""
    rest = list(words)
    folder = ""
    with suppress(FileNotFoundError):
        folder = os.getcwd()
    if "-C" in rest:
        place = rest.index("-C")
        folder = os.path.join(folder, rest[place + 1])
        del rest[place : place + 2]
    return rest[0], rest[1] if len(rest) > 1 else "", folder


def _note(words: Sequence[str], failure: BaseException) -> None:
    """One line on standard error, and in the log of the workspace; of all workspaces if it is none's."""
    text = f"takeback hook {' '.join(words)}: {type(failure).__name__}: {failure}"
    print(text, file=sys.stderr)  # noqa: T201 - the one line that a hook may say
    from takeback.folders import state_root  # noqa: PLC0415 - what came before may have failed at an import
    from takeback.service import hook_log, hooking  # noqa: PLC0415 - the same

    folder = _parsed(words)[2]
    place = hooking.place_of(folder, os.environ) if folder else None
    hook_log.note(place.state if place else state_root(os.environ), text)
