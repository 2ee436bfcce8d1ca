"""The story that the demo tells: several write at once, and some of it is taken back.

Each scene is a few writes or one verb of Takeback; after each, every file is compared with what the model says, and
`.git` with what it was before.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence

from takeback.demo.model import Append, Delete, Edit, Rewrite, Substitute, Write, file_of
from takeback.demo.play import NotAsPromised, Play
from takeback.demo.scenery import Scenery, choose
from takeback.demo.workshop import Workshop, in_place, workshop
from takeback.errors import TakebackError
from takeback.model.ids import OpId
from takeback.processes import SIGNALLED
from takeback.service import answers, taking_back
from takeback.service.requests import Outcome, Request

AGENT, HUMAN = "agent:demo", "human"
_BRANCH = "takeback-demo-branch"
_MADE = "takeback-demo"
_N_MADE = 12
_SIGKILL = 9

Tell = Callable[[str], None]


def tell(repository: str | None, say: Tell) -> bool:
    """Tell the story on a copy of `repository`, line by line; whether everything was as promised."""
    with workshop(repository) as shop:
        scenery = choose(shop.tree())
        if scenery is not None:
            return _told(shop, scenery, say)
    assert repository is not None, "BUG: the repository that is made for the purpose must do"
    say(f"{repository} has too few text files to play with; a repository is made instead.")
    return tell(None, say)


def _told(shop: Workshop, scenery: Scenery, say: Tell) -> bool:
    _make_branch(shop, scenery)
    play = Play(shop, say)
    try:
        _scenes(play, scenery)
    except NotAsPromised as wrong:
        say("")
        say("NOT AS PROMISED:")
        for line in wrong.lines:
            say(f"    {line}")
        return False
    except TakebackError as problem:
        say("")
        say(f"NOT AS PROMISED: Takeback gave up: {problem.message}")
        return False
    play.verdict()
    return True


def _scenes(play: Play, scenery: Scenery) -> None:
    shared = scenery.shared.path
    play.baseline()
    start = play.checkpoint("the beginning")
    play.say("")
    play.say("Everybody writes at once, in the same files too:")
    _first_writes(play, scenery)
    middle = _middle(play, scenery)
    _later_writes(play, scenery)
    replaced = _command(play, scenery)
    _generator(play)
    _other_branch(play, scenery)
    safe = play.checkpoint("before it gets worse")

    play.say("")
    play.say("The agent's middle step was wrong; what came after it was not:")
    play.undo(f"undo operation {middle}", Request(ops=(middle,)), gone={middle}, watch=shared)
    play.redo(f"redo: operation {middle} again, over all that was written since", back={middle}, watch=shared)

    play.say("")
    play.say("What cannot be told apart is not guessed:")
    _conflict(play, scenery)

    play.say("")
    play.say("The agent goes astray, and is sent back to the checkpoint:")
    _astray(play, scenery)
    play.rollback(safe)

    play.say("")
    play.say("Takeback itself is killed while it changes files:")
    undone_by = _killed(play, replaced)
    _killed_and_written(play, undone_by, replaced)

    play.say("")
    play.say("In the end nothing of the agent's is to stay:")
    gone = {op for op in play.standing() if play.author(op) == AGENT}
    text = f"undo everything of {AGENT}"
    play.undo(text, Request(since=start, actor=AGENT), gone=gone, watch=shared)


def _make_branch(shop: Workshop, scenery: Scenery) -> None:
    """A second branch with one file that differs, as any repository has."""
    shop.git("checkout", "--quiet", "-b", _BRANCH)
    shop.write({scenery.on_branch: file_of(b"This is the other branch.\n")}, [scenery.on_branch])
    shop.git("commit", "--quiet", "--all", "--no-verify", "--message", "Another branch")
    shop.git("checkout", "--quiet", "-")


# -- scenes --------------------------------------------------------------------------------------


def _first_writes(play: Play, scenery: Scenery) -> None:
    shared, second = scenery.shared, scenery.second
    play.writes(
        AGENT,
        f"rewrites line {shared.number(play.first, 0)} of {shared.path} and one of {second.path}",
        (_rewrite(shared.path, shared.lines[0], AGENT, 1), _rewrite(second.path, second.lines[0], AGENT, 1)),
    )
    play.writes(
        HUMAN,
        f"rewrites the line below it, and adds to the end of {second.path}",
        (_rewrite(shared.path, shared.lines[1], HUMAN, 1), _append(second.path, HUMAN, 1)),
    )


def _middle(play: Play, scenery: Scenery) -> OpId:
    shared, second = scenery.shared, scenery.second
    return play.writes(
        AGENT,
        f"rewrites another line of {shared.path}, adds to {second.path}, makes a file",
        (
            _rewrite(shared.path, shared.lines[2], AGENT, 2),
            _append(second.path, AGENT, 2),
            Write(path=f"{_MADE}.md", file=file_of(b"Made by the agent.\n", AGENT)),
        ),
    )


def _later_writes(play: Play, scenery: Scenery) -> None:
    shared, second = scenery.shared, scenery.second
    play.writes(
        HUMAN,
        f"rewrites line {shared.number(play.first, 3)} of {shared.path}, adds below what the agent added",
        (_rewrite(shared.path, shared.lines[3], HUMAN, 2), _append(second.path, HUMAN, 2)),
    )


def _command(play: Play, scenery: Scenery) -> OpId:
    word, by = scenery.word, scenery.word.swapcase()
    edits = tuple(Substitute(path=path, word=word, by=by) for path in scenery.many)
    script = f"s/{word.decode()}/{by.decode()}/g"
    text = f"sed -i '{script}' over {len(edits)} files, those two among them"
    return play.runs(in_place(script, scenery.many), text, edits)


def _generator(play: Play) -> None:
    names = [f"{_MADE}/made{number:02}.txt" for number in range(_N_MADE)]
    edits = tuple(Write(path=name, file=file_of(b"made\n", "command:sh")) for name in names)
    script = f'mkdir {_MADE} && for name in "$@"; do echo made > "$name"; done'
    play.runs(("sh", "-c", script, "sh", *names), f"a generator that makes {len(names)} files", edits)


def _other_branch(play: Play, scenery: Scenery) -> None:
    path = scenery.on_branch
    there, back = (
        Write(path=path, file=file_of(b"This is the other branch.\n")),
        Write(path=path, file=play.first[path]),
    )
    play.runs(("git", "checkout", "--quiet", _BRANCH), "git checkout of another branch", (there,))
    play.runs(("git", "checkout", "--quiet", "-"), "git checkout back", (back,))


def _conflict(play: Play, scenery: Scenery) -> None:
    shared = scenery.shared
    play.writes(
        HUMAN,
        "rewrites the very line that the agent wrote first",
        (_rewrite(shared.path, _line(AGENT, 1), HUMAN, 3),),
    )
    with play.verb("undo operation 1: a conflict, nothing is written") as workspace:
        result = taking_back.undo(workspace, Request(ops=(OpId(1),)))
    play.expect(result.outcome is Outcome.CONFLICT, f"undoing a line rewritten since was {result.outcome}")
    play.say(f"        way out: {answers.way_out(result)}")
    play.check()


def _astray(play: Play, scenery: Scenery) -> None:
    removed = tuple(Delete(path=path) for path in scenery.below)
    play.runs(
        ("rm", "-r", scenery.folder), f"rm -r {scenery.folder}: {len(removed)} files", removed, author=AGENT
    )
    nonsense = file_of(b"as discussed\n", AGENT)
    left = [path for path in scenery.overwritten if path not in scenery.below]
    if left:
        edits = tuple(Write(path=path, file=nonsense) for path in left)
        play.writes(AGENT, f"overwrites {len(left)} files", edits)


def _killed(play: Play, op: OpId) -> OpId:
    """The operation as which a killed undo of `op` was finished."""
    _kill(play, op, play.paths(op))
    with play.verb("the next start mends it") as workspace:
        settled = workspace.settled
    finished = settled[0].finished if len(settled) == 1 and not settled[0].left else None
    play.expect(finished is not None, f"the next start settled {settled}")
    play.say("        it was finished: no file is half old, half new")
    play.take({op})
    play.check()
    return finished or op


def _killed_and_written(play: Play, undo: OpId, op: OpId) -> None:
    """Undoing the undo is killed too, and somebody writes before the next start: now it cannot be finished."""
    paths = play.paths(op)
    untouched = _kill(play, undo, paths)[-1]
    line = f"{HUMAN}, written while the undo lay half done\n".encode()
    with open(f"{play.shop.root}/{untouched}", "ab") as stream:
        stream.write(line)
    play.say(f"        {HUMAN} adds a line to {untouched}, which the undo had not reached")
    with play.verb("the next start mends it") as workspace:
        settled = workspace.settled
        reversed_and_left = (
            len(settled) == 1 and settled[0].finished is None and settled[0].left == (untouched,)
        )
    play.expect(reversed_and_left, f"the next start settled {settled}")
    play.say("        it was reversed, and the human's file was left as it is")
    play.wrote(HUMAN, "that line is recorded", (Append(path=untouched, lines=(line,)),))


def _kill(play: Play, op: OpId, paths: Sequence[str]) -> list[str]:
    """The files that an undo of `op` had not reached when it was killed in the middle."""
    n_changes = len(paths) // 2
    before = play.expected()
    argv = (sys.executable, "-P", "-m", "takeback.demo.dying", play.shop.root, str(op), str(n_changes))
    status = play.shop.run(*argv)
    play.expect(status == SIGNALLED + _SIGKILL, f"the undo that was to be killed ended with status {status}")
    now = play.shop.tree()
    untouched = [path for path in paths if now[path].data == before[path].data]
    n_changed = len(paths) - len(untouched)
    play.expect(0 < n_changed < len(paths), f"the kill came with {n_changed} of {len(paths)} files changed")
    play.say(f"        undo operation {op}: SIGKILL with {n_changed} of {len(paths)} files changed")
    return untouched


# -- edits ---------------------------------------------------------------------------------------


def _line(author: str, number: int) -> bytes:
    return f"{author}, rewritten line {number}\n".encode()


def _rewrite(path: str, line: bytes, author: str, number: int) -> Edit:
    return Rewrite(path=path, line=line, by=(_line(author, number),))


def _append(path: str, author: str, number: int) -> Edit:
    return Append(path=path, lines=tuple(f"{author}, added {number}.{n}\n".encode() for n in range(3)))
