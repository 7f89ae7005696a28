"""Read IDX files, the simple format of arrays in which MNIST and its relatives are published."""

import gzip
import io
import math
import os
import zlib
from pathlib import Path

import numpy as np

# Third byte of the magic number -> element type; all numbers are stored big-endian.
_TYPES = {0x08: "u1", 0x09: "i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
_MOST_DIMENSIONS = 8  # more than any data set has
_GZIP_MAGIC = b"\x1f\x8b"


def read_idx(path: str | os.PathLike) -> np.ndarray:
    """Read an IDX file, plain or compressed with gzip.

    Parameters
    ----------
    path : path-like
        The file. Whether it is compressed is seen from its first bytes, not from its name.

    Returns
    -------
    ndarray
        Of the shape and type the file states, in the byte order of this computer.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If the file is no IDX file, is cut short, or holds more than it states.

    Notes
    -----
    An IDX file opens with four bytes: two zeros, the element type, the number of dimensions; then
    one 4-byte big-endian integer for the length of each dimension; then the elements, the last
    dimension varying fastest (Y. LeCun, C. Cortes, C. Burges, "The MNIST database", 1998).
    """
    path = Path(path).expanduser()
    if path.is_dir():
        raise IsADirectoryError(
            f"expected an IDX file at {path.absolute()}, found a folder; name the file inside it"
        )
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise FileNotFoundError(
            f"expected an IDX file at {path.absolute()}, found no file; check the path"
        ) from None
    try:
        return parse_idx(decompress(content)).copy()
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None


def decompress(content: bytes, limit: int = -1) -> bytes:
    """Undo gzip if `content` is compressed, else return it as it is.

    Decompressing stops after `limit` bytes, if a limit is given.

    Raises
    ------
    ValueError
        If the compressed bytes are cut short or damaged.
    """
    if not content.startswith(_GZIP_MAGIC):
        return content
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(content)) as file:
            return file.read(limit)
    except EOFError:
        problem = f"got {len(content):,} bytes that stop in the middle"
    except (OSError, zlib.error) as error:
        problem = f"got {len(content):,} bytes that cannot be decompressed ({error})"
    raise ValueError(f"expected a whole gzip file, {problem}; get the file again")


def parse_idx(content: bytes) -> np.ndarray:
    """Turn the decompressed bytes of an IDX file into an array (see `read_idx`).

    Bytes are not copied, so that an array of bytes is a read-only view of `content`.
    """
    if len(content) < 4 or content[:2] != b"\0\0" or content[2] not in _TYPES:
        raise ValueError(
            "expected an IDX file, which opens with two zero bytes and an element type, "
            f"got {_opening(content)}; give an IDX file or get this one again"
        )
    dtype, dimensions = np.dtype(_TYPES[content[2]]), content[3]
    if not 1 <= dimensions <= _MOST_DIMENSIONS:
        raise ValueError(
            f"expected an IDX array of 1 to {_MOST_DIMENSIONS} dimensions, got {dimensions}: "
            "the file is damaged; get it again"
        )
    header = 4 + 4 * dimensions
    if len(content) < header:
        raise ValueError(
            f"expected an IDX header of {header} bytes for {dimensions} dimensions, "
            f"got a file of {len(content)} bytes, which is cut short; get the file again"
        )
    shape = tuple(int(n) for n in np.frombuffer(content, ">u4", dimensions, offset=4))
    expected = header + math.prod(shape) * dtype.itemsize
    if len(content) != expected:
        state = "is cut short" if len(content) < expected else "holds more than it states"
        raise ValueError(
            f"expected {expected:,} bytes for an IDX array of shape {shape}, "
            f"got {len(content):,}: the file {state}; get the file again"
        )
    array = np.frombuffer(content, dtype, offset=header).reshape(shape)
    return array.astype(dtype.newbyteorder("="), copy=False)


def _opening(content: bytes) -> str:
    if not content:
        return "an empty file"
    if looks_like_web_page(content):
        return "a web page"
    return f"the bytes {content[:4].hex(' ')}"


def looks_like_web_page(content: bytes) -> bool:
    """Tell whether bytes are HTML or XML, which servers like to send in place of a file."""
    start = content[:200].removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    return start.startswith((b"<!", b"<html", b"<head", b"<?xml"))
