"""Make our classes known to Keras as soon as there is a Keras, and not before.

Keras loads a saved class only if it was registered, that is, if its module was imported. Importing
ours imports Keras, which takes seconds and which an exported model does not need. So a bare
`import keras_bc` waits: if Keras is there, it registers at once, otherwise the moment that Keras
has been imported.
"""

import importlib
import importlib.util
import sys
from importlib.abc import MetaPathFinder

_MODULES = (
    "keras_bc.backprop",
    "keras_bc.callbacks",
    "keras_bc.constraints",
    "keras_bc.layers",
    "keras_bc.metrics",
    "keras_bc.optimizers",
    "keras_bc.preprocessing",
    "keras_bc.quantizers",
)


def follow_keras() -> None:
    """Register our classes with Keras, now or when it is imported."""
    if "keras" in sys.modules:
        _register()
    else:
        sys.meta_path.insert(0, _KerasFinder())


def _register():
    for name in _MODULES:
        importlib.import_module(name)


class _KerasFinder(MetaPathFinder):
    """Finds the package `keras` as ever, but has us called when it is loaded."""

    def __init__(self):
        self._searching = False

    def find_spec(self, fullname, path, target=None):
        if fullname != "keras" or self._searching:
            return None
        self._searching = True  # so that the finders after this one are asked
        try:
            spec = importlib.util.find_spec(fullname)
        finally:
            self._searching = False
        if spec is not None:
            spec.loader = _RegisteringLoader(spec.loader, self)
        return spec


class _RegisteringLoader:
    """Keras's own loader, followed by the registration.

    A found spec need not be loaded: some only look whether Keras is there. So the finder stays
    until a load.
    """

    def __init__(self, loader, finder):
        self._loader, self._finder = loader, finder

    def __getattr__(self, name):
        return getattr(self._loader, name)

    def exec_module(self, module):
        # From here on all is as if nobody had looked: the module keeps its own loader.
        sys.meta_path.remove(self._finder)
        module.__spec__.loader = module.__loader__ = self._loader
        self._loader.exec_module(module)
        _register()
