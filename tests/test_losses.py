"""Losses: by hand, by finite differences, and where numbers get extreme."""

import re

import numpy as np
import pytest

from cnnedu import softmax_cross_entropy, squared_error


def test_cross_entropy_by_hand():
    logits = np.log(np.array([[1.0, 2.0, 1.0], [1.0, 1.0, 8.0]]))
    loss, grad = softmax_cross_entropy(logits, np.array([1, 0]))
    # softmax: [1/4, 1/2, 1/4] and [1/10, 1/10, 8/10]
    assert loss == pytest.approx((np.log(2) + np.log(10)) / 2)
    np.testing.assert_allclose(
        grad, [[(1 / 4) / 2, (1 / 2 - 1) / 2, (1 / 4) / 2], [(1 / 10 - 1) / 2, 0.05, 0.4]]
    )


def test_a_blind_guess_among_ten_costs_log_ten():
    assert softmax_cross_entropy(np.zeros((3, 10)), np.array([0, 4, 9]))[0] == pytest.approx(
        np.log(10)
    )


def test_huge_logits_do_not_overflow():
    loss, grad = softmax_cross_entropy(np.array([[1e4, -1e4]]), np.array([1]))
    assert loss == 2e4 and np.isfinite(grad).all()
    loss, grad = softmax_cross_entropy(np.array([[1e4, -1e4]], np.float32), np.array([0]))
    assert loss == 0 and grad.dtype == np.float32


def test_squared_error_by_hand():
    loss, grad = squared_error(
        np.array([[1.0, 2.0], [0.0, 3.0]]), np.array([[0.0, 0.0], [0.0, 1.0]])
    )
    assert loss == (1 + 4 + 0 + 4) / 2
    assert grad.tolist() == [[2 * 1 / 2, 2 * 2 / 2], [0, 2 * 2 / 2]]
    with_labels = squared_error(np.array([[1.0, 2.0], [0.0, 3.0]]), np.array([0, 1]))
    one_hot = squared_error(np.array([[1.0, 2.0], [0.0, 3.0]]), np.eye(2)[[0, 1]])
    assert with_labels[0] == one_hot[0] == (0 + 4 + 0 + 4) / 2


@pytest.mark.parametrize("loss", [softmax_cross_entropy, squared_error])
def test_gradients_are_right(loss):
    rng = np.random.default_rng(0)
    outputs, labels = rng.normal(size=(4, 5)), np.array([0, 4, 2, 2])
    _, grad = loss(outputs, labels)
    for index in np.ndindex(outputs.shape):
        wiggle = np.zeros_like(outputs)
        wiggle[index] = 1e-6
        slope = (loss(outputs + wiggle, labels)[0] - loss(outputs - wiggle, labels)[0]) / 2e-6
        assert grad[index] == pytest.approx(slope, abs=1e-8)
    assert loss(outputs.astype(np.float32), labels)[1].dtype == np.float32


@pytest.mark.parametrize(
    ("labels", "error", "message"),
    [
        (np.array([0, 10]), ValueError, "labels must lie between 0 and 9"),
        (np.array([0, -1]), ValueError, "got -1"),
        (
            np.array([0]),
            ValueError,
            "labels must have shape (2,), one class number per image, got (1,)",
        ),
        (np.eye(10)[:2], ValueError, "one-hot rows become class numbers by labels.argmax(axis=1)"),
        (np.array([0.0, 1.0]), TypeError, "use labels.astype(np.int64)"),
        (np.array(["0", "1"]), TypeError, "labels must be whole numbers, got <U1"),
    ],
)
def test_bad_labels_are_a_clear_error(labels, error, message):
    with pytest.raises(error, match=re.escape(message)):
        softmax_cross_entropy(np.zeros((2, 10)), labels)


def test_bad_targets_are_a_clear_error():
    with pytest.raises(ValueError, match=re.escape("the outputs, (2, 10), or be one class number")):
        squared_error(np.zeros((2, 10)), np.zeros((2, 9)))
