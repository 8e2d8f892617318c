"""The commands that bring exports to boards, emulated and real."""

from pathlib import Path

import click

from keras_bc.cli.group import board_option, dataset_option, folder_argument, shared
from keras_bc.quiet_import import import_tensorflow


@click.command()
@shared
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


@click.command()
@folder_argument
@board_option
@shared
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


@click.command()
@folder_argument
@board_option
@dataset_option
@click.option("--samples", type=click.IntRange(1), metavar="N", help="Default: the whole test set.")
@click.option(
    "--profile", is_flag=True, help="Count instructions, or AVR's cycles, exactly, by layer."
)
@shared
def emulate(folder, board, dataset, samples, profile):
    """Run OUT on an emulated board, and compare it with the host.

    Each output must be the host's in every bit; an output that is not counts as a mismatch. Layers
    that stay in floating point may cause some.
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


@click.command()
@folder_argument
@board_option
@click.option("--gdb", metavar="HOST:PORT", help="Load through a GDB server, not a debug probe.")
@click.option("--dry-run", is_flag=True, help="Build, show the commands, touch no board.")
@shared
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


@click.command()
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
@shared
def demo(folder, short):
    """Train on MNIST, export, run on the host and on emulated boards."""
    from keras_bc import console

    import_tensorflow()
    from keras_bc.deploy import demo as script

    result = script.run(folder, short)
    return result, console.demo


COMMANDS = (boards, build, emulate, flash, demo)
