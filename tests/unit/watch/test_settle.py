"""Events become bursts: what happened together is looked at together, and nothing is forgotten."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from takeback.watch.events import Event, GitMoved, Lost, LostReason, Moved, Removed, Touched
from takeback.watch.settle import Burst, Settle, joined

MS = 1_000_000


def new(path, *, folder=False):
    """A name that appeared."""
    return Touched(path=path, at_ns=0, is_folder=folder, is_new=True)


def wrote(path):
    """A write to a name that was there."""
    return Touched(path=path, at_ns=0)


def moved(source, target, *, folder=False):
    """A rename."""
    return Moved(source=source, target=target, is_folder=folder)


def removed(path, *, folder=False):
    """A name that is gone."""
    return Removed(path=path, is_folder=folder)


def folded(events) -> Burst:
    """The burst of events that come all at once."""
    settle = Settle(100 * MS)
    for event in events:
        settle.add(event, 0)
    burst = settle.due(100 * MS)
    assert burst is not None
    return burst


def check(events, *, paths, moves=(), folders=()):
    """Events that come at once give exactly these paths, renames and folders."""
    burst = folded(events)
    assert burst.paths == tuple(paths)
    assert tuple((move.source, move.target) for move in burst.moves) == tuple(moves)
    assert burst.folders == tuple(folders)


@pytest.mark.parametrize(
    ("events", "paths", "moves"),
    [
        pytest.param([wrote("a"), wrote("a")], ["a"], [], id="written twice"),
        pytest.param([new("a"), removed("a")], ["a"], [], id="created and deleted"),
        pytest.param([moved("a", "b")], ["a", "b"], [("a", "b")], id="renamed"),
        pytest.param(
            [wrote("a"), moved("a", "b"), wrote("b")], ["a", "b"], [("a", "b")], id="renamed and written"
        ),
        pytest.param([moved("a", "b"), moved("b", "c")], ["a", "b", "c"], [("a", "c")], id="chain"),
        pytest.param([moved("a", "b"), moved("b", "a")], ["a", "b"], [], id="there and back"),
        pytest.param([moved("a", "b"), removed("b")], ["a", "b"], [], id="renamed, then deleted"),
        pytest.param(
            [moved("a", "b"), moved("c", "b")], ["a", "b", "c"], [("c", "b")], id="renamed over a renamed one"
        ),
        pytest.param([new("t"), wrote("t"), moved("t", "a")], ["a", "t"], [], id="atomic save"),
        pytest.param([moved("a", "a~"), new("a")], ["a", "a~"], [], id="save that leaves a backup"),
        pytest.param(
            [moved("a", "a~"), new("t"), moved("t", "a")],
            ["a", "a~", "t"],
            [],
            id="atomic save with a backup",
        ),
        pytest.param(
            [moved("a", "t"), moved("b", "a"), moved("t", "b")],
            ["a", "b", "t"],
            [("a", "b"), ("b", "a")],
            id="two files swapped",
        ),
    ],
)
def test_files(events, paths, moves):
    """A rename is told only where a file that was there before the burst stands under another name after it."""
    check(events, paths=paths, moves=moves)


def test_a_moved_folder_takes_earlier_renames_along():
    """A file that was moved into a folder is followed when the folder is moved on."""
    check(
        [moved("x", "d/x"), moved("d", "e", folder=True)],
        paths=["d", "d/x", "e", "x"],
        moves=[("d", "e"), ("x", "e/x")],
        folders=["d", "e"],
    )


def test_a_file_moved_out_of_a_moved_folder_is_followed():
    """Its first name is the one below the folder's first name."""
    check(
        [moved("d", "e", folder=True), moved("e/x", "y")],
        paths=["d", "e", "e/x", "y"],
        moves=[("d", "e"), ("d/x", "y")],
        folders=["d", "e"],
    )


def test_a_new_folder_under_another_name_is_no_rename():
    """A folder made and moved twice within a burst (an unpacked download) is new, not renamed."""
    check(
        [new("d", folder=True), new("d/f"), moved("d", "e", folder=True), moved("e", "g", folder=True)],
        paths=["d", "d/f", "e", "g"],
        folders=["d", "e", "g"],
    )


def test_a_removed_folder_ends_the_renames_into_it():
    """`mv a d/a; rm -r d` is a deletion of `a`."""
    check([moved("a", "d/a"), removed("d", folder=True)], paths=["a", "d", "d/a"], folders=["d"])


def test_only_outermost_folders_are_named():
    """A look at a folder sees everything below it, so folders below are not named again."""
    check(
        [new("d", folder=True), new("d/e", folder=True), new("d-e", folder=True)],
        paths=["d", "d-e", "d/e"],
        folders=["d", "d-e"],
    )


def test_losses_and_git_are_passed_on():
    """A burst says what was lost and that git moved, also where no path had an event."""
    lost = Lost(reason=LostReason.OVERFLOW, path="")
    burst = folded([lost, GitMoved(), lost])
    assert (burst.lost, burst.git_moved, burst.paths) == ((lost,), True, ())


def test_a_burst_is_due_after_quiet():
    """Each event begins the wait anew; when it is over, the burst is handed out once."""
    settle = Settle(100 * MS)
    assert settle.next_wake_ns() is None
    settle.add(wrote("a"), 0)
    settle.add(wrote("b"), 60 * MS)
    assert settle.next_wake_ns() == 160 * MS
    assert settle.due(159 * MS) is None
    burst = settle.due(160 * MS)
    assert burst is not None
    assert (burst.paths, burst.began_ns, burst.ended_ns) == (("a", "b"), 0, 60 * MS)
    assert (settle.due(1_000 * MS), settle.next_wake_ns()) == (None, None)


def test_a_file_written_without_end_is_recorded_too():
    """A burst that never gets quiet is cut at its maximum age."""
    settle = Settle(100 * MS, max_age_ns=300 * MS)
    bursts = []
    for now_ms in range(0, 1_000, 50):
        settle.add(wrote("log"), now_ms * MS)
        bursts.append(settle.due(now_ms * MS))
    assert sum(burst is not None for burst in bursts) == 2


def test_a_burst_can_be_asked_for_at_once():
    """The end of a command does not wait for quiet."""
    settle = Settle(100 * MS)
    assert settle.flush() is None
    settle.add(wrote("a"), 0)
    burst = settle.flush()
    assert burst is not None
    assert burst.paths == ("a",)
    assert settle.due(1_000 * MS) is None


# Few names, nested, so that renames over, into and out of one another are common.
names = st.sampled_from(["a", "b", "c", "d", "d/x", "d/y", "e", "e/x", "e/x/z", "a-b"])
events = st.one_of(
    st.builds(Touched, path=names, at_ns=st.just(0), is_folder=st.booleans(), is_new=st.booleans()),
    st.builds(Removed, path=names, is_folder=st.booleans()),
    st.builds(Moved, source=names, target=names, is_folder=st.booleans()),
    st.builds(Lost, reason=st.sampled_from(LostReason), path=names),
    st.just(GitMoved()),
)
gaps_ms = st.sampled_from([0, 1, 50, 99, 100, 500, 3_000])


def told(event: Event) -> set[object]:
    """What an event obliges some burst to hold."""
    match event:
        case Touched(path=path) | Removed(path=path):
            return {path}
        case Moved(source=source, target=target):
            return {source, target}
        case _:
            return {event}


def bursts_of(history) -> list[Burst]:
    """All bursts of events with gaps between them."""
    settle, now_ns, bursts = Settle(100 * MS), 0, []
    for gap_ms, event in history:
        now_ns += gap_ms * MS
        bursts.append(settle.due(now_ns))
        settle.add(event, now_ns)
    bursts.append(settle.due(now_ns + 100 * MS))
    assert settle.next_wake_ns() is None
    return [burst for burst in bursts if burst is not None]


@given(st.lists(st.tuples(gaps_ms, events)))
def test_nothing_is_forgotten(history):
    """Whatever happens in whatever order, every path that had an event, every loss and every git move is in a burst."""
    found = set()
    for burst in bursts_of(history):
        found |= {*burst.paths, *burst.lost, *([GitMoved()] if burst.git_moved else [])}
    assert found == {thing for _gap, event in history for thing in told(event)}


@given(st.lists(st.tuples(gaps_ms, events)))
def test_renames_are_consistent(history):
    """No name is the source or the target of two renames, and both names of a rename are inside a burst's reach."""
    for burst in bursts_of(history):
        sources = [move.source for move in burst.moves]
        targets = [move.target for move in burst.moves]
        assert len(set(sources)) == len(sources)
        assert len(set(targets)) == len(targets)
        assert all(move.source != move.target for move in burst.moves)
        assert burst.began_ns <= burst.ended_ns


@given(st.lists(st.tuples(gaps_ms, events)))
def test_the_same_events_give_the_same_bursts(history):
    """Order inside a burst is fixed, whatever Python's hash seed is."""
    for burst in bursts_of(history):
        assert list(burst.paths) == sorted(set(burst.paths))
        assert list(burst.folders) == sorted(set(burst.folders))
    assert bursts_of(history) == bursts_of(history)


@pytest.mark.promise(5)
def test_joined_bursts_tell_what_both_told():
    """Bursts that are recorded together have the paths, folders and losses of both, and one step for two renames."""
    lost = Lost(reason=LostReason.OVERFLOW, path="")
    first = folded([moved("keep", "kept", folder=True), moved("a", "kept/a"), wrote("b"), lost])
    then = folded([moved("kept", "kept again", folder=True), wrote("c"), GitMoved()])

    both = joined(first, then)

    assert both.paths == ("a", "b", "c", "keep", "kept", "kept again", "kept/a")
    assert both.folders == ("keep", "kept", "kept again")
    assert [(one.source, one.target) for one in both.moves] == [
        ("a", "kept again/a"),
        ("keep", "kept again"),
    ]
    assert (both.lost, both.git_moved) == ((lost,), True)
