"""The program's entrance: read the command line, do what it says, end with the right status."""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Sequence

from cnnedu.program.arguments import make_parser
from cnnedu.program.messages import (
    BROKEN_PIPE,
    FAILED,
    STOPPED,
    WRONG_USAGE,
    Output,
    ProgramError,
    UsageError,
    describe,
)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the program.

    Parameters
    ----------
    argv : sequence of str, optional
        What follows the program's name on the command line; taken from there if not given.

    Returns
    -------
    int
        The exit status: 0 all right, 1 something failed, 2 wrong usage, 130 stopped by Ctrl-C.
    """
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # names of files that the terminal cannot show
            stream.reconfigure(errors="backslashreplace")
    try:
        with warnings.catch_warnings():
            warnings.showwarning = _show_warning
            return _run(argv)
    except BrokenPipeError:
        # Whoever read stdout has gone. Python would complain once more when it flushes at the end.
        _let_stdout_go()
        return BROKEN_PIPE


def _run(argv: Sequence[str] | None) -> int:
    parser = make_parser()
    output = Output("cnnedu")
    try:
        arguments, unknown = parser.parse_known_args(argv)
        if unknown:
            command = f"cnnedu {arguments.command}".strip()
            words = " ".join(unknown)
            raise UsageError(
                f"unrecognized arguments: {words}; see {command} --help", command=command
            )
        if arguments.run is None:
            parser.print_help(sys.stderr)
            return WRONG_USAGE
        output = Output(f"cnnedu {arguments.command}", as_json=getattr(arguments, "json", False))
        return arguments.run(arguments, output)
    except SystemExit as end:  # after --help and --version
        if sys.stdout is not None:
            sys.stdout.flush()
        return int(end.code or 0)
    except UsageError as error:
        output.command = error.command or output.command
        output.complain(error)
        return WRONG_USAGE
    except BrokenPipeError:
        raise
    except (ProgramError, OSError, ValueError, FloatingPointError, MemoryError) as error:
        output.complain(describe(error))
        return FAILED
    except KeyboardInterrupt as error:
        output.complain(str(error) or "stopped")
        return STOPPED


def _show_warning(message, category, filename, lineno, file=None, line=None) -> None:
    print(f"cnnedu: {message}", file=sys.stderr)


def _let_stdout_go() -> None:
    try:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
    except (OSError, ValueError):  # a stdout that is no file
        pass
