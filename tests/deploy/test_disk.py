import errno
import os

import pytest

from keras_bc.deploy import disk
from keras_bc.errors import UserError


def test_a_temporary_folder_is_gone_after_its_block():
    with disk.temporary_folder() as folder:
        (folder / "file").touch()
    assert not folder.exists()


def test_what_the_disk_refuses_is_the_users():
    message = r"folder for temporary files: No space left on device\. .*TMPDIR"
    with pytest.raises(UserError, match=message), disk.temporary_folder():
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_what_went_wrong_in_a_block_passes():
    with pytest.raises(ValueError, match="ours"), disk.temporary_folder():
        raise ValueError("ours")


@pytest.mark.parametrize(
    ("output", "refusal"),
    [
        (
            "main.c: warning: unused\nx.s: fatal error: error writing to x.s: "
            "No space left on device\ncompilation terminated.\n",
            "error writing to x.s: No space left on device",
        ),
        ("objcopy: x.bin: File too large.\n", "objcopy: x.bin: File too large"),
        ("main.c:1: error: `x' undeclared\n", None),
        ("", None),
    ],
)
def test_a_refusal_is_found_in_what_a_tool_printed(output, refusal):
    assert disk.refusal_in(output) == refusal
