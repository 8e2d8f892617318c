"""The folder that an export writes, and that build, emulate and flash read."""

import json
from pathlib import Path

from keras_bc import files
from keras_bc.deploy import flatbuffer
from keras_bc.deploy.graph import Graph
from keras_bc.errors import UserError

MANIFEST = "keras_bc.json"
MODEL = "model.tflite"
_OPTIONS = ("namespace", "const_in_flash")  # of the C sources, in an export's manifest
_AUTHOR = "keras-bc"


def check(folder: Path) -> None:
    """Stop with a UserError where `folder` holds files that no export wrote."""
    if folder.exists() and not folder.is_dir():
        raise UserError(f"{folder} is a file. Give the name of a folder.")
    if holds_files(folder) and _manifest(folder) is None:
        raise UserError(
            f"{folder} holds files that keras-bc did not write. Give an empty or a new folder."
        )


def check_replaceable(folder: Path) -> None:
    """Stop with a UserError unless all files in `folder` are listed in a manifest of ours."""
    check(folder)
    if not holds_files(folder):
        return
    ours = [MANIFEST, *_manifest(folder)["files"]]
    for name in contents(folder):
        if name not in ours and not name.startswith(files.PARTIAL):
            raise UserError(
                f"{folder} is to be replaced, but keras-bc did not write {name} in it. Move "
                "that elsewhere."
            )


def _manifest(folder: Path) -> dict | None:
    """What we wrote into `folder`; None where it was somebody else, or nobody."""
    try:
        manifest = json.loads((folder / MANIFEST).read_text())
        ours = manifest["written by"] == _AUTHOR and isinstance(manifest["files"], list)
        return manifest if ours else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def holds_files(folder: Path) -> bool:
    """Whether there is anything in `folder` but what a kill left unfinished."""
    if not folder.exists():
        return False
    return any(not path.name.startswith(files.PARTIAL) for path in folder.iterdir())


def claim(folder: Path, names: list[str]) -> None:
    """Make `folder` ours to write in: its manifest is the mark by which `check` knows it again.

    Args:
        folder: Made where there is none.
        names: The files that are about to be written into it.

    Raises:
        UserError: It is somebody else's, or cannot be made.
    """
    check(folder)
    with files.staging(folder) as stage:
        sign(stage, names)


def contents(folder: Path) -> list[str]:
    """The files in `folder` and in the folders within it, relative to it."""
    return sorted(
        path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()
    )


def sign(folder: Path, names: list[str], options: dict | None = None) -> None:
    """Write the manifest of a folder whose files `names` are ours.

    Args:
        folder: Where it goes.
        names: As `contents` gives them.
        options: Of an export: how its C sources are written, for `source_options`.
    """
    manifest = {"written by": _AUTHOR, "files": sorted(names), **(options or {})}
    (folder / MANIFEST).write_text(json.dumps(manifest, indent=2) + "\n")


def source_options(path: Path) -> dict:
    """How the C sources of an export were asked for: keywords of `c_source.emit`.

    Args:
        path: The export's folder, or a `.tflite`; one that lies elsewhere has no wishes.
    """
    manifest = _manifest(model_file(path).parent) or {}
    return {key: manifest[key] for key in _OPTIONS if key in manifest}


def exported_files(folder: Path) -> list[Path]:
    """What an export wrote into `folder`; nothing where something else did."""
    manifest = _manifest(folder) or {}
    if not manifest.keys() >= set(_OPTIONS):
        return []
    inside = folder.resolve()
    paths = [folder / str(name) for name in manifest["files"]]
    return [path for path in paths if inside in path.resolve().parents and path.is_file()]


def model_file(path: Path) -> Path:
    """The `.tflite` of an export's folder, or `path` itself where it is a file.

    Raises:
        UserError: There is none.
    """
    model = path / MODEL if path.is_dir() else path
    if path.is_dir() and not model.exists() and exported_files(path):
        raise UserError(
            f"{path} holds C sources alone. Export the model again without --c-only: the "
            ".tflite file is what is built, run and read."
        )
    if not model.is_file():
        raise UserError(
            f"There is no model file {model}. Make one with `keras-bc export MODEL.keras -o OUT`."
        )
    if model.suffix == ".keras":
        raise UserError(f"{model} is not exported yet. Run `keras-bc export {model} -o OUT`.")
    return model


def read_model(path: Path) -> Graph:
    """The integer graph in `model_file(path)`.

    Raises:
        UserError: There is no such file, or it cannot be read.
    """
    model = model_file(path)
    try:
        return flatbuffer.read(model.read_bytes())
    except OSError as error:
        raise UserError(f"Cannot read {model}: {error.strerror}.") from error
    except UserError as error:
        raise UserError(f"{model}: {error}") from error


def build_folder(path: Path, board: str) -> Path:
    """Where the firmware for `board` goes: beside the model, `build/BOARD`."""
    return model_file(path).parent / "build" / board
