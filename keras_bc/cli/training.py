"""The commands that train networks and measure them."""

from pathlib import Path

import click

from keras_bc.cli.group import dataset_option, shared
from keras_bc.errors import UserError
from keras_bc.quiet_import import import_tensorflow


@click.command()
@click.argument("recipe", required=False)
@click.option("--list", "listing", is_flag=True, help="List the recipes and stop.")
@click.option("-o", "output", type=click.Path(path_type=Path), help="Default: RECIPE.keras.")
@click.option("--epochs", type=int, metavar="N", help="Spread the schedule over N epochs.")
@click.option("--resume", is_flag=True, help="Go on with a training that was stopped.")
@dataset_option
@click.option("--seed", type=int, default=0, show_default=True, help="Of weights, order and draws.")
@shared
def train(recipe, listing, output, epochs, resume, dataset, seed):
    """Train RECIPE and save its best epoch, ready to be exported.

    Beside the model come its history (.history.json) and its curves (.png), and where the recipe
    fits a preprocessing to the training set, a model of that (.preprocessing.keras) for images of
    your own. An earlier training's files of these names are replaced.

    Of a file of your own a tenth is kept for validation and another one for `evaluate`.
    """
    from keras_bc import console, results

    if listing:
        rows = results.listing()
        title = "Recipes; test errors in percent: published, and our best, with these weights"
        return {"recipes": rows}, lambda _: console.table(title, rows)
    if recipe is None:
        raise click.UsageError("Name a recipe; `keras-bc train --list` shows them.")
    import_tensorflow()
    from keras_bc.training import train as fit

    output = output or Path(f"{recipe}.keras")
    history = fit(recipe, output, epochs, resume, dataset, seed, quiet=console.quiet)
    result = {key: history[key] for key in ("recipe", "epochs", "best_epoch")}
    result |= {"model": str(output), "validation_error": history["best_validation_error"]}
    return result, lambda _: click.echo(
        f"{output}: validation error {result['validation_error']:.2f} % in epoch "
        f"{result['best_epoch']} of {result['epochs']}"
    )


@click.command()
@click.argument("model", type=click.Path(path_type=Path), metavar="MODEL.keras|MODEL.tflite")
@dataset_option
@click.option(
    "--weights",
    default="deployed",
    show_default=True,
    metavar="real|deployed|ensemble:N",
    help="The float weights of the training, the few-bit weights that the chip gets, or the mean "
    "of N networks with drawn weights.",
)
@shared
def evaluate(model, dataset, weights):
    """Measure MODEL's test error.

    Of a named data set the test examples are used, of the file that the model was trained on the
    tenth that was kept for this, of any other file all.
    """
    from keras_bc import console, datasets, models

    if model.suffix == ".keras":
        import_tensorflow()
        from keras_bc.evaluation import evaluate as measure
        from keras_bc.model_inputs import input_names

        network = models.load(model)
        own = models.own_data(model)
        if own and (dataset is None or Path(dataset).resolve() == Path(own).resolve()):
            test = datasets.load(own).test
        else:
            dataset = models.dataset_of(network.name, dataset)
            test = datasets.load_test(dataset, input_names(network))
        # Saved statistics fit the deployed weights; for others they are estimated anew.
        train_x = None if weights == "deployed" else _training_examples(network, dataset, own)
        with console.working("evaluating"):
            result = measure(network, test.x, test.y, weights, train_x)
    else:
        from keras_bc.deploy import verify, workspace

        if weights != "deployed":
            raise UserError(f"{model} holds the deployed weights alone. Leave --weights out.")
        graph = workspace.read_model(model)
        test = datasets.load_test(models.dataset_of(graph.name, dataset), graph.inputs)
        with console.working("evaluating"):
            result = verify.evaluate(model, test.x, test.y)
    return result, lambda _: click.echo(
        f"{result['error']:.2f} % error on {result['samples']:,} samples, "
        f"{result['weights']} weights"
    )


def _training_examples(network, dataset, own):
    """The inputs that a model was trained on: never those of a file that it is tested on."""
    from keras_bc import datasets, models
    from keras_bc.model_inputs import input_names

    if own:
        return datasets.load(own).train.x
    if datasets.is_file(dataset):
        try:
            dataset = models.dataset_of(network.name, None)
        except UserError as error:
            raise UserError(
                f"Batch norm is re-estimated for these weights on training examples, and those of "
                f"the model '{network.name}' are not known. Give its data set by name, or call "
                "keras_bc.evaluate with train_x in Python."
            ) from error
    return datasets.load_calibration(dataset, input_names(network)).x


@click.command()
@click.argument("model", type=click.Path(path_type=Path), metavar="MODEL.keras")
@shared
def summary(model):
    """Show what each layer costs on a chip: bits, bytes, MACs.

    And how many multiplications are left.
    """
    from keras_bc import models

    import_tensorflow()
    from keras_bc.model_summary import describe, show

    network = models.load(model)
    return describe(network), lambda described: show(network.name, described)


COMMANDS = (train, evaluate, summary)
