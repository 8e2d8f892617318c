"""Time inference on the host, beside TensorFlow Lite's float32 and int8 kernels (XNNPACK).

    python benchmarks/host.py
    python benchmarks/host.py --network MLP --rounds 200 --threads 2

One process runs the models in turn, a few inferences of each in every round, in an order drawn
anew. Times are medians over the rounds; a ratio is the median over the rounds of the time of a
peer by ours in the same round. On one thread, time is the thread's CPU time, in which other processes
do not count, though they share the caches; on an otherwise idle machine it is the time that passes.
On more threads it is the time that passes. All weights are random; the batch is one example.
"""

import json
import platform
import statistics
import time
from dataclasses import dataclass, replace
from pathlib import Path

import click
import numpy as np

from keras_bc import console, files, recipes
from keras_bc.quiet_import import import_tensorflow
from keras_bc.recipes.networks import RELU, mlp, vgg

RESULTS = Path(__file__).parent / "results" / "host.json"

SIGN = (("SignActivation", {}),)
OURS = {
    "1-bit weights and activations": {"kernel_quantizer": "binary", "activation": SIGN},
    "1-bit weights, 8-bit activations": {"kernel_quantizer": "binary", "activation": (RELU,)},
    "ternary weights, 1-bit activations": {"kernel_quantizer": "ternary", "activation": SIGN},
    "ternary weights, 8-bit activations": {"kernel_quantizer": "ternary", "activation": (RELU,)},
}
"""Arguments of the network."""
FLOAT32, INT8 = "float32 XNNPACK", "int8 XNNPACK"
PEERS = {FLOAT32: "x float32", INT8: "x int8"}
"""The columns of their ratios."""

CALIBRATION_SAMPLES = 4
SECONDS = 0.02
"""Of inferences of each model in a round, at least one."""


@dataclass(frozen=True)
class Network:
    """A topology, as a function of the arguments of its layers."""

    name: str
    summary: str
    input_shape: tuple[int, ...]
    layers: callable


NETWORKS = {
    network.name: network
    for network in (
        Network(
            "MLP",
            "784-3x4096-10",
            (784,),
            lambda **arguments: mlp(4096, 4096, 4096, 10, **arguments),
        ),
        Network(
            "CNN",
            "2x128C3-MP2-2x256C3-MP2-2x512C3-MP2-2x1024FC-10",
            (32, 32, 3),
            lambda **arguments: vgg(128, 256, 512, **arguments),
        ),
    )
}


def build(network: Network, **arguments):
    """Return a Keras model of the network with random weights."""
    base = recipes.find("cifar10-cnn")
    layers = network.layers(**{"activation": (RELU,), **arguments})
    return recipes.build(replace(base, input_shape=network.input_shape, layers=layers))


def samples(network: Network) -> np.ndarray:
    """Return a few inputs, to calibrate on."""
    shape = (CALIBRATION_SAMPLES, *network.input_shape)
    return np.random.default_rng(0).uniform(-1, 1, shape).astype(np.float32)


def convert_ours(network: Network, arguments: dict) -> bytes:
    """Return a bit-packed .tflite file."""
    from keras_bc.deploy import export, flatbuffer

    model = build(network, **arguments)
    return flatbuffer.write(export.to_graph(model, samples(network)))


def convert_peer(network: Network, int8: bool) -> bytes:
    """Return a .tflite file of the same topology with ordinary weights."""
    import tensorflow as tf

    converter = tf.lite.TFLiteConverter.from_keras_model(build(network))
    if int8:
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.representative_dataset = lambda: ([x[None]] for x in samples(network))
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        converter.inference_input_type = converter.inference_output_type = tf.int8
    return converter.convert()


def convert(network: Network) -> dict[str, bytes]:
    """Return the network's models by name."""
    models = {name: convert_ours(network, arguments) for name, arguments in OURS.items()}
    return models | {FLOAT32: convert_peer(network, False), INT8: convert_peer(network, True)}


class Runner:
    """A model in LiteRT: ours with the delegate, a peer's with XNNPACK."""

    def __init__(self, name: str, model: bytes, threads: int):
        from ai_edge_litert.interpreter import Interpreter, load_delegate

        from keras_bc.deploy.interpreter import native_library

        ours = name in OURS
        delegates = [load_delegate(str(native_library()))] if ours else None
        self.interpreter = Interpreter(
            model_content=model, num_threads=threads, experimental_delegates=delegates
        )
        self.interpreter.allocate_tensors()
        (tensor,) = self.interpreter.get_input_details()
        x = np.random.default_rng(1).uniform(-100, 100, tensor["shape"])
        self.interpreter.set_tensor(tensor["index"], x.astype(tensor["dtype"]))
        self._clock = time.thread_time if threads == 1 else time.perf_counter
        self.seconds(1)
        self.count = max(1, round(SECONDS / self.seconds(1)))

    def seconds(self, count: int) -> float:
        """Run so many inferences, and return the seconds that each took."""
        start = self._clock()
        for _ in range(count):
            self.interpreter.invoke()
        return (self._clock() - start) / count


def measure(network: Network, models: dict[str, bytes], rounds: int, threads: int) -> list[dict]:
    """Return a row for each model."""
    runners = {name: Runner(name, model, threads) for name, model in models.items()}
    times = {name: [] for name in runners}
    random = np.random.default_rng(0)
    with console.counting(network.name, rounds) as progress:
        for done in range(rounds):
            for name in random.permutation(list(runners)).tolist():
                times[name].append(runners[name].seconds(runners[name].count))
            progress(done + 1)
    return [
        {
            "network": network.name,
            "model": name,
            "bytes": len(models[name]),
            "milliseconds": round(1000 * statistics.median(seconds), 4),
            **{
                column: round(statistics.median(np.divide(times[peer], seconds).tolist()), 2)
                for peer, column in PEERS.items()
            },
        }
        for name, seconds in times.items()
    ]


def cpu_name() -> str:
    """Return what the system calls the processor."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    names = [line.split(":")[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def models_of(network: Network, folder: Path | None) -> dict[str, bytes]:
    """Return the models, from where an earlier run kept them or converted and kept there."""
    kept = folder / network.name if folder else None
    if kept and kept.exists():
        return {path.stem: path.read_bytes() for path in sorted(kept.glob("*.tflite"))}
    models = convert(network)
    if kept:
        kept.mkdir(parents=True)
        for name, data in models.items():
            (kept / f"{name}.tflite").write_bytes(data)
    return models


@click.command(help=__doc__.splitlines()[0])
@click.option("--network", type=click.Choice(list(NETWORKS)), help="Only this one.")
@click.option("--rounds", type=click.IntRange(1), default=100, show_default=True)
@click.option("--threads", type=click.IntRange(1), default=1, show_default=True)
@click.option(
    "--models",
    type=click.Path(path_type=Path, file_okay=False),
    help="Keep the models in this folder, and take those that are there.",
)
@click.option(
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Where to write the figures; benchmarks/results/host.json of all networks on one thread.",
)
def main(network, rounds, threads, models, output):
    import_tensorflow()
    chosen = [NETWORKS[network]] if network else list(NETWORKS.values())
    rows = [row for one in chosen for row in measure(one, models_of(one, models), rounds, threads)]
    console.table("An inference, and how many times longer the peers take", rows)
    output = output or (None if network or threads > 1 else RESULTS)
    if output:
        result = {
            "cpu": cpu_name(),
            "threads": threads,
            "rounds": rounds,
            "networks": {one.name: one.summary for one in chosen},
            "rows": rows,
        }
        files.write_text(output, json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main()
