"""The QEMU plugin that counts instructions, compiled on first use."""

import hashlib
import os
import subprocess
import tempfile
from pathlib import Path

from keras_bc.deploy.boards import MICROCONTROLLER
from keras_bc.deploy.toolchain import first_error
from keras_bc.errors import UserError

SOURCE = MICROCONTROLLER / "emulation" / "count_instructions.c"


def plugin() -> Path:
    """The plugin's shared library, in the user's cache folder.

    Returns:
        A file for QEMU's option `-plugin FILE,out=COUNTS`.

    Raises:
        UserError: There is no C compiler for this machine.
    """
    folder = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "keras_bc"
    library = folder / f"count_instructions-{_fingerprint()}.so"
    if not library.exists():
        try:
            folder.mkdir(parents=True, exist_ok=True)
            # A place of its own: emulations that run side by side may compile it at once.
            with tempfile.TemporaryDirectory(dir=folder) as own:
                compiled = Path(own) / library.name
                _compile(compiled)
                os.replace(compiled, library)
        except OSError as error:
            raise UserError(f"Cannot write {folder}: {error.strerror}.") from error
    return library


def _fingerprint() -> str:
    digest = hashlib.sha256()
    for path in sorted(SOURCE.parent.iterdir()):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def _compile(library: Path) -> None:
    command = ["cc", "-shared", "-fPIC", "-O2", "-fvisibility=hidden", "-o", library, SOURCE]
    try:
        subprocess.run(command, check=True, capture_output=True, text=True, errors="replace")
    except FileNotFoundError as error:
        raise UserError(
            "Counting instructions needs a C compiler, and `cc` was not found. "
            "Install one (apt install gcc libc6-dev)."
        ) from error
    except subprocess.CalledProcessError as error:
        raise UserError(
            f"The instruction counter does not compile: {first_error(error.stderr)}."
        ) from error
