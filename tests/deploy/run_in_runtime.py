"""Run models in another Python: `run_in_runtime.py FOLDER RUNTIME`, by test_interpreter.py.

FOLDER holds pairs N.tflite and N.npy, the int8 inputs; N.npz is made, with every activation.
"""

import sys
from pathlib import Path

import numpy as np

from keras_bc.deploy.interpreter import Interpreter


def main(folder: Path, runtime: str) -> None:
    for model in sorted(folder.glob("*.tflite")):
        x = np.load(model.with_suffix(".npy"))
        interpreter = Interpreter(model, runtime=runtime)
        activations = interpreter.run_all(x)
        names = [name.replace("/", "|") for name in activations]
        np.savez(model.with_suffix(".npz"), **dict(zip(names, activations.values(), strict=True)))
    heavy = {"keras", "tensorflow"} & set(sys.modules) if runtime != "tensorflow" else None
    if heavy:
        sys.exit(f"The interpreter imported {heavy}.")


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
