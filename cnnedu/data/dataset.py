"""Labeled images in two parts: one to learn from, one to test on."""

import operator
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np


class Part:
    """Images with their labels: the training set or the test set of a `Dataset`, or a piece of one.

    A part unpacks as ``images, labels = part``; ``len(part)`` is the number of images;
    ``part[:100]``, ``part[[3, 1, 4]]`` and ``part[part.labels == 7]`` are parts again.

    Parameters
    ----------
    images : ndarray, shape (N, C, H, W), float32
        Pixels in [0, 1].
    labels : ndarray, shape (N,), int64
        The class of each image, 0 or more.

    Raises
    ------
    TypeError
        If an array has another dtype.
    ValueError
        If the shapes do not fit together, or values lie outside their range.

    Notes
    -----
    The arrays are read-only. A notebook cell is often run twice, and one that changed the data in
    place would change them twice, unseen; and several parts share the same memory, so that a change
    in one would show in another. Write ``part.images.copy()`` to have an array of your own.

    Examples
    --------
    >>> Part(np.zeros((3, 1, 28, 28), np.float32), np.array([5, 0, 4]))
    Part(3 images of shape (1, 28, 28), labels 0 to 5)
    """

    __slots__ = ("_images", "_labels")

    def __init__(self, images: np.ndarray, labels: np.ndarray) -> None:
        _check_images(images)
        _check_labels(labels)
        if len(images) != len(labels):
            raise ValueError(
                f"expected as many labels as images, got {len(images)} images and "
                f"{len(labels)} labels; give one label for each image"
            )
        self._set(images, labels)

    @classmethod
    def _unchecked(cls, images: np.ndarray, labels: np.ndarray) -> "Part":
        """Make a part from arrays that are known to be right, without looking at every pixel."""
        part = cls.__new__(cls)
        part._set(images, labels)
        return part

    def _set(self, images, labels):
        self._images = _read_only(images)
        self._labels = _read_only(labels)

    @property
    def images(self) -> np.ndarray:
        """The images, shape (N, C, H, W), float32 in [0, 1], read-only."""
        return self._images

    @property
    def labels(self) -> np.ndarray:
        """The labels, shape (N,), int64, read-only."""
        return self._labels

    def __len__(self) -> int:
        """Return the number of images."""
        return len(self._labels)

    def __iter__(self) -> Iterator[np.ndarray]:
        """Unpack into two arrays: the images, then the labels."""
        return iter((self._images, self._labels))

    def __getitem__(self, index) -> "Part":
        """Return the part that a slice, an array of positions or a boolean array chooses."""
        index = _as_index(index, len(self))
        return Part._unchecked(self._images[index], self._labels[index])

    def split(self, n_last: int) -> tuple["Part", "Part"]:
        """Return all but the last `n_last` examples, and the last `n_last`.

        The usual way to keep a validation set out of the training set.

        Raises
        ------
        ValueError
            If one of the two would be empty.

        Examples
        --------
        >>> part = Part(np.zeros((60, 1, 28, 28), np.float32), np.arange(60) % 10)
        >>> train, validation = part.split(10)
        >>> len(train), len(validation)
        (50, 10)
        """
        try:
            count = operator.index(n_last)
        except TypeError:
            raise TypeError(
                f"expected n_last to be a whole number, got {n_last!r}; "
                "give the number of examples to set apart"
            ) from None
        if len(self) < 2:
            raise ValueError(f"expected at least 2 examples to divide in two, got {len(self)}")
        if not 0 < count < len(self):
            raise ValueError(
                f"expected n_last between 1 and {len(self) - 1}, got {count}; "
                f"both pieces of these {len(self)} examples must hold at least one"
            )
        return self[: len(self) - count], self[len(self) - count :]

    def __repr__(self) -> str:
        """Describe the part in one line."""
        shape = self._images.shape[1:]
        text = f"Part({len(self):,} images of shape {shape}"
        if len(self):
            text += f", labels {self._labels.min()} to {self._labels.max()}"
        return text + ")"

    def __reduce__(self):
        """Copy and pickle through the two arrays."""
        return (Part, (self._images, self._labels))


@dataclass(frozen=True, repr=False)
class Dataset:
    """A named set of labeled images, in a part to train on and a part to test on.

    Parameters
    ----------
    name : str
        What the data are called.
    train, test : Part
        The part to learn from, and the part that is only looked at to judge what was learned.
    description : str
        One sentence: where the data came from and how they were divided.
    validation : Part, optional
        A part that is neither learned from nor judged by, to choose between trainings.
    class_names : tuple of str
        What the labels mean, in their order; empty if the labels speak for themselves, as digits
        do.

    Raises
    ------
    TypeError
        If `train`, `test` or `validation` is no `Part`.
    ValueError
        If the images of the parts differ in shape, or a label has no name.
    """

    name: str
    train: Part
    test: Part
    description: str = ""
    validation: Part | None = None
    class_names: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Check that the parts belong together."""
        roles = ("train", "test") if self.validation is None else ("train", "validation", "test")
        for role in roles:
            part = getattr(self, role)
            if not isinstance(part, Part):
                raise TypeError(
                    f"expected {role} to be a Part, got {type(part).__name__}; "
                    "wrap the arrays as Part(images, labels)"
                )
        shapes = [getattr(self, role).images.shape[1:] for role in roles]
        if len(set(shapes)) > 1:
            raise ValueError(
                f"expected {' and '.join(roles)} images of one shape, got "
                f"{' and '.join(map(str, shapes))}; bring them to the same size"
            )
        largest = max(getattr(self, role).labels.max(initial=0) for role in roles)
        if self.class_names and largest >= len(self.class_names):
            raise ValueError(
                f"expected a name for each class, got {len(self.class_names)} class_names and the "
                f"label {largest}; name the classes from 0 on"
            )

    def __repr__(self) -> str:
        """Describe the data set, a line for each part."""
        lines = [f"Dataset {self.name!r}", f"  train: {self.train!r}"]
        if self.validation is not None:
            lines.append(f"  validation: {self.validation!r}")
        lines += [f"  test:  {self.test!r}", f"  {self.description}".rstrip()]
        return "\n".join(lines).rstrip()


def _check_images(images) -> None:
    if not isinstance(images, np.ndarray) or images.dtype != np.float32:
        raise TypeError(
            f"expected images to be a float32 array, got {_kind(images)}; "
            "convert with np.asarray(images, dtype=np.float32), dividing by 255 if they are bytes"
        )
    if images.ndim != 4 or 0 in images.shape[1:]:
        raise ValueError(
            f"expected images of shape (N, C, H, W), got {images.shape}; "
            "grayscale images have C = 1: reshape (N, 28, 28) with images[:, np.newaxis]"
        )
    if len(images) == 0:
        return
    low, high = images.min(), images.max()
    if not (low >= 0 and high <= 1):  # written so that NaN, too, is refused
        raise ValueError(
            f"expected pixels in [0, 1], got values from {low} to {high}; "
            "scale the images first (divide bytes by 255)"
        )


def _check_labels(labels) -> None:
    if not isinstance(labels, np.ndarray) or labels.dtype != np.int64:
        raise TypeError(
            f"expected labels to be an int64 array, got {_kind(labels)}; "
            "convert with np.asarray(labels, dtype=np.int64)"
        )
    if labels.ndim != 1:
        raise ValueError(
            f"expected labels of shape (N,), got {labels.shape}; "
            "give one class number for each image (np.argmax(labels, axis=1) undoes one-hot labels)"
        )
    if len(labels) and labels.min() < 0:
        raise ValueError(
            f"expected labels of 0 or more, got {labels.min()}; number the classes from 0"
        )


def _kind(value) -> str:
    return f"{value.dtype} array" if isinstance(value, np.ndarray) else type(value).__name__


def _as_index(index, count: int):
    """Return a slice or an index array that keeps the images' axis."""
    if isinstance(index, slice):
        return index
    array = np.asarray(index)
    if array.size == 0 and array.ndim == 1:
        return array.astype(np.intp) if array.dtype != bool or count else array
    if array.ndim != 1 or array.dtype.kind not in "iub":
        raise TypeError(
            f"expected a slice or a one-dimensional array of positions, got {index!r}; "
            "write part[:10] or part[[3, 1, 4]], and part.images[3] for a single image"
        )
    if array.dtype == bool and len(array) != count:
        raise IndexError(
            f"expected a boolean array of length {count}, got length {len(array)}; "
            "give one True or False for each image"
        )
    if array.dtype != bool and (array.min() < -count or array.max() >= count):
        raise IndexError(
            f"expected positions below {count}, got {array.min()} to {array.max()}; "
            f"this part holds {count} images, numbered from 0"
        )
    return array


def _read_only(array: np.ndarray) -> np.ndarray:
    view = array.view()
    view.flags.writeable = False
    return view
