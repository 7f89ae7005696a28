"""Pooling: loops = fast, forward and backward, overlapping and with ties."""

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cnnedu import MaxPool2D
from cnnedu.layers import (
    avg_pool2d_backward,
    avg_pool2d_backward_loops,
    avg_pool2d_forward,
    avg_pool2d_loops,
    max_pool2d_backward,
    max_pool2d_backward_loops,
    max_pool2d_forward,
    max_pool2d_loops,
)

X = np.array([[1, 3, 2, 2], [3, 0, 2, 2], [5, 1, 0, 4], [0, 1, 2, 0]], np.float64)[None, None]


def test_by_hand():
    assert max_pool2d_forward(X, 2)[0][0, 0].tolist() == [[3, 2], [5, 4]]
    assert avg_pool2d_forward(X, 2)[0][0, 0].tolist() == [
        [(1 + 3 + 3 + 0) / 4, (2 + 2 + 2 + 2) / 4],
        [(5 + 1 + 0 + 1) / 4, (0 + 4 + 2 + 0) / 4],
    ]


def test_a_tie_goes_to_the_first_in_reading_order():
    _, cache = max_pool2d_forward(X, 2)
    grad_x = max_pool2d_backward(np.array([[[[10.0, 20.0], [30.0, 40.0]]]]), cache)
    assert grad_x[0, 0].tolist() == [[0, 10, 20, 0], [0, 0, 0, 0], [30, 0, 0, 40], [0, 0, 0, 0]]


def test_ties_all_pays_every_winner_in_full():
    _, cache = max_pool2d_forward(X, 2)
    grad_x = max_pool2d_backward(np.array([[[[10.0, 20.0], [30.0, 40.0]]]]), cache, ties="all")
    assert grad_x[0, 0].tolist() == [[0, 10, 20, 20], [10, 0, 20, 20], [30, 0, 0, 40], [0, 0, 0, 0]]
    assert grad_x.sum() == 100 + 10 + 3 * 20


def test_what_does_not_fill_a_window_is_left_out():
    x = np.arange(25.0).reshape(1, 1, 5, 5)
    y, cache = max_pool2d_forward(x, 2)
    assert y[0, 0].tolist() == [[6, 8], [16, 18]]
    grad_x = max_pool2d_backward(np.ones_like(y), cache)
    assert grad_x[0, 0, 4].tolist() == [0] * 5 and grad_x[0, 0, :, 4].tolist() == [0] * 5


@given(
    size=st.tuples(st.integers(3, 8), st.integers(3, 8)),
    kernel=st.tuples(st.integers(1, 3), st.integers(1, 3)),
    stride=st.none() | st.tuples(st.integers(1, 4), st.integers(1, 4)),
    values=st.integers(1, 4),
    seed=st.integers(0, 999),
    dtype=st.sampled_from([np.float32, np.float64]),
    fortran=st.booleans(),
    ties=st.sampled_from(["first", "all"]),
)
@settings(max_examples=120, deadline=None)
def test_loops_equal_fast(size, kernel, stride, values, seed, dtype, fortran, ties):
    rng = np.random.default_rng(seed)
    x = rng.integers(0, values, (2, 2, *size)).astype(dtype)  # few values: many ties
    x = np.asfortranarray(x) if fortran else x
    y, cache = max_pool2d_forward(x, kernel, stride)
    np.testing.assert_array_equal(y, max_pool2d_loops(x, kernel, stride))
    grad_y = rng.integers(-3, 4, y.shape).astype(dtype)
    grad_x = max_pool2d_backward(grad_y, cache, ties)
    np.testing.assert_array_equal(
        grad_x, max_pool2d_backward_loops(grad_y, x, kernel, stride, ties)
    )
    if ties == "first":
        assert grad_x.sum() == grad_y.sum()
    mean, cache = avg_pool2d_forward(x, kernel, stride)
    np.testing.assert_allclose(mean, avg_pool2d_loops(x, kernel, stride), rtol=1e-5)
    np.testing.assert_allclose(
        avg_pool2d_backward(grad_y, cache),
        avg_pool2d_backward_loops(grad_y, x, kernel, stride),
        rtol=1e-5,
        atol=1e-6,
    )
    assert y.dtype == mean.dtype == grad_x.dtype == dtype


def test_bad_input_is_a_clear_error():
    with pytest.raises(ValueError, match=re.escape('ties must be "first" or "all", got \'last\'')):
        MaxPool2D(2, ties="last")
    with pytest.raises(ValueError, match="the kernel does not fit"):
        max_pool2d_forward(X, 5)
    with pytest.raises(ValueError, match="stride must be at least 1"):
        MaxPool2D(2, stride=0)
    with pytest.raises(ValueError, match=re.escape("(channels, rows, columns), got (10,)")):
        MaxPool2D(2).output_shape((10,))
