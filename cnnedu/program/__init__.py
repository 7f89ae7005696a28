"""The program ``cnnedu``: train, evaluate, predict and fine-tune from the command line.

``cnnedu --help`` says how. One module for each command; ``arguments`` describes the command line,
``reading`` gets networks, data and pictures, ``messages`` is how the program speaks.
"""

from cnnedu.program.entry import main

__all__ = ["main"]
