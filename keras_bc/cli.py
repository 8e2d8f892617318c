"""The `keras-bc` command: it parses, calls, and prints.

It is the roof over training and deployment, which know nothing of it. Their modules are imported
inside the commands, so that `keras-bc --help` answers at once.
"""

import functools
import json
import sys
from pathlib import Path

import click

from keras_bc.errors import UserError
from keras_bc.quiet_import import import_tensorflow


class _Group(click.Group):
    """Prints a user's mistake as one line, and exits with code 1."""

    def invoke(self, ctx: click.Context):
        try:
            return super().invoke(ctx)
        except UserError as error:
            raise click.ClickException(str(error)) from error


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="keras_bc")
def main():
    """Train networks with one-bit weights in Keras, and run them on microcontrollers.

    The usual way: train (or save a model of your own), export, emulate, flash.
    """


def _shared(command):
    """--json and --quiet, which every command takes.

    The command returns its result and a function that shows it to people.
    """

    @click.option("--json", "as_json", is_flag=True, help="Print one JSON object and nothing else.")
    @click.option("--quiet", is_flag=True, help="Show no progress.")
    @functools.wraps(command)
    def wrapped(as_json, quiet, **arguments):
        from keras_bc import console

        console.quiet = quiet
        result, show = command(**arguments)
        if as_json:
            click.echo(json.dumps(result))
        else:
            show(result)

    return wrapped


_dataset = click.option(
    "--dataset",
    metavar="NAME|FILE.npz",
    help="mnist, mnist-centered, cifar10, cifar10-whitened, svhn, svhn-normalized, digits, or a "
    "file with the arrays x (for several inputs one by the name of each) and y. Default: the "
    "recipe's.",
)
_board = click.option(
    "--board", required=True, metavar="NAME", help="A board's name (see `keras-bc boards`)."
)
_folder = click.argument("folder", type=click.Path(path_type=Path), metavar="OUT")


@main.command()
@click.argument("recipe", required=False)
@click.option("--list", "listing", is_flag=True, help="List the recipes and stop.")
@click.option("-o", "output", type=click.Path(path_type=Path), help="Default: RECIPE.keras.")
@click.option("--epochs", type=int, metavar="N", help="Spread the schedule over N epochs.")
@click.option("--resume", is_flag=True, help="Go on with a training that was stopped.")
@_dataset
@click.option("--seed", type=int, default=0, show_default=True, help="Of weights, order and draws.")
@_shared
def train(recipe, listing, output, epochs, resume, dataset, seed):
    """Train RECIPE and save its best epoch, ready to be exported.

    Beside the model come its history (.history.json) and its curves (.png).
    """
    from keras_bc import console, results

    if listing:
        rows = results.listing()
        title = "Recipes; test errors in percent: published, and our best, with these weights"
        return {"recipes": rows}, lambda _: console.table(title, rows)
    if recipe is None:
        raise click.UsageError("Name a recipe; `keras-bc train --list` shows them.")
    import_tensorflow()
    from keras_bc.training import train as fit

    output = output or Path(f"{recipe}.keras")
    history = fit(recipe, output, epochs, resume, dataset, seed, quiet=console.quiet)
    result = {key: history[key] for key in ("recipe", "epochs", "best_epoch")}
    result |= {"model": str(output), "validation_error": history["best_validation_error"]}
    return result, lambda _: click.echo(
        f"{output}: validation error {result['validation_error']:.2f} % in epoch "
        f"{result['best_epoch']} of {result['epochs']}"
    )


@main.command()
@click.argument("model", type=click.Path(path_type=Path), metavar="MODEL.keras|MODEL.tflite")
@_dataset
@click.option(
    "--weights",
    default="deployed",
    show_default=True,
    metavar="real|deployed|ensemble:N",
    help="The float weights of the training, the few-bit weights that the chip gets, or the mean "
    "of N networks with drawn weights.",
)
@_shared
def evaluate(model, dataset, weights):
    """Measure MODEL's test error.

    Of a named data set the test examples are used, of a file all: give one that holds none that
    the model was trained on.
    """
    from keras_bc import console, datasets, models

    if model.suffix == ".keras":
        import_tensorflow()
        from keras_bc.evaluation import evaluate as measure
        from keras_bc.model_inputs import input_names

        network = models.load(model)
        name = models.dataset_of(network.name, dataset)
        test = datasets.load_test(name, input_names(network))
        # Saved statistics fit the deployed weights; for others they are estimated anew.
        train_x = None if weights == "deployed" else _training_examples(network, name)
        with console.working("evaluating"):
            result = measure(network, test.x, test.y, weights, train_x)
    else:
        from keras_bc.deploy import verify, workspace

        if weights != "deployed":
            raise UserError(f"{model} holds the deployed weights alone. Leave --weights out.")
        graph = workspace.read_model(model)
        test = datasets.load_test(models.dataset_of(graph.name, dataset), graph.inputs)
        with console.working("evaluating"):
            result = verify.evaluate(model, test.x, test.y)
    return result, lambda _: click.echo(
        f"{result['error']:.2f} % error on {result['samples']:,} samples, "
        f"{result['weights']} weights"
    )


def _training_examples(network, dataset):
    """The inputs that a model was trained on: never those of a file that it is tested on."""
    from keras_bc import datasets, models
    from keras_bc.model_inputs import input_names

    if datasets.is_file(dataset):
        try:
            dataset = models.dataset_of(network.name, None)
        except UserError as error:
            raise UserError(
                f"Batch norm is re-estimated for these weights on training examples, and those of "
                f"the model '{network.name}' are not known. Give its data set by name, or call "
                "keras_bc.evaluate with train_x in Python."
            ) from error
    return datasets.load_calibration(dataset, input_names(network)).x


@main.command()
@click.argument("model", type=click.Path(path_type=Path), metavar="MODEL.keras")
@_shared
def summary(model):
    """Show what each layer costs once deployed: bits, bytes, MACs, multiplications."""
    from keras_bc import models

    import_tensorflow()
    from keras_bc.model_summary import describe, show

    network = models.load(model)
    return describe(network), lambda described: show(network.name, described)


class _Activations(click.Choice):
    """How wide activations are; says why there is no wider integer."""

    def convert(self, value, param, ctx):
        if value == "int16":
            self.fail(
                "16-bit activations are not offered, and not needed: with 8 bits the networks that "
                "were measured lose next to nothing (docs/calibration.md). Use int8; where the "
                "report of the export shows a loss, try another --calibration, or samples for "
                "--calibrate that are more like those of its use.",
                param,
                ctx,
            )
        return super().convert(value, param, ctx)


@main.command()
@click.argument("model", type=click.Path(path_type=Path), metavar="MODEL.keras")
@click.option("-o", "folder", required=True, type=click.Path(path_type=Path), metavar="OUT")
@click.option(
    "--calibrate",
    metavar="NAME|FILE.npz",
    help="What the 8-bit activations' ranges are measured on. Default: the recipe's data set.",
)
@click.option(
    "--calibration",
    default="mse",
    show_default=True,
    metavar="minmax|mse|percentile[:P]",
    help="How the ranges are chosen: the extremes, the least squared error, or all but the "
    "greatest and least 100-P percent (P is 99.99).",
)
@click.option(
    "--activations",
    type=_Activations(["int8", "float32"]),
    default="int8",
    show_default=True,
    help="What flows between the layers; float32 is for hosts, and writes no C sources.",
)
@click.option(
    "--keep-float",
    multiple=True,
    metavar="LAYER",
    help="Let a layer compute in floating point; for several, give it again.",
)
@click.option("--c-only", is_flag=True, help="Write the C sources and kernels alone, no .tflite.")
@click.option(
    "--namespace",
    default="model",
    show_default=True,
    metavar="NAME",
    help="Prefix of the C files, functions and constants: one for each model of a program.",
)
@click.option(
    "--const-in-flash",
    is_flag=True,
    help="Put all of the model that is constant into the section .rodata.kbc, for linker scripts "
    "that would copy .rodata to RAM. Where the chip's flash is no readable memory (AVR), the "
    "compiler stops.",
)
@click.option(
    "--evaluate",
    "evaluation",
    metavar="NAME|FILE.npz",
    help="What the errors before and after are measured on. Default: the same data set; of a named "
    "one the test examples, of a file all.",
)
@click.option(
    "--samples",
    type=click.IntRange(1),
    default=1000,
    show_default=True,
    metavar="N",
    help="How many of the first examples the errors are measured on.",
)
@_shared
def export(model, folder, calibrate, evaluation, samples, **options):
    """Write MODEL as a bit-packed OUT/model.tflite and as C sources.

    The sources need nothing but a compiler: cc -IOUT OUT/*.c OUT/kbc/*.c

    Reported are the test error of MODEL and that of its integers, which are bit for bit those of
    the host and of a chip, and the layers with the least signal-to-noise ratio.
    """
    from keras_bc import console, models
    from keras_bc.deploy import workspace
    from keras_bc.deploy.export_options import Options

    Options(**options).check()
    workspace.check(folder)
    import_tensorflow()
    from keras_bc.deploy import accuracy
    from keras_bc.deploy import export as steps

    network = models.load(model)
    steps.check(network, **options)  # before data are looked for
    inputs = None
    if options["activations"] == "int8":
        inputs = steps.calibration_samples(network, calibrate)
    test, reason = _labelled(network, calibrate, evaluation, samples)
    with console.working("exporting"):
        written = steps.export(network, inputs, folder, **options)
    compared = None
    if test:
        with console.counting("measuring", len(test)) as progress:
            compared = accuracy.compare(network, written.graph, test, progress)
    result = {
        "tflite_bytes": written.tflite_bytes,
        "weight_bytes": written.weight_bytes,
        "layers": written.layers,
        "calibration": options["calibration"],
        "accuracy": compared and accuracy.as_dict(compared),
        "noise": [] if inputs is None else accuracy.noise(network, written.graph, inputs),
    }

    def show(_):
        title = f"{folder}: C sources"
        if written.model is not None:
            title = f"{written.model}: {written.tflite_bytes:,} bytes"
        console.table(title, written.layers)
        if written.no_sources is not None:
            click.echo(f"No C sources: {written.no_sources}")
        console.accuracy(result, reason)

    return result, show


def _labelled(network, calibrate, evaluation, count):
    """Samples to measure errors on, or None and why there are none, where none were asked for."""
    from keras_bc import models
    from keras_bc.deploy import accuracy

    try:
        name = models.dataset_of(network.name, evaluation or calibrate)
        return accuracy.labelled_samples(network, name, count), None
    except UserError as error:
        if evaluation:
            raise
        return None, str(error)


@main.command()
@click.argument("model", type=click.Path(path_type=Path), metavar="MODEL.tflite")
@_shared
def inspect(model):
    """Show what is in MODEL: ops, shapes, types, quantization, options, bytes."""
    from keras_bc import console
    from keras_bc.deploy import inspection

    return inspection.inspect(model), console.inspection


@main.command()
@_shared
def boards():
    """List the boards that firmware can be built for."""
    from keras_bc import console
    from keras_bc.deploy import boards as known

    rows = [
        {
            "board": board.name,
            "cpu": board.cpu,
            "flash_kb": board.flash.size // 1024,
            "ram_kb": board.ram.size // 1024,
            "emulator": board.emulator,
            "flasher": board.flasher,
            "title": board.title,
        }
        for board in known.all()
    ]

    def show(_):
        keys = ("board", "title", "flash_kb", "ram_kb", "flasher")
        lines = [{key: row[key] for key in keys} for row in rows]
        emulated = [{"emulated": "yes" if row["emulator"] else "no"} for row in rows]
        console.table("Boards", [a | b for a, b in zip(lines, emulated, strict=True)])

    return {"boards": rows}, show


@main.command()
@_folder
@_board
@_shared
def build(folder, board):
    """Build the firmware of an export, OUT, for a board."""
    from keras_bc import console
    from keras_bc.deploy import boards as known
    from keras_bc.deploy import firmware, workspace

    with console.working("building"):
        target = known.find(board)
        built = firmware.build(folder, target, workspace.build_folder(folder, target.name))
    keys = ("flash_bytes", "code_bytes", "model_bytes", "ram_bytes")
    result = {key: getattr(built, key) for key in keys}
    return result, lambda _: click.echo(
        f"{built.elf}: flash {built.flash_bytes:,} bytes (code {built.code_bytes:,}, "
        f"model {built.model_bytes:,}), RAM {built.ram_bytes:,} bytes"
    )


@main.command()
@_folder
@_board
@_dataset
@click.option("--samples", type=click.IntRange(1), metavar="N", help="Default: the whole test set.")
@click.option("--profile", is_flag=True, help="Count instructions, exactly, by layer.")
@_shared
def emulate(folder, board, dataset, samples, profile):
    """Run OUT on an emulated board, and compare it with the host.

    Each output must be the host's in every bit; an output that is not counts as a mismatch.
    """
    from keras_bc import console, datasets, models
    from keras_bc.deploy import boards as known
    from keras_bc.deploy import verify, workspace

    target = known.find(board)
    graph = workspace.read_model(folder)
    name = models.dataset_of(graph.name, dataset)
    test = datasets.load_test(name, graph.inputs).head(samples)
    with console.counting(f"emulating {board}", len(test)) as progress:
        result = verify.emulate(folder, target, test.x, test.y, profile, progress)
    return result, console.emulation


@main.command()
@_folder
@_board
@click.option("--gdb", metavar="HOST:PORT", help="Load through a GDB server, not a debug probe.")
@click.option("--dry-run", is_flag=True, help="Build, show the commands, touch no board.")
@_shared
def flash(folder, board, gdb, dry_run):
    """Build the firmware of an export, OUT, and load it into a board."""
    from keras_bc import console
    from keras_bc.deploy import boards as known
    from keras_bc.deploy import firmware, workspace
    from keras_bc.deploy import flash as loader

    target = known.find(board)
    with console.working("building"):
        built = firmware.build(folder, target, workspace.build_folder(folder, target.name))
    commands = loader.flash(built, target, gdb=gdb, dry_run=dry_run)
    result = {"board": board, "elf": str(built.elf), "commands": commands, "dry_run": dry_run}

    def show(_):
        for command in commands:
            click.echo(command)
        if not dry_run:
            click.echo(
                f"{built.elf} is loaded into {board} and verified. It waits for a debugger with "
                "semihosting, which names its files of inputs and outputs."
            )

    return result, show


@main.command()
@click.option(
    "-o",
    "folder",
    default="demo-out",
    show_default=True,
    type=click.Path(path_type=Path),
    metavar="OUT",
    help="Where the model and its export go.",
)
@click.option("--short", is_flag=True, help="One epoch and a few samples: does it all work?")
@_shared
def demo(folder, short):
    """Train on MNIST, export, run on the host and on emulated boards."""
    from keras_bc import console

    import_tensorflow()
    from keras_bc.deploy import demo as script

    result = script.run(folder, short)
    return result, console.demo


if __name__ == "__main__":
    sys.exit(main())
