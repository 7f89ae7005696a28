"""Worked examples, close up: cells with their numbers, one patch, one pool, one gradient value."""

import numpy as np

from cnnedu.shapes import output_size, pair
from cnnedu.visualization.cells import (
    MOST_CELLS,
    choose_digits,
    draw_boxes,
    draw_cells,
    format_numbers,
    read_boxes,
    rows_text,
)
from cnnedu.visualization.colors import ORANGE, PICTURE, VERMILION, picture_scale, scale_for
from cnnedu.visualization.correlation import slide
from cnnedu.visualization.figures import (
    GAP,
    PAGE_WIDTH,
    add_heading,
    add_panel,
    drawn,
    finish,
    frame,
    line_height,
    open_axes,
    open_figure,
    plural,
    size,
    wrap,
)
from cnnedu.visualization.inputs import as_channels, as_matrix, as_position

WIDEST_CELL = 0.46


@drawn
def plot_matrix(
    array,
    *,
    highlight=None,
    numbers: bool = True,
    digits: int | None = None,
    signed: bool | None = None,
    title: str | None = None,
    ax=None,
):
    """Draw a small array as a grid of cells with its numbers.

    Parameters
    ----------
    array : array
        (rows, columns), or (columns,) for a single row; at most 1,600 cells.
    highlight : (rows, columns) or list of them, optional
        Cells to frame: each a pair of slices or numbers, such as ``(slice(0, 3), slice(1, 4))``.
    numbers : bool
        Write the numbers into the cells.
    digits : int, optional
        Digits after the point; chosen from the values if not given.
    signed : bool, optional
        Zero-centered colors; if not given, used when a value is negative. Arrays without negative
        values are drawn in gray, as pictures are.
    title : str, optional
        Above the grid.
    ax : Axes, optional
        Where to draw.

    Returns
    -------
    Figure
        With `alt`, which reads the numbers out.
    """
    matrix = as_matrix(array, "array")
    if matrix.size > MOST_CELLS:
        raise ValueError(
            f"array has {matrix.shape[0]} x {matrix.shape[1]} = {matrix.size} cells, too many to "
            f"read (at most {MOST_CELLS}); draw a part of it, or use plot_images"
        )
    boxes = read_boxes(highlight, matrix.shape)
    rows, columns = matrix.shape
    if ax is None:
        cell = min(WIDEST_CELL, (PAGE_WIDTH - 0.3) / columns)
        width = max(columns * cell + 0.3, 1.6)
        text = wrap(title, width - 0.1) if title else ""
        top = (text.count("\n") + 1) * line_height() + 0.1 if text else 0.08
        height = rows * cell + top + 0.1
        figure = open_figure(width, height)
        left = (width - columns * cell) / 2
        ax = add_panel(figure, left, 0.1, columns * cell, rows * cell, width, height)
    else:
        figure, ax = open_axes(ax, 1, 1)
        extent = ax.get_window_extent().width / ax.figure.dpi
        tall = ax.get_window_extent().height / ax.figure.dpi
        cell, text = min(extent / columns, tall / rows), title or ""
    scale = scale_for([matrix], signed=signed, cmap=PICTURE)
    draw_cells(ax, matrix, cell, scale=scale, numbers=numbers, digits=digits, title=text)
    draw_boxes(ax, boxes)
    alt = f"{title}: " if title else ""
    alt += f"{rows} x {columns} cells: {rows_text(matrix)}"
    for top, left, height, width in boxes:
        part = matrix[top : top + height, left : left + width]
        where = f"rows {_span(top, height)}, columns {_span(left, width)}"
        alt += f"; framed: {where} ({rows_text(part)})"
    return finish(figure, alt + ".")


def _span(start: int, count: int) -> str:
    return f"{start}" if count == 1 else f"{start} to {start + count - 1}"


class Row:
    """Panels of cells side by side in one figure, with signs between them, placed in inches."""

    def __init__(self, shapes, signs, heading=None, *, notes_below=0, title_lines=1):
        columns = sum(shape[1] for shape in shapes)
        self.sign_width = 0.34
        gaps = GAP * 2 + self.sign_width * len(signs)
        self.cell = min(WIDEST_CELL, (PAGE_WIDTH - gaps) / columns)
        self.shapes, self.signs = shapes, signs
        self.tall = max(shape[0] for shape in shapes) * self.cell
        self.width = max(columns * self.cell + gaps, 3.2)
        self.left = GAP + (self.width - columns * self.cell - gaps) / 2
        self.bottom = notes_below * line_height() + (0.16 if notes_below else 0.1)
        self.title_height = title_lines * line_height() + 0.1
        self.heading = wrap(heading, self.width - 0.2, 1.1) if heading else ""
        heading_lines = self.heading.count("\n") + 1 if heading else 0
        top = heading_lines * line_height(1.1) + (0.1 if heading else 0)
        self.height = top + self.title_height + self.tall + self.bottom

    def open(self):
        """Return (figure, panels); the signs are written."""
        figure = open_figure(self.width, self.height)
        if self.heading:
            add_heading(figure, self.heading, self.width, self.height)
        return figure, self.place(figure)

    def place(self, container, shift: float = 0.0) -> list:
        """Add the panels to a container, `shift` inches lower, and return them."""
        x, panels = self.left, []
        middle = self.bottom + self.tall / 2 - shift
        for index, (rows, columns) in enumerate(self.shapes):
            wide, high = columns * self.cell, rows * self.cell
            panels.append(
                add_panel(container, x, middle - high / 2, wide, high, self.width, self.height)
            )
            x += wide
            if index < len(self.signs):
                container.text(
                    (x + self.sign_width / 2) / self.width, middle / self.height,
                    self.signs[index], ha="center", va="center", size=size().letters * 1.5,
                )  # fmt: skip
                x += self.sign_width
        return panels


@drawn
def plot_patch_product(
    image,
    kernel,
    row: int = 0,
    column: int = 0,
    *,
    stride=1,
    padding=0,
    dilation=1,
    title: str | None = None,
):
    """Draw one step of a convolution layer close up: patch x kernel = product, and its sum.

    Parameters
    ----------
    image : array
        (H, W), or (C, H, W) with a kernel of as many channels.
    kernel : array
        (kh, kw) or (C, kh, kw), applied as cross-correlation.
    row, column : int
        Which output: the patch starts at ``row * stride``, ``column * stride`` of the padded image.
    stride, padding, dilation : int, pair, or for padding "same" or "valid"
        As in `cnnedu.Conv2D`.
    title : str, optional
        Heading of the figure.

    Returns
    -------
    Figure
        With `alt`, which reads the sum out.
    """
    image, kernel = as_channels(image, "image"), as_channels(kernel, "kernel")
    sliding = slide(image, kernel, stride, padding, dilation)
    row = as_position(row, "row", sliding.output_shape[0])
    column = as_position(column, "column", sliding.output_shape[1])
    patch = sliding.patch(row, column)
    product = patch * kernel
    if kernel[0].size > 121:
        raise ValueError(f"kernel is {kernel.shape[1]} x {kernel.shape[2]}, too large to write out")
    figure = _draw_product(sliding, patch, kernel, product, (row, column), title)
    total = format_numbers(product.sum()[np.newaxis], choose_digits(product))[0]
    alt = f"{title}: " if title else ""
    alt += f"the patch of output ({row}, {column})"
    for index in range(len(kernel)):
        name = f", channel {index}" if len(kernel) > 1 else ""
        alt += (
            f"{name}: [{rows_text(patch[index])}] times the kernel [{rows_text(kernel[index])}] "
            f"gives [{rows_text(product[index])}]"
        )
    return finish(figure, alt + f"; the sum is {total}.")


def _draw_product(sliding, patch, kernel, product, place, title):
    channels, height, width = kernel.shape
    picture = sliding.padded
    rows, columns = picture.shape[1:]
    whole = max(rows, columns) <= 12
    # A large picture is shown without numbers, in a panel as tall as about nine cells.
    panel = (rows, columns) if whole else _shrunk(rows, columns, 7)
    sheet = Row([panel, kernel.shape[1:], kernel.shape[1:], kernel.shape[1:]],
                ["", "×", "="], title, notes_below=2)  # fmt: skip
    block = sheet.tall + sheet.title_height + 0.05
    extra = (channels - 1) * block
    sheet.height += extra
    sheet.bottom += extra
    figure = open_figure(sheet.width, sheet.height)
    if sheet.heading:
        add_heading(figure, sheet.heading, sheet.width, sheet.height)
    scales = (picture_scale([picture]) if picture.min() >= 0 and picture.max() <= 1
              else scale_for([picture], cmap=PICTURE),
              scale_for([kernel], signed=True), _product_scale(sliding, kernel))  # fmt: skip
    top, left = sliding.corner(*place)
    for channel in range(channels):
        axes = sheet.place(figure, channel * block)
        names = ["image", "patch", "kernel", "product"]
        if channels > 1:
            names = [f"{name}[{channel}]" for name in names]
        draw_cells(axes[0], picture[channel], sheet.cell, scale=scales[0], numbers=whole,
                   title=names[0])  # fmt: skip
        _frame_patch(axes[0], sliding, top, left)
        shown = zip(axes[1:], (patch, kernel, product), (scales[0], *scales[1:]), names[1:],
                    strict=True)  # fmt: skip
        for ax, array, scale, name in shown:
            draw_cells(ax, array[channel], sheet.cell, scale=scale, title=name)
    figure.text(0.5, 0.1 / sheet.height, sum_line(product, sheet.width - 0.2),
                ha="center", va="bottom")  # fmt: skip
    return figure


def _product_scale(sliding, kernel):
    """Return one scale for the products at all positions, so that pictures can be compared."""
    positions = np.ndindex(sliding.output_shape)
    products = [sliding.patch(*position) * kernel for position in positions]
    return scale_for(products, signed=True)


def _shrunk(rows: int, columns: int, most: int) -> tuple[float, float]:
    factor = most / max(rows, columns)
    return rows * factor, columns * factor


def _frame_patch(ax, sliding, top, left) -> None:
    """Frame the patch; with dilation, frame each pixel that the kernel touches too."""
    height, width = sliding.reach
    frame(ax, top, left, height, width, VERMILION, thickness=2.4)
    if sliding.dilation != (1, 1):
        for i in range(0, height, sliding.dilation[0]):
            for j in range(0, width, sliding.dilation[1]):
                frame(ax, top + i, left + j, 1, 1, ORANGE, thickness=1.2)


def sum_text(product: np.ndarray, most: int = 27) -> str:
    """Return "1 + 0 − 2 = −1" for the numbers of a product; "≈" where they are rounded."""
    digits = choose_digits(product)
    values = format_numbers(product, digits).ravel()
    total = format_numbers(product.sum()[np.newaxis], digits)[0]
    exact = digits >= 0 and np.allclose(product, np.round(product, digits), rtol=0, atol=1e-9)
    sign = "=" if exact else "≈"
    if len(values) > most:
        return f"sum of the {len(values)} products {sign} {total}"
    text = values[0]
    for value in values[1:]:
        text += f" − {value[1:]}" if value.startswith("\N{MINUS SIGN}") else f" + {value}"
    return f"{text} {sign} {total}"


def sum_line(product: np.ndarray, width: float, most_lines: int = 2) -> str:
    """Return the sum of a (C, kh, kw) product as text in lines of `width` inches.

    Of several channels it is the sum of their sums; too many numbers are not listed.
    """
    if len(product) > 1:
        text = "sum over the channels: " + sum_text(product.sum(axis=(1, 2)))
    else:
        text = sum_text(product)
    if wrap(text, width).count("\n") >= most_lines:
        text = sum_text(product, 0)
    return wrap(text, width)


@drawn
def plot_pooling(
    map,
    kernel_size=2,
    stride=None,
    *,
    kind: str = "max",
    title: str | None = None,
):
    """Draw pooling: the windows, the winner of each, ties, and the result.

    Max pooling: a solid orange frame marks the winner of each window (in a tie the first one, read
    row by row, to which the gradient goes), a dashed one the others that tie with it.

    Parameters
    ----------
    map : array
        (H, W), or (1, H, W).
    kernel_size, stride : int or pair
        Of the windows; the stride is `kernel_size` if not given.
    kind : {"max", "average"}
        Which pooling.
    title : str, optional
        Heading of the figure.

    Returns
    -------
    Figure
        With `alt`, which reads the result out and says where the ties are.
    """
    matrix = as_matrix(map, "map")
    if kind not in ("max", "average"):
        raise ValueError(f'kind must be "max" or "average", but it is {kind!r}')
    windows = pooling_windows(matrix.shape, kernel_size, stride)
    result, winners, ties = pool(matrix, windows, kind)
    numbers = max(matrix.shape) <= 16
    if numbers:
        shapes = [matrix.shape, result.shape]
    else:
        factor = 9 / max(matrix.shape)
        shapes = [tuple(n * factor for n in shape) for shape in (matrix.shape, result.shape)]
    sheet = Row(shapes, ["→"], title, notes_below=2 if kind == "max" else 0)
    figure, axes = sheet.open()
    scale = scale_for([matrix], cmap=PICTURE)
    name = f"{matrix.shape[0]} × {matrix.shape[1]}"
    draw_cells(axes[0], matrix, sheet.cell, scale=scale, numbers=numbers, title=name)
    name = f"{kind} {result.shape[0]} × {result.shape[1]}"
    draw_cells(axes[1], result, sheet.cell, scale=scale, numbers=numbers, title=name)
    mark_windows(axes[0], windows)
    if kind == "max":
        mark_winners(axes[0], winners, ties, large=numbers)
        note = "solid: winner" + (", dashed: ties with it" if ties else "; no ties")
        if not numbers:
            note = "dots: winners" + (f"; ties in {plural(len(ties), 'window')}" if ties else "")
        figure.text(0.5, 0.06 / sheet.height, wrap(note, sheet.width - 0.1), ha="center",
                    va="bottom", color="0.25")  # fmt: skip
    return finish(figure, _pooling_text(matrix, windows, result, ties, kind, title))


def pooling_windows(shape, kernel_size, stride) -> np.ndarray:
    """Return the windows as an array (rows, columns, 4) of top, left, height, width."""
    kernel_size = pair(kernel_size, "kernel_size")
    stride = kernel_size if stride is None else pair(stride, "stride")
    rows, columns = (
        output_size(n, k, s) for n, k, s in zip(shape, kernel_size, stride, strict=True)
    )
    windows = np.empty((rows, columns, 4), dtype=np.int64)
    windows[..., 0] = np.arange(rows)[:, np.newaxis] * stride[0]
    windows[..., 1] = np.arange(columns) * stride[1]
    windows[..., 2:] = kernel_size
    return windows


def pool(matrix, windows, kind):
    """Return the pooled map, the winners [(row, column)] and the ties {window: [(row, column)]}."""
    result = np.empty(windows.shape[:2], dtype=matrix.dtype if kind == "max" else np.float64)
    winners, ties = [], {}
    for place in np.ndindex(result.shape):
        top, left, height, width = (int(each) for each in windows[place])
        window = matrix[top : top + height, left : left + width]
        result[place] = window.max() if kind == "max" else window.mean()
        equal = [(top + int(i), left + int(j)) for i, j in np.argwhere(window == window.max())]
        winners.append(equal[0])
        if len(equal) > 1:
            ties[place] = equal[1:]
    return result, winners, ties


def mark_windows(ax, windows) -> None:
    """Draw the borders of the windows; overlapping ones are set off from each other a little."""
    for place in np.ndindex(windows.shape[:2]):
        top, left, height, width = (int(each) for each in windows[place])
        frame(ax, top, left, height, width, "black", thickness=1.2)


def mark_winners(ax, winners, ties, *, large: bool) -> None:
    """Frame each winner, and dashed each cell that ties with it; dots in a large map."""
    others = [cell for cells in ties.values() for cell in cells]
    if not large:
        ax.plot([c for _, c in winners], [r for r, _ in winners], "o", color=ORANGE, ms=3, mec="k",
                mew=0.4)  # fmt: skip
        return
    for row, column in others:
        if (row, column) not in winners:
            frame(ax, row + 0.14, column + 0.14, 0.72, 0.72, ORANGE, thickness=1.6, dashed=True)
    for row, column in winners:
        frame(ax, row + 0.1, column + 0.1, 0.8, 0.8, ORANGE, thickness=2.2)


def _pooling_text(matrix, windows, result, ties, kind, title) -> str:
    height, width = windows[0, 0, 2:]
    text = f"{title}: " if title else ""
    text += (
        f"a map of {matrix.shape[0]} x {matrix.shape[1]} ({rows_text(matrix)}) under {kind} "
        f"pooling with windows of {height} x {width} becomes {result.shape[0]} x {result.shape[1]}"
        f": {rows_text(result)}"
    )
    if kind == "max":
        if not ties:
            text += "; no ties"
        elif len(ties) > 12:
            text += f"; ties in {len(ties)} of {result.size} windows"
        else:
            text += f"; {plural(len(ties), 'window')} with ties: "
            text += ", ".join(str(place) for place in ties)
    return text + "."


@drawn
def plot_backward_scatter(
    grad_y,
    kernel,
    row: int = 0,
    column: int = 0,
    *,
    stride=1,
    title: str | None = None,
):
    """Draw how one value of the output's gradient goes back to the input patch it came from.

    ``grad_x[row * stride + u, column * stride + v] += grad_y[row, column] * kernel[u, v]``: the
    value times the kernel, added where the patch lay. The last panel is the sum of all of them.

    Parameters
    ----------
    grad_y : array
        Gradient of the output, (rows, columns).
    kernel : array
        (kh, kw).
    row, column : int
        Which value of `grad_y`.
    stride : int or pair
        Of the layer.
    title : str, optional
        Heading of the figure.

    Returns
    -------
    Figure
        With `alt`.
    """
    grad_y, kernel = as_matrix(grad_y, "grad_y"), as_matrix(kernel, "kernel")
    stride = pair(stride, "stride")
    row = as_position(row, "row", grad_y.shape[0])
    column = as_position(column, "column", grad_y.shape[1])
    grad_x = scatter(grad_y, kernel, stride)
    if max(grad_x.shape) > 12:
        raise ValueError(
            f"the input's gradient would be {grad_x.shape[0]} x {grad_x.shape[1]}, too large to "
            "write out (at most 12 x 12); use a smaller grad_y"
        )
    single = np.zeros_like(grad_y)
    single[row, column] = grad_y[row, column]
    share = scatter(single, kernel, stride)
    top, left = row * stride[0], column * stride[1]
    sheet = Row([grad_y.shape, kernel.shape, share.shape, grad_x.shape], ["×", "→", "…"], title,
                title_lines=2)  # fmt: skip
    figure, axes = sheet.open()
    scale = scale_for([grad_y, kernel, share, grad_x], signed=True)  # same color, same number
    panels = [(grad_y, "grad_y"), (kernel, "kernel"), (share, "its share\nof grad_x"),
              (grad_x, "grad_x: all\nshares summed")]  # fmt: skip
    for ax, (array, name) in zip(axes, panels, strict=True):
        draw_cells(ax, array, sheet.cell, scale=scale, title=name)
    frame(axes[0], row, column, 1, 1, VERMILION, thickness=2.4)
    for ax in axes[2:]:
        frame(ax, top, left, *kernel.shape, VERMILION, thickness=2.4)
    value = format_numbers(grad_y)[row, column]
    alt = f"{title}: " if title else ""
    alt += (
        f"the output's gradient at ({row}, {column}), {value}, times the kernel "
        f"[{rows_text(kernel)}] is added to the input's gradient at rows "
        f"{_span(top, kernel.shape[0])}, columns {_span(left, kernel.shape[1])}; all shares "
        f"summed: [{rows_text(grad_x)}]."
    )
    return finish(figure, alt)


def scatter(grad_y, kernel, stride) -> np.ndarray:
    """Return the input's gradient: every value of `grad_y` times the kernel, summed in place."""
    rows, columns = grad_y.shape
    height, width = kernel.shape
    shape = ((rows - 1) * stride[0] + height, (columns - 1) * stride[1] + width)
    grad_x = np.zeros(shape, dtype=np.result_type(grad_y, kernel))
    for i, j in np.ndindex(grad_y.shape):
        top, left = i * stride[0], j * stride[1]
        grad_x[top : top + height, left : left + width] += grad_y[i, j] * kernel
    return grad_x
