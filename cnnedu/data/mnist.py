"""MNIST, 70,000 handwritten digits: from a folder, the user's cache or a mirror, verified."""

import os
from pathlib import Path

import numpy as np

from cnnedu.data.dataset import Dataset, Part
from cnnedu.data.download import PublishedFile, Source, fetch
from cnnedu.data.idx import parse_idx

# The original site (yann.lecun.com) refuses downloads; these hold the same files.
MNIST = Source(
    title="MNIST",
    folder="mnist",
    files=(
        PublishedFile(
            "train-images-idx3-ubyte",
            (60_000, 28, 28),
            "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
        ),
        PublishedFile(
            "train-labels-idx1-ubyte",
            (60_000,),
            "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
        ),
        PublishedFile(
            "t10k-images-idx3-ubyte",
            (10_000, 28, 28),
            "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
        ),
        PublishedFile(
            "t10k-labels-idx1-ubyte",
            (10_000,),
            "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
        ),
    ),
    mirrors=(
        "https://ossci-datasets.s3.amazonaws.com/mnist",
        "https://storage.googleapis.com/cvdf-datasets/mnist",
        "https://raw.githubusercontent.com/fgnt/mnist/master",
    ),
)
_SOURCE = "70,000 digits (Y. LeCun, C. Cortes, C. Burges, 1998, CC BY-SA 3.0)"


def load_mnist(split: str = "standard", *, progress: bool = True) -> Dataset:
    """Return MNIST, downloading it (11 MB) if it is not yet on this computer.

    Its four files are looked for in the folder ``mnist`` under the folder that the environment
    variable ``CNNEDU_DATA`` names, compressed or not; then in the user's cache; then on several
    mirrors. They are used only if the checksum of their decompressed bytes is the published one.

    Parameters
    ----------
    split : {"standard", "openml"}
        "standard": 60,000 images to train on and 10,000, by other writers, to test on, in the order
        of the files. "openml": all 70,000 shuffled, 56,000 to train on and 14,000 to test on, as by
        ``train_test_split(X, y, test_size=0.2, random_state=42)`` on OpenML's ``mnist_784``; many
        tutorials do so, and have the same writers on both sides.
    progress : bool
        Show a progress bar while downloading.

    Returns
    -------
    Dataset
        Images of shape (1, 28, 28), float32 in [0, 1], white ink on black; labels int64, 0 to 9.
        Takes 220 MB of memory.

    Raises
    ------
    ValueError
        If `split` is unknown.
    DataError
        If the files cannot be had, or a file in the user's own folder is not the published one. The
        message says what was tried and what to do.

    Warns
    -----
    RuntimeWarning
        If the download cannot be kept in the cache; it is used all the same.

    See Also
    --------
    load_digits : 1,797 digits in the same form that need no network.
    """
    return _load(MNIST, split, progress=progress)


def _load(source: Source, split: str, *, progress: bool, cache: Path | None = None) -> Dataset:
    if split not in ("standard", "openml"):
        raise ValueError(
            f"expected split to be 'standard' or 'openml', got {split!r}; choose one of the two"
        )
    contents = fetch(source, given=_given_folder(source), cache=cache, progress=progress)
    # Popped and overwritten as they are used, so that each is freed before the next is made.
    arrays = [parse_idx(contents.pop(file.name)) for file in source.files]
    if split == "standard":
        how = "60,000 to train and 10,000 to test, in the order of the files"
        parts = [_part(arrays.pop(0), arrays.pop(0)) for _ in ("train", "test")]
    else:
        how = "56,000 to train and 14,000 to test, drawn from both files as OpenML's users do"
        images, labels = np.concatenate(arrays[0::2]), np.concatenate(arrays[1::2])
        del arrays
        parts = [_part(images[chosen], labels[chosen]) for chosen in openml_order(len(labels))]
    return Dataset("mnist", *parts, f"{_SOURCE}; split into {how}.")


def _given_folder(source: Source) -> Path | None:
    """Return the folder named by CNNEDU_DATA, absolute, so that a later chdir changes nothing."""
    folder = os.environ.get("CNNEDU_DATA", "").strip()
    return Path(folder).expanduser().absolute() / source.folder if folder else None


def _part(images: np.ndarray, labels: np.ndarray) -> Part:
    # Every byte divided by 255 lies in [0, 1], and the checksum vouches for the labels.
    scaled = np.divide(images[:, np.newaxis], np.float32(255), dtype=np.float32)
    return Part._unchecked(scaled, labels.astype(np.int64))


def openml_order(count: int, test_share: float = 0.2) -> tuple[np.ndarray, np.ndarray]:
    """Return the positions that scikit-learn's train_test_split draws with random_state=42.

    It shuffles all positions with NumPy's old generator, whose stream is frozen for good, and
    takes the test set from the front. Done on positions, it copies bytes and not floats.
    """
    order = np.random.RandomState(42).permutation(count)
    n_test = int(np.ceil(test_share * count))
    return order[n_test:], order[:n_test]
