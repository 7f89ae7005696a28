"""Many numbers per image, drawn as a point in the plane: PCA and t-SNE.

Both squeeze hundreds of directions into two, so both lose nearly everything; PCA says how much,
t-SNE does not. Lesson 9.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from cnnedu.shapes import check_rng

METHODS = ("pca", "tsne")


@dataclass(frozen=True, eq=False)
class Embedding:
    """Points in the plane, one per row of the values they stand for.

    Attributes
    ----------
    method : str
        "pca" or "tsne".
    points : ndarray, shape (N, 2)
    share : ndarray, shape (2,), or None
        PCA: which share of the variance each of the two directions keeps.
    """

    method: str
    points: np.ndarray
    share: np.ndarray | None = None


def embed(
    values: np.ndarray,
    method: str = "pca",
    *,
    perplexity: float = 30.0,
    rng: np.random.Generator | None = None,
) -> Embedding:
    """Give every row of numbers a place in the plane.

    - "pca": the two directions in which the rows differ most. With the mean taken off,
      ``values = U @ diag(s) @ Vt`` and ``points = values @ Vt[:2].T`` (Pearson, 1901; Hotelling,
      1933). Straight, the same every time, and distances can only shrink.
    - "tsne": neighbors stay neighbors, as well as can be done; distances between groups and sizes
      of groups mean nothing (van der Maaten and Hinton, 2008). By scikit-learn.

    Parameters
    ----------
    values : ndarray, shape (N, ...)
        What stands behind each point: pixels, or a layer's outputs; flattened.
    method : {"pca", "tsne"}
    perplexity : float
        t-SNE: about how many neighbors count; lowered if there are few rows.
    rng : numpy.random.Generator, optional
        t-SNE needs it.

    Returns
    -------
    Embedding

    Notes
    -----
    Lesson 9.
    """
    rows = as_rows(values)
    if method not in METHODS:
        raise ValueError(f"method must be 'pca' or 'tsne', got {method!r}")
    if method == "pca":
        return _pca(rows)
    if rng is None:
        raise TypeError("t-SNE draws random numbers: give it rng=np.random.default_rng(0)")
    if perplexity <= 0:
        raise ValueError(f"perplexity must be above 0, got {perplexity!r}")
    from sklearn.manifold import TSNE  # imported late: it takes a second
    from threadpoolctl import threadpool_limits

    tsne = TSNE(
        perplexity=min(perplexity, (len(rows) - 1) / 3),
        init="pca",
        random_state=int(check_rng(rng).integers(2**31)),
    )
    # Its threads wait for each other without sleeping: on a busy machine one is ten times as fast.
    with threadpool_limits(1):
        points = tsne.fit_transform(rows.astype(np.float32))
    return Embedding("tsne", points.astype(np.float64))


def as_rows(values: Any) -> np.ndarray:
    """Return values as rows of float64, (N, numbers); refuse too few, and what is not finite."""
    rows = np.asarray(values)
    if rows.dtype.kind not in "biuf" or rows.ndim < 2:
        raise ValueError(
            f"values must be an array of numbers, (N, ...), one row per point, got "
            f"{rows.dtype} of shape {rows.shape}"
        )
    if len(rows) < 4 or rows.size == 0:
        raise ValueError(f"values must hold at least 4 rows of numbers, got shape {rows.shape}")
    rows = rows.reshape(len(rows), -1).astype(np.float64)
    if not np.isfinite(rows).all():
        raise ValueError("values must be finite, but there are NaN or infinity among them")
    return rows


def _pca(rows: np.ndarray) -> Embedding:
    centered = rows - rows.mean(axis=0)
    _, sizes, directions = np.linalg.svd(centered, full_matrices=False)
    # A direction and its opposite are equally good: take the one whose largest number is positive.
    largest = np.abs(directions).argmax(axis=1)
    directions = directions * np.sign(directions[np.arange(len(directions)), largest])[:, None]
    points, variance = np.zeros((len(rows), 2)), np.zeros(2)
    kept = min(2, len(directions))
    points[:, :kept] = centered @ directions[:kept].T
    variance[:kept] = sizes[:kept] ** 2
    return Embedding("pca", points, variance / (float((sizes**2).sum()) or 1.0))


def neighbor_agreement(values: np.ndarray, labels: np.ndarray, count: int = 5) -> float:
    """Return how often a neighbor has the same label: 1 always, about 1 / classes by chance.

    The mean, over all rows, of the share of their ``count`` nearest others that have the row's own
    label. Of the points in the plane it says how good the picture is, of the values behind them
    how well they tell the labels apart.

    Parameters
    ----------
    values : ndarray, shape (N, ...)
    labels : ndarray, shape (N,)
    count : int
        How many neighbors; fewer if there are fewer rows.

    Returns
    -------
    float
    """
    rows, labels = as_rows(values), np.asarray(labels)
    if labels.shape != (len(rows),):
        raise ValueError(f"labels must have shape ({len(rows)},), got {labels.shape}")
    squares = (rows**2).sum(axis=1)
    distances = squares[:, None] + squares - 2 * rows @ rows.T
    np.fill_diagonal(distances, np.inf)
    count = min(count, len(rows) - 1)
    nearest = np.argpartition(distances, count - 1, axis=1)[:, :count]
    return float((labels[nearest] == labels[:, None]).mean())
