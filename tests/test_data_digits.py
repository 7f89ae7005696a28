"""The embedded digits: MNIST's form, honest splits, and data that no caller can spoil."""

import numpy as np
import pytest
from scipy import ndimage
from sklearn import datasets

from cnnedu.data import (
    center_by_mass,
    load_digits,
    scale_to_box,
    stretch_contrast,
    to_mnist_form,
)


def bundled():
    bunch = datasets.load_digits()
    return bunch.images / 16, bunch.target


def test_parts_have_the_promised_form():
    data = load_digits()
    for part, count in ((data.train, 1437), (data.test, 360)):
        assert part.images.shape == (count, 1, 28, 28)
        assert part.images.dtype == np.float32
        assert part.labels.shape == (count,)
        assert part.labels.dtype == np.int64
        assert part.images.min() == 0
        assert part.images.max() == 1
        assert set(part.labels) == set(range(10))
    assert data.name == "digits"
    assert "13 people" in data.description
    assert "in the order of the file" in data.description


def test_the_writers_split_keeps_the_order_of_the_file():
    data, (_, target) = load_digits(), bundled()
    np.testing.assert_array_equal(data.train.labels, target[:1437])
    np.testing.assert_array_equal(data.test.labels, target[1437:])


def test_images_are_what_scipy_and_the_formulas_make_of_the_bundled_ones():
    data, (images, _) = load_digits(), bundled()
    for number in (0, 7, 500, 1436):
        box = ndimage.zoom(images[number], 2.5, order=3, mode="nearest", grid_mode=True)
        box = np.clip((box - 0.5) * 1.8 + 0.5, 0, 1)
        row, column = np.rint(14 - np.array(ndimage.center_of_mass(box))).astype(int)
        expected = np.zeros((28, 28))
        expected[row : row + 20, column : column + 20] = box
        np.testing.assert_allclose(data.train.images[number, 0], expected, atol=1e-6)


def test_every_digit_is_centered_by_mass():
    images = load_digits().train.images[:, 0]
    centers = np.array([ndimage.center_of_mass(image) for image in images])
    assert np.abs(centers - 14).max() <= 0.5 + 1e-6


def test_brightness_is_like_mnists():
    # MNIST's training images: mean 0.1307; between 0.1 and 0.9 lie 49 % of the pixels over 0.1.
    images = load_digits().train.images
    assert 0.11 < images.mean() < 0.18
    gray = ((images > 0.1) & (images < 0.9)).sum() / (images > 0.1).sum()
    assert 0.4 < gray < 0.6


def test_the_random_split_draws_from_everywhere():
    data = load_digits("random", rng=np.random.default_rng(0))
    again = load_digits("random", rng=np.random.default_rng(0))
    other = load_digits("random", rng=np.random.default_rng(1))
    assert (len(data.train), len(data.test)) == (1437, 360)
    np.testing.assert_array_equal(data.test.images, again.test.images)
    assert (data.test.labels != other.test.labels).any()
    whole = load_digits()
    last = {image.tobytes() for image in whole.test.images}
    from_last = sum(image.tobytes() in last for image in data.test.images)
    assert 40 < from_last < 110  # about a fifth, 72, of the test images were at the end of the file
    everything = sorted(
        image.tobytes() for part in (whole.train, whole.test) for image in part.images
    )
    drawn = sorted(image.tobytes() for part in (data.train, data.test) for image in part.images)
    assert drawn == everything
    assert "at random" in data.description


def test_images_and_labels_stay_together_in_the_random_split():
    whole = load_digits()
    label_of = {
        image.tobytes(): label
        for part in (whole.train, whole.test)
        for image, label in zip(part.images, part.labels, strict=True)
    }
    drawn = load_digits("random", rng=np.random.default_rng(5)).test
    assert [label_of[image.tobytes()] for image in drawn.images] == drawn.labels.tolist()


def test_callers_share_memory_and_cannot_spoil_it():
    first, second = load_digits(), load_digits()
    assert np.shares_memory(first.train.images, second.train.images)
    with pytest.raises(ValueError, match="read-only"):
        first.train.images[0] = 0
    with pytest.raises(ValueError, match="cannot set WRITEABLE flag"):
        first.train.images.flags.writeable = True
    with pytest.raises(ValueError, match="cannot set WRITEABLE flag"):
        first.train.labels.setflags(write=True)


def test_arguments_are_checked():
    with pytest.raises(ValueError, match="split to be 'writers' or 'random', got 'stratified'"):
        load_digits("stratified")
    with pytest.raises(ValueError, match=r"generator for split='random', got None; pass rng=np"):
        load_digits("random")
    with pytest.raises(ValueError, match="generator for split='random', got 42"):
        load_digits("random", rng=42)
    with pytest.raises(ValueError, match="no rng for split='writers', which is not random"):
        load_digits(rng=np.random.default_rng(0))


def test_steps_take_one_image_or_a_stack():
    images, _ = bundled()
    stack = images[:6].reshape(2, 3, 8, 8)
    for step in (scale_to_box, stretch_contrast, center_by_mass, to_mnist_form):
        together = step(stack)
        assert together.dtype == np.float32
        assert together.shape[:2] == (2, 3)
        np.testing.assert_allclose(together[1, 2], step(stack[1, 2]), atol=1e-6)


@pytest.mark.parametrize(
    ("shape", "expected"),
    [((8, 8), (20, 20)), ((10, 5), (20, 10)), ((3, 20), (3, 20)), ((1, 19), (1, 20))],
)
def test_scaling_keeps_proportions(shape, expected):
    assert scale_to_box(np.ones(shape)).shape == expected
    np.testing.assert_allclose(scale_to_box(np.ones(shape)), 1, atol=1e-6)


def test_larger_images_shrink_to_the_means_of_areas():
    image = np.random.default_rng(0).random((60, 30))
    blocks = image.reshape(20, 3, 10, 3).mean(axis=(1, 3))
    np.testing.assert_allclose(scale_to_box(image), blocks, atol=1e-6)
    # 3 pixels become 2, each covering one and a half.
    np.testing.assert_allclose(scale_to_box([[3.0, 6, 9]], 2), [[4, 8]], atol=1e-6)
    for shape, expected in (((64, 48), (20, 15)), ((500, 3), (20, 1)), ((21, 20), (20, 19))):
        assert scale_to_box(np.ones(shape)).shape == expected
        np.testing.assert_allclose(scale_to_box(np.ones(shape)), 1, atol=1e-6)


def test_the_embedded_digits_are_still_the_same_to_the_last_bit():
    # What they were made with before scale_to_box could shrink: columns of zoomed unit vectors.
    data, (images, _) = load_digits(), bundled()
    units = [ndimage.zoom(u, 2.5, order=3, mode="nearest", grid_mode=True) for u in np.eye(8)]
    matrix = np.stack(units, axis=1)
    boxes = (matrix @ images @ matrix.T).astype(np.float32)
    expected = center_by_mass(np.clip((boxes.astype(float) - 0.5) * 1.8 + 0.5, 0, 1))
    np.testing.assert_array_equal(data.train.images[:, 0], expected[:1437])
    np.testing.assert_array_equal(data.test.images[:, 0], expected[1437:])


def test_scaling_to_the_same_size_changes_nothing():
    image = np.random.default_rng(0).random((20, 20))
    np.testing.assert_allclose(scale_to_box(image), image, atol=1e-6)


def test_contrast_worked_by_hand():
    image = np.array([[0.0, 0.25, 0.5, 0.75, 1.0]])
    expected = [[0, 0.05, 0.5, 0.95, 1]]
    np.testing.assert_allclose(stretch_contrast(image), expected, atol=1e-7)
    np.testing.assert_allclose(stretch_contrast(image, gain=1), image, atol=1e-7)


def test_centering_worked_by_hand():
    image = np.zeros((3, 3))
    image[0, 0] = 1
    result = center_by_mass(image, size=6)
    assert np.argwhere(result).tolist() == [[3, 3]]
    assert result.shape == (6, 6)
    assert result.sum() == 1


def test_centering_stops_at_the_frame_and_takes_empty_images():
    corner = np.zeros((20, 20))
    corner[0, 0] = 1
    assert np.argwhere(center_by_mass(corner)).tolist() == [[8, 8]]  # 14 would need a larger frame
    assert not center_by_mass(np.zeros((20, 20))).any()
    full = np.ones((28, 28))
    np.testing.assert_array_equal(center_by_mass(full), full)
    assert center_by_mass(np.zeros((0, 5, 5))).shape == (0, 28, 28)


def test_inputs_are_left_alone():
    image = np.random.default_rng(0).random((8, 8)).astype(np.float32)
    before = image.copy()
    to_mnist_form(image)
    np.testing.assert_array_equal(image, before)


@pytest.mark.parametrize("step", [scale_to_box, stretch_contrast, center_by_mass, to_mnist_form])
@pytest.mark.parametrize(
    ("image", "message"),
    [
        (np.zeros(8), r"shape \(H, W\), or a stack of them, got float64 of shape \(8,\)"),
        (np.zeros((0, 8)), r"got float64 of shape \(0, 8\)"),
        (np.full((8, 8), "x"), r"got <U1 of shape \(8, 8\)"),
        (np.full((8, 8), np.nan), "finite pixels, got NaN or infinity"),
    ],
)
def test_steps_refuse_what_is_no_image(step, image, message):
    with pytest.raises(ValueError, match=message):
        step(image)


def test_steps_refuse_sizes_that_make_no_sense():
    with pytest.raises(ValueError, match="at most 28 x 28, got 30 x 10"):
        center_by_mass(np.zeros((30, 10)))
    for size in (0, -1, 2.5, True):
        with pytest.raises(ValueError, match=f"size to be a whole number of pixels, got {size}"):
            scale_to_box(np.zeros((1, 1)), size)
    for gain in (0, -1, np.nan, np.inf, "2"):
        with pytest.raises(ValueError, match=f"a gain above 0, got {gain!r}"):
            stretch_contrast(np.zeros((2, 2)), gain=gain)
