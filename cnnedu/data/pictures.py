"""Read pictures of people's own from files and arrays, and say clearly which cannot be read."""

from __future__ import annotations

import os
import warnings
from pathlib import Path

import numpy as np

from cnnedu.data.download import DataError

LONGEST_SIDE = 1400  # larger pictures are shrunk: a digit needs no more, and time counts
SUFFIXES = frozenset(
    (".bmp", ".gif", ".heic", ".heif", ".jfif", ".jpeg", ".jpg")
    + (".pbm", ".pgm", ".png", ".ppm", ".tif", ".tiff", ".webp")
)
# Formats that are pixels and nothing else; Pillow would hand others to programs outside.
_FORMATS = ("BMP", "GIF", "JPEG", "PNG", "PPM", "TIFF", "WEBP")
_LARGE = 8_000_000  # pixels; as floats they would take a lot of memory, so bytes are averaged first
_SMALLEST = (3, 8)  # pixels of the shorter and the longer side
# EXIF orientation -> how to turn the stored pixels: (swap rows and columns, flip rows, columns).
_TURNS = {
    1: (False, False, False),
    2: (False, False, True),
    3: (False, True, True),
    4: (False, True, False),
    5: (True, False, False),
    6: (True, False, True),
    7: (True, True, True),
    8: (True, True, False),
}


class HandwritingError(DataError, ValueError):
    """A picture that cannot be read, or in which no digit is found; the message says why."""


def read_picture(path: str | os.PathLike) -> tuple[np.ndarray, int]:
    """Read a photograph or scan as it is stored.

    Parameters
    ----------
    path : path-like
        A JPEG, PNG, TIFF, WebP, GIF (its first frame), BMP or PPM file.

    Returns
    -------
    pixels : ndarray, shape (H, W), (H, W, 3) or (H, W, 4), float32
        Gray, color, or color with opacity, in [0, 1]. Large pictures are shrunk, by averaging, to
        no more than 1,400 pixels.
    orientation : int
        1 to 8, how the camera was held (EXIF); `upright` turns the picture accordingly.

    Raises
    ------
    HandwritingError
        If there is no such file, or it is a folder, no image, damaged, cut short or so large that
        it may be meant to fill the memory.
    """
    path = Path(path).expanduser()
    if path.is_dir():
        raise HandwritingError(f"expected an image file, got the folder {path}; use read_folder")
    if path.is_symlink() and not path.exists():
        raise HandwritingError(f"{path} is a link that leads nowhere; remove or mend it")
    if not path.exists():
        raise HandwritingError(f"expected an image at {path}, found no file; check the path")
    with warnings.catch_warnings():
        # Pillow only warns of pictures that may fill the memory, and warns of odd side data, which
        # do not matter here.
        warnings.simplefilter("ignore")
        from PIL import Image

        warnings.simplefilter("error", Image.DecompressionBombWarning)
        try:
            with Image.open(path, formats=_FORMATS) as picture:
                _check_sums(picture)
                return _pixels(picture)
        except Exception as error:  # damaged files raise whatever their decoder stumbled upon
            raise HandwritingError(_why_unreadable(path, error)) from None


def as_picture(array) -> np.ndarray:
    """Check an array and bring it to float32 in [0, 1], no larger than 1,400 pixels.

    Parameters
    ----------
    array : array_like, shape (H, W), (1, H, W), (H, W, 1), (H, W, 3) or (H, W, 4)
        Whole numbers 0 to 255 (0 to 65,535 for uint16), booleans, or floats in [0, 1].

    Returns
    -------
    ndarray, shape (H, W), (H, W, 3) or (H, W, 4), float32

    Raises
    ------
    HandwritingError
        If it is no picture, or too small for a digit.
    """
    try:
        array = np.asarray(array)
    except ValueError:  # lists of unequal lengths
        raise HandwritingError(
            "expected a picture, got lists of unequal lengths; pass an array of shape (H, W)"
        ) from None
    if array.ndim == 3 and array.shape[2] not in (3, 4):
        array = (
            array[0] if array.shape[0] == 1 else array[:, :, 0] if array.shape[2] == 1 else array
        )
    if (
        array.dtype.kind not in "fiub"
        or array.ndim not in (2, 3)
        or (array.ndim == 3 and array.shape[2] not in (3, 4))
    ):
        raise HandwritingError(
            f"expected a picture of shape (H, W), (H, W, 3) or (H, W, 4), got {array.dtype} of "
            f"shape {array.shape}; pass one picture at a time"
        )
    short, long = sorted(array.shape[:2])
    if short < _SMALLEST[0] or long < _SMALLEST[1]:
        raise HandwritingError(
            f"expected a picture large enough for a digit, got {array.shape[0]} x "
            f"{array.shape[1]} pixels; give at least {_SMALLEST[1]} x {_SMALLEST[0]}"
        )
    return _shrunk(_scaled_to_one(array))


def upright(picture: np.ndarray, orientation: int) -> np.ndarray:
    """Turn a picture as the camera was held.

    Parameters
    ----------
    picture : ndarray, shape (H, W) or (H, W, channels)
    orientation : int
        As EXIF counts: 1 upright, 3 upside down, 6 to be turned to the right, 8 to the left; 2, 4,
        5 and 7 are mirrored. Any other number leaves the picture as it is.

    Returns
    -------
    ndarray, shape (H, W, ...) or (W, H, ...)
    """
    swap, flip_rows, flip_columns = _TURNS.get(orientation, _TURNS[1])
    if swap:
        picture = picture.swapaxes(0, 1)
    return np.ascontiguousarray(picture[:: -1 if flip_rows else 1, :: -1 if flip_columns else 1])


def _check_sums(picture) -> None:
    """Have Pillow compare a PNG file's sums, which it does not when it decodes the pixels."""
    if picture.format == "PNG" and Path(picture.filename).is_file():
        from PIL import Image

        with Image.open(picture.filename, formats=("PNG",)) as again:
            again.verify()


def _pixels(picture) -> tuple[np.ndarray, int]:
    from PIL import ExifTags

    try:
        orientation = picture.getexif().get(ExifTags.Base.Orientation, 1)
    except Exception:  # broken side data are no reason to refuse the picture itself
        orientation = 1
    # A JPEG file can be decoded straight to a half, a quarter or an eighth of its size.
    picture.draft(None, (LONGEST_SIDE, LONGEST_SIDE))
    picture.load()
    if picture.mode.startswith("I") or picture.mode == "F":
        numbers = np.asarray(picture, np.float64)
        top = 65535 if picture.mode.startswith("I") else 1
        if picture.mode.startswith("I") and numbers.min() >= 0 and 1 < numbers.max() <= 255:
            top = 255  # bytes in a wider format
        elif numbers.min() < 0 or numbers.max() > top:  # measurements: whatever range they fill
            numbers = numbers - numbers.min()
            top = numbers.max()
        return as_picture(numbers / top), orientation
    transparent = "transparency" in picture.info or picture.mode in ("LA", "La", "PA", "RGBa")
    if transparent:
        picture = picture.convert("RGBA")
    elif picture.mode == "1":
        picture = picture.convert("L")
    elif picture.mode not in ("L", "RGB", "RGBA"):
        picture = picture.convert("RGB")
    longest, shortest = max(picture.size), min(picture.size)
    if longest * shortest > _LARGE:
        picture = picture.reduce(max(1, min(longest // (2 * LONGEST_SIDE), shortest // 8)))
    return as_picture(np.asarray(picture)), orientation


def _scaled_to_one(array: np.ndarray) -> np.ndarray:
    if array.dtype.kind == "b":
        return array.astype(np.float32)
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        raise HandwritingError(
            "expected finite pixels, got NaN or infinity; replace them, such as with np.nan_to_num"
        )
    top = 1 if array.dtype.kind == "f" else 65535 if array.dtype == np.uint16 else 255
    if array.min() < -1e-3 * top or array.max() > 1.001 * top:
        raise HandwritingError(
            f"expected {array.dtype} pixels from 0 to {top}, got {array.min():g} to "
            f"{array.max():g}; scale them to [0, 1]"
        )
    return np.clip(array.astype(np.float32) / np.float32(top), 0, 1)


def _shrunk(picture: np.ndarray) -> np.ndarray:
    """Average blocks of pixels until the longer side has no more than `LONGEST_SIDE`."""
    height, width = picture.shape[:2]
    factor = -(-max(height, width) // LONGEST_SIDE)
    if factor == 1:
        return picture
    rest = [(0, -height % factor), (0, -width % factor)]
    padded = np.pad(picture, rest + [(0, 0)] * (picture.ndim - 2), mode="edge")
    blocks = padded.reshape(
        padded.shape[0] // factor, factor, padded.shape[1] // factor, factor, *picture.shape[2:]
    )
    return blocks.mean(axis=(1, 3), dtype=np.float32)


def _why_unreadable(path: Path, error: Exception) -> str:
    from PIL import Image, UnidentifiedImageError

    if isinstance(error, HandwritingError):
        return f"{path}: {error}"
    if isinstance(error, (Image.DecompressionBombError, Image.DecompressionBombWarning)):
        return (
            f"{path} unfolds to more pixels than a photograph has, so it was not opened; "
            f"give a picture of at most {Image.MAX_IMAGE_PIXELS / 1e6:.0f} million pixels"
        )
    if isinstance(error, UnidentifiedImageError):
        if path.suffix.lower() in (".heic", ".heif"):
            return f"{path} is in the HEIC format, which cannot be read; save it as JPEG or PNG"
        if path.stat().st_size == 0:
            return f"{path} is an empty file; give an image, such as JPEG or PNG"
        return f"{path} is not an image that can be read; give a JPEG, PNG, TIFF or WebP file"
    if isinstance(error, PermissionError):
        return f"{path} may not be read ({error.strerror}); change the file's permissions"
    if isinstance(error, MemoryError):
        return f"{path} is too large for this computer's memory; give a smaller picture"
    if "truncat" in str(error).lower() or isinstance(error, EOFError):
        return f"{path} is cut short, some of the image is missing; copy the file again"
    return f"{path} is a damaged image and cannot be read ({error}); copy or save it again"
