"""The four systems that the course grew from: network, data, training and stopping rule by name.

Each comes from a public text, and in two forms: *corrected*, as well as we can train that network,
and *as written*, with whatever its origin does otherwise.

>>> from cnnedu.systems import system
>>> lasagne = system("lasagne", as_written=True)
>>> lasagne.epochs, lasagne.batch_size, lasagne.learning_rate
(5, 50, 0.01)
"""

from __future__ import annotations

from cnnedu.systems import cnn_rs, competing_kernels, lasagne, notebook
from cnnedu.systems.base import System

_MODULES = {
    "notebook": notebook,
    "cnn-rs": cnn_rs,
    "competing-kernels": competing_kernels,
    "lasagne": lasagne,
}
SYSTEMS = tuple(_MODULES)
"""The names of the systems."""

__all__ = ["SYSTEMS", "System", "system"]


def system(name: str, as_written: bool = False) -> System:
    """Return one of the four systems.

    Parameters
    ----------
    name : {"notebook", "cnn-rs", "competing-kernels", "lasagne"}
    as_written : bool
        As its origin does it, mistakes included, instead of corrected.

    Returns
    -------
    System
        With ``network``, ``data``, ``train`` and ``evaluate``; ``differences`` says what the two
        forms do differently.

    Raises
    ------
    ValueError
        If there is no system of that name.

    Examples
    --------
    Training and testing on the embedded digits::

        lasagne = system("lasagne")
        data = lasagne.data(load_digits())
        network, history = lasagne.train(data, rng=np.random.default_rng(0))
        print(lasagne.evaluate(network, data.test))
    """
    if name not in _MODULES:
        known = ", ".join(map(repr, SYSTEMS))
        raise ValueError(f"name must be one of {known}, got {name!r}")
    module = _MODULES[name]
    return module.AS_WRITTEN if as_written else module.CORRECTED
