"""The `keras-bc` command: it parses, calls, and prints.

It is the roof over training and deployment, which know nothing of it. Their modules are imported
inside the commands, so that `keras-bc --help` answers at once. One file has the commands that
train, one those that export, one those that run.
"""

from keras_bc.cli import exporting, running, training
from keras_bc.cli.group import main

__all__ = ["main"]

for _part in (training, exporting, running):
    for _command in _part.COMMANDS:
        main.add_command(_command)
