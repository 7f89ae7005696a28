"""The exercises of lesson 5: looking at filters and maps without being fooled."""

import numpy as np

from cnnedu.checks.framework import exercise
from cnnedu.checks.sliding import floats, small_integers


@exercise(
    lesson=5,
    cases=[
        # kernel_sizes, strides
        ([3], [1]),
        ([3, 3], [1, 1]),
        ([3, 2], [1, 2]),
        ([2, 3], [2, 1]),
        ([5, 2, 5, 2], [1, 2, 1, 2]),
        ([3, 3, 3], [2, 2, 2]),
    ],
    random_case=lambda rng: (
        [int(size) for size in rng.integers(1, 6, 4)],
        [int(stride) for stride in rng.integers(1, 4, 4)],
    ),
    right="how much of the image one number deep in the network has seen. What lies outside "
    "cannot influence it.",
    hint="start with field = 1 and jump = 1. A layer adds (kernel_size - 1) * jump to the field; "
    "after that, its stride multiplies the jump.",
)
def receptive_field(kernel_sizes, strides):
    """Return how many input pixels, along one axis, one output of a stack of layers depends on.

    The layers (convolutions and poolings alike) are listed from the input on.
    """
    field, jump = 1, 1
    for kernel_size, stride in zip(kernel_sizes, strides, strict=True):
        field += (kernel_size - 1) * jump
        jump *= stride
    return field


@receptive_field.mistake(
    "the strides are left out: after a stride of 2, neighbors stand two input pixels apart, and a "
    "kernel reaches twice as far."
)
def _(kernel_sizes, strides):
    return 1 + sum(size - 1 for size in kernel_sizes)


@receptive_field.mistake(
    "a layer's own stride comes too early: it spreads the positions of the layers after it, not of "
    "its own kernel."
)
def _(kernel_sizes, strides):
    field, jump = 1, 1
    for kernel_size, stride in zip(kernel_sizes, strides, strict=True):
        jump *= stride
        field += (kernel_size - 1) * jump
    return field


@receptive_field.mistake(
    "strides multiply from layer to layer: after two strides of 2, neighbors stand four pixels "
    "apart. You use the previous layer's stride alone."
)
def _(kernel_sizes, strides):
    field, jump = 1, 1
    for kernel_size, stride in zip(kernel_sizes, strides, strict=True):
        field += (kernel_size - 1) * jump
        jump = stride
    return field


@receptive_field.mistake(
    "a kernel adds kernel_size - 1 steps, not kernel_size: one of its pixels was in the field "
    "already."
)
def _(kernel_sizes, strides):
    field, jump = 1, 1
    for kernel_size, stride in zip(kernel_sizes, strides, strict=True):
        field += kernel_size * jump
        jump *= stride
    return field


@receptive_field.mistake("one too small: a single pixel has a field of 1, so begin with 1, not 0.")
def _(kernel_sizes, strides):
    return receptive_field.reference(kernel_sizes, strides) - 1


@receptive_field.mistake("kernel sizes do not simply add up: two of 3 see 5 pixels, not 6.")
def _(kernel_sizes, strides):
    return sum(kernel_sizes)


@receptive_field.mistake("kernel sizes do not multiply: two of 3 see 5 pixels, not 9.")
def _(kernel_sizes, strides):
    return int(np.prod(kernel_sizes))


@receptive_field.mistake("the layers are taken from the output on: begin with the first one.")
def _(kernel_sizes, strides):
    return receptive_field.reference(kernel_sizes[::-1], strides[::-1])


@exercise(
    lesson=5,
    cases=[
        (floats([[[0, 1], [2, -4]]]),),
        (floats([[[1, 0]], [[0, -2]]]),),
        (floats([[[3, 1], [2, 5]]]),),
        (floats([[[0, 0], [0, 0]]]),),
    ],
    random_case=lambda rng: (small_integers(rng, rng.integers(2, 4), 2, 3),),
    right="gray means zero, in every filter, and the same gray means the same weight: now pictures "
    "of filters can be compared.",
    hint="divide by the largest magnitude of all filters together: the values lie between -1 and "
    "1. Then halve them and move them up.",
)
def normalize_for_display(filters):
    """Scale filters (F, height, width) to grays in [0, 1], with 0 at the middle gray 0.5.

    One scale for all: the weight of the largest magnitude becomes 0 or 1. Filters that are all
    zero become 0.5 throughout.
    """
    return _gray(filters, np.abs(filters).max())


def _gray(filters, largest):
    return 0.5 + filters / (2 * np.where(largest > 0, largest, 1))


@normalize_for_display.mistake(
    "stretched from the smallest to the largest weight: zero no longer falls on the middle gray. "
    "Divide by the largest magnitude instead."
)
def _(filters):
    spread = np.ptp(filters)
    return (filters - filters.min()) / spread if spread else np.full(filters.shape, 0.5)


@normalize_for_display.mistake(
    "each filter is stretched from its own smallest to its own largest weight: zero is another "
    "gray in each. One scale for all, and zero at 0.5."
)
def _(filters):
    smallest = filters.min(axis=(1, 2), keepdims=True)
    spread = np.ptp(filters, axis=(1, 2), keepdims=True)
    return np.where(spread > 0, (filters - smallest) / np.where(spread > 0, spread, 1), 0.5)


@normalize_for_display.mistake(
    "each filter has a scale of its own: a filter of tiny weights looks as strong as the others. "
    "Use one scale for all."
)
def _(filters):
    return _gray(filters, np.abs(filters).max(axis=(1, 2), keepdims=True))


@normalize_for_display.mistake(
    "right, but filters that are all zero give 0 / 0: make them 0.5 throughout."
)
def _(filters):
    return 0.5 + filters / (2 * np.abs(filters).max())


@normalize_for_display.mistake("your values lie between -1 and 1: halve them, then add 0.5.")
def _(filters):
    return 2 * _gray(filters, np.abs(filters).max()) - 1


@normalize_for_display.mistake(
    "you divide by the largest value, but a negative weight may be the strongest: use the largest "
    "magnitude, np.abs(filters).max()."
)
def _(filters):
    return _gray(filters, filters.max())


@normalize_for_display.mistake(
    "the signs are lost: what is negative should be darker than the middle gray."
)
def _(filters):
    return np.abs(filters) / max(np.abs(filters).max(), 1e-12)


@normalize_for_display.mistake(
    "upside down: positive weights should be brighter than the middle gray."
)
def _(filters):
    return 1 - _gray(filters, np.abs(filters).max())


@normalize_for_display.mistake(
    "clipped instead of scaled: what is below 0 or above 1 all looks alike."
)
def _(filters):
    return np.clip(filters, 0, 1)


@normalize_for_display.mistake(
    "0.5 is added, but the weights are not scaled down enough: after dividing by the largest "
    "magnitude, halve them."
)
def _(filters):
    return 2 * _gray(filters, np.abs(filters).max()) - 0.5


def _two_filter_banks(rng):
    shape = rng.integers(2, 4), rng.integers(1, 3), 2, 3
    return rng.normal(size=shape).round(1), rng.normal(size=shape).round(1)


@exercise(
    lesson=5,
    cases=[
        # initial, learned: (filters, channels, height, width)
        (floats([[[[1, 2, 3]]]]), floats([[[[2, 4, 7]]]])),
        (floats([[[[1, 2, 3]]], [[[0, 1, 2]]]]), floats([[[[3, 4, 5]]], [[[2, 0, 1]]]])),
        (floats([[[[1, 2]], [[3, 5]]]]), floats([[[[2, 2]], [[1, 0]]]])),
    ],
    random_case=_two_filter_banks,
    right="near 1 the filter is still its own initialization: a network can be right with filters "
    "it has hardly touched.",
    hint="flatten each filter, reshape(F, -1), and take the mean off every row. Then the cosine of "
    "the angle between the two rows is their correlation.",
)
def filter_start_correlation(initial, learned):
    """Return the correlation (Pearson's) of each learned filter with its own start: shape (F,).

    Both arrays are (F, channels, height, width); all weights of a filter count together.
    """
    return _cosine(_centered(initial), _centered(learned))


def _rows(filters):
    return filters.reshape(len(filters), -1)


def _centered(filters):
    return _rows(filters) - _rows(filters).mean(axis=1, keepdims=True)


def _cosine(a, b):
    return (a * b).sum(axis=1) / np.sqrt((a**2).sum(axis=1) * (b**2).sum(axis=1))


@filter_start_correlation.mistake(
    "that is the cosine without the means taken off: a correlation does not notice if all weights "
    "grow by the same amount."
)
def _(initial, learned):
    return _cosine(_rows(initial), _rows(learned))


@filter_start_correlation.mistake(
    "that is the covariance: divide by both standard deviations, so that it lies between -1 and 1."
)
def _(initial, learned):
    return (_centered(initial) * _centered(learned)).mean(axis=1)


@filter_start_correlation.mistake(
    "the means are taken off, but the sum of products is not divided by the two lengths."
)
def _(initial, learned):
    return (_centered(initial) * _centered(learned)).sum(axis=1)


@filter_start_correlation.mistake(
    "one number for the whole layer: ask every filter by itself, the answer has the shape (F,)."
)
def _(initial, learned):
    return np.corrcoef(initial.ravel(), learned.ravel())[0, 1]


@filter_start_correlation.mistake(
    "that is the correlation squared: a filter that turned into its negative would look unchanged."
)
def _(initial, learned):
    return _cosine(_centered(initial), _centered(learned)) ** 2


@filter_start_correlation.mistake(
    "the sign is lost: a filter that turned into its negative has the correlation -1."
)
def _(initial, learned):
    return np.abs(_cosine(_centered(initial), _centered(learned)))


@filter_start_correlation.mistake(
    "the mean of the whole layer is taken off: each filter has a mean of its own."
)
def _(initial, learned):
    return _cosine(_rows(initial) - initial.mean(), _rows(learned) - learned.mean())


@filter_start_correlation.mistake(
    "every filter with every other: what is asked for is the diagonal, each with its own start."
)
def _(initial, learned):
    a, b = _centered(initial), _centered(learned)
    return (a @ b.T) / np.sqrt(np.outer((a**2).sum(axis=1), (b**2).sum(axis=1)))


def _maps_and_channel(rng):
    shape = rng.integers(2, 4), rng.integers(2, 4), rng.integers(2, 4), rng.integers(2, 5)
    values = rng.permutation(np.prod(shape)) - 0.7 * np.prod(shape)
    return values.round().reshape(shape), int(rng.integers(0, shape[1]))


@exercise(
    lesson=5,
    cases=[
        # maps (images, channels, height, width), channel
        (floats([[[[1, 2], [3, 0]]], [[[0, 5], [1, 1]]]]), 0),
        (floats([[[[1, 9]], [[4, 2]]], [[[3, 1]], [[1, 6]]]]), 1),
        (floats([[[[3, 3, 3]]], [[[0, 0, 4]]], [[[-9, 0, 1]]]]), 0),
        (floats([[[[-3, -1]]], [[[-2, -4]]]]), 0),
    ],
    random_case=_maps_and_channel,
    right="the patch a unit likes best says more about it than its weights do.",
    hint="one_channel = maps[:, channel]; argmax counts through the flattened array, and "
    "np.unravel_index(..., one_channel.shape) turns the count into a place.",
)
def most_exciting(maps, channel):
    """Return (image, row, column), three integers: where the channel's largest value stands.

    The maps are (images, channels, height, width).
    """
    return _place(maps[:, channel])


def _place(array):
    return tuple(int(index) for index in np.unravel_index(array.argmax(), array.shape))


@most_exciting.mistake(
    "argmax counts through the flattened array: np.unravel_index turns the count into (image, row, "
    "column)."
)
def _(maps, channel):
    return int(maps[:, channel].argmax())


@most_exciting.mistake(
    "all four indices of the whole array: look at maps[:, channel], which has three."
)
def _(maps, channel):
    return _place(maps)


@most_exciting.mistake("you search all channels: look at maps[:, channel] only.")
def _(maps, channel):
    image, _, row, column = _place(maps)
    return image, row, column


@most_exciting.mistake(
    "maps[channel] is an image, not a channel: the images axis comes first, maps[:, channel]."
)
def _(maps, channel):
    return _place(maps[channel])


@most_exciting.mistake("the index of the image alone: where in its map is the largest value?")
def _(maps, channel):
    return _place(maps[:, channel])[0]


@most_exciting.mistake("row and column have changed places: rows come first.")
def _(maps, channel):
    image, row, column = _place(maps[:, channel])
    return image, column, row


@most_exciting.mistake(
    "you look at magnitudes: a strongly negative value is the opposite of excited."
)
def _(maps, channel):
    return _place(np.abs(maps[:, channel]))


@most_exciting.mistake("that is where the channel is smallest: the largest value is asked for.")
def _(maps, channel):
    return _place(-maps[:, channel])


@most_exciting.mistake(
    "you choose the image with the largest mean: a single strong response may stand in an image "
    "where all else is quiet."
)
def _(maps, channel):
    one_channel = maps[:, channel]
    image = int(one_channel.mean(axis=(1, 2)).argmax())
    return image, *_place(one_channel[image])


@most_exciting.mistake("the value itself: its place is asked for, (image, row, column).")
def _(maps, channel):
    return float(maps[:, channel].max())
