"""Mini-batches hold every example once, with its own label, in order or shuffled."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnnedu.data import Part, iterate_batches


def numbered(count):
    """Images whose pixels tell their number, and labels that say the same."""
    labels = np.arange(count, dtype=np.int64)
    images = np.broadcast_to(labels[:, None, None, None], (count, 1, 2, 3)) / max(count, 1)
    return images.astype(np.float32), labels


@given(
    count=st.integers(0, 40),
    batch_size=st.integers(1, 50),
    shuffle=st.booleans(),
    drop_last=st.booleans(),
)
def test_every_example_comes_once_with_its_label(count, batch_size, shuffle, drop_last):
    images, labels = numbered(count)
    rng = np.random.default_rng(0) if shuffle else None
    batches = list(iterate_batches((images, labels), batch_size, rng=rng, drop_last=drop_last))
    sizes = [len(batch_labels) for _, batch_labels in batches]
    full, rest = divmod(count, batch_size)
    assert sizes == [batch_size] * full + ([rest] if rest and not drop_last else [])
    seen = np.concatenate([batch_labels for _, batch_labels in batches] or [[]])
    assert len(set(seen)) == len(seen)
    if not shuffle:
        np.testing.assert_array_equal(seen, labels[: len(seen)])
    for batch_images, batch_labels in batches:
        np.testing.assert_array_equal(batch_images, images[batch_labels])


def test_shuffling_follows_the_generator():
    data = numbered(50)

    def order(seed):
        rng = np.random.default_rng(seed)
        return [int(n) for _, labels in iterate_batches(data, 8, rng=rng) for n in labels]

    assert order(1) == order(1)
    assert order(1) != order(2)
    assert order(1) != sorted(order(1)) == list(range(50))


def test_two_epochs_of_one_generator_differ():
    data, rng = numbered(50), np.random.default_rng(3)
    first, second = (
        np.concatenate([labels for _, labels in iterate_batches(data, 8, rng=rng)])
        for _ in range(2)
    )
    assert (first != second).any()


def test_batches_in_order_are_views_and_shuffled_ones_copies():
    images, labels = numbered(10)
    ordered, _ = next(iterate_batches((images, labels), 4))
    assert np.shares_memory(ordered, images)
    shuffled, _ = next(iterate_batches((images, labels), 4, rng=np.random.default_rng(0)))
    assert not np.shares_memory(shuffled, images)


def test_a_part_can_be_cut_into_batches():
    part = Part(*numbered(7))
    assert [len(labels) for _, labels in iterate_batches(part, 3)] == [3, 3, 1]


@pytest.mark.parametrize("batch_size", [0, -3, np.int64(0)])
def test_batch_size_must_be_positive(batch_size):
    with pytest.raises(ValueError, match=f"batch_size of at least 1, got {batch_size}"):
        iterate_batches(numbered(5), batch_size)


@pytest.mark.parametrize("batch_size", [2.0, "2", None, True])
def test_batch_size_must_be_whole(batch_size):
    with pytest.raises(TypeError, match=f"batch_size to be a whole number, got {batch_size!r}"):
        iterate_batches(numbered(5), batch_size)


def test_images_and_labels_must_agree():
    images, labels = numbered(5)
    with pytest.raises(ValueError, match=r"as many labels as images.*\(5, 1, 2, 3\).*\(4,\)"):
        iterate_batches((images, labels[:4]), 2)


@pytest.mark.parametrize("data", [None, 3, (1, 2, 3), np.zeros((5, 2, 2))])
def test_data_must_be_a_pair(data):
    with pytest.raises(TypeError, match=r"a pair \(images, labels\).*got"):
        iterate_batches(data, 2)


@pytest.mark.parametrize("rng", [0, np.random.RandomState(0), "seed"])
def test_rng_must_be_a_generator(rng):
    with pytest.raises(TypeError, match=r"random generator, got \w+; pass rng=np.random"):
        iterate_batches(numbered(5), 2, rng=rng)
