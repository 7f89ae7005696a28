"""What a network looks at, drawn beside the same picture of a network that has learned nothing."""

import math

import numpy as np

from cnnedu import attribution
from cnnedu.network import Sequential
from cnnedu.visualization.colors import AMOUNT, BLUE, SIGNED, VERMILION, Scale, picture_scale
from cnnedu.visualization.figures import (
    PAGE_WIDTH,
    Figure,
    bare,
    drawn,
    finish,
    halo,
    number,
    open_grid,
    plural,
    points,
    root_figure,
    show,
    size,
)
from cnnedu.visualization.inputs import as_picture
from cnnedu.visualization.networks import receptive_box
from cnnedu.visualization.rows import MOST_COLUMNS, plot_rows

MOST_MAPS = 8
MOST_BARS = 10
MOST_UNITS = 60
DRAWS = 100
OUTLINED = 64  # pixels: larger pictures have too many outlines
KIND_NAMES = {
    "gradient": "gradient",
    "input": "gradient × input",
    "smooth": "smoothed gradient",
}
NETWORK, CONTROL = "this network", "random weights"
# No seed that somebody may have made the network with: the control would be its own start.
SEED = (1810, 3292)


# ---------------------------------------------------------------------------------------------
# Maps over an image
# ---------------------------------------------------------------------------------------------


@drawn
def plot_occlusion(
    network,
    image,
    target=None,
    size: int | tuple[int, int] = 5,
    stride: int | tuple[int, int] = 1,
    *,
    fill=0.0,
    measure: str = "probability",
    control=True,
    scale: str = "each",
    outline: bool = True,
    rng: np.random.Generator | None = None,
    title: str | None = None,
    axes=None,
):
    """Draw how far a class's score falls where a square covers the image, and for random weights.

    Each pixel shows the mean fall over all squares that cover it: yellow where they cover what
    speaks for the class, blue where they cover what speaks against it.

    Parameters
    ----------
    network : Sequential
    image : array, shape (C, H, W)
        Or (H, W), or (1, C, H, W); float.
    target : int or list of int, optional
        The classes asked about, one map for each; the network's own answer if not given.
    size, stride, fill, measure
        As for `cnnedu.attribution.occlusion`.
    control : bool or Sequential
        Draw the same for fresh random weights, below; or for this other network, such as the same
        one before its training.
    scale : {"each", "shared"}
        Colors relative to each map's own largest magnitude (written above it), so that patterns can
        be compared, or one scale for all, so that sizes can.
    outline : bool
        Draw the image's outline over its maps. It draws a digit where a map may have none.
    rng : numpy.random.Generator, optional
        Draws the random weights; the same ones each time if not given.
    title : str, optional
        Heading of the figure.
    axes : sequence of Axes, optional
        Where to draw: for each network one for the image and one per map.

    Returns
    -------
    Figure
        With `alt`. Above each control stands its likeness with the network's map, the rank
        correlation of their magnitudes (`cnnedu.attribution.likeness`).

    See Also
    --------
    cnnedu.attribution.occlusion : The same as numbers.
    """

    def compute(net, batch, target):
        found = attribution.occlusion(net, batch, target, size, stride, fill=fill, measure=measure)
        return found.pixels()

    square = f"{size} × {size}" if np.ndim(size) == 0 else f"{size[0]} × {size[1]}"
    heading = title or f"Occlusion: how far the {measure} falls under a square of {square}"
    columns = [("", each, compute) for each in _as_list(target)]
    return _draw_maps(network, image, columns, heading, control, scale, outline, rng, axes)


@drawn
def plot_saliency(
    network,
    image,
    target=None,
    kind="gradient",
    *,
    noise: float = 0.1,
    samples: int = 25,
    control=True,
    scale: str = "each",
    outline: bool = True,
    rng: np.random.Generator | None = None,
    title: str | None = None,
    axes=None,
):
    """Draw the gradient of a class's score with respect to the image, and for random weights.

    Yellow pixels would raise the score if they were brighter, blue ones if they were darker. Of an
    image with several channels each pixel shows the one with the largest magnitude.

    Parameters
    ----------
    network : Sequential
    image : array, shape (C, H, W)
        Or (H, W), or (1, C, H, W); float.
    target : int or list of int, optional
        The classes asked about; the network's own answer if not given.
    kind : str or list of str
        "gradient", "input" (gradient times image), "smooth" (mean over noisy images); one map for
        each, and each target.
    noise, samples
        For "smooth", as for `cnnedu.attribution.saliency`.
    control, scale, outline, rng, title, axes
        As for `plot_occlusion`; `rng` also draws the noise.

    Returns
    -------
    Figure
        With `alt`.

    See Also
    --------
    cnnedu.attribution.saliency : The same as numbers.
    """
    kinds = [kind] if isinstance(kind, str) else list(kind)
    for each in kinds:
        if each not in KIND_NAMES:
            raise ValueError(f"kind must be one of {', '.join(KIND_NAMES)}, but it is {each!r}")
    # The same noise for every map.
    seed = int(generator(rng).integers(2**32))

    def computer(kind):
        def compute(net, batch, target):
            draws = np.random.default_rng(seed)
            found = attribution.saliency(
                net, batch, target, kind=kind, noise=noise, samples=samples, rng=draws
            )
            return attribution.strongest_channel(found)

        return compute

    columns = [
        (KIND_NAMES[each] if len(kinds) > 1 else "", target, computer(each))
        for target in _as_list(target)
        for each in kinds
    ]
    what = KIND_NAMES[kinds[0]] if len(kinds) == 1 else "gradients of the score"
    heading = title or f"Saliency: {what}"
    return _draw_maps(network, image, columns, heading, control, scale, outline, rng, axes)


@drawn
def plot_gradcam(
    network,
    image,
    target=None,
    layer: str | int | None = None,
    *,
    average: bool = True,
    signed: bool = False,
    control=True,
    scale: str = "each",
    outline: bool = True,
    rng: np.random.Generator | None = None,
    title: str | None = None,
    axes=None,
):
    """Draw where in a layer's maps the evidence for a class lies, and for random weights.

    The map stays as coarse as it is, each cell around the middle of what it sees of the image.

    Parameters
    ----------
    network : Sequential
    image : array, shape (C, H, W)
        Or (H, W), or (1, C, H, W); float.
    target : int or list of int, optional
        The classes asked about, one map for each; the network's own answer if not given.
    layer : str or int, optional
        Whose maps; the last ones before a pooling if not given.
    average : bool
        Whether each map has one weight, the mean of its gradient, or each place its own.
    signed : bool
        Show what speaks against the class, too.
    control, scale, outline, rng, title, axes
        As for `plot_occlusion`.

    Returns
    -------
    Figure
        With `alt`.

    See Also
    --------
    cnnedu.attribution.grad_cam : The same as numbers.
    """
    batch = attribution.one_image(network, image)
    name = attribution.maps_layer(network, batch.shape[1:], layer)

    def compute(net, batch, target):
        return attribution.grad_cam(net, batch, target, name, average=average, signed=signed)

    columns = [("", each, compute) for each in _as_list(target)]
    heading = title or f"Grad-CAM: evidence in the maps of {name}"
    if not title and not average:
        heading += ", place by place"
    return _draw_maps(
        network, image, columns, heading, control, scale, outline, rng, axes,
        signed=signed, layer=name,
    )  # fmt: skip


def _as_list(target) -> list:
    listed = [target] if target is None or np.ndim(target) == 0 else list(target)
    if not listed:
        raise ValueError("target is an empty list: name a class, or leave it out")
    return listed


def generator(rng: np.random.Generator | None) -> np.random.Generator:
    """Return the generator given, or one that is the same each time."""
    return np.random.default_rng(SEED) if rng is None else rng


def control_network(network, control, rng) -> Sequential | None:
    """Return the network to compare with: fresh weights, the one given, or None."""
    if isinstance(control, Sequential):
        return control
    if not isinstance(control, bool | np.bool_):
        raise TypeError(
            f"control must be True, False or a network, but it is a {type(control).__name__}"
        )
    if not control:
        return None
    return attribution.randomized(network, rng=generator(rng))


def _draw_maps(
    network, image, columns, heading, control, scale, outline, rng, axes, *, signed=True, layer=None
):
    """Draw the image and its maps, one row per network."""
    if len(columns) > MOST_MAPS:
        raise ValueError(f"at most {MOST_MAPS} maps fit into one figure, not {len(columns)}")
    if scale not in ("each", "shared"):
        raise ValueError(f'scale must be "each" or "shared", but it is {scale!r}')
    batch = attribution.one_image(network, image)
    picture = as_picture(batch)
    other = control_network(network, control, rng)
    scores = attribution.scores_of(network, batch)
    # The control answers for the same class as the network.
    columns = [(name, attribution.as_target(scores, t), compute) for name, t, compute in columns]
    networks = {NETWORK: network} | ({CONTROL: other} if other is not None else {})
    if isinstance(control, Sequential):
        networks = {NETWORK: network, "the control": other}
    maps = [[f(net, batch, t) for _, t, f in columns] for net in networks.values()]
    names = [f"{name}\nfor {t}".strip() for name, t, _ in columns]
    alike = [attribution.likeness(a, b) for a, b in zip(maps[0], maps[-1], strict=True)]

    titles = []
    for row, (name, net) in enumerate(networks.items()):
        titles.append(f"{name}\n{_answer(net, batch)}")
        for column, each in enumerate(maps[row]):
            text = f"{names[column]}\nlargest {_short(each.flat[np.abs(each).argmax()])}"
            if row:
                text += f"\nlikeness {_two_digits(alike[column])}"
            titles.append(text)
    grid = open_grid(
        titles, picture.shape[0] / picture.shape[1], columns=1 + len(columns), largest=1.9,
        heading=heading, colorbar=True, axes=axes,
    )  # fmt: skip
    colors = _map_scale(maps, signed, scale)
    extent = None if layer is None else _cells_extent(network, layer, batch.shape[1:])
    panels = iter(grid.axes)
    gray = picture_scale([picture])
    image_drawn = None
    for row in maps:
        show(next(panels), picture, gray)
        for each in row:
            ax = next(panels)
            values = each
            if scale == "each":
                values = each / (np.abs(each).max() or 1.0)
            image_drawn = show(ax, values, colors)
            if extent is not None:
                image_drawn.set_extent(extent)
                ax.set_facecolor("0.85")
            if outline:
                _outline(ax, picture)
            ax.set_xlim(-0.5, picture.shape[1] - 0.5)
            ax.set_ylim(picture.shape[0] - 0.5, -0.5)
    for ax, text in zip(grid.axes, grid.titles, strict=True):
        bare(ax, text)
    bar = grid.colorbar(image_drawn, "share of the largest" if scale == "each" else "")
    if scale == "each":
        bar.set_ticks([-1, 0, 1] if signed else [0, 1])
    return finish(grid.figure, _maps_text(heading, networks, batch, maps, names, alike, extent))


def _map_scale(maps, signed: bool, scale: str) -> Scale:
    limit = 1.0
    if scale == "shared":
        limit = max(float(np.abs(each).max()) for row in maps for each in row) or 1.0
    return Scale(SIGNED, -limit, limit) if signed else Scale(AMOUNT, 0.0, limit)


def _cells_extent(network, layer: str, input_shape) -> tuple[float, float, float, float]:
    """Return where a layer's maps lie on the image, (left, right, bottom, top) for `imshow`."""
    image_size = input_shape[1:]
    shapes = [shape for _, shape in network.shapes(input_shape)]
    count = shapes[network.position(layer)][1:]
    first = receptive_box(network, layer, 0, 0, image_size)
    last = receptive_box(network, layer, count[0] - 1, count[1] - 1, image_size)
    spans = []
    for axis in (0, 1):
        low, high = ((box[2 * axis] + box[2 * axis + 1] - 1) / 2 for box in (first, last))
        if count[axis] > 1:
            step = (high - low) / (count[axis] - 1)
        else:
            step = first[2 * axis + 1] - first[2 * axis]
        spans.append((low - step / 2, high + step / 2))
    (top, bottom), (left, right) = spans
    return left, right, bottom, top


def _outline(ax, picture) -> None:
    """Draw the outline of a small picture over a map, seen on dark and on light."""
    if max(picture.shape[:2]) > OUTLINED:
        return
    gray = picture if picture.ndim == 2 else picture.mean(axis=2)
    low, high = float(gray.min()), float(gray.max())
    if low == high or min(gray.shape) < 2:
        return
    lines = ax.contour(gray, levels=[(low + high) / 2], colors="black", linewidths=points(0.9))
    lines.set_path_effects(halo(2.2))


def _answer(network, batch) -> str:
    chances = network.predict_proba(batch)[0]
    return f"reads {int(chances.argmax())} ({_percent(chances.max())})"


def _percent(probability: float) -> str:
    if 0.995 <= probability < 1:
        return ">99 %"
    return f"{100 * probability:.0f} %"


def _two_digits(value: float) -> str:
    return "–" if math.isnan(value) else f"{value:.2f}".replace("-", "\N{MINUS SIGN}")


def _maps_text(heading, networks, batch, maps, names, alike, extent) -> str:
    parts = []
    for row, (name, net) in enumerate(networks.items()):
        listed = []
        for column, each in enumerate(maps[row]):
            place = np.unravel_index(np.abs(each).argmax(), each.shape)
            text = f"{names[column]} ".replace("\n", " ")
            text += f"from {number(each.min())} to {number(each.max())}, strongest at row "
            text += f"{place[0]}, column {place[1]}" + (" of the map" if extent else "")
            if row:
                text += f", likeness with the map above {_two_digits(alike[column])}"
            listed.append(text)
        parts.append(f"{name} {_answer(net, batch)}; maps: " + "; ".join(listed))
    return f"{heading}. " + ". ".join(parts) + "."


# ---------------------------------------------------------------------------------------------
# Images made for a unit
# ---------------------------------------------------------------------------------------------


@drawn
def plot_maximization(
    network,
    layer: str | int = -1,
    units=None,
    *,
    control=True,
    rng: np.random.Generator | None = None,
    title: str | None = None,
    **settings,
):
    """Draw images made from noise so that units answer strongly, and those for random weights.

    Of a unit that does not see the whole image only what it sees is drawn. White and black are what
    it wants, gray is what does not matter to it.

    Parameters
    ----------
    network : Sequential
    layer : str or int
        By name or position; the last one, the classes, if not given.
    units : list of int or of tuple, optional
        Channels or classes (or (channel, row, column)); the first ten if not given.
    control : bool or Sequential
        Draw the same for fresh random weights, below; or for this other network.
    rng : numpy.random.Generator, optional
        Draws the noise and the random weights; the same ones each time if not given.
    title : str, optional
        Heading of the figure.
    **settings
        Of `cnnedu.attribution.maximize`: steps, step, blur, jitter, decay, gray, noise, limits.

    Returns
    -------
    Figure
        With `alt`. Above each image stands the unit, and what it answers.

    See Also
    --------
    cnnedu.attribution.maximize : The same as numbers.
    """
    attribution.check_network(network)
    rng = generator(rng)
    name = network.names[network.position(layer)]
    shape = settings.get("input_shape") or network.input_shape
    if shape is None:
        raise ValueError("the network was made without an input shape: give input_shape=(C, H, W)")
    if units is None:
        shapes = [shape for _, shape in network.shapes(shape)]
        units = list(range(min(10, shapes[network.position(name)][0])))
    units = [units] if isinstance(units, int | np.integer | tuple) else list(units)
    if len(units) > MOST_UNITS:
        raise ValueError(f"at most {MOST_UNITS} units fit into one figure, not {len(units)}")
    other = control_network(network, control, rng)
    networks = {"network": network}
    if other is not None:
        networks["random" if control is True else "control"] = other
    found = {}
    for row, net in networks.items():
        found[row] = attribution.maximize(net, name, units, rng=rng, **settings)
    rows, titles = {}, {}
    most = min(MOST_COLUMNS, math.ceil(len(units) / math.ceil(len(units) / 12)))
    for start in range(0, len(units), most):
        for row, made in found.items():
            chosen = range(start, min(start + most, len(units)))
            key = row if len(units) <= most else f"{row}, {start // most + 1}"
            rows[key] = [_seen(network, name, made, index) for index in chosen]
            titles[key] = [f"{_unit_name(units[i])}\n{_short(made.values[i])}" for i in chosen]
    heading = title or f"Images from noise that excite units of {name}"
    figure = plot_rows(rows, titles, kind="picture", largest=0.95, title=heading)
    parts = [
        f"{row}: answers to the noise {number(made.start.min())} to {number(made.start.max())}, "
        f"to the images {number(made.values.min())} to {number(made.values.max())}"
        for row, made in found.items()
    ]
    return finish(figure, f"{plural(len(units), 'unit')}; " + "; ".join(parts) + ".")


def _unit_name(unit) -> str:
    return str(unit) if not isinstance(unit, tuple) else ", ".join(str(i) for i in unit)


def _short(value: float) -> str:
    return f"{value:.2g}".replace("-", "\N{MINUS SIGN}")


def _seen(network, name: str, made, index: int) -> np.ndarray:
    """Return what the unit sees of its image."""
    image, unit = made.images[index], made.units[index]
    if len(unit) == 3:
        box = receptive_box(network, name, unit[1], unit[2], image.shape[1:])
        top, bottom, left, right = (max(each, 0) for each in box)
        image = image[:, top:bottom, left:right]
    return as_picture(image[None])


# ---------------------------------------------------------------------------------------------
# A small step
# ---------------------------------------------------------------------------------------------


@drawn
def plot_adversarial(
    network,
    image,
    label: int | None = None,
    *,
    control: bool = True,
    rng: np.random.Generator | None = None,
    title: str | None = None,
    axes=None,
    **settings,
):
    """Draw an image, the smallest step that changes the answer, and what comes of it.

    Below, as a control, a step of the same size in a random direction: each pixel up or down by
    the toss of a coin.

    Parameters
    ----------
    network : Sequential
    image : array, shape (C, H, W)
        Or (H, W), or (1, C, H, W); float.
    label : int, optional
        The class to lead away from; the network's own answer if not given.
    control : bool
        Draw the random step, and say how many of 100 such steps change the answer.
    rng : numpy.random.Generator, optional
        Draws the random steps; the same ones each time if not given.
    title : str, optional
        Heading of the figure.
    axes : sequence of Axes, optional
        Four for each row: image, step, result, probabilities.
    **settings
        Of `cnnedu.attribution.adversarial`: sizes, limits.

    Returns
    -------
    Figure
        With `alt`.

    See Also
    --------
    cnnedu.attribution.adversarial : The same as numbers.
    """
    batch = attribution.one_image(network, image)
    found = attribution.adversarial(network, batch, label, **settings)
    largest = found.size or float(found.sizes[-1])
    rows = [("the step", found)]
    changed = None
    if control:
        rng = generator(rng)
        changed, one = _random_steps(network, batch, found.label, largest, settings, rng)
        rows.append(("a random step", one))
    heading = title or _step_heading(found, changed)
    figure, panels = _open_steps(len(rows), axes)
    picture, step_scale = as_picture(batch), Scale(SIGNED, -largest, largest)
    gray = picture_scale([picture])
    for row, (name, each) in enumerate(rows):
        result = as_picture(each.image[None])
        step = attribution.strongest_channel(each.image - batch[0])
        start, moved, after, bars = panels[4 * row : 4 * row + 4]
        show(start, picture, gray)
        bare(start, f"reads {each.before.argmax()} ({_percent(each.before.max())})")
        drawing = show(moved, step, step_scale)
        bare(moved, f"{name}, ±{largest:g}")
        show(after, result, gray)
        bare(after, f"reads {each.after.argmax()} ({_percent(each.after.max())})")
        _draw_chances(bars, each, legend=row == 0)
    if axes is None:
        bar = figure.colorbar(drawing, ax=panels[1::4], location="bottom", shrink=0.8, aspect=20,
                              pad=0.02)  # fmt: skip
        bar.outline.set_linewidth(0.5)
        bar.set_ticks([-largest, 0, largest])
        figure.suptitle(heading, weight="bold")
    return finish(figure, _steps_text(heading, rows, changed, largest))


def _random_steps(network, batch, label, largest, settings, rng):
    """Return how many of many random steps of that size change the answer, and one of them."""
    changed, first = 0, None
    for _ in range(DRAWS):
        direction = rng.choice([-1, 1], batch.shape[1:])
        one = attribution.adversarial(
            network, batch, label, direction=direction,
            **(settings | {"sizes": [largest]}),
        )  # fmt: skip
        changed += one.size is not None
        first = first or one
    return changed, first


def _open_steps(rows: int, axes):
    if axes is not None:
        panels = list(np.ravel(np.asarray(axes, dtype=object)))
        if len(panels) < 4 * rows:
            raise ValueError(f"axes must hold {4 * rows} axes, but there are {len(panels)}")
        return root_figure(panels[0]), panels
    import matplotlib.pyplot as plt

    figure, made = plt.subplots(
        rows, 4, figsize=(PAGE_WIDTH, 2.15 * rows + 0.3), FigureClass=Figure,
        layout="constrained", squeeze=False, width_ratios=(1, 1, 1, 1.25),
    )  # fmt: skip
    return figure, list(made.ravel())


def _draw_chances(ax, found, *, legend: bool) -> None:
    """Draw the probabilities before and after, of the classes that have any."""
    strongest = np.argsort(-np.maximum(found.before, found.after), kind="stable")[:MOST_BARS]
    classes = np.sort(strongest)
    places = np.arange(len(classes))
    ax.bar(places - 0.2, found.before[classes], width=0.4, color=BLUE, label="before")
    ax.bar(places + 0.2, found.after[classes], width=0.4, color=VERMILION, label="after",
           hatch="///", edgecolor="white", linewidth=0)  # fmt: skip
    ax.set_xticks(places, [str(each) for each in classes])
    ax.set_ylim(0, 1)
    ax.set_yticks([0, 0.5, 1])
    ax.set_title("probabilities", pad=4)
    ax.spines[["top", "right"]].set_visible(False)
    ax.tick_params(length=2)
    if legend:
        ax.legend(frameon=False, fontsize=size().letters * 0.85, handlelength=1.2)


def _step_heading(found, changed) -> str:
    if found.size is None:
        return f"No step up to {found.sizes[-1]:g} changes the answer"
    text = f"A step of {found.size:g} per pixel turns {found.label} into {found.after.argmax()}"
    return text if changed is None else f"{text}; {changed} of {DRAWS} random ones change it"


def _steps_text(heading, rows, changed, largest) -> str:
    parts = [
        f"{name} of {largest:g}: read as {each.before.argmax()} "
        f"({_percent(each.before.max())}) before, as {each.after.argmax()} "
        f"({_percent(each.after.max())}) after"
        for name, each in rows
    ]
    if changed is not None:
        parts.append(f"of {DRAWS} random steps of this size {changed} change the answer")
    return f"{heading}. " + "; ".join(parts) + "."
