import json
from dataclasses import asdict, replace

import pytest

from keras_bc import recipes, results
from keras_bc.errors import UserError

RECIPE = recipes.RECIPES["digits-mlp"]


def _run(recipe=RECIPE, error=2.0, epochs=40):
    settings = json.loads(json.dumps(asdict(recipe)))
    errors = {"test_error_deployed": error, "test_error_real": error - 1}
    return {"recipe": recipe.name, "epochs": epochs, "settings": settings, **errors}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setattr(results, "_FOLDERS", (tmp_path / "none", tmp_path))
    return tmp_path


def _write(folder, *runs):
    for number, run in enumerate(runs):
        (folder / f"{number}.json").write_text(json.dumps(run))


def test_the_best_is_the_least_with_the_recipes_weights(folder):
    _write(folder, _run(error=3.0), _run(error=2.5, epochs=10), {"rows": []})
    assert results.best_measured("digits-mlp") == results.Measured(2.5, "deployed", 10)
    assert results.best_measured("mnist-mlp") is None


def test_runs_of_another_experiment_do_not_count(folder):
    _write(folder, _run(replace(RECIPE, batch_size=51)), _run(replace(RECIPE, epochs=50)))
    # More or fewer epochs are the same experiment, told beside the error.
    assert results.best_measured("digits-mlp").error == 2.0
    (folder / "1.json").unlink()
    assert results.best_measured("digits-mlp") is None


def test_all_recipes_are_listed(folder):
    rows = results.listing()
    assert [row["recipe"] for row in rows] == list(recipes.RECIPES)
    assert {row["measured"] for row in rows} == {None}


def test_without_any_results(monkeypatch):
    monkeypatch.setattr(results, "_FOLDERS", ())
    assert results.runs() == []


def test_an_unknown_recipe():
    with pytest.raises(UserError, match="no recipe 'nothing'"):
        results.best_measured("nothing")
