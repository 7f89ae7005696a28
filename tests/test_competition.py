"""Kernels that compete: the layer, the data they want, and what their origin computes."""

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.competing_as_written import LEARNING_RATE, AsWritten, all_patches
from cnnedu import (
    Adam,
    MaxOverChannels,
    Sequential,
    Softmax,
    Tanh,
    evaluate,
    fit,
    gradient_check,
    squared_error,
)
from cnnedu.architectures import build
from cnnedu.data import Dataset, competing_kernels_data, divide_by_variance, load_digits
from cnnedu.initializers import uniform_unit
from cnnedu.layers import (
    conv2d_loops,
    max_over_channels_backward,
    max_over_channels_backward_loops,
    max_over_channels_forward,
    max_over_channels_loops,
)


@pytest.fixture(scope="module")
def digits():
    return load_digits()


# The layer


MAPS = np.array([[[1, 7], [2, 0]], [[5, 7], [2, 0]], [[4, 8], [1, 0]]], np.float64)[None]


def test_by_hand():
    y, cache = max_over_channels_forward(MAPS)
    assert y.tolist() == [[[[5, 8], [2, 0]]]]
    assert cache.wins.argmax(axis=1).tolist() == [[[1, 2], [0, 0]]]  # ties: the first wins
    grad_x = max_over_channels_backward(np.array([[[[10.0, 20.0], [30.0, 40.0]]]]), cache)
    assert grad_x[0].tolist() == [[[0, 0], [30, 40]], [[10, 0], [0, 0]], [[0, 20], [0, 0]]]


@given(
    shape=st.tuples(*(st.integers(1, 4) for _ in range(4))),
    values=st.integers(1, 4),
    seed=st.integers(0, 999),
    dtype=st.sampled_from([np.float32, np.float64]),
    order=st.sampled_from("CF"),
)
@settings(max_examples=120, deadline=None)
def test_loops_equal_fast(shape, values, seed, dtype, order):
    rng = np.random.default_rng(seed)
    x = rng.integers(-values, 1, shape).astype(dtype, order=order)  # few values: many ties
    y, cache = max_over_channels_forward(x)
    np.testing.assert_array_equal(y, max_over_channels_loops(x))
    assert (cache.wins.sum(axis=1) == 1).all()
    grad_y = rng.integers(-3, 4, y.shape).astype(dtype)
    grad_x = max_over_channels_backward(grad_y, cache)
    np.testing.assert_array_equal(grad_x, max_over_channels_backward_loops(grad_y, x))
    np.testing.assert_array_equal(grad_x.sum(axis=1, keepdims=True), grad_y)
    assert y.dtype == grad_x.dtype == dtype


def test_one_channel_has_nobody_to_compete_with():
    x = MAPS[:, :1]
    np.testing.assert_array_equal(MaxOverChannels().forward(x), x)


def test_what_is_not_a_number_is_not_hidden():
    x = MAPS.copy()
    x[0, 1, 0, 0] = np.nan
    assert np.isnan(max_over_channels_forward(x)[0][0, 0, 0, 0])


def test_bad_input_is_a_clear_error():
    with pytest.raises(ValueError, match=re.escape("(channels, rows, columns), got (10,)")):
        MaxOverChannels().output_shape((10,))
    with pytest.raises(ValueError, match=re.escape("got (3, 2, 2): a batch without a channel")):
        max_over_channels_forward(MAPS[0])
    with pytest.raises(ValueError, match="x is empty"):
        max_over_channels_loops(MAPS[:0])
    with pytest.raises(ValueError, match=re.escape("belongs to, (1, 1, 2, 2), got (1, 3, 2, 2)")):
        max_over_channels_backward(MAPS, max_over_channels_forward(MAPS)[1])


# The data


def test_preparation_is_what_its_origin_computes_from_bytes():
    rng = np.random.default_rng(0)
    bytes_ = rng.integers(0, 256, (6, 1, 4, 5), dtype=np.uint8)
    images = (bytes_ / 255).astype(np.float32)
    found = divide_by_variance(images)
    np.testing.assert_allclose(found, (bytes_ - bytes_.mean()) / bytes_.var(), rtol=1e-4, atol=1e-8)
    assert found.dtype == np.float32 and divide_by_variance(images.astype(float)).dtype == float
    one = divide_by_variance(images[2:3], reference=images)
    np.testing.assert_array_equal(one, found[2:3])
    for bad, error, message in (
        (np.ones((2, 1, 3, 3)), ValueError, "got variance 0.0; give reference="),
        (bytes_, TypeError, "images must be float32 or float64, got uint8"),
        (images[:0], ValueError, "images is empty"),
    ):
        with pytest.raises(error, match=message):
            divide_by_variance(bad)


def test_each_part_by_itself_or_all_by_the_training_images(digits):
    (x, labels), (test_x, test_labels) = competing_kernels_data(digits, 500)
    assert x.shape == (500, 1, 28, 28)
    np.testing.assert_array_equal(labels, digits.train.labels[:500])
    np.testing.assert_array_equal(test_labels, digits.test.labels)
    assert abs(x.mean(dtype=float)) < 1e-8
    alone = Dataset("one", digits.train, digits.test[3:4])
    np.testing.assert_array_equal(competing_kernels_data(alone, 500)[1][0], test_x[3:4])
    (same, _), (other, _) = competing_kernels_data(digits, 500, as_written=True)
    np.testing.assert_array_equal(same, x)
    assert abs(other.mean(dtype=float)) < 1e-8 < abs(test_x.mean(dtype=float))
    assert len(competing_kernels_data(digits)[0][0]) == len(digits.train)
    with pytest.raises(ValueError, match="n_train must be at least 1, got -5"):
        competing_kernels_data(digits, -5)


def test_the_initializer_fills_the_whole_range_whatever_the_fan():
    weight = uniform_unit((100, 50), 50, 100, np.random.default_rng(0))
    assert weight.min() < -0.99 and weight.max() > 0.99 and abs(weight.std() - 3**-0.5) < 0.01


# The network


def prepared(digits, count, dtype=np.float64):
    images, labels = competing_kernels_data(digits, count)[0]
    return images.astype(dtype), labels


def test_our_gradients_are_right(digits):
    network = build("competing-kernels", rng=np.random.default_rng(0))
    images, labels = prepared(digits, 3)
    report = gradient_check(
        network, images, labels, samples=40, step=1e-6, rng=np.random.default_rng(1)
    )
    assert set(report.errors) == {"input", *network.params}
    assert report.max_error < 1e-6, report


def test_it_learns(digits):
    rng = np.random.default_rng(0)
    network = build("competing-kernels", rng=rng)
    train, test = competing_kernels_data(digits)
    fit(network, train, epochs=8, batch_size=10, optimizer=Adam(0.005), rng=rng, progress=False)
    assert evaluate(network, test).accuracy > 0.85


# As written


def transcribed_steps(images, labels, kernels, w01, w12, steps):
    """Train a few steps by the origin's formulas, one by one, each matrix written out."""
    kernels, w01, w12 = kernels.copy(), w01.copy(), w12.copy()
    errors = []

    def soft(v):
        return np.exp(v) / np.sum(np.exp(v))

    for n in range(steps):
        frames = np.zeros((64, 441))
        for i in range(21):
            for j in range(21):
                frames[:, 21 * i + j] = images[n, 0, i : i + 8, j : j + 8].ravel()
        pre = np.array([kernel @ frames for kernel in kernels])
        which = np.argmax(pre, axis=0)
        a0 = np.tanh(np.max(pre, axis=0)).reshape(1, 441)
        a1 = np.tanh(a0 @ w01)
        a2 = soft(a1 @ w12)
        delta = a2 - np.eye(10)[labels[n]]
        d2 = np.diag((soft(a2) * (1 - soft(a2))).ravel())
        d1 = np.diag((1 - np.tanh(a1) ** 2).ravel())
        d0 = np.diag((1 - np.tanh(a0) ** 2).ravel())
        g12 = np.outer(a1, delta @ d2)
        g01 = np.outer(a0, delta @ d2 @ w12.T @ d1)
        w12 -= 0.01 * g12
        w01 -= 0.01 * g01
        gradient = np.zeros_like(kernels)
        for k in range(9):
            masked = frames * (which == k)
            gradient[k] = delta @ (d2 @ (w12.T @ (d1 @ (w01.T @ (d0 @ masked.T)))))
        kernels -= 0.01 * gradient
        errors.append(np.sum(delta**2))
    return errors, kernels, w01, w12


def test_as_written_is_what_the_formulas_say(digits):
    images, labels = prepared(digits, 5)
    network = AsWritten(rng=np.random.default_rng(3))
    start = network.kernels.copy(), network.weights_01.copy(), network.weights_12.copy()
    errors, *weights = transcribed_steps(images, labels, *start, steps=5)
    assert network.train_pass(images, labels) == pytest.approx(np.mean(errors), rel=1e-12)
    found = network.kernels, network.weights_01, network.weights_12
    for before, expected, after in zip(start, weights, found, strict=True):
        # What the steps changed, not only the weights, which they change little.
        change = expected - before
        assert np.abs(change).max() > 1e-6
        np.testing.assert_allclose(after - before, change, rtol=1e-8, atol=1e-14)


@pytest.mark.parametrize("tanh", [False, True])
def test_as_written_tests_without_the_tanh_and_by_rounding(digits, tanh):
    images, labels = prepared(digits, 400)
    network = AsWritten(rng=np.random.default_rng(0))
    for _ in range(2):
        network.train_pass(images, labels)
    kernels, one_hot = network.kernels.reshape(9, 1, 8, 8), np.eye(10)[labels]
    layer_0 = conv2d_loops(images[:8], kernels).max(axis=1).reshape(8, 441)
    layer_0 = np.tanh(layer_0) if tanh else layer_0
    y = np.exp(np.tanh(layer_0 @ network.weights_01) @ network.weights_12)
    y /= y.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(network.probabilities(images, tanh=tanh)[:8], y, rtol=1e-9)

    score = network.score(images[:8], labels[:8], tanh=tanh)
    rounded = [all(np.round(y[n]) == one_hot[n]) for n in range(8)]
    assert score.right_rounded == pytest.approx(np.mean(rounded))
    assert score.right == pytest.approx(np.mean(np.argmax(y, axis=1) == labels[:8]))
    assert score.error == pytest.approx(np.sum((y - one_hot[:8]) ** 2) / 8)
    everything = network.score(images, labels, tanh=tanh)
    assert everything.right_rounded < everything.right  # some are right with less than one half


def test_as_written_stops_by_its_own_rule(monkeypatch):
    network = AsWritten(rng=np.random.default_rng(0))
    log = []

    def stop_after(*errors):
        passes = iter(errors)
        monkeypatch.setattr(network, "train_pass", lambda images, labels: next(passes))
        return network.train(None, None, log=lambda number, error: log.append((number, error)))

    assert stop_after(0.5, 0.2, 0.09, 0.01) == ([0.5, 0.2, 0.09], True)
    assert log == [(0, 0.5), (1, 0.2), (2, 0.09)]
    assert stop_after(0.5, 0.1) == ([0.5, 0.1], True)
    assert stop_after(*[0.5] * 60) == ([0.5] * 50, False)
    assert stop_after(*[0.5] * 49, 0.05)[1] is False  # there, but in the last pass


# What the gradient check finds


class TanhTwice(Tanh):
    """Tanh with the slope that the origin uses: of the output, not of the input."""

    def slope(self, y):
        return 1 - np.tanh(y) ** 2


class SoftmaxTwice(Softmax):
    """Softmax with the origin's slope: the diagonal alone, of the output."""

    def differentiate(self, grad_y, cache, *, input_gradient=True):
        again = Softmax().forward(cache)
        return grad_y * again * (1 - again), {}


def with_slopes(tanh, softmax, seed):
    """Build the network in float64, down to its probabilities, with these activations."""
    *layers, last = build("competing-kernels", rng=np.random.default_rng(seed))
    layers = [tanh() if isinstance(layer, Tanh) else layer for layer in (*layers, last)]
    for layer in layers:
        layer.params = {name: array.astype(float) for name, array in layer.params.items()}
    return Sequential([*layers, softmax()], input_shape=(1, 28, 28))


def half_squared_error(outputs, labels):
    """Half the squared error: its derivative is the difference, as the origin has it."""
    value, grad = squared_error(outputs, labels)
    return value / 2, grad / 2


def gradient_as_written(network, image, label):
    """Return what the origin would subtract, over the learning rate, for a network's weights."""
    written = AsWritten(rng=np.random.default_rng(0))
    written.kernels = network["conv1"].params["weight"].reshape(9, 64).copy()
    written.weights_01 = network["dense1"].params["weight"].T.copy()
    written.weights_12 = network["dense2"].params["weight"].T.copy()
    before = [a.copy() for a in (written.kernels, written.weights_01, written.weights_12)]
    written.train_image(all_patches(image[None]).reshape(64, 441), np.eye(10)[label])
    after = written.kernels, written.weights_01, written.weights_12
    kernels, w01, w12 = ((b - a) / LEARNING_RATE for a, b in zip(after, before, strict=True))
    return {
        "conv1.weight": kernels.reshape(9, 1, 8, 8),
        "dense1.weight": w01.T,
        "dense2.weight": w12.T,
    }


def gradients(network, image, label):
    network.backward(half_squared_error(network.forward(image[None]), np.array([label]))[1])
    return network.grads


def total(gradients):
    return {name: sum(each[name] for each in gradients) for name in gradients[0]}


def cosine(a, b):
    a, b = (np.concatenate([grads[name].ravel() for name in sorted(grads)]) for grads in (a, b))
    return float(a @ b / (np.linalg.norm(a) * np.linalg.norm(b)))


def test_the_gradient_check_tells_ours_from_the_one_as_written(digits):
    images, labels = prepared(digits, 2)
    check = {"loss": half_squared_error, "samples": 30, "rng": np.random.default_rng(0)}
    right = gradient_check(with_slopes(Tanh, Softmax, 0), images, labels, **check)
    wrong = gradient_check(with_slopes(TanhTwice, SoftmaxTwice, 0), images, labels, **check)
    assert right.max_error < 1e-6
    assert all(wrong.errors[name] > 0.3 for name in wrong.errors), wrong


@pytest.mark.parametrize("seed", range(3))
def test_the_gradient_as_written_points_elsewhere(digits, seed):
    """Compare it, at the start, with the true gradient of the loss that it is meant for."""
    images, labels = prepared(digits, 20)
    true, twice = with_slopes(Tanh, Softmax, seed), with_slopes(TanhTwice, SoftmaxTwice, seed)
    ours, written = [], []
    for image, label in zip(images, labels, strict=True):
        ours.append(gradients(true, image, label))
        written.append(gradient_as_written(true, image, label))
        # The slopes alone explain the dense layers; the kernels see the dense layers' new weights.
        same = gradients(twice, image, label)
        for name in ("dense1.weight", "dense2.weight"):
            np.testing.assert_allclose(written[-1][name], same[name], rtol=1e-8, atol=1e-12)
        assert not np.allclose(written[-1]["conv1.weight"], same["conv1.weight"], rtol=1e-8)
    each = [cosine(a, b) for a, b in zip(ours, written, strict=True)]
    assert max(each) < 0.99 and 0.5 < np.mean(each) < 0.8  # downhill, but far from straight
    assert 0.5 < cosine(total(ours), total(written)) < 0.9
