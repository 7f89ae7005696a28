"""Saving a network to one file, and loading it again.

The file is a NumPy ``.npz`` archive, never a pickle, so loading one runs no code. It holds

- ``header``: a text in JSON: the format's name and version, the layers with their arguments, how
  the network came about;
- ``params/conv1.weight`` and so on: the parameters;
- ``state/0``, ``state/1``, ...: the arrays of a training that is under way, if there is one.
"""

from __future__ import annotations

import json
import os
import struct
import tempfile
import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np

from cnnedu.layers import LAYERS
from cnnedu.network import Sequential

FORMAT = "cnnedu network"
VERSION = 1


def save(
    network: Sequential,
    path: str | os.PathLike,
    *,
    training: dict | None = None,
    about: dict | None = None,
) -> None:
    """Save a network: its structure, its parameters, its random generators.

    The file is written beside its place under another name and then moved there, so that whatever
    happens, ``path`` holds either the old file or the whole new one. A symbolic link stays, and
    what it leads to is replaced.

    Parameters
    ----------
    network : Sequential
    path : path
        Usually ending in ``.npz``. An existing file is replaced.
    training : dict, optional
        The state of a training that is under way, for ``fit(..., resume=path)``: dicts, lists,
        texts, numbers and arrays. The callback ``Checkpoint`` fills it in.
    about : dict, optional
        How the network came about: texts and numbers, kept in the header for ``read_about``.

    Raises
    ------
    TypeError
        If it is not a network, or has a layer of a kind that is not in ``cnnedu.layers``.
    OSError
        If the file cannot be written.
    """
    header, arrays = describe(network)
    header |= {"training": _encode(training, arrays), "about": about or {}}
    # Written in C order, so that the file does not depend on the memory order of the moment.
    arrays = {name: np.ascontiguousarray(array) for name, array in arrays.items()}
    _write_atomically(Path(path), {"header": np.array(json.dumps(header)), **arrays})


def describe(network: Sequential) -> tuple[dict, dict[str, np.ndarray]]:
    """Take a network apart into what can be written down: a header, and arrays by name.

    Returns
    -------
    header : dict
        Fit for JSON: the layers with their arguments, and the states of random generators.
    arrays : dict of str to ndarray
        "params/conv1.weight" and so on, and what the header refers to.

    Raises
    ------
    TypeError
        As ``save``.
    """
    if not isinstance(network, Sequential):
        raise TypeError(f"save needs a network (Sequential), got {type(network).__name__}")
    for layer in network:
        if LAYERS.get(type(layer).__name__) is not type(layer):
            raise TypeError(
                f"{type(layer).__name__} cannot be saved: only the layers in cnnedu.layers can be "
                "made again from a file"
            )
    arrays: dict[str, np.ndarray] = {}
    header = {
        "format": FORMAT,
        "version": VERSION,
        "network": network.config(),
        "layers": [{"type": type(layer).__name__, **layer.config()} for layer in network],
        "generators": _encode(_generator_states(network), arrays),
    }
    return header, arrays | {f"params/{name}": array for name, array in network.params.items()}


def rebuild(header: dict, arrays: dict[str, np.ndarray], path: str | os.PathLike) -> Sequential:
    """Put a network together again from what ``describe`` returned.

    Raises
    ------
    ValueError
        If something does not fit; it names ``path``, where it was read from.
    """
    try:
        return _build(header, arrays)
    except KeyError as error:
        raise ValueError(f"{path} is a damaged network file: it has no {error}") from error
    except (AttributeError, LookupError, OverflowError, TypeError, ValueError) as error:
        raise ValueError(f"{path} is a damaged network file: {error}") from error


def load(path: str | os.PathLike) -> Sequential:
    """Load a network that ``save`` wrote.

    Parameters
    ----------
    path : path

    Returns
    -------
    Sequential
        With the same parameters, bit for bit, and random generators in the same state.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it is not a saved network, is damaged, holds pickles, or comes from a newer version.
    """
    return rebuild(*_read(Path(path)), path)


def load_training(path: str | os.PathLike) -> tuple[Sequential, dict]:
    """Load a network and the state of the training it was saved in.

    Raises
    ------
    ValueError
        As ``load``, and if the file holds no training.
    """
    header, arrays = _read(Path(path))
    if header.get("training") is None:
        raise ValueError(
            f"{path} holds a network but no training to go on with; "
            "such a file is written by the callback Checkpoint(path)"
        )
    return rebuild(header, arrays, path), _decode(header["training"], arrays)


def read_about(path: str | os.PathLike) -> dict:
    """Return what ``save`` was told about how a network came about; empty if nothing."""
    return _read(Path(path))[0].get("about", {})


# ---------------------------------------------------------------------------------------------


def _generator_states(network: Sequential) -> dict[str, dict]:
    return {
        name: layer.rng.bit_generator.state
        for name, layer in zip(network.names, network, strict=True)
        if hasattr(layer, "rng")
    }


def generator_from_state(state: dict) -> np.random.Generator:
    """Make a random generator that goes on where the one with this state stopped."""
    kinds = ("PCG64", "PCG64DXSM", "MT19937", "Philox", "SFC64")
    if state["bit_generator"] not in kinds:
        raise ValueError(f"unknown random generator {state['bit_generator']!r}")
    bits = getattr(np.random, state["bit_generator"])()
    bits.state = state
    return np.random.Generator(bits)


def _build(header: dict, arrays: dict[str, np.ndarray]) -> Sequential:
    generators = _decode(header["generators"], arrays)
    layers, counts = [], {}
    for entry in header["layers"]:
        arguments = {
            key: tuple(value) if isinstance(value, list) else value for key, value in entry.items()
        }
        kind = arguments.pop("type")
        if kind not in LAYERS:
            raise ValueError(f"it has a layer of unknown kind {kind!r}")
        short = LAYERS[kind].kind
        counts[short] = counts.get(short, 0) + 1
        name = f"{short}{counts[short]}"
        stored = f"params/{name}.weight"
        if stored in arrays:
            arguments["dtype"] = arrays[stored].dtype
            arguments["initializer"] = _stored(arrays[stored], name)
            arguments["rng"] = np.random.default_rng(0)  # not used: the weights are there
        elif name in generators:
            arguments["rng"] = np.random.default_rng(0)
        layer = LAYERS[kind](**arguments)
        if name in generators:
            layer.rng = generator_from_state(generators[name])
        layers.append(layer)
    shape = header["network"]["input_shape"]
    network = Sequential(layers, input_shape=None if shape is None else tuple(shape))
    for name, array in network.params.items():
        if arrays[f"params/{name}"].shape != array.shape:
            raise ValueError(f"{name} has the wrong shape {arrays[f'params/{name}'].shape}")
        array[...] = arrays[f"params/{name}"]
    return network


def _stored(array: np.ndarray, name: str):
    """Return an initializer that starts from what was stored, once its shape has been checked."""

    def initializer(shape, fan_in, fan_out, rng):
        if array.shape != shape or array.dtype.kind != "f":
            raise ValueError(f"{name}.weight must have shape {shape}, got {array.shape}")
        return array

    return initializer


def _encode(value: Any, arrays: dict[str, np.ndarray]) -> Any:
    """Turn nested dicts and lists into JSON; arrays go into ``arrays`` and leave a reference."""
    if isinstance(value, np.ndarray):
        name = f"state/{sum(key.startswith('state/') for key in arrays)}"
        arrays[name] = value
        return {"array": name}
    if isinstance(value, dict):
        return {"dict": {str(key): _encode(item, arrays) for key, item in value.items()}}
    if isinstance(value, (list, tuple)):
        return [_encode(item, arrays) for item in value]
    return value.item() if isinstance(value, np.generic) else value


def _decode(value: Any, arrays: dict[str, np.ndarray]) -> Any:
    if isinstance(value, list):
        return [_decode(item, arrays) for item in value]
    if isinstance(value, dict):
        if "array" in value:
            return arrays[value["array"]]
        return {key: _decode(item, arrays) for key, item in value["dict"].items()}
    return value


def _write_atomically(path: Path, arrays: dict[str, np.ndarray]) -> None:
    path = Path(os.path.realpath(path))
    if path.is_dir():
        raise IsADirectoryError(f"{path} is a folder; give the path of a file, like {path}/net.npz")
    if path.exists() and not path.is_file():  # /dev/null, which would be replaced
        raise OSError(f"{path} is no ordinary file; give the path of a file to write")
    if not path.parent.is_dir():
        raise FileNotFoundError(f"the folder {path.parent} does not exist; make it first")
    prefix, suffix = temporary_name(path)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=prefix, suffix=suffix)
    try:
        with os.fdopen(handle, "wb") as file:
            np.savez_compressed(file, **arrays)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, 0o666 & ~_umask())
        os.replace(temporary, path)
    except BaseException:  # an interrupt, too, must leave nothing behind
        Path(temporary).unlink(missing_ok=True)
        raise


def temporary_name(path: Path) -> tuple[str, str]:
    """Return how the name of a file begins and ends while it is being written."""
    return f".{path.name[:40]}.", ".part"  # names may have 255 bytes, and up to 4 for a letter


def _umask() -> int:
    """Return the permissions that new files go without (reading it means setting it twice)."""
    mask = os.umask(0)
    os.umask(mask)
    return mask


_DAMAGED = (
    *(EOFError, KeyError, IndexError, OSError, RuntimeError),
    *(struct.error, zipfile.BadZipFile, zlib.error),
)
"""What NumPy and the archive's reader raise when they stumble over damaged files."""


def _read(path: Path) -> tuple[dict, dict[str, np.ndarray]]:
    """Read header and arrays, or say why this is not a file to load."""
    if not path.exists():
        raise FileNotFoundError(
            f"there is no file {path}; check the path (networks are written by cnnedu train --save "
            "or by save(network, path))"
        )
    if path.is_dir():
        raise IsADirectoryError(f"{path} is a folder; give the path of a saved network in it")
    try:
        with zipfile.ZipFile(path):
            pass
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        header = json.loads(str(arrays.pop("header")[()]))
        if not isinstance(header, dict) or header.get("format") != FORMAT:
            raise KeyError("header")
    except ValueError as error:
        if "allow_pickle" in str(error):
            raise ValueError(
                f"{path} has pickled Python objects inside, which could run code when loaded; "
                "cnnedu neither writes nor reads such files"
            ) from error
        raise _not_a_network(path) from error
    except _DAMAGED as error:
        raise _not_a_network(path) from error
    version = header.get("version")
    if not isinstance(version, int) or version > VERSION:
        raise ValueError(
            f"{path} has format version {version}, and this cnnedu reads up to {VERSION}: "
            "update it with pip install --upgrade cnnedu"
        )
    return header, arrays


def _not_a_network(path: Path) -> ValueError:
    return ValueError(
        f"{path} is not a network saved by cnnedu, or is damaged: "
        "expected an .npz file written by cnnedu train --save or by save(network, path)"
    )
