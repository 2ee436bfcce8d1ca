"""A workspace on the real disk with its own home, state folder and git, and what tests ask of it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from click.testing import CliRunner

from takeback.cli import program
from takeback.cli.app import takeback
from takeback.service.opening import open_workspace

assert program, "the commands are registered by importing them"


@dataclass(frozen=True)
class Answer:
    """What a command said."""

    status: int
    json: dict
    err: str

    @property
    def code(self):
        """The stable name of the error."""
        return self.json["error"]["code"]

    def outcome_of(self, path):
        """What became of one file, and the note."""
        return next((one["outcome"], one["note"]) for one in self.json["files"] if one["path"] == path)


@dataclass(frozen=True)
class Scene:
    """One workspace, and everything around it."""

    base: Path

    @property
    def root(self):
        """The workspace folder."""
        return self.base / "workspace"

    @property
    def states(self):
        """The folder of all histories."""
        return self.base / "states"

    @property
    def state(self):
        """The one history."""
        (found,) = [one for one in self.states.iterdir() if not one.name.startswith(".")]
        return found

    @property
    def env(self):
        """An environment without anything of the developer's."""
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(self.base / "home"),
            "TAKEBACK_STATE_DIR": str(self.states),
            "GIT_CONFIG_NOSYSTEM": "1",
            "LC_ALL": "C.UTF-8",
            **({"PYTHONPATH": os.environ["PYTHONPATH"]} if "PYTHONPATH" in os.environ else {}),
        }

    def tb(self, *words, env=None, at=None):
        """What a takeback command answers, run in this process."""
        removed = {name: None for name in os.environ if name.startswith(("GIT_", "XDG_", "TAKEBACK_"))}
        given = [
            *words[: _verb_length(words)],
            "-C",
            str(at or self.root),
            "--json",
            *words[_verb_length(words) :],
        ]
        result = CliRunner().invoke(takeback, given, env={**removed, **self.env, **(env or {})})
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        out = result.stdout.strip()
        return Answer(status=result.exit_code, json=json.loads(out) if out else {}, err=result.stderr)

    def process(self, *words, env=None, under=()):
        """How a takeback process in the workspace ended, started through the command `under`."""
        return subprocess.run(
            [*under, sys.executable, "-P", "-m", "takeback", *words],
            cwd=self.root,
            env={**self.env, **(env or {})},
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )

    def cli(self, *words, env=None):
        """What a takeback process in the workspace answers."""
        split = _verb_length(words)
        ended = self.process(*words[:split], "--json", *words[split:], env=env)
        return Answer(
            status=ended.returncode, json=json.loads(ended.stdout) if ended.stdout else {}, err=ended.stderr
        )

    def git(self, *words, at=None, check=True, env=None):
        """What git says, as some user with an identity."""
        identity = {f"GIT_{who}_{what}": "a" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
        return subprocess.run(
            ["git", "-c", "protocol.file.allow=always", "-c", "maintenance.auto=false", *words],
            cwd=at or self.root,
            env={**self.env, **identity, **(env or {})},
            capture_output=True,
            encoding="utf-8",
            errors="surrogateescape",
            check=check,
        ).stdout

    def write(self, path, content):
        """A file of the workspace holds this content."""
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content if isinstance(content, bytes) else content.encode())

    def read(self, path):
        """The content of a file of the workspace."""
        return (self.root / path).read_text()

    def record(self, actor="agent:a"):
        """Look, and record what changed as this actor's operation; its id."""
        found = self.tb("record", "--actor", actor)
        assert found.status == 0, found.err
        operation = found.json["operation"]
        return operation["id"] if operation else None

    def checkpoint(self, label="c"):
        """The id of a new checkpoint."""
        return self.tb("checkpoint", "create", "-m", label).json["checkpoint"]["id"]

    @contextmanager
    def opened(self, **options):
        """The workspace as the service sees it."""
        with open_workspace(str(self.root), self.env, **options) as workspace:
            yield workspace

    def committed(self, files=None):
        """A repository in the workspace with one commit of these files."""
        self.git("init", "-q", "-b", "main")
        for path, content in (files or {"f": "one\n"}).items():
            self.write(path, content)
        self.git("add", "-A")
        self.git("commit", "-qm", "first")

    def files(self):
        """Every file and link of the workspace but a `.git`, with content and mode."""
        return tree(self.root)


def make_scene(base):
    """An empty workspace."""
    scene = Scene(base=Path(base))
    for folder in ("workspace", "states", "home"):
        (scene.base / folder).mkdir()
    (scene.base / "states").chmod(0o700)
    return scene


def tree(folder):
    """Every file and link below `folder` but in a `.git`, with content and mode."""
    found = {}
    for place, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if name != ".git"]
        for name in names:
            path = Path(place) / name
            relative = str(path.relative_to(folder))
            if path.is_symlink():
                found[relative] = ("link", os.readlink(path))
            else:
                found[relative] = (path.read_bytes(), path.stat().st_mode)
    return found


def fingerprint(folder):
    """Every file and folder below with its bytes, and all of its stat but ctime, atime and link count.

    Taken before any git command: git itself rewrites its index when it is asked.
    """
    found = {}
    for place, folders, names in os.walk(folder):
        for name in (*folders, *names):
            path = os.path.join(place, name)
            stat = os.lstat(path)
            is_file = os.path.isfile(path) and not os.path.islink(path)
            content = Path(path).read_bytes() if is_file else None
            found[path] = (
                content,
                stat.st_mode,
                stat.st_mtime_ns,
                stat.st_ino,
                stat.st_size if is_file else 0,
                stat.st_uid,
                stat.st_gid,
            )
    return found


def _verb_length(words):
    return 2 if words[0] in ("checkpoint", "turn", "task", "workflow", "hook") else 1
