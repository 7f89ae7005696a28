"""Winograd's convolution: the same numbers as the direct form, within a stated error."""

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cnnedu import Conv2D
from cnnedu.layers import conv2d_backward, conv2d_forward, winograd
from cnnedu.layers.convolution import choose_algorithm
from cnnedu.layers.geometry import Geometry


def relative_error(found, exact):
    return np.linalg.norm(found - exact) / np.linalg.norm(exact)


@pytest.mark.parametrize("kernel", [3, 5])
def test_one_tile_by_the_matrices(kernel):
    a, g, b = winograd.matrices(kernel, "<f8")
    rng = np.random.default_rng(0)
    patch, weights = rng.normal(size=winograd.TILE + kernel - 1), rng.normal(size=kernel)
    tile = a @ ((g @ weights) * (b @ patch))
    np.testing.assert_allclose(tile, np.correlate(patch, weights, mode="valid"), rtol=1e-11)


@given(
    kernel=st.tuples(st.sampled_from([3, 5]), st.sampled_from([3, 5])),
    size=st.tuples(st.integers(3, 15), st.integers(3, 15)),
    padding=st.sampled_from([0, 1, 2, (0, 2), "same"]),
    channels=st.integers(1, 4),
    kernels=st.integers(1, 4),
    images=st.integers(1, 3),
    seed=st.integers(0, 999),
)
@settings(max_examples=80, deadline=None)
def test_it_equals_the_direct_form(kernel, size, padding, channels, kernels, images, seed):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(images, channels, *size))
    weight, bias = rng.normal(size=(kernels, channels, *kernel)), rng.normal(size=kernels)
    try:
        y, cache = conv2d_forward(x, weight, bias, padding=padding, algorithm="direct")
    except ValueError as error:
        assert "does not fit" in str(error)  # noqa: PT017, the other examples are what counts
        return
    grad_y = rng.normal(size=y.shape)
    direct = (y, *conv2d_backward(grad_y, cache))
    y, cache = conv2d_forward(x, weight, bias, padding=padding, algorithm="winograd")
    for _ in range(2):  # a cache is not used up: the functions are pure
        fast = (y, *conv2d_backward(grad_y, cache))
        for found, exact in zip(fast, direct, strict=True):
            assert found.shape == exact.shape
            np.testing.assert_allclose(found, exact, rtol=1e-9, atol=1e-9)
    assert conv2d_backward(grad_y, cache, input_gradient=False)[0] is None


@pytest.mark.parametrize(
    ("kernel", "bound"),
    # Measured over ten seeds: at most 1.1e-6 for k = 3 and 2.5e-6 for k = 5; direct 3.1e-7.
    [(3, 3e-6), (5, 1e-5)],
)
def test_its_error_in_float32_is_bounded(kernel, bound):
    for seed in range(3):
        rng = np.random.default_rng(seed)
        x = rng.normal(size=(4, 32, 12, 12))
        weight = rng.normal(size=(32, 32, kernel, kernel))
        exact, cache = conv2d_forward(x, weight, algorithm="direct")
        grad_y = rng.normal(size=exact.shape)
        exact = (exact, *conv2d_backward(grad_y, cache))
        single = np.float32
        y, cache = conv2d_forward(x.astype(single), weight.astype(single), algorithm="winograd")
        found = (y, *conv2d_backward(grad_y.astype(single), cache))
        for a, b in zip(found, exact, strict=True):
            assert a.dtype == single
            assert relative_error(a, b) < bound


def test_it_is_chosen_where_it_pays_and_never_where_it_does_not_apply():
    def chosen(weight_shape, size, **options):
        geometry = Geometry.of((size, size), weight_shape[2:], **options)
        return choose_algorithm(weight_shape, geometry)

    assert chosen((32, 32, 5, 5), 12) == "winograd"
    assert chosen((64, 64, 3, 3), 28, padding=1) == "winograd"
    assert chosen((32, 1, 5, 5), 28) == "direct"  # one channel: hardly a product to save
    assert chosen((7, 8, 5, 5), 12) == "direct"  # few: whole numbers stay whole
    assert chosen((32, 32, 5, 5), 12, stride=2) == "direct"
    assert chosen((32, 32, 5, 5), 12, dilation=2) == "direct"
    assert chosen((32, 32, 2, 2), 12) == "direct"
    assert chosen((32, 32, 5, 5), 5) == "direct"  # one output of a tile of sixteen


def test_the_choice_can_be_seen_and_forced():
    rng = np.random.default_rng(0)
    layer = Conv2D(32, 32, 5, rng=rng)
    assert layer.algorithm == "auto"
    assert layer.choose((32, 12, 12)) == "winograd"
    forced = Conv2D(32, 32, 5, algorithm="direct", rng=rng)
    assert forced.choose((32, 12, 12)) == "direct"
    assert "algorithm='direct'" in repr(forced)
    with pytest.raises(ValueError, match=re.escape("one of auto, direct, winograd, got 'fft'")):
        Conv2D(1, 1, 3, algorithm="fft", rng=rng)
    with pytest.raises(ValueError, match="winograd needs stride 1, dilation 1 and kernels of 3 or"):
        Conv2D(1, 1, 3, stride=2, algorithm="winograd", rng=rng).forward(np.ones((1, 1, 9, 9)))
