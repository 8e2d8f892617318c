"""The commands that write exports and read them."""

from pathlib import Path

import click

from keras_bc.cli.group import shared
from keras_bc.errors import UserError
from keras_bc.quiet_import import import_tensorflow


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


@click.command()
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
    help="Let a layer compute in floating point; for several, give it again. Those of bits alone "
    "have nothing to keep.",
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
    "--ram-limit",
    type=click.IntRange(1),
    metavar="BYTES",
    help="What the arena of the C sources may take: less than the fastest way needs costs "
    "instructions. (A board's memory is the limit of its build.)",
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
@shared
def export(model, folder, calibrate, evaluation, samples, **options):
    """Write MODEL as a bit-packed OUT/model.tflite and as C sources.

    The sources need nothing but a compiler: cc -IOUT OUT/*.c OUT/kbc/*.c

    Reported are the test error of MODEL and that of its integers, which are bit for bit those of
    the host and of a chip (but for layers that stay in floating point), and the layers with the
    least signal-to-noise ratio.
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
        "no_sources": written.no_sources,
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


@click.command()
@click.argument("model", type=click.Path(path_type=Path), metavar="MODEL.tflite")
@shared
def inspect(model):
    """Show what is in MODEL: ops, tensors, quantization, bytes."""
    from keras_bc import console
    from keras_bc.deploy import inspection

    return inspection.inspect(model), console.inspection


COMMANDS = (export, inspect)
