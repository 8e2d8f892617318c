"""Files are written whole or not at all."""

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from keras_bc.errors import UserError

PARTIAL = ".partial-"
"""How the names of unfinished files and folders start."""


@contextlib.contextmanager
def replacing(path: str | Path) -> Iterator[Path]:
    """Yield a temporary path beside `path`, and move it over `path` when the block ends well.

    A reader sees the old file or the new one, never half of one: the move is atomic because both
    lie on one file system. When the block raises, or the disk is full, the old file stays.

    Args:
        path: The file to write. Its folder must exist.

    Raises:
        UserError: The file cannot be written (no such folder, no permission, disk full).
    """
    path = Path(path)
    check_writable(path)
    partial = _partial(path)
    try:
        yield partial
        with partial.open("rb") as file:
            os.fsync(file.fileno())
        os.replace(partial, path)
    except OSError as error:
        raise UserError(f"Cannot write {path}: {error.strerror or error}.") from error
    finally:
        partial.unlink(missing_ok=True)


@contextlib.contextmanager
def replacing_folder(path: str | Path) -> Iterator[Path]:
    """Yield a temporary folder beside `path`, and put it in place of `path` when all went well.

    When the block raises, the old folder stays, and none is left that was not there before. Where
    several write the same folder at once, it is the last one's.

    Args:
        path: The folder to write. Those above it are made.

    Raises:
        UserError: The folder cannot be written (no permission, disk full).
    """
    path = Path(path)
    parent_is_new = not path.parent.exists()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        prefix = _partial(path).name + "-"
        with tempfile.TemporaryDirectory(dir=path.parent, prefix=prefix) as temporary:
            new = Path(temporary) / "new"
            new.mkdir()
            yield new
            _swap(new, path, Path(temporary))
    except OSError as error:
        raise UserError(f"Cannot write {path}: {error.strerror or error}.") from error
    finally:
        if parent_is_new:
            with contextlib.suppress(OSError):  # it is in use
                path.parent.rmdir()


@contextlib.contextmanager
def staging(folder: str | Path) -> Iterator[Path]:
    """Yield a temporary folder whose files all move into `folder` when the block ends well.

    Folders within it are made in `folder` too. When the block raises, or the disk is full, `folder`
    is as it was, or is not there. Other files in it stay.

    Args:
        folder: Made where there is none.

    Raises:
        UserError: A file cannot be written.
    """
    folder = Path(folder)
    made = not folder.exists()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        # In the folder itself, so that a move copies nothing.
        with tempfile.TemporaryDirectory(dir=folder, prefix=PARTIAL) as stage:
            yield Path(stage)
            for path in sorted(path for path in Path(stage).rglob("*") if path.is_file()):
                target = folder / path.relative_to(stage)
                target.parent.mkdir(parents=True, exist_ok=True)
                os.replace(path, target)
    except OSError as error:
        raise UserError(f"Cannot write into {folder}: {error.strerror or error}.") from error
    finally:
        if made:
            with contextlib.suppress(OSError):  # it is in use
                folder.rmdir()


def _swap(new: Path, path: Path, attic: Path) -> None:
    """Move the folder `new` to `path`, and what is there into `attic`."""
    old = attic / "old"
    while True:
        with contextlib.suppress(FileNotFoundError):
            os.replace(path, old)
        try:
            os.replace(new, path)
            return
        except OSError:
            if not path.exists():
                if old.exists():
                    os.replace(old, path)
                raise
            # Somebody else was faster; theirs goes the way of the old one.
            old = old.with_name(f"{old.name}er")


def check_writable(path: str | Path) -> None:
    """Raise a UserError where `path` cannot be written."""
    path = Path(path)
    if path.is_dir():
        raise UserError(f"Cannot write {path}: it is a folder. Give the name of a file.")
    partial = _partial(path)
    try:
        partial.touch()
        partial.unlink()
    except OSError as error:
        raise UserError(f"Cannot write {path}: {error.strerror}.") from error


def _partial(path: Path) -> Path:
    """Where a file grows: a name of its own, so that what a kill leaves is replaced the next time.

    The suffix is kept: Keras and NumPy choose the format by it.
    """
    return path.with_name(PARTIAL + path.name)


def write_bytes(path: str | Path, data: bytes) -> None:
    """Write `data` to `path`, whole or not at all."""
    with replacing(path) as partial:
        partial.write_bytes(data)


def write_text(path: str | Path, text: str) -> None:
    """Write `text` to `path` in UTF-8, whole or not at all."""
    write_bytes(path, text.encode())
