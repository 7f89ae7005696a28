"""Augmentation changes images by as much as it says, and nothing else."""

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cnnedu.data import Warp, change_strokes, load_digits, resample
from cnnedu.data.handwriting import stroke_width

NOTHING = {"rotation": 0, "scale": 0, "shear": 0, "shift": 0, "elastic": 0, "stroke": (0, 0)}
DIGITS = load_digits().train.images[:60]


def generator(seed=0):
    return np.random.default_rng(seed)


def grid(count=1, size=28):
    """Return every pixel's own place."""
    places = np.mgrid[:size, :size].astype(np.float32)
    return (np.repeat(axis[np.newaxis], count, axis=0) for axis in places)


def centers(images):
    """Return the center of mass of each image, shape (N, 2), in rows and columns."""
    ink = images[:, 0] / images.sum(axis=(1, 2, 3))[:, None, None]
    positions = np.arange(images.shape[-1])
    return np.stack([ink.sum(axis=2) @ positions, ink.sum(axis=1) @ positions], axis=1)


@pytest.mark.parametrize("share", [1, 3, 60, 100])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_warp_of_no_strength_gives_the_same_numbers_in_a_new_array(share, dtype):
    images = DIGITS.astype(dtype)
    warped = Warp(**NOTHING, share=share)(images, generator())
    np.testing.assert_array_equal(warped, images)
    assert warped.dtype == dtype
    assert not np.shares_memory(warped, images)


@given(
    count=st.integers(1, 9),
    channels=st.integers(1, 3),
    height=st.integers(1, 12),
    width=st.integers(1, 12),
    share=st.integers(1, 5),
    seed=st.integers(0, 100),
)
@settings(deadline=None, max_examples=60)
def test_any_images_keep_shape_type_range_and_are_left_as_they_are(
    count, channels, height, width, share, seed
):
    images = generator(seed).random((count, channels, height, width), np.float32)
    before = images.copy()
    warp = Warp(stroke=(-1, 1), shift=4, rotation=180, share=share)
    warped = warp(images, generator(seed))
    assert warped.shape == images.shape
    assert warped.dtype == np.float32
    assert warped.min() >= 0
    assert warped.max() <= 1
    np.testing.assert_array_equal(images, before)


def test_the_generator_decides():
    warp = Warp(stroke=(-0.3, 0.8))
    first, again, other = (warp(DIGITS, generator(seed)) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()


def test_whole_pixels_are_moved_and_what_leaves_is_gone():
    images = generator().random((2, 1, 5, 5), np.float32)
    rows, columns = grid(1, 5)
    moved = resample(images, rows + 1, columns - 2)
    expected = np.zeros_like(images)
    expected[:, :, :-1, 2:] = images[:, :, 1:, :-2]
    np.testing.assert_array_equal(moved, expected)
    np.testing.assert_array_equal(resample(images, rows + 50, columns), 0)
    np.testing.assert_array_equal(resample(images, rows - 50, columns), 0)


def test_between_pixels_lies_their_weighted_mean():
    image = np.array([[[[1, 2], [3, 4]]]], np.float64)
    rows, columns = grid(1, 2)
    mixed = resample(image, rows + 0.25, columns + 0.5)
    # First row: 0.75 (1 + 2) / 2 + 0.25 (3 + 4) / 2, and half of it is beyond the right border.
    np.testing.assert_allclose(
        mixed[0, 0], [[0.75 * 1.5 + 0.25 * 3.5, 0.75 * 1 + 0.25 * 2], [0.75 * 3.5, 0.75 * 2]]
    )


def test_each_group_of_neighbors_takes_its_own_places():
    images = generator().random((5, 2, 4, 4), np.float32)
    rows, columns = grid(2, 4)
    rows[1] += 1  # the last two of five move up
    moved = resample(images, rows, columns)
    np.testing.assert_array_equal(moved[:3], images[:3])
    np.testing.assert_array_equal(moved[3:, :, :-1], images[3:, :, 1:])


def test_shifts_are_even_over_their_range_and_turn_nothing():
    warp = Warp(**{**NOTHING, "shift": 3.0}, share=1)
    many = np.repeat(DIGITS[:1], 2000, axis=0)
    moves = centers(warp(many, generator())) - centers(many)
    assert np.abs(moves).max() < 3.001
    assert np.abs(moves).max(axis=0).min() > 2.9
    np.testing.assert_allclose(moves.std(axis=0), 3 / np.sqrt(3), rtol=0.05)
    assert abs(np.corrcoef(moves.T)[0, 1]) < 0.1


def strengths(**changes):
    rows, columns = Warp(**{**NOTHING, **changes}).places(1000, (28, 28), generator())
    return rows.astype(np.float64), columns.astype(np.float64)


def test_rotation_turns_by_the_angle_about_the_middle():
    rows, columns = strengths(rotation=10)
    np.testing.assert_allclose(rows[:, 13:15, 13:15].mean(axis=(1, 2)), 13.5, atol=1e-5)
    along = np.stack([rows[:, 0, 27] - rows[:, 0, 0], columns[:, 0, 27] - columns[:, 0, 0]])
    np.testing.assert_allclose(np.hypot(*along), 27, rtol=1e-5)
    angles = np.degrees(np.arctan2(*along))
    assert -10 <= angles.min() < -9.8
    assert 9.8 < angles.max() <= 10


def test_scale_and_shear_do_what_they_say():
    rows, columns = strengths(scale=0.2)
    for tall in (
        27 / (rows[:, 27, 0] - rows[:, 0, 0]),
        27 / (columns[:, 0, 27] - columns[:, 0, 0]),
    ):
        assert 0.8 <= tall.min() < 0.81
        assert 1.19 < tall.max() <= 1.2001
    rows, columns = strengths(shear=0.3)
    np.testing.assert_allclose(rows[:, 27, 0] - rows[:, 0, 0], 27, rtol=1e-5)
    slides = (columns[:, 27, 0] - columns[:, 0, 0]) / 27
    assert -0.3001 <= slides.min() < -0.29
    assert 0.29 < slides.max() <= 0.3001


@pytest.mark.parametrize("smoothness", [1.5, 4.0, 8.0])
def test_elastic_displacements_have_the_strength_and_the_smoothness_asked_for(smoothness):
    rows, columns = strengths(elastic=0.7, smoothness=smoothness)
    own_rows, own_columns = grid(1)
    for moves in (rows - own_rows, columns - own_columns):
        np.testing.assert_allclose(moves.std(axis=0), 0.7, rtol=0.12)
        assert abs(moves.mean()) < 0.02
        # White noise smoothed by a Gaussian has the correlation exp(-d**2 / (4 smoothness**2)).
        for distance in (2, 4, 8):
            products = (moves[:, :, distance:] * moves[:, :, :-distance]).mean() / 0.49
            expected = np.exp(-(distance**2) / (4 * smoothness**2))
            assert products == pytest.approx(expected, abs=0.06)


def test_strokes_grow_and_shrink_by_a_pixel_on_each_side():
    images = np.zeros((5, 1, 11, 11), np.float32)
    images[:, :, 2:9, 4:7] = 1  # a bar, 3 pixels wide
    changed = change_strokes(images, np.array([-1, -0.5, 0, 0.5, 1]))
    row = changed[:, 0, 5]
    np.testing.assert_array_equal(row[0], [0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0])
    np.testing.assert_array_equal(row[1], [0, 0, 0, 0, 0.5, 1, 0.5, 0, 0, 0, 0])
    np.testing.assert_array_equal(changed[2], images[2])
    np.testing.assert_array_equal(row[3], [0, 0, 0, 0.5, 1, 1, 1, 0.5, 0, 0, 0])
    np.testing.assert_array_equal(row[4], [0, 0, 0, 1, 1, 1, 1, 1, 0, 0, 0])
    assert changed[4].sum() == 9 * 3 + 2 * 7  # rows 1 to 9, and a column on each side; no corners


def test_real_strokes_become_broader():
    def width(images):
        return np.mean([stroke_width(image[0] > 0.5) for image in images])

    amounts = np.full(len(DIGITS), 0.7)
    assert width(change_strokes(DIGITS, amounts)) > width(DIGITS) + 1
    assert width(change_strokes(DIGITS, -amounts)) < width(DIGITS) - 0.7


def test_stroke_widths_are_drawn_for_every_image():
    bar = np.zeros((500, 1, 9, 9), np.float32)
    bar[:, :, :, 4] = 1
    warped = Warp(**{**NOTHING, "stroke": (-0.5, 1)}, share=100)(bar, generator())
    broader, finer = warped[:, 0, 4, 3], 1 - warped[:, 0, 4, 4]
    assert len(np.unique(broader - finer)) > 490
    assert broader.max() == pytest.approx(1, abs=0.02)
    assert finer.max() == pytest.approx(0.5, abs=0.02)


def test_repr_shows_all_settings():
    text = repr(Warp(rotation=5, stroke=(-0.2, 0.5)))
    assert text == (
        "Warp(rotation=5.0, scale=0.08, shear=0.08, shift=1.5, elastic=0.8, smoothness=4.0, "
        "stroke=(-0.2, 0.5), share=10)"
    )
    assert repr(eval(text)) == text


@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        ({"rotation": -1}, ValueError, "rotation must be from 0 to 180, got -1"),
        ({"rotation": "9"}, TypeError, "rotation must be a number, got '9'"),
        ({"scale": 1}, ValueError, "scale must be from 0 to 0.9, got 1"),
        ({"shift": np.nan}, ValueError, "shift must be at least 0, got nan"),
        ({"shift": np.inf}, ValueError, "shift must be at least 0, got inf"),
        ({"elastic": True}, TypeError, "elastic must be a number, got True"),
        ({"smoothness": 0}, ValueError, "smoothness must be at least 1, got 0"),
        ({"stroke": 0.5}, TypeError, "stroke must be a pair of numbers, like (-0.3, 0.8), got 0.5"),
        ({"stroke": (0.5, -0.5)}, ValueError, "stroke must be a range inside -1 to 1"),
        ({"stroke": (0, 2)}, ValueError, "stroke must be a range inside -1 to 1"),
        ({"share": 0}, ValueError, "share must be at least 1, got 0"),
        ({"share": 2.5}, TypeError, "share must be a whole number, got 2.5"),
    ],
)
def test_unfit_settings_are_a_clear_error(settings, error, message):
    with pytest.raises(error, match=re.escape(message)):
        Warp(**settings)


def test_unfit_images_are_a_clear_error():
    warp = Warp()
    with pytest.raises(ValueError, match=re.escape("use images[:, None]")):
        warp(DIGITS[:, 0], generator())
    with pytest.raises(TypeError, match="images must be float32 or float64, got uint8"):
        warp(DIGITS.astype(np.uint8), generator())
    with pytest.raises(ValueError, match="images is empty"):
        warp(DIGITS[:0], generator())
    with pytest.raises(TypeError, match="rng must be a generator"):
        warp(DIGITS, 0)
    rows, columns = grid(3)
    with pytest.raises(ValueError, match=re.escape("rows and columns must have shape (G, 28, 28)")):
        resample(DIGITS[:2], rows, columns)
    with pytest.raises(ValueError, match=re.escape("got (3, 27, 28) and (3, 28, 28)")):
        resample(DIGITS, rows[:, 1:], columns)
    for amounts in (np.zeros(59), np.full(60, 1.5), np.full(60, np.nan)):
        with pytest.raises(ValueError, match="amounts must be 60 numbers from -1 to 1"):
            change_strokes(DIGITS, amounts)
