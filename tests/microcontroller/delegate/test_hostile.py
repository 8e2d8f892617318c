"""The delegate against damaged files, under the sanitizers of addresses and undefined behaviour."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from keras_bc.deploy import flatbuffer
from keras_bc.deploy.kernels import INCLUDE, SOURCES
from tests.deploy.graphs import graph_of, random_graph
from tests.microcontroller.delegate.hostile import KINDS, Case, also_written, corpus, damaged

DELEGATE = SOURCES.parent / "delegate"
OPS = SOURCES.parent / "ops"
HOST = SOURCES.parent / "host"
SCRIPT = Path(__file__).with_name("run_hostile.py")


@pytest.fixture(scope="module")
def kernels_object(tmp_path_factory) -> Path:
    """What the delegate calls, built with the sanitizers."""
    sources = [path for part in (SOURCES, OPS, HOST) for path in part.glob("*.c")]
    return build(sources, ["-r"], tmp_path_factory.mktemp("kernels") / "kernels.o")


@pytest.fixture(scope="module")
def sanitized(kernels_object, tmp_path_factory) -> Path:
    """The delegate."""
    return build_delegate(DELEGATE, kernels_object, tmp_path_factory.mktemp("delegate"))


def build_delegate(folder: Path, kernels_object: Path, to: Path) -> Path:
    return build([*folder.glob("*.c"), kernels_object], ["-shared"], to / "delegate.so")


def build(sources: list[Path], options: list[str], to: Path) -> Path:
    flags = ["-std=c99", "-g", "-O1", "-fPIC", "-pthread", *options]
    flags += ["-fsanitize=address,undefined,float-cast-overflow", "-fno-sanitize-recover=all"]
    includes = [f"-I{INCLUDE}", f"-I{OPS}"]
    subprocess.run(["gcc", *flags, *includes, *sources, "-o", to], check=True)
    return to


def build_changed(name: str, old: str, new: str, kernels_object: Path, folder: Path) -> Path:
    """The delegate with another text in one of its sources."""
    copy = shutil.copytree(DELEGATE, folder / "delegate")
    text = (copy / name).read_text()
    assert text.count(old) == 1
    (copy / name).write_text(text.replace(old, new))
    return build_delegate(copy, kernels_object, folder)


def run(library: Path, files: dict[str, bytes], folder: Path) -> dict[str, str | None]:
    """What each file was refused with, None where it ran."""
    for name, data in files.items():
        (folder / name).write_bytes(data)
    preload = [
        subprocess.run(
            ["gcc", f"-print-file-name={name}"], capture_output=True, text=True, check=True
        ).stdout.strip()
        for name in ("libasan.so", "libubsan.so")
    ]
    # Python itself leaks; a wrong size must not allocate gigabytes.
    options = "detect_leaks=0:allocator_may_return_null=1:max_allocation_size_mb=4096"
    environment = os.environ | {"LD_PRELOAD": " ".join(preload), "ASAN_OPTIONS": options}
    done = subprocess.run(
        [sys.executable, SCRIPT, library, folder],
        env=environment,
        capture_output=True,
        text=True,
        timeout=500,
    )
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == 0, f"died on {lines[-1:]}: {done.stderr[-3000:]}"
    return {line["file"]: line["refused"] for line in lines if "file" in line}


def test_damaged_files_are_refused_and_never_crash(sanitized, tmp_path):
    cases: list[Case] = list(corpus())
    assert len(cases) >= 200
    names = [f"{number:04}" for number in range(len(cases))]
    files = {name: case.data for name, case in zip(names, cases, strict=True)}
    results = run(sanitized, files, tmp_path)
    wrong = {
        case.name: results[name]
        for name, case in zip(names, cases, strict=True)
        if case.words is not None and (results[name] is None or case.words not in results[name])
    }
    assert not wrong, json.dumps(wrong, indent=1)
    refused = sum(result is not None for result in results.values())
    assert refused > len(cases) * 3 // 4


def test_sound_files_run_under_the_sanitizers(sanitized, tmp_path):
    graphs = [graph_of(kind, seed) for kind in KINDS for seed in range(12)]
    graphs += [random_graph(seed, layers=6) for seed in range(10)]
    files = {f"{number:03}": flatbuffer.write(graph) for number, graph in enumerate(graphs)}
    assert set(run(sanitized, files, tmp_path).values()) == {None}


def test_a_kernel_runs_on_the_sizes_that_were_prepared_alone(kernels_object, tmp_path):
    # No file gets so far: without the check that refuses this one, the next must hold.
    check = " || !check_outputs(context, plan)"
    library = build_changed("delegate.c", check, "", kernels_object, tmp_path)
    models = tmp_path / "models"
    models.mkdir()
    change = also_written("output", batch=1, first=False)
    results = run(library, {kind: damaged(kind, change) for kind in KINDS}, models)
    assert all("when it was prepared" in result for result in results.values()), results


def test_a_runtime_whose_tensors_grew_is_refused(kernels_object, tmp_path):
    # To a delegate that knows a field less, a runtime's tensors look as if they had grown.
    last = "    const TfLiteIntArray *dims_signature;\n"
    library = build_changed("tflite_abi.h", last, "", kernels_object, tmp_path)
    models = tmp_path / "models"
    models.mkdir()
    graphs = [graph_of(kind, seed) for kind in KINDS for seed in range(4)]
    files = {f"{number:03}": flatbuffer.write(graph) for number, graph in enumerate(graphs)}
    results = run(library, files, models)
    assert all("lays its tensors out" in result for result in results.values()), results
