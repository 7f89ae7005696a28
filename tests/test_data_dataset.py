"""Data sets and their parts: what they hold, how they are cut, what they refuse."""

import copy
import pickle

import numpy as np
import pytest

from cnnedu.data import Dataset, Part


def make_part(count=6, shape=(1, 4, 5)):
    rng = np.random.default_rng(count)
    return Part(rng.random((count, *shape), np.float32), np.arange(count, dtype=np.int64))


def test_a_part_unpacks_into_images_and_labels():
    part = make_part(6)
    images, labels = part
    assert images is part.images
    assert labels is part.labels
    assert images.shape == (6, 1, 4, 5)
    assert images.dtype == np.float32
    assert labels.shape == (6,)
    assert labels.dtype == np.int64
    assert len(part) == 6


@pytest.mark.parametrize(
    ("index", "expected"),
    [
        (slice(2), [0, 1]),
        (slice(None, None, -2), [5, 3, 1]),
        ([3, 1, 4], [3, 1, 4]),
        (np.array([-1, 0, 0]), [5, 0, 0]),
        (np.arange(6) % 2 == 0, [0, 2, 4]),
        (np.zeros(6, bool), []),
        ([], []),
        (slice(0), []),
    ],
)
def test_indexing_gives_a_part(index, expected):
    part = make_part(6)
    piece = part[index]
    assert isinstance(piece, Part)
    assert piece.labels.tolist() == expected
    np.testing.assert_array_equal(piece.images, part.images[expected])
    assert not piece.images.flags.writeable
    assert not piece.labels.flags.writeable


def test_a_slice_costs_no_memory():
    part = make_part(6)
    assert np.shares_memory(part[1:4].images, part.images)


@pytest.mark.parametrize("index", [2, np.int64(2), "train", None, [[1, 2]], [0.5], (1, 2, "x")])
def test_other_indices_are_refused(index):
    with pytest.raises(TypeError, match=r"a slice or a one-dimensional array of positions, got"):
        make_part()[index]


def test_positions_outside_are_refused():
    with pytest.raises(IndexError, match="positions below 6, got 0 to 6; this part holds 6"):
        make_part(6)[[0, 6]]
    with pytest.raises(IndexError, match="positions below 6, got -7 to 0"):
        make_part(6)[[-7, 0]]
    with pytest.raises(IndexError, match="boolean array of length 6, got length 5"):
        make_part(6)[np.ones(5, bool)]


def test_split_sets_the_last_apart():
    train, validation = make_part(6).split(2)
    assert train.labels.tolist() == [0, 1, 2, 3]
    assert validation.labels.tolist() == [4, 5]


@pytest.mark.parametrize("n_last", [0, 6, 7, -1])
def test_split_leaves_no_piece_empty(n_last):
    with pytest.raises(ValueError, match=f"n_last between 1 and 5, got {n_last}; both pieces"):
        make_part(6).split(n_last)


def test_split_wants_a_whole_number():
    with pytest.raises(TypeError, match=r"n_last to be a whole number, got 0\.2"):
        make_part(6).split(0.2)


def test_arrays_are_read_only_but_the_callers_own_stay_writable():
    images, labels = np.zeros((2, 1, 3, 3), np.float32), np.zeros(2, np.int64)
    part = Part(images, labels)
    with pytest.raises(ValueError, match="read-only"):
        part.images[0] = 1
    with pytest.raises(ValueError, match="read-only"):
        part.labels[0] = 1
    with pytest.raises(AttributeError):
        part.images = images
    own = part.images.copy()
    own[0] = 1
    assert images.flags.writeable
    assert not images.any()


def test_repr_says_what_is_inside():
    assert repr(make_part(6)) == "Part(6 images of shape (1, 4, 5), labels 0 to 5)"
    assert repr(make_part(6)[:0]) == "Part(0 images of shape (1, 4, 5))"
    data = Dataset("tiny", make_part(6), make_part(2), "Random numbers.")
    assert repr(data) == (
        "Dataset 'tiny'\n"
        "  train: Part(6 images of shape (1, 4, 5), labels 0 to 5)\n"
        "  test:  Part(2 images of shape (1, 4, 5), labels 0 to 1)\n"
        "  Random numbers."
    )


@pytest.mark.parametrize(
    "duplicate", [copy.copy, copy.deepcopy, lambda p: pickle.loads(pickle.dumps(p))]
)
def test_parts_can_be_copied_and_sent_to_other_processes(duplicate):
    part = make_part(3)
    other = duplicate(part)
    np.testing.assert_array_equal(other.images, part.images)
    np.testing.assert_array_equal(other.labels, part.labels)
    assert not other.images.flags.writeable


GOOD_IMAGES, GOOD_LABELS = np.zeros((3, 1, 4, 4), np.float32), np.zeros(3, np.int64)


@pytest.mark.parametrize(
    ("images", "labels", "error", "message"),
    [
        (GOOD_IMAGES, GOOD_LABELS[:2], ValueError, "3 images and 2 labels; give one label for"),
        (GOOD_IMAGES[:, 0], GOOD_LABELS, ValueError, r"shape \(N, C, H, W\), got \(3, 4, 4\)"),
        (GOOD_IMAGES[..., :0], GOOD_LABELS, ValueError, r"\(N, C, H, W\), got \(3, 1, 4, 0\)"),
        (GOOD_IMAGES.astype(np.uint8), GOOD_LABELS, TypeError, "float32 array, got uint8 array"),
        (GOOD_IMAGES.astype(float), GOOD_LABELS, TypeError, "float32 array, got float64 array"),
        (GOOD_IMAGES.tolist(), GOOD_LABELS, TypeError, "images to be a float32 array, got list"),
        (GOOD_IMAGES + 255, GOOD_LABELS, ValueError, r"pixels in \[0, 1\], got values from 255"),
        (GOOD_IMAGES - 1, GOOD_LABELS, ValueError, r"pixels in \[0, 1\], got values from -1"),
        (GOOD_IMAGES * np.nan, GOOD_LABELS, ValueError, r"pixels in \[0, 1\], got values from nan"),
        (GOOD_IMAGES, GOOD_LABELS.astype(np.int32), TypeError, "int64 array, got int32 array"),
        (GOOD_IMAGES, [0, 0, 0], TypeError, "labels to be an int64 array, got list"),
        (GOOD_IMAGES, np.zeros((3, 10), np.int64), ValueError, r"shape \(N,\), got \(3, 10\)"),
        (GOOD_IMAGES, GOOD_LABELS - 1, ValueError, "labels of 0 or more, got -1"),
    ],
)
def test_a_part_refuses_what_does_not_fit(images, labels, error, message):
    with pytest.raises(error, match=message):
        Part(images, labels)


def test_a_dataset_refuses_parts_that_do_not_fit():
    with pytest.raises(ValueError, match=r"one shape, got \(1, 4, 5\) and \(1, 8, 8\)"):
        Dataset("mixed", make_part(), make_part(shape=(1, 8, 8)))
    with pytest.raises(TypeError, match="expected test to be a Part, got tuple; wrap the arrays"):
        Dataset("pair", make_part(), (GOOD_IMAGES, GOOD_LABELS))
