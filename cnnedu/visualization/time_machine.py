"""A training as a film: the filters of a layer, and the accuracy, as they come to be.

Played from the recordings that come with the package (``cnnedu.load_checkpoints``) or from the
reader's own (``cnnedu.training.WeightRecorder``). The steps are drawn on an axis that gives 1 to
10 as much room as 1,000 to 10,000: most of what there is to see happens early.
"""

import copy
import math
from dataclasses import dataclass

import numpy as np

from cnnedu.training import evaluate
from cnnedu.visualization.animation import Animation
from cnnedu.visualization.colors import BLUE, Scale, scale_for
from cnnedu.visualization.edges import finish_steps
from cnnedu.visualization.figures import (
    PAGE_WIDTH,
    add_heading,
    add_panel,
    count_lines,
    drawn,
    finish,
    line_height,
    number,
    open_figure,
    plural,
    points,
    size,
    style_colorbar,
    wrap,
)
from cnnedu.visualization.inputs import as_array, is_network

MOST_MOMENTS = 24
MOST_KERNELS = 32
MOST_CHANNELS = 5
MOST_IN_A_ROW = 5
SMALL = 0.85  # of the letters in use


@dataclass(frozen=True, eq=False)
class Film:
    """What is shown: the kernels of one layer at some moments of a training.

    Attributes
    ----------
    layer : str
    steps : list of int
        After how many mini-batches each moment is.
    kernels : ndarray, shape (moments, kernels, kh, kw)
    names : list of str
        One per kernel; of several input channels (filter, channel) in the order of the rows.
    rows : list of str
        Filter of each row, if each column is an input channel; empty otherwise.
    accuracy : ndarray, shape (moments,), or None
        A share between 0 and 1.
    change : ndarray, shape (moments,)
        Root mean square of what the layer's weights have changed since the first moment.
    what : str
        The kernels in words.
    """

    layer: str
    steps: list[int]
    kernels: np.ndarray
    names: list[str]
    rows: list[str]
    accuracy: np.ndarray | None
    change: np.ndarray
    what: str

    @property
    def scale(self) -> Scale:
        """The one color scale of all kernels at all moments, zero in its middle."""
        return scale_for([self.kernels], signed=True)

    def said(self, moment: int) -> str:
        """Return the step and, if known, the accuracy."""
        text = f"step {self.steps[moment]:,}"
        return text if self.accuracy is None else f"{text}: {_percent(self.accuracy[moment])} right"


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"


# ---------------------------------------------------------------------------------------------
# What is given
# ---------------------------------------------------------------------------------------------


def _read_recording(recording) -> tuple[list[int], list[dict]]:
    steps, snapshots = (getattr(recording, name, None) for name in ("steps", "snapshots"))
    if steps is None or snapshots is None:
        raise TypeError(
            "recording must have steps and snapshots, as a WeightRecorder and load_checkpoints() "
            f"have, but it is a {type(recording).__name__}"
        )
    if not len(steps) and not len(snapshots):
        raise ValueError(
            "the recording is empty: train with fit(..., callbacks=[recorder]) before drawing it"
        )
    if len(steps) != len(snapshots):
        raise ValueError(
            f"the recording must have one snapshot per step, but it has {len(snapshots)} snapshots "
            f"and {len(steps)} steps"
        )
    order = as_array(steps, "steps")
    if order[0] < 0 or (np.diff(order) <= 0).any():
        raise ValueError(f"steps must rise from 0 or more, but they are {list(steps)}")
    return [int(step) for step in steps], list(snapshots)


def _read_accuracy(given, count: int) -> np.ndarray:
    accuracy = as_array(given, "accuracy").astype(np.float64)
    if accuracy.shape != (count,):
        raise ValueError(
            f"accuracy must hold one number per snapshot ({count}), but its shape is "
            f"{accuracy.shape}"
        )
    if accuracy.min() < 0 or accuracy.max() > 1:
        raise ValueError(
            f"accuracy must be shares between 0 and 1, but it goes from {accuracy.min():g} to "
            f"{accuracy.max():g}"
        )
    return accuracy


def _measure(recording, snapshots, network, data) -> np.ndarray:
    """Return the accuracy of each snapshot on `data`."""
    if network is None:
        if not hasattr(recording, "network"):
            raise ValueError(
                "to compute accuracies the network is needed, too: pass network=network with data="
            )
        network = recording.network(0)
    if not is_network(network):
        raise TypeError(f"network must be a network, but it is a {type(network).__name__}")
    network, found = copy.deepcopy(network), []  # the reader's own keeps its weights
    for snapshot in snapshots:
        for name, array in network.params.items():
            if np.shape(snapshot.get(name)) != array.shape:
                raise ValueError(
                    f"network must be the one recorded, but its {name} has shape {array.shape}, in "
                    f"the recording it " + (f"has {np.shape(snapshot[name])}" if name in snapshot
                                            else "is missing")
                )  # fmt: skip
            array[...] = snapshot[name]
        found.append(evaluate(network, data).accuracy)
    return np.array(found)


def _choose_moments(steps: list[int], most: int = MOST_MOMENTS) -> list[int]:
    """Return at most `most` positions in `steps`, even on a logarithmic axis, with both ends."""
    if len(steps) <= most:
        return list(range(len(steps)))
    places = np.log1p(steps)
    wanted = np.linspace(places[0], places[-1], most)
    return sorted({int(np.abs(places - each).argmin()) for each in wanted})


def _read_weights(snapshots, layer) -> tuple[str, np.ndarray]:
    """Return a layer's name and its weights, (moments, F, C, kh, kw) or (moments, out, in)."""
    shapes = {
        key.removesuffix(".weight"): np.ndim(array)
        for key, array in snapshots[0].items()
        if key.endswith(".weight") and np.ndim(array) in (2, 4)
    }
    if not shapes:
        raise ValueError(
            "the recording must hold the weights of a convolution or dense layer, but it holds "
            f"{', '.join(snapshots[0]) or 'nothing'}"
        )
    if layer is None:
        layer = next((name for name, axes in shapes.items() if axes == 4), next(iter(shapes)))
    if layer not in shapes:
        raise ValueError(
            f"layer must be one with filters ({', '.join(shapes)}), but it is {layer!r}"
        )
    key = f"{layer}.weight"
    for snapshot in snapshots:
        if np.shape(snapshot.get(key)) != np.shape(snapshots[0][key]):
            raise ValueError(f"{key} must have one shape in all snapshots, but it has several")
    return layer, as_array([snapshot[key] for snapshot in snapshots], key)


def _read_numbers(given, count: int, name: str, most: int) -> list[int]:
    if given is None:
        return list(range(min(count, most)))
    chosen = np.atleast_1d(given)
    whole = chosen.ndim == 1 and chosen.size and chosen.dtype.kind in "iu"
    if not whole or chosen.min() < 0 or chosen.max() >= count:
        raise ValueError(f"{name} must be numbers from 0 to {count - 1}, but it is {given!r}")
    if len(chosen) > most:
        raise ValueError(f"{name} names {len(chosen)}, at most {most} can be drawn")
    return [int(each) for each in chosen]


def _as_filters(weights, layer: str, shape) -> np.ndarray:
    """Return (moments, F, C, kh, kw); a dense layer is one picture, or one per unit by `shape`."""
    if shape is None:
        return weights if weights.ndim == 5 else weights[:, np.newaxis, np.newaxis]
    if weights.ndim == 5:
        raise ValueError(f"shape is for dense layers, but {layer} is a convolution layer")
    sides = tuple(int(each) for each in np.atleast_1d(shape))
    if len(sides) not in (2, 3) or math.prod(sides) != weights.shape[2]:
        raise ValueError(
            f"shape must be (H, W) or (C, H, W) of the {weights.shape[2]} numbers that go into "
            f"{layer}, but it is {shape!r}"
        )
    return weights.reshape(*weights.shape[:2], *(1,) * (3 - len(sides)), *sides)


def _make_film(recording, layer, network, data, accuracy, filters, channels, shape) -> Film:
    steps, snapshots = _read_recording(recording)
    if data is not None and accuracy is not None:
        raise ValueError("accuracy was given, and data to compute it from; give one of them")
    if network is not None and data is None:
        raise ValueError("network was given to compute accuracies, but no data; pass data= as well")
    if accuracy is None and data is None:
        accuracy = getattr(recording, "accuracy", None)
    if accuracy is not None:
        accuracy = _read_accuracy(accuracy, len(steps))
    layer, weights = _read_weights(snapshots, layer)
    moments = _choose_moments(steps)
    if data is not None:
        accuracy = _measure(recording, [snapshots[each] for each in moments], network, data)
    elif accuracy is not None:
        accuracy = accuracy[moments]
    weights = weights[moments]
    change = np.sqrt(np.mean((weights - weights[:1]) ** 2, axis=tuple(range(1, weights.ndim))))
    whole = weights.ndim == 3 and shape is None
    kernels, names, rows, what = _choose_kernels(
        _as_filters(weights, layer, shape), filters, channels, whole
    )
    steps = [steps[each] for each in moments]
    return Film(layer, steps, kernels, names, rows, accuracy, change, f"{layer}: {what}")


def _choose_kernels(weights, filters, channels, whole: bool):
    """Return the kernels to draw, their names, the names of rows if they are filters, in words."""
    count, depth, height, width = weights.shape[1:]
    across = _read_numbers(channels, depth, "channels", MOST_CHANNELS)
    down = _read_numbers(filters, count, "filters", MOST_KERNELS // len(across))
    kernels = weights[:, down][:, :, across]
    kernels = kernels.reshape(len(weights), -1, height, width)
    if whole:
        what = f"{plural(height, 'unit')} (rows), {plural(width, 'input')} (columns)"
        return kernels, [""], [], what
    some = "" if len(down) == count else f"{len(down)} of "
    what = f"{some}{plural(count, 'filter')}"
    if len(across) > 1:
        some = "" if len(across) == depth else f"{len(across)} of "
        what += f" (rows), {some}{plural(depth, 'input channel')} (columns)"
    elif depth > 1:
        what += f", input channel {across[0]} of {depth}"
    what += f", {height} × {width}"
    if len(across) == 1:
        return kernels, [str(each) for each in down], [], what
    names = [f"{f}, {c}" for f in down for c in across]
    return kernels, names, [str(each) for each in down], what


# ---------------------------------------------------------------------------------------------
# Drawing
# ---------------------------------------------------------------------------------------------


class _Sheet:
    """Places for all kernels of a moment, in inches from the upper left corner."""

    def __init__(self, film: Film, width: float, columns: int, largest: float, named: bool = True):
        height, kernel_width = film.kernels.shape[2:]
        self.film, self.width = film, width
        self.columns = len(film.names) // len(film.rows) if film.rows else columns
        self.lines = math.ceil(len(film.names) / self.columns)
        gap = 0.05
        # In a grid, filters are named at the left and channels above; otherwise each kernel is.
        self.margin = 0.26 if film.rows else 0.0
        if len(film.names) == 1:
            largest = width
        elif film.rows:
            largest = min(largest, 3.0 / self.lines)
        self.panel = min(largest, (width - self.margin) / self.columns - gap)
        self.tall = self.panel * min(max(height / kernel_width, 0.4), 2.5)
        self.letters = min(size().letters, max(6.0, self.panel * 72 / 3))
        label = self.letters * 1.25 / 72
        self.named = named and any(film.names)
        self.above = label if self.named and not film.rows else 0.0
        self.top = label if film.rows else 0.0
        self.step = (self.panel + gap, self.tall + gap + self.above)
        self.height = self.top + self.lines * self.step[1]
        self.left = self.margin
        self.left += (width - self.margin - self.columns * self.step[0] + gap) / 2

    def draw(self, container, x: float, y: float, whole: tuple[float, float], moment: int) -> list:
        """Draw all kernels with the lower left corner at (x, y); return their images."""
        ax = add_panel(container, x, y, self.width, self.height, *whole)
        film, scale, images = self.film, self.film.scale, []
        for index, name in enumerate(film.names):
            row, column = divmod(index, self.columns)
            left = self.left + column * self.step[0]
            top = self.top + self.above + row * self.step[1]
            images.append(
                ax.imshow(film.kernels[moment, index], cmap=scale.cmap, vmin=scale.low,
                          vmax=scale.high, aspect="auto", interpolation="nearest",
                          extent=(left, left + self.panel, top + self.tall, top))
            )  # fmt: skip
            if film.rows:
                self._name_grid(ax, film, row, column, left, top)
            elif self.named:
                ax.text(left + self.panel / 2, top - 0.02, name, size=self.letters,
                        ha="center", va="bottom", color="0.3")  # fmt: skip
        ax.set_xlim(0, self.width)
        ax.set_ylim(self.height, 0)
        ax.set_axis_off()
        return images

    def _name_grid(self, ax, film, row, column, left, top) -> None:
        look = {"size": self.letters, "color": "0.3"}
        if column == 0:
            ax.text(left - 0.05, top + self.tall / 2, film.rows[row], ha="right", va="center",
                    **look)  # fmt: skip
        if row == 0:
            channel = film.names[column].split(", ")[1]
            ax.text(left + self.panel / 2, top - 0.02, channel, ha="center", va="bottom", **look)


def _best_columns(count: int, width: float, height: float) -> int:
    """Return how many panels in a row make them largest."""
    return max(range(1, count + 1), key=lambda n: min(width / n, height / math.ceil(count / n)))


class _TrainingScene:
    """Filters on the left, the curve so far on the right, the step in words below."""

    def __init__(self, film: Film):
        self.film = film
        self.sheet = _Sheet(film, 4.5, _best_columns(len(film.names), 4.5, 2.5), largest=1.2)
        self.caption = wrap(film.what, 5.6)
        self.top = count_lines([self.caption]) * line_height() + 0.12
        self.bottom, self.width = line_height() + 0.16, PAGE_WIDTH
        self.body = max(self.sheet.height, 2.3)
        self.height = self.body + self.top + self.bottom

    def open(self, container):
        """Draw what stays, and return the function that draws one moment."""
        film, sheet, whole = self.film, self.sheet, (self.width, self.height)
        low = self.bottom + (self.body - sheet.height) / 2
        images = sheet.draw(container, 0.1, low, whole, 0)
        self._colorbar(container, images[0])
        container.text((0.1 + sheet.width / 2) / self.width, 1 - 0.05 / self.height,
                       self.caption, ha="center", va="top")  # fmt: skip
        values = film.change if film.accuracy is None else film.accuracy
        curve, dot = self._axes(container, values)
        line = container.text(0.5, 0.06 / self.height, "", ha="center", va="bottom",
                              weight="bold")  # fmt: skip

        def update(moment: int) -> None:
            for image, kernel in zip(images, film.kernels[moment], strict=True):
                image.set_data(kernel)
            curve.set_data(film.steps[: moment + 1], values[: moment + 1])
            dot.set_data([film.steps[moment]], [values[moment]])
            line.set_text(film.said(moment))

        return update

    def _colorbar(self, container, image) -> None:
        tall = min(self.body - 0.3, 2.4)
        bar = add_panel(container, 4.8, self.bottom + (self.body - tall) / 2, 0.12, tall,
                        self.width, self.height)  # fmt: skip
        style_colorbar(container.figure.colorbar(image, cax=bar), "")
        bar.set_title("weight", pad=4)

    def _axes(self, container, values):
        steps, film = self.film.steps, self.film
        low = self.bottom + 2 * line_height() + 0.05
        ax = add_panel(container, 6.05, low, 2.75, self.height - low - self.top,
                       self.width, self.height)  # fmt: skip
        (curve,) = ax.plot([], [], "-o", color=BLUE, ms=points(3.5))
        (dot,) = ax.plot([], [], "o", color=BLUE, ms=points(9), zorder=4, clip_on=False)
        finish_steps(ax, steps, "")
        room = 0.04 * max(steps[-1] - steps[0], 1)
        if steps[-1] <= 50:
            ax.set_xlim(steps[0] - room, steps[-1] + room)
        if film.accuracy is None:
            ax.set_ylim(0, 1.05 * (values.max() or 1.0))
            ax.set_title("change since the start (RMS)", pad=5)
        else:
            ax.set_ylim(0, 1.03)
            ax.set_yticks([0, 0.25, 0.5, 0.75, 1], ["0", "25 %", "50 %", "75 %", "100 %"])
            ax.set_title("accuracy", pad=5)
        return curve, dot


class TrainingAnimation(Animation):
    """Frames of a training; its `still` shows some moments side by side."""

    @drawn
    def still(self, frames=None):
        """Return a Figure of some moments in one row.

        Parameters
        ----------
        frames : int or sequence of int, optional
            Which frames, counted from 0; the first, the last and up to three between if not given.
        """
        film = self._scene.film
        if frames is None:
            most = min(MOST_IN_A_ROW, self.frames)
            chosen = [int(each) for each in np.round(np.linspace(0, self.frames - 1, most))]
        else:
            chosen = self._read_frames(frames)
            if len(chosen) > 2 * MOST_IN_A_ROW:
                raise ValueError(
                    f"frames names {len(chosen)} moments, at most {2 * MOST_IN_A_ROW} fit in a row"
                )
        figure = _draw_row(film, chosen)
        listed = "; ".join(film.said(each) for each in chosen)
        return finish(figure, f"{self.alt[:-1]}. Side by side: {listed}.")


def _draw_row(film: Film, chosen: list[int]):
    gap, side = 0.25, 0.95
    width = min(3.0, (PAGE_WIDTH - side - 0.1) / len(chosen) - gap)
    columns = max(1, math.ceil(math.sqrt(len(film.names) / 2)))
    sheet = _Sheet(film, width, columns, largest=1.2)
    strip = 0.0
    if sheet.above and sheet.letters < size().letters * SMALL and _consecutive(film.names):
        # Names above each kernel would be too small: one strip of them stands at the left.
        strip = 0.62 * size().letters * SMALL / 72 * (2 * len(film.names[-1]) + 1) + 0.05
        width -= strip / len(chosen)
        sheet = _Sheet(film, width, columns, largest=1.2, named=False)
    titles = [wrap(film.said(each).replace(": ", ":\n"), width + gap) for each in chosen]
    over = (1 + max(title.count("\n") for title in titles)) * line_height() + 0.1
    heading = line_height(1.1) + 0.1
    total = max(0.1 + strip + len(chosen) * (width + gap) + side, 4.0)
    height = sheet.height + over + heading + 0.1
    figure = open_figure(total, height)
    add_heading(figure, film.what, total, height)
    for place, (moment, title) in enumerate(zip(chosen, titles, strict=True)):
        x = 0.1 + strip + place * (width + gap)
        images = sheet.draw(figure, x, 0.1, (total, height), moment)
        center = (x + sheet.width / 2) / total
        figure.text(center, 1 - (heading + 0.04) / height, title, ha="center", va="top")
    tall = min(sheet.height - 0.05, 2.8)
    if strip:
        _name_lines(figure, sheet, strip, (total, height))
    x = 0.1 + strip + len(chosen) * (width + gap)
    bar = figure.colorbar(images[0], cax=add_panel(figure, x, 0.12, 0.13, tall, total, height))
    style_colorbar(bar, "weight")
    if tall < 1:
        bar.ax.locator_params(nbins=3)
    return figure


def _consecutive(names: list[str]) -> bool:
    return names == [str(int(names[0]) + index) for index in range(len(names))]


def _name_lines(figure, sheet: _Sheet, strip: float, whole: tuple[float, float]) -> None:
    """Write "0-3", "4-7", ... at the left of the first moment's kernels."""
    names = sheet.film.names
    for line in range(sheet.lines):
        first, last = line * sheet.columns, min((line + 1) * sheet.columns, len(names)) - 1
        text = names[first] if first == last else f"{names[first]}–{names[last]}"
        y = 0.1 + sheet.height - line * sheet.step[1] - sheet.tall / 2
        figure.text((0.1 + strip + sheet.left - 0.05) / whole[0], y / whole[1], text, ha="right",
                    va="center", size=size().letters * SMALL, color="0.3")  # fmt: skip


@drawn
def animate_training(
    recording,
    layer: str | None = None,
    *,
    data=None,
    network=None,
    accuracy=None,
    filters=None,
    channels=None,
    shape=None,
) -> TrainingAnimation:
    """Animate a training: the filters of a layer, and the accuracy, as they come to be.

    All frames have one color scale with zero in its middle, so a filter that stays pale has stayed
    small. The steps lie on a logarithmic axis, and of long recordings up to 24 moments are shown,
    evenly spaced on it.

    Parameters
    ----------
    recording : Recording or WeightRecorder
        What `cnnedu.load_checkpoints` returns, or your own: after
        ``fit(..., callbacks=[recorder])``. Anything with `steps` and `snapshots` will do.
    layer : str, optional
        A layer with weights, such as "conv2"; the first convolution if not given. Of several input
        channels, each row is a filter and each column an input channel. A dense layer is drawn as
        one matrix, a row for each unit.
    data : (images, labels), optional
        To compute the accuracy at each moment drawn.
    network : Sequential, optional
        The network that was recorded (it is not changed); needed with `data`, unless the recording
        knows it.
    accuracy : sequence of float, optional
        One share per snapshot, if it is known; the recording's own if not given. Without any, the
        curve shows how far the layer's weights have moved from where they began.
    filters : sequence of int, optional
        Which filters; the first ones if not given (32 kernels in all).
    channels : sequence of int, optional
        Which input channels; the first five if not given.
    shape : (H, W) or (C, H, W), optional
        Of what goes into a dense layer: each of its units is then drawn as a picture.

    Returns
    -------
    Animation
        Shows itself in a notebook; `still()` is a Figure of some of its moments in one row,
        `save("name.gif")` writes a file.

    Raises
    ------
    TypeError, ValueError
        If the recording is empty, its lengths differ, the layer has no filters, or `data` and
        `network` do not fit.

    Examples
    --------
    >>> from cnnedu import load_checkpoints
    >>> recording = load_checkpoints("notebook")
    >>> animation = animate_training(recording)
    >>> animation.frames == len(recording.steps)
    True

    Notes
    -----
    Lesson 5, section 7, plays two trainings.
    """
    film = _make_film(recording, layer, network, data, accuracy, filters, channels, shape)
    scale = film.scale
    alt = (
        f"{film.what}, at {plural(len(film.steps), 'moment')} of a training, from step "
        f"{film.steps[0]:,} to {film.steps[-1]:,}; color scale from {number(scale.low)} to "
        f"{number(scale.high)}; "
    )
    if film.accuracy is None:
        alt += f"root mean square of the weights' change at the end {number(film.change[-1])}."
    else:
        alt += f"accuracy from {_percent(film.accuracy[0])} to {_percent(film.accuracy[-1])}."
    moments = list(range(len(film.steps)))
    return TrainingAnimation("training", _TrainingScene(film), moments, alt, frames_per_second=1.5)
