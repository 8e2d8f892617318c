"""A disk that is full or may not be written: the user's to put right, whoever meets it."""

import contextlib
import errno
import os
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path

from keras_bc.errors import UserError

_REFUSALS = [
    os.strerror(code)
    for code in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EACCES)
] + ["File size limit exceeded"]  # by `ulimit -f`, which ends a tool by a signal


@contextlib.contextmanager
def temporary_folder() -> Iterator[Path]:
    """Yield a folder that is gone after the block.

    Raises:
        UserError: It cannot be made, or a file of the block's cannot be written or read.
    """
    try:
        with tempfile.TemporaryDirectory(prefix="keras_bc-") as folder:
            yield Path(folder)
    except OSError as error:
        raise UserError(
            f"Cannot work in the folder for temporary files: {error.strerror or error}. "
            "Make room there, or name another one in the variable TMPDIR."
        ) from error


def refusal_in(output: str) -> str | None:
    """The line by which a tool says that it could not write, without its address in a source."""
    for line in output.splitlines():
        if any(refusal in line for refusal in _REFUSALS):
            return re.sub(r"^.*error: ", "", line.strip()).rstrip(".")
    return None
