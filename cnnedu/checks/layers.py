"""The exercises of lesson 3: what the layers compute, and how the gradient comes back."""

import numpy as np

from cnnedu.checks.framework import exercise
from cnnedu.checks.sliding import correlate, floats, small_integers


@exercise(
    lesson=3,
    cases=[
        # in_channels, out_channels, kernel_size, bias
        (1, 1, 3, False),
        (1, 6, 3, True),
        (2, 3, 1, True),
        (6, 16, 5, True),
        (3, 8, 3, False),
    ],
    right="few numbers for a large image: the same weights are used at every position, so the "
    "image's size does not appear.",
    hint="one filter reads a kernel_size x kernel_size patch of every input channel, and adds one "
    "bias to its sum. There are out_channels filters.",
)
def conv_layer_parameters(in_channels, out_channels, kernel_size, bias):
    """Return how many numbers a convolutional layer learns; the kernel is square, bias a bool."""
    return out_channels * (in_channels * kernel_size**2 + int(bias))


@conv_layer_parameters.mistake("the biases are forgotten: one for each output channel.")
def _(in_channels, out_channels, kernel_size, bias):
    return out_channels * in_channels * kernel_size**2


@conv_layer_parameters.mistake("you count biases even where bias is False.")
def _(in_channels, out_channels, kernel_size, bias):
    return out_channels * (in_channels * kernel_size**2 + 1)


@conv_layer_parameters.mistake(
    "in_channels is left out: every filter has a kernel for each of the input channels."
)
def _(in_channels, out_channels, kernel_size, bias):
    return out_channels * (kernel_size**2 + int(bias))


@conv_layer_parameters.mistake(
    "one bias for each input channel: but a bias is added once, to the sum over all of them."
)
def _(in_channels, out_channels, kernel_size, bias):
    return out_channels * in_channels * (kernel_size**2 + int(bias))


@conv_layer_parameters.mistake("a single bias for the layer: there is one per output channel.")
def _(in_channels, out_channels, kernel_size, bias):
    return out_channels * in_channels * kernel_size**2 + int(bias)


@conv_layer_parameters.mistake("as many biases as input channels: there is one per output channel.")
def _(in_channels, out_channels, kernel_size, bias):
    return out_channels * in_channels * kernel_size**2 + in_channels * int(bias)


@conv_layer_parameters.mistake(
    "kernel_size is the side of a square: a kernel has kernel_size**2 weights."
)
def _(in_channels, out_channels, kernel_size, bias):
    return out_channels * (in_channels * kernel_size + int(bias))


@conv_layer_parameters.mistake("out_channels is left out: that is the count of a single filter.")
def _(in_channels, out_channels, kernel_size, bias):
    return in_channels * kernel_size**2 + int(bias)


def _windows(x):
    """View an image as 2x2 windows: (rows, columns, 4), reading order inside."""
    height, width = x.shape
    blocks = x.reshape(height // 2, 2, width // 2, 2).swapaxes(1, 2)
    return blocks.reshape(height // 2, width // 2, 4)


def _unwindow(blocks):
    rows, columns, _ = blocks.shape
    return blocks.reshape(rows, columns, 2, 2).swapaxes(1, 2).reshape(2 * rows, 2 * columns)


@exercise(
    lesson=3,
    cases=[
        (floats([[1, 2], [4, 3]]),),
        (floats([[1, 2, 5, 6], [4, 3, 8, 7]]),),
        (floats([[-5, -2], [-3, -4]]),),
        (floats([[1, 0, 2, 3], [0, -9, 1, 1], [5, 1, -1, -2], [2, 0, -3, -4]]),),
    ],
    random_case=lambda rng: (small_integers(rng, 2 * rng.integers(1, 4), 2 * rng.integers(1, 4)),),
    right="a quarter of the pixels, and it hardly matters any more where in its window a feature "
    "was found.",
    hint="the window of output pixel (i, j) is feature_map[2 * i : 2 * i + 2, 2 * j : 2 * j + 2].",
)
def max_pool(feature_map):
    """Return the largest value of every 2x2 window, the windows side by side.

    The feature map is (height, width), both even.
    """
    return _windows(feature_map).max(axis=2)


@max_pool.mistake("that is average pooling: take the maximum of each window, not its mean.")
def _(feature_map):
    return _windows(feature_map).mean(axis=2)


@max_pool.mistake("you add the window up: take its maximum.")
def _(feature_map):
    return _windows(feature_map).sum(axis=2)


@max_pool.mistake("that is the smallest value of each window: take the largest.")
def _(feature_map):
    return _windows(feature_map).min(axis=2)


@max_pool.mistake(
    "your windows overlap (stride 1): the next window begins two pixels further, at 2 * i."
)
def _(feature_map):
    return np.lib.stride_tricks.sliding_window_view(feature_map, (2, 2)).max(axis=(2, 3))


@max_pool.mistake(
    "windows of negative values give 0: your running maximum begins at 0. Begin with -inf, or with "
    "the first value of the window."
)
def _(feature_map):
    return np.maximum(_windows(feature_map).max(axis=2), 0)


@max_pool.mistake("that is the largest magnitude: -9 is smaller than 1, leave the signs alone.")
def _(feature_map):
    return np.abs(_windows(feature_map)).max(axis=2)


@max_pool.mistake("you keep the top left pixel of every window, whatever the others are.")
def _(feature_map):
    return feature_map[::2, ::2]


@max_pool.mistake("you pool pairs of rows only: the columns want pooling too.")
def _(feature_map):
    return np.maximum(feature_map[::2], feature_map[1::2])


@max_pool.mistake("you pool pairs of columns only: the rows want pooling too.")
def _(feature_map):
    return np.maximum(feature_map[:, ::2], feature_map[:, 1::2])


@exercise(
    lesson=3,
    cases=[
        (floats([[0, 0]]),),
        (floats([[0, 1, 2], [3, 1, 1]]),),
        (floats([[1, -1], [0, 2], [1, 1]]),),
        (floats([[1000, 1001]]),),
        (floats([[0, 0, 3000]]),),
        (floats([[-1000, -1001], [2000, 2001]]),),
    ],
    random_case=lambda rng: (small_integers(rng, rng.integers(1, 5), rng.integers(2, 6)),),
    right="probabilities from any logits, however large: subtracting the row's maximum changes "
    "nothing but the overflow.",
    hint="exp(a - m) / sum(exp(b - m)) is the same for every m. Which m keeps exp from "
    "overflowing? (keepdims=True keeps a row's maximum beside its row.)",
)
def stable_softmax(logits):
    """Return exp(logits) / sum(exp(logits)) of every row, without overflow; logits are (N, C)."""
    return _softmax(logits, logits.max(axis=1, keepdims=True))


def _softmax(logits, shift, axis=1):
    powers = np.exp(logits - shift)
    return powers / powers.sum(axis=axis, keepdims=True)


@stable_softmax.mistake(
    "right for small logits, but exp(1000) overflows to infinity: subtract the row's maximum "
    "before exp."
)
def _(logits):
    return _softmax(logits, 0)


@stable_softmax.mistake(
    "along the wrong axis: your columns sum to 1. Every row is one image; sum over its classes, "
    "axis=1."
)
def _(logits):
    return _softmax(logits, logits.max(axis=0), axis=0)


@stable_softmax.mistake(
    "divided by the sum over the whole batch: every row should sum to 1 by itself (axis=1, "
    "keepdims=True)."
)
def _(logits):
    powers = np.exp(logits - logits.max())
    return powers / powers.sum()


@stable_softmax.mistake(
    "you subtract the maximum of the whole batch: a row far below it underflows to 0 / 0. Take the "
    "maximum of each row."
)
def _(logits):
    return _softmax(logits, logits.max())


@stable_softmax.mistake(
    "you subtract the mean: a logit far above it still overflows. Subtract the row's maximum."
)
def _(logits):
    return _softmax(logits, logits.mean(axis=1, keepdims=True))


@stable_softmax.mistake("you divide by the maximum instead of subtracting it.")
def _(logits):
    return _softmax(logits / logits.max(axis=1, keepdims=True), 0)


@stable_softmax.mistake("the division is missing: your rows do not sum to 1.")
def _(logits):
    return np.exp(logits - logits.max(axis=1, keepdims=True))


@stable_softmax.mistake("exp is missing: a share of the raw logits can be negative, or 0 / 0.")
def _(logits):
    return logits / logits.sum(axis=1, keepdims=True)


@stable_softmax.mistake("powers of 2 instead of e: use np.exp.")
def _(logits):
    powers = 2.0 ** (logits - logits.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


@stable_softmax.mistake(
    "that is the logarithm of softmax: useful for the loss, but probabilities are asked for."
)
def _(logits):
    shifted = logits - logits.max(axis=1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))


@stable_softmax.mistake(
    "that is the sigmoid of each logit by itself: in softmax the classes share a total of 1."
)
def _(logits):
    return np.exp(-np.logaddexp(0, -logits))


def _gradient_and_input(rng):
    rows, columns = rng.integers(2, 4, 2)
    height, width = rng.integers(1, 4, 2)
    return (
        small_integers(rng, rows, columns),
        small_integers(rng, rows + height - 1, columns + width - 1),
    )


@exercise(
    lesson=3,
    cases=[
        # grad_y, x
        (floats([[1]]), floats([[1, 2], [3, 4]])),
        (floats([[1, 10]]), floats([[1, 2, 3], [4, 5, 6]])),
        (floats([[1, 2], [0, -1]]), floats([[1, 2, 3], [4, 5, 6], [7, 8, 9]])),
    ],
    random_case=_gradient_and_input,
    right="the same sliding sum once more: the image correlated with the gradient of its output.",
    hint="weight (a, b) meets pixel x[i + a, j + b] at every output position (i, j), and each "
    "meeting adds grad_y[i, j] times that pixel.",
)
def conv_grad_weight(grad_y, x):
    """Return the gradient of the kernel, for one image and one channel, stride 1, no padding.

    The forward pass was y = correlate2d(x, weight), valid; grad_y is the gradient of the loss
    with respect to y. The kernel's shape follows from those of x and grad_y.
    """
    return correlate(x, grad_y)


@conv_grad_weight.mistake(
    "averaged over the positions: a weight is used at every position, and all its contributions "
    "add up."
)
def _(grad_y, x):
    return correlate(x, grad_y) / grad_y.size


@conv_grad_weight.mistake(
    "grad_y is flipped: in a kernel's gradient nothing is, it slides over x as it is."
)
def _(grad_y, x):
    return correlate(x, grad_y[::-1, ::-1])


@conv_grad_weight.mistake(
    "your gradient is turned by half a turn: weight (a, b) met the pixels x[i + a, j + b], not "
    "x[i - a, j - b]."
)
def _(grad_y, x):
    return correlate(x, grad_y)[::-1, ::-1]


@conv_grad_weight.mistake(
    "too large (mode full): the result has the kernel's shape, x.shape - grad_y.shape + 1 (valid)."
)
def _(grad_y, x):
    return correlate(x, grad_y, "full")


@conv_grad_weight.mistake(
    "grad_y is left out: you add up the pixels, but each counts as much as the gradient of the "
    "output it went into."
)
def _(grad_y, x):
    return correlate(x, np.ones_like(grad_y))


@conv_grad_weight.mistake(
    "only the last position is left: add every position's contribution (+=) instead of replacing "
    "it (=)."
)
def _(grad_y, x):
    height, width = np.subtract(x.shape, grad_y.shape) + 1
    return x[-height:, -width:] * grad_y[-1, -1]


@conv_grad_weight.mistake(
    "only the first position is used: the kernel was laid on every patch of x, not on the top left "
    "one alone."
)
def _(grad_y, x):
    height, width = np.subtract(x.shape, grad_y.shape) + 1
    return x[:height, :width] * grad_y[0, 0]


@exercise(
    lesson=3,
    cases=[
        # grad_y, weight
        (floats([[1]]), floats([[1, 2], [3, 4]])),
        (floats([[1, 10]]), floats([[1, 2], [3, 4]])),
        (floats([[1, 0], [0, 10]]), floats([[1, 2, 3]])),
    ],
    random_case=lambda rng: (
        small_integers(rng, *rng.integers(2, 5, 2)),
        small_integers(rng, *rng.integers(2, 4, 2)),
    ),
    right="each output hands its gradient back through the weights it came by. Seen from a pixel, "
    "that is a full convolution: here, at last, the kernel is flipped.",
    hint="start with zeros of the input's shape. Output (i, j) read the patch at (i, j), so it "
    "adds grad_y[i, j] * weight to that same patch.",
)
def conv_grad_input(grad_y, weight):
    """Return the gradient of the input, for one image and one channel, stride 1, no padding.

    The forward pass was y = correlate2d(x, weight), valid; grad_y is the gradient of the loss
    with respect to y. The input's shape follows from those of grad_y and weight.
    """
    return correlate(grad_y, weight[::-1, ::-1], "full")


@conv_grad_input.mistake(
    "the kernel is not flipped: coming back, pixel (i + a, j + b) hears of weight (a, b) from "
    "output (i, j). That is a full convolution, not a full correlation."
)
def _(grad_y, weight):
    return correlate(grad_y, weight, "full")


@conv_grad_input.mistake("the kernel is flipped upside down only: flip its columns as well.")
def _(grad_y, weight):
    return correlate(grad_y, weight[::-1], "full")


@conv_grad_input.mistake("the kernel is flipped left to right only: flip its rows as well.")
def _(grad_y, weight):
    return correlate(grad_y, weight[:, ::-1], "full")


@conv_grad_input.mistake(
    "patches overlap, and a later one replaces what an earlier one left: add (+=) instead of "
    "assigning (=)."
)
def _(grad_y, weight):
    height, width = weight.shape
    grad_x = np.zeros(np.add(grad_y.shape, weight.shape) - 1)
    for i, j in np.ndindex(*grad_y.shape):
        grad_x[i : i + height, j : j + width] = grad_y[i, j] * weight
    return grad_x


@conv_grad_input.mistake(
    "too small (mode same): the input was larger than the output by kernel - 1 (mode full)."
)
def _(grad_y, weight):
    return correlate(grad_y, weight[::-1, ::-1], "same")


@conv_grad_input.mistake(
    "the weights are left out: you spread each gradient evenly over its patch, but it goes back "
    "through the weights it came by."
)
def _(grad_y, weight):
    return correlate(grad_y, np.ones_like(weight), "full")


@exercise(
    lesson=3,
    cases=[
        # grad_y, first_kernels, second_kernel
        (floats([[1]]), floats([[[1, 2]]]), floats([[[1], [10]]])),
        (floats([[1]]), floats([[[1, 2]], [[3, 4]]]), floats([[[1, 10]], [[0, 100]]])),
        (
            floats([[1, 0], [0, 2]]),
            floats([[[1, 2], [0, -1]], [[0, 1], [1, 0]]]),
            floats([[[1, -1], [0, 2]], [[2, 0], [1, 0]]]),
        ),
    ],
    random_case=lambda rng: (
        small_integers(rng, *rng.integers(2, 4, 2)),
        small_integers(rng, 3, 2, 2),
        small_integers(rng, 3, 2, 3),
    ),
    right="one layer's grad_x is the next one's grad_y, however many layers there are.",
    hint="first the second layer: the gradient of map m is conv_grad_input(grad_y, "
    "second_kernel[m]). That is the grad_y of filter m of the first layer.",
)
def stacked_grad_input(grad_y, first_kernels, second_kernel):
    """Return the gradient of the image below two convolutions, stride 1, no padding, no bias.

    The first layer makes of the image one map for each kernel in first_kernels, (M, kh, kw). The
    second has a single filter with a channel for each map, second_kernel, (M, kh, kw). grad_y is
    the gradient of the loss with respect to the second layer's output, (rows, columns).
    """
    return _shares(_map_gradients(grad_y, second_kernel), first_kernels).sum(axis=0)


def _scatter(grad_y, weight):
    return correlate(grad_y, weight[::-1, ::-1], "full")


def _map_gradients(grad_y, second_kernel):
    return np.stack([_scatter(grad_y, channel) for channel in second_kernel])


def _shares(map_gradients, first_kernels):
    pairs = zip(map_gradients, first_kernels, strict=True)
    return np.stack([_scatter(gradient, kernel) for gradient, kernel in pairs])


@stacked_grad_input.mistake(
    "the shares of the maps are averaged: the image was read by every filter, and the shares add "
    "up."
)
def _(grad_y, first_kernels, second_kernel):
    return _shares(_map_gradients(grad_y, second_kernel), first_kernels).mean(axis=0)


@stacked_grad_input.mistake(
    "only the share of the last map is left: add every map's share (+=) instead of replacing it "
    "(=)."
)
def _(grad_y, first_kernels, second_kernel):
    return _shares(_map_gradients(grad_y, second_kernel), first_kernels)[-1]


@stacked_grad_input.mistake("only the share of the first map is there: add those of the others.")
def _(grad_y, first_kernels, second_kernel):
    return _shares(_map_gradients(grad_y, second_kernel), first_kernels)[0]


@stacked_grad_input.mistake(
    "the shares of the maps are not added up yet: the image was read by every filter, and has one "
    "gradient."
)
def _(grad_y, first_kernels, second_kernel):
    return _shares(_map_gradients(grad_y, second_kernel), first_kernels)


@stacked_grad_input.mistake(
    "you stop at the maps: that is the gradient of the first layer's output. One layer to go."
)
def _(grad_y, first_kernels, second_kernel):
    return _map_gradients(grad_y, second_kernel)


@stacked_grad_input.mistake(
    "the maps' gradients are added up too early: filter m gets the gradient of map m alone."
)
def _(grad_y, first_kernels, second_kernel):
    together = _map_gradients(grad_y, second_kernel).sum(axis=0)
    return sum(_scatter(together, kernel) for kernel in first_kernels)


@stacked_grad_input.mistake(
    "the second layer is left out: grad_y belongs to its output, so go back through it first."
)
def _(grad_y, first_kernels, second_kernel):
    return sum(_scatter(grad_y, kernel) for kernel in first_kernels)


@stacked_grad_input.mistake(
    "the second layer's kernel is not flipped: its way back is a full convolution."
)
def _(grad_y, first_kernels, second_kernel):
    turned = second_kernel[:, ::-1, ::-1]
    return _shares(_map_gradients(grad_y, turned), first_kernels).sum(axis=0)


@stacked_grad_input.mistake(
    "the first layer's kernels are not flipped: its way back is a full convolution."
)
def _(grad_y, first_kernels, second_kernel):
    turned = first_kernels[:, ::-1, ::-1]
    return _shares(_map_gradients(grad_y, second_kernel), turned).sum(axis=0)


@stacked_grad_input.mistake(
    "the kernels of both layers are not flipped: the way back is a full convolution."
)
def _(grad_y, first_kernels, second_kernel):
    gradients = _map_gradients(grad_y, second_kernel[:, ::-1, ::-1])
    return _shares(gradients, first_kernels[:, ::-1, ::-1]).sum(axis=0)


def _pooled_case(rng):
    rows, columns = rng.integers(1, 4, 2)
    x = rng.integers(-2, 3, (2 * rows, 2 * columns)).astype(float)  # ties on purpose
    return small_integers(rng, rows, columns), x


@exercise(
    lesson=3,
    cases=[
        # grad_y, x
        (floats([[5]]), floats([[1, 2], [4, 3]])),
        (floats([[5]]), floats([[1, 7], [7, 7]])),
        (floats([[5, -6]]), floats([[0, 0, 1, 2], [0, 0, 2, 2]])),
        (floats([[1], [2]]), floats([[-1, -2], [-3, -1], [8, 8], [9, 8]])),
    ],
    random_case=_pooled_case,
    right="the winner takes it all, and a tie has one winner: sums of gradients come through "
    "pooling unchanged.",
    hint="for every 2x2 window: argmax of the flattened window names its first maximum; "
    "np.unravel_index, or divmod(..., 2), turns it into a row and a column.",
)
def max_pool_backward(grad_y, x):
    """Return the gradient of max pooling's input x; the pooling was 2x2, side by side.

    Each window's gradient goes to its maximum; of equal ones to the first in reading order.
    """
    return _hand_back(grad_y, _first_maximum(_windows(x)))


def _hand_back(grad_y, shares):
    return _unwindow(shares * grad_y[:, :, None])


def _first_maximum(windows):
    return np.eye(4)[windows.argmax(axis=2)]


def _all_maxima(windows):
    return (windows == windows.max(axis=2, keepdims=True)).astype(float)


@max_pool_backward.mistake(
    "a tie receives the gradient more than once: give it to the first maximum only, or the sum "
    "grows on its way back."
)
def _(grad_y, x):
    return _hand_back(grad_y, _all_maxima(_windows(x)))


@max_pool_backward.mistake(
    "a tie shares the gradient: a defensible choice, but the one asked for gives all of it to the "
    "first maximum."
)
def _(grad_y, x):
    shares = _all_maxima(_windows(x))
    return _hand_back(grad_y, shares / shares.sum(axis=2, keepdims=True))


@max_pool_backward.mistake(
    "of equal values the last one wins: keep the first (compare with > instead of >=)."
)
def _(grad_y, x):
    return _hand_back(grad_y, _first_maximum(_windows(x)[:, :, ::-1])[:, :, ::-1])


@max_pool_backward.mistake(
    "of equal values your first is the first in its column: read the window row by row."
)
def _(grad_y, x):
    order = [0, 2, 1, 3]
    return _hand_back(grad_y, _first_maximum(_windows(x)[:, :, order])[:, :, order])


@max_pool_backward.mistake(
    "that is average pooling's backward pass: the gradient goes to the maximum alone, not to all "
    "four."
)
def _(grad_y, x):
    return _hand_back(grad_y, np.full((*grad_y.shape, 4), 0.25))


@max_pool_backward.mistake(
    "every pixel receives the whole gradient: only the maximum of its window should."
)
def _(grad_y, x):
    return _hand_back(grad_y, np.ones((*grad_y.shape, 4)))


@max_pool_backward.mistake(
    "you hand back the maximum itself: hand back the gradient, at the maximum's place."
)
def _(grad_y, x):
    return _unwindow(_first_maximum(_windows(x)) * _windows(x))


@max_pool_backward.mistake(
    "the gradient is multiplied by the maximum: pooling copies its maximum, so its derivative is 1."
)
def _(grad_y, x):
    return _hand_back(grad_y, _first_maximum(_windows(x)) * _windows(x))


@max_pool_backward.mistake(
    "the gradient always goes to the top left pixel of the window: find where its maximum is."
)
def _(grad_y, x):
    return _hand_back(grad_y, np.tile(np.eye(4)[0], (*grad_y.shape, 1)))
