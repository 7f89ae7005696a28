"""``cnnedu predict``: read photographs and scans of single handwritten digits."""

from __future__ import annotations

import argparse
from pathlib import Path

from cnnedu.data import label_of
from cnnedu.program.messages import Output
from cnnedu.program.reading import open_network, read_pictures


def run(arguments: argparse.Namespace, output: Output) -> int:
    """Do what the command line says."""
    network = open_network(arguments.load)
    found, matches = [], []
    for path, prepared in read_pictures(arguments.paths):
        if isinstance(prepared, str):
            output.complain(prepared)
            found.append({"path": str(path), "error": prepared})
            continue
        probabilities = network.predict_proba(prepared.image[None, None])[0]
        digit = int(probabilities.argmax())
        probability = float(probabilities[digit])
        found.append({"path": str(path), "digit": digit, "probability": probability})
        matches.append(_matches(path, digit))
        if not output.as_json:
            output.say(f"{path}: {digit} ({probability:.1%})")
    if len(matches) > 1 and None not in matches and not output.as_json:
        output.say(f"{sum(matches)} of {len(matches)} as the names of the files say")
    output.give(found)
    return output.status


def _matches(path: Path, digit: int) -> bool | None:
    """Tell whether the digit is what the file's name says; None if it says nothing."""
    try:
        return label_of(path) == digit
    except ValueError:
        return None
