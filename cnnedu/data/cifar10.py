"""CIFAR-10, 60,000 small color photographs, from files that the reader has fetched."""

import os
import tarfile
import zlib
from pathlib import Path

import numpy as np

from cnnedu.data.dataset import Dataset, Part
from cnnedu.data.download import DataError

CIFAR10_CLASSES = (
    "airplane",
    "automobile",
    "bird",
    "cat",
    "deer",
    "dog",
    "frog",
    "horse",
    "ship",
    "truck",
)
ADDRESS = "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz"
ARCHIVE = "cifar-10-binary.tar.gz"
FOLDER = "cifar-10-batches-bin"
TRAIN_FILES = tuple(f"data_batch_{number}.bin" for number in range(1, 6))
TEST_FILE = "test_batch.bin"
RECORD = 1 + 3 * 32 * 32
"""Bytes of a record: the class, then 1,024 red pixels, 1,024 green, 1,024 blue, row by row."""
_MOST_BYTES = 10_000 * RECORD  # what each of the published files has
_HOW = (
    f"download the binary version ({ADDRESS}, 162 MB) yourself and put it, as it is or unpacked, "
    'into a folder: load_cifar10("folder"), or the folder cifar10 under CNNEDU_DATA'
)


def load_cifar10(folder: str | os.PathLike | None = None) -> Dataset:
    """Return CIFAR-10 from its binary files. Nothing is ever downloaded.

    Parameters
    ----------
    folder : path, optional
        Where ``data_batch_1.bin`` to ``data_batch_5.bin`` and ``test_batch.bin`` lie, or the folder
        ``cifar-10-batches-bin`` with them, or ``cifar-10-binary.tar.gz``, which holds that folder;
        or the path of that archive itself. If not given, the folder ``cifar10`` under the one that
        the environment variable ``CNNEDU_DATA`` names.

    Returns
    -------
    Dataset
        Images of shape (3, 32, 32), red, green, blue, float32 in [0, 1]; labels int64, 0 to 9;
        ``class_names`` from "airplane" to "truck". The published files hold 50,000 images to train
        on and 10,000 to test on, and take 740 MB of memory.

    Raises
    ------
    DataError
        If a file is missing, cut short, or not in this format. The message says what to do.

    Notes
    -----
    A. Krizhevsky, *Learning multiple layers of features from tiny images*, 2009. Lesson 10.
    """
    place = _place(folder)
    names = (*TRAIN_FILES, TEST_FILE)
    archive = _archive(place)
    contents = _read_archive(archive, names) if archive else _read_folder(place, names)
    # Popped as they are used, so that bytes are freed while pixels are made.
    train = _part([(name, contents.pop(name)) for name in TRAIN_FILES])
    test = _part([(TEST_FILE, contents.pop(TEST_FILE))])
    description = (
        f"{len(train):,} images to train and {len(test):,} to test (A. Krizhevsky, 2009), as the "
        "files divide them."
    )
    return Dataset("cifar10", train, test, description, class_names=CIFAR10_CLASSES)


def _place(folder) -> Path:
    if folder is not None:
        place = Path(folder).expanduser()
    else:
        given = os.environ.get("CNNEDU_DATA", "").strip()
        if not given:
            raise DataError(f"CIFAR-10 is not downloaded for you: {_HOW}")
        place = Path(given).expanduser() / "cifar10"
    if not place.exists():
        raise DataError(f"expected CIFAR-10 in {place}, which does not exist; {_HOW}")
    return place


def _archive(place: Path) -> Path | None:
    """Return the archive to read from, or None where the unpacked files are."""
    if place.is_file():
        return place
    unpacked = [place / TEST_FILE, place / FOLDER / TEST_FILE]
    packed = place / ARCHIVE
    return packed if packed.is_file() and not any(map(Path.is_file, unpacked)) else None


def _read_folder(place: Path, names) -> dict[str, bytes]:
    inner = place / FOLDER
    folder = inner if inner.is_dir() else place
    missing = [name for name in names if not (folder / name).is_file()]
    if missing:
        other = ""
        if any(path.is_file() for path in (folder / "data_batch_1", place / "batches.meta")):
            other = " (these are the files of the Python version)"
        elif (folder / "train.bin").is_file():
            other = " (these are the files of CIFAR-100)"
        raise DataError(f"{folder} lacks {', '.join(missing)}{other}; {_HOW}")
    try:
        for name in names:  # a wrong file may be far too large to be read
            _check_size(folder / name, (folder / name).stat().st_size)
        return {name: (folder / name).read_bytes() for name in names}
    except OSError as error:
        if isinstance(error, DataError):
            raise
        raise DataError(f"{folder} cannot be read ({error.strerror}); {_HOW}") from error


def _read_archive(path: Path, names) -> dict[str, bytes]:
    """Read the files inside the archive; nothing is unpacked to the disk."""
    contents = {}
    try:
        with tarfile.open(path, "r:*") as archive:
            for member in archive:
                name = member.name.rsplit("/", 1)[-1]
                if name in names and member.isfile():
                    _check_size(f"{path}, {name}", member.size)
                    contents[name] = archive.extractfile(member).read()
    except (tarfile.TarError, EOFError, zlib.error, OSError) as error:
        if isinstance(error, DataError):
            raise
        raise DataError(f"{path} is damaged, cut short or no archive ({error}); {_HOW}") from error
    missing = [name for name in names if name not in contents]
    if missing:
        raise DataError(f"{path} lacks {', '.join(missing)}; {_HOW}")
    return contents


def _check_size(what, size: int) -> None:
    if size == 0 or size % RECORD or size > _MOST_BYTES:
        raise DataError(
            f"{what} has {size:,} bytes, expected records of {RECORD:,} bytes, at most 10,000 of "
            f"them (30,730,000 bytes); the file is cut short or another one: {_HOW}"
        )


def _part(files: list[tuple[str, bytes]]) -> Part:
    """Turn the records of some files into images and labels."""
    count = sum(len(content) for _, content in files) // RECORD
    images = np.empty((count, 3, 32, 32), np.float32)
    labels = np.empty(count, np.int64)
    start = 0
    for name, content in files:
        records = np.frombuffer(content, np.uint8).reshape(-1, RECORD)
        place = slice(start, start + len(records))
        labels[place] = records[:, 0]
        wrong = np.flatnonzero(records[:, 0] > 9)
        if len(wrong):
            raise DataError(
                f"{name}: record {wrong[0]} begins with {records[wrong[0], 0]}, expected a class "
                f"from 0 to 9; the file is damaged or another one: {_HOW}"
            )
        pixels = records[:, 1:].reshape(-1, 3, 32, 32)
        np.divide(pixels, np.float32(255), out=images[place], dtype=np.float32)
        start = place.stop
    return Part._unchecked(images, labels)
