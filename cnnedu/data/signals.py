"""Signals of one dimension whose answer is known: one of four motifs is hidden in noise."""

from collections.abc import Iterator
from dataclasses import dataclass
from numbers import Real

import numpy as np

from cnnedu.shapes import check_images, check_rng, positive

MOTIF_NAMES = ("chirp up", "chirp down", "two clicks", "tone")


@dataclass(frozen=True)
class Signals:
    """Signals with their labels, and where in each of them the motif begins.

    Unpacks as ``images, labels = signals``, as `cnnedu.fit` takes it.

    Attributes
    ----------
    images : ndarray, shape (N, 1, 1, T), float32
        Images of one row. Not pixels: noise around 0, with standard deviation 1.
    labels : ndarray, shape (N,), int64
        Which motif, a row of `HiddenMotifs.motifs`.
    positions : ndarray, shape (N,), int64
        The step at which it begins.
    """

    images: np.ndarray
    labels: np.ndarray
    positions: np.ndarray

    def __len__(self) -> int:
        """Return the number of signals."""
        return len(self.labels)

    def __iter__(self) -> Iterator[np.ndarray]:
        """Unpack into two arrays: the images, then the labels."""
        return iter((self.images, self.labels))


@dataclass(frozen=True)
class HiddenMotifs:
    """A task that can be solved as well as possible by hand, made by `hidden_motifs`.

    Attributes
    ----------
    train, test : Signals
    motifs : ndarray, shape (K, k), float64
        The motifs, each with mean 0 and length 1 (its squares add up to 1).
    class_names : tuple of str
    strength : float
        What the motifs were multiplied by before they were added to the noise.
    """

    train: Signals
    test: Signals
    motifs: np.ndarray
    class_names: tuple[str, ...]
    strength: float

    def __repr__(self) -> str:
        """Describe the task in one line."""
        length = self.train.images.shape[3]
        return (
            f"HiddenMotifs({len(self.train):,} signals of {length} steps to train, "
            f"{len(self.test):,} to test; motifs of {self.motifs.shape[1]} steps, "
            f"strength {self.strength:g})"
        )


def make_motifs(length: int = 24) -> np.ndarray:
    """Return four short sounds: a chirp up, a chirp down, two clicks, a tone.

    A chirp is a wave whose frequency rises, or falls, from 0.05 to 0.45 waves per step; the tone
    keeps to 0.08. All three swell and fade (a Hann window). Each motif has mean 0, and its squares
    add up to 1.

    Parameters
    ----------
    length : int
        Steps of a motif, at least 12.

    Returns
    -------
    ndarray, shape (4, length), float64
        In the order of `MOTIF_NAMES`.

    Raises
    ------
    TypeError, ValueError
        If `length` is no whole number, or too small.
    """
    length = positive(length, "length")
    if length < 12:
        raise ValueError(
            f"length must be at least 12, got {length}; shorter motifs can hardly be told apart"
        )
    step = np.arange(length) - (length - 1) / 2  # 0 in the middle
    window = np.hanning(length + 2)[1:-1]
    # The frequency is the slope of the phase: 0.25 in the middle, 0.05 and 0.45 at the ends.
    up = np.sin(2 * np.pi * (0.25 * step + 0.2 * step**2 / (length - 1))) * window
    tone = np.sin(2 * np.pi * 0.08 * step) * window
    clicks = np.zeros(length)
    for middle in (length // 4, length - 1 - length // 4):
        clicks[middle - 1 : middle + 2] = -0.5, 1.0, -0.5
    motifs = np.stack([up, up[::-1], clicks, tone])
    motifs -= motifs.mean(axis=1, keepdims=True)
    return motifs / np.linalg.norm(motifs, axis=1, keepdims=True)


def hidden_motifs(
    n_train: int = 2000,
    n_test: int = 1000,
    *,
    length: int = 128,
    motif_length: int = 24,
    strength: float = 5.0,
    rng: np.random.Generator,
) -> HiddenMotifs:
    """Hide one of four motifs at a random place in noise, many times.

    ``signal = noise``, normal with standard deviation 1, and ``signal[p : p + k] += strength *
    motif``. All places at which the whole motif fits are equally likely. Since motifs and noise are
    known, so is the best that any method can do: see `matched_filter` and `optimal_scores`.

    Parameters
    ----------
    n_train, n_test : int
        How many signals; the four motifs take turns, in random order.
    length, motif_length : int
        Steps of a signal and of a motif.
    strength : float
        How much louder the motif is than its unit length; 0 hides nothing.
    rng : numpy.random.Generator

    Returns
    -------
    HiddenMotifs

    Raises
    ------
    TypeError, ValueError
        If an argument makes no sense, or the motif is longer than the signal.

    Notes
    -----
    Lesson 10.

    Examples
    --------
    >>> task = hidden_motifs(100, 10, rng=np.random.default_rng(0))
    >>> task.train.images.shape
    (100, 1, 1, 128)
    """
    check_rng(rng)
    n_train, n_test = positive(n_train, "n_train"), positive(n_test, "n_test")
    length = positive(length, "length")
    motifs = make_motifs(motif_length)
    if length < motif_length:
        raise ValueError(
            f"length must be at least motif_length, got {length} and {motif_length}; "
            "the motif must fit into the signal"
        )
    if not (isinstance(strength, Real) and np.isfinite(strength) and strength >= 0):
        raise ValueError(f"strength must be a number from 0 on, got {strength!r}")
    train, test = (_hide(motifs, count, length, strength, rng) for count in (n_train, n_test))
    return HiddenMotifs(train, test, motifs, MOTIF_NAMES, float(strength))


def _hide(motifs, count: int, length: int, strength: float, rng) -> Signals:
    labels = rng.permutation(np.arange(count) % len(motifs))
    positions = rng.integers(0, length - motifs.shape[1] + 1, count)
    signals = rng.normal(size=(count, length))
    steps = positions[:, np.newaxis] + np.arange(motifs.shape[1])
    signals[np.arange(count)[:, np.newaxis], steps] += strength * motifs[labels]
    return Signals(signals.astype(np.float32)[:, np.newaxis, np.newaxis], labels, positions)


def matched_filter(images: np.ndarray, motifs: np.ndarray) -> np.ndarray:
    """Correlate each signal with each motif, at every place where the motif fits.

    ``responses[n, m, p] = sum over i of images[n, 0, 0, p + i] * motifs[m, i]``. In white noise no
    other linear filter raises a motif higher above the noise. The place and motif with the largest
    response are the likeliest, if all motifs have the same length (sum of squares).

    Parameters
    ----------
    images : ndarray, shape (N, 1, 1, T)
    motifs : ndarray, shape (K, k)

    Returns
    -------
    ndarray, shape (N, K, T - k + 1), float64

    Raises
    ------
    TypeError, ValueError
        If the shapes are others, or the motifs are longer than the signals.

    Notes
    -----
    D. O. North, *An analysis of the factors which determine signal/noise discrimination in pulsed
    carrier systems*, 1943; reprinted in Proceedings of the IEEE 51, 1963. Lesson 10.
    """
    signals, motifs = _read_signals(images), _read_motifs(motifs)
    if motifs.shape[1] > signals.shape[1]:
        raise ValueError(
            f"motifs of {motifs.shape[1]} steps do not fit into signals of {signals.shape[1]} steps"
        )
    windows = np.lib.stride_tricks.sliding_window_view(signals, motifs.shape[1], axis=1)
    return np.ascontiguousarray((windows @ motifs.T).transpose(0, 2, 1))


def optimal_scores(images: np.ndarray, motifs: np.ndarray, strength: float) -> np.ndarray:
    """Return how likely each motif is, as logits: no classifier can be right more often.

    ``scores[n, m] = log(mean over p of exp(strength * responses[n, m, p]))``, with the responses of
    `matched_filter`. It is the log of the likelihood ratio between "motif m somewhere" and "only
    noise" for motifs of length 1 (up to ``strength**2 / 2``, the same for all); softmax makes the
    posterior probabilities of equally frequent motifs.

    Parameters
    ----------
    images : ndarray, shape (N, 1, 1, T)
        Noise of standard deviation 1 with a motif of this strength.
    motifs : ndarray, shape (K, k)
    strength : float

    Returns
    -------
    ndarray, shape (N, K), float64

    Raises
    ------
    TypeError, ValueError
        As `matched_filter`, and if the motifs are not of length 1.
    """
    lengths = np.linalg.norm(_read_motifs(motifs), axis=1)
    if not np.allclose(lengths, 1):
        raise ValueError(
            f"motifs must have length 1, got {lengths.min():.3g} to {lengths.max():.3g}; "
            "divide each by np.linalg.norm"
        )
    exponents = strength * matched_filter(images, motifs)
    top = exponents.max(axis=2, keepdims=True)
    return top[:, :, 0] + np.log(np.exp(exponents - top).mean(axis=2))


def match_kernels(kernels: np.ndarray, motifs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Compare kernels with motifs, wherever in a kernel the motif sits.

    A kernel that has learned a motif three steps too early serves as well, so each motif is moved
    along the kernel (zeros beyond its ends), and the best place counts.

    Parameters
    ----------
    kernels : ndarray, shape (F, 1, 1, k) or (F, k)
    motifs : ndarray, shape (K, k)

    Returns
    -------
    likeness : ndarray, shape (F, K)
        The cosine of the angle between kernel and moved motif, from -1 to 1: the one with the
        largest magnitude. 0 for a kernel of zeros.
    shifts : ndarray, shape (F, K), int64
        How many steps to the right the motif was moved for it.

    Raises
    ------
    TypeError, ValueError
        If the shapes are others.
    """
    kernels = np.asarray(kernels)
    if kernels.ndim == 4 and kernels.shape[1:3] == (1, 1):
        kernels = kernels[:, 0, 0]
    kernels, motifs = _read_motifs(kernels, "kernels"), _read_motifs(motifs)
    likeness = np.zeros((len(kernels), len(motifs)))
    shifts = np.zeros(likeness.shape, np.int64)
    for (f, m), _ in np.ndenumerate(likeness):
        products = np.correlate(kernels[f], motifs[m], "full")
        best = int(np.abs(products).argmax())
        lengths = np.linalg.norm(kernels[f]) * np.linalg.norm(motifs[m])
        likeness[f, m] = products[best] / lengths if lengths else 0.0
        shifts[f, m] = best - (motifs.shape[1] - 1)
    return likeness, shifts


def closest_kernels(kernels: np.ndarray, motifs: np.ndarray) -> np.ndarray:
    """Return for each motif the kernel most like it, moved to where the motif is.

    Parameters
    ----------
    kernels : ndarray, shape (F, 1, 1, k) or (F, k)
    motifs : ndarray, shape (K, T)

    Returns
    -------
    ndarray, shape (K, T)
        ``closest[m, i] = kernel[i + shift]`` for the kernel with the largest likeness and its shift
        by `match_kernels`; 0 where the kernel does not reach. The squares of a row add up to 1.

    Raises
    ------
    TypeError, ValueError
        If the shapes are others.
    """
    likeness, shifts = match_kernels(kernels, motifs)
    kernels = np.asarray(kernels, np.float64).reshape(len(kernels), -1)
    closest = np.zeros(np.shape(motifs))
    for m, f in enumerate(likeness.argmax(axis=0)):
        steps = np.arange(closest.shape[1]) + shifts[f, m]
        inside = (steps >= 0) & (steps < kernels.shape[1])
        closest[m, inside] = kernels[f, steps[inside]]
        closest[m] /= np.linalg.norm(closest[m]) or 1.0
    return closest


def _read_signals(images) -> np.ndarray:
    images = check_images(images, 1, name="images")
    if images.shape[2] != 1:
        raise ValueError(
            f"images must be signals of shape (N, 1, 1, T), images of one row, got {images.shape}"
        )
    return images[:, 0, 0].astype(np.float64)


def _read_motifs(motifs, name: str = "motifs") -> np.ndarray:
    array = np.asarray(motifs, np.float64)
    if array.ndim != 2 or 0 in array.shape or not np.isfinite(array).all():
        raise ValueError(
            f"{name} must be finite numbers of shape (number of {name}, steps), "
            f"got shape {array.shape}"
        )
    return array
