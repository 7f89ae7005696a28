"""The exercises of lesson 4: what is measured, what is minimized, and how a step is taken."""

import itertools

import numpy as np

from cnnedu.checks.answers import as_numbers
from cnnedu.checks.framework import WrongAnswer, exercise
from cnnedu.checks.sliding import floats, small_integers


def _logits_and_labels(rng):
    images, classes = rng.integers(3, 7), rng.integers(3, 5)
    return rng.permuted(
        np.tile(np.linspace(-2, 3, classes).round(1), (images, 1)), axis=1
    ), rng.integers(0, classes, images)


@exercise(
    lesson=4,
    cases=[
        # logits, labels
        (floats([[1, 5, 2], [7, 3, 4]]), np.array([1, 2])),
        (floats([[0, 2], [3, 1], [-1, -2]]), np.array([1, 0, 0])),
        (floats([[1, 5, 2], [0, 1, 4], [9, 3, 4], [0, 0.4, 0.3]]), np.array([1, 2, 1, 1])),
        (floats([[-3, -1, -2]]), np.array([0])),
    ],
    random_case=_logits_and_labels,
    right="what everybody wants to know, though no gradient can be had of it: that is what the "
    "loss is for.",
    hint="the network's choice is the class with the largest logit of its row: argmax along "
    "axis=1. How often does it equal the label?",
)
def accuracy(logits, labels):
    """Return the share (0 to 1) of images whose largest logit is at their label.

    The logits are (N, C), the labels (N,).
    """
    return float(np.mean(logits.argmax(axis=1) == labels))


@accuracy.mistake("you count the right ones: divide by the number of images.")
def _(logits, labels):
    return float(np.sum(logits.argmax(axis=1) == labels))


@accuracy.mistake("in percent: a share between 0 and 1 is asked for.")
def _(logits, labels):
    return 100 * float(np.mean(logits.argmax(axis=1) == labels))


@accuracy.mistake("that is the share of wrong answers: one minus the accuracy.")
def _(logits, labels):
    return float(np.mean(logits.argmax(axis=1) != labels))


@accuracy.mistake("integer division: // throws the share away, divide with /.")
def _(logits, labels):
    return np.sum(logits.argmax(axis=1) == labels) // len(labels)


@accuracy.mistake("divided by the number of classes: divide by the number of images.")
def _(logits, labels):
    return np.sum(logits.argmax(axis=1) == labels) / logits.shape[1]


@accuracy.mistake("that is the class with the smallest logit: the network's choice is the largest.")
def _(logits, labels):
    return float(np.mean(logits.argmin(axis=1) == labels))


@accuracy.mistake(
    "the logits are rounded (or cut at 0.5) instead of compared: the choice is the largest of the "
    "row, however large or small it is."
)
def _(logits, labels):
    one_hot = np.eye(logits.shape[1])[labels]
    return float(np.mean(((logits > 0.5) == one_hot).all(axis=1)))


@accuracy.mistake("you compare the largest logit itself with the label: compare its position.")
def _(logits, labels):
    return float(np.mean(logits.max(axis=1) == labels))


def _probabilities_and_labels(rng):
    images, classes = rng.integers(2, 5), rng.integers(2, 5)
    parts = rng.integers(1, 9, (images, classes)).astype(float)
    return parts / parts.sum(axis=1, keepdims=True), rng.integers(0, classes, images)


@exercise(
    lesson=4,
    cases=[
        # probabilities, labels
        (floats([[0.5, 0.25, 0.25]]), np.array([1])),
        (floats([[0.5, 0.5], [0.125, 0.875]]), np.array([0, 0])),
        (floats([[0.1, 0.7, 0.2], [0.6, 0.3, 0.1]]), np.array([2, 0])),
        (np.full((3, 10), 0.1), np.array([4, 0, 9])),
    ],
    random_case=_probabilities_and_labels,
    right="ten classes at chance cost ln 10 = 2.303: an untrained network should start near it.",
    hint="probabilities[np.arange(N), labels] picks from each row the one of its label. Only those "
    "count.",
)
def cross_entropy(probabilities, labels):
    """Return the mean over the images of -ln(probability given to the image's label).

    The probabilities are (N, C), every row sums to 1; the labels are (N,).
    """
    return float(-np.log(_given(probabilities, labels)).mean())


def _given(probabilities, labels):
    return probabilities[np.arange(len(labels)), labels]


@cross_entropy.mistake(
    "summed, not averaged, over the batch: with larger batches the loss would grow."
)
def _(probabilities, labels):
    return float(-np.log(_given(probabilities, labels)).sum())


@cross_entropy.mistake(
    "probabilities[:, labels] takes all those columns from every row: each row has one label of "
    "its own, probabilities[np.arange(N), labels]."
)
def _(probabilities, labels):
    return float(-np.log(probabilities[:, labels]).mean())


@cross_entropy.mistake(
    "averaged over classes as well: the other classes count nothing, divide by the number of "
    "images only."
)
def _(probabilities, labels):
    return float(-np.log(_given(probabilities, labels)).sum() / probabilities.size)


@cross_entropy.mistake("in bits: use the natural logarithm, np.log, instead of np.log2.")
def _(probabilities, labels):
    return float(-np.log2(_given(probabilities, labels)).mean())


@cross_entropy.mistake("with the decimal logarithm: use the natural one, np.log.")
def _(probabilities, labels):
    return float(-np.log10(_given(probabilities, labels)).mean())


@cross_entropy.mistake(
    "the minus is missing: logarithms of probabilities are negative, a loss is not."
)
def _(probabilities, labels):
    return float(np.log(_given(probabilities, labels)).mean())


@cross_entropy.mistake(
    "you take the largest probability, which is the network's own choice: take the one it gives to "
    "the label."
)
def _(probabilities, labels):
    return float(-np.log(probabilities.max(axis=1)).mean())


@cross_entropy.mistake(
    "the logarithm of the mean is not the mean of the logarithms: take the logarithm first."
)
def _(probabilities, labels):
    return float(-np.log(_given(probabilities, labels).mean()))


@cross_entropy.mistake("the logarithm is missing: -ln(p), not 1 - p.")
def _(probabilities, labels):
    return float((1 - _given(probabilities, labels)).mean())


@cross_entropy.mistake("you add up -ln(p) of all classes: only the label's probability counts.")
def _(probabilities, labels):
    return float(-np.log(probabilities).sum(axis=1).mean())


@cross_entropy.mistake(
    "that is the entropy of the network's answers, -p ln(p): the labels have not come in."
)
def _(probabilities, labels):
    return float(-(probabilities * np.log(probabilities)).sum(axis=1).mean())


@cross_entropy.mistake(
    "one loss for each image: the mean over the batch, a single number, is asked for."
)
def _(probabilities, labels):
    return -np.log(_given(probabilities, labels))


@exercise(
    lesson=4,
    cases=[
        # params, grads, learning_rate
        ({"weight": floats([1, 2])}, {"weight": floats([10, -10])}, 0.1),
        (
            {"weight": floats([4, 8]), "bias": floats([1])},
            {"weight": floats([2, 2]), "bias": floats([-4])},
            0.5,
        ),
        ({"weight": floats([3, 5])}, {"weight": floats([0, 1])}, 1.0),
    ],
    random_case=lambda rng: (
        {"weight": small_integers(rng, 3), "bias": small_integers(rng, 2)},
        {"weight": small_integers(rng, 3), "bias": small_integers(rng, 2)},
        float(rng.integers(2, 9)) / 10,
    ),
    right="downhill, against the gradient. All that Momentum and Adam add is a memory of earlier "
    "gradients.",
    hint="one line for each name: new[name] = params[name] - ... Build a new dictionary, so that "
    "the old parameters stay as they were.",
)
def sgd_step(params, grads, learning_rate):
    """Return a new dictionary of parameters, one step of gradient descent further.

    params and grads are dictionaries with the same names, of arrays with the same shapes. They
    stay as they are.
    """
    return {name: params[name] - learning_rate * grads[name] for name in params}


@sgd_step.mistake("uphill: the gradient points to where the loss grows, subtract it.")
def _(params, grads, learning_rate):
    return {name: params[name] + learning_rate * grads[name] for name in params}


@sgd_step.mistake("the learning rate is left out: the whole gradient is far too long a step.")
def _(params, grads, learning_rate):
    return {name: params[name] - grads[name] for name in params}


@sgd_step.mistake(
    "that is the step alone: subtract it from the parameters, and return what comes out."
)
def _(params, grads, learning_rate):
    return {name: learning_rate * grads[name] for name in params}


@sgd_step.mistake(
    "the learning rate multiplies the parameters too: it belongs to the gradient only."
)
def _(params, grads, learning_rate):
    return {name: learning_rate * (params[name] - grads[name]) for name in params}


@sgd_step.mistake(
    "divided by the learning rate: multiply, so that a smaller rate is a smaller step."
)
def _(params, grads, learning_rate):
    return {name: params[name] - grads[name] / learning_rate for name in params}


@sgd_step.mistake("you return the parameters unchanged.")
def _(params, grads, learning_rate):
    return dict(params)


@sgd_step.mistake("only the sign of the gradient is used: its length counts as well.")
def _(params, grads, learning_rate):
    return {name: params[name] - learning_rate * np.sign(grads[name]) for name in params}


@sgd_step.mistake(
    "the numbers are right, but the old parameters have changed too: `-=` writes into the arrays "
    "that were passed in. Write params[name] - ... into a new dictionary."
)
def _(params, grads, learning_rate):
    for name in params:
        params[name] -= learning_rate * grads[name]
    return params


@sgd_step.mistake(
    "you change the parameters in place and return nothing: leave them, and return a new "
    "dictionary."
)
def _(params, grads, learning_rate):
    for name in params:
        params[name] -= learning_rate * grads[name]


_MOST_BATCHES = 1000
_BATCH_SEED = 7


def _batches(answer):
    try:
        batches = list(itertools.islice(answer, _MOST_BATCHES))
    except TypeError as problem:
        if not hasattr(answer, "__iter__"):
            raise WrongAnswer("yield (or return a list of) arrays of indices") from None
        raise problem
    if len(batches) == _MOST_BATCHES:
        raise WrongAnswer("your function never stops yielding: one pass over the images is enough")
    arrays = [as_numbers(batch) for batch in batches]
    if any(array is None or array.ndim != 1 for array in arrays):
        raise WrongAnswer("every batch should be a one-dimensional array of indices")
    if any(array.dtype.kind != "i" and array.dtype.kind != "u" and array.size for array in arrays):
        raise WrongAnswer("indices are integers, but a batch of yours holds other numbers")
    return arrays


def _judge_batches(batches, n, batch_size, rng):
    sizes = [len(batch) for batch in batches]
    order = np.concatenate([*batches, np.empty(0, int)])
    missing = sorted(set(range(n)) - set(order.tolist()))
    full, rest = divmod(n, batch_size)
    if len(order) and (order.min() < 0 or order.max() >= n):
        worst = order[np.argmax(np.abs(order - (n - 1) / 2))]
        return f"there is no image {worst}: the indices run from 0 to {n - 1}."
    if len(set(order.tolist())) < len(order):
        return (
            "some images come more than once: draw without replacement. rng.permutation(n) has "
            "every index exactly once."
        )
    if rest and missing and sizes == [batch_size] * full:
        return (
            f"the last, smaller batch is dropped: {rest} of the {n} images never come. "
            "Yield it too."
        )
    if missing:
        return f"{len(missing)} of the {n} images never come: one pass covers every image once."
    if max(sizes) > batch_size:
        return f"a batch of {max(sizes)} images is larger than batch_size = {batch_size}."
    if sizes != [batch_size] * full + [rest] * bool(rest):
        return (
            f"the batches have the sizes {sizes}: all should have {batch_size}, only the last may "
            "be smaller."
        )
    if n >= 10:
        return _judge_shuffling(batches, order, batch_size, rng)
    return None


def _judge_shuffling(batches, order, batch_size, rng):
    if np.array_equal(order, np.arange(len(order))):
        return "the images come in their own order every time: shuffle the indices first."
    if np.array_equal(np.sort(batches[0]), np.arange(batch_size)):
        return (
            "you shuffle inside the batches only: the same images always come together. Shuffle "
            "all indices before you cut them."
        )
    if all(np.array_equal(batch, batch[0] + np.arange(len(batch))) for batch in batches):
        return (
            "you shuffle the order of the batches only: the same images always come together. "
            "Shuffle all indices before you cut them."
        )
    if rng.bit_generator.state == np.random.default_rng(_BATCH_SEED).bit_generator.state:
        return (
            "the rng you were given was not used: without it every epoch is shuffled alike, or "
            "cannot be repeated."
        )
    return None


@exercise(
    lesson=4,
    cases=[
        (n, batch_size, np.random.default_rng(_BATCH_SEED))
        for n, batch_size in [(4, 2), (5, 2), (3, 5), (12, 4), (14, 3)]
    ],
    view=_batches,
    judge=_judge_batches,
    right="every image once per epoch, in a new order each time, and the same again from the same "
    "seed.",
    hint="order = rng.permutation(n); then cut it: order[start : start + batch_size] for start in "
    "range(0, n, batch_size).",
)
def iterate_minibatches(n, batch_size, rng):
    """Yield arrays of indices that cover 0 ... n - 1 once, in random order, batch_size at a time.

    The last batch may be smaller. Randomness comes from rng, a numpy.random.Generator.
    """
    order = rng.permutation(n)
    for start in range(0, n, batch_size):
        yield order[start : start + batch_size]


@exercise(
    lesson=4,
    cases=[
        # labels, predictions, classes
        (np.array([0, 1]), np.array([1, 1]), 2),
        (np.array([0, 0, 0]), np.array([1, 1, 0]), 2),
        (np.array([0, 1, 1]), np.array([0, 0, 1]), 3),
        (np.array([2, 2, 0, 2]), np.array([0, 2, 0, 0]), 4),
    ],
    random_case=lambda rng: (rng.integers(0, 3, 12), rng.integers(0, 3, 12), 3),
    right="its diagonal is what the accuracy counts; everything beside it tells who is taken for "
    "whom.",
    hint="begin with np.zeros((classes, classes), dtype=int); every image adds one, in the row of "
    "its label and the column of its prediction.",
)
def confusion_matrix(labels, predictions, classes):
    """Return the (classes, classes) matrix that counts the images of label i predicted as j.

    Row i is the label, column j the prediction.
    """
    matrix = np.zeros((classes, classes), dtype=int)
    np.add.at(matrix, (labels, predictions), 1)
    return matrix


def _counts(labels, predictions, classes):
    return confusion_matrix.reference(labels, predictions, classes)


@confusion_matrix.mistake(
    "labels and predictions have changed places: the label is the row, the prediction the column."
)
def _(labels, predictions, classes):
    return _counts(predictions, labels, classes)


@confusion_matrix.mistake(
    "what happens more than once is counted once: matrix[labels, predictions] += 1 adds only once "
    "to a place that is named twice. Loop over the images, or use np.add.at."
)
def _(labels, predictions, classes):
    return np.minimum(_counts(labels, predictions, classes), 1)


@confusion_matrix.mistake(
    "only the right predictions are counted: the errors are what makes the matrix interesting."
)
def _(labels, predictions, classes):
    return np.diag(np.diag(_counts(labels, predictions, classes)))


@confusion_matrix.mistake("only the errors are counted: the right ones belong on the diagonal.")
def _(labels, predictions, classes):
    counts = _counts(labels, predictions, classes)
    return counts - np.diag(np.diag(counts))


@confusion_matrix.mistake(
    "the matrix is only as large as the largest class that comes up: it should have `classes` rows "
    "and columns, empty ones too."
)
def _(labels, predictions, classes):
    return _counts(labels, predictions, int(max(labels.max(), predictions.max())) + 1)


@confusion_matrix.mistake("shares of the whole batch: counts are asked for.")
def _(labels, predictions, classes):
    return _counts(labels, predictions, classes) / len(labels)


@confusion_matrix.mistake("shares of each row: counts are asked for.")
def _(labels, predictions, classes):
    counts = _counts(labels, predictions, classes)
    return counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
