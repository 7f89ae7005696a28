"""Trained networks that come with the package, and what each was like along its training.

``python -m benchmarks.results --ship`` makes the files anew; each says by which command and from
which version of the code it was made.
"""

from __future__ import annotations

import copy
import json
import os
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from cnnedu.network import Sequential
from cnnedu.storage import load

NAMES = ("lasagne", "cnn-rs", "notebook", "competing-kernels")
"""The networks that come with the package."""


def load_pretrained(name: str = "lasagne") -> Sequential:
    """Load one of the trained networks that come with the package; nothing is downloaded.

    Parameters
    ----------
    name : {"lasagne", "cnn-rs", "notebook", "competing-kernels"}
        The corrected form of one of the four systems, trained on the 60,000 training images of
        MNIST ("competing-kernels": the first 20,000), never on its test images.

    Returns
    -------
    Sequential
        For pixels in [0, 1], white ink on black, shape (N, 1, 28, 28), float32.

    Raises
    ------
    ValueError
        If there is no such network.

    Examples
    --------
    >>> from cnnedu.data import load_digits
    >>> network = load_pretrained("lasagne")
    >>> network.predict(load_digits().test.images[:3])
    array([2, 3, 4])
    """
    with _shipped(name, "") as path:
        return load(path)


@dataclass(frozen=True)
class Recording:
    """A network at some steps along its training.

    Attributes
    ----------
    name : str
        Which system was trained.
    steps : list of int
        After how many mini-batches each snapshot was made; 0 is the start, the last one the end.
    snapshots : list of dict of str to ndarray
        The parameters by full name, "conv1.weight" and so on, as ``WeightRecorder`` has them.
    accuracy : list of float
        The share of MNIST's 10,000 test images that each snapshot reads.
    about : dict
        How the recording was made: command, version, seed.
    """

    name: str
    steps: list[int]
    snapshots: list[dict[str, np.ndarray]] = field(repr=False)
    accuracy: list[float]
    about: dict[str, Any]
    final: Sequential = field(repr=False)

    def network(self, index: int) -> Sequential:
        """Return a network with the weights of one snapshot; -1 is the last."""
        network = copy.deepcopy(self.final)
        for name, array in network.params.items():
            array[...] = self.snapshots[index][name]
        return network


def load_checkpoints(name: str = "lasagne") -> Recording:
    """Load what one of the networks was like along its training, from the first step to the last.

    Parameters
    ----------
    name : {"lasagne", "cnn-rs", "notebook", "competing-kernels"}

    Returns
    -------
    Recording
        Its weights are stored with three to four digits (float16); the last snapshot is otherwise
        the network of ``load_pretrained``.

    Raises
    ------
    ValueError
        If there is no such network.

    Examples
    --------
    >>> recording = load_checkpoints("cnn-rs")
    >>> recording.steps[:5]
    [0, 1, 10, 100, 300]
    >>> recording.network(0)["conv1"].params["weight"].shape
    (16, 1, 3, 3)
    """
    with _shipped(name, "-checkpoints") as path, np.load(path, allow_pickle=False) as file:
        header = json.loads(str(file["header"][()]))
        snapshots = [
            {key: file[f"{step}/{key}"].astype(np.float32) for key in header["parameters"]}
            for step in header["steps"]
        ]
    return Recording(
        name=header["name"],
        steps=header["steps"],
        snapshots=snapshots,
        accuracy=header["accuracy"],
        about=header["about"],
        final=load_pretrained(name),
    )


def save_checkpoints(
    path: str | os.PathLike,
    *,
    name: str,
    steps: list[int],
    snapshots: list[dict[str, np.ndarray]],
    accuracy: list[float],
    about: dict[str, Any],
) -> None:
    """Write a recording for ``load_checkpoints``, its weights in float16.

    Raises
    ------
    ValueError
        If a weight is too large for that, or not a number.
    """
    header = {
        "name": name,
        "steps": steps,
        "accuracy": accuracy,
        "parameters": list(snapshots[0]),
        "about": about,
    }
    arrays = {}
    for step, snapshot in zip(steps, snapshots, strict=True):
        for key, array in snapshot.items():
            with np.errstate(over="ignore"):
                arrays[f"{step}/{key}"] = half = array.astype(np.float16)
            if not np.isfinite(half).all():
                raise ValueError(f"{key} at step {step} does not fit into float16")
    np.savez_compressed(Path(path), header=np.array(json.dumps(header)), **arrays)


def _shipped(name: str, ending: str) -> AbstractContextManager[Path]:
    """Return a context in which a file of the package lies at the path it gives."""
    if name not in NAMES:
        raise ValueError(f"name must be one of {', '.join(map(repr, NAMES))}, got {name!r}")
    from importlib.resources import as_file, files  # imported late: few programs need it

    return as_file(files("cnnedu.pretrained").joinpath(f"{name}{ending}.npz"))
