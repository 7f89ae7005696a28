"""What does a network look at? Numbers that answer for one image: occlusion, gradients, Grad-CAM.

Each function asks another question, and none of them asks the network for its reasons, which it
does not have. So a control goes with each answer: ``randomized`` returns the same network with
fresh weights, and ``likeness`` says how much two answers have in common. Lesson 9.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from cnnedu.initializers import glorot_uniform
from cnnedu.layers import Conv2D
from cnnedu.layers.activations import softmax
from cnnedu.network import Sequential
from cnnedu.shapes import check_rng, pair, positive

CHUNK = 500  # covered images computed at a time
SALIENCY_KINDS = ("gradient", "input", "smooth")
STEP_SIZES = tuple(round(0.01 * k, 2) for k in range(1, 51))

# ---------------------------------------------------------------------------------------------
# The control
# ---------------------------------------------------------------------------------------------


def randomized(
    network: Sequential,
    *,
    layers: Iterable[str | int] | None = None,
    initializer=glorot_uniform,
    rng: np.random.Generator,
) -> Sequential:
    """Return the same network with fresh random weights: it has learned nothing.

    A picture that looks the same for it says nothing about what was learned (Adebayo et al., 2018).

    Parameters
    ----------
    network : Sequential
        Not changed.
    layers : iterable of str or int, optional
        Only these get fresh weights, by name or position; all if not given.
    initializer : callable
        Where the weights start (``cnnedu.initializers``); biases start at zero.
    rng : numpy.random.Generator
        Not with the seed that the network was made with: it would draw its own start again.

    Returns
    -------
    Sequential
        A copy of the same layers, shapes and dtype.

    Notes
    -----
    Lesson 9.
    """
    check_network(network)
    check_rng(rng)
    fresh = copy.deepcopy(network)
    chosen = range(len(fresh)) if layers is None else [fresh.position(each) for each in layers]
    for position in chosen:
        params = fresh.layers[position].params
        if "weight" in params:
            weight = params["weight"]
            area = math.prod(weight.shape[2:])
            start = initializer(weight.shape, weight.shape[1] * area, len(weight) * area, rng)
            params["weight"] = start.astype(weight.dtype)
        if "bias" in params:
            params["bias"] = np.zeros_like(params["bias"])
    return fresh


def likeness(a: np.ndarray, b: np.ndarray, *, signed: bool = False) -> float:
    """Return the rank correlation (Spearman's) of two maps: 1 the same order, 0 nothing in common.

    Both are turned into ranks, equal values sharing theirs, and the ranks are correlated. What the
    two are measured in does not matter.

    Parameters
    ----------
    a, b : ndarray of one shape
    signed : bool
        Whether the values count with their signs; if not, by how large they are, as one judges a
        picture by where it is bright.

    Returns
    -------
    float
        NaN where one of them is the same everywhere.

    Notes
    -----
    Adebayo et al. (2018) compare maps in both ways. Lesson 9.

    Examples
    --------
    >>> float(likeness(np.array([1.0, 2.0, -9.0]), np.array([10.0, 20.0, 30.0])))
    1.0
    """
    a, b = np.asarray(a, np.float64), np.asarray(b, np.float64)
    if a.shape != b.shape or a.size == 0:
        raise ValueError(f"a and b must have one shape, not empty, got {a.shape} and {b.shape}")
    from scipy.stats import rankdata  # imported late: it takes longer than NumPy

    ranks = [rankdata(each if signed else np.abs(each)) for each in (a, b)]
    centered = [each - each.mean() for each in ranks]
    norm = math.sqrt(math.prod(float((each**2).sum()) for each in centered))
    return float((centered[0] * centered[1]).sum()) / norm if norm else math.nan


# ---------------------------------------------------------------------------------------------
# What is asked of all of them
# ---------------------------------------------------------------------------------------------


def check_network(network: Any) -> Sequential:
    """Check that it is a network, and return it."""
    if not isinstance(network, Sequential):
        raise TypeError(f"network must be a Sequential, got {type(network).__name__}")
    return network


def one_image(network: Sequential, image: Any) -> np.ndarray:
    """Return one image as a batch of one, (1, C, H, W), in the network's dtype.

    Takes (H, W), (C, H, W) or (1, C, H, W).
    """
    check_network(network)
    if not isinstance(image, np.ndarray):
        raise TypeError(
            f"image must be a NumPy array, (C, H, W), got {type(image).__name__}; one image of a "
            "data set is data.test.images[0]"
        )
    batch = image[(None,) * max(0, 4 - image.ndim)]
    if batch.ndim != 4 or len(batch) != 1:
        raise ValueError(
            f"image must be a single image, (H, W), (C, H, W) or (1, C, H, W), got {image.shape}; "
            "choose one, such as images[0]"
        )
    return network.check_images(batch)


def scores_of(network: Sequential, batch: np.ndarray) -> np.ndarray:
    """Return the scores (N, classes) of a batch; refuse networks that do not end in them."""
    network.check_ends_in_logits()
    scores = network.logits(batch)
    if scores.ndim != 2:
        raise ValueError(
            f"the network must put out one score per class, (N, classes), but it puts out "
            f"{scores.shape}: end it with Flatten() and Dense(...)"
        )
    return scores


def as_target(scores: np.ndarray, target: Any) -> int:
    """Return the class that is asked about: the network's own answer if it is None."""
    if target is None:
        return int(scores[0].argmax())
    is_whole = isinstance(target, int | np.integer) and not isinstance(target, bool)
    if not is_whole or not 0 <= target < scores.shape[1]:
        raise ValueError(
            f"target must be a class from 0 to {scores.shape[1] - 1}, or None for the network's "
            f"own answer, got {target!r}"
        )
    return int(target)


# ---------------------------------------------------------------------------------------------
# Occlusion
# ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Occlusion:
    """What a square that covers a part of the image changes.

    Attributes
    ----------
    target : int
        The class asked about.
    score : float
        Its score for the whole image.
    scores : ndarray, shape (P, Q)
        Its score with the square in each place.
    answers : ndarray of int64, shape (P, Q)
        The network's answer with the square in each place.
    rows, columns : ndarray of int, shapes (P,) and (Q,)
        The first pixel row and column that the square covers.
    size : (int, int)
        Of the square.
    image_size : (int, int)
    """

    target: int
    score: float
    scores: np.ndarray
    answers: np.ndarray
    rows: np.ndarray
    columns: np.ndarray
    size: tuple[int, int]
    image_size: tuple[int, int]

    @property
    def drop(self) -> np.ndarray:
        """How far the score falls, (P, Q): positive where the square covers what speaks for it."""
        return self.score - self.scores

    def pixels(self) -> np.ndarray:
        """Return the mean drop over all squares that cover each pixel, (H, W)."""
        total, count = np.zeros(self.image_size), np.zeros(self.image_size)
        for p, top in enumerate(self.rows):
            for q, left in enumerate(self.columns):
                covered = slice(top, top + self.size[0]), slice(left, left + self.size[1])
                total[covered] += self.drop[p, q]
                count[covered] += 1
        return total / np.maximum(count, 1)


def occlusion(
    network: Sequential,
    image: np.ndarray,
    target: int | None = None,
    size: int | tuple[int, int] = 5,
    stride: int | tuple[int, int] = 1,
    *,
    fill: float | Sequence[float] = 0.0,
    measure: str = "probability",
) -> Occlusion:
    """Cover a part of the image, ask the network again, and note how far the score falls.

    ``drop[p, q] = score(image) - score(image with image[:, rows[p]:rows[p] + size,
    columns[q]:columns[q] + size] = fill)``, for all places of the square (Zeiler and Fergus, 2014).

    Parameters
    ----------
    network : Sequential
    image : ndarray, shape (C, H, W)
        Or (H, W), or (1, C, H, W); float.
    target : int, optional
        The class asked about; the network's own answer if not given.
    size : int or (rows, columns)
        Of the square, in pixels.
    stride : int or (rows, columns)
        From one place to the next. A last place at the edge makes sure that all pixels get covered.
    fill : float or one number per channel
        What the square is filled with. There is no neutral value: 0 is "no ink" on digits.
    measure : {"probability", "logit"}
        What the score is.

    Returns
    -------
    Occlusion

    Notes
    -----
    Lesson 9.

    Examples
    --------
    >>> from cnnedu import Dense, Flatten
    >>> layer = Dense(4, 2, rng=np.random.default_rng(0))
    >>> layer.params["weight"] = np.array([[1, 2, 3, 4], [0, 0, 0, 0]], np.float32)
    >>> found = occlusion(Sequential([Flatten(), layer]), np.ones((1, 2, 2), np.float32), 0, 1,
    ...                   measure="logit")
    >>> found.drop.tolist()
    [[1.0, 2.0], [3.0, 4.0]]
    """
    batch = one_image(network, image)
    whole = scores_of(network, batch)
    target = as_target(whole, target)
    if measure not in ("probability", "logit"):
        raise ValueError(f"measure must be 'probability' or 'logit', got {measure!r}")
    size, stride = pair(size, "size"), pair(stride, "stride")
    channels, height, width = batch.shape[1:]
    if size[0] > height or size[1] > width:
        raise ValueError(
            f"size must fit into the image of {height} x {width} pixels, got {size[0]} x {size[1]}"
        )
    rows, columns = (_places(*axis) for axis in zip((height, width), size, stride, strict=True))
    fill = _as_fill(fill, channels, batch.dtype)
    corners = [(top, left) for top in rows for left in columns]
    found = []
    for start in range(0, len(corners), CHUNK):
        covered = np.repeat(batch, len(corners[start : start + CHUNK]), axis=0)
        for each, (top, left) in zip(covered, corners[start : start + CHUNK], strict=True):
            each[:, top : top + size[0], left : left + size[1]] = fill
        found.append(network.logits(covered))
    found = np.concatenate(found)
    answers = found.argmax(axis=1)
    if measure == "probability":
        whole, found = softmax(whole), softmax(found)
    shape = len(rows), len(columns)
    return Occlusion(
        target,
        float(whole[0, target]),
        found[:, target].reshape(shape).astype(np.float64),
        answers.reshape(shape),
        rows,
        columns,
        size,
        (height, width),
    )


def _places(length: int, size: int, stride: int) -> np.ndarray:
    """Return where the square begins along one axis; the last place ends at the edge."""
    places = list(range(0, length - size + 1, stride))
    if places[-1] != length - size:
        places.append(length - size)
    return np.array(places)


def _as_fill(fill: Any, channels: int, dtype) -> np.ndarray:
    values = np.asarray(fill, dtype=np.float64)
    if values.shape not in ((), (channels,)) or not np.isfinite(values).all():
        raise ValueError(
            f"fill must be one number, or one for each of the {channels} channels, got {fill!r}"
        )
    return np.broadcast_to(values, (channels,))[:, None, None].astype(dtype)


# ---------------------------------------------------------------------------------------------
# Gradients
# ---------------------------------------------------------------------------------------------


def saliency(
    network: Sequential,
    image: np.ndarray,
    target: int | None = None,
    *,
    kind: str = "gradient",
    noise: float = 0.1,
    samples: int = 25,
    rng: np.random.Generator | None = None,
) -> np.ndarray:
    """Return how much a class's score rises if a pixel gets a little brighter.

    - "gradient": ``S = d logits[target] / d image`` (Simonyan et al., 2014).
    - "input": ``S * image``, each pixel's share in a score that were linear (Shrikumar et al.,
      2016). Where the image is 0 it is 0, whatever the network.
    - "smooth": the mean of ``S`` over ``image + noise * (max - min) * normal numbers`` (Smilkov et
      al., 2017).

    Parameters
    ----------
    network : Sequential
    image : ndarray, shape (C, H, W)
        Or (H, W), or (1, C, H, W); float.
    target : int, optional
        The class asked about; the network's own answer if not given.
    kind : {"gradient", "input", "smooth"}
    noise : float
        For "smooth": how much, as a share of the image's range.
    samples : int
        For "smooth": how many noisy images.
    rng : numpy.random.Generator, optional
        Draws the noise; "smooth" needs it.

    Returns
    -------
    ndarray, shape (C, H, W)
        Signed.

    Notes
    -----
    Of the logit, not of the probability, whose gradient vanishes where the network is sure.
    Lesson 9.
    """
    batch = one_image(network, image)
    target = as_target(scores_of(network, batch), target)
    if kind not in SALIENCY_KINDS:
        raise ValueError(f"kind must be one of {', '.join(SALIENCY_KINDS)}, got {kind!r}")
    if kind != "smooth":
        gradient = network.gradients(batch, target)["input"][0]
        return gradient * batch[0] if kind == "input" else gradient
    if rng is None:
        raise TypeError("kind 'smooth' draws random numbers: give it rng=np.random.default_rng(0)")
    if noise < 0:
        raise ValueError(f"noise must be 0 or more, got {noise!r}")
    spread = noise * float(np.ptp(batch))
    drawn = check_rng(rng).normal(0, spread, (positive(samples, "samples"), *batch.shape[1:]))
    noisy = (batch + drawn).astype(batch.dtype)
    return network.gradients(noisy, target)["input"].mean(axis=0)


def strongest_channel(values: np.ndarray) -> np.ndarray:
    """Return (H, W) from (C, H, W): at each pixel the value of largest magnitude, with its sign.

    Simonyan et al. (2014) take the magnitude alone.
    """
    winner = np.abs(values).argmax(axis=0)
    return np.take_along_axis(values, winner[None], axis=0)[0]


def grad_cam(
    network: Sequential,
    image: np.ndarray,
    target: int | None = None,
    layer: str | int | None = None,
    *,
    average: bool = True,
    signed: bool = False,
) -> np.ndarray:
    """Weigh a layer's maps by how much the class's score depends on each, and add them up.

    ``alpha[k] = mean over i, j of d logits[target] / d maps[k, i, j]``, and the result is
    ``max(0, sum over k of alpha[k] * maps[k])`` (Selvaraju et al., 2017).

    Parameters
    ----------
    network : Sequential
    image : ndarray, shape (C, H, W)
        Or (H, W), or (1, C, H, W); float.
    target : int, optional
        The class asked about; the network's own answer if not given.
    layer : str or int, optional
        Whose maps, by name or position; ``last_maps(network)`` if not given.
    average : bool
        If False, each place is weighed by its own gradient, ``sum over k of gradient * maps``
        (Draelos and Carin, 2020): right also where it matters at which place something stands.
    signed : bool
        Keep what speaks against the class, too.

    Returns
    -------
    ndarray, shape (P, Q)
        As coarse as the layer's maps.

    Notes
    -----
    Lesson 9.
    """
    batch = one_image(network, image)
    target = as_target(scores_of(network, batch), target)
    name = maps_layer(network, batch.shape[1:], layer)
    maps = network.activations(batch)[name][0]
    alpha = network.gradients(batch, target)[name][0]
    if average:
        alpha = alpha.mean(axis=(1, 2), keepdims=True)
    combined = (alpha * maps).sum(axis=0)
    return combined if signed else np.maximum(combined, 0)


def maps_layer(
    network: Sequential, input_shape: tuple[int, int, int], layer: str | int | None = None
) -> str:
    """Return the name of a layer with maps; of the last ones before a pooling if none is given.

    That is the last convolution, with what follows it and leaves the shape alone (ReLU, tanh).

    Raises
    ------
    ValueError
        If the layer has no maps, or there is none that has.
    """
    shapes = [shape for _, shape in network.shapes(input_shape)]
    if layer is not None:
        position = network.position(layer)
        if len(shapes[position]) != 3:
            have = [n for n, shape in zip(network.names, shapes, strict=True) if len(shape) == 3]
            raise ValueError(
                f"layer {network.names[position]!r} has no maps, one output has shape "
                f"{shapes[position]}; layers with maps: {', '.join(have) or 'none'}"
            )
        return network.names[position]
    convolutions = [i for i, each in enumerate(network.layers) if isinstance(each, Conv2D)]
    if not convolutions:
        raise ValueError("the network has no convolution layer: say which layer's maps, layer=")
    position = convolutions[-1]
    while position + 1 < len(shapes) and shapes[position + 1] == shapes[position]:
        position += 1
    return network.names[position]


# ---------------------------------------------------------------------------------------------
# An image made for one unit
# ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Maximization:
    """Images made from noise so that units answer to them strongly.

    Attributes
    ----------
    layer : str
    units : tuple of tuple of int
        The unit of each image: (class,) or (channel, row, column).
    images : ndarray, shape (K, C, H, W)
    start, values : ndarray, shape (K,)
        What each unit answers to the noise, and to its image.
    """

    layer: str
    units: tuple[tuple[int, ...], ...]
    images: np.ndarray
    start: np.ndarray
    values: np.ndarray


def maximize(
    network: Sequential,
    layer: str | int,
    units: Any,
    *,
    steps: int = 100,
    step: float = 0.05,
    blur: float = 0.4,
    jitter: int = 1,
    decay: float = 0.005,
    gray: float = 0.5,
    noise: float = 0.3,
    limits: tuple[float, float] = (0.0, 1.0),
    input_shape: tuple[int, int, int] | None = None,
    rng: np.random.Generator,
) -> Maximization:
    """Begin with noise and change it, step by step, toward what excites a unit more.

    In each step ``image += step * g / max(abs(g))``, where ``g`` is the gradient of the unit's
    value with respect to the image (Erhan et al., 2009). Without further rules the result is noise
    to the eye; three keep it smooth (Yosinski et al., 2015): a gradient measured on a shifted image
    (jitter), a pull toward gray (decay), and a blur.

    Parameters
    ----------
    network : Sequential
    layer : str or int
        By name or position. Take "conv2" rather than "relu2": a ReLU that is silent has no
        gradient to follow.
    units : int, tuple, or list of them
        A class or channel (the unit in the middle of its map), or (channel, row, column); of a list
        one image each.
    steps : int
        0 returns the noise.
    step : float
        How far the pixel with the largest gradient moves.
    blur : float
        Standard deviation of the blur after each step, in pixels; 0 for none.
    jitter : int
        How many pixels the image is shifted at most; 0 for not.
    decay : float
        The share of its distance from gray that each pixel loses per step.
    gray : float
        Where the images begin, with some noise, and what pixels fall back to that do not matter.
    noise : float
        Standard deviation of the noise. With too little, every ReLU on the way may be silent, and
        there is no gradient to follow.
    limits : (float, float)
        The smallest and largest value of a pixel.
    input_shape : tuple of int, optional
        (C, H, W); needed if the network was made without it.
    rng : numpy.random.Generator
        Draws the noise and the shifts.

    Returns
    -------
    Maximization

    Notes
    -----
    Lesson 9.
    """
    check_network(network)
    check_rng(rng)
    shape = network.input_shape if input_shape is None else tuple(input_shape)
    if shape is None:
        raise ValueError("the network was made without an input shape: give input_shape=(C, H, W)")
    low, high = limits
    if not low < high or not low <= gray <= high:
        raise ValueError(f"gray must lie within limits, got gray={gray!r} and limits={limits!r}")
    settings = {"steps": steps, "blur": blur, "jitter": jitter, "decay": decay, "noise": noise}
    for setting, value in settings.items():
        if value < 0:
            raise ValueError(f"{setting} must be 0 or more, got {value!r}")
    name = network.names[network.position(layer)]
    output = dict(zip(network.names, (s for _, s in network.shapes(shape)), strict=True))[name]
    units = as_units(units, output, name)
    wanted = np.zeros((len(units), *output), network.dtype)
    for index, unit in enumerate(units):
        wanted[(index, *unit)] = 1
    images = gray + rng.normal(0, noise, (len(units), *shape))
    images = np.clip(images, low, high).astype(network.dtype)
    start = _values(network, images, name, units)
    for _ in range(steps):
        shift = tuple(rng.integers(-jitter, jitter + 1, 2))
        gradient = network.gradients(np.roll(images, shift, (2, 3)), wanted, layer=name)["input"]
        gradient = np.roll(gradient, (-shift[0], -shift[1]), (2, 3))
        largest = np.abs(gradient).max(axis=(1, 2, 3), keepdims=True)
        images = images + step * np.divide(
            gradient, largest, out=np.zeros_like(gradient), where=largest > 0
        )
        images = blurred(gray + (1 - decay) * (images - gray), blur)
        images = np.clip(images, low, high).astype(network.dtype)
    return Maximization(name, units, images, start, _values(network, images, name, units))


def as_units(units: Any, output: tuple[int, ...], name: str) -> tuple[tuple[int, ...], ...]:
    """Return the index of each unit in one output of a layer; a channel means its middle unit."""
    listed = [units] if isinstance(units, int | np.integer | tuple) else list(units)
    if not listed:
        raise ValueError("units is empty: name at least one, such as [0, 1, 2]")
    found = []
    for unit in listed:
        index = unit if isinstance(unit, tuple) else (unit,)
        if len(index) == 1 and len(output) == 3:
            index = (*index, output[1] // 2, output[2] // 2)
        whole = all(isinstance(i, int | np.integer) and not isinstance(i, bool) for i in index)
        if (
            len(index) != len(output)
            or not whole
            or not all(0 <= i < size for i, size in zip(index, output, strict=True))
        ):
            wanted = f"a number from 0 to {output[0] - 1}"
            if len(output) == 3:
                wanted += f", or (channel, row, column) within {output}"
            raise ValueError(f"a unit of {name} must be {wanted}, got {unit!r}")
        found.append(tuple(int(i) for i in index))
    return tuple(found)


def _values(network: Sequential, images: np.ndarray, name: str, units) -> np.ndarray:
    outputs = network.activations(images)[name]
    return np.array([outputs[(index, *unit)] for index, unit in enumerate(units)])


def blurred(images: np.ndarray, sigma: float) -> np.ndarray:
    """Blur images (..., H, W) with a Gaussian; beyond the edge, its pixels go on."""
    radius = math.ceil(3 * sigma)
    if radius == 0:
        return images
    offsets = np.arange(-radius, radius + 1)
    bell = np.exp(-(offsets**2) / (2 * sigma**2))
    bell = (bell / bell.sum()).astype(images.dtype)
    for axis in (-2, -1):
        width = [(0, 0)] * images.ndim
        width[axis] = (radius, radius)
        padded = np.pad(images, width, mode="edge")
        windows = np.lib.stride_tricks.sliding_window_view(padded, len(bell), axis=axis)
        images = windows @ bell
    return images


# ---------------------------------------------------------------------------------------------
# A small step that changes the answer
# ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Adversarial:
    """What small steps against a network do.

    Attributes
    ----------
    label : int
        The class that the steps lead away from.
    size : float or None
        The smallest of the steps tried that changed the answer; None if none did.
    direction : ndarray, shape (C, H, W)
        What was added to the image, per unit of size: -1, 0 or 1 for each pixel.
    image : ndarray, shape (C, H, W)
        The image after that step; after the largest one if none changed the answer.
    before, after : ndarray, shape (classes,)
        The probabilities of the image as it was, and of `image`.
    sizes : ndarray, shape (S,)
        The steps tried.
    answers : ndarray of int64, shape (S,)
        The network's answer after each.
    """

    label: int
    size: float | None
    direction: np.ndarray
    image: np.ndarray
    before: np.ndarray
    after: np.ndarray
    sizes: np.ndarray
    answers: np.ndarray


def adversarial(
    network: Sequential,
    image: np.ndarray,
    label: int | None = None,
    *,
    sizes: Sequence[float] = STEP_SIZES,
    limits: tuple[float, float] = (0.0, 1.0),
    direction: np.ndarray | None = None,
) -> Adversarial:
    """Change every pixel by the same small amount, up or down, so that the loss rises most.

    ``image + size * sign(d loss / d image)``, cut off at the limits; the loss is the cross-entropy
    of ``label`` (the fast gradient sign method of Goodfellow et al., 2015). The sizes are tried
    from the smallest on.

    Parameters
    ----------
    network : Sequential
    image : ndarray, shape (C, H, W)
        Or (H, W), or (1, C, H, W); float.
    label : int, optional
        The class to lead away from; the network's own answer if not given.
    sizes : sequence of float
        Positive and rising.
    limits : (float, float)
        The smallest and largest value of a pixel.
    direction : ndarray, shape (C, H, W), optional
        Another direction than the gradient's sign: random signs make a control.

    Returns
    -------
    Adversarial

    Raises
    ------
    ValueError
        If the network reads the image as something else than ``label`` already.

    Notes
    -----
    Lesson 9.
    """
    batch = one_image(network, image)
    scores = scores_of(network, batch)
    label = as_target(scores, label)
    own = int(scores[0].argmax())
    if own != label:
        raise ValueError(
            f"the network reads this image as {own} already, not as {label}: there is no answer "
            "to change; leave label out, or take another image"
        )
    sizes = np.asarray(sizes, np.float64)
    if sizes.ndim != 1 or not len(sizes) or sizes[0] <= 0 or (np.diff(sizes) <= 0).any():
        raise ValueError(f"sizes must be positive and rising, got {sizes.tolist()}")
    if direction is None:
        direction = np.sign(_loss_gradient(network, batch, scores, label))
    direction = np.asarray(direction, batch.dtype)
    if direction.shape != batch.shape[1:]:
        raise ValueError(
            f"direction must have the shape of the image, {batch.shape[1:]}, got {direction.shape}"
        )
    steps = sizes[:, None, None, None].astype(batch.dtype) * direction
    moved = np.clip(batch + steps, *limits).astype(batch.dtype)
    found = network.logits(moved)
    answers = found.argmax(axis=1)
    changed = np.flatnonzero(answers != label)
    best = int(changed[0]) if len(changed) else len(sizes) - 1
    return Adversarial(
        label,
        float(sizes[best]) if len(changed) else None,
        direction,
        moved[best],
        softmax(scores)[0],
        softmax(found)[best],
        sizes,
        answers,
    )


def _loss_gradient(network, batch, scores, label) -> np.ndarray:
    """Return the direction of d loss / d image, (C, H, W), even where the network is all but sure.

    The gradient at the logits is ``softmax - one_hot``. Rounded, it can be all zero; its direction
    is known all the same, since its numbers sum to zero.
    """
    others = np.exp(
        (scores[0] - np.delete(scores[0], label).max()).astype(np.float64).clip(-700, 0)
    )
    others[label] = 0
    gradient = others / others.sum()
    gradient[label] = -1
    return network.gradients(batch, gradient[None].astype(batch.dtype))["input"][0]
