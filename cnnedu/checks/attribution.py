"""The exercises of lesson 9: what a network looks at, and what a picture of it can say."""

import numpy as np

from cnnedu.checks.framework import exercise
from cnnedu.checks.sliding import floats, small_integers


def _image_and_weights(rng):
    height, width = rng.integers(3, 5, 2)
    weights = small_integers(rng, height, width) + 1
    return rng.integers(0, 4, (height, width)).astype(float), weights, int(rng.integers(1, 4))


@exercise(
    lesson=9,
    cases=[
        # image, weights, size
        (floats([[1, 2], [3, 1]]), floats([[1, 2], [1, 4]]), 1),
        (floats([[1, 2, 1], [0, 3, 1], [2, 1, 1]]), floats([[1, 0, 2], [3, 1, 1], [2, 5, 1]]), 2),
        (floats([[1, 1], [1, 2]]), floats([[1, 1], [-1, 2]]), 1),
        (floats([[2, 1], [1, 1]]), floats([[2, -1], [-1, -1]]), 1),
        (floats([[1, 2, 0, 1]]), floats([[2, 1, 9, 3]]), 1),
        (floats([[1, 2, 1], [1, 1, 2]]), floats([[1, -1, 2], [2, 1, -1]]), 2),
    ],
    random_case=_image_and_weights,
    right="cover, ask again, compare. It needs nothing from the network but its answers.",
    hint="for each place, copy the image first (image.copy()), set the square to 0, and take "
    "score(image) - score(copy).",
)
def occlusion_drop(image, weights, size):
    """Return how far the score falls under a square in each place where it fits.

    The score is max(0, sum(weights * image)). The square is size x size and sets pixels to 0; the
    answer has the shape (rows - size + 1, columns - size + 1).
    """
    return _covered(image, weights, size, lambda whole, covered: whole - covered)


def _score(weights, image):
    return max(0.0, float((weights * image).sum()))


def _covered(image, weights, size, compare, score=_score, keep=False):
    rows, columns = image.shape[0] - size + 1, image.shape[1] - size + 1
    result = np.zeros((max(rows, 0), max(columns, 0)))
    for i in range(rows):
        for j in range(columns):
            square = slice(i, i + size), slice(j, j + size)
            covered = np.zeros_like(image) if keep else image.copy()
            covered[square] = image[square] if keep else 0
            result[i, j] = compare(score(weights, image), score(weights, covered))
    return result


@occlusion_drop.mistake(
    "that is the score that is left, not how far it falls: take it from the score of the whole "
    "image."
)
def _(image, weights, size):
    return _covered(image, weights, size, lambda whole, covered: covered)


@occlusion_drop.mistake(
    "the score rises where it should fall: score(image) - score(covered), positive where the "
    "square covers what speaks for the class."
)
def _(image, weights, size):
    return _covered(image, weights, size, lambda whole, covered: covered - whole)


@occlusion_drop.mistake(
    "the score is never below 0: max(0, sum(weights * image)), for the whole image and the covered "
    "one."
)
def _(image, weights, size):
    score = lambda weights, image: float((weights * image).sum())  # noqa: E731
    return _covered(image, weights, size, lambda whole, covered: whole - covered, score)


@occlusion_drop.mistake(
    "the squares stay where they were: each place needs a fresh copy of the image, or the second "
    "square comes on top of the first."
)
def _(image, weights, size):
    rows, columns = image.shape[0] - size + 1, image.shape[1] - size + 1
    result, covered = np.zeros((max(rows, 0), max(columns, 0))), image.copy()
    for i in range(rows):
        for j in range(columns):
            covered[i : i + size, j : j + size] = 0
            result[i, j] = _score(weights, image) - _score(weights, covered)
    return result


@occlusion_drop.mistake(
    "you cover everything but the square: the rest of the image stays, the square becomes 0."
)
def _(image, weights, size):
    return _covered(image, weights, size, lambda whole, covered: whole - covered, keep=True)


@occlusion_drop.mistake(
    "the last places are missing: along the rows there are rows - size + 1 of them, so a square of "
    "2 fits into three pixels twice."
)
def _(image, weights, size):
    return occlusion_drop.reference(image, weights, size)[:-1, :-1]


@occlusion_drop.mistake("you cover the weights with ones: it is the image that gets a square of 0.")
def _(image, weights, size):
    rows, columns = image.shape[0] - size + 1, image.shape[1] - size + 1
    result = np.zeros((max(rows, 0), max(columns, 0)))
    for i in range(rows):
        for j in range(columns):
            changed = weights.copy()
            changed[i : i + size, j : j + size] = 1
            result[i, j] = _score(weights, image) - _score(changed, image)
    return result


def _maps_and_gradients(rng):
    shape = rng.integers(2, 4), rng.integers(2, 4), rng.integers(2, 4)
    return np.abs(small_integers(rng, *shape)), small_integers(rng, *shape)


@exercise(
    lesson=9,
    cases=[
        # maps, gradients: (channels, rows, columns)
        (floats([[[1, 2], [3, 0]]]), floats([[[4, 0], [4, 0]]])),
        (
            floats([[[1, 0], [2, 1]], [[0, 3], [1, 1]]]),
            floats([[[2, 2], [2, 2]], [[-1, -3], [-2, -2]]]),
        ),
        (
            floats([[[5, 0], [0, 1]], [[1, 1], [4, 2]], [[0, 2], [2, 0]]]),
            floats([[[1, 3], [0, 0]], [[-2, 0], [0, -2]], [[4, 0], [0, 0]]]),
        ),
        (floats([[[5, 5], [1, 2]]]), floats([[[3, -3], [1, -1]]])),
    ],
    random_case=_maps_and_gradients,
    right="two lines, and a heat map: maps weighed by how much the score depends on each. What the "
    "mean throws away you have seen in section 6.",
    hint="alpha = gradients.mean(axis=(1, 2)) has one number per map; alpha[:, None, None] * maps "
    "weighs them.",
)
def class_activation(maps, gradients):
    """Return the Grad-CAM heat map (rows, columns) of a layer's maps and their gradients.

    Both are (channels, rows, columns). Each map's weight is the mean of its gradient; negative
    values of the weighted sum become 0.
    """
    return np.maximum(_weighted(maps, gradients.mean(axis=(1, 2))), 0)


def _weighted(maps, alpha):
    return (alpha[:, None, None] * maps).sum(axis=0)


@class_activation.mistake("right, but what speaks against the class is still there: max(0, ...).")
def _(maps, gradients):
    return _weighted(maps, gradients.mean(axis=(1, 2)))


@class_activation.mistake(
    "the weight of a map is the mean of its gradient, not the sum: your values are too large by "
    "the number of places."
)
def _(maps, gradients):
    return np.maximum(_weighted(maps, gradients.sum(axis=(1, 2))), 0)


@class_activation.mistake(
    "you weigh each place by its own gradient. That is a method of its own (section 6), but "
    "Grad-CAM takes one weight per map, the mean."
)
def _(maps, gradients):
    return np.maximum((gradients * maps).sum(axis=0), 0)


@class_activation.mistake(
    "the negative values go too early: first add all weighted maps up, then max(0, ...)."
)
def _(maps, gradients):
    alpha = gradients.mean(axis=(1, 2))[:, None, None]
    return np.maximum(alpha * maps, 0).sum(axis=0)


@class_activation.mistake("the maps are to be added up over the channels, not averaged.")
def _(maps, gradients):
    return np.maximum(_weighted(maps, gradients.mean(axis=(1, 2))), 0) / len(maps)


@class_activation.mistake(
    "the negative gradients are gone before the mean is taken: only the finished sum is cut at 0."
)
def _(maps, gradients):
    return np.maximum(_weighted(maps, np.maximum(gradients, 0).mean(axis=(1, 2))), 0)


@class_activation.mistake(
    "maps and gradients have changed places: the gradients' means are the weights."
)
def _(maps, gradients):
    return np.maximum(_weighted(gradients, maps.mean(axis=(1, 2))), 0)


@class_activation.mistake(
    "magnitudes instead of max(0, ...): what speaks against the class would look like evidence."
)
def _(maps, gradients):
    return np.abs(_weighted(maps, gradients.mean(axis=(1, 2))))


@exercise(
    lesson=9,
    cases=[
        # image, gradient of the loss, size
        (floats([[0.5, 0.5], [0.5, 0.5]]), floats([[2, -1], [0, 3]]), 0.25),
        (floats([[0, 1], [0.5, 0.5]]), floats([[-3, 2], [1, -4]]), 0.25),
        (floats([[0.75, 0.25, 1, 0]]), floats([[5, -5, 5, -5]]), 0.5),
    ],
    random_case=lambda rng: (
        rng.integers(0, 5, (2, 3)) / 4,
        small_integers(rng, 2, 3),
        float(rng.choice([0.25, 0.5])),
    ),
    right="with so little a network can be led astray. The direction does it, not the size.",
    hint="np.sign(gradient) is -1, 0 or 1 at each pixel; np.clip keeps the result in [0, 1].",
)
def sign_step(image, gradient, size):
    """Return the image after a step of that size that makes the loss rise, kept within [0, 1].

    Every pixel moves by size, up or down as the sign of its gradient says, or stays where the
    gradient is 0.
    """
    return np.clip(image + size * np.sign(gradient), 0, 1)


@sign_step.mistake("right, but pixels leave the range: np.clip(..., 0, 1).")
def _(image, gradient, size):
    return image + size * np.sign(gradient)


@sign_step.mistake(
    "you step downhill: the loss is to rise here, so the step goes along the gradient, not against "
    "it as in training."
)
def _(image, gradient, size):
    return np.clip(image - size * np.sign(gradient), 0, 1)


@sign_step.mistake(
    "you step by the gradient itself: every pixel is to move equally far, by size times the sign."
)
def _(image, gradient, size):
    return np.clip(image + size * gradient, 0, 1)


@sign_step.mistake(
    "the step is divided by the largest gradient: only that pixel moves by size. Take the sign."
)
def _(image, gradient, size):
    return np.clip(image + size * gradient / max(np.abs(gradient).max(), 1e-12), 0, 1)


@sign_step.mistake("that is the step alone: add it to the image.")
def _(image, gradient, size):
    return size * np.sign(gradient)


@sign_step.mistake(
    "where the gradient is 0 the pixel should stay: np.sign gives 0 there, a comparison does not."
)
def _(image, gradient, size):
    return np.clip(image + np.where(gradient > 0, size, -size), 0, 1)


@sign_step.mistake("only the upper end is cut: pixels below 0 must become 0, too.")
def _(image, gradient, size):
    return np.minimum(image + size * np.sign(gradient), 1)


@sign_step.mistake("only the lower end is cut: pixels above 1 must become 1, too.")
def _(image, gradient, size):
    return np.maximum(image + size * np.sign(gradient), 0)


def _points_and_labels(rng):
    # All distances between these differ: 2**k apart, in an order of their own.
    count = int(rng.integers(4, 7))
    places = rng.permutation(2.0 ** np.arange(count))
    return np.column_stack([places, 0.25 * places]), rng.integers(0, 2, count)


@exercise(
    lesson=9,
    cases=[
        # points (N, 2), labels (N,)
        (floats([[0, 0], [1, 0], [5, 0], [7, 0]]), np.array([3, 3, 8, 8])),
        (floats([[0, 0], [1, 0], [5, 0], [7, 0]]), np.array([3, 8, 3, 8])),
        (floats([[0, 0], [0, 2], [0, 5], [1, 9]]), np.array([1, 2, 2, 5])),
        # Nearest by steps along the axes is not nearest in a straight line.
        (floats([[0, 0], [3, 3], [0, 5], [9, 9], [20, 0]]), np.array([1, 1, 2, 1, 2])),
        # The same direction from the origin is not the same place.
        (floats([[1, 1], [9, 8], [2, 1], [10, 10]]), np.array([0, 1, 0, 1])),
    ],
    random_case=_points_and_labels,
    right="a picture of points as one number, which a random network can be asked for, too.",
    hint="all distances at once: np.linalg.norm(points[:, None] - points, axis=2). Set the "
    "diagonal to np.inf, then argmin(axis=1).",
)
def neighbor_share(points, labels):
    """Return the share of points whose nearest other point has the same label.

    The points are (N, 2), the labels (N,); distances are in a straight line.
    """
    return _share(_distances(points), labels)


def _distances(points):
    return np.linalg.norm(points[:, None] - points, axis=2)


def _share(distances, labels, self_counts=False, farthest=False):
    distances = distances.astype(float)
    if not self_counts:
        np.fill_diagonal(distances, -np.inf if farthest else np.inf)
    nearest = distances.argmax(axis=1) if farthest else distances.argmin(axis=1)
    return float((labels[nearest] == labels).mean())


@neighbor_share.mistake(
    "every point is its own nearest: leave it out, for example by setting the diagonal of the "
    "distances to np.inf."
)
def _(points, labels):
    return _share(_distances(points), labels, self_counts=True)


@neighbor_share.mistake("that is a number of points: divide by how many there are.")
def _(points, labels):
    return _share(_distances(points), labels) * len(labels)


@neighbor_share.mistake("you found the farthest point: the nearest has the smallest distance.")
def _(points, labels):
    return _share(_distances(points), labels, farthest=True)


@neighbor_share.mistake(
    "you count the neighbors with another label: those with the same one are asked for."
)
def _(points, labels):
    return 1 - _share(_distances(points), labels)


@neighbor_share.mistake(
    "those are steps along the axes: the distance is the square root of the summed squares."
)
def _(points, labels):
    return _share(np.abs(points[:, None] - points).sum(axis=2), labels)


@neighbor_share.mistake(
    "you compare each point with the one after it in the list: look for the nearest in the plane."
)
def _(points, labels):
    return float((np.roll(labels, -1) == labels).mean())


@neighbor_share.mistake("only the first coordinate counts in your distances.")
def _(points, labels):
    return _share(np.abs(points[:, None, 0] - points[:, 0]), labels)


@neighbor_share.mistake("only the second coordinate counts in your distances.")
def _(points, labels):
    return _share(np.abs(points[:, None, 1] - points[:, 1]), labels)
