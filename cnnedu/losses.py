"""Losses: one number that says how wrong a network is, and its gradient.

Each loss takes what the network put out and what it should have put out, and returns
``(loss, gradient)``: the mean over the batch, and its derivative with respect to the outputs.
"""

from __future__ import annotations

import numpy as np

from cnnedu.shapes import check_float, check_labels, check_vectors


def softmax_cross_entropy(logits: np.ndarray, labels: np.ndarray) -> tuple[float, np.ndarray]:
    """Say how surprised softmax(logits) is by the right answers, in nats.

    ``loss = mean over n of -log(softmax(logits[n])[labels[n]])``, and the gradient is as simple as
    a gradient can be: ``(softmax(logits) - one_hot(labels)) / N``. Ten classes guessed blindly cost
    ``log(10) = 2.303``. (In bits, as some logs print it, divide by ``log(2)``.)

    Parameters
    ----------
    logits : ndarray, shape (N, classes)
        Scores, not probabilities: softmax happens here.
    labels : ndarray of int, shape (N,)
        The right class of each image.

    Returns
    -------
    loss : float
    grad_logits : ndarray, shape (N, classes)
        In the dtype of ``logits``.

    Raises
    ------
    ValueError, TypeError
        If the shapes do not belong together, or a label is not one of the classes.

    Notes
    -----
    Computed as ``log(sum(exp(logits))) - logits[label]`` with the largest logit subtracted first,
    so that nothing overflows and no logarithm of zero is taken. Lesson 4.
    """
    check_vectors(logits, name="logits")
    count, classes = logits.shape
    labels = check_labels(labels, count)
    one_hot = labels[:, None] == np.arange(classes)
    shifted = logits - logits.max(axis=1, keepdims=True)
    shifted_right = shifted[one_hot]
    if len(shifted_right) != count:  # a label is none of the classes: say which
        check_labels(labels, count, classes)
    exponentials = np.exp(shifted, out=shifted)
    sums = exponentials.sum(axis=1, keepdims=True)
    loss = (np.log(sums[:, 0]) - shifted_right).sum() / count
    grad_logits = np.divide(exponentials, sums, out=exponentials)
    grad_logits -= one_hot
    grad_logits /= count
    return float(loss), grad_logits


def squared_error(outputs: np.ndarray, targets: np.ndarray) -> tuple[float, np.ndarray]:
    """Add up the squared differences of each image, and take the mean over the batch.

    ``loss = mean over n of sum((outputs[n] - targets[n]) ** 2)``,
    ``gradient = 2 * (outputs - targets) / N``.

    Parameters
    ----------
    outputs : ndarray, shape (N, ...)
    targets : ndarray
        Either of the shape of ``outputs``, or (N,) class numbers for outputs (N, classes): then the
        target is 1 for the right class and 0 for the others.

    Returns
    -------
    loss : float
    grad_outputs : ndarray, shape (N, ...)
        In the dtype of ``outputs``.

    Notes
    -----
    Lessons 2 and 4.
    """
    check_float(outputs, "outputs")
    targets = np.asarray(targets)
    if targets.dtype.kind in "ui" and targets.ndim == 1 and outputs.ndim == 2:
        one_hot = np.zeros_like(outputs)
        one_hot[np.arange(len(outputs)), check_labels(targets, *outputs.shape)] = 1
        targets = one_hot
    if targets.shape != outputs.shape or not outputs.size:
        raise ValueError(
            f"targets must have the shape of the outputs, {outputs.shape}, or be one class number "
            f"per image, got {targets.shape} of {targets.dtype}"
        )
    difference = outputs - targets.astype(outputs.dtype, copy=False)
    loss = np.sum(difference * difference) / len(outputs)
    return float(loss), difference * outputs.dtype.type(2 / len(outputs))
