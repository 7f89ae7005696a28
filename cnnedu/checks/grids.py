"""The exercises of lesson 10: three channels, opponent colors, files of colors, signals."""

import numpy as np

from cnnedu.checks.framework import exercise
from cnnedu.checks.sliding import correlate, floats, small_integers


def _each_channel(image, kernel):
    """Return one map per channel, (C, rows, columns)."""
    return np.stack([correlate(x, w) for x, w in zip(image, kernel, strict=True)])


@exercise(
    lesson=10,
    cases=[
        # image (C, H, W), kernel (C, kh, kw)
        (floats([[[1, 2]], [[3, 5]], [[7, 0]]]), floats([[[1]], [[10]], [[100]]])),
        (
            floats([[[1, 2, 0], [0, 1, 3]], [[2, 0, 1], [1, 1, 0]], [[0, 3, 1], [2, 0, 1]]]),
            floats([[[1, 0], [0, -1]], [[0, 2], [1, 0]], [[-1, 0], [3, 1]]]),
        ),
        (floats([[[1, 2, 3, 4]], [[4, 0, 2, 1]]]), floats([[[1, -1, 2]], [[0, 1, 3]]])),
        (floats([[[1, 2, 3], [4, 5, 6], [7, 8, 9]]]), floats([[[1, 2], [0, -1]]])),
    ],
    random_case=lambda rng: (small_integers(rng, 3, 5, 6), small_integers(rng, 3, 2, 3)),
    right="one kernel, one map, whatever the number of channels. This is all that changes when a "
    "network looks at colors, or at the 32 maps of the layer before.",
    hint="a patch is now image[:, i : i + kh, j : j + kw], with all channels. Multiply it with the "
    "kernel, which has the same shape, and sum everything up.",
)
def correlate_channels(image, kernel):
    """Slide a kernel of C channels over an image of C channels, and return one map.

    The shapes are (C, height, width) and (C, kernel_height, kernel_width); the map is
    (height - kernel_height + 1, width - kernel_width + 1).
    """
    return _each_channel(image, kernel).sum(axis=0)


@correlate_channels.mistake(
    "one map for each channel: a kernel gives a single map. Add the channels up."
)
def _(image, kernel):
    return _each_channel(image, kernel)


@correlate_channels.mistake(
    "only the first channel counts: the sum goes over all channels of the patch."
)
def _(image, kernel):
    return _each_channel(image, kernel)[0]


@correlate_channels.mistake("the mean over the channels: a convolution layer adds them up.")
def _(image, kernel):
    return _each_channel(image, kernel).mean(axis=0)


@correlate_channels.mistake(
    "your kernel is flipped: a layer does not turn it around, entry [c, 0, 0] meets the upper left "
    "of the patch."
)
def _(image, kernel):
    return _each_channel(image, kernel[:, ::-1, ::-1]).sum(axis=0)


@correlate_channels.mistake(
    "the channels are in reverse order: a flip turns rows and columns at most, red stays red."
)
def _(image, kernel):
    return _each_channel(image, kernel[::-1]).sum(axis=0)


@correlate_channels.mistake(
    "you add the channels of the image up before the kernel comes: that is a gray image, and all "
    "color is gone. Multiply first, channel by channel."
)
def _(image, kernel):
    return sum(correlate(image.sum(axis=0), each) for each in kernel)


@correlate_channels.mistake(
    "the same kernel channel meets all channels of the image: channel c of the kernel belongs to "
    "channel c of the image."
)
def _(image, kernel):
    return correlate(image.sum(axis=0), kernel[0])


@correlate_channels.mistake(
    "off by one: the last row and the last column of places are missing. There are "
    "size - kernel_size + 1 of them."
)
def _(image, kernel):
    return _each_channel(image, kernel).sum(axis=0)[:-1, :-1]


@exercise(
    lesson=10,
    cases=[
        # image (3, H, W)
        (np.array([1.0, 0.0, 0.0]).reshape(3, 1, 1),),
        (np.array([0.0, 0.0, 1.0]).reshape(3, 1, 1),),
        (np.array([0.9, 0.9, 0.9]).reshape(3, 1, 1),),
        (np.array([[[0.5, 0.25, 1.0]], [[0.5, 0.0, 0.5]], [[0.0, 0.5, 0.75]]]),),
    ],
    random_case=lambda rng: (rng.random((3, 3, 4)).round(2),),
    right="three 1 x 1 kernels of three channels. For gray pixels the last two are 0: whatever "
    "answers there answers to color alone.",
    hint="red, green, blue = image; then three lines of arithmetic on whole planes, and np.stack.",
)
def opponent_channels(image):
    """Turn red, green, blue (3, height, width) into brightness, red - green, blue - yellow.

    Brightness is the mean of the three; red - green their difference; yellow is the mean of red
    and green.
    """
    red, green, blue = image
    return np.stack([(red + green + blue) / 3, red - green, blue - (red + green) / 2])


@opponent_channels.mistake(
    "yellow is the mean of red and green, not their sum: with the sum, a gray pixel would not "
    "give 0."
)
def _(image):
    red, green, blue = image
    return np.stack([(red + green + blue) / 3, red - green, blue - (red + green)])


@opponent_channels.mistake("brightness is the mean of the three, not their sum.")
def _(image):
    red, green, blue = image
    return np.stack([red + green + blue, red - green, blue - (red + green) / 2])


@opponent_channels.mistake("green - red: red should count positive.")
def _(image):
    red, green, blue = image
    return np.stack([(red + green + blue) / 3, green - red, blue - (red + green) / 2])


@opponent_channels.mistake("yellow - blue: blue should count positive.")
def _(image):
    red, green, blue = image
    return np.stack([(red + green + blue) / 3, red - green, (red + green) / 2 - blue])


@opponent_channels.mistake("both differences have the wrong sign: red and blue count positive.")
def _(image):
    red, green, blue = image
    return np.stack([(red + green + blue) / 3, green - red, (red + green) / 2 - blue])


@opponent_channels.mistake(
    "the right planes with the channels last: this image has its channels first, (3, height, "
    "width), and so should the answer (np.stack stacks along a new first axis)."
)
def _(image):
    return np.moveaxis(opponent_channels.reference(image), 0, -1)


@opponent_channels.mistake(
    "you take the absolute value: red - green says by its sign which of the two it is."
)
def _(image):
    return np.abs(opponent_channels.reference(image))


@opponent_channels.mistake(
    "blue, green, red: some libraries order the channels so, here red comes first."
)
def _(image):
    return opponent_channels.reference(image[::-1])


def _record(rng, size: int = 2) -> np.ndarray:
    """Return a record as CIFAR-10 has it, of size x size pixels."""
    return np.concatenate([rng.integers(0, 10, 1), rng.permutation(256)[: 3 * size * size]]).astype(
        np.uint8
    )


@exercise(
    lesson=10,
    cases=[
        # record, size
        (np.array([7, 255, 51, 0], np.uint8), 1),
        (np.array([3, 0, 51, 102, 153, 10, 20, 30, 40, 255, 254, 253, 252], np.uint8), 2),
    ],
    random_case=lambda rng: (_record(rng, 4), 4),
    right="with size 32 this reads CIFAR-10, record after record, 3,073 bytes each.",
    hint="record[0] is the class. The rest, record[1:], is red, then green, then blue, each row by "
    "row: which shape does reshape need?",
)
def read_record(record, size):
    """Turn a record of bytes into (label, image): an integer, and (3, size, size) in [0, 1].

    The first byte is the class. Then come all red values, row by row, all green ones, all blue
    ones, each from 0 to 255.
    """
    return int(record[0]), record[1:].reshape(3, size, size) / 255


@read_record.mistake(
    "the pixels are mixed up: the file holds all of red, then all of green, then all of blue, so "
    "the channel is the slowest axis: reshape(3, size, size)."
)
def _(record, size):
    return int(record[0]), record[1:].reshape(size, size, 3).transpose(2, 0, 1) / 255


@read_record.mistake(
    "rows and columns have changed places: the pixels of a row lie side by side in the file."
)
def _(record, size):
    return int(record[0]), record[1:].reshape(3, size, size).transpose(0, 2, 1) / 255


@read_record.mistake("the right pixels with the channels last: here an image is (3, size, size).")
def _(record, size):
    return int(record[0]), record[1:].reshape(3, size, size).transpose(1, 2, 0) / 255


@read_record.mistake(
    "the channels last, and mixed up: the file holds all of red first, and the answer is "
    "(3, size, size)."
)
def _(record, size):
    return int(record[0]), record[1:].reshape(size, size, 3) / 255


@read_record.mistake("the pixels are still bytes: divide by 255, so that they lie in [0, 1].")
def _(record, size):
    return int(record[0]), record[1:].reshape(3, size, size).astype(float)


@read_record.mistake("divided by 256: white, 255, should become exactly 1.")
def _(record, size):
    return int(record[0]), record[1:].reshape(3, size, size) / 256


@read_record.mistake("you read the class at the end: it is the first byte, and the pixels follow.")
def _(record, size):
    return int(record[-1]), record[:-1].reshape(3, size, size) / 255


@read_record.mistake("image and label have changed places: return (label, image).")
def _(record, size):
    return record[1:].reshape(3, size, size) / 255, int(record[0])


def _responses(signal, motifs):
    """Return the response of each motif at each place, (motifs, places)."""
    return np.stack([correlate(signal, motif) for motif in motifs])


def _motif_case(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Return a signal with a motif in it, and the motifs, all of one length."""
    motifs = floats([[3, 2, 1, 0], [0, 1, 2, 3], [-3, 1, 2, 0]])
    signal = rng.integers(-2, 3, 14).astype(float)
    start = int(rng.integers(0, 11))
    signal[start : start + 4] += 2 * motifs[rng.integers(0, 3)]
    return signal, motifs


@exercise(
    lesson=10,
    cases=[
        # signal, motifs
        (floats([0, 0, 1, 2, 0, 0]), floats([[2, 1], [1, 2]])),
        (floats([0, 2, 1, 0, 0, 0]), floats([[2, 1], [1, 2]])),
        (floats([0, -2, -4, 0, 0, 2, 1, 0]), floats([[2, 1], [1, 2], [2, -1]])),
        (floats([1, 1, 1, 1, 1, 1, 0, 0, 0, 3, -1, 0]), floats([[1, 2], [2, -1]])),
        (floats([0, 0, 0, 0, 1, 2]), floats([[2, 1], [1, 2]])),
    ],
    random_case=_motif_case,
    right="a convolution layer whose kernels are the motifs, a pooling over all places, and the "
    "largest of the results: this is a network, with nothing left to learn.",
    hint="np.correlate(signal, motif, 'valid') answers at every place. What matters of it is its "
    "largest value; which motif has the largest of these?",
)
def which_motif(signal, motifs):
    """Return the number of the motif that fits best anywhere in the signal.

    The motifs (K, k) are of one length: their squares add up to the same. The signal is (T,).
    """
    return int(_responses(signal, motifs).max(axis=1).argmax())


@which_motif.mistake(
    "your motif is turned around: np.convolve flips it, np.correlate does not. Played backward, a "
    "rising chirp falls."
)
def _(signal, motifs):
    return int(_responses(signal, motifs[:, ::-1]).max(axis=1).argmax())


@which_motif.mistake(
    "you take magnitudes: a large negative response means the motif upside down, which is not "
    "asked for."
)
def _(signal, motifs):
    return int(np.abs(_responses(signal, motifs)).max(axis=1).argmax())


@which_motif.mistake(
    "you add the responses over all places: the motif is at one place only, and the rest is noise. "
    "Take the largest."
)
def _(signal, motifs):
    return int(_responses(signal, motifs).sum(axis=1).argmax())


@which_motif.mistake("that is the place of the best fit: the number of the motif is asked for.")
def _(signal, motifs):
    return int(_responses(signal, motifs).max(axis=0).argmax())


@which_motif.mistake("that is the motif that fits worst: take the largest response (argmax).")
def _(signal, motifs):
    return int(_responses(signal, motifs).max(axis=1).argmin())


@which_motif.mistake("the response itself: the number of the motif is asked for (argmax).")
def _(signal, motifs):
    return float(_responses(signal, motifs).max())


@which_motif.mistake(
    "only the place in the middle counts: the motif may be anywhere in the signal."
)
def _(signal, motifs):
    responses = _responses(signal, motifs)
    return int(responses[:, responses.shape[1] // 2].argmax())
