"""Three photographs that come with installed packages: china, flower, grace_hopper."""

import numpy as np

from cnnedu.data.installed import installed_file

# name -> (package to install, its import name, path inside it)
_PHOTOGRAPHS = {
    "china": ("scikit-learn", "sklearn", "datasets/images/china.jpg"),
    "flower": ("scikit-learn", "sklearn", "datasets/images/flower.jpg"),
    "grace_hopper": (
        "matplotlib",
        "matplotlib",
        "mpl-data/sample_data/grace_hopper.jpg",
    ),
}
# How bright red, green and blue of equal strength look (ITU-R BT.601).
_LUMA = np.array([0.299, 0.587, 0.114], np.float32)


def load_photograph(
    name: str, *, color: bool = False, size: int | tuple[int, int] | None = None
) -> np.ndarray:
    """Return a photograph, gray unless asked otherwise. Needs no network.

    Parameters
    ----------
    name : {"china", "flower", "grace_hopper"}
        "china" is a temple and "flower" a dahlia, each 427 x 640 pixels (danielbuechele and
        vultilion on Flickr, CC BY 2.0, shipped with scikit-learn); "grace_hopper" is a portrait,
        600 x 512 (United States Navy, public domain, shipped with Matplotlib).
    color : bool
        Keep red, green and blue.
    size : int or (height, width), optional
        Resize: an int is the length of the longer side, and keeps the proportions. Shrinking
        averages, so that fine patterns do not turn into coarse ones.

    Returns
    -------
    ndarray, shape (H, W) or (H, W, 3), float32
        Pixels in [0, 1]. The array is the caller's own. With ``gray[np.newaxis, np.newaxis]`` it
        becomes a batch of shape (1, 1, H, W), with ``color.transpose(2, 0, 1)[np.newaxis]`` one of
        shape (1, 3, H, W).

    Raises
    ------
    ValueError
        If the name is unknown or the size makes no sense.
    FileNotFoundError
        If the package that ships the photograph came without it.

    Notes
    -----
    Gray is ``0.299 * red + 0.587 * green + 0.114 * blue`` (ITU-R BT.601), since green looks
    brighter than blue of the same strength.
    """
    from PIL import Image

    if name not in _PHOTOGRAPHS:
        raise ValueError(
            f"expected the name of a photograph, got {name!r}; choose one of "
            + ", ".join(repr(known) for known in _PHOTOGRAPHS)
        )
    with Image.open(_path(name)) as file:
        picture = file.convert("RGB")
    if size is not None:
        height, width = _target_size(size, picture.height, picture.width)
        picture = picture.resize((width, height), Image.Resampling.LANCZOS)
    pixels = np.asarray(picture, np.float32) / np.float32(255)
    return pixels if color else np.clip(pixels @ _LUMA, 0, 1)


def _path(name: str):
    distribution, package, inner_path = _PHOTOGRAPHS[name]
    path = installed_file(package, inner_path)
    if path is None and package == "matplotlib":  # some Linux distributions keep it elsewhere
        import matplotlib

        path = matplotlib.cbook.get_sample_data("grace_hopper.jpg", asfileobj=False)
    if path is None:
        raise FileNotFoundError(
            f"expected {distribution} to bring {inner_path}, found no such file; "
            f"install it again: python -m pip install --force-reinstall {distribution}"
        )
    return path


def _target_size(size, height: int, width: int) -> tuple[int, int]:
    lengths = np.asarray(size)
    if lengths.dtype.kind not in "iu" or lengths.shape not in ((), (2,)) or lengths.min() < 1:
        raise ValueError(
            f"expected size to be a whole number or (height, width), got {size!r}; "
            "give the longer side in pixels, such as size=128"
        )
    if lengths.ndim:
        return int(lengths[0]), int(lengths[1])
    scale = int(lengths) / max(height, width)
    return max(1, round(height * scale)), max(1, round(width * scale))
