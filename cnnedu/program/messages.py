"""What the program says: results on stdout, everything else on stderr, and how it ends."""

from __future__ import annotations

import json
import math
import sys
from typing import Any

DONE, FAILED, WRONG_USAGE = 0, 1, 2
STOPPED, BROKEN_PIPE = 130, 141
"""What shells expect of a program that Ctrl-C or a closed pipe has ended: 128 + the signal."""


class ProgramError(Exception):
    """Something that cannot be done; the message is one sentence for the user."""


class UsageError(ProgramError):
    """A command line that does not make sense."""

    def __init__(self, message: str, *, command: str | None = None) -> None:
        super().__init__(message)
        self.command = command


class Output:
    """Where words and numbers go.

    Parameters
    ----------
    command : str
        The name that complaints begin with, "cnnedu train" for example.
    as_json : bool
        Whether stdout is for machines: then it gets JSON only, and words go to stderr.
    """

    def __init__(self, command: str, *, as_json: bool = False) -> None:
        self.command, self.as_json = command, as_json
        self.complaints = 0

    @property
    def shows_bars(self) -> bool:
        """Whether somebody is watching, so that progress bars make sense."""
        return sys.stderr is not None and sys.stderr.isatty()

    def say(self, line: str = "") -> None:
        """Print a line for people."""
        stream = sys.stderr if self.as_json else sys.stdout
        if self.shows_bars and "tqdm" in sys.modules:  # a progress bar must make room for the line
            sys.modules["tqdm"].tqdm.write(line, file=stream)
            stream.flush()
        elif stream is not None:
            print(line, file=stream, flush=True)

    def complain(self, message: object) -> None:
        """Say on stderr that something went wrong; the program will end with ``FAILED``."""
        self.complaints += 1
        if sys.stderr is not None:  # which somebody may have closed
            print(f"{self.command}: {message}", file=sys.stderr, flush=True)

    def give(self, result: Any) -> None:
        """Print the result for machines, if they asked."""
        if self.as_json:
            print(json.dumps(_finite(result), allow_nan=False), flush=True)

    @property
    def status(self) -> int:
        """The exit status so far."""
        return FAILED if self.complaints else DONE


def _finite(value: Any) -> Any:
    """Replace NaN and infinity, which JSON does not know, by None."""
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def describe(error: BaseException) -> str:
    """Say an error in a sentence."""
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    if isinstance(error, MemoryError):
        return "this computer's memory is not large enough for that"
    return str(error)
