"""The contract that every layer keeps."""

import copy

import numpy as np
import pytest

from cnnedu import (
    AvgPool2D,
    Conv2D,
    Dense,
    Dropout,
    Flatten,
    MaxOverChannels,
    MaxPool2D,
    ReLU,
    Sequential,
    Sigmoid,
    Softmax,
    Standardize,
    Tanh,
    gradient_check,
)
from cnnedu.architectures import build
from cnnedu.layers import LAYERS, dense_forward, dense_loops, softmax

RNG = np.random.default_rng(0)
MAPS, ROWS = (2, 6, 5), (12,)

LAYER_CASES = {
    "conv": (lambda: Conv2D(2, 3, 3, rng=np.random.default_rng(1)), MAPS),
    "conv, all options": (
        lambda: Conv2D(
            2, 3, (2, 3), (2, 1), "same", (1, 2), bias=False, rng=np.random.default_rng(1)
        ),
        MAPS,
    ),
    "max pool": (lambda: MaxPool2D(2), MAPS),
    "max pool, overlapping": (lambda: MaxPool2D(3, stride=1), MAPS),
    "average pool": (lambda: AvgPool2D((2, 1), stride=3), MAPS),
    "max over channels": (MaxOverChannels, MAPS),
    "standardize": (lambda: Standardize(0.3, 0.7), MAPS),
    "dense": (lambda: Dense(12, 4, rng=np.random.default_rng(1)), ROWS),
    "dense without bias": (lambda: Dense(12, 4, bias=False, rng=np.random.default_rng(1)), ROWS),
    "flatten": (Flatten, MAPS),
    "relu": (ReLU, MAPS),
    "tanh": (Tanh, MAPS),
    "sigmoid": (Sigmoid, MAPS),
    "softmax": (Softmax, ROWS),
    "dropout": (lambda: Dropout(0.4, rng=np.random.default_rng(1)), MAPS),
    "network": (
        lambda: Sequential(
            [
                Conv2D(2, 3, 2, rng=np.random.default_rng(1)),
                Tanh(),
                MaxPool2D(2),
                Flatten(),
                Dense(12, 4, rng=np.random.default_rng(2)),
            ]
        ),
        MAPS,
    ),
}


@pytest.fixture(params=LAYER_CASES)
def case(request):
    make, shape = LAYER_CASES[request.param]
    # No two values alike and none near zero: away from the corners of maximum and ReLU.
    count = 4 * int(np.prod(shape))
    x = (np.random.default_rng(3).permutation(count) - count / 2 + 0.3) / count * 4
    return make(), x.reshape(4, *shape), shape


def test_every_kind_of_layer_is_held_to_the_contract():
    tested = {type(make()).__name__ for make, _ in LAYER_CASES.values()}
    assert tested == set(LAYERS) | {"Sequential"}


def test_shapes_are_as_promised(case):
    layer, x, shape = case
    y = layer.forward(x)
    assert y.shape == (len(x), *layer.output_shape(shape))
    assert layer.backward(np.ones_like(y)).shape == x.shape
    assert {name: grad.shape for name, grad in layer.grads.items()} == {
        name: array.shape for name, array in layer.params.items()
    }


@pytest.mark.parametrize("training", [False, True])
def test_gradients_are_right(case, training):
    layer, x, _ = case
    report = gradient_check(layer, x, training=training, rng=np.random.default_rng(5))
    assert set(report.errors) == {"input", *layer.params}
    assert report.max_error < 1e-6, report


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_dtype_is_kept(case, dtype):
    layer, x, _ = case
    y = layer.forward(x.astype(dtype), training=True)
    grad_x = layer.backward(np.ones_like(y))
    assert y.dtype == grad_x.dtype == dtype
    assert all(grad.dtype == dtype for grad in layer.grads.values())


def test_integers_are_rejected_with_a_remedy(case):
    layer, x, _ = case
    with pytest.raises(
        TypeError, match="must be float32 or float64, got int64; use .*divide images"
    ):
        layer.forward(x.astype(np.int64))


def test_inputs_are_neither_changed_nor_shared(case):
    layer, x, _ = case
    for training in (False, True):
        x_before = x.copy()
        y = layer.forward(x, training=training)
        grad_y = np.random.default_rng(6).normal(size=y.shape)
        grad_before = grad_y.copy()
        grad_x = layer.backward(grad_y)
        np.testing.assert_array_equal(x, x_before)
        np.testing.assert_array_equal(grad_y, grad_before)
        assert not np.shares_memory(y, x)
        assert not np.shares_memory(grad_x, grad_y)


def test_memory_order_does_not_matter(case):
    layer, x, _ = case
    twin = copy.deepcopy(layer)
    y = layer.forward(x)
    grad_y = np.random.default_rng(6).normal(size=y.shape)
    y_fortran = twin.forward(np.asfortranarray(x))
    np.testing.assert_allclose(y, y_fortran, rtol=1e-12)
    np.testing.assert_allclose(
        layer.backward(grad_y), twin.backward(np.asfortranarray(grad_y)), rtol=1e-12, atol=1e-15
    )


def test_images_do_not_see_each_other(case):
    layer, x, _ = case
    y = layer.forward(x)
    each = np.concatenate([layer.forward(x[i : i + 1]) for i in range(len(x))])
    np.testing.assert_allclose(y, each, rtol=1e-10, atol=1e-12)


def test_backward_needs_its_forward(case):
    layer, x, _ = case
    with pytest.raises(RuntimeError, match="call forward first, and once again"):
        layer.backward(np.ones(1))
    y = layer.forward(x)
    layer.backward(np.ones_like(y))
    with pytest.raises(RuntimeError, match="call forward first, and once again"):
        layer.backward(np.ones_like(y))


def test_a_gradient_of_the_wrong_shape_is_an_error(case):
    layer, x, _ = case
    layer.forward(x)
    with pytest.raises(ValueError, match="grad_y must have the shape of the output it belongs to"):
        layer.backward(np.ones((1, 2, 3)))


def test_gradients_are_overwritten_not_added_up(case):
    layer, x, _ = case
    for _ in range(2):
        y = layer.forward(x)
        layer.backward(np.ones_like(y))
        first = {name: grad.copy() for name, grad in layer.grads.items()}
    y = layer.forward(x)
    layer.backward(np.ones_like(y))
    for name, grad in layer.grads.items():
        np.testing.assert_array_equal(grad, first[name])


@pytest.mark.parametrize("name", [name for name in LAYER_CASES if name != "network"])
def test_repr_is_what_one_would_write(name):
    layer = LAYER_CASES[name][0]()
    namespace = dict(LAYERS)
    text = repr(layer)
    if hasattr(layer, "rng") or layer.params:
        namespace["rng"] = np.random.default_rng(0)
        text = text[:-1] + ", rng=rng)"
    again = eval(text, namespace)
    assert repr(again) == repr(layer)
    assert again.config() == layer.config()


def test_the_same_seed_gives_the_same_weights():
    a, b = (Conv2D(1, 4, 3, rng=np.random.default_rng(7)).params["weight"] for _ in range(2))
    np.testing.assert_array_equal(a, b)
    assert a.dtype == np.float32


@pytest.mark.parametrize(
    "make",
    [
        lambda rng: Conv2D(1, 2, 3, rng=rng),
        lambda rng: Dense(1, 2, rng=rng),
        lambda rng: Dropout(0.5, rng=rng),
        lambda rng: build("notebook", rng=rng),
        lambda rng: gradient_check(ReLU(), np.ones((1, 2)), rng=rng),
    ],
)
def test_a_seed_is_no_generator(make):
    with pytest.raises(TypeError, match=r"like np.random.default_rng\(0\), got 0"):
        make(0)


def test_only_floats_are_trained():
    with pytest.raises(TypeError, match="dtype must be np.float32 or np.float64, got int64"):
        Conv2D(1, 2, 3, dtype=np.int64, rng=RNG)
    with pytest.raises(TypeError, match="dtype must be np.float32 or np.float64, got float16"):
        Dense(1, 2, dtype=np.float16, rng=RNG)


def test_dense_loops_equal_fast():
    rng = np.random.default_rng(0)
    x, weight, bias = rng.normal(size=(3, 5)), rng.normal(size=(4, 5)), rng.normal(size=4)
    np.testing.assert_allclose(dense_forward(x, weight, bias)[0], dense_loops(x, weight, bias))
    np.testing.assert_allclose(dense_loops(x, weight), x @ weight.T)


def test_dense_says_what_it_needs():
    layer = Dense(12, 4, rng=np.random.default_rng(0))
    with pytest.raises(ValueError, match=r"put Flatten\(\) before this layer"):
        layer.forward(np.ones((2, 3, 2, 2)))
    with pytest.raises(ValueError, match="x must have 12 features"):
        layer.forward(np.ones((2, 11)))
    with pytest.raises(ValueError, match="out_features must be at least 1, got 0"):
        Dense(12, 0, rng=np.random.default_rng(0))


def test_softmax_does_not_overflow():
    np.testing.assert_allclose(softmax(np.array([[1000.0, 1000.0]])), [[0.5, 0.5]])
    np.testing.assert_allclose(softmax(np.array([[0.0, np.log(3.0)]])), [[1 / 4, 3 / 4]])
    np.testing.assert_allclose(Sigmoid().forward(np.array([[-1000.0, 0.0, 1000.0]])), [[0, 0.5, 1]])


def test_dropout_keeps_the_expected_value_and_its_own_generator():
    rng = np.random.default_rng(0)
    layer, other = Dropout(0.25, rng=rng), Dropout(0.25, rng=rng)
    x = np.ones((100, 1000), np.float32)
    y = layer.forward(x, training=True)
    assert set(np.unique(y)) == {np.float32(0), np.float32(1 / 0.75)}
    assert abs((y == 0).mean() - 0.25) < 0.01  # 100,000 draws: one standard deviation is 0.0014
    assert (other.forward(x, training=True) != y).any()
    np.testing.assert_array_equal(layer.forward(x), x)
    with pytest.raises(ValueError, match=r"rate must lie in \[0, 1\)"):
        Dropout(1.0, rng=rng)


def test_a_layer_is_defined_by_two_functions():
    from cnnedu.layers import Layer

    for method, arguments in (("compute", (RNG,)), ("differentiate", (RNG, None))):
        with pytest.raises(NotImplementedError, match=f"Layer does not define {method}"):
            getattr(Layer(), method)(*arguments)
