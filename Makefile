# `make demo` and `make test` do all their own set-up: see set-up below.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PACKAGES := qemu-system-arm gcc-arm-none-eabi libnewlib-arm-none-eabi gdb-multiarch \
	gcc libc6-dev python3-venv
export TF_CPP_MIN_LOG_LEVEL ?= 2

.PHONY: demo test test-all lint bench set-up

demo: set-up
	$(BIN)/keras-bc demo $(DEMO)

test: set-up
	$(BIN)/python -m pytest -m "not slow"

test-all: set-up $(VENV)/tflite-runtime
	python=$(VENV)/tflite-runtime/bin/python; test -x $$python || python=; \
	KERAS_BC_TFLITE_RUNTIME_PYTHON=$$python $(BIN)/python -m pytest

lint: $(VENV)/.installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

bench: set-up
	$(BIN)/python benchmarks/kernels.py

set-up: tools $(VENV)/.installed

# Python packages, once, and again after a change of setup.py or of the C sources that it builds.
# A venv whose making broke off has no pip.
$(VENV)/.installed: setup.py $(wildcard microcontroller/*/*.[ch] microcontroller/src/kernels.def) | tools
	$(BIN)/python -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv --clear $(VENV)
	$(BIN)/python -m pip install --quiet --editable '.[test]'
	touch $@

# The last release of tflite-runtime needs numpy < 2 and Python < 3.12: a room of its own. Where
# there is none for this Python, its tests are skipped.
$(VENV)/tflite-runtime: | $(VENV)/.installed
	$(PYTHON) -m venv $@
	$@/bin/python -m pip install --quiet 'tflite-runtime==2.14' 'numpy<2' || rm -r $@

# Debian packages, where this may install them; otherwise it names what is missing and stops.
.PHONY: tools
tools:
	@missing=; for command in qemu-system-arm arm-none-eabi-gcc gdb-multiarch cc; do \
	    command -v $$command >/dev/null || missing="$$missing $$command"; done; \
	$(PYTHON) -c 'import ensurepip' 2>/dev/null || missing="$$missing ensurepip"; \
	case "$$(arm-none-eabi-gcc -print-file-name=libc.a 2>/dev/null)" in \
	    libc.a) missing="$$missing newlib";; esac; \
	test -z "$$missing" && exit 0; \
	if ! command -v apt-get >/dev/null; then sudo=none; \
	elif [ "$$(id -u)" = 0 ]; then sudo=; \
	elif sudo -n true 2>/dev/null; then sudo=sudo; else sudo=none; fi; \
	if [ "$$sudo" = none ]; then \
	    echo "Missing:$$missing. Install: $(PACKAGES) (Debian's names)." >&2; exit 1; fi; \
	export DEBIAN_FRONTEND=noninteractive; \
	$$sudo apt-get update -qq && $$sudo apt-get install -qq -y --no-install-recommends $(PACKAGES)
