"""IDX files: every element type, compressed or not, and each way they can be broken."""

import gzip

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from cnnedu.data import read_idx
from cnnedu.data.idx import parse_idx

TYPES = {"u1": 0x08, "i1": 0x09, "i2": 0x0B, "i4": 0x0C, "f4": 0x0D, "f8": 0x0E}


def idx_bytes(array):
    code = TYPES[array.dtype.str[1:]]
    header = bytes([0, 0, code, array.ndim]) + np.array(array.shape, ">u4").tobytes()
    return header + array.astype(array.dtype.newbyteorder(">")).tobytes()


@given(st.data(), st.sampled_from(sorted(TYPES)))
def test_what_was_written_is_read(data, kind):
    shapes = hnp.array_shapes(min_dims=1, max_dims=4, min_side=0, max_side=4)
    array = data.draw(hnp.arrays(kind, shapes))
    result = parse_idx(idx_bytes(array))
    np.testing.assert_array_equal(result, array)
    assert result.dtype == np.dtype(kind)
    assert result.dtype.isnative


@pytest.mark.parametrize("compress", [bytes, gzip.compress])
def test_compressed_or_not_whatever_the_name(tmp_path, compress):
    array = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)
    for name in ("plain-idx3-ubyte", "named.gz"):
        path = tmp_path / name
        path.write_bytes(compress(idx_bytes(array)))
        for argument in (path, str(path)):
            result = read_idx(argument)
            np.testing.assert_array_equal(result, array)
            result[0] = 0  # the caller's own array


GOOD = idx_bytes(np.arange(24, dtype=np.uint8).reshape(2, 3, 4))
# Without the time of day in it: every process that collects these tests must see the same bytes.
PACKED = gzip.compress(GOOD, mtime=0)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "opens with two zero bytes and an element type, got an empty file"),
        (b"\0\0", "got the bytes 00 00"),
        (b"\x89PNG\r\n", "got the bytes 89 50 4e 47; give an IDX file"),
        (b"\0\0\x07\x01" + GOOD[4:], "got the bytes 00 00 07 01"),
        (b"\n <!DOCTYPE html><html>Not found</html>", "got a web page"),
        (b"\xef\xbb\xbf<HTML><body>", "got a web page"),
        (GOOD[:10], "header of 16 bytes for 3 dimensions, got a file of 10 bytes"),
        (b"\0\0\x08\xff" + bytes(4 * 255), "of 1 to 8 dimensions, got 255"),
        (b"\0\0\x08\0" + bytes(1), "of 1 to 8 dimensions, got 0"),
        (GOOD[:-1], r"40 bytes for an IDX array of shape \(2, 3, 4\), got 39: the file is cut"),
        (GOOD + b"x", r"40 bytes for an IDX array of shape \(2, 3, 4\), got 41: the file holds"),
        (b"\0\0\x08\x03" + b"\xff" * 12, r"shape \(4294967295, .*got 16: the file is cut short"),
        (PACKED[:-9], "a whole gzip file, got .* bytes that stop in the middle"),
        (PACKED[:20] + b"\0" * 40, "gzip file, got 60 bytes that cannot be decomp"),
        (PACKED + b"<html>", "gzip file, got .* bytes that cannot be decompressed"),
    ],
)
def test_broken_files_are_named_and_explained(tmp_path, content, message):
    path = tmp_path / "data-idx3-ubyte"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"data-idx3-ubyte: expected") as caught:
        read_idx(path)
    assert caught.match(message)


def test_a_damaged_checksum_inside_gzip_is_seen(tmp_path):
    content = bytearray(PACKED)
    content[-6] ^= 1
    path = tmp_path / "data.gz"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"cannot be decompressed \(CRC check failed"):
        read_idx(path)


def test_missing_files_and_folders(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"IDX file at .*nowhere, found no file; check"):
        read_idx(tmp_path / "nowhere")
    with pytest.raises(IsADirectoryError, match=r"IDX file at .*, found a folder; name the file"):
        read_idx(tmp_path)
