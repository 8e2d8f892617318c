"""Time a training step of few-bit layers against one of plain Keras layers.

    python benchmarks/training_step.py
    python benchmarks/training_step.py --network MLP --variant "stochastic binary" --rounds 100

One process on one thread of one core trains all variants in turn, a few steps of each in every
round, in an order drawn anew. A variant's ratio is the median over the rounds of its time by the
plain network's in the same round. Time is the process's CPU time, in which other processes do not
count; on an otherwise idle machine it is the time that passes. The learning rate is 0, so that the
gradients stay what they are in the beginning; the time does not depend on it.
"""

import json
import os
import statistics
import time
from dataclasses import replace
from pathlib import Path

import click
import numpy as np

from keras_bc import console, files, recipes
from keras_bc.quiet_import import import_tensorflow
from keras_bc.recipes.networks import RELU, mlp, vgg

RESULTS = Path(__file__).parent / "results" / "training_step.json"

PLAIN = "plain Keras"
VARIANTS = {
    PLAIN: ({}, None),
    "binary": ({"kernel_quantizer": "binary"}, 1.10),
    "stochastic binary": ({"kernel_quantizer": "stochastic_binary"}, 1.10),
    "ternary": ({"kernel_quantizer": "ternary"}, 1.20),
    "stochastic ternary": ({"kernel_quantizer": "stochastic_ternary"}, 1.20),
    "binary, sign activations": (
        {"kernel_quantizer": "binary", "activation": (("SignActivation", {}),)},
        1.20,
    ),
    "stochastic ternary, quantized back-propagation": (
        {"kernel_quantizer": "stochastic_ternary", "backprop_quantizer": "power_of_two"},
        None,
    ),
}
"""Arguments of the network, and the ratio that the project promises."""

NETWORKS = ("MLP", "CNN", "CNN, jit")
STEPS = {"MLP": 4, "CNN": 1, "CNN, jit": 1}
"""In each round."""


def recipe(network: str, arguments: dict) -> recipes.Recipe:
    """Return the recipe of BinaryConnect's MLP, or of its CNN made narrow, compiled or not."""
    base = recipes.find("mnist-mlp-short")
    arguments = {"activation": (RELU,), **arguments}
    if network == "MLP":
        return replace(base, layers=mlp(1024, 1024, 1024, 10, **arguments))
    return replace(
        base,
        input_shape=(32, 32, 3),
        layers=vgg(32, 64, units=256, **arguments),
        batch_size=50,
        jit_compile=network == "CNN, jit",
    )


class Stepper:
    """A model and a batch to train it on, again and again."""

    def __init__(self, experiment: recipes.Recipe):
        import keras

        self.model = recipes.build(experiment)
        self.model.optimizer.learning_rate = 0.0
        random = np.random.default_rng(0)
        shape = (experiment.batch_size, *experiment.input_shape)
        self.x = keras.ops.convert_to_tensor(random.uniform(-1, 1, shape), "float32")
        labels = random.integers(10, size=experiment.batch_size)
        self.y = keras.ops.convert_to_tensor(recipes.targets(labels, 10))

    def seconds(self, steps: int) -> float:
        """Train so many steps and return the seconds that each took."""
        start = time.process_time()
        for _ in range(steps):
            self.model.train_on_batch(self.x, self.y)
        return (time.process_time() - start) / steps


def measure(network: str, variants: list[str], rounds: int) -> list[dict]:
    """Return a row for each of these variants of one network; the plain one is among them."""
    steppers = {name: Stepper(recipe(network, VARIANTS[name][0])) for name in variants}
    for stepper in steppers.values():
        stepper.seconds(2)  # traces and compiles
    times = {name: [] for name in variants}
    random = np.random.default_rng(0)
    with console.counting(network, rounds) as progress:
        for done in range(rounds):
            for name in random.permutation(variants).tolist():
                times[name].append(steppers[name].seconds(STEPS[network]))
            progress(done + 1)
    plain = times[PLAIN]
    return [
        {
            "network": network,
            "variant": name,
            "milliseconds": round(1000 * statistics.median(seconds), 2),
            "ratio": round(statistics.median(np.divide(seconds, plain).tolist()), 3),
            "limit": VARIANTS[name][1],
        }
        for name, seconds in times.items()
    ]


def table(rows: list[dict]) -> list[dict]:
    """One line a variant, the networks side by side."""
    lines = {}
    for row in rows:
        line = lines.setdefault(row["variant"], {"variant": row["variant"]})
        line[f"{row['network']} (ms)"] = row["milliseconds"]
        line[f"{row['network']} (ratio)"] = row["ratio"]
        line["limit"] = line.pop("limit", row["limit"])  # the last column
    return list(lines.values())


def keep_to_one_thread() -> None:
    """Bind this process to one core; to be called before TensorFlow counts them."""
    os.environ.update(TF_NUM_INTRAOP_THREADS="1", TF_NUM_INTEROP_THREADS="1")
    os.environ["CUDA_VISIBLE_DEVICES"] = "-1"
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})


@click.command(help=__doc__.splitlines()[0])
@click.option("--network", type=click.Choice(NETWORKS), help="Only this one.")
@click.option("--variant", type=click.Choice(list(VARIANTS)), help="Only this and the plain one.")
@click.option("--rounds", type=click.IntRange(1), default=40, show_default=True)
@click.option(
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Where to write the figures; benchmarks/results/training_step.json where nothing is left "
    "out.",
)
def main(network, variant, rounds, output):
    keep_to_one_thread()
    import_tensorflow()
    import keras
    import tensorflow as tf

    tf.get_logger().setLevel("ERROR")  # a model each is no retracing
    variants = [name for name in VARIANTS if variant is None or name in (PLAIN, variant)]
    networks = [network] if network else NETWORKS
    rows = [row for name in networks for row in measure(name, variants, rounds)]
    console.table("A training step, and its ratio to the plain network's", table(rows))
    output = output or (None if network or variant else RESULTS)
    if output:
        versions = {"tensorflow": tf.__version__, "keras": keras.__version__}
        result = {"threads": 1, "rounds": rounds, "versions": versions, "rows": rows}
        files.write_text(output, json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main()
