"""Recipes: the papers' experiments, and shorter ones of our own, as data.

A recipe names a network, an optimizer, a schedule and a data set, and the error to expect.
`build` turns it into a compiled Keras model that carries the recipe's name, by which `export` and
`evaluate` find the data again.
"""

import difflib

from keras_bc.errors import UserError
from keras_bc.recipes import binaryconnect, bnn, few_multiplications, ours
from keras_bc.recipes.recipe import Recipe, build, targets

__all__ = ["RECIPES", "Recipe", "build", "find", "targets"]

RECIPES = {
    recipe.name: recipe
    for paper in (binaryconnect, bnn, few_multiplications, ours)
    for recipe in paper.RECIPES
}


def find(name: str) -> Recipe:
    """Return the recipe of this name.

    Raises:
        UserError: There is none.
    """
    if name not in RECIPES:
        close = " or ".join(difflib.get_close_matches(name, RECIPES, n=3))
        guess = f" Did you mean {close}?" if close else ""
        raise UserError(f"There is no recipe '{name}'.{guess} `keras-bc train --list` shows all.")
    return RECIPES[name]
