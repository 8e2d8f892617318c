import os
import signal
import subprocess
import sys
import textwrap

import pytest

from keras_bc import files
from keras_bc.errors import UserError


def test_a_block_that_raises_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "model.tflite"
    files.write_bytes(path, b"old")
    with pytest.raises(RuntimeError), files.replacing(path) as partial:
        partial.write_bytes(b"new")
        raise RuntimeError
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_that_is_not_there_is_named(tmp_path):
    with pytest.raises(UserError, match=r"Cannot write .*No such file"):
        files.write_text(tmp_path / "nowhere" / "file", "text")


WRITER = """
    import resource, sys
    from keras_bc import files
    {limit}
    with files.replacing(sys.argv[1]) as partial:
        with partial.open("wb") as file:
            file.write(b"new" * 1000)
            file.flush()
            {then}
            file.write(b"new" * 100_000)
"""


@pytest.mark.parametrize(
    "limit, then, returned",
    [
        ("", "import os, signal; os.kill(os.getpid(), signal.SIGKILL)", -signal.SIGKILL),
        (
            "import signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN);"
            "resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, 10_000))",
            "",
            1,
        ),
    ],
    ids=["killed while writing", "no room left"],
)
def test_the_old_file_stays_when_writing_ends_early(limit, then, returned, tmp_path):
    path = tmp_path / "model.tflite"
    path.write_bytes(b"old")
    code = textwrap.dedent(WRITER).format(limit=limit, then=then)
    result = subprocess.run([sys.executable, "-c", code, str(path)], env=os.environ, check=False)
    assert result.returncode == returned
    assert path.read_bytes() == b"old"


def test_what_a_kill_left_goes_with_the_next_write(tmp_path):
    path = tmp_path / "model.tflite"
    (tmp_path / f"{files.PARTIAL}model.tflite").write_bytes(b"half")
    files.write_bytes(path, b"new")
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_is_replaced_whole(tmp_path):
    folder = tmp_path / "build" / "board"
    with files.replacing_folder(folder) as partial:
        (partial / "a").touch()
    with files.replacing_folder(folder) as partial:
        (partial / "b").touch()
    assert [path.relative_to(tmp_path) for path in sorted(tmp_path.rglob("*"))] == [
        folder.parent.relative_to(tmp_path),
        folder.relative_to(tmp_path),
        (folder / "b").relative_to(tmp_path),
    ]


def test_a_folder_that_fails_leaves_the_old_one_and_no_new_ones(tmp_path):
    old = tmp_path / "old" / "board"
    old.mkdir(parents=True)
    (old / "a").touch()
    for folder in (old, tmp_path / "new" / "board"):
        with pytest.raises(RuntimeError), files.replacing_folder(folder):
            raise RuntimeError
    assert [path.name for path in sorted(tmp_path.rglob("*"))] == ["old", "board", "a"]


def test_staged_folders_are_filled_and_other_files_in_them_stay(tmp_path):
    out = tmp_path / "out"
    for text in ("old", "new"):
        with files.staging(out) as stage:
            (stage / "inner").mkdir()
            (stage / "inner" / "a").write_text(text)
        (out / "inner" / "mine").write_text("mine")
    assert (out / "inner" / "a").read_text() == "new"
    assert sorted(path.name for path in out.rglob("*")) == ["a", "inner", "mine"]
