"""Get what a command works on: networks, data sets, pictures; and say clearly what is wrong."""

from __future__ import annotations

import argparse
import glob
import os
import tempfile
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

from cnnedu.architectures import CLASSES, IMAGE
from cnnedu.data import (
    Dataset,
    HandwritingError,
    Part,
    Preparation,
    load_digits,
    load_mnist,
    prepare_digit,
    read_folder,
    read_idx,
)
from cnnedu.network import Sequential
from cnnedu.pretrained import load_pretrained
from cnnedu.program.messages import Output, ProgramError, UsageError, describe
from cnnedu.storage import load, temporary_name

DATA = ("digits", "mnist")
SHIPPED = "lasagne"
"""The network that is used if none is named."""
LEFTOVER_AGE = 3600.0
"""Seconds after which a temporary file cannot be in use any more."""

# ---------------------------------------------------------------------------------------------
# Networks
# ---------------------------------------------------------------------------------------------


def open_network(path: Path | None) -> Sequential:
    """Load a network that reads digits: from a file, or the one that comes with the package."""
    if path is None:
        return load_pretrained(SHIPPED)
    network = load(path)
    check_reads_digits(network, path)
    return network


def check_reads_digits(network: Sequential, path: Path) -> None:
    """Check that a network turns images of digits into ten scores."""
    try:
        network.check_ends_in_logits()
        takes, gives = IMAGE, network.output_shape(IMAGE)
        if network.input_shape not in (None, IMAGE):
            takes = network.input_shape
    except (TypeError, ValueError) as error:
        raise ProgramError(
            f"the network in {path} does not read images of digits ({error}); load another one"
        ) from None
    if takes != IMAGE or gives != (CLASSES,):
        raise ProgramError(
            f"the network in {path} turns images of shape {takes} into outputs of shape {gives}, "
            f"and digits need one that turns {IMAGE} into {(CLASSES,)}; load another one"
        )
    with np.errstate(all="ignore"):
        answer = network.predict_proba(np.ones((1, *IMAGE), network.dtype))
    if not np.isfinite(answer).all():
        raise ProgramError(
            f"the network in {path} answers nothing but NaN, because its weights are NaN or too "
            "large; train it again, with a lower learning rate"
        )


def check_can_be_written(path: Path) -> None:
    """Find out whether a file can be written there, before any work is done."""
    named, path = path, Path(os.path.realpath(path))  # what a link leads to is written
    if str(path) != os.path.abspath(named):
        named = f"{named} (which leads to {path})"
    if path.is_dir():
        raise ProgramError(
            f"cannot save to {named}, which is a folder; name a file, such as my.npz"
        )
    if path.exists() and not path.is_file():
        raise ProgramError(
            f"cannot save to {named}, which is no ordinary file; choose another place"
        )
    if not path.parent.is_dir():
        raise ProgramError(
            f"cannot save to {named}: there is no folder {path.parent}; make it first"
        )
    try:
        if path.is_file() and not _may_be_replaced(path):
            raise ProgramError(
                f"cannot save to {named}, which is a file of another kind and would be lost; "
                "choose another name, or remove it first"
            )
        with tempfile.TemporaryFile(dir=path.parent):
            pass
        _sweep(path)
    except OSError as error:
        raise ProgramError(
            f"cannot save to {named}: {error.strerror}; choose another place"
        ) from None


def _may_be_replaced(path: Path) -> bool:
    """Tell whether a file is empty or a saved network: not a photograph that was named by slip."""
    with path.open("rb") as file:
        opening = file.read(64)
    return not opening or b"header.npy" in opening


def _sweep(path: Path) -> None:
    """Remove what processes that were killed in the moment of writing have left, an hour ago."""
    prefix, suffix = temporary_name(path)
    for part in path.parent.glob(f"{glob.escape(prefix)}*{suffix}"):
        if time.time() - part.stat().st_mtime > LEFTOVER_AGE:
            part.unlink(missing_ok=True)


# ---------------------------------------------------------------------------------------------
# Data sets
# ---------------------------------------------------------------------------------------------


def idx_files(arguments: argparse.Namespace, roles: tuple[str, ...]) -> dict[str, Path]:
    """Return the IDX files that were named: none, or all that are needed."""
    wanted = [f"{role}_{kind}" for role in roles for kind in ("images", "labels")]
    named = {name: path for name in wanted if (path := getattr(arguments, name))}
    if not named:
        return {}
    if arguments.data:
        raise UsageError(f"give either --data {arguments.data} or {option(next(iter(named)))}")
    missing = [option(name) for name in wanted if name not in named]
    if missing:
        raise UsageError(f"{option(next(iter(named)))} needs {' and '.join(missing)} beside it")
    return {name: path.absolute() for name, path in named.items()}


def option(name: str) -> str:
    """Write ``train_images`` as it is written on the command line."""
    return "--" + name.replace("_", "-")


def read_dataset(source: str | dict[str, Path], output: Output) -> Dataset:
    """Read a data set by name, or from four IDX files."""
    if source == "digits":
        return load_digits()
    if source == "mnist":
        return load_mnist(progress=output.shows_bars)
    return Dataset("files", read_part(source, "train"), read_part(source, "test"))


def read_part(files: dict[str, Path], role: str) -> Part:
    """Read images and labels from two IDX files, and check that they belong together."""
    images_path, labels_path = files[f"{role}_images"], files[f"{role}_labels"]
    images, labels = read_idx(images_path), read_idx(labels_path)
    swapped = f"; are --{role}-images and --{role}-labels the right way round?"
    if images.dtype != np.uint8 or images.shape[1:] != IMAGE[1:]:
        raise ProgramError(
            f"{images_path}: expected images, bytes of shape (N, 28, 28), got {images.dtype} of "
            f"shape {images.shape}" + (swapped if images.ndim == 1 else "; give files like MNIST's")
        )
    if labels.dtype != np.uint8 or labels.ndim != 1:
        raise ProgramError(
            f"{labels_path}: expected labels, bytes of shape (N,), got {labels.dtype} of shape "
            f"{labels.shape}" + (swapped if labels.ndim == 3 else "; give files like MNIST's")
        )
    if len(images) != len(labels) or not len(images):
        raise ProgramError(
            f"expected as many labels as images, and at least one, got {len(images):,} images in "
            f"{images_path} and {len(labels):,} labels in {labels_path}; give files that belong "
            "together"
        )
    if labels.max() >= CLASSES:
        raise ProgramError(
            f"{labels_path}: expected labels from 0 to {CLASSES - 1}, got {labels.max()} for image "
            f"{labels.argmax()}; give labels of digits"
        )
    pixels = np.divide(images[:, np.newaxis], np.float32(255), dtype=np.float32)
    return Part(pixels, labels.astype(np.int64))


# ---------------------------------------------------------------------------------------------
# Pictures
# ---------------------------------------------------------------------------------------------


def read_pictures(paths: Iterable[Path]) -> Iterator[tuple[Path, Preparation | str]]:
    """Prepare pictures, in files and folders, one after the other.

    Yields
    ------
    path : Path
    result : Preparation or str
        Why it could not be prepared, if so; the others still are.
    """
    for path in paths:
        try:
            yield from _pictures(path)
        except (OSError, ValueError) as error:
            yield path, describe(error)


def _pictures(path: Path) -> Iterator[tuple[Path, Preparation | str]]:
    if path.is_dir():
        if not os.access(path, os.R_OK | os.X_OK):
            raise HandwritingError(f"the folder {path} may not be read; change its permissions")
        for inner, result in read_folder(path):
            yield inner, str(result) if isinstance(result, HandwritingError) else result
    elif not path.exists() and glob.has_magic(str(path)):  # shells of Windows leave *.jpg as it is
        found = sorted(glob.glob(str(path)))
        if not found:
            raise HandwritingError(f"expected images at {path}, found none; check the path")
        yield from read_pictures(map(Path, found))
    else:
        yield path, prepare_digit(path)
