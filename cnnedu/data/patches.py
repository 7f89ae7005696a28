"""Small color images to tell apart: patches of five things in two photographs."""

from typing import NamedTuple

import numpy as np

from cnnedu.data.dataset import Dataset, Part
from cnnedu.data.photographs import load_photograph
from cnnedu.shapes import positive


class Regions(NamedTuple):
    """Where in a photograph a thing is seen, each as (top, bottom, left, right) in pixels."""

    photograph: str
    train: tuple[int, int, int, int]
    test: tuple[int, int, int, int]


PATCH_REGIONS: dict[str, Regions] = {
    "sky": Regions("china", (0, 160, 336, 480), (0, 160, 496, 640)),
    "temple": Regions("china", (128, 352, 112, 192), (128, 352, 224, 304)),
    "trees": Regions("china", (304, 416, 352, 544), (160, 416, 576, 640)),
    "petals": Regions("flower", (128, 320, 208, 288), (128, 320, 320, 400)),
    "leaves": Regions("flower", (64, 288, 0, 96), (64, 288, 512, 608)),
}
"""Each thing with the region to learn it from, on the left, and the one to be tested on."""

LARGEST_PATCH = 64


def photograph_patches(
    size: int = 16, step: int | None = None, *, swap_regions: bool = False
) -> Dataset:
    """Cut scikit-learn's two photographs into color patches of five things. Needs no network.

    The things are sky, temple and trees (in the photograph "china"), petals and leaves (in
    "flower"). Each is seen in two rectangles of its photograph, `PATCH_REGIONS`: the left one is
    cut into patches to train on, the right one into patches to test on. At least 16 pixels lie
    between the two, so that no pixel, and no neighbor of one, is on both sides; the trees to test
    on are even of another kind. It is still the same light and the same camera.

    Parameters
    ----------
    size : int
        Rows and columns of a patch, at most 64.
    step : int, optional
        Pixels from one patch to train on to the next; ``size // 2`` if not given, so that patches
        overlap and there are more to learn from. Patches to test on lie side by side.
    swap_regions : bool
        Train on the right and test on the left.

    Returns
    -------
    Dataset
        Images of shape (3, size, size), red, green, blue, float32 in [0, 1]; labels int64, 0 to 4;
        ``class_names`` are the keys of `PATCH_REGIONS`. Ordered by class.

    Raises
    ------
    TypeError, ValueError
        If `size` or `step` is no whole number from 1, or no patch of this size fits.

    Notes
    -----
    Lesson 10.

    Examples
    --------
    >>> data = photograph_patches()
    >>> data.test
    Part(368 images of shape (3, 16, 16), labels 0 to 4)
    >>> data.class_names
    ('sky', 'temple', 'trees', 'petals', 'leaves')
    """
    size = positive(size, "size")
    step = max(1, size // 2) if step is None else positive(step, "step")
    if size > LARGEST_PATCH:
        raise ValueError(
            f"size must be at most {LARGEST_PATCH}, got {size}: a larger patch does not fit into "
            "the regions that the patches are cut from"
        )
    photographs = {name: load_photograph(name, color=True) for name in ("china", "flower")}
    roles = ("test", "train") if swap_regions else ("train", "test")
    train, test = (
        _cut_all(photographs, role, size, distance)
        for role, distance in zip(roles, (step, size), strict=True)
    )
    sides = ("right", "left") if swap_regions else ("left", "right")
    description = (
        f"Patches of {size} x {size} pixels of five things in two photographs (danielbuechele and "
        f"vultilion on Flickr, CC BY 2.0), to train from regions on the {sides[0]}, every {step} "
        f"pixels, and to test from others on the {sides[1]}, side by side."
    )
    return Dataset("photograph patches", train, test, description, class_names=tuple(PATCH_REGIONS))


def _cut_all(photographs, role: str, size: int, step: int) -> Part:
    """Cut the regions of one role into patches, and label them."""
    images, labels = [], []
    for label, regions in enumerate(PATCH_REGIONS.values()):
        top, bottom, left, right = getattr(regions, role)
        patches = _cut(photographs[regions.photograph][top:bottom, left:right], size, step)
        images.append(patches)
        labels += [label] * len(patches)
    return Part(np.concatenate(images), np.array(labels, np.int64))


def _cut(picture: np.ndarray, size: int, step: int) -> np.ndarray:
    """Return the patches of a picture (H, W, 3), row by row: (N, 3, size, size)."""
    windows = np.lib.stride_tricks.sliding_window_view(picture, (size, size), axis=(0, 1))
    return windows[::step, ::step].reshape(-1, picture.shape[2], size, size)
