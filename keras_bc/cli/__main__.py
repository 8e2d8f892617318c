"""`python -m keras_bc.cli`, which is `keras-bc`."""

import sys

from keras_bc.cli import main

if __name__ == "__main__":
    sys.exit(main(prog_name="keras-bc"))
