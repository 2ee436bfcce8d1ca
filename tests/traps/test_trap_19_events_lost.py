"""Trap 19: more was written at once than anybody can tell of."""

import pytest

from takeback.service import recording

N_FILES = 20_000


@pytest.mark.trap(19)
@pytest.mark.timeout(300)
def test_tens_of_thousands_of_files_are_found_by_one_look(scene):
    """Nothing watched while 20,000 files were written: one look finds them all, as one operation, and it is undone."""
    scene.write("mine", "mine\n")
    scene.tb("status")
    for number in range(N_FILES):
        if number % 1000 == 0:
            (scene.root / f"{number // 1000}").mkdir()
        (scene.root / f"{number // 1000}" / f"{number}").write_bytes(b"%d\n" % number)

    with scene.opened() as workspace:
        found = recording.record(workspace, "command:generator", "")
        assert len(found.changes) == N_FILES
        assert recording.record(workspace, "command:generator", "") is None

    undone = scene.tb("undo")
    assert (undone.status, len(undone.json["files"])) == (0, N_FILES)
    assert list(scene.files()) == ["mine"]
    assert [path.name for path in scene.root.iterdir()] == ["mine"]
