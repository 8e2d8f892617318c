"""The folder that an export writes, and that build, emulate and flash read."""

import json
from pathlib import Path

from keras_bc import files
from keras_bc.errors import UserError

MANIFEST = "keras_bc.json"
MODEL = "model.tflite"


def claim(folder: Path) -> None:
    """Make `folder` ours to write in.

    Raises:
        UserError: It holds files that no export wrote, or cannot be made.
    """
    if folder.exists() and not folder.is_dir():
        raise UserError(f"{folder} is a file. Give the name of a folder.")
    if folder.exists() and any(folder.iterdir()) and not (folder / MANIFEST).is_file():
        raise UserError(
            f"{folder} holds files that keras-bc did not write. Give an empty or a new folder."
        )
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"Cannot make the folder {folder}: {error.strerror}.") from error


def write_manifest(folder: Path, names: list[str]) -> None:
    """Say which files of `folder` are an export's, the mark by which `claim` knows it again."""
    text = json.dumps({"written by": "keras-bc export", "files": sorted(names)}, indent=2)
    files.write_text(folder / MANIFEST, text + "\n")


def model_file(path: Path) -> Path:
    """The `.tflite` of an export's folder, or `path` itself where it is a file.

    Raises:
        UserError: There is none.
    """
    model = path / MODEL if path.is_dir() else path
    if not model.is_file():
        raise UserError(f"There is no {model}. Make it with `keras-bc export MODEL.keras -o DIR`.")
    return model


def build_folder(path: Path, board: str) -> Path:
    """Where the firmware for `board` goes: beside the model, `build/BOARD`."""
    return model_file(path).parent / "build" / board
