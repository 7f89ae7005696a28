"""Motion: the kernel slides, the pool picks, the gradient scatters back.

An animation shows itself in a notebook, and plays in a static page too (its frames are pictures
inside the HTML, its controls plain letters: nothing is loaded from elsewhere). Where scripts are
taken out, `still` gives a figure of its first, middle and last moments.
"""

import base64
import hashlib
import itertools
import re
import tempfile
from pathlib import Path

import matplotlib
import matplotlib.figure
import numpy as np
from matplotlib.animation import HTMLWriter, PillowWriter
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.patches import Rectangle

from cnnedu.shapes import pair
from cnnedu.visualization.cells import (
    MOST_CELLS,
    choose_digits,
    draw_cells,
    fit_letters,
    format_numbers,
    rows_text,
)
from cnnedu.visualization.colors import (
    ORANGE,
    PADDING,
    PICTURE,
    VERMILION,
    picture_scale,
    scale_for,
)
from cnnedu.visualization.correlation import slide
from cnnedu.visualization.figures import (
    SIZES,
    drawn,
    fewer_colors,
    finish,
    frame,
    open_figure,
    plural,
    settings,
    size,
    wrap,
)
from cnnedu.visualization.inputs import as_channels, as_matrix
from cnnedu.visualization.worked import (
    Row,
    mark_windows,
    pool,
    pooling_windows,
    scatter,
    sum_line,
)

MOST_FRAMES = 40
FRAME_DPI = 72
FRAME_PIXELS = 280_000
FRAME_COLORS = 128
_count = itertools.count(1)


class Animation:
    """Frames that a notebook plays.

    Made by `animate_convolution`, `animate_pooling`, `animate_backward` and `animate_training`.

    Attributes
    ----------
    alt : str
        What it shows, as text.
    frames : int
        Number of frames.

    Examples
    --------
    >>> import numpy as np
    >>> animation = animate_convolution(np.eye(4), np.ones((2, 2)))
    >>> animation
    <Animation convolution, 9 frames>
    """

    def __init__(self, name, scene, steps, alt, *, frames_per_second=2.0):
        self.name = name
        self.alt = alt
        self.frames = len(steps)
        self._scene, self._steps, self._speed = scene, steps, frames_per_second
        self._html = None

    def __repr__(self) -> str:
        return f"<Animation {self.name}, {plural(self.frames, 'frame')}>"

    def _repr_html_(self) -> str:
        return self.to_jshtml()

    def to_jshtml(self) -> str:
        """Return HTML with all frames inside and controls to play them."""
        if self._html is None:
            with tempfile.TemporaryDirectory() as folder:
                path = Path(folder, "animation.html")
                writer = _SmallWriter(fps=self._speed, embed_frames=True, default_mode="loop")
                self._write(path, writer)
                self._html = _tidy(path.read_text(encoding="utf-8"), self.alt)
        return self._html

    def save(self, path, *, frames_per_second: float | None = None) -> Path:
        """Save as an animated GIF.

        Parameters
        ----------
        path : str or Path
            Ends in ``.gif``.
        frames_per_second : float, optional
            As in the notebook if not given.

        Returns
        -------
        Path
            Where it was saved.
        """
        path = Path(path)
        if path.suffix.lower() != ".gif":
            raise ValueError(f"an animation is saved as a .gif, but the path is {str(path)!r}")
        self._write(path, PillowWriter(fps=frames_per_second or self._speed))
        return path

    @drawn
    def still(self, frames=None):
        """Return a Figure of some moments, one under the other.

        Parameters
        ----------
        frames : int or sequence of int, optional
            Which frames, counted from 0; the first, the middle and the last if not given.
        """
        if frames is None:
            chosen = sorted({0, (self.frames - 1) // 2, self.frames - 1})
        else:
            chosen = self._read_frames(frames)
        scene = self._scene
        figure = open_figure(scene.width, scene.height * len(chosen))
        parts = np.ravel(figure.subfigures(len(chosen), 1, squeeze=False))
        for part, index in zip(parts, chosen, strict=True):
            scene.open(part)(self._steps[index])
        if frames is None:
            moments = {1: "its only moment", 2: "its first and last moments"}
            what = moments.get(len(chosen), "its first, middle and last moments")
        else:
            numbers = ", ".join(str(index) for index in chosen)
            what = f"of its {plural(self.frames, 'frame')}, counted from 0, {numbers}"
        return finish(figure, f"{self.alt[:-1]}; {what}.")

    def _read_frames(self, frames) -> list[int]:
        chosen = np.atleast_1d(frames)
        whole = chosen.ndim == 1 and len(chosen) and np.issubdtype(chosen.dtype, np.integer)
        if not whole or chosen.min() < 0 or chosen.max() >= self.frames:
            raise ValueError(
                f"frames must be numbers from 0 to {self.frames - 1}, but it is {frames!r}"
            )
        return [int(index) for index in chosen]

    def _write(self, path, writer) -> None:
        """Draw every frame with a canvas of its own: nothing stays open, nothing shows twice."""
        width, height = self._scene.width, self._scene.height
        dpi = (
            min(FRAME_DPI, (FRAME_PIXELS / (width * height)) ** 0.5)
            * size().dpi
            / SIZES["page"].dpi
        )
        with matplotlib.rc_context({**settings(), "figure.dpi": dpi}):
            figure = matplotlib.figure.Figure(figsize=(width, height))
            FigureCanvasAgg(figure)
            update = self._scene.open(figure)
            # The writer is driven here: Matplotlib's animations draw each frame twice to save it.
            with writer.saving(figure, str(path), dpi):
                for step in self._steps:
                    update(step)
                    writer.grab_frame()


class _SmallWriter(HTMLWriter):
    """Matplotlib's own HTML, with frames of few colors: a third of the size."""

    def grab_frame(self, **savefig_kwargs):
        super().grab_frame(**savefig_kwargs)
        png = fewer_colors(base64.b64decode(self._saved_frames[-1]), FRAME_COLORS)
        self._saved_frames[-1] = base64.encodebytes(png).decode("ascii")


_SIGNS = {
    "fa fa-minus": "−",
    "fa fa-fast-backward": "|◀",
    "fa fa-step-backward": "◁",
    "fa fa-play fa-flip-horizontal": "◀",
    "fa fa-pause": "❚❚",
    "fa fa-play": "▶",
    "fa fa-step-forward": "▷",
    "fa fa-fast-forward": "▶|",
    "fa fa-plus": "+",
}


def _tidy(html: str, alt: str) -> str:
    """Take the link to an icon font out, name the parts for screen readers, number the player."""
    html = re.sub(r"<link[^>]*>", "", html, flags=re.S)
    for name, sign in _SIGNS.items():
        html = html.replace(f'<i class="{name}"></i>', sign)
    escaped = alt.replace("&", "&amp;").replace('"', "&quot;").replace("<", "&lt;")
    html = re.sub(r'(<img id="_anim_img\w+")', lambda m: f'{m[1]} alt="{escaped}"', html)
    html = html.replace('class="anim-slider"', 'class="anim-slider" aria-label="Frame"')
    # A random identifier would make every run of a notebook a different file.
    identifier = re.search(r'"_anim_img(\w+)"', html)[1]
    digest = hashlib.sha256(html.replace(identifier, "").encode()).hexdigest()[:16]
    return html.replace(identifier, f"{digest}n{next(_count)}")


def choose_steps(total: int, most: int = MOST_FRAMES) -> list[int]:
    """Return at most `most` of 0 .. total - 1, evenly spaced, the first and the last among them."""
    if total <= most:
        return list(range(total))
    return [int(each) for each in np.round(np.linspace(0, total - 1, most))]


class _Scene:
    """Panels of cells and a line of text: `open` draws them and returns what draws one step."""

    sheet: Row

    @property
    def width(self) -> float:
        """Inches."""
        return self.sheet.width

    @property
    def height(self) -> float:
        """Inches."""
        return self.sheet.height

    def line(self, container):
        """Add the line of text under the panels."""
        return container.text(
            0.5, (self.sheet.bottom - 0.08) / self.height, "", ha="center", va="top"
        )


def _empty(array: np.ndarray) -> np.ma.MaskedArray:
    """Return an array that shows nothing. What is hidden is 0: Matplotlib computes with it."""
    return np.ma.masked_array(np.zeros(array.shape), mask=True)


def _move(rectangle, top: int, left: int) -> None:
    rectangle.set_xy((left - 0.5, top - 0.5))


def _write_cells(texts, array, scale, digits) -> None:
    """Change the numbers in cells, and their ink with the color under them."""
    written = format_numbers(array, digits).ravel()
    for text, value, label in zip(texts, np.ravel(array), written, strict=True):
        text.set_text(label)
        text.set_color(scale.ink(value))


def _fill(image, texts, filled, array, upto: int) -> None:
    """Show the first `upto` cells of `array` (row by row), hide the others."""
    filled[...] = np.ma.masked
    filled.ravel()[:upto] = array.ravel()[:upto]
    image.set_data(filled)
    for index, text in enumerate(texts):
        text.set_visible(index < upto)


def _panel(shape, most: int = 8) -> tuple[tuple[float, float], bool]:
    """Return the size of a panel in cells, and whether numbers fit: large arrays are shrunk."""
    if max(shape) <= 12:
        return tuple(shape), True
    factor = most / max(shape)
    return tuple(max(1.0, n * factor) for n in shape), False


class _ConvolutionScene(_Scene):
    """Image x kernel = product -> feature map; one row of panels per channel."""

    def __init__(self, sliding):
        self.sliding = sliding
        self.output = sliding.output()
        picture, kernel = sliding.padded, sliding.kernel
        image_panel, self.image_numbers = _panel(picture.shape[1:])
        kernel_panel, self.kernel_numbers = _panel(kernel.shape[1:], 5)
        result_panel, self.result_numbers = _panel(self.output.shape)
        # Beside a picture of many pixels, the cells of the kernel would be hard to read.
        self.zoom = 1.0 if self.image_numbers or not self.kernel_numbers else 1.5
        kernel_panel = tuple(each * self.zoom for each in kernel_panel)
        self.sheet = Row([image_panel, kernel_panel, kernel_panel, result_panel],
                         ["×", "=", "→"], notes_below=2)  # fmt: skip
        self.block = max(image_panel[0], kernel_panel[0]) * self.sheet.cell
        self.block += self.sheet.title_height + 0.06
        needed = len(kernel) * self.block + 0.02
        extra = max(0.0, needed - self.sheet.tall - self.sheet.title_height)
        self.sheet.bottom += extra
        self.sheet.height += extra
        self.extra = extra
        self.image_scale = _image_scale(picture)
        self.kernel_scale = scale_for([kernel], signed=True)
        everywhere = np.array([sliding.patch(*place) * kernel for place in self.places()])
        self.product_scale = scale_for([everywhere], signed=True)
        self.product_digits = choose_digits(everywhere)
        self.product_ends = np.array([everywhere.min(), everywhere.max()])
        # Beside a kernel with a minus, gray is zero in the map too, even if nothing is negative.
        signed = True if kernel.min() < 0 else None
        self.result_scale = scale_for([self.output], signed=signed)

    def places(self) -> list[tuple[int, int]]:
        """Return all output places, row by row."""
        return list(np.ndindex(self.output.shape))

    def line(self, container):
        """Add the line of text, at the bottom of all channels."""
        bottom = self.sheet.bottom - self.extra
        return container.text(0.5, (bottom - 0.08) / self.height, "", ha="center", va="top")

    def open(self, container):
        """Draw what stays, and return the function that draws one step."""
        sliding, sheet = self.sliding, self.sheet
        frames, products, channels = [], [], len(sliding.kernel)
        large_cell = sheet.cell * self.zoom
        for channel in range(channels):
            axes = sheet.place(container, channel * self.block)
            name = "image" if channels == 1 else f"image, channel {channel}"
            draw_cells(axes[0], sliding.padded[channel], sheet.cell, scale=self.image_scale,
                       numbers=self.image_numbers, title=name)  # fmt: skip
            self._shade_padding(axes[0])
            frames.append(frame(axes[0], 0, 0, *sliding.reach, VERMILION, thickness=2.4))
            draw_cells(axes[1], sliding.kernel[channel], large_cell, scale=self.kernel_scale,
                       numbers=self.kernel_numbers, title="kernel")  # fmt: skip
            products.append(
                draw_cells(axes[2], np.zeros(sliding.kernel.shape[1:]), large_cell,
                           scale=self.product_scale, numbers=self.kernel_numbers,
                           title="product")
            )  # fmt: skip
            fit_letters(products[-1][1], large_cell, self.product_ends, self.product_digits)
            if channel == 0:
                result_axes = axes[3]
                box = result_axes.get_position()
                drop = (channels - 1) / 2 * self.block / self.height
                result_axes.set_position((box.x0, box.y0 - drop, box.width, box.height))
            else:
                axes[3].remove()
        result = draw_cells(result_axes, self.output, sheet.cell, scale=self.result_scale,
                            numbers=self.result_numbers, title="feature map")  # fmt: skip
        here = frame(result_axes, 0, 0, 1, 1, VERMILION, thickness=2.0)
        line, filled, places = self.line(container), _empty(self.output), self.places()

        def update(step: int) -> None:
            row, column = places[step]
            product = sliding.patch(row, column) * sliding.kernel
            for rectangle in frames:
                _move(rectangle, *sliding.corner(row, column))
            for (image, texts), array in zip(products, product, strict=True):
                image.set_data(array)
                if texts:
                    _write_cells(texts, array, self.product_scale, self.product_digits)
            _fill(*result, filled, self.output, step + 1)
            _move(here, row, column)
            line.set_text(sum_line(product, sheet.width - 0.2))

        return update

    def _shade_padding(self, ax) -> None:
        """Hatch the zeros that padding added."""
        (top, left), (height, width) = self.sliding.before, self.sliding.image_size
        bottom, right = top + height, left + width
        rows, columns = self.sliding.padded.shape[1:]
        borders = ((0, 0, top, columns), (bottom, 0, rows, columns))
        borders += ((top, 0, bottom, left), (top, right, bottom, columns))
        for y, x, y_end, x_end in borders:
            if y_end > y and x_end > x:
                corner = (x - 0.5, y - 0.5)
                ax.add_patch(Rectangle(corner, x_end - x, y_end - y, **PADDING))


def _image_scale(picture):
    if picture.min() >= 0 and picture.max() <= 1:
        return picture_scale([picture])
    return scale_for([picture], cmap=PICTURE)


@drawn
def animate_convolution(image, kernel, stride=1, padding=0, dilation=1) -> Animation:
    """Animate a kernel that slides over an image, the feature map filling up behind it.

    Each frame shows the patch, its product with the kernel, the sum as text, and the feature map
    so far. Feature maps of more than 40 numbers (20 with several channels) are filled in that
    many evenly spaced frames.

    Parameters
    ----------
    image : array
        (H, W), or (C, H, W) with a kernel of as many channels.
    kernel : array
        (kh, kw) or (C, kh, kw), applied as cross-correlation, as in a network's layer.
    stride, dilation : int or pair
        As in `cnnedu.Conv2D`.
    padding : int, pair, "same" or "valid"
        Zeros around the image; they are hatched.

    Returns
    -------
    Animation
        Shows itself in a notebook; `still()` is a Figure of its first, middle and last moments,
        `save("name.gif")` writes a file.
    """
    image, kernel = as_channels(image, "image"), as_channels(kernel, "kernel")
    if len(kernel) > 4:
        raise ValueError(f"at most 4 channels can be animated, but the kernel has {len(kernel)}")
    sliding = slide(image, kernel, stride, padding, dilation)
    scene = _ConvolutionScene(sliding)
    steps = choose_steps(scene.output.size, MOST_FRAMES if len(kernel) == 1 else 20)
    alt = (
        f"A kernel of {kernel.shape[1]} x {kernel.shape[2]} slides over an image of "
        f"{image.shape[1]} x {image.shape[2]}"
        + (f" with {len(image)} channels" if len(image) > 1 else "")
        + _settings_text(sliding)
        + f" and fills a feature map of {scene.output.shape[0]} x {scene.output.shape[1]}: "
        f"{rows_text(scene.output)}."
    )
    return Animation("convolution", scene, steps, alt, frames_per_second=_speed(steps))


def _settings_text(sliding) -> str:
    parts = []
    if sliding.stride != (1, 1):
        parts.append(f"stride {_pair_text(sliding.stride)}")
    if sliding.padded.shape[1:] != sliding.image_size:
        parts.append(f"padded to {_pair_text(sliding.padded.shape[1:], always=True)}")
    if sliding.dilation != (1, 1):
        parts.append(f"dilation {_pair_text(sliding.dilation)}")
    return f" ({', '.join(parts)})" if parts else ""


def _pair_text(values, *, always: bool = False) -> str:
    same = values[0] == values[1] and not always
    return str(values[0]) if same else f"{values[0]} x {values[1]}"


def _speed(steps) -> float:
    return 1.5 if len(steps) <= 16 else 4.0


class _PoolingScene(_Scene):
    """Map -> pooled map."""

    def __init__(self, matrix, windows, kind):
        self.matrix, self.windows, self.kind = matrix, windows, kind
        self.output, self.winners, self.ties = pool(matrix, windows, kind)
        map_panel, self.map_numbers = _panel(matrix.shape, 10)
        result_panel, self.result_numbers = _panel(self.output.shape)
        self.sheet = Row([map_panel, result_panel], ["→"], notes_below=2)

    def open(self, container):
        """Draw what stays, and return the function that draws one step."""
        left_axes, right_axes = self.sheet.place(container)
        scale = scale_for([self.matrix], cmap=PICTURE)
        draw_cells(left_axes, self.matrix, self.sheet.cell, scale=scale,
                   numbers=self.map_numbers, title="map")  # fmt: skip
        mark_windows(left_axes, self.windows)
        result = draw_cells(right_axes, self.output, self.sheet.cell, scale=scale,
                            numbers=self.result_numbers, title=f"{self.kind} pooling")  # fmt: skip
        height, width = (int(each) for each in self.windows[0, 0, 2:])
        here = frame(left_axes, 0, 0, height, width, VERMILION, thickness=2.8)
        there = frame(right_axes, 0, 0, 1, 1, VERMILION, thickness=2.0)
        winner = frame(left_axes, 0.12, 0.12, 0.76, 0.76, ORANGE, thickness=2.0)
        winner.set_visible(self.kind == "max")
        line, filled = self.line(container), _empty(self.output)
        places = list(np.ndindex(self.output.shape))

        def update(step: int) -> None:
            top, left = (int(each) for each in self.windows[places[step]][:2])
            _move(here, top, left)
            _move(there, *places[step])
            row, column = self.winners[step]
            winner.set_xy((column - 0.38, row - 0.38))
            _fill(*result, filled, self.output, step + 1)
            window = self.matrix[top : top + height, left : left + width]
            line.set_text(wrap(self._said(window, places[step]), self.sheet.width - 0.2))

        return update

    def _said(self, window, place) -> str:
        result = format_numbers(self.output)[place]
        if window.size > 9:
            return f"{self.kind} of {window.size} numbers = {result}"
        numbers = ", ".join(format_numbers(window).ravel())
        return f"{self.kind}({numbers}) = {result}" + (", a tie" if place in self.ties and
                                                       self.kind == "max" else "")  # fmt: skip


@drawn
def animate_pooling(map, kernel_size=2, stride=None, *, kind: str = "max") -> Animation:
    """Animate the windows of a pooling layer, the winner of each marked, the result filling up.

    Parameters
    ----------
    map : array
        (H, W) or (1, H, W).
    kernel_size, stride : int or pair
        Of the windows; the stride is `kernel_size` if not given.
    kind : {"max", "average"}
        Which pooling.

    Returns
    -------
    Animation
        See `animate_convolution`.
    """
    matrix = as_matrix(map, "map")
    if kind not in ("max", "average"):
        raise ValueError(f'kind must be "max" or "average", but it is {kind!r}')
    windows = pooling_windows(matrix.shape, kernel_size, stride)
    scene = _PoolingScene(matrix, windows, kind)
    steps = choose_steps(scene.output.size)
    alt = (
        f"Windows of {windows[0, 0, 2]} x {windows[0, 0, 3]} move over a map of "
        f"{matrix.shape[0]} x {matrix.shape[1]}; {kind} pooling fills a map of "
        f"{scene.output.shape[0]} x {scene.output.shape[1]}: {rows_text(scene.output)}."
    )
    return Animation("pooling", scene, steps, alt, frames_per_second=_speed(steps))


class _BackwardScene(_Scene):
    """Output gradient x kernel -> its share -> all shares so far."""

    def __init__(self, grad_y, kernel, stride):
        self.grad_y, self.kernel, self.stride = grad_y, kernel, stride
        self.grad_x = scatter(grad_y, kernel, stride)
        panels = [_panel(each.shape) for each in (grad_y, kernel, self.grad_x)]
        (grad_panel, self.grad_numbers), (kernel_panel, self.kernel_numbers) = panels[:2]
        image_panel, self.image_numbers = panels[2]
        self.sheet = Row([grad_panel, kernel_panel, image_panel, image_panel], ["×", "→", "→"],
                         notes_below=1, title_lines=2)  # fmt: skip
        self.sums = list(self._partial_sums())
        shares = grad_y.reshape(-1, 1, 1) * kernel
        # One scale for all panels: same color, same number.
        self.scale = scale_for([grad_y, kernel, shares, *self.sums], signed=True)
        every = np.concatenate([each.ravel() for each in (shares, *self.sums)])
        self.ends = np.array([every.min(), every.max()])
        self.digits = choose_digits(every)

    def share(self, step: int) -> np.ndarray:
        """Return what one value of grad_y adds to grad_x."""
        single = np.zeros_like(self.grad_y)
        single.ravel()[step] = self.grad_y.ravel()[step]
        return scatter(single, self.kernel, self.stride)

    def _partial_sums(self):
        total = np.zeros_like(self.grad_x)
        for step in range(self.grad_y.size):
            total = total + self.share(step)
            yield total

    def open(self, container):
        """Draw what stays, and return the function that draws one step."""
        axes, cell = self.sheet.place(container), self.sheet.cell
        draw_cells(axes[0], self.grad_y, cell, scale=self.scale, numbers=self.grad_numbers,
                   title="grad_y")  # fmt: skip
        draw_cells(axes[1], self.kernel, cell, scale=self.scale, numbers=self.kernel_numbers,
                   title="kernel")  # fmt: skip
        zeros = np.zeros_like(self.grad_x)
        share = draw_cells(axes[2], zeros, cell, scale=self.scale, numbers=self.image_numbers,
                           title="its share\nof grad_x")  # fmt: skip
        total = draw_cells(axes[3], zeros, cell, scale=self.scale, numbers=self.image_numbers,
                           title="grad_x: all shares\nso far, summed")  # fmt: skip
        for _, texts in (share, total):
            fit_letters(texts, cell, self.ends, self.digits)
        here = frame(axes[0], 0, 0, 1, 1, VERMILION, thickness=2.4)
        there = [frame(ax, 0, 0, *self.kernel.shape, VERMILION, thickness=2.4) for ax in axes[2:]]
        line, places = self.line(container), list(np.ndindex(self.grad_y.shape))

        def update(step: int) -> None:
            row, column = places[step]
            top, left = row * self.stride[0], column * self.stride[1]
            _move(here, row, column)
            for rectangle in there:
                _move(rectangle, top, left)
            for (image, texts), array in ((share, self.share(step)), (total, self.sums[step])):
                image.set_data(array)
                if texts:
                    _write_cells(texts, array, self.scale, self.digits)
            bottom, right = top + self.kernel.shape[0], left + self.kernel.shape[1]
            value = format_numbers(self.grad_y)[row, column]
            line.set_text(f"grad_x[{top}:{bottom}, {left}:{right}] += {value} × kernel")

        return update


@drawn
def animate_backward(grad_y, kernel, stride=1) -> Animation:
    """Animate how the output's gradient scatters back over the input, value by value.

    ``grad_x[i * stride + u, j * stride + v] += grad_y[i, j] * kernel[u, v]``

    Parameters
    ----------
    grad_y : array
        Gradient of the output, (rows, columns).
    kernel : array
        (kh, kw).
    stride : int or pair
        Of the layer.

    Returns
    -------
    Animation
        See `animate_convolution`.
    """
    grad_y, kernel = as_matrix(grad_y, "grad_y"), as_matrix(kernel, "kernel")
    if grad_y.size > MOST_CELLS:
        raise ValueError(f"grad_y has {grad_y.size} values, too many to animate ({MOST_CELLS})")
    scene = _BackwardScene(grad_y, kernel, pair(stride, "stride"))
    steps = choose_steps(grad_y.size)
    alt = (
        f"Each of the {grad_y.size} values of the output's gradient, times a kernel of "
        f"{kernel.shape[0]} x {kernel.shape[1]}, is added to the input's gradient, which ends as "
        f"{rows_text(scene.grad_x)}."
    )
    return Animation("backward", scene, steps, alt, frames_per_second=_speed(steps))
