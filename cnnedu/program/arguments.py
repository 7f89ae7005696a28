"""The command line: which commands there are, their options, and what --help says."""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable
from pathlib import Path

from cnnedu import __version__
from cnnedu.program import evaluate, fine_tune, predict, tables, train
from cnnedu.program.messages import UsageError
from cnnedu.program.reading import DATA
from cnnedu.systems import SYSTEMS

TRAIN = """\
Train one of the four networks, and say how well it does on images that it has not seen.

examples:
  cnnedu train --network notebook --data digits
        in a few seconds, without any download
  cnnedu train --network lasagne --data mnist --workers 2 --save my.npz
        on 60,000 images (11 MB are downloaded the first time)
  cnnedu train --resume my.npz
        go on with a training that was interrupted, by Ctrl-C or by a power cut
  cnnedu train --network cnn-rs --train-images train-images-idx3-ubyte.gz \\
        --train-labels train-labels-idx1-ubyte.gz --test-images t10k-images-idx3-ubyte.gz \\
        --test-labels t10k-labels-idx1-ubyte.gz
        on files of one's own in MNIST's format (IDX), compressed or not

The same seed and the same number of workers give the same network, bit for bit.
Ctrl-C stops after the step that is being computed and saves; a second Ctrl-C stops at once.
"""
EVALUATE = """\
Measure how well a network reads images whose labels are known.

examples:
  cnnedu evaluate --data digits
  cnnedu evaluate --load my.npz --data mnist
  cnnedu evaluate --load my.npz --data mnist --json
        {"accuracy": 0.9912, "loss": 0.0268, "images": 10000}
"""
PREDICT = """\
Read photographs or scans of single handwritten digits: dark on light or light on dark, any size.
The digit should stand upright, be drawn with clear strokes, and be the largest thing on the page.

examples:
  cnnedu predict seven.jpg
  cnnedu predict my-photographs
        every image in that folder and the folders in it
  cnnedu predict --json my-photographs
        [{"path": "my-photographs/a.jpg", "digit": 7, "probability": 0.98}, ...]
"""
FINE_TUNE = """\
Train a network further on a handful of your own digits, and judge honestly what that is worth.

Labels are read from the files' names, which begin with the digit (7.jpeg, 7_b.png), or from the
folders they are in (7/photo.png).

Three numbers are printed: before; leave-one-out, where every image is read by a network tuned on
the others only; and what one gets by asking about each image right after training on it, which is
no test at all.

examples:
  cnnedu fine-tune --save mine.npz my-photographs
  cnnedu predict --load mine.npz new-photograph.jpg
"""
EXPORT = """\
Write a network's weights as tables, one CSV file for each array, and network.json, which says how
the layers are put together. cnnedu import makes the same network of them again, to the last bit.

A table's first line numbers the columns. Each further line is one kernel or one output of a dense
layer; for the network competing-kernels the files are kernels.csv, weights_01.csv (inputs x
outputs) and weights_12.csv, as pandas would write them without an index.

examples:
  cnnedu export --load my.npz tables
  cnnedu export tables              the network that comes with the package
"""
IMPORT = """\
Make a network of the tables in a folder and save it to a file.

The folder was written by cnnedu export, or holds kernels.csv, weights_01.csv and weights_12.csv of
the network competing-kernels.

example:
  cnnedu import tables --save my.npz
"""
PROGRAM = """\
Train, test and use small convolutional networks that read handwritten digits.

examples:
  cnnedu predict my-photographs                    read photographs of digits
  cnnedu train --network lasagne --data digits     train a network
  cnnedu train --help                              say more about one command
"""
ENDS = "exit status: 0 all right, 1 something failed, 2 wrong usage, 130 stopped by Ctrl-C"


class Parser(argparse.ArgumentParser):
    """A parser whose complaints are one sentence."""

    def __init__(self, **options) -> None:
        super().__init__(
            formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False, **options
        )

    def error(self, message: str) -> None:
        """Complain about the command line."""
        raise UsageError(f"{message}; see {self.prog} --help", command=self.prog)


def whole_number(at_least: int) -> Callable[[str], int]:
    """Return a reader of whole numbers."""

    def read(text: str) -> int:
        try:
            number = int(text)
        except ValueError:
            number = at_least - 1
        if number < at_least:
            raise argparse.ArgumentTypeError(
                f"expected a whole number of at least {at_least}, got {text!r}"
            )
        return number

    return read


def rate(text: str) -> float:
    """Read a learning rate."""
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not 0 < number < math.inf:
        raise argparse.ArgumentTypeError(f"expected a number above 0, such as 0.01, got {text!r}")
    return number


def network_name(text: str) -> str:
    """Read the name of one of the four networks."""
    if text not in SYSTEMS:
        raise argparse.ArgumentTypeError(
            f"there is no network {text!r}; choose one of {', '.join(SYSTEMS)}"
        )
    return text


def data_name(text: str) -> str:
    """Read the name of a data set."""
    if text not in DATA:
        raise argparse.ArgumentTypeError(
            f"there are no data {text!r}; choose digits or mnist, or name files with "
            "--train-images and so on"
        )
    return text


def path(text: str) -> Path:
    """Read a path; an empty one is a slip."""
    if not text:
        raise argparse.ArgumentTypeError("expected a path, got an empty text")
    return Path(text).expanduser()


def make_parser() -> Parser:
    """Describe the whole command line."""
    parser = Parser(prog="cnnedu", description=PROGRAM, epilog=ENDS)
    parser.add_argument("--version", action="version", version=f"cnnedu {__version__}")
    parser.set_defaults(run=None, command="")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", parser_class=Parser)

    def command(name, summary, description, run):
        added = commands.add_parser(name, help=summary, description=description, epilog=ENDS)
        added.set_defaults(run=run, command=name)
        return added

    _train(command("train", "train a network", TRAIN, train.run))
    _evaluate(command("evaluate", "measure a network's accuracy", EVALUATE, evaluate.run))
    _predict(command("predict", "read images of digits", PREDICT, predict.run))
    _fine_tune(
        command("fine-tune", "train a network further on your digits", FINE_TUNE, fine_tune.run)
    )
    _export(command("export", "write a network's weights as CSV", EXPORT, tables.run_export))
    _import(command("import", "make a network of CSV files", IMPORT, tables.run_import))
    return parser


def _train(parser: Parser) -> None:
    known = ", ".join(SYSTEMS)
    add = parser.add_argument
    add("--network", metavar="NAME", type=network_name, help=f"one of {known}")
    add(
        "--as-written",
        action="store_true",
        default=None,
        help="as the network's origin trains it, mistakes included, instead of corrected",
    )
    _data(parser, ("train", "test"))
    add("--epochs", metavar="N", type=whole_number(1), help="how often to go through the images")
    add("--learning-rate", metavar="X", type=rate, help="how far each step goes")
    add("--batch-size", metavar="N", type=whole_number(1), help="images that each step looks at")
    add("--seed", metavar="N", type=whole_number(0), help="for all random numbers (0)")
    add("--workers", metavar="N", type=whole_number(1), help="threads that compute (1)")
    add("--load", metavar="FILE", type=path, help="begin with the weights of this network")
    add(
        "--save",
        metavar="FILE",
        type=path,
        help="keep the network in this file: from the start on, after each epoch, at the end",
    )
    add(
        "--checkpoint-every",
        metavar="N",
        type=whole_number(1),
        help="save after every N batches, too",
    )
    add(
        "--resume",
        metavar="FILE",
        type=path,
        help="go on with the training whose --save file this is; nothing else need be said",
    )
    _json(parser)


def _evaluate(parser: Parser) -> None:
    _load(parser)
    _data(parser, ("test",))
    parser.add_argument(
        "--part",
        choices=("test", "train", "all"),
        help="which images of --data to measure on (test)",
    )
    parser.add_argument(
        "--workers", metavar="N", type=whole_number(1), default=1, help="threads that compute (1)"
    )
    _json(parser)


def _predict(parser: Parser) -> None:
    _load(parser)
    parser.add_argument(
        "paths",
        metavar="PATH",
        nargs="+",
        type=path,
        help="an image, or a folder of images",
    )
    _json(parser)


def _fine_tune(parser: Parser) -> None:
    _load(parser)
    add = parser.add_argument
    add("--save", metavar="FILE", type=path, required=True, help="where to keep the tuned network")
    add("--steps", metavar="N", type=whole_number(1), help="steps of gradient descent (10)")
    add("--learning-rate", metavar="X", type=rate, help="how far each step goes (0.01)")
    add("--seed", metavar="N", type=whole_number(0), default=0, help="for random numbers (0)")
    add("folder", metavar="DIR", type=path, help="the folder with your images")
    _json(parser)


def _export(parser: Parser) -> None:
    _load(parser)
    parser.add_argument("folder", metavar="DIR", type=path, help="where to write; made if needed")


def _import(parser: Parser) -> None:
    add = parser.add_argument
    add("folder", metavar="DIR", type=path, help="the folder with the tables")
    add("--save", metavar="FILE", type=path, required=True, help="where to keep the network")


def _load(parser: Parser) -> None:
    parser.add_argument(
        "--load",
        metavar="FILE",
        type=path,
        help="the network to use, saved by cnnedu; without it, the one that comes with the package",
    )


def _data(parser: Parser, roles: tuple[str, ...]) -> None:
    group = parser.add_argument_group("data: a name, or IDX files as MNIST's, .gz or not")
    group.add_argument(
        "--data",
        metavar="NAME",
        type=data_name,
        help="digits (1,797 images that need no download) or mnist (70,000)",
    )
    for role in roles:
        group.add_argument(f"--{role}-images", metavar="FILE", type=path)
        group.add_argument(f"--{role}-labels", metavar="FILE", type=path)


def _json(parser: Parser) -> None:
    parser.add_argument(
        "--json", action="store_true", help="print the result as JSON, and nothing else, to stdout"
    )
