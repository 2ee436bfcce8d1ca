"""Words from outside as text."""

import pytest

from takeback.model.words import as_text


@pytest.mark.parametrize(
    ("words", "text"),
    [
        ("plain é \U0001f600\n", "plain é \U0001f600\n"),
        ("caf\udce9", "caf\\udce9"),
        ("half \ud83d", "half \\ud83d"),
    ],
    ids=ascii,
)
def test_words_become_text_that_can_be_kept(words, text):
    """What is UTF-8 stays; a byte that is none, and half of a surrogate pair, are written out."""
    assert as_text(words) == text
    assert as_text(as_text(words)) == text
