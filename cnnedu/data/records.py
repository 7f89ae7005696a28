"""Results that take the whole of MNIST to make, recorded for readers who do not have it."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any


def load_recorded(name: str) -> dict[str, Any]:
    """Read a recorded result.

    Parameters
    ----------
    name : str
        For example "notebook-mnist".

    Returns
    -------
    dict
        Among the results: "command", which makes them anew, and "made_with", versions and date.

    Raises
    ------
    ValueError
        If there is no recorded result of that name.
    """
    folder = files("cnnedu.data").joinpath("recorded")
    known = sorted(entry.name[:-5] for entry in folder.iterdir() if entry.name.endswith(".json"))
    if name not in known:
        raise ValueError(f"name must be one of {', '.join(map(repr, known))}, got {name!r}")
    return json.loads(folder.joinpath(f"{name}.json").read_text(encoding="utf-8"))
