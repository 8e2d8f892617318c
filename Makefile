# `make demo` and `make test` do all their own set-up: see set-up below.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Processes that the tests run in: a number, or one a core.
JOBS ?= auto
PYTEST := -m pytest -n $(JOBS) --dist loadfile
PACKAGES := qemu-system-arm gcc-arm-none-eabi libnewlib-arm-none-eabi gdb-multiarch \
	qemu-system-misc gcc-riscv64-unknown-elf picolibc-riscv64-unknown-elf \
	gcc-avr avr-libc simavr libsimavr-dev gcc-aarch64-linux-gnu libc6-dev-arm64-cross qemu-user \
	libsimde-dev \
	gcc libc6-dev python3-venv
# What trains, or is written in Keras's operations.
JAX_TESTS := layers quantizers optimizers preprocessing recipes test_backprop.py \
	test_batch_norm.py test_callbacks.py test_checkpoint.py test_custom_gradient.py \
	test_distribution.py test_draws.py test_evaluation.py test_metrics.py \
	test_powers_of_two.py test_training.py
export TF_CPP_MIN_LOG_LEVEL ?= 2

.PHONY: demo test test-all lint bench set-up

demo: set-up
	$(BIN)/keras-bc demo $(DEMO)

test: set-up
	$(BIN)/python $(PYTEST) -m "not slow"

test-all: set-up $(VENV)/tflite-runtime $(VENV)/jax/.installed
	python=$(VENV)/tflite-runtime/bin/python; test -x $$python || python=; \
	KERAS_BC_TFLITE_RUNTIME_PYTHON=$$python $(BIN)/python $(PYTEST)
	KERAS_BACKEND=jax $(VENV)/jax/bin/python $(PYTEST) $(addprefix tests/keras_bc/,$(JAX_TESTS))

lint: $(VENV)/.installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

bench: set-up
	$(BIN)/python benchmarks/kernels.py
	$(BIN)/python benchmarks/models.py

set-up: tools $(VENV)/.installed

# Python packages, once, and again after a change of setup.py or of the C sources that it builds.
# A venv whose making broke off has no pip.
$(VENV)/.installed: setup.py $(wildcard microcontroller/*/*.[ch] microcontroller/*/*/*.h microcontroller/src/kernels.def) | tools
	$(BIN)/python -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv --clear $(VENV)
	$(BIN)/python -m pip install --quiet --editable '.[test]'
	touch $@

# The last release of tflite-runtime needs numpy < 2 and Python < 3.12: a room of its own. Where
# there is none for this Python, its tests are skipped.
$(VENV)/tflite-runtime: | $(VENV)/.installed
	$(PYTHON) -m venv $@
	$@/bin/python -m pip install --quiet 'tflite-runtime==2.14' 'numpy<2' || rm -r $@

# JAX on top of all that is installed in the main one, which it sees through a .pth file. Where JAX
# cannot be installed, `make test-all` says so and stops.
$(VENV)/jax/.installed: | $(VENV)/.installed
	$(BIN)/python -m venv --clear $(VENV)/jax
	packages='import sysconfig; print(sysconfig.get_path("purelib"))'; \
	echo "import site; site.addsitedir('$$($(BIN)/python -c "$$packages")')" \
	    >"$$($(VENV)/jax/bin/python -c "$$packages")/main.pth"
	$(VENV)/jax/bin/python -m pip install --quiet jax
	touch $@

# Debian packages, where this may install them; otherwise it names what is missing and stops.
.PHONY: tools
tools:
	@missing=; for command in qemu-system-arm arm-none-eabi-gcc gdb-multiarch cc \
	    qemu-system-riscv32 riscv64-unknown-elf-gcc avr-gcc simavr \
	    aarch64-linux-gnu-gcc qemu-aarch64; do \
	    command -v $$command >/dev/null || missing="$$missing $$command"; done; \
	$(PYTHON) -c 'import ensurepip' 2>/dev/null || missing="$$missing ensurepip"; \
	case "$$(arm-none-eabi-gcc -print-file-name=libc.a 2>/dev/null)" in \
	    libc.a) missing="$$missing newlib";; esac; \
	case "$$(riscv64-unknown-elf-gcc -print-file-name=picolibc.specs 2>/dev/null)" in \
	    picolibc.specs) missing="$$missing picolibc";; esac; \
	echo '#include <avr/io.h>' | avr-gcc -mmcu=atmega328p -E - >/dev/null 2>&1 || \
	    missing="$$missing avr-libc"; \
	echo '#include <simde/x86/avx512.h>' | cc -E - >/dev/null 2>&1 || \
	    missing="$$missing libsimde"; \
	echo '#include <simavr/sim_avr.h>' | cc -E - >/dev/null 2>&1 || \
	    missing="$$missing libsimavr"; \
	test -z "$$missing" && exit 0; \
	if ! command -v apt-get >/dev/null; then sudo=none; \
	elif [ "$$(id -u)" = 0 ]; then sudo=; \
	elif sudo -n true 2>/dev/null; then sudo=sudo; else sudo=none; fi; \
	if [ "$$sudo" = none ]; then \
	    echo "Missing:$$missing. Install: $(PACKAGES) (Debian's names)." >&2; exit 1; fi; \
	export DEBIAN_FRONTEND=noninteractive; \
	$$sudo apt-get update -qq && $$sudo apt-get install -qq -y --no-install-recommends $(PACKAGES)
