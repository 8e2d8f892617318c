"""Run a .tflite file on the host, with our delegate loaded.

Imports neither Keras nor TensorFlow: NumPy and one TFLite runtime are enough, on a Raspberry Pi
say. Any of three runtimes will do, and gives the same integers.

    interpreter = Interpreter("out/model.tflite")
    scores = interpreter.predict(images)      # float32 in, float32 out
    integers = interpreter.run(interpreter.quantize(images))
"""

import importlib
import sys
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from keras_bc.deploy.scales import of_type, to_type
from keras_bc.errors import UserError
from keras_bc.inputs import Inputs, NamedInputs, as_list, batches, in_order

RUNTIMES = ("ai_edge_litert", "tflite_runtime", "tensorflow")
_BATCH = 256  # samples a call, so that memory stays small on large sets


def native_library() -> Path:
    """The shared object of the delegate, which exports every kernel of `kbc.h` too.

    Raises:
        UserError: It was not built.
    """
    suffix = ".dll" if sys.platform == "win32" else ".so"
    path = Path(__file__).with_name(f"libkeras_bc{suffix}")
    if not path.exists():
        raise UserError(
            f"The native library {path} is missing; it is built when keras_bc is installed: "
            "install it again, with a C compiler on the PATH."
        )
    return path


class Interpreter:
    """A .tflite file in a TFLite runtime.

    The runtime's default delegates (XNNPACK) are off: they compute the builtins in floating point
    with other roundings than TensorFlow Lite's own integer kernels, which are what the C code
    follows.

    Our layers run in the best instruction set that the CPU has: AVX-512, AVX2 or NEON, or else in
    plain C. The environment's KERAS_BC_KERNELS asks for another: avx512_icelake, avx512, avx2, neon
    or plain.

    A damaged file is an error here, but tflite-runtime 2.14 reads files without verifying them and
    may crash: where files come from strangers, `flatbuffer.read` them first, or use LiteRT.

    Args:
        model: Path of a .tflite file, or its bytes. Its inputs and outputs are int8, or float32.
        runtime: One of `RUNTIMES`; None takes the first that is installed.
        num_threads: Of builtins and of our own layers; the result does not depend on it.

    Raises:
        UserError: No such file, not a model, not one of int8 or float32, or no runtime.
    """

    def __init__(self, model: str | Path | bytes, runtime: str | None = None, num_threads: int = 1):
        self.runtime, self._api = _load_runtime(runtime)
        self._num_threads = num_threads
        self._name = "The model" if isinstance(model, bytes) else str(model)
        self._model = model if isinstance(model, bytes) else _read(Path(model))
        if self._model[4:8] != b"TFL3":
            raise UserError(
                f"{self._name} is not a .tflite file; expected one that `keras-bc export` wrote."
            )
        self._interpreter = self._open()
        self._inputs = self._interpreter.get_input_details()
        self._outputs = self._interpreter.get_output_details()
        types = {tensor["dtype"] for tensor in self._inputs + self._outputs}
        if not types <= {np.int8, np.float32}:
            raise UserError(
                f"{self._name} must have inputs and outputs of int8 or float32; export it with "
                "`keras-bc export`."
            )

    @property
    def input_shapes(self) -> list[tuple[int, ...]]:
        """Of one sample of each input, without the batch axis."""
        return [tuple(tensor["shape"].tolist()[1:]) for tensor in self._inputs]

    @property
    def output_shapes(self) -> list[tuple[int, ...]]:
        """Of one sample of each output, without the batch axis."""
        return [tuple(tensor["shape"].tolist()[1:]) for tensor in self._outputs]

    @property
    def input_names(self) -> list[str]:
        """Of each input."""
        return [tensor["name"] for tensor in self._inputs]

    def quantize(self, x: NamedInputs) -> Inputs:
        """clip(round(x / scale) + zero_point, -128, 127), halves away from zero as in TFLite.

        Args:
            x: Real values `[n, ...]`, or one such array for each input, in the model's order or by
                their names.

        Returns:
            int8, as x, or float32 for an input of that; of several inputs a list.

        Raises:
            UserError: The names are not those of the inputs.
        """
        x = self._in_order(x)
        arrays = as_list(x)
        pairs = zip(arrays, self._inputs, strict=False)  # that they are as many, `run` checks
        quantized = [
            to_type(array, tensor["dtype"], *tensor["quantization"]) for array, tensor in pairs
        ]
        return quantized[0] if isinstance(x, np.ndarray) else quantized

    def dequantize(self, y: Inputs) -> Inputs:
        """scale * (y - zero_point) in float32, with each output's scale; float32 as it is."""
        pairs = zip(as_list(y), self._outputs, strict=True)
        reals = [
            of_type(array, tensor["dtype"], *tensor["quantization"]) for array, tensor in pairs
        ]
        return reals[0] if isinstance(y, np.ndarray) else reals

    def predict(self, x: NamedInputs) -> Inputs:
        """Real values in, float32 out: `quantize`, `run`, `dequantize`."""
        return self.dequantize(self.run(self.quantize(x)))

    def run(self, x: NamedInputs) -> Inputs:
        """The model's integers.

        Args:
            x: int8 (or float32, as the model's input is) `[n, ...]`, n >= 1, or one such array for
                each input, in the model's order or by their names.

        Returns:
            int8 (or float32) `[n, ...]`, or of several outputs a list.

        Raises:
            UserError: `x` has another type, shape or names, or the file is damaged.
        """
        x = self._in_order(x)
        self._check(x)
        results = [self._invoke(self._interpreter, batch) for batch in batches(x, _BATCH)]
        outputs = [np.concatenate(parts) for parts in zip(*results, strict=True)]
        return outputs[0] if len(outputs) == 1 else outputs

    def run_all(self, x: NamedInputs) -> dict[str, np.ndarray]:
        """As `run`, but every activation: {tensor's name: integers `[n, ...]`}.

        tflite-runtime 2.14 gives some as an op left them that wrote its output over its input.
        """
        x = self._in_order(x)
        self._check(x)
        interpreter = self._open(experimental_preserve_all_tensors=True)
        self._invoke(interpreter, x)
        return {
            tensor["name"]: interpreter.get_tensor(tensor["index"])
            for tensor in interpreter.get_tensor_details()
            # What is computed has an open batch axis; constants have none.
            if tensor["name"] and -1 in tensor["shape_signature"]
        }

    def _open(self, **options):
        interpreter_class, load_delegate, resolvers = self._api
        delegate = _load_delegate(load_delegate)
        try:
            return interpreter_class(
                model_content=self._model,
                num_threads=self._num_threads,
                experimental_op_resolver_type=resolvers.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
                experimental_delegates=[delegate],
                **options,
            )
        except (ValueError, RuntimeError) as error:
            raise self._refused(error) from error

    def _invoke(self, interpreter, x: Inputs) -> list[np.ndarray]:
        arrays = {
            tensor["index"]: array for tensor, array in zip(self._inputs, as_list(x), strict=True)
        }
        try:
            for index, array in arrays.items():
                interpreter.resize_tensor_input(index, array.shape)
            interpreter.allocate_tensors()
            for index, array in arrays.items():
                interpreter.set_tensor(index, array)
            interpreter.invoke()
        except (ValueError, RuntimeError) as error:
            raise self._refused(error) from error
        return [interpreter.get_tensor(tensor["index"]) for tensor in self._outputs]

    def _refused(self, error: Exception) -> UserError:
        reason = str(error).strip().splitlines() or ["no reason given"]
        return UserError(
            f"{self.runtime} cannot run {self._name}: {reason[0]} (export the model again)"
        )

    def _in_order(self, x: NamedInputs) -> Inputs:
        return in_order(x, self.input_names) if isinstance(x, Mapping) else x

    def _check(self, x: Inputs) -> None:
        arrays = as_list(x)
        fit = [array.shape[1:] for array in arrays] == self.input_shapes
        types = [np.dtype(tensor["dtype"]) for tensor in self._inputs]
        typed = [array.dtype for array in arrays] == types and all(a.size for a in arrays)
        if not fit or not typed or len({len(array) for array in arrays}) != 1:
            expected = [
                f"{dtype} of shape [{', '.join(map(str, ('n', *shape)))}]"
                for dtype, shape in zip(types, self.input_shapes, strict=True)
            ]
            received = [f"{array.dtype} of shape {list(array.shape)}" for array in arrays]
            raise UserError(
                f"The model takes {' and '.join(expected)}, n >= 1. "
                f"Received: {' and '.join(received)}."
            )


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise UserError(f"Cannot read {path}: {error.strerror}.") from error


def _load_delegate(load_delegate):
    path = str(native_library())
    try:
        return load_delegate(path)
    except ValueError as error:
        *_, reason = str(error).splitlines() or ["no reason given"]
        raise UserError(f"keras_bc's delegate cannot be loaded: {reason}") from error


def _load_runtime(name: str | None):
    """The first runtime that imports: its name, and (Interpreter, load_delegate, resolvers)."""
    if name not in (None, *RUNTIMES):
        raise UserError(f"Unknown TFLite runtime {name}; expected one of {', '.join(RUNTIMES)}.")
    for candidate in [name] if name else RUNTIMES:
        try:
            return candidate, _import_runtime(candidate)
        except ImportError:
            continue
    raise UserError(
        f"No TFLite runtime: {name or ' or '.join(RUNTIMES)} cannot be imported; "
        f"pip install {(name or RUNTIMES[0]).replace('_', '-')}."
    )


def _import_runtime(name: str):
    if name == "tensorflow":
        lite = importlib.import_module(name).lite
        experimental = lite.experimental
        return lite.Interpreter, experimental.load_delegate, experimental.OpResolverType
    module = importlib.import_module(f"{name}.interpreter")
    return module.Interpreter, module.load_delegate, module.OpResolverType
