"""Drawn digits: MNIST's frame and ink, every form reachable, repeatable, and legible."""

import numpy as np
import pytest

from cnnedu import load_pretrained
from cnnedu.data import load_digits
from cnnedu.data.handwriting import STROKE_WIDTHS, stroke_width
from cnnedu.data.other_hands import FORMS, draw_form, drawn_digits


def generator(seed=0):
    return np.random.default_rng(seed)


def form(name):
    (found,) = (each for each in FORMS if each.name == name)
    return found


def extents(images):
    """Return height and width of what is drawn in each image, shape (2, N), in pixels."""
    lines = (images[:, 0].max(axis=axis) > 0 for axis in (2, 1))
    return np.array([np.ptp(_ends(each), axis=0) for each in lines])


def _ends(inked):
    return np.stack([inked.argmax(axis=1), inked.shape[1] - inked[:, ::-1].argmax(axis=1)])


@pytest.mark.parametrize("count", [1, 7, 10, 123])
def test_images_and_labels_have_the_promised_form(count):
    images, labels = drawn_digits(count, rng=generator())
    assert images.shape == (count, 1, 28, 28) and images.dtype == np.float32
    assert labels.shape == (count,) and labels.dtype == np.int64
    assert images.min() == 0 and images.max() <= 1
    assert (images.reshape(count, -1).max(axis=1) > 0.9).all()
    np.testing.assert_array_equal(np.rint(images * 255) / np.float32(255), images)


@pytest.mark.parametrize("count", [3, 40, 99])
def test_classes_are_balanced_and_mixed(count):
    labels = drawn_digits(count, rng=generator(1))[1]
    of_class = np.bincount(labels, minlength=10)
    assert of_class.max() - of_class.min() <= 1
    assert (np.diff(labels) < 0).any()


def test_which_classes_come_once_more_is_left_to_chance():
    assert {int(drawn_digits(1, rng=generator(seed))[1][0]) for seed in range(60)} == set(range(10))


def test_the_generator_decides_and_nothing_else():
    first, again = drawn_digits(60, rng=generator(3)), drawn_digits(60, rng=generator(3))
    other = drawn_digits(60, rng=generator(4))
    np.testing.assert_array_equal(first[0], again[0])
    np.testing.assert_array_equal(first[1], again[1])
    assert (first[0] != other[0]).any()


def test_no_two_digits_are_alike():
    for each in FORMS:
        images = draw_form(each, 30, rng=generator()).reshape(30, -1)
        assert len(np.unique(images, axis=0)) == 30, each.name


def test_the_longer_side_is_twenty_pixels_and_the_ink_balances_on_the_middle():
    images = drawn_digits(500, rng=generator(5))[0]
    longer = extents(images).max(axis=0)
    assert (longer >= 19).all() and (longer <= 20).all()
    assert (longer == 20).mean() > 0.9
    ink = images[:, 0].astype(np.float64)
    for axis in (1, 2):
        center = (ink.sum(axis=3 - axis) @ np.arange(28)) / ink.sum(axis=(1, 2))
        assert np.abs(center - 14).max() <= 0.5 + 1e-6


def test_ink_and_strokes_are_like_mnists():
    # Of MNIST's first 10,000 images: 103 pixels of ink on average (give or take 33 from one to the
    # next), strokes 2.85 wide; 71 % of the pixels that are not black are not white, either.
    images = drawn_digits(600, rng=generator(6))[0]
    ink = images.sum(axis=(1, 2, 3))
    assert 97 < ink.mean() < 113
    assert 25 < ink.std() < 38
    widths = [stroke_width(image[0] > 0.5) for image in images]
    assert STROKE_WIDTHS[0] < np.mean(widths) - np.std(widths) / 2
    assert 2.6 < np.mean(widths) < 3.2
    gray = ((images > 0) & (images < 0.99)).sum() / (images > 0).sum()
    assert 0.55 < gray < 0.75


def test_every_digit_has_several_forms_and_every_form_is_drawn(monkeypatch):
    drawn = {}

    def remember(each, count, *, rng):
        drawn[each.name] = drawn.get(each.name, 0) + count
        return draw_form(each, count, rng=rng)

    monkeypatch.setattr("cnnedu.data.other_hands.draw_form", remember)
    drawn_digits(2000, rng=generator(7))
    assert len({each.name for each in FORMS}) == len(FORMS)
    for label in range(10):
        forms = [each for each in FORMS if each.label == label]
        assert len(forms) >= 2
        total = sum(each.share for each in forms)
        for each in forms:
            assert drawn[each.name] == pytest.approx(200 * each.share / total, abs=30), each.name
            assert drawn[each.name] > 0


def test_forms_differ_where_their_names_say():
    def means(name):
        return draw_form(form(name), 200, rng=generator(8))[:, 0].mean(axis=0)

    # The base line: ink in the last rows, to both sides of the stem.
    bases, plain = means("one with flag and base"), means("flagged one")
    assert bases[21:25, :11].sum() > 3 * plain[21:25, :11].sum()
    # The bar of a crossed seven: ink right of its stem, below the middle.
    crossed, seven = means("crossed seven"), means("plain seven")
    assert crossed[12:18].sum() > 1.2 * seven[12:18].sum()
    wide, narrow = (
        extents(draw_form(form(name), 200, rng=generator(9)))[1].mean()
        for name in ("wide zero", "narrow zero")
    )
    assert wide > narrow + 3


def test_a_flag_is_short_and_a_sevens_top_is_level():
    """What tells a one from a seven must be drawn clearly: where the top's left end lies."""
    flagged = draw_form(form("flagged one"), 300, rng=generator(10))[:, 0]
    seven = draw_form(form("plain seven"), 300, rng=generator(10))[:, 0]

    def left_end(images):
        """Return how far below the top, as a share of the height, ink reaches farthest left."""
        inked = images > 0.5
        top = inked.any(axis=2).argmax(axis=1)
        rows = np.arange(28) - top[:, np.newaxis]
        inked &= (rows < 12)[:, :, np.newaxis]  # the upper part
        columns = inked.any(axis=1).argmax(axis=1)
        column = np.take_along_axis(inked, columns[:, np.newaxis, np.newaxis], axis=2)[..., 0]
        return (column * rows).sum(axis=1) / column.sum(axis=1) / 20

    assert np.median(left_end(flagged)) > 0.25
    assert np.median(left_end(seven)) < 0.15
    assert np.quantile(left_end(seven), 0.95) < 0.3


def test_a_network_reads_the_forms_and_best_those_that_mnist_knows():
    network = load_pretrained("lasagne")
    images = np.concatenate([draw_form(each, 40, rng=generator(11)) for each in FORMS])
    labels = np.repeat([each.label for each in FORMS], 40)
    right = (network.predict(images) == labels).reshape(len(FORMS), 40).mean(axis=1)
    foreign = {each.name for each in FORMS if "flag" in each.name}
    foreign |= {"four in a sweep", "nine with a waist"}
    assert foreign <= {each.name for each in FORMS}
    for each, share in zip(FORMS, right, strict=True):
        assert share >= (0.6 if each.name in foreign else 0.92), each.name
    assert right.mean() > 0.95


def test_neighbors_among_other_peoples_digits_are_mostly_of_the_same_class():
    """Drawn digits must look like real ones: each one's nearest real digit tells its class."""
    known = load_digits().train
    images, labels = drawn_digits(300, rng=generator(12))
    flat = known.images.reshape(len(known), -1)
    drawn = images.reshape(300, -1)
    distances = (flat**2).sum(axis=1) - 2 * drawn @ flat.T
    right = known.labels[distances.argmin(axis=1)] == labels
    assert right.mean() > 0.8


@pytest.mark.parametrize("count", [0, -3])
def test_fewer_than_one_digit_is_refused(count):
    with pytest.raises(ValueError, match=f"count must be at least 1, got {count}"):
        drawn_digits(count, rng=generator())


@pytest.mark.parametrize("count", [2.0, "5", None, True])
def test_a_count_that_is_no_whole_number_is_refused(count):
    with pytest.raises(TypeError, match="count must be a whole number"):
        drawn_digits(count, rng=generator())


def test_a_seed_is_no_generator():
    with pytest.raises(TypeError, match="rng must be a generator"):
        drawn_digits(5, rng=0)


def test_numpys_whole_numbers_count_too():
    assert len(drawn_digits(np.int64(3), rng=generator())[1]) == 3
