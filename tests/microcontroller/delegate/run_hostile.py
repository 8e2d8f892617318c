"""Open and run each model of a folder, with the batch that it states and with one of 2:
`run_hostile.py DELEGATE FOLDER`, by test_hostile.py.

Prints a line of JSON before each model and one after: what it was refused with, or null. Where the
process dies, the last line names the model.
"""

import json
import sys
from pathlib import Path

import numpy as np
from ai_edge_litert.interpreter import Interpreter, OpResolverType, load_delegate


def run(model: bytes, delegate: str) -> None:
    interpreter = Interpreter(
        model_content=model,
        experimental_delegates=[load_delegate(delegate)],
        experimental_op_resolver_type=OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
    )
    invoke(interpreter)
    first = interpreter.get_input_details()[0]
    interpreter.resize_tensor_input(first["index"], [2, *first["shape"][1:]])
    invoke(interpreter)


def invoke(interpreter: Interpreter) -> None:
    interpreter.allocate_tensors()
    for tensor in interpreter.get_input_details():
        interpreter.set_tensor(tensor["index"], np.full(tensor["shape"], -128, tensor["dtype"]))
    interpreter.invoke()


def main(delegate: str, folder: Path) -> None:
    for path in sorted(folder.iterdir()):
        print(json.dumps({"start": path.name}), flush=True)
        refused = None
        try:
            run(path.read_bytes(), delegate)
        except (RuntimeError, ValueError) as error:
            refused = str(error)
        print(json.dumps({"file": path.name, "refused": refused}), flush=True)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
