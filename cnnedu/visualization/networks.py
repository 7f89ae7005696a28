"""A network as a row of shapes, and the part of the picture that one of its numbers sees."""

import math

import numpy as np
from matplotlib.patches import Rectangle

from cnnedu.shapes import padding_amounts
from cnnedu.visualization.cells import read_box
from cnnedu.visualization.colors import BLUE, SKY, VERMILION, picture_scale
from cnnedu.visualization.figures import (
    PAGE_WIDTH,
    add_heading,
    add_panel,
    bare,
    drawn,
    finish,
    frame,
    line_height,
    open_figure,
    open_grid,
    plural,
    show,
    size,
    wrap,
)
from cnnedu.visualization.inputs import as_picture, as_position, is_network

TALLEST = 0.8  # inches: the largest sheet of a stack
MOST_SHEETS = 7
OFFSET = 0.045
MOST_IN_A_ROW = 8


@drawn
def plot_network(network, input_shape=None, *, title: str | None = None):
    """Draw a network as the shapes that a picture takes on its way through it.

    Stacks of sheets are feature maps (height to scale with the square root of their size), bars are
    vectors. Layers that change neither shape nor have weights (activations, dropout) are named
    under the block before them.

    Parameters
    ----------
    network : Sequential
        Any network of `cnnedu`.
    input_shape : tuple of int, optional
        Shape of one input, (C, H, W); needed if the network was built without it.
    title : str, optional
        Heading; the number of parameters if not given.

    Returns
    -------
    Figure
        With `alt`, which lists layers, shapes, parameters and receptive fields.
    """
    if not is_network(network):
        raise TypeError(f"network must be a network, but it is a {type(network).__name__}")
    summary = network.summary(input_shape)
    stages = _stages(summary)
    heading = title or f"{plural(len(summary.rows), 'layer')}, {summary.parameters:,} parameters"
    largest = max((max(shape[1:]) for shape, _ in stages if len(shape) == 3), default=1)
    rows = math.ceil(len(stages) / MOST_IN_A_ROW)
    per_row = math.ceil(len(stages) / rows)
    step = min(1.35, (PAGE_WIDTH - 0.2) / per_row)
    lines = max(len(label) for _, label in stages)
    low = (lines + 0.4) * line_height(0.85) + MOST_SHEETS * OFFSET / 2
    row_height = TALLEST + MOST_SHEETS * OFFSET / 2 + 1.8 * line_height() + low
    width = per_row * step + 0.2
    heading = wrap(heading, width - 0.2, 1.1)
    height = rows * row_height + line_height(1.1) * (heading.count("\n") + 1) + 0.1
    figure = open_figure(width, height)
    add_heading(figure, heading, width, height)
    ax = add_panel(figure, 0, 0, width, height, width, height)
    ax.set_xlim(0, width)
    ax.set_ylim(0, height)
    ax.set_axis_off()
    edges = []
    for index, (shape, label) in enumerate(stages):
        row, column = divmod(index, per_row)
        x = 0.1 + (column + 0.5) * step
        base = (rows - 1 - row) * row_height + low
        half = _draw_stage(ax, shape, x, base, largest, index == 0)
        _label_stage(ax, shape, label, x, base)
        edges.append((x - half, x + half, base + TALLEST / 2))
    for index, (_, right, middle) in enumerate(edges[:-1]):
        # To the next block, or at the end of a row to the border.
        end = width - 0.1 if (index + 1) % per_row == 0 else edges[index + 1][0] - 0.03
        arrow = {"arrowstyle": "->", "color": "0.3", "lw": 0.9, "shrinkA": 0, "shrinkB": 0}
        ax.annotate("", (end, middle), (right + 0.03, middle), arrowprops=arrow)
    return finish(figure, _network_text(summary, heading if title else None))


def _stages(summary):
    """Return [(shape, lines of its label)]: the input, and each layer that makes a new block."""
    stages = [(summary.input_shape, ["input"])]
    for row in summary.rows:
        changes = row.output_shape != stages[-1][0] or row.parameters
        if not changes:
            # Right under the block's own name, before its numbers.
            names = sum(line.startswith("+ ") for line in stages[-1][1])
            stages[-1][1].insert(1 + names, f"+ {row.name}")
            continue
        label = [row.name]
        layer = row.layer
        if hasattr(layer, "kernel_size"):
            kernel = f"{layer.kernel_size[0]} × {layer.kernel_size[1]}"
            usual = (1, 1) if row.parameters else layer.kernel_size
            if tuple(layer.stride) != tuple(usual):
                kernel += f", stride {layer.stride[0]}" + (
                    f" × {layer.stride[1]}" if layer.stride[0] != layer.stride[1] else ""
                )
            label.append(kernel)
        if row.parameters:
            label.append(f"{row.parameters:,} par.")
        if row.field is not None:
            label.append(f"sees {row.field.size[0]} × {row.field.size[1]}")
        stages.append((row.output_shape, label))
    return stages


def _draw_stage(ax, shape, x, base, largest, is_input) -> float:
    """Draw one block around `x`, centered on the row's middle; return half its width."""
    middle = base + TALLEST / 2
    color = "0.85" if is_input else SKY
    if len(shape) == 3:
        channels, rows, columns = shape
        tall = max(0.1, TALLEST * math.sqrt(rows / largest))
        wide = max(0.1, TALLEST * math.sqrt(columns / largest))
        sheets = min(channels, MOST_SHEETS)
        spread = (sheets - 1) * OFFSET
        for index in reversed(range(sheets)):
            shift = index * OFFSET - spread / 2
            corner = (x - wide / 2 + shift, middle - tall / 2 + shift)
            ax.add_patch(Rectangle(corner, wide, tall, facecolor=color, edgecolor="black",
                                   linewidth=0.7))  # fmt: skip
        return wide / 2 + spread / 2
    numbers = math.prod(shape)
    tall = min(TALLEST, 0.2 + 0.18 * math.log10(max(numbers, 1)))
    ax.add_patch(Rectangle((x - 0.06, middle - tall / 2), 0.12, tall, facecolor=BLUE,
                           edgecolor="black", linewidth=0.7))  # fmt: skip
    return 0.06


def _label_stage(ax, shape, label, x, base) -> None:
    top = base + TALLEST + MOST_SHEETS * OFFSET / 2 + 0.06
    ax.text(x, top, " × ".join(str(n) for n in shape), ha="center", va="bottom",
            size=size().letters * 0.95)  # fmt: skip
    bottom = base - MOST_SHEETS * OFFSET / 2 + 0.02
    ax.text(x, bottom, label[0], ha="center", va="top", size=size().letters * 0.95, weight="bold")
    rest = "\n".join(label[1:])
    ax.text(x, bottom - line_height(0.95), rest, ha="center", va="top", color="0.2",
            size=size().letters * 0.9, linespacing=1.25)  # fmt: skip


def _network_text(summary, title) -> str:
    def shape_text(shape):
        return " x ".join(str(n) for n in shape)

    parts = [f"input {shape_text(summary.input_shape)}"]
    for row in summary.rows:
        part = f"{row.name} {shape_text(row.output_shape)}"
        if row.parameters:
            part += f" ({row.parameters:,} parameters)"
        if row.field is not None:
            part += f", sees {shape_text(row.field.size)} pixels"
        parts.append(part)
    text = f"{title}: " if title else ""
    return text + f"a network of {summary.parameters:,} parameters: " + "; ".join(parts) + "."


@drawn
def plot_receptive_field(
    image,
    box=None,
    *,
    network=None,
    layer: str | int | None = None,
    row: int = 0,
    column: int = 0,
    title: str | None = None,
    axes=None,
):
    """Draw which part of a picture one number of a feature map sees, framed and cut out.

    Parameters
    ----------
    image : array
        The picture, (H, W), (1, H, W) or in color.
    box : (rows, columns), optional
        The part, as slices: ``(slice(3, 8), slice(0, 5))``.
    network, layer, row, column : optional
        Instead of `box`: the unit at `row`, `column` of the output of that layer (name or
        position). What lies outside the picture (padding) is counted but cannot be shown.
    title : str, optional
        Heading of the figure.
    axes : sequence of two Axes, optional
        Where to draw the picture and the part.

    Returns
    -------
    Figure
        With `alt`.
    """
    picture = as_picture(image)
    shape = picture.shape[:2]
    if (box is None) == (network is None):
        raise ValueError("give either a box, (rows, columns), or network= and layer=")
    name = "the framed part"
    if box is not None:
        top, left, height, width = read_box(box, shape, "box")
        bottom, right = top + height, left + width
    else:
        if layer is None:
            raise ValueError("network= needs layer=, the name or position of one of its layers")
        top, bottom, left, right = receptive_box(network, layer, row, column, shape)
        position = network.position(layer)
        name = f"{network.names[position]} ({row}, {column})"
    inside = (max(top, 0), min(bottom, shape[0]), max(left, 0), min(right, shape[1]))
    part = picture[inside[0] : inside[1], inside[2] : inside[3]]
    if part.size == 0:
        raise ValueError(
            f"{name} sees only padding, nothing of the {shape[0]} x {shape[1]} picture"
        )
    sees = f"{bottom - top} × {right - left} pixels"
    label = f"{name} sees {sees}" if network is not None else sees
    ratio = max(shape[0] / shape[1], part.shape[0] / part.shape[1])
    grid = open_grid(["image", label], ratio, largest=2.8, heading=title, axes=axes)
    scale = picture_scale([picture])
    show(grid.axes[0], picture, scale)
    show(grid.axes[1], part, scale)
    for ax, each in zip(grid.axes, grid.titles, strict=True):
        bare(ax, each)
    cut = inside != (top, bottom, left, right)
    if cut:
        frame(grid.axes[0], top, left, bottom - top, right - left, VERMILION, dashed=True)
        grid.axes[0].set_xlim(min(left, 0) - 0.5, max(right, shape[1]) - 0.5)
        grid.axes[0].set_ylim(max(bottom, shape[0]) - 0.5, min(top, 0) - 0.5)
    frame(grid.axes[0], inside[0], inside[2], *part.shape[:2], VERMILION, thickness=2.4)
    text = (
        f"{title + ': ' if title else ''}{name} of a picture of {shape[0]} x {shape[1]}: rows "
        f"{inside[0]} to {inside[1] - 1}, columns {inside[2]} to {inside[3] - 1}"
    )
    if cut:
        text += f", and beyond its border up to {bottom - top} x {right - left} with the padding"
    return finish(grid.figure, text + ".")


def receptive_box(network, layer, row, column, image_shape) -> tuple[int, int, int, int]:
    """Return (top, bottom, left, right) of what a unit sees; parts of it may be padding.

    Goes back layer by layer: output ``i`` of a layer with padding ``p`` before the image starts at
    ``i * stride - p`` of that layer's input and reaches over ``dilation * (kernel_size - 1) + 1``.
    """
    if not is_network(network):
        raise TypeError(f"network must be a network, but it is a {type(network).__name__}")
    position = network.position(layer)
    channels = getattr(network.layers[0], "in_channels", 1)
    input_shape = network.input_shape or (channels, *image_shape)
    rows = network.summary(input_shape).rows
    shapes = [input_shape, *(each.output_shape for each in rows)]
    if shapes[0][1:] != tuple(image_shape):
        raise ValueError(
            f"image must have {shapes[0][1]} x {shapes[0][2]} pixels, as the network's input, "
            f"but it has {image_shape[0]} x {image_shape[1]}"
        )
    if rows[position].field is None or len(shapes[position + 1]) != 3:
        return 0, image_shape[0], 0, image_shape[1]
    row = as_position(row, "row", shapes[position + 1][1])
    column = as_position(column, "column", shapes[position + 1][2])
    spans = [[row, row + 1], [column, column + 1]]
    for index in reversed(range(position + 1)):
        each = network.layers[index]
        reach, stride = each.window()
        before = _zeros_before(each, shapes[index][1:])
        for axis in range(2):
            start, stop = spans[axis]
            first = start * stride[axis] - before[axis]
            last = (stop - 1) * stride[axis] - before[axis] + reach[axis]
            spans[axis] = [first, last]
    return spans[0][0], spans[0][1], spans[1][0], spans[1][1]


def _zeros_before(layer, input_size) -> tuple[int, int]:
    padding = getattr(layer, "padding", 0)
    if not hasattr(layer, "kernel_size"):
        return 0, 0
    rules = (padding, padding) if isinstance(padding, str | int) else padding
    dilation = getattr(layer, "dilation", (1, 1))
    sides = zip(input_size, layer.kernel_size, layer.stride, rules, dilation, strict=True)
    return tuple(int(np.asarray(padding_amounts(*side)[0])) for side in sides)
