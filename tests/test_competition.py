"""Kernels that compete: the layer, the data they want, and what their origin computes."""

import copy
import re
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

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
from cnnedu.data import divide_by_variance, load_digits
from cnnedu.initializers import uniform_unit
from cnnedu.layers import (
    conv2d_loops,
    max_over_channels_backward,
    max_over_channels_backward_loops,
    max_over_channels_forward,
    max_over_channels_loops,
)
from cnnedu.systems import competing_kernels, system
from cnnedu.systems.competing_kernels import (
    MEAN,
    SCALE,
    all_patches,
    converged,
    probabilities,
    score_as_written,
    step_as_written,
    weights_of,
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


def test_the_initializer_fills_the_whole_range_whatever_the_fan():
    weight = uniform_unit((100, 50), 50, 100, np.random.default_rng(0))
    assert weight.min() < -0.99 and weight.max() > 0.99 and abs(weight.std() - 3**-0.5) < 0.01


# The network


def prepared(digits, count, dtype=np.float64):
    images, labels = digits.train[:count]
    return divide_by_variance(images).astype(dtype), labels


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
    train = divide_by_variance(digits.train.images), digits.train.labels
    test = divide_by_variance(digits.test.images, digits.train.images), digits.test.labels
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


@pytest.fixture
def as_written():
    """Return the untrained network and its system."""
    chosen = system("competing-kernels", as_written=True)
    return chosen, chosen.network(rng=np.random.default_rng(3))


def test_as_written_is_what_the_formulas_say(digits, as_written):
    chosen, network = as_written
    data = replace(digits, train=digits.train[:5])
    images = divide_by_variance(data.train.images.astype(float))
    kernels, dense_1, dense_2 = (array.copy() for array in weights_of(network))
    start = kernels, dense_1.T, dense_2.T
    errors, *weights = transcribed_steps(images, data.train.labels, *start, steps=5)
    _, history = chosen.train(
        data, rng=np.random.default_rng(0), network=network, epochs=1, progress=False
    )
    np.testing.assert_allclose(history.batch_loss, errors, rtol=1e-12)
    assert history.loss == [pytest.approx(np.mean(errors), rel=1e-12)]
    found = weights_of(network)
    found = found.kernels, found.dense_1.T, found.dense_2.T
    for before, expected, after in zip(start, weights, found, strict=True):
        # What the steps changed, not only the weights, which they change little.
        change = expected - before
        assert np.abs(change).max() > 1e-6
        np.testing.assert_allclose(after - before, change, rtol=1e-8, atol=1e-14)


@pytest.mark.parametrize("tanh", [False, True])
def test_as_written_tests_without_the_tanh_and_by_rounding(digits, as_written, tanh):
    chosen, network = as_written
    data, rng = replace(digits, train=digits.train[:400]), np.random.default_rng(0)
    chosen.train(data, rng=rng, network=network, epochs=2, progress=False)
    part = digits.train[:8]
    images, one_hot = divide_by_variance(part.images.astype(float)), np.eye(10)[part.labels]
    kernels, dense_1, dense_2 = weights_of(network)
    layer_0 = conv2d_loops(images, kernels.reshape(9, 1, 8, 8)).max(axis=1).reshape(8, 441)
    layer_0 = np.tanh(layer_0) if tanh else layer_0
    y = np.exp(np.tanh(layer_0 @ dense_1.T) @ dense_2.T)
    y /= y.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(probabilities(network, images, tanh=tanh), y, rtol=1e-9)

    score = score_as_written(network, part, tanh=tanh)
    rounded = [all(np.round(y[n]) == one_hot[n]) for n in range(8)]
    assert score.right_rounded == pytest.approx(np.mean(rounded))
    assert score.right == pytest.approx(np.mean(np.argmax(y, axis=1) == part.labels))
    assert score.error == pytest.approx(np.sum((y - one_hot) ** 2) / 8)
    everything = score_as_written(network, data.train, tanh=tanh)
    assert everything.right_rounded < everything.right  # some are right with less than one half
    if not tanh:
        result = chosen.evaluate(network, data.train)
        assert result == (everything.error, everything.right_rounded)


def test_the_network_reads_pixels_as_it_was_trained(digits, as_written):
    """With its tanh, and prepared by MNIST's mean and variance, it is the same network."""
    _, network = as_written
    images = digits.test.images.astype(float)
    prepared = (images - MEAN) / SCALE
    y = probabilities(network, prepared, tanh=True)
    np.testing.assert_allclose(network.predict_proba(images), y, rtol=1e-9)


def test_as_written_stops_by_its_own_rule(digits, as_written, monkeypatch):
    chosen, network = as_written
    data = replace(digits, train=digits.train[:2])

    def passes(*errors):
        """Train with steps that all have the error of their pass."""
        steps = iter([error for error in errors for _ in range(2)])
        step = lambda *arguments: (next(steps), np.zeros(10))  # noqa: E731
        monkeypatch.setattr(competing_kernels, "step_as_written", step)
        options = {"rng": np.random.default_rng(0), "network": network, "progress": False}
        return chosen.train(data, **options)[1]

    stopped = passes(0.5, 0.2, 0.09, 0.01)
    assert stopped.loss == [0.5, 0.2, 0.09] and converged(stopped)
    assert passes(0.5, 0.1).loss == [0.5, 0.1]
    failed = passes(*[0.5] * 60)
    assert len(failed.loss) == 50 and not converged(failed)


def test_as_written_says_what_it_cannot_do(digits, as_written):
    chosen, network = as_written
    options = {"rng": np.random.default_rng(0), "network": network, "progress": False}
    with pytest.raises(ValueError, match="one image at a time: batch_size must be 1, got 10"):
        chosen.train(digits, batch_size=10, **options)
    with pytest.raises(FloatingPointError, match="in pass 1, image [0-9]+: the learning rate 1e"):
        chosen.train(digits, learning_rate=1e200, **options)


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
    changed, rate = copy.deepcopy(network), 0.01
    columns = all_patches(image[None]).reshape(64, 441)
    step_as_written(weights_of(changed), columns, np.eye(10)[label], rate)
    return {name: (array - changed.params[name]) / rate for name, array in network.params.items()}


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
