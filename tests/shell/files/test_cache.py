"""What the last look saw, on disk."""

import os

import pytest

from takeback.errors import TakebackError
from takeback.files.cache import StatCache, load_cache, save_cache
from takeback.files.listing import packed

CACHE = StatCache(
    folders={
        "": (packed(["d/", "f", 1, 2, 3, 4, 5]), frozenset({"log", "out/"}), ("d",), 1),
        "d": (packed([]), frozenset(), (), 0),
    }
)


@pytest.fixture
def saved(tmp_path):
    """The path of a saved cache."""
    path = tmp_path / "looked"
    save_cache(CACHE, str(path))
    return path


def test_a_cache_comes_back_as_it_was(saved):
    """Loading gives what was saved, in the same order, and its number of files."""
    loaded = load_cache(str(saved))

    assert loaded == CACHE
    assert list(loaded.folders) == ["", "d"]
    assert loaded.n_files == 1


def test_saving_replaces_in_one_step_and_leaves_nothing_beside(saved):
    """A second save replaces the first, and only its owner can read it."""
    save_cache(StatCache(), str(saved))

    assert load_cache(str(saved)) == StatCache()
    assert [path.name for path in saved.parent.iterdir()] == ["looked"]
    assert os.stat(saved).st_mode & 0o777 == 0o600


def test_any_damage_gives_an_empty_cache(saved):
    """A cache with any byte changed, cut anywhere, or of another version is not believed."""
    whole = saved.read_bytes()
    for position in range(len(whole)):
        saved.write_bytes(whole[:position] + bytes([whole[position] ^ 1]) + whole[position + 1 :])
        assert load_cache(str(saved)) == StatCache()
        saved.write_bytes(whole[:position])
        assert load_cache(str(saved)) == StatCache()


def test_no_cache_is_an_empty_cache(tmp_path):
    """Where nothing was saved, nothing is known."""
    assert load_cache(str(tmp_path / "absent")) == StatCache()
    assert load_cache(str(tmp_path)) == StatCache()


def test_a_cache_that_cannot_be_saved_leaves_nothing_behind(tmp_path):
    """A failed save is an error with the path, and no half file stays."""
    (tmp_path / "looked").mkdir()

    with pytest.raises(TakebackError, match="cannot save the stat cache"):
        save_cache(CACHE, str(tmp_path / "looked"))
    assert [path.name for path in tmp_path.iterdir()] == ["looked"]


def test_equal_listings_have_equal_bytes():
    """A listing is proved by its bytes however its strings and numbers came to be."""
    name = str(b"name", "utf-8")
    shared = [name, 10**18, name]

    assert packed(shared) == packed(["name", int("1" + "0" * 18), str(b"name", "utf-8")])
