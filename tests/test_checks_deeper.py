"""The exercises of lesson 6 against the package's own numbers, and what learners may write."""

import numpy as np
import pytest

from cnnedu import checks
from cnnedu.data.augmentation import resample
from cnnedu.layers import Dropout
from cnnedu.optimizers import Momentum, Triangular

NAMES = checks.EXERCISES[6]


def verdict(function, name):
    return " ".join(str(getattr(checks, name).diagnose(function)).split())


def reference(name):
    return getattr(checks, name).reference


@pytest.mark.parametrize("name", NAMES)
def test_every_diagnosis_is_reached_by_its_mistake(name):
    exercise = getattr(checks, name)
    assert len(exercise.mistakes) >= 8
    for mistake in exercise.mistakes:
        said = verdict(mistake.function, name)
        assert said.startswith("✗ " + " ".join(mistake.diagnosis.split())), said


def test_dropout_is_that_of_the_package():
    for x, rate, draws, training in checks.dropout.cases:
        layer = Dropout(rate, rng=np.random.default_rng(0))
        layer.drawn = (draws * 2**16).astype(np.uint16)[None]
        y = layer.forward(x[None], training=training)[0]
        np.testing.assert_allclose(reference("dropout")(x, rate, draws, training), y)


def test_no_draw_equals_its_rate():
    """What to do then is not worth an argument: it never happens."""
    for x, rate, draws, _ in checks.dropout.cases:
        assert draws.shape == x.shape
        assert not (draws == rate).any()


def test_the_step_is_that_of_the_package():
    for w, v, slope, rate, momentum in checks.nesterov_step.cases:
        optimizer = Momentum(rate, momentum, nesterov=True)
        place = w.copy()
        optimizer.remembered("w", "velocity", place)[...] = v
        optimizer.step([("w", place, slope)])
        expected = place, optimizer.memory["w"]["velocity"]
        for ours, theirs in zip(
            reference("nesterov_step")(w, v, slope, rate, momentum), expected, strict=True
        ):
            np.testing.assert_allclose(ours, theirs)


def test_the_schedule_is_that_of_the_package():
    for progress, peak, rise in checks.triangular_rate.cases:
        expected = Triangular(peak, rise=rise)(progress)
        assert reference("triangular_rate")(progress, peak, rise) == pytest.approx(expected)


def test_a_shift_is_a_resampling_at_whole_places():
    for image, down, right in checks.shift_image.cases:
        rows, columns = np.indices(image.shape)
        moved = resample(image[None, None], rows[None] - down, columns[None] - right)[0, 0]
        np.testing.assert_array_equal(reference("shift_image")(image, down, right), moved)


def test_drawing_inside_the_function_is_told():
    rng = np.random.default_rng(0)

    def own_draws(x, rate, draws, training):
        return np.where(rng.random(x.shape) >= rate, x / (1 - rate), 0.0) if training else x

    assert verdict(own_draws, "dropout").startswith("✗")


def test_dropping_in_place_is_told():
    def in_place(x, rate, draws, training):
        if training:
            x[draws < rate] = 0
            x /= 1 - rate
        return x

    assert "changes its input `x`" in verdict(in_place, "dropout")


def test_a_step_in_place_is_told():
    def in_place(w, v, slope, rate, momentum):
        v *= momentum
        v -= rate * slope
        w += momentum * v - rate * slope
        return w, v

    assert "changes its input `w` and `v`" in verdict(in_place, "nesterov_step")


def test_slices_that_stop_at_a_negative_number_are_told():
    """The usual slip: it works for a move down, and empties or misplaces everything else."""

    def sliced(image, down, right):
        moved = np.zeros_like(image)
        height, width = image.shape
        moved[down:, right:] = image[: height - down, : width - right]
        return moved

    assert verdict(sliced, "shift_image").startswith("✗")


def test_rounding_to_half_a_peak_is_not_confused_with_right():
    def steps(progress, peak, rise):
        return peak * np.floor(4 * min(progress / rise, (1 - progress) / (1 - rise))) / 4

    assert verdict(steps, "triangular_rate").startswith("✗")
