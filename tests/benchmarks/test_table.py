"""The table names every recipe, and says of each error what it is."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from keras_bc import recipes, results

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "table.py"


@pytest.fixture(scope="module")
def text(tmp_path_factory):
    """The whole, beside one picture."""
    folder = tmp_path_factory.mktemp("table")
    (folder / "pictures").mkdir()
    (folder / "pictures" / "features.png").touch()
    output = folder / "results.md"
    subprocess.run([sys.executable, SCRIPT, "--output", output], check=True, capture_output=True)
    return output.read_text()


@pytest.fixture(scope="module")
def page(text):
    """The cells of each recipe's line."""
    lines = [line.strip("| ").split(" | ") for line in text.splitlines()]
    return {cells[0]: [cell.strip() for cell in cells] for cells in lines if len(cells) > 2}


def test_pictures_are_shown_where_there_are_some(text):
    assert "](pictures/features.png)" in text
    assert text.count("](") == 1


def test_every_recipe_has_a_line(page):
    assert set(page) == {"recipe", *recipes.RECIPES}
    assert page["mnist-mlp"][2] == "1.29 ± 0.08"


def test_recipes_that_were_not_run_say_so(page):
    never = [name for name in recipes.RECIPES if results.best_measured(name) is None]
    assert [name for name in recipes.RECIPES if "not run" in page[name]] == never


def test_errors_are_those_of_the_files(page):
    file = SCRIPT.parent / "results" / "digits-mlp.json"
    run = json.loads(file.read_text())
    one_bit, real = page["digits-mlp"][3:5]
    assert one_bit == f"**{run['test_error_deployed']:.2f}**"
    assert real == f"{run['test_error_real']:.2f}"


def test_short_runs_are_marked(page):
    for name, recipe in recipes.RECIPES.items():
        measured = results.best_measured(name)
        short = measured is not None and measured.epochs < recipe.epochs
        assert ("short" in page[name][6]) == short
