"""Fine-tuning: a copy learns, the original does not, and no image is judged by who has seen it."""

import numpy as np
import pytest

from cnnedu import (
    SGD,
    Conv2D,
    Dense,
    Dropout,
    Flatten,
    MaxPool2D,
    Momentum,
    ReLU,
    Sequential,
    fit,
)
from cnnedu.data import load_digits, prepare_digit, synthetic_photograph
from cnnedu.fine_tuning import _PresentClasses, fine_tune, judge, leaking, leave_one_out
from cnnedu.losses import softmax_cross_entropy
from cnnedu.systems import SYSTEMS, system


@pytest.fixture(scope="session")
def network():
    """Train a small network with dropout for a moment."""
    rng = np.random.default_rng(0)
    network = Sequential(
        [
            Conv2D(1, 8, 5, rng=rng),
            ReLU(),
            MaxPool2D(2),
            Flatten(),
            Dropout(0.3, rng=rng),
            Dense(1152, 10, rng=rng),
        ],
        input_shape=(1, 28, 28),
    )
    data = load_digits().train
    optimizer = Momentum(0.02)
    fit(network, data, epochs=3, batch_size=25, optimizer=optimizer, rng=rng, progress=False)
    return network


@pytest.fixture(scope="session")
def photographs():
    """Prepare three bad photographs of each digit, by people whom the network has not seen."""
    rng, digits = np.random.default_rng(3), load_digits().test
    chosen = [np.flatnonzero(digits.labels == digit)[:3] for digit in range(10)]
    order = np.stack(chosen, axis=1).ravel()  # 0 1 2 ... 9 0 1 2 ...
    images = [
        prepare_digit(
            synthetic_photograph(digits.images[n], rng=rng, difficulty=1.2, size=160)
        ).image
        for n in order
    ]
    return np.stack(images)[:, None], digits.labels[order]


@pytest.fixture
def ten(photographs):
    images, labels = photographs
    return images[:10], labels[:10]


def fingerprint(network):
    states = [str(layer.rng.bit_generator.state) for layer in network if hasattr(layer, "rng")]
    return [array.tobytes() for array in network.params.values()], states


def test_the_given_network_is_not_touched(network, ten, rng):
    before = fingerprint(network)
    tuned = fine_tune(network, *ten, rng=rng)
    leave_one_out(network, *ten, rng=rng, steps=1)
    leaking(network, *ten)
    assert fingerprint(network) == before
    assert fingerprint(tuned)[0] != before[0]
    for layer, other in zip(network, tuned, strict=True):
        assert layer is not other
        for key, array in layer.params.items():
            assert not np.shares_memory(array, other.params[key])
    assert tuned["dropout1"].rate == network["dropout1"].rate == 0.3


def test_tuning_lowers_the_loss_and_depends_on_nothing_else(network, ten):
    tuned = fine_tune(network, *ten, rng=np.random.default_rng(20))
    logits, new = network.logits(ten[0]), tuned.logits(ten[0])
    assert softmax_cross_entropy(new, ten[1])[0] < 0.7 * softmax_cross_entropy(logits, ten[1])[0]
    network["dropout1"].draw((3, 3))  # how far the original's generator has come does not matter
    again = fine_tune(network, *ten, rng=np.random.default_rng(20))
    assert fingerprint(again)[0] == fingerprint(tuned)[0]


def test_leave_one_out_is_what_it_says(network, ten, rng):
    """Each prediction is that of a network tuned on the nine others, computed here one by one."""
    images, labels = ten
    result = leave_one_out(network, images, labels, rng=rng)
    for n in (0, 4, 9):
        others = np.arange(10) != n
        tuned = fine_tune(network, images[others], labels[others], rng=rng)
        expected = tuned.predict_proba(images[n : n + 1])[0]
        np.testing.assert_allclose(result.probabilities[n], expected, rtol=1e-5)
    assert np.array_equal(result.predictions, result.probabilities.argmax(axis=1))
    assert result.right == np.sum(result.predictions == labels)
    assert result.accuracy == result.right / 10
    assert repr(result) == f"Judgment({result.right} of 10 right)"


def test_a_label_that_is_left_out_cannot_leak(network, ten):
    """Whatever the label of the image that is judged, its prediction is the same."""
    images, labels = ten
    lied = labels.copy()
    lied[3] = 8
    honest, other = (  # the same random numbers, so that the images are added up in one order
        leave_one_out(network, images, said, rng=np.random.default_rng(0)).probabilities[3]
        for said in (labels, lied)
    )
    assert np.array_equal(honest, other)
    told = leaking(network, images, lied, times=30).predictions[3]
    assert told == 8  # but asked right after training on it, the network says what it was told


def test_leaking_is_three_steps_on_each_image_and_then_the_question(network, ten):
    images, labels = ten
    tuned = fine_tune(network, images, labels, rng=np.random.default_rng(0), learning_rate=0.0)
    expected = []
    for n in range(10):
        for _ in range(3):
            logits = tuned.forward(images[n : n + 1])
            tuned.backward(softmax_cross_entropy(logits, labels[n : n + 1])[1])
            for name, array in tuned.params.items():
                array -= np.float32(0.01) * tuned.grads[name]
        expected.append(tuned.predict_proba(images[n : n + 1])[0])
    result = leaking(network, images, labels)
    np.testing.assert_allclose(result.probabilities, expected, rtol=1e-3, atol=1e-5)


def test_leakage_looks_better_than_it_is(network, photographs):
    """On all three sets of ten: nearly perfect by leakage, whatever the honest count is."""
    honest = leaked = before = 0
    for start in (0, 10, 20):
        images, labels = (array[start : start + 10] for array in photographs)
        before += judge(network, images, labels).right
        honest += leave_one_out(network, images, labels, rng=np.random.default_rng(0)).right
        leaked += leaking(network, images, labels).right
    assert leaked >= 29 > honest
    assert leaked > before


def test_a_missing_class_is_not_unlearned(photographs, rng):
    """Nothing is learned about a class that is not there; compared with it, it would be pushed."""
    images, labels = photographs
    there, gone = labels != 4, labels == 4
    network = Sequential([Flatten(), Dense(784, 10, rng=rng)], input_shape=(1, 28, 28))
    tuned = fine_tune(network, images[there], labels[there], rng=rng, steps=60)
    weights = network["dense1"].params["weight"], tuned["dense1"].params["weight"]
    assert np.array_equal(weights[0][4], weights[1][4])
    assert not any(np.array_equal(weights[0][c], weights[1][c]) for c in set(range(10)) - {4})

    plain = fine_tune(network, images, labels, rng=rng, learning_rate=0.0)  # a copy
    data, optimizer = (images[there], labels[there]), SGD(0.01)
    fit(plain, data, epochs=60, batch_size=27, optimizer=optimizer, rng=rng, progress=False)
    share_kept, share_plain = (n.predict_proba(images[gone])[:, 4].mean() for n in (tuned, plain))
    assert share_plain < 0.7 * share_kept


def test_the_loss_among_present_classes(rng):
    labels = np.array([2, 5, 5, 7])
    loss = _PresentClasses(np.array([7, 2, 5, 5, 2]))
    logits = rng.standard_normal((4, 10))
    value, grad = loss(logits, labels)
    picked = logits[:, [2, 5, 7]]
    shares = np.exp(picked) / np.exp(picked).sum(axis=1, keepdims=True)
    assert value == pytest.approx(-np.log(shares[np.arange(4), [0, 1, 1, 2]]).mean())
    assert set(np.flatnonzero(grad.any(axis=0))) == {2, 5, 7}
    for n, c in ((0, 2), (1, 7), (3, 5), (2, 0)):
        moved = logits.copy()
        moved[n, c] += 1e-6
        assert (loss(moved, labels)[0] - value) / 1e-6 == pytest.approx(grad[n, c], abs=1e-5)
    one = _PresentClasses(np.array([4, 4]))
    assert one(logits[:2], np.array([4, 4]))[0] > 0.1  # among one class there is nothing to learn


def test_groups_instead_of_single_images(network, photographs, rng):
    images, labels = photographs
    result = leave_one_out(network, images, labels, rng=rng, folds=5)
    assert result.probabilities.shape == (30, 10)
    assert np.array_equal(result.labels, labels)
    assert result.right >= 15
    more = leave_one_out(network, images[:4], labels[:4], rng=rng, folds=20)
    fewer = leave_one_out(network, images[:4], labels[:4], rng=rng)
    assert np.array_equal(more.probabilities, fewer.probabilities)


def test_augment_is_used(network, ten, rng):
    seen = []

    def shift(images, rng):
        seen.append(len(images))
        return np.roll(images, rng.integers(-1, 2), axis=3)

    fine_tune(network, *ten, rng=rng, steps=4, augment=shift)
    leave_one_out(network, *ten, rng=rng, steps=1, augment=shift)
    assert seen == [10] * 4 + [9] * 10


@pytest.mark.parametrize("as_written", [False, True])
@pytest.mark.parametrize("name", SYSTEMS)
def test_every_system_can_be_tuned(name, as_written, ten, rng):
    network = system(name, as_written).network(rng=rng)
    tuned = fine_tune(network, *ten, rng=rng, steps=2)
    assert tuned.dtype == network.dtype and tuned.parameter_count == network.parameter_count
    assert not np.array_equal(tuned.logits(ten[0]), network.logits(ten[0]))


def test_what_cannot_be_tuned(network, ten, rng):
    images, labels = ten
    with pytest.raises(ValueError, match="at least 2 images"):
        leave_one_out(network, images[:1], labels[:1], rng=rng)
    with pytest.raises(ValueError, match="folds must be at least 2"):
        leave_one_out(network, images, labels, rng=rng, folds=1)
    with pytest.raises(ValueError, match="labels must lie between 0 and 9"):
        fine_tune(network, images, labels + 1, rng=rng)
    with pytest.raises(ValueError, match="one class number per image"):
        leaking(network, images, labels[:3])
    with pytest.raises(ValueError, match="at least one image"):
        fine_tune(network, images[:0], labels[:0], rng=rng)
    with pytest.raises(TypeError, match="rng must be a generator"):
        fine_tune(network, images, labels, rng=3)
    with pytest.raises(ValueError, match="steps must be at least 1"):
        fine_tune(network, images, labels, rng=rng, steps=0)
    with pytest.raises(TypeError, match="must be a Sequential"):
        judge("lasagne", images, labels)
    with pytest.raises(FloatingPointError, match="learning rate"):
        fine_tune(network, images, labels, rng=rng, learning_rate=1e30)
