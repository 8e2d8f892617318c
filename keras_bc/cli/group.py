"""The command without its commands, and the options that several of these take."""

import functools
import json
from pathlib import Path

import click

from keras_bc.errors import UserError


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


def shared(command):
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


dataset_option = click.option(
    "--dataset",
    metavar="NAME|FILE.npz",
    help="mnist, mnist-centered, cifar10, cifar10-whitened, svhn, svhn-normalized, digits, or a "
    "file with the arrays x (for several inputs one by the name of each) and y. Default: the "
    "recipe's.",
)
board_option = click.option(
    "--board", required=True, metavar="NAME", help="A board's name (see `keras-bc boards`)."
)
folder_argument = click.argument("folder", type=click.Path(path_type=Path), metavar="OUT")
