"""The scripts of benchmarks/, which are no package, as modules."""

import importlib.util
from pathlib import Path

FOLDER = Path(__file__).parents[2] / "benchmarks"


def load(name: str):
    """Return benchmarks/NAME.py, imported anew."""
    spec = importlib.util.spec_from_file_location(name, FOLDER / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
