"""The hidden motifs: what is hidden where, and that the best answer is the best answer."""

import numpy as np
import pytest
from scipy import signal, special

from cnnedu import fit
from cnnedu.data import (
    closest_kernels,
    hidden_motifs,
    make_motifs,
    match_kernels,
    matched_filter,
    optimal_scores,
)
from cnnedu.layers import Conv2D, Dense, Flatten, MaxPool2D
from cnnedu.network import Sequential
from cnnedu.optimizers import SGD


@pytest.mark.parametrize("length", [12, 13, 24, 240])
def test_motifs(length):
    motifs = make_motifs(length)
    assert motifs.shape == (4, length)
    np.testing.assert_allclose(motifs.mean(axis=1), 0, atol=1e-12)
    np.testing.assert_allclose((motifs**2).sum(axis=1), 1)
    np.testing.assert_allclose(motifs[0, ::-1], motifs[1], atol=1e-12)
    alike = np.abs(motifs @ motifs.T) - np.eye(4)
    assert alike.max() < 0.65


def test_frequencies_are_what_the_text_says():
    motifs = make_motifs(240)
    crossings = [np.flatnonzero(np.diff(np.sign(each))) for each in motifs]
    assert np.diff(crossings[0])[3] > np.diff(crossings[0])[-4]  # up: closer and closer
    assert np.diff(crossings[1])[3] < np.diff(crossings[1])[-4]
    spectrum = np.abs(np.fft.rfft(motifs[3]))
    assert np.fft.rfftfreq(240)[spectrum.argmax()] == pytest.approx(0.08, abs=0.005)
    half = np.abs(np.fft.rfft(motifs[0, :120] * np.hanning(120)))
    assert np.fft.rfftfreq(120)[half.argmax()] < 0.25


def test_what_is_hidden_where():
    with_motif = hidden_motifs(40, 20, strength=3.0, rng=np.random.default_rng(0))
    without = hidden_motifs(40, 20, strength=0.0, rng=np.random.default_rng(0))
    for one, other in ((with_motif.train, without.train), (with_motif.test, without.test)):
        assert one.images.shape[1:] == (1, 1, 128)
        assert one.images.dtype == np.float32
        assert np.bincount(one.labels).tolist() == [len(one) // 4] * 4
        difference = (one.images - other.images)[:, 0, 0]
        for row, label, position in zip(difference, one.labels, one.positions, strict=True):
            expected = np.zeros(128)
            expected[position : position + 24] = 3 * with_motif.motifs[label]
            np.testing.assert_allclose(row, expected, atol=1e-5)
    images, labels = with_motif.train
    assert len(images) == len(labels) == len(with_motif.train) == 40


def test_noise_has_standard_deviation_one_and_places_are_uniform(rng):
    task = hidden_motifs(2000, 4, length=40, motif_length=12, strength=0, rng=rng)
    assert task.train.images.std() == pytest.approx(1, abs=0.01)
    counts = np.bincount(task.train.positions, minlength=29)
    assert len(counts) == 29
    assert counts.min() > 30


def test_the_same_seed_gives_the_same_task():
    one, two = (hidden_motifs(8, 8, rng=np.random.default_rng(5)) for _ in range(2))
    np.testing.assert_array_equal(one.test.images, two.test.images)
    assert repr(one) == (
        "HiddenMotifs(8 signals of 128 steps to train, 8 to test; motifs of 24 steps, strength 5)"
    )


def test_matched_filter_is_a_correlation(rng):
    task = hidden_motifs(4, 4, rng=rng)
    responses = matched_filter(task.test.images, task.motifs)
    for n in range(4):
        for m in range(4):
            expected = signal.correlate(task.test.images[n, 0, 0], task.motifs[m], "valid")
            np.testing.assert_allclose(responses[n, m], expected, atol=1e-6)


def test_the_matched_filter_is_a_network(rng):
    """A convolution layer with the motifs as kernels, and pooling over all places."""
    task = hidden_motifs(4, 50, rng=rng)
    conv, dense = Conv2D(1, 4, (1, 24), rng=rng), Dense(4, 4, rng=rng)
    conv.params["weight"][:, 0, 0] = task.motifs
    dense.params["weight"][...] = np.eye(4)
    network = Sequential([conv, MaxPool2D((1, 105)), Flatten(), dense])
    best = matched_filter(task.test.images, task.motifs).max(axis=2)
    np.testing.assert_allclose(network.forward(task.test.images), best, atol=1e-5)


def test_without_noise_the_place_and_the_motif_are_found(rng):
    task = hidden_motifs(4, 40, strength=1000.0, rng=rng)
    responses = matched_filter(task.test.images, task.motifs)
    found = responses.reshape(40, -1).argmax(axis=1)
    np.testing.assert_array_equal(found // 105, task.test.labels)
    np.testing.assert_array_equal(found % 105, task.test.positions)


def test_optimal_scores_are_the_log_likelihoods(rng):
    """Against the densities of the noise, added up over all places."""
    task = hidden_motifs(4, 6, length=30, motif_length=12, strength=2.0, rng=rng)
    scores = optimal_scores(task.test.images, task.motifs, 2.0)
    expected = np.empty((6, 4))
    for n, row in enumerate(task.test.images[:, 0, 0].astype(float)):
        for m, motif in enumerate(task.motifs):
            logs = []
            for place in range(19):
                clean = np.zeros(30)
                clean[place : place + 12] = 2 * motif
                logs.append(-0.5 * np.sum((row - clean) ** 2) + 0.5 * np.sum(row**2))
            expected[n, m] = special.logsumexp(logs) - np.log(19)
    np.testing.assert_allclose(scores - 2.0**2 / 2, expected, atol=1e-5)


def test_nothing_is_right_more_often_than_the_optimal_scores(rng):
    task = hidden_motifs(4, 4000, strength=4.0, rng=rng)
    right = {}
    for name, strength in {"optimal": 4.0, "too bold": 400.0, "too timid": 0.1}.items():
        scores = optimal_scores(task.test.images, task.motifs, strength)
        right[name] = np.mean(scores.argmax(axis=1) == task.test.labels)
    best = matched_filter(task.test.images, task.motifs).max(axis=2)
    right["matched filter"] = np.mean(best.argmax(axis=1) == task.test.labels)
    assert right["optimal"] > 0.85
    assert right["optimal"] >= max(right.values()) - 0.005
    assert right["too timid"] < right["optimal"] - 0.1
    assert right["too bold"] == right["matched filter"]


def test_scores_neither_overflow_nor_vanish(rng):
    task = hidden_motifs(4, 4, strength=500.0, rng=rng)
    assert np.isfinite(optimal_scores(task.test.images, task.motifs, 500.0)).all()
    assert np.abs(optimal_scores(task.test.images, task.motifs, 0.0)).max() < 1e-12


def test_kernels_are_compared_wherever_the_motif_sits(rng):
    motifs = make_motifs(24)
    kernels = np.zeros((3, 1, 1, 30))
    kernels[0, 0, 0, 2:26] = -7 * motifs[2]
    kernels[1, 0, 0, 6:] = motifs[0]
    likeness, shifts = match_kernels(kernels, motifs)
    assert likeness.shape == shifts.shape == (3, 4)
    assert likeness[0, 2] == pytest.approx(-1)
    assert shifts[0, 2] == 2
    assert likeness[1, 0] == pytest.approx(1)
    assert shifts[1, 0] == 6
    assert (likeness[2] == 0).all()
    cut = motifs[:, 5:]  # kernels that hold only a part of their motif
    likeness, shifts = match_kernels(cut, motifs)
    assert shifts[0, 0] == -5
    assert 0.9 < likeness[0, 0] <= 1
    assert np.abs(match_kernels(rng.normal(size=(50, 24)), motifs)[0]).max() < 1


def test_the_closest_kernel_is_moved_to_the_motif():
    motifs = make_motifs(24)
    kernels = np.zeros((4, 1, 1, 30))
    kernels[2, 0, 0, 4:28] = 3 * motifs[0]
    kernels[1, 0, 0, :18] = motifs[1][6:]  # six steps too early, so that its beginning is missing
    kernels[0, 0, 0, 3:27] = -2 * motifs[2]  # upside down: the opposite of the motif
    kernels[3, 0, 0, 6:] = motifs[2]
    closest = closest_kernels(kernels, motifs)
    assert closest.shape == (4, 24)
    np.testing.assert_allclose(closest[[0, 2]], motifs[[0, 2]], atol=1e-12)
    assert (closest[1, :6] == 0).all()
    np.testing.assert_allclose(
        closest[1, 6:], motifs[1, 6:] / np.linalg.norm(motifs[1, 6:]), atol=1e-12
    )
    assert (closest_kernels(np.zeros((2, 30)), motifs) == 0).all()


def test_it_can_be_trained_on(rng):
    task = hidden_motifs(20, 8, rng=rng)
    network = Sequential([Conv2D(1, 2, (1, 24), rng=rng), Flatten(), Dense(210, 4, rng=rng)])
    history = fit(
        network, task.train, epochs=1, batch_size=10, optimizer=SGD(0.01), rng=rng, progress=False
    )
    assert np.isfinite(history.loss[0])


@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        ({"n_train": 0}, ValueError, "n_train must be at least 1, got 0"),
        ({"n_test": 2.5}, TypeError, "n_test must be a whole number, got 2.5"),
        ({"length": 20}, ValueError, "at least motif_length, got 20 and 24"),
        ({"motif_length": 11}, ValueError, "length must be at least 12, got 11"),
        ({"strength": -1}, ValueError, "strength must be a number from 0 on, got -1"),
        ({"strength": np.nan}, ValueError, "strength must be a number from 0 on, got nan"),
        ({"strength": "loud"}, ValueError, "strength must be a number from 0 on, got 'loud'"),
        ({"rng": 7}, TypeError, "rng must be a generator"),
    ],
)
def test_tasks_that_make_no_sense(rng, settings, error, message):
    with pytest.raises(error, match=message):
        hidden_motifs(**{"rng": rng, **settings})


SIGNALS = np.zeros((2, 1, 1, 20), np.float32)


@pytest.mark.parametrize(
    ("images", "motifs", "error", "message"),
    [
        (np.zeros((2, 1, 5, 20), np.float32), np.ones((1, 3)), ValueError, "images of one row"),
        (SIGNALS[0], np.ones((1, 3)), ValueError, "images must have shape"),
        (SIGNALS[:, 0, 0].tolist(), np.ones((1, 3)), TypeError, "must be a NumPy array"),
        (SIGNALS, np.ones((1, 21)), ValueError, "21 steps do not fit into signals of 20 steps"),
        (SIGNALS, np.ones(3), ValueError, r"of shape \(number of motifs, steps\), got shape \(3,"),
        (SIGNALS, np.full((1, 3), np.nan), ValueError, "motifs must be finite numbers"),
    ],
)
def test_signals_that_do_not_fit(images, motifs, error, message):
    with pytest.raises(error, match=message):
        matched_filter(images, motifs)


def test_scores_want_motifs_of_length_one():
    with pytest.raises(ValueError, match=r"length 1, got 1\.73 to 1\.73; divide each by"):
        optimal_scores(SIGNALS, np.ones((1, 3)), 2.0)
    with pytest.raises(ValueError, match="kernels must be finite numbers of shape"):
        match_kernels(np.ones((2, 3, 1, 4)), np.ones((1, 4)))
