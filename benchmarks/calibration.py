"""Measure what each calibration loses: test errors of float networks and of their integers.

    python benchmarks/calibration.py runs/*.keras
    python benchmarks/calibration.py digits.keras --method minmax --method mse --samples 100

The models are of recipes, which name their data: a thousand training examples are calibrated on,
and the errors are of all test examples. It writes benchmarks/results/calibration.json and the table
docs/calibration.md. An error moves by 0.01 points where one of 10,000 samples gets another class,
mostly one whose two best outputs are nearly the same; that is chance, so the table has the share of
such samples and the outputs' signal-to-noise ratio, too, and the means over all models.
"""

import json
import statistics
from pathlib import Path

import click

from keras_bc import console, files, models
from keras_bc.errors import UserError
from keras_bc.quiet_import import import_tensorflow

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "benchmarks" / "results" / "calibration.json"
PAGE = ROOT / "docs" / "calibration.md"

METHODS = ("minmax", "percentile:99.999", "percentile:99.99", "percentile:99.9", "mse")
_FIGURES = ("drop", "changed", "snr_db")
_INTRODUCTION = """\
# What 8-bit activations lose, by calibration

`keras-bc export --calibration` chooses how the ranges of the activations follow from the samples.
*Float* is the test error of the Keras model with its deployed weights, in percent. Then for each
calibration: the *drop*, in points, that the integers add to it / the share of the test samples to
which they give another class, in percent / the signal-to-noise ratio of the outputs, in decibels.
The drop is made by the few samples whose two best outputs are nearly the same, and which way these
go is chance: the share of other classes, which bounds it, and the signal-to-noise ratio tell more.
A model whose activations are one bit has 8 bits at its input and its output alone.

`python benchmarks/calibration.py MODEL.keras ...` measures this and writes the page. The default is
`{default}`.
"""


def measure(path: Path, methods: list[str], samples: int | None) -> dict:
    """Return the errors of one model: before, and after each calibration."""
    from keras_bc.deploy import accuracy, export

    network = models.load(path)
    dataset = models.dataset_of(network.name, None)
    test = accuracy.labelled_samples(network, dataset, samples)
    inputs = export.calibration_samples(network, dataset)
    rows = []
    with console.counting(path.stem, len(methods)) as progress:
        for method in methods:
            graph = export.to_graph(network, inputs, calibration=method)
            found = accuracy.compare(network, graph, test)
            noise = accuracy.noise(network, graph, inputs)
            (decibels,) = (row["snr_db"] for row in noise if row["tensor"] == graph.outputs[0])
            rows.append({"method": method, **accuracy.as_dict(found), "snr_db": decibels})
            progress(len(rows))
    return {
        "model": path.stem,
        "recipe": network.name,
        "dataset": dataset,
        "samples": found.samples,
        "float_error": found.float_error,
        "methods": [
            {key: row[key] for key in ("method", "integer_error", *_FIGURES)} for row in rows
        ],
    }


def means(models: list[dict]) -> list[dict]:
    """Return a row for each calibration, over all models; an exact output has no decibels."""
    rows = []
    for same in zip(*(model["methods"] for model in models), strict=True):
        row = {"method": same[0]["method"]}
        for key in _FIGURES:
            known = [each[key] for each in same if each[key] is not None]
            row[key] = round(statistics.mean(known), 4) if known else None
        rows.append(row)
    return rows


def markdown(models: list[dict], default: str) -> str:
    """Return the page: a line a model, and the means."""
    methods = [row["method"] for row in models[0]["methods"]]
    lines = [
        _INTRODUCTION.format(default=default),
        f"| model | samples | float | {' | '.join(methods)} |",
        "|---|--:|--:|" + "--:|" * len(methods),
    ]
    for model in models:
        cells = " | ".join(_cell(row) for row in model["methods"])
        lines.append(
            f"| `{model['model']}` | {model['samples']:,} | {model['float_error']:.2f} | {cells} |"
        )
    lines.append(f"| **mean** | | | {' | '.join(_cell(row) for row in means(models))} |")
    return "\n".join(lines) + "\n"


def _cell(row: dict) -> str:
    decibels = "exact" if row["snr_db"] is None else f"{row['snr_db']:.1f}"
    return f"{row['drop']:+.2f} / {row['changed']:.2f} / {decibels}"


@click.command(help=__doc__.splitlines()[0])
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--method", "methods", multiple=True, default=METHODS, show_default=True)
@click.option("--samples", type=click.IntRange(1), metavar="N", help="Default: the whole test set.")
@click.option("--output", type=click.Path(path_type=Path, dir_okay=False), default=RESULTS)
@click.option("--page", type=click.Path(path_type=Path, dir_okay=False), default=PAGE)
def main(paths, methods, samples, output, page):
    import_tensorflow()
    from keras_bc.deploy.calibrate import DEFAULT, find_method

    measured = []
    try:
        for method in methods:
            find_method(method)
        for path in paths:
            measured.append(measure(path, methods, samples))
            console.say(f"{path}: {json.dumps(measured[-1]['methods'])}")
    except UserError as error:
        raise click.ClickException(str(error)) from error
    result = {"models": measured, "means": means(measured)}
    files.write_text(output, json.dumps(result, indent=2) + "\n")
    page.parent.mkdir(exist_ok=True)
    files.write_text(page, markdown(measured, DEFAULT))
    console.table(f"Means over {len(measured)} models", result["means"])


if __name__ == "__main__":
    main()
