"""The exercises of lesson 6: dropout, Nesterov's step, a schedule, and a shift."""

import numpy as np

from cnnedu.checks.framework import exercise
from cnnedu.checks.sliding import floats, small_integers

DRAWS = floats([0.7, 0.1, 0.4, 0.9])
"""Below one half: the second and the third; below one quarter: the second."""


def _random_dropout(rng):
    shape = tuple(int(size) for size in rng.integers(2, 4, 2))
    draws = rng.permutation(np.prod(shape)).reshape(shape) / np.prod(shape) + 0.01
    return small_integers(rng, *shape) + 5.0, 0.4, draws, bool(rng.integers(2))


@exercise(
    lesson=6,
    cases=[
        # x, rate, draws, training
        (floats([4, 6, 2, 8]), 0.5, DRAWS, True),
        (floats([3, 6, 9, 12]), 0.25, DRAWS, True),
        (floats([4, 6, 2, 8]), 0.5, DRAWS, False),
        (floats([[5, 10], [15, 20]]), 0.8, floats([[0.9, 0.5], [0.85, 0.1]]), True),
        (floats([4, 6, 2, 8]), 0.0, DRAWS, True),
    ],
    random_case=_random_dropout,
    right="in training a random part of the network, afterward all of it, and the scale fits both.",
    hint="in training, `draws >= rate` is the mask. Multiply by it, and divide by the share that "
    "is kept.",
)
def dropout(x, rate, draws, training):
    """Return x after dropout: in training the numbers whose draw lies below rate become 0.

    The others are divided by 1 - rate. When not training, x stays as it is. draws has the shape of
    x, and holds random numbers from 0 to 1.
    """
    return np.where(draws >= rate, x / (1 - rate), 0.0) if training else x.copy()


@dropout.mistake(
    "what is kept has to grow: divide by 1 - rate, or the next layer gets less in training than "
    "afterward."
)
def _(x, rate, draws, training):
    return x * (draws >= rate) if training else x.copy()


@dropout.mistake(
    "the older form: kept numbers as they are in training, and all of them times 1 - rate "
    "afterward. It is consistent, but here the scaling belongs to the training."
)
def _(x, rate, draws, training):
    return x * (draws >= rate) if training else x * (1 - rate)


@dropout.mistake(
    "you drop when not training, too: then every answer of the finished network would be drawn."
)
def _(x, rate, draws, training):
    return np.where(draws >= rate, x / (1 - rate), 0.0)


@dropout.mistake(
    "you drop the wrong ones: a draw below rate means 0, or the share that is dropped is 1 - rate."
)
def _(x, rate, draws, training):
    return np.where(draws < rate, x / (1 - rate), 0.0) if training else x.copy()


@dropout.mistake("you multiply by 1 - rate in training: divide by it.")
def _(x, rate, draws, training):
    return np.where(draws >= rate, x * (1 - rate), 0.0) if training else x.copy()


@dropout.mistake(
    "you divide by rate: the share that is kept is 1 - rate. (At one half the two are equal.)"
)
def _(x, rate, draws, training):
    with np.errstate(divide="ignore"):
        return np.where(draws >= rate, np.divide(x, rate), 0.0) if training else x.copy()


@dropout.mistake(
    "you divide by the share that was kept this time: that share is drawn, too. Divide by the "
    "expected one, 1 - rate."
)
def _(x, rate, draws, training):
    kept = draws >= rate
    return np.where(kept, x / kept.mean(), 0.0) if training else x.copy()


@dropout.mistake("scaled twice: in training and afterward. One of them is enough.")
def _(x, rate, draws, training):
    return np.where(draws >= rate, x / (1 - rate), 0.0) if training else x * (1 - rate)


@dropout.mistake("nothing is dropped: in training, set the numbers whose draw is below rate to 0.")
def _(x, rate, draws, training):
    return x.copy()


@exercise(
    lesson=6,
    cases=[
        # w, v, slope, rate, momentum
        (floats([16]), floats([0]), floats([16]), 0.5, 0.5),
        (floats([4]), floats([-8]), floats([4]), 0.5, 0.5),
        (floats([1, 2]), floats([10, -20]), floats([0, 4]), 0.25, 0.5),
    ],
    random_case=lambda rng: (
        small_integers(rng, 3),
        small_integers(rng, 3) + 6.0,
        small_integers(rng, 3) + 7.0,
        0.1,
        0.9,
    ),
    right="the velocity is what it is with plain momentum; only the step reaches one push further.",
    hint="first the new velocity, v = momentum * v - rate * slope. Then the step: momentum * v "
    "again, with the new v, and - rate * slope.",
)
def nesterov_step(w, v, slope, rate, momentum):
    """Return (w, v) after one step of Nesterov momentum.

    v becomes momentum * v - rate * slope; then momentum * v - rate * slope, with the new v, is
    added to w.
    """
    v = momentum * v - rate * slope
    return w + momentum * v - rate * slope, v


@nesterov_step.mistake(
    "that is plain momentum: Nesterov's step is momentum * v - rate * slope with the new v, not v."
)
def _(w, v, slope, rate, momentum):
    v = momentum * v - rate * slope
    return w + v, v


@nesterov_step.mistake("the two are in the wrong order: first w, then v.")
def _(w, v, slope, rate, momentum):
    v = momentum * v - rate * slope
    return v, w + momentum * v - rate * slope


@nesterov_step.mistake("uphill: the slope is subtracted, in the velocity and in the step.")
def _(w, v, slope, rate, momentum):
    v = momentum * v + rate * slope
    return w + momentum * v + rate * slope, v


@nesterov_step.mistake(
    "w goes ahead by momentum * v alone: the step has a second part, - rate * slope."
)
def _(w, v, slope, rate, momentum):
    v = momentum * v - rate * slope
    return w + momentum * v, v


@nesterov_step.mistake(
    "the step adds the whole new velocity and the push: only momentum * v of it, or it counts "
    "too much."
)
def _(w, v, slope, rate, momentum):
    v = momentum * v - rate * slope
    return w + v - rate * slope, v


@nesterov_step.mistake("the old velocity is forgotten: v = momentum * v - rate * slope.")
def _(w, v, slope, rate, momentum):
    v = -rate * slope
    return w + momentum * v - rate * slope, v


@nesterov_step.mistake(
    "the old velocity is kept whole: multiply it by momentum, or it never comes to rest."
)
def _(w, v, slope, rate, momentum):
    v = v - rate * slope
    return w + momentum * v - rate * slope, v


@nesterov_step.mistake(
    "your velocity holds slopes, and the rate comes in the step: a convention of other libraries. "
    "Here the rate is in the velocity."
)
def _(w, v, slope, rate, momentum):
    v = momentum * v + slope
    return w - rate * (slope + momentum * v), v


@nesterov_step.mistake("only w: return the new velocity as well, (w, v).")
def _(w, v, slope, rate, momentum):
    v = momentum * v - rate * slope
    return w + momentum * v - rate * slope


@nesterov_step.mistake(
    "the velocity you return is the old one: without the new one the next step remembers nothing."
)
def _(w, v, slope, rate, momentum):
    new = momentum * v - rate * slope
    return w + momentum * new - rate * slope, v


@exercise(
    lesson=6,
    cases=[
        # progress, peak, rise
        (0.25, 8.0, 0.5),
        (0.75, 8.0, 0.5),
        (0.0, 6.0, 0.3),
        (0.3, 6.0, 0.3),
        (0.15, 6.0, 0.3),
        (0.65, 6.0, 0.3),
        (1.0, 6.0, 0.3),
        (0.6, 10.0, 0.2),
    ],
    random_case=lambda rng: (
        round(float(rng.uniform(0.05, 0.95)), 2),
        float(rng.integers(1, 10)),
        0.4,
    ),
    right="two straight lines, the cheapest of all the ingredients.",
    hint="before `rise` the rate is a share of the peak, progress / rise. After it, the share of "
    "the fall that is still ahead: (1 - progress) / (1 - rise).",
)
def triangular_rate(progress, peak, rise):
    """Return the learning rate when a share of the training, progress, is done.

    It rises in a line from 0 to peak, which it reaches at progress = rise, and falls in a line to
    0 at the end, progress = 1.
    """
    if progress < rise:
        return peak * progress / rise
    return peak * (1 - progress) / (1 - rise)


@triangular_rate.mistake(
    "your rate only rises: from progress = rise on, it falls, to 0 at the end."
)
def _(progress, peak, rise):
    return peak * min(1.0, progress / rise)


@triangular_rate.mistake(
    "your rate begins at the peak: before progress = rise, it climbs from 0 to the peak."
)
def _(progress, peak, rise):
    return peak if progress < rise else peak * (1 - progress) / (1 - rise)


@triangular_rate.mistake(
    "the fall begins too low: at progress = rise it has to be the peak. Divide by what is left, "
    "1 - rise."
)
def _(progress, peak, rise):
    return peak * progress / rise if progress < rise else peak * (1 - progress)


@triangular_rate.mistake(
    "the rise is too slow: at progress = rise the peak has to be reached. Divide by rise."
)
def _(progress, peak, rise):
    return peak * progress if progress < rise else peak * (1 - progress) / (1 - rise)


@triangular_rate.mistake(
    "the fall does not reach 0: what counts is the share of it that is still ahead, "
    "(1 - progress) / (1 - rise)."
)
def _(progress, peak, rise):
    return peak * progress / rise if progress < rise else peak * (1 - progress + rise)


@triangular_rate.mistake("the peak is missing: your rate goes from 0 to 1. Multiply by peak.")
def _(progress, peak, rise):
    return progress / rise if progress < rise else (1 - progress) / (1 - rise)


@triangular_rate.mistake(
    "your peak is always in the middle: it belongs where progress equals rise."
)
def _(progress, peak, rise):
    return peak * (1 - abs(2 * progress - 1))


@triangular_rate.mistake(
    "your fall starts anew from progress = 0: after the rise, (1 - progress) / (1 - rise) is what "
    "is ahead, not (1 - progress / rise)."
)
def _(progress, peak, rise):
    return peak * progress / rise if progress < rise else peak * (1 - progress / rise)


@triangular_rate.mistake("rise and fall have changed places: the rate begins and ends at 0.")
def _(progress, peak, rise):
    if progress < rise:
        return peak * (1 - progress / rise)
    return peak * (progress - rise) / (1 - rise)


SHIFTED = floats([[1, 2, 3], [4, 5, 6], [7, 8, 9]])


@exercise(
    lesson=6,
    cases=[
        # image, down, right
        (SHIFTED, 1, 0),
        (SHIFTED, 0, 1),
        (SHIFTED, -1, 0),
        (SHIFTED, 1, -2),
        (SHIFTED, 0, 0),
        (floats([[1, 2, 3, 4], [5, 6, 7, 8]]), -1, 2),
        (floats([[1, 2], [3, 4]]), 5, 0),
    ],
    random_case=lambda rng: (
        small_integers(rng, 4, 5) + 5.0,
        int(rng.integers(-3, 4)),
        int(rng.integers(-3, 4)),
    ),
    right="the same digit at another place: to the network new pixels, to us nothing new. That is "
    "augmentation.",
    hint="make an array of zeros, one with a border on all sides perhaps, and copy into it. Which "
    "rows of the image are still to be seen when it has moved down by 1?",
)
def shift_image(image, down, right):
    """Return the image (height, width), moved down and to the right by whole pixels.

    Negative numbers move it up and to the left. What leaves the image is lost, and what comes in
    is 0. The shape stays.
    """
    return _shifted(image, down, right)


def _shifted(image, down, right, mode="constant"):
    height, width = image.shape
    padded = np.pad(image, ((abs(down),) * 2, (abs(right),) * 2), mode=mode)
    top, left = abs(down) - down, abs(right) - right
    return padded[top : top + height, left : left + width]


@shift_image.mistake(
    "what leaves on one side comes back on the other: np.roll goes around. Zeros have to come in."
)
def _(image, down, right):
    return np.roll(image, (down, right), axis=(0, 1))


@shift_image.mistake("the wrong way: a positive `down` moves the image down, toward larger rows.")
def _(image, down, right):
    return _shifted(image, -down, -right)


@shift_image.mistake("down and right have changed places: `down` moves along the rows, axis 0.")
def _(image, down, right):
    return _shifted(image, right, down)


@shift_image.mistake("up and down are confused; left and right are as they should be.")
def _(image, down, right):
    return _shifted(image, -down, right)


@shift_image.mistake("left and right are confused; up and down are as they should be.")
def _(image, down, right):
    return _shifted(image, down, -right)


@shift_image.mistake("the border is repeated: what comes in has to be 0.")
def _(image, down, right):
    return _shifted(image, down, right, mode="edge")


@shift_image.mistake("the border is mirrored: what comes in has to be 0.")
def _(image, down, right):
    return _shifted(image, down, right, mode="symmetric")


@shift_image.mistake(
    "your image grows: what is moved beyond the border is lost, and the shape stays."
)
def _(image, down, right):
    before = (max(down, 0), max(right, 0))
    after = (max(-down, 0), max(-right, 0))
    return np.pad(image, tuple(zip(before, after, strict=True)))


@shift_image.mistake(
    "your image shrinks: fill up with zeros where something has moved away, and the shape stays."
)
def _(image, down, right):
    height, width = image.shape
    rows = slice(max(-down, 0), max(height - max(down, 0), 0))
    columns = slice(max(-right, 0), max(width - max(right, 0), 0))
    return image[rows, columns]


@shift_image.mistake(
    "negative numbers do nothing in your function: they move the image up and to the left."
)
def _(image, down, right):
    return _shifted(image, max(down, 0), max(right, 0))
