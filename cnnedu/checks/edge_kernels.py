"""The exercises of lesson 2: kernels made by hand, and what a kernel can be made of."""

import numpy as np

from cnnedu.checks.answers import as_numbers
from cnnedu.checks.framework import WrongAnswer, exercise
from cnnedu.checks.sliding import correlate, floats, small_integers
from cnnedu.kernels import kernel as named_kernel

# An edge along a diagonal: one side bright (1), the other dark (0), the diagonal itself between.
_FALLING_EDGE = floats([[0.5, 1, 1], [0, 0.5, 1], [0, 0, 0.5]])
_RISING_EDGE = _FALLING_EDGE[:, ::-1]


def _judge_diagonal(kernel):
    array = as_numbers(kernel)
    if array is None or array.shape != (3, 3):
        came = "not an array of numbers" if array is None else f"of shape {array.shape}"
        return f"the kernel should be an array of shape (3, 3); yours is {came}."
    if not np.isfinite(array).all():
        return "your kernel contains NaN or infinity."
    if not array.any():
        return "your kernel is all zeros: it answers to nothing."
    flat, falling, rising = (
        float(np.sum(array * patch)) for patch in (np.ones((3, 3)), _FALLING_EDGE, _RISING_EDGE)
    )
    size = np.abs(array).max()
    if abs(flat) > 1e-5 * size:
        return (
            f"your kernel answers {flat:.4g} to a flat area of ones, where there is no edge: its "
            "nine weights should sum to 0."
        )
    if max(abs(falling), abs(rising)) < 1e-5 * size:
        return (
            "your kernel answers 0 to a diagonal edge. Give the two sides of the diagonal opposite "
            "signs (a kernel that is the same on both sides finds thin lines or dots, not edges)."
        )
    if abs(abs(falling) - abs(rising)) < 1e-5 * size:
        return (
            f"your kernel answers {falling:.4g} to an edge along one diagonal and {rising:.4g} "
            "along the other, equally strong: it is made for horizontal or vertical edges."
        )
    if min(abs(falling), abs(rising)) > 0.5 * max(abs(falling), abs(rising)):
        return (
            f"your kernel prefers one diagonal, but not by much: {falling:.4g} to an edge along "
            f"one, {rising:.4g} along the other. The weaker should be at most half the stronger."
        )
    return None


@exercise(
    lesson=2,
    cases=[()],
    judge=_judge_diagonal,
    right="one side of the diagonal against the other; bright and dark changing sides changes the "
    "sign of the answer.",
    hint="begin with zeros along a diagonal, positive weights on one side of it, negative ones on "
    "the other. What must the sum be, so that flat areas give 0?",
)
def diagonal_edge_kernel():
    """Return a 3x3 kernel that answers to edges along one diagonal, and not to flat areas.

    An edge has a bright and a dark side; along the other diagonal the answer should be at most
    half as strong. Which diagonal is up to you.
    """
    return floats([[0, 1, 2], [-1, 0, 1], [-2, -1, 0]])


@exercise(
    lesson=2,
    cases=[
        (floats([[0, 0, 0, 1, 1]] * 5),),
        (floats([[0] * 5, [0] * 5, [0] * 5, [1] * 5, [1] * 5]),),
        (np.tri(5)[:, ::-1],),
        (floats([[1, 0, 0, 2, 0, 0], [0, 3, 0, 0, 0, 1], [0, 0, 1, 0, 2, 0]] * 2),),
    ],
    random_case=lambda rng: (rng.random((rng.integers(6, 8), rng.integers(6, 9))).round(1),),
    right="edges in every direction, by one number per pixel, and calm in spite of noise: the "
    "first two steps of Canny's edge detector.",
    hint="correlate three times (valid): the image with gaussian_blur, and the result with each "
    "Sobel kernel; then Pythagoras, pixel by pixel.",
)
def edge_strength(image):
    """Return sqrt(gx**2 + gy**2), with gx, gy the responses of the blurred image to Sobel.

    All correlations are valid: first with gaussian_blur, then with sobel_x and with sobel_y.
    """
    return np.hypot(*_gradients(image))


def _gradients(image, family="sobel", mode="valid", blur="gaussian_blur"):
    calm = correlate(image, named_kernel(blur), mode) if blur else image
    return tuple(correlate(calm, named_kernel(f"{family}_{axis}"), mode) for axis in "xy")


@edge_strength.mistake("the image is not blurred: gaussian_blur comes first, then Sobel.")
def _(image):
    return np.hypot(*_gradients(image, blur=None))


@edge_strength.mistake(
    "you blur the strength, where noise already counts as edges: blur the image, then take Sobel."
)
def _(image):
    return correlate(np.hypot(*_gradients(image, blur=None)), named_kernel("gaussian_blur"))


@edge_strength.mistake("you blur with box_blur: the exercise asks for gaussian_blur.")
def _(image):
    return np.hypot(*_gradients(image, blur="box_blur"))


@edge_strength.mistake(
    "you add the absolute values |gx| + |gy|: a diagonal edge comes out too strong. Use "
    "sqrt(gx**2 + gy**2)."
)
def _(image):
    gx, gy = _gradients(image)
    return np.abs(gx) + np.abs(gy)


@edge_strength.mistake("the square root is missing: gx**2 + gy**2 is the strength squared.")
def _(image):
    gx, gy = _gradients(image)
    return gx**2 + gy**2


@edge_strength.mistake(
    "you add gx + gy with their signs, so that they can cancel: square them first."
)
def _(image):
    gx, gy = _gradients(image)
    return gx + gy


@edge_strength.mistake("you take the larger of |gx| and |gy|: both count, sqrt(gx**2 + gy**2).")
def _(image):
    gx, gy = _gradients(image)
    return np.maximum(np.abs(gx), np.abs(gy))


@edge_strength.mistake("only sobel_x is used, so horizontal edges are lost: bring in sobel_y.")
def _(image):
    return np.abs(_gradients(image)[0])


@edge_strength.mistake("only sobel_y is used, so vertical edges are lost: bring in sobel_x.")
def _(image):
    return np.abs(_gradients(image)[1])


@edge_strength.mistake(
    "your result is as large as the image (mode same): the zeros around it look like an edge. "
    "Keep the valid part."
)
def _(image):
    return np.hypot(*_gradients(image, mode="same"))


@edge_strength.mistake(
    "those are Prewitt's kernels (weights 1, 1, 1): Sobel's weigh the middle row double (1, 2, 1)."
)
def _(image):
    return np.hypot(*_gradients(image, "prewitt"))


@edge_strength.mistake("you take the mean of the two squares: add them, without dividing by 2.")
def _(image):
    return np.hypot(*_gradients(image)) / np.sqrt(2)


@exercise(
    lesson=2,
    cases=[(3, 1.0), (1, 1.0), (3, 0.5), (5, 2.0), (7, 1.5)],
    right="a blur without a preferred direction, which keeps the mean brightness: the first thing "
    "done to most noisy images.",
    hint="x = np.arange(size) - size // 2 puts 0 in the middle; x[:, None] ** 2 + x ** 2 is the "
    "squared distance of every element from it.",
)
def gaussian_kernel(size, sigma):
    """Return the size x size kernel (size odd) of exp(-r**2 / (2 * sigma**2)), with sum 1.

    r is the distance from the middle element, in pixels.
    """
    bell = _bell(size, 2 * sigma**2)
    return bell / bell.sum()


def _bell(size, width, middle=None):
    x = np.arange(size) - (size // 2 if middle is None else middle)
    return np.exp(-(x[:, None] ** 2 + x**2) / width)


@gaussian_kernel.mistake(
    "the weights do not sum to 1, so the image would become brighter: divide by their sum."
)
def _(size, sigma):
    return _bell(size, 2 * sigma**2)


@gaussian_kernel.mistake(
    "divided by 2 pi sigma**2, the weights sum to 1 only over an endless plane: divide by the sum "
    "of the weights that are there."
)
def _(size, sigma):
    return _bell(size, 2 * sigma**2) / (2 * np.pi * sigma**2)


@gaussian_kernel.mistake("too narrow: the exponent is -r**2 / (2 * sigma**2), the 2 is missing.")
def _(size, sigma):
    bell = _bell(size, sigma**2)
    return bell / bell.sum()


@gaussian_kernel.mistake("sigma is not squared: the exponent is -r**2 / (2 * sigma**2).")
def _(size, sigma):
    bell = _bell(size, 2 * sigma)
    return bell / bell.sum()


@gaussian_kernel.mistake("the 2 got squared as well: 2 * sigma**2, not (2 * sigma)**2.")
def _(size, sigma):
    bell = _bell(size, (2 * sigma) ** 2)
    return bell / bell.sum()


@gaussian_kernel.mistake(
    "the bell is not centered: the middle of 0 ... size - 1 is size // 2, not size / 2."
)
def _(size, sigma):
    bell = _bell(size, 2 * sigma**2, middle=size / 2)
    return bell / bell.sum()


@gaussian_kernel.mistake(
    "the peak sits in the corner: measure the distance from the middle element, size // 2."
)
def _(size, sigma):
    bell = _bell(size, 2 * sigma**2, middle=0)
    return bell / bell.sum()


@gaussian_kernel.mistake(
    "the distances run from -1 to 1 whatever the size: sigma is in pixels, so measure them in "
    "pixels, ... -2, -1, 0, 1, 2 ..."
)
def _(size, sigma):
    x = np.linspace(-1, 1, size)
    bell = np.exp(-(x[:, None] ** 2 + x**2) / (2 * sigma**2))
    return bell / bell.sum()


@gaussian_kernel.mistake("the minus sign is missing: the weights should fall away from the middle.")
def _(size, sigma):
    bell = _bell(size, -2 * sigma**2)
    return bell / bell.sum()


@gaussian_kernel.mistake("the distance is not squared: the exponent is -r**2 / (2 * sigma**2).")
def _(size, sigma):
    x = np.arange(size) - size // 2
    bell = np.exp(-np.hypot(x[:, None], x) / (2 * sigma**2))
    return bell / bell.sum()


@gaussian_kernel.mistake(
    "every row sums to 1, so the whole kernel sums to its size: divide by the sum of all weights."
)
def _(size, sigma):
    bell = _bell(size, 2 * sigma**2)
    return bell / bell.sum(axis=1, keepdims=True)


@gaussian_kernel.mistake(
    "that is one row of it: a kernel for images has size x size weights (np.outer makes them)."
)
def _(size, sigma):
    return _bell(size, 2 * sigma**2)[size // 2] / _bell(size, 2 * sigma**2)[size // 2].sum()


def _outer(pair):
    if not isinstance(pair, (tuple, list, np.ndarray)) or len(pair) != 2:
        raise WrongAnswer("return two vectors: `return column, row`")
    column, row = map(as_numbers, pair)
    if column is None or row is None:
        raise WrongAnswer("return two vectors of numbers: `return column, row`")
    if column.size != max(column.shape, default=0) or row.size != max(row.shape, default=0):
        raise WrongAnswer(
            f"return two vectors: yours have the shapes {column.shape} and {row.shape}"
        )
    return np.outer(column, row)


def _rank_one_case(rng):
    column, row = small_integers(rng, rng.integers(2, 5)), small_integers(rng, rng.integers(2, 5))
    column[-1], row[-1] = rng.integers(1, 4), -rng.integers(1, 4)  # never all zeros
    return (np.outer(column, row),)


@exercise(
    lesson=2,
    cases=[
        (np.outer(floats([1, 2, 1]), floats([1, 0, -1])),),
        (np.outer(floats([2, 6]), floats([1, 2, 3])),),
        (np.outer(floats([0, 1, 3]), floats([0, 2, 5])),),
        (floats([[5]]),),
    ],
    random_case=_rank_one_case,
    view=_outer,
    right="two short passes do the work of one wide one: 2k multiplications a pixel instead of "
    "k * k. Sobel is a blur in one direction times a difference in the other.",
    hint="every row of such a kernel is a multiple of one row. Take a row that is not all zeros; "
    "which multiple of it is each of the others? (np.linalg.svd knows as well.)",
)
def separable_factors(matrix):
    """Return two vectors (column, row) whose outer product is the matrix, which has rank one.

    They are not unique: any pair with np.outer(column, row) equal to the matrix is right, and
    that product is what the check shows as your answer.
    """
    u, s, v = np.linalg.svd(matrix)
    return u[:, 0] * s[0], v[0]


def _svd(kernel):
    u, s, v = np.linalg.svd(kernel)
    return u[:, 0], s[0], v[0]


@separable_factors.mistake(
    "the two vectors have changed places: the column comes first, np.outer(column, row)."
)
def _(kernel):
    u, s, v = _svd(kernel)
    return v * s, u


@separable_factors.mistake(
    "the singular value is left out: u and v have length 1, so their product is too small. "
    "Multiply one of them by s[0], or both by its square root."
)
def _(kernel):
    u, _, v = _svd(kernel)
    return u, v


@separable_factors.mistake(
    "the singular value came in twice: multiply one vector by s[0], or both by its square root."
)
def _(kernel):
    u, s, v = _svd(kernel)
    return u * s, v * s


@separable_factors.mistake(
    "a column and a row of the kernel, but the element where they cross counts twice: divide one "
    "of them by it."
)
def _(kernel):
    row, column = np.unravel_index(np.abs(kernel).argmax(), kernel.shape)
    return kernel[:, column], kernel[row]


@separable_factors.mistake(
    "the first column and the first row, but the element where they cross counts twice: divide "
    "one by it, and where it is zero, choose another column and row."
)
def _(kernel):
    return kernel[:, 0], kernel[0]


@separable_factors.mistake(
    "you divide by kernel[0, 0], which can be zero: choose a row and a column that cross at an "
    "element that is not."
)
def _(kernel):
    return kernel[:, 0] / kernel[0, 0], kernel[0]


@separable_factors.mistake(
    "the sums of the rows and of the columns do not make this kernel: where they sum to 0, "
    "nothing is left of it."
)
def _(kernel):
    return kernel.sum(axis=1), kernel.sum(axis=0)
