"""Fast execution: pieces, fused layers and workers change nothing but rounding and time."""

import platform
import subprocess
import sys
import threading

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from threadpoolctl import threadpool_info

from cnnedu import (
    SGD,
    AvgPool2D,
    Conv2D,
    Dense,
    Flatten,
    MaxPool2D,
    Momentum,
    ReLU,
    Sequential,
    Tanh,
    fit,
    softmax_cross_entropy,
    squared_error,
)
from cnnedu.architectures import build
from cnnedu.execution import PIECE, Workers, cut, piece_size, worker_network
from cnnedu.layers.fused import ConvBlock
from cnnedu.training import Callback
from cnnedu.workspace import Workspace


@st.composite
def networks(draw):
    """Draw a small network in which a convolution is followed by all sorts of things."""
    rng = np.random.default_rng(draw(st.integers(0, 999)))
    channels, size = draw(st.integers(1, 2)), draw(st.integers(10, 13))
    network_layers, c = [], channels
    for _ in range(draw(st.integers(1, 2))):
        kernel = draw(st.sampled_from([1, 2, 3, 5, (3, 2)]))
        options = {
            "stride": draw(st.sampled_from([1, 1, 2])),
            "padding": draw(st.sampled_from([0, 1, "same"])),
            "bias": draw(st.booleans()),
            "algorithm": "winograd" if kernel in (3, 5) and draw(st.booleans()) else "auto",
        }
        if options["algorithm"] == "winograd":
            options["stride"] = 1
        network_layers.append(Conv2D(c, 3, kernel, **options, dtype=np.float64, rng=rng))
        c = 3
        followers = [ReLU, lambda: MaxPool2D(2), lambda: MaxPool2D((1, 2)), Tanh]
        followers += [lambda: MaxPool2D(2, stride=1), lambda: AvgPool2D(2), lambda: MaxPool2D(1)]
        for make in draw(st.lists(st.sampled_from(followers), max_size=3)):
            network_layers.append(make())
    body = Sequential([*network_layers, Flatten()])
    images = rng.normal(size=(draw(st.sampled_from([1, 2, 7])), channels, size, size))
    try:
        features = body.output_shape(images.shape[1:])[0]
    except ValueError:  # pooled away
        body, features = Sequential([Flatten()]), images[0].size
    network = Sequential([*body, Dense(features, 4, dtype=np.float64, rng=rng)])
    return network, images, rng.integers(0, 4, len(images))


@given(networks(), st.integers(1, 5))
@settings(max_examples=100, deadline=None)
def test_fused_pieces_and_workers_equal_the_textbook(case, workers):
    network, images, labels = case
    logits = network.forward(images)
    loss, grad = softmax_cross_entropy(logits, labels)
    network.backward(grad)
    with Workers(network, workers) as team:
        for _ in range(2):  # the second time in memory that has been used
            found_loss, found_logits, gradients = team.gradients(
                images, labels, softmax_cross_entropy
            )
            assert found_loss == pytest.approx(loss, rel=1e-9)
            np.testing.assert_allclose(found_logits, logits, rtol=1e-8, atol=1e-10)
            assert set(gradients) == set(network.grads)
            for name, exact in network.grads.items():
                np.testing.assert_allclose(gradients[name], exact, rtol=1e-7, atol=1e-10)
        np.testing.assert_allclose(team.outputs(images), logits, rtol=1e-8, atol=1e-10)


def test_more_workers_than_images():
    rng = np.random.default_rng(0)
    network = Sequential([Flatten(), Dense(4, 3, dtype=np.float64, rng=rng)])
    images, labels = rng.random((2, 1, 2, 2)), np.array([0, 2])
    network.backward(softmax_cross_entropy(network.forward(images), labels)[1])
    with Workers(network, 4) as team:  # of which the last has nothing to do
        _, _, gradients = team.gradients(images, labels, softmax_cross_entropy)
    for name, exact in network.grads.items():
        np.testing.assert_allclose(gradients[name], exact, rtol=1e-12)


def test_ties_go_to_the_first_in_fused_layers_too():
    layers = [Conv2D(1, 2, 3, dtype=np.float64, rng=np.random.default_rng(0)), MaxPool2D(2)]
    network = Sequential([*layers, Flatten()], input_shape=(1, 8, 8))
    images = np.random.default_rng(1).integers(0, 2, (5, 1, 8, 8)).astype(np.float64)
    network["conv1"].params["weight"][...] = 1.0  # integers everywhere: exact ties
    y = network.forward(images)
    grad_y = np.random.default_rng(2).normal(size=y.shape)
    network.backward(grad_y)
    with Workers(network) as team:
        _, _, gradients = team.gradients(images, images, lambda outputs, _: (0.0, grad_y.copy()))
    np.testing.assert_allclose(gradients["conv1.weight"], network.grads["conv1.weight"])


@pytest.mark.parametrize("workers", [1, 2])
def test_outputs_of_several_pieces_are_kept_apart(workers):
    rng = np.random.default_rng(0)
    layers = [Conv2D(1, 2, 3, bias=False, rng=rng), Conv2D(2, 1, 3, bias=False, rng=rng)]
    network, images = Sequential(layers), rng.random((120, 1, 9, 9), np.float32)
    maps = network.forward(images)
    targets = rng.random(maps.shape, np.float32)
    loss, grad = squared_error(maps, targets)
    network.backward(grad)
    with Workers(network, workers) as team:
        np.testing.assert_allclose(team.outputs(images), maps, rtol=1e-4, atol=1e-5)
        found, outputs, gradients = team.gradients(images, targets, squared_error)
    assert found == pytest.approx(loss, rel=1e-5)
    np.testing.assert_allclose(outputs, maps, rtol=1e-4, atol=1e-5)
    for name, exact in network.grads.items():
        np.testing.assert_allclose(gradients[name], exact, rtol=1e-3, atol=1e-4)


def test_an_error_in_fused_layers_names_the_layer():
    network = Sequential([Conv2D(3, 2, 3, rng=np.random.default_rng(0)), ReLU()])
    with pytest.raises(ValueError, match=r"needs an input of shape \(3, rows, columns\)") as raised:
        network.logits(np.ones((2, 1, 8, 8)))
    assert raised.value.__notes__ == ["in layer conv1, Conv2D(3, 2, 3)"]


def test_what_is_put_together():
    network = build("lasagne", rng=np.random.default_rng(0))
    twin = worker_network(network)
    assert twin.names == ["conv1", "conv2", "flatten1", "dropout1", "dense1", "relu3"] + [
        "dropout2",
        "dense2",
    ]
    assert [type(layer) for layer in twin.layers[:2]] == [ConvBlock, ConvBlock]
    assert twin.params["conv2.weight"] is network.params["conv2.weight"]
    assert twin.summary().parameters == network.parameter_count
    rng = np.random.default_rng(0)
    overlapping = Sequential([Conv2D(1, 1, 2, rng=rng), MaxPool2D(2, stride=1), ReLU()])
    assert worker_network(overlapping).names == ["conv1", "pool1", "relu1"]
    all_ties = Sequential([Conv2D(1, 1, 2, rng=rng), ReLU(), MaxPool2D(2, ties="all")])
    assert worker_network(all_ties).names == ["conv1", "pool1"]


@pytest.mark.parametrize("count", [1, 2, 49, 50, 51, 99, 100, 101, 500])
@pytest.mark.parametrize("workers", [1, 2, 3])
def test_a_batch_is_cut_without_loss(count, workers):
    shares = cut(count, workers, PIECE)
    assert len(shares) == workers
    pieces = [piece for share in shares for piece in share]
    assert [i for piece in pieces for i in range(piece.start, piece.stop)] == list(range(count))
    assert all(0 < piece.stop - piece.start <= PIECE for piece in pieces)


def test_large_layers_take_small_pieces():
    rng = np.random.default_rng(0)
    network = worker_network(Sequential([Conv2D(3, 8, 3, rng=rng), Conv2D(8, 64, 5, rng=rng)]))
    assert piece_size(network, (3, 12, 12)) == PIECE
    assert piece_size(network, (3, 102, 102)) == 4_000_000 // (8 * 25 * 96 * 96)
    assert piece_size(network, (3, 1002, 1002)) == 1


def data(count=130):
    rng = np.random.default_rng(0)
    return rng.random((count, 1, 28, 28), np.float32), rng.integers(0, 10, count)


def train(workers, **options):
    rng = np.random.default_rng(1)
    network = build("lasagne", rng=rng)
    options = {"epochs": 1, "batch_size": 60, "optimizer": Momentum(0.01), **options}
    fit(network, data(), rng=rng, progress=False, workers=workers, **options)
    return network


def test_the_same_seed_and_workers_give_the_same_bits_and_others_agree():
    one, two, again, three = (train(workers) for workers in (1, 2, 2, 3))
    for name, array in one.params.items():
        np.testing.assert_array_equal(two.params[name], again.params[name])
        for other in (two, three):  # dropout too: its numbers are drawn before the batch is cut
            np.testing.assert_allclose(other.params[name], array, rtol=1e-3, atol=1e-5)


def matrix_threads():
    return [library["num_threads"] for library in threadpool_info()]


class Look(Callback):
    def __init__(self, fail=None):
        self.fail, self.threads = fail, []

    def on_batch_end(self, training):
        self.threads.append(matrix_threads())
        if self.fail:
            raise self.fail


def test_matrix_threads_are_limited_and_given_back():
    before, look = matrix_threads(), Look()
    train(2, callbacks=[look])
    assert look.threads
    assert all(count == 1 for counts in look.threads for count in counts)
    assert matrix_threads() == before


@pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError("stop")])
def test_an_interrupt_leaves_no_thread_behind_and_gives_back_what_was_limited(error):
    before, threads = matrix_threads(), threading.active_count()
    with pytest.raises(error if isinstance(error, type) else type(error)):
        train(2, callbacks=[Look(fail=error)])
    assert threading.active_count() == threads
    assert matrix_threads() == before


def test_what_goes_wrong_in_a_worker_reaches_the_caller():
    threads = threading.active_count()

    def loss(outputs, targets):
        if threading.current_thread() is not threading.main_thread():
            raise ArithmeticError("in the second worker")
        return softmax_cross_entropy(outputs, targets)

    network = build("notebook", rng=np.random.default_rng(0))
    images, labels = data()
    with (
        Workers(network, 2) as team,
        pytest.raises(ArithmeticError, match="in the second worker"),
    ):
        team.gradients(images, labels, loss)
    assert threading.active_count() == threads


def test_changing_batch_sizes_and_dtypes_share_one_workspace():
    workspace = Workspace()
    big = workspace.array("a", (4, 3), np.float32)
    assert np.shares_memory(workspace.array("a", (2, 2), np.float32), big)
    assert workspace.array("a", (2, 2), np.float64).dtype == np.float64
    assert workspace.nbytes == 4 * 8
    network = build("notebook", rng=np.random.default_rng(0))
    images, labels = data()
    with Workers(network) as team:
        for count in (50, 1, 7, 130):
            found = team.outputs(images[:count])
            np.testing.assert_allclose(found, network.forward(images[:count]), rtol=1e-4, atol=1e-5)
            team.gradients(images[:count], labels[:count], softmax_cross_entropy)


def test_a_large_batch_needs_no_more_memory_than_its_pieces():
    network = build("lasagne", rng=np.random.default_rng(0))
    images, labels = data(500)
    held = []
    for count in (50, 500):
        with Workers(network) as team:
            team.gradients(images[:count], labels[:count], softmax_cross_entropy)
            blocks = [layer for layer in team.networks[0].layers if isinstance(layer, ConvBlock)]
            held.append(sum(block.workspace.nbytes for block in blocks))
    assert held[1] == held[0] < 60e6


MANY_STEPS = """
import resource
import numpy as np
from cnnedu import SGD, fit
from cnnedu.architectures import build

def faults():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt

data = np.zeros((320, 1, 28, 28), np.float32), np.zeros(320, np.int64)
settings = dict(batch_size=32, optimizer=SGD(0.01), rng=np.random.default_rng(0), progress=False)
network = build("cnn-rs", rng=np.random.default_rng(0))
fit(network, data, epochs=1, **settings)
start = faults()
fit(network, data, epochs=1, **settings)
one = faults() - start
fit(network, data, epochs=11, **settings)
print((faults() - start - 2 * one) / 100)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="the memory management is glibc's")
def test_steps_use_memory_again_that_was_freed():
    done = subprocess.run(
        [sys.executable, "-c", MANY_STEPS], capture_output=True, text=True, check=True
    )
    assert float(done.stdout) < 20, "new pages of memory for each step"


def test_sgd_on_one_image_at_a_time():
    images, labels = data(5)
    network = build("cnn-rs", rng=np.random.default_rng(0))
    twin = build("cnn-rs", rng=np.random.default_rng(0))
    fit(
        network,
        (images, labels),
        epochs=1,
        batch_size=1,
        optimizer=SGD(0.01),
        rng=np.random.default_rng(3),
        progress=False,
    )
    for index in np.random.default_rng(3).permutation(5):
        logits = twin.forward(images[index : index + 1])
        twin.backward(softmax_cross_entropy(logits, labels[index : index + 1])[1])
        for name, array in twin.params.items():
            array -= np.float32(0.01) * twin.grads[name]
    for name, array in twin.params.items():
        np.testing.assert_allclose(network.params[name], array, rtol=1e-4, atol=1e-6)
