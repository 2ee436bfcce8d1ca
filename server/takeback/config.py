"""The configuration: what the user set, over defaults, and where the state folder lies.

Sources, later wins: defaults; the user's file `$XDG_CONFIG_HOME/takeback/config.toml`; the workspace's
`takeback.toml`, else `[tool.takeback]` of its `pyproject.toml`; `TAKEBACK_<SECTION>_<KEY>` in the environment;
what the caller passes on (an editor's settings).

The workspace's file is untrusted input: it may come with a clone. Only keys that can neither run anything, send
anything, nor take history away are read from it (`from_workspace`). A wrong value never stops anything: the next
earlier source holds, and a `Problem` says where and why.

Reading an absent configuration must stay cheap, because hooks do it at every tool call of an agent: cattrs and
the parsers are imported only once something was set, tree-sitter only once something is wrong.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import Field, dataclass, field, fields, replace
from typing import Any, get_type_hints

from takeback import positions, regular
from takeback.folders import config_folder as config_folder  # noqa: PLC0414 - others find it here
from takeback.folders import state_folder as state_folder  # noqa: PLC0414 - others find it here
from takeback.folders import state_root as state_root  # noqa: PLC0414 - others find it here
from takeback.folders import workspace_id as workspace_id  # noqa: PLC0414 - others find it here

KIB = 1024
MIB = 1024 * KIB
GIB = 1024 * MIB

_MAX_FILE_BYTES = MIB
"""A file of settings that is larger is none."""
_MAX_SHOWN = 60
"""So many characters of a wrong value are shown."""


def _key(default: Any, *, low: int = 0, high: int = 0, from_workspace: bool = False) -> Any:
    return field(default=default, metadata={"low": low, "high": high, "from_workspace": from_workspace})


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordConfig:
    """`record`: what is recorded."""

    include_ignored: tuple[str, ...] = _key((".env*", "*.local"), from_workspace=True)
    """Glob patterns of names. Ignored files that match are recorded all the same: agents overwrite them too."""
    max_file_bytes: int = _key(10 * MIB, low=1, high=2 * GIB, from_workspace=True)
    """Bytes. A larger file is noted, not captured: its copies would soon fill the store."""
    max_files: int = _key(500_000, low=1, high=100_000_000, from_workspace=True)
    """Files. A larger folder is refused: it is hardly a project, and the first look at it would take minutes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchConfig:
    """`watch`: how writes become operations."""

    settle_ms: int = _key(100, low=1, high=60_000, from_workspace=True)
    """Milliseconds of quiet after which writes are one operation: shorter splits commands, longer joins people."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreConfig:
    """`store`: how much is kept. Never read from the workspace: a clone must not shorten history or fill a disk."""

    max_bytes: int = _key(2 * GIB, low=MIB, high=1024 * GIB)
    """Bytes. `gc` removes the oldest content above it."""
    retention_days: int = _key(30, low=1, high=36_500)
    """Days. `gc` removes content that is older: what nobody took back for a month is rarely asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EditorConfig:
    """`editor`: what an editor shows of the changes of others."""

    lenses: bool = _key(True, from_workspace=True)  # noqa: FBT003 - a default
    """True or false. Code lenses over changes that nobody has kept: who, when, and the ways back."""
    hovers: bool = _key(True, from_workspace=True)  # noqa: FBT003 - a default
    """True or false. Who wrote the line, in the editor's hover; switch it off where hovers are crowded."""
    inlay_hints: bool = _key(False, from_workspace=True)  # noqa: FBT003 - a default
    """True or false. Who wrote it, behind the first line of each change: for editors without lenses."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """All settings of one workspace."""

    record: RecordConfig = RecordConfig()
    watch: WatchConfig = WatchConfig()
    store: StoreConfig = StoreConfig()
    editor: EditorConfig = EditorConfig()


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """Something in the configuration that was not taken, and where it stands."""

    file: str
    """A path, the name of an environment variable, or `settings` for what the caller passed on."""
    line: int
    """From 1; 0 where there are no lines."""
    column: int
    """In characters, from 1; 0 where there are no lines."""
    message: str
    hint: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """The configuration that holds, and what in its sources was not taken."""

    config: Config
    problems: tuple[Problem, ...]


_PLAIN = {int: "a whole number", bool: "true or false"}
"""Kinds that are no lists, in words."""
_DEFAULT = Config()
_SECTIONS = {section.name: getattr(_DEFAULT, section.name) for section in fields(Config)}


def load(root: str, environ: Mapping[str, str], overrides: Mapping[str, Any] | None = None) -> Loaded:
    """The configuration of the workspace `root`. Never fails: what is wrong is among the problems.

    `overrides` are nested as in the file: `{"watch": {"settle_ms": 50}}`.
    """
    config = _DEFAULT
    problems: list[Problem] = []
    for source in _sources(root, environ, overrides or {}):
        problems.extend(source.problems)
        for section, values in source.values.items():
            config, found = _with_section(config, source, section, values)
            problems.extend(found)
    return Loaded(config=config, problems=tuple(problems))


# Sources


@dataclass(frozen=True, slots=True, kw_only=True)
class _Source:
    """One place that sets something."""

    name: str
    values: Mapping[str, Any]
    text: str | None = None
    """The TOML it was read from."""
    prefix: tuple[str, ...] = ()
    """The table that holds the sections."""
    is_workspace: bool = False
    problems: tuple[Problem, ...] = ()

    def problem(self, keys: tuple[str, ...], message: str, hint: str) -> Problem:
        """A problem at the place where `keys` stand."""
        line, column = (0, 0) if self.text is None else positions.of(self.text, (*self.prefix, *keys))
        return Problem(file=self.name, line=line, column=column, message=message, hint=hint)


def files(root: str, environ: Mapping[str, str]) -> tuple[str, ...]:
    """Every file that settings of the workspace `root` are read from, whether it is there or not."""
    own = (os.path.join(root, name) for name in ("takeback.toml", "pyproject.toml"))
    return (os.path.join(config_folder(environ), "config.toml"), *own)


def _sources(root: str, environ: Mapping[str, str], overrides: Mapping[str, Any]) -> Iterator[_Source]:
    yield from _file(os.path.join(config_folder(environ), "config.toml"))
    own = tuple(_file(os.path.join(root, "takeback.toml"), is_workspace=True))
    yield from own or _file(
        os.path.join(root, "pyproject.toml"), prefix=("tool", "takeback"), is_workspace=True
    )
    yield from _environment(environ)
    if overrides:
        yield _Source(name="settings", values=overrides)


def _file(path: str, *, prefix: tuple[str, ...] = (), is_workspace: bool = False) -> Iterator[_Source]:
    """What a TOML file sets; nothing if there is no such file."""
    try:
        text = regular.read(path, _MAX_FILE_BYTES).decode("utf-8")
    except FileNotFoundError:
        return
    except (OSError, UnicodeDecodeError) as error:
        yield _unreadable(path, (0, 0), f"cannot be read: {error}", "it can be read")
        return
    yield _parsed(path, text, prefix, is_workspace=is_workspace)


def _parsed(path: str, text: str, prefix: tuple[str, ...], *, is_workspace: bool) -> _Source:
    import tomllib  # noqa: PLC0415 - imported only where there is a file

    try:
        values: Any = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        return _unreadable(
            path, positions.broken_at(text, error), positions.sentence(error), "it is valid TOML"
        )
    except (ValueError, RecursionError):  # tomllib lets them out
        return _unreadable(path, (0, 0), "holds a number or a nesting beyond all measure", "it has none")
    for name in prefix:
        values = values.get(name, {}) if isinstance(values, dict) else {}
    values = values if isinstance(values, dict) else {}
    return _Source(name=path, values=values, text=text, prefix=prefix, is_workspace=is_workspace)


def _unreadable(path: str, place: tuple[int, int], message: str, until: str) -> _Source:
    """A file that sets nothing, and why."""
    hint = f"The settings of this file do not hold until {until}."
    problem = Problem(file=path, line=place[0], column=place[1], message=message, hint=hint)
    return _Source(name=path, values={}, problems=(problem,))


def _environment(environ: Mapping[str, str]) -> Iterator[_Source]:
    """One source for each variable that names a section; other `TAKEBACK_` variables are none of ours."""
    for section, default in _SECTIONS.items():
        start = f"TAKEBACK_{section.upper()}_"
        kinds = get_type_hints(type(default)) if any(name.startswith(start) for name in environ) else {}
        for name in sorted(name for name in environ if name.startswith(start)):
            key = name.removeprefix(start).lower()
            yield _Source(name=name, values={section: {key: _from_text(environ[name], kinds.get(key))}})


def _from_text(text: str, kind: Any) -> Any:
    if kind is int:
        return int(text) if re.fullmatch(r"[+-]?[0-9]{1,18}", text.strip(), re.ASCII) else text
    if kind is bool:
        return {"true": True, "false": False}.get(text.strip().lower(), text)
    return [part.strip() for part in text.split(",") if part.strip()]


# Values


def _with_section(config: Config, source: _Source, section: str, values: Any) -> tuple[Config, list[Problem]]:
    if section not in _SECTIONS:
        return config, [
            source.problem((section,), f"unknown section {section!r}", _did_you_mean(section, _SECTIONS))
        ]
    if not isinstance(values, Mapping):
        hint = f"Write it as a table: [{'.'.join((*source.prefix, section))}]."
        return config, [source.problem((section,), f"{section} is no table", hint)]
    problems = []
    for key, raw in values.items():
        value, problem = _value(source, section, key, raw)
        if problem is not None:
            problems.append(problem)
        else:
            changed = replace(getattr(config, section), **{key: value})
            config = replace(config, **{section: changed})
    return config, problems


def _value(source: _Source, section: str, key: str, raw: Any) -> tuple[Any, Problem | None]:
    """The value of one key, or what is wrong with it."""
    default = _SECTIONS[section]
    known = {known.name: known for known in fields(default)}
    name, keys = f"{section}.{key}", (section, key)
    if key not in known:
        return None, source.problem(keys, f"unknown key {name!r}", _did_you_mean(key, known))
    if source.is_workspace and not known[key].metadata["from_workspace"]:
        hint = "Set it in your own config.toml: a workspace may not decide this."
        return None, source.problem(keys, f"{name} is not taken from a workspace", hint)
    kind = get_type_hints(type(default))[key]
    try:
        value = _structured(raw, kind)
    except Exception:  # noqa: BLE001 - cattrs wraps what its hooks raise in groups of its own
        return None, source.problem(keys, f"{name} is {_shown(raw)}", f"It takes {_kind_in_words(kind)}.")
    return value, _out_of_range(source, keys, known[key], value)


def _structured(raw: Any, kind: Any) -> Any:
    """`raw` as `kind`, strictly: a number in quotes is no number. Raises whatever cattrs does."""
    import cattrs  # noqa: PLC0415 - 40 ms, needed only where something is set

    converter = cattrs.Converter()
    for plain in (int, str, bool):
        converter.register_structure_hook(plain, _exactly)
    if kind not in _PLAIN and not isinstance(raw, list | tuple):
        raise TypeError("not a list")
    return converter.structure(raw, kind)


def _exactly(raw: Any, kind: type) -> Any:
    if type(raw) is not kind:  # `isinstance` would take a bool for a number
        raise TypeError(f"not {kind.__name__}")
    return raw


def _out_of_range(source: _Source, keys: tuple[str, str], known: Field[Any], value: Any) -> Problem | None:
    low, high = known.metadata["low"], known.metadata["high"]
    if type(value) is not int or low <= value <= high:
        return None
    return source.problem(
        keys, f"{'.'.join(keys)} is {_shown(value)}", f"It takes a number from {low} to {high}."
    )


def _shown(value: Any) -> str:
    """A wrong value for people; what is long is cut."""
    try:
        text = repr(value)
    except (ValueError, RecursionError):  # a number of thousands of digits, a list in a list in a list
        return "beyond all measure"
    return text if len(text) <= _MAX_SHOWN else f"{text[:_MAX_SHOWN]}…"


def _kind_in_words(kind: Any) -> str:
    return _PLAIN.get(kind, "a list of texts")


def _did_you_mean(name: str, known: Mapping[str, Any]) -> str:
    import difflib  # noqa: PLC0415 - 6 ms, needed only where something is wrong

    near = difflib.get_close_matches(name, known, n=1)
    return f"Did you mean {near[0]!r}?" if near else f"Known are {', '.join(known)}."
