"""Images as points in the plane: where a layer puts them, and where random weights do."""

import numpy as np

from cnnedu.embedding import METHODS, as_rows, embed, neighbor_agreement
from cnnedu.visualization.attribution import control_network, generator
from cnnedu.visualization.figures import (
    PAGE_WIDTH,
    Figure,
    bare,
    drawn,
    finish,
    halo,
    plural,
    points,
    root_figure,
    size,
)
from cnnedu.visualization.inputs import as_array, is_network

MOST_POINTS = 3000
MOST_CLASSES = 20
METHOD_NAMES = {"pca": "PCA", "tsne": "t-SNE"}
BATCH = 200
# All dark enough for thin marks on white (CIE L* at most 55); hues that are alike stand apart.
CLASS_COLORS = (
    "#0072b2",
    "#d55e00",
    "#00614a",
    "#a8518a",
    "#333333",
    "#6b4c00",
    "#5b3a8c",
    "#008f68",
    "#8c2d04",
    "#00568b",
)


@drawn
def plot_embedding(
    values,
    labels,
    *,
    images=None,
    layer: str | int | None = None,
    methods=("pca", "tsne"),
    control=True,
    perplexity: float = 30.0,
    rng: np.random.Generator | None = None,
    title: str | None = None,
    axes=None,
):
    """Draw many rows of numbers as points in the plane, each with its label as a mark.

    Every point is drawn as its label (0, 1, 2, ...), and a large one stands amid each class, so
    that nothing hangs on the colors. Above each panel stands how often a neighbor in the picture
    has the same label.

    Parameters
    ----------
    values : array, mapping or network
        (N, ...): one array, or several by name, one column each. Or a network: then `images` go
        through it, and what `layer` puts out is drawn.
    labels : array, shape (N,)
        What each point is; at most 20 different ones.
    images : array, shape (N, C, H, W), optional
        With a network.
    layer : str or int, optional
        By name or position; the last layer before the classes if not given.
    methods : sequence of {"pca", "tsne"}
        One row each.
    control : bool or Sequential
        With a network: draw the same for fresh random weights beside it; or for this other network.
    perplexity : float
        For t-SNE, as for `cnnedu.embedding.embed`.
    rng : numpy.random.Generator, optional
        For t-SNE and the random weights; the same draws each time if not given.
    title : str, optional
        Heading of the figure.
    axes : sequence of Axes, optional
        Where to draw, one per method and column, row by row.

    Returns
    -------
    Figure
        With `alt`.

    See Also
    --------
    cnnedu.embedding.embed, cnnedu.embedding.neighbor_agreement : The same as numbers.
    """
    rng = generator(rng)
    columns, layer_name = _columns(values, images, layer, control, rng)
    labels = np.asarray(labels)
    methods = [methods] if isinstance(methods, str) else list(methods)
    for each in methods:
        if each not in METHODS:
            raise ValueError(f"methods must be 'pca' or 'tsne', but one is {each!r}")
    _check(columns, labels, methods)
    classes = np.unique(labels)
    figure, panels = _open(len(methods), len(columns), axes)
    parts = []
    for row, method in enumerate(methods):
        for column, (name, rows) in enumerate(columns.items()):
            found = embed(rows, method, perplexity=perplexity, rng=rng)
            agreement = neighbor_agreement(found.points, labels)
            ax = panels[row * len(columns) + column]
            _draw_points(ax, found.points, labels, classes)
            text = f"neighbors agree: {100 * agreement:.0f} %"
            if found.share is not None:
                text = f"keeps {100 * found.share.sum():.0f} % of the variance; {text}"
            bare(ax, f"{METHOD_NAMES[method]}, {name}\n{text}")
            parts.append(f"{METHOD_NAMES[method]} of {name}: {text}")
    heading = title or (f"What {layer_name} makes of the images" if layer_name else "")
    if heading and axes is None:
        figure.suptitle(heading, weight="bold")
    about = f"{heading}: " if heading else ""
    about += f"{plural(len(labels), 'point')} of {plural(len(classes), 'class', 'classes')}; "
    return finish(figure, about + "; ".join(parts) + ".")


def _columns(values, images, layer, control, rng):
    """Return rows of numbers by name, and the name of the layer they come from."""
    if not is_network(values):
        if images is not None or layer is not None:
            raise ValueError("images= and layer= go with a network; give one, or leave them out")
        named = values if isinstance(values, dict) else {"values": values}
        if not named:
            raise ValueError("values is empty; there is nothing to draw")
        return {str(name): as_rows(each) for name, each in named.items()}, ""
    if images is None:
        raise ValueError("plot_embedding(network, labels) needs images=, to send through it")
    images = as_array(images, "images")
    if layer is None:
        layer = max(0, len(values.layers) - 2)
    name = values.names[values.position(layer)]
    columns = {"this network": _outputs(values, images, name)}
    other = control_network(values, control, rng)
    if other is not None:
        called = "random weights" if control is True else "the control"
        columns[called] = _outputs(other, images, name)
    return columns, name


def _outputs(network, images, name: str) -> np.ndarray:
    parts = [
        network.activations(images[start : start + BATCH])[name]
        for start in range(0, len(images), BATCH)
    ]
    return as_rows(np.concatenate(parts))


def _check(columns, labels, methods) -> None:
    if not methods:
        raise ValueError("methods is empty; name 'pca', 'tsne' or both")
    for name, rows in columns.items():
        if labels.shape != (len(rows),):
            raise ValueError(
                f"labels must name each of the {len(rows)} points of {name!r}, but their shape is "
                f"{labels.shape}"
            )
        if len(rows) > MOST_POINTS:
            raise ValueError(
                f"{len(rows)} points are too many to see; draw at most {MOST_POINTS}, such as the "
                "first ones"
            )
    classes = len(np.unique(labels))
    if classes > MOST_CLASSES:
        raise ValueError(f"labels hold {classes} classes; at most {MOST_CLASSES} can be told apart")


def _open(rows: int, columns: int, axes):
    if axes is not None:
        panels = list(np.ravel(np.asarray(axes, dtype=object)))
        if len(panels) < rows * columns:
            raise ValueError(f"axes must hold {rows * columns} axes, but there are {len(panels)}")
        return root_figure(panels[0]), panels
    import matplotlib.pyplot as plt

    width = min(PAGE_WIDTH, 4.4 * columns)
    side = width / columns
    figure, made = plt.subplots(
        rows, columns, figsize=(width, rows * (side + 0.35) * 0.82 + 0.3), FigureClass=Figure,
        layout="constrained", squeeze=False,
    )  # fmt: skip
    return figure, list(made.ravel())


def _draw_points(ax, places, labels, classes) -> None:
    import matplotlib

    shades = matplotlib.colormaps["viridis"](np.linspace(0, 0.85, max(len(classes), 2)))
    if len(classes) <= 10:
        shades = CLASS_COLORS
    ax.set_aspect("equal", adjustable="datalim")
    width = points(6 if len(places) <= 800 else 3.2)
    for index, each in enumerate(classes):
        members = places[labels == each]
        short = str(each) if len(str(each)) <= 2 else "o"
        marker = f"${short}$" if short != "o" else "o"
        ax.scatter(members[:, 0], members[:, 1], s=width**2,
                   marker=marker, color=shades[index], linewidths=0.2, alpha=0.9)  # fmt: skip
    for each in classes:
        x, y = _amid(places[labels == each])
        ax.annotate(str(each), (x, y), ha="center", va="center", weight="bold",
                    size=size().letters * 1.4, path_effects=halo(3), zorder=5)  # fmt: skip


def _amid(members: np.ndarray) -> np.ndarray:
    """Return the member nearest to the middle: a class in two parts gets its name in one of them.

    The middle is the median of each coordinate, which a few strays do not move.
    """
    distances = ((members - np.median(members, axis=0)) ** 2).sum(axis=1)
    return members[distances.argmin()]
