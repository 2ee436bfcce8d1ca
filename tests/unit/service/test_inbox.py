"""In which order the thread that owns a workspace does what it is asked."""

from takeback.service.inbox import PATIENCE, Inbox


def done(inbox, n):
    """Do the next `n` jobs."""
    for _ in range(n):
        inbox.next(0)()


def test_what_the_own_front_end_tells_comes_before_what_other_processes_ask():
    """Who asks from outside is answered when everything is known that the editor told until then, and since."""
    inbox, order = Inbox(), []
    inbox.do(lambda: order.append("told"))
    inbox.answer(lambda: order.append("asked"))
    inbox.do(lambda: order.append("told later"))

    done(inbox, 3)

    assert order == ["told", "told later", "asked"]
    assert not inbox.is_behind


def test_nobody_waits_for_ever():
    """However much an editor tells, another process waits for no more than so many of its messages."""
    inbox, order = Inbox(), []
    answer = inbox.answer(lambda: "answered")
    for number in range(2 * PATIENCE):
        inbox.do(lambda number=number: order.append(number))

    done(inbox, PATIENCE + 1)

    assert answer.result(0) == "answered"
    assert order == list(range(PATIENCE))
