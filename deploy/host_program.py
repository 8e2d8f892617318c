"""Small C programs for this machine that the emulators need, compiled on first use."""

import hashlib
import os
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from keras_bc.deploy.toolchain import first_error
from keras_bc.errors import UserError


def compiled(
    source: Path,
    suffix: str,
    options: Sequence[str],
    purpose: str,
    libraries: Sequence[str] = (),
    package: str = "",
) -> Path:
    """What `source` compiles to, in the user's cache folder.

    Args:
        source: A C file; what lies beside it counts as its headers.
        suffix: Of the file.
        options: For the compiler.
        purpose: What needs it, for messages: "Counting instructions".
        libraries: For the linker.
        package: Debian's, with the libraries and their headers.

    Raises:
        UserError: There is no C compiler for this machine, or a library is missing.
    """
    folder = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "keras_bc"
    result = folder / f"{source.stem}-{_fingerprint(source)}{suffix}"
    if not result.exists():
        try:
            folder.mkdir(parents=True, exist_ok=True)
            # A place of its own: emulations that run side by side may compile it at once.
            with tempfile.TemporaryDirectory(dir=folder) as own:
                made = Path(own) / result.name
                _compile(["cc", *options, "-o", made, source, *libraries], purpose, package)
                os.replace(made, result)
        except OSError as error:
            raise UserError(f"Cannot write {folder}: {error.strerror}.") from error
    return result


def _fingerprint(source: Path) -> str:
    digest = hashlib.sha256()
    for path in sorted(source.parent.iterdir()):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def _compile(command: list, purpose: str, package: str) -> None:
    try:
        subprocess.run(command, check=True, capture_output=True, text=True, errors="replace")
    except FileNotFoundError as error:
        raise UserError(
            f"{purpose} needs a C compiler, and `cc` was not found. "
            "Install one (apt install gcc libc6-dev)."
        ) from error
    except subprocess.CalledProcessError as error:
        if package:
            raise UserError(
                f"{purpose} needs a library: {first_error(error.stderr)} (apt install {package})."
            ) from error
        raise UserError(
            f"{purpose}: its C does not compile: {first_error(error.stderr)}."
        ) from error
