"""Convolution: loops = SciPy = fast, forward and backward, for every shape that fits."""

import re

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.signal import convolve2d, correlate2d

from cnnedu import Conv2D
from cnnedu.layers import conv2d_backward, conv2d_backward_loops, conv2d_forward, conv2d_loops
from cnnedu.shapes import images_last, output_size

X = np.array([[1, 2, 0, 1], [0, 1, 3, 1], [2, 0, 1, 0], [1, 1, 0, 2]], np.float64)[None, None]
KERNEL = np.array([[1, 0], [0, -1]], np.float64)[None, None]


def test_by_hand():
    # The kernel takes the pixel at the top left and subtracts the one at the bottom right.
    expected = [
        [1 - 1, 2 - 3, 0 - 1],
        [0 - 0, 1 - 1, 3 - 0],
        [2 - 1, 0 - 0, 1 - 2],
    ]
    assert conv2d_loops(X, KERNEL)[0, 0].tolist() == expected
    assert conv2d_forward(X, KERNEL)[0][0, 0].tolist() == expected


def test_backward_by_hand():
    grad_y = np.zeros((1, 1, 3, 3))
    grad_y[0, 0, 0, 1] = 2  # one output only: row 0, column 1, above the patch [[2, 0], [1, 3]]
    _, cache = conv2d_forward(X, KERNEL, np.zeros(1))
    grad_x, grad_weight, grad_bias = conv2d_backward(grad_y, cache)
    assert grad_weight[0, 0].tolist() == [[2 * 2, 2 * 0], [2 * 1, 2 * 3]]
    assert grad_bias.tolist() == [2]
    assert grad_x[0, 0].tolist() == [
        [0, 2 * 1, 2 * 0, 0],
        [0, 2 * 0, 2 * -1, 0],
        [0, 0, 0, 0],
        [0, 0, 0, 0],
    ]


def test_it_is_scipys_cross_correlation_and_not_its_convolution():
    y, _ = conv2d_forward(X, KERNEL)
    np.testing.assert_array_equal(y[0, 0], correlate2d(X[0, 0], KERNEL[0, 0], mode="valid"))
    np.testing.assert_array_equal(-y[0, 0], convolve2d(X[0, 0], KERNEL[0, 0], mode="valid"))


def test_same_padding_is_scipys_same_for_odd_kernels():
    rng = np.random.default_rng(0)
    x, kernel = rng.normal(size=(9, 7)), rng.normal(size=(5, 3))
    y, _ = conv2d_forward(x[None, None], kernel[None, None], padding="same")
    np.testing.assert_allclose(y[0, 0], correlate2d(x, kernel, mode="same"), rtol=1e-12)


@st.composite
def cases(draw):
    """Draw a convolution whose kernel fits its image, in some dtype and memory order."""
    small = st.integers(1, 3)
    pairs = st.tuples(small, small)
    kernel, stride, dilation = draw(st.tuples(small, st.integers(1, 4))), draw(pairs), draw(pairs)
    zeros = st.integers(0, 2)
    padding = draw(st.sampled_from(["same", "valid"]) | zeros | st.tuples(zeros, zeros))
    size = draw(st.tuples(st.integers(1, 8), st.integers(1, 8)))
    rules = (padding, padding) if isinstance(padding, str | int) else padding
    try:
        for axis in zip(size, kernel, stride, rules, dilation, strict=True):
            output_size(*axis)
    except ValueError:
        assume(False)
    n, c, f = draw(small), draw(small), draw(small)
    rng = np.random.default_rng(draw(st.integers(0, 999)))
    dtype = draw(st.sampled_from([np.float32, np.float64]))
    x = rng.normal(size=(n, c, *size)).astype(dtype)
    order = draw(st.sampled_from(["C", "F", "images last", "reversed", "every second"]))
    if order == "F":
        x = np.asfortranarray(x)
    elif order == "images last":
        x = images_last(x)
    elif order == "reversed":
        x = x[:, :, ::-1]
    elif order == "every second":
        x = np.repeat(x, 2, axis=3)[..., ::2]
    weight = rng.normal(size=(f, c, *kernel)).astype(dtype)
    bias = rng.normal(size=f).astype(dtype) if draw(st.booleans()) else None
    return x, weight, bias, {"stride": stride, "padding": padding, "dilation": dilation}, rng


def scipy_convolution(x, weight, bias, stride, padding, dilation):
    """Convolve with SciPy: dilate the kernel, correlate everywhere, keep some places."""
    n, c, h, w = x.shape
    f, _, kh, kw = weight.shape
    dilated = np.zeros((f, c, (kh - 1) * dilation[0] + 1, (kw - 1) * dilation[1] + 1), x.dtype)
    dilated[:, :, :: dilation[0], :: dilation[1]] = weight
    if padding == "same":
        totals = [
            max((-(-size // s) - 1) * s + reach - size, 0)
            for size, s, reach in zip((h, w), stride, dilated.shape[2:], strict=True)
        ]
        zeros = [(total // 2, total - total // 2) for total in totals]
    else:
        amounts = {"valid": (0, 0)}.get(padding, padding) if isinstance(padding, str) else padding
        zeros = [(a, a) for a in (amounts if isinstance(amounts, tuple) else (amounts, amounts))]
    x = np.pad(x, [(0, 0), (0, 0), *zeros])
    maps = [
        [sum(correlate2d(x[i, k], dilated[j, k], mode="valid") for k in range(c)) for j in range(f)]
        for i in range(n)
    ]
    y = np.array(maps)[:, :, :: stride[0], :: stride[1]]
    return y if bias is None else y + bias[:, None, None]


@given(cases())
@settings(max_examples=150, deadline=None)
def test_loops_equal_fast_equals_scipy(case):
    x, weight, bias, options, rng = case
    before = x.copy()
    tolerance = (
        {"rtol": 1e-4, "atol": 1e-4} if x.dtype == np.float32 else {"rtol": 1e-10, "atol": 1e-12}
    )
    y, cache = conv2d_forward(x, weight, bias, **options)
    y_loops = conv2d_loops(x, weight, bias, **options)
    np.testing.assert_allclose(y, y_loops, **tolerance)
    np.testing.assert_allclose(y, scipy_convolution(x, weight, bias, **options), **tolerance)
    assert y.dtype == y_loops.dtype == x.dtype

    grad_y = rng.normal(size=y.shape).astype(x.dtype)
    fast = conv2d_backward(grad_y, cache)
    slow = conv2d_backward_loops(grad_y, x, weight, **options)
    for a, b in zip(fast, slow, strict=True):
        np.testing.assert_allclose(a, b, **tolerance)
        assert a.dtype == x.dtype
    assert fast[0].shape == x.shape
    np.testing.assert_array_equal(x, before)
    assert not np.shares_memory(y, x) and not np.shares_memory(fast[0], grad_y)


def test_results_lie_in_memory_with_the_images_last():
    x = np.ones((5, 2, 6, 6), np.float32)
    y, cache = conv2d_forward(x, np.ones((3, 2, 3, 3), np.float32))
    grad_x = conv2d_backward(np.ones_like(y), cache)[0]
    assert y.strides[0] == y.itemsize
    assert grad_x.strides[0] == grad_x.itemsize


def test_without_input_gradient_the_rest_is_the_same():
    y, cache = conv2d_forward(X, KERNEL)
    full = conv2d_backward(np.ones_like(y), cache)
    part = conv2d_backward(np.ones_like(y), cache, input_gradient=False)
    assert part[0] is None
    np.testing.assert_array_equal(part[1], full[1])


def test_one_huge_kernel_and_one_pixel():
    x = np.full((1, 1, 1, 1), 3.0)
    assert conv2d_forward(x, np.full((1, 1, 1, 1), 2.0))[0].tolist() == [[[[6.0]]]]
    x = np.ones((1, 1, 40, 40))
    assert conv2d_forward(x, np.ones((1, 1, 40, 40)))[0].tolist() == [[[[1600.0]]]]


F32 = np.float32


@pytest.mark.parametrize("function", [conv2d_loops, conv2d_forward])
@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ((np.ones((4, 4)), KERNEL), ValueError, r"got (4, 4): a single image: use x[None, None]"),
        ((np.ones((3, 4, 4)), KERNEL), ValueError, "got (3, 4, 4): a batch without a channel axis"),
        ((np.ones((1, 1, 4, 4), int), KERNEL), TypeError, "divide images by 255"),
        ((np.ones((1, 1, 4, 4), np.float16), KERNEL), TypeError, "float32 or float64, got float16"),
        (([[1.0]], KERNEL), TypeError, "x must be a NumPy array, got list"),
        ((np.ones((1, 2, 4, 4)), KERNEL), ValueError, "x must have 1 channel (axis 1), got shape"),
        ((np.ones((0, 1, 4, 4)), KERNEL), ValueError, "x is empty: its shape is (0, 1, 4, 4)"),
        ((X, np.ones((2, 2))), ValueError, "for one kernel use weight[None, None]"),
        (
            (X, np.ones((1, 1, 5, 5))),
            ValueError,
            "the kernel does not fit: it reaches over 5 pixels",
        ),
        ((X, KERNEL, np.ones(2)), ValueError, "bias must have shape (1,)"),
        ((X, KERNEL, None, 0), ValueError, "stride must be at least 1, got 0"),
        ((X, KERNEL, None, -1), ValueError, "stride must be at least 1, got -1"),
        ((X, KERNEL, None, 1.5), TypeError, "stride must be a whole number"),
        ((X, KERNEL, None, (1, 2, 3)), ValueError, "got 3 numbers"),
        ((X, KERNEL, None, 1, -1), ValueError, "padding must be at least 0"),
        ((X, KERNEL, None, 1, "full"), ValueError, 'a pair, "valid" or "same", got \'full\''),
        ((X, KERNEL, None, 1, 0, 4), ValueError, "it reaches over 5 pixels (kernel 2, dilation 4)"),
        ((X, KERNEL, None, True), TypeError, "stride must be a whole number"),
    ],
)
def test_bad_input_is_a_clear_error(function, arguments, error, message):
    with pytest.raises(error, match=re.escape(message)):
        function(*arguments)


def test_a_gradient_of_the_wrong_shape_is_a_clear_error():
    _, cache = conv2d_forward(X, KERNEL)
    with pytest.raises(ValueError, match=re.escape("(1, 1, 3, 3), got (1, 1, 2, 2)")):
        conv2d_backward(np.ones((1, 1, 2, 2)), cache)


def test_layer_has_the_shapes_it_promises():
    rng = np.random.default_rng(0)
    layer = Conv2D(3, 8, (3, 5), stride=2, padding="same", rng=rng)
    y = layer.forward(rng.normal(size=(2, 3, 9, 10)).astype(F32))
    assert y.shape == (2, *layer.output_shape((3, 9, 10))) == (2, 8, 5, 5)
    assert repr(layer) == ("Conv2D(3, 8, (3, 5), stride=2, padding='same')")
    with pytest.raises(ValueError, match=re.escape("needs an input of shape (3, rows, columns)")):
        layer.output_shape((1, 9, 10))
