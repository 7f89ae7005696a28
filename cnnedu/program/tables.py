"""``cnnedu export`` and ``cnnedu import``: a network as tables, one CSV file for each array.

For the network "competing-kernels" the files are those that its origin writes: ``kernels.csv``
(9 x 64), ``weights_01.csv`` (441 x 100) and ``weights_12.csv`` (100 x 10), inputs in rows.
"""

from __future__ import annotations

import argparse
import json
import warnings
from pathlib import Path
from typing import Any

import numpy as np

from cnnedu import __version__
from cnnedu.network import Sequential
from cnnedu.program.messages import Output, ProgramError
from cnnedu.program.reading import check_can_be_written, open_network
from cnnedu.storage import describe, load, rebuild, save
from cnnedu.systems import system

STRUCTURE = "network.json"
KNOWN_TABLES = {
    "conv1.weight": ("kernels.csv", False),
    "dense1.weight": ("weights_01.csv", True),
    "dense2.weight": ("weights_12.csv", True),
}
"""The tables of competing-kernels: each parameter's file, and whether it is transposed."""
FORMATS = {"float32": "%.9g", "float64": "%.17g"}
"""As many digits as bring back the same bits."""


def run_export(arguments: argparse.Namespace, output: Output) -> int:
    """Write a network's weights as CSV."""
    network = load(arguments.load) if arguments.load else open_network(None)
    folder = arguments.folder
    if folder.exists() and not folder.is_dir():
        raise ProgramError(f"cannot write tables to {folder}, which is a file; name a folder")
    folder.mkdir(parents=True, exist_ok=True)
    # Whatever is there goes first, so that tables of two networks can never be taken for one.
    for file in (STRUCTURE, *(_table_of(network, name)[0] for name in network.params)):
        (folder / file).unlink(missing_ok=True)
    header, _ = describe(network)
    header["tables"] = {}
    for name, array in network.params.items():
        file, transposed = _table_of(network, name)
        entry = {"file": file, "shape": array.shape, "dtype": str(array.dtype)}
        header["tables"][name] = {**entry, "transposed": transposed}
        table = _as_table(array, transposed)
        np.savetxt(
            folder / file,
            table,
            fmt=FORMATS[str(array.dtype)],
            delimiter=",",
            header=",".join(str(column) for column in range(table.shape[1])),
            comments="",
            encoding="utf-8",
        )
        output.say(f"{folder / file}: {name}, {table.shape[0]} x {table.shape[1]} numbers")
    (folder / STRUCTURE).write_text(json.dumps(header, indent=1) + "\n", encoding="utf-8")
    output.say(f"{folder / STRUCTURE}: how the layers are put together")
    return output.status


def run_import(arguments: argparse.Namespace, output: Output) -> int:
    """Make a network of CSV files."""
    check_can_be_written(arguments.save)
    folder = arguments.folder
    if not folder.is_dir():
        what = "a file" if folder.exists() else "nothing"
        raise ProgramError(
            f"expected a folder with tables at {folder}, found {what}; check the path"
        )
    if (folder / STRUCTURE).is_file():
        network = _from_structure(folder)
    elif all((folder / file).is_file() for file, _ in KNOWN_TABLES.values()):
        network = _from_known_tables(folder)
    else:
        raise ProgramError(
            f"expected {STRUCTURE}, as written by cnnedu export, or kernels.csv, weights_01.csv "
            f"and weights_12.csv in {folder}; check the path"
        )
    save(network, arguments.save, about={"command": "cnnedu import", "version": __version__})
    output.say(f"saved to {arguments.save}: {network.parameter_count:,} parameters")
    return output.status


def _table_of(network: Sequential, name: str) -> tuple[str, bool]:
    if set(network.params) == set(KNOWN_TABLES):
        return KNOWN_TABLES[name]
    return f"{name}.csv", False


def _as_table(array: np.ndarray, transposed: bool) -> np.ndarray:
    """Lay an array out in rows: one for each kernel, or for each number of a bias."""
    table = array.reshape(len(array), -1)
    return table.T if transposed else table


def _from_structure(folder: Path) -> Sequential:
    path = folder / STRUCTURE
    try:
        header = json.loads(path.read_text(encoding="utf-8"))
        tables = {name: _entry(entry) for name, entry in header["tables"].items()}
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise ProgramError(
            f"{path} is damaged ({error}); write it again with cnnedu export"
        ) from None
    arrays = {f"params/{name}": _read(folder, *entry) for name, entry in tables.items()}
    return rebuild(header, arrays, path)


def _entry(entry: dict[str, Any]) -> tuple[str, tuple[int, ...], np.dtype, bool]:
    if entry["dtype"] not in FORMATS:
        raise ValueError(f"unknown dtype {entry['dtype']!r}")
    shape = tuple(int(size) for size in entry["shape"])
    return Path(entry["file"]).name, shape, np.dtype(entry["dtype"]), bool(entry["transposed"])


def _from_known_tables(folder: Path) -> Sequential:
    """Make the network as its origin means it, in float64."""
    competing = system("competing-kernels", as_written=True)
    network = competing.network(rng=np.random.default_rng(0))
    for name, array in network.params.items():
        file, transposed = KNOWN_TABLES[name]
        array[...] = _read(folder, file, array.shape, array.dtype, transposed)
    return network


def _read(
    folder: Path, file: str, shape: tuple[int, ...], dtype: np.dtype, transposed: bool
) -> np.ndarray:
    path = folder / file
    if not path.is_file():
        raise ProgramError(f"expected the table {path}, found nothing; write it with cnnedu export")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # an empty table is complained of below
            table = np.loadtxt(path, delimiter=",", skiprows=1, ndmin=2, encoding="utf-8")
    except ValueError as error:
        why = str(error).split(";")[0].rstrip(".")  # what follows is advice to programmers
        raise ProgramError(
            f"{path} is no table of numbers ({why}); export the network again"
        ) from None
    rows = shape[0], int(np.prod(shape[1:]))
    wanted = rows[::-1] if transposed else rows
    with np.errstate(over="ignore"):
        table = table.astype(dtype)
    if table.shape == wanted and not np.isfinite(table).all():
        row, column = np.argwhere(~np.isfinite(table))[0]
        raise ProgramError(
            f"expected finite numbers in {path}, got {table[row, column]} in line {row + 2}, "
            f"column {column}; export the network again"
        )
    if table.shape != wanted:
        raise ProgramError(
            f"expected a table of {wanted[0]} x {wanted[1]} numbers below its first line in "
            f"{path}, got {table.shape[0]} x {table.shape[1]}; export the network again"
        )
    return (table.T if transposed else table).reshape(shape)
