"""The gradient check passes what is right and finds what is wrong."""

import numpy as np
import pytest

from cnnedu import Conv2D, MaxPool2D, gradient_check
from cnnedu.layers import ReLU

RNG = np.random.default_rng(0)
X = RNG.normal(size=(2, 1, 5, 5))


def test_it_leaves_the_layer_and_the_input_as_they_are():
    layer, x = Conv2D(1, 2, 3, rng=np.random.default_rng(0)), X.astype(np.float32)
    weight, before = layer.params["weight"].copy(), x.copy()
    report = gradient_check(layer, x, rng=np.random.default_rng(1))
    assert report.max_error < 1e-8
    assert layer.params["weight"].dtype == np.float32 and layer.grads == {}
    np.testing.assert_array_equal(layer.params["weight"], weight)
    np.testing.assert_array_equal(x, before)


def test_what_cannot_be_checked_is_a_clear_error():
    with pytest.raises(ValueError, match=r"x must be finite, got nan at \[0, 0\]"):
        gradient_check(ReLU(), np.full((1, 2), np.nan), rng=RNG)
    with pytest.raises(TypeError, match="layer must be a layer or a network, got function"):
        gradient_check(lambda x: x, X, rng=RNG)


def test_it_finds_a_kernel_that_was_not_flipped():
    class Unflipped(Conv2D):
        def differentiate(self, grad_y, cache, *, input_gradient=True):
            grad_x, grads = super().differentiate(grad_y, cache)
            return grad_x[:, :, ::-1, ::-1].copy(), grads

    report = gradient_check(Unflipped(1, 2, 3, rng=np.random.default_rng(0)), X, rng=RNG)
    assert report.errors["input"] > 0.1
    assert report.errors["weight"] < 1e-8


def test_it_finds_a_gradient_that_is_only_a_little_wrong():
    class Leaky(ReLU):
        def slope(self, y):
            return (y > 0) * 1.001

    assert gradient_check(Leaky(), X, rng=RNG).max_error == pytest.approx(0.001, rel=0.01)


def test_it_finds_a_tie_that_is_paid_out_twice():
    x = np.array([[[[1.0, 1.0], [0.0, 0.0]]]])
    layer = MaxPool2D(2, ties="all")
    report = gradient_check(layer, x, rng=RNG)
    assert report.max_error > 0.3  # a tie is a corner: each wiggle moves the maximum half the time


def test_samples_and_the_report():
    report = gradient_check(
        Conv2D(1, 2, 3, rng=np.random.default_rng(0)), X, samples=5, rng=np.random.default_rng(1)
    )
    text = repr(report)
    assert report.max_error < 1e-8 and len(text.splitlines()) == 1 + 3
    assert text.splitlines()[1].startswith("input ") and "worst place" in text
