"""Small pictures in named rows: maps after each layer, filters along a training."""

from collections.abc import Mapping

import numpy as np

from cnnedu.visualization.colors import Scale, picture_scale, scale_for
from cnnedu.visualization.figures import (
    PAGE_WIDTH,
    add_heading,
    add_panel,
    bare,
    count_lines,
    drawn,
    finish,
    line_height,
    open_figure,
    plural,
    show,
    size,
    span_text,
    style_colorbar,
    wrap,
)
from cnnedu.visualization.inputs import as_array, as_picture, as_titles

MOST_ROWS = 12
MOST_COLUMNS = 20
KINDS = ("signed", "amount", "picture")
SCALES = ("shared", "row")


@drawn
def plot_rows(
    rows,
    titles=None,
    *,
    kind: str | None = None,
    scale: str = "shared",
    label: str = "",
    largest: float = 1.1,
    title: str | None = None,
):
    """Draw small pictures in rows that have names, all on one scale or each row on its own.

    Parameters
    ----------
    rows : mapping of str to array or list
        The pictures of each row from left to right: (K, H, W), (K, 1, H, W), or a list of (H, W);
        with ``kind="picture"`` also in color, a list of (H, W, 3) or (3, H, W). Rows may differ in
        length, and pictures in size.
    titles : sequence or mapping, optional
        One title per column; or, by the row's name, one per picture of that row.
    kind : {"signed", "amount", "picture"}, optional
        Zero-centered colors, colors from zero up, or gray. If not given, "signed" where a value is
        negative, else "amount".
    scale : {"shared", "row"}
        One scale for all, so that rows can be compared, or one for each row, so that weak ones can
        be seen; its ends are then written under the row's name, instead of the bar of colors.
    label : str
        What the colors measure, at the bar of colors (which "picture" and "row" do not have).
    largest : float
        The width of a picture, in inches, if there is room.
    title : str, optional
        Heading of the figure.

    Returns
    -------
    Figure
        With `alt`, which gives each row's range of values.

    Raises
    ------
    TypeError, ValueError
        If there is nothing to draw, too much, or a row does not hold pictures.
    """
    if kind is not None and kind not in KINDS:
        raise ValueError(f"kind must be one of {', '.join(KINDS)}, but it is {kind!r}")
    if scale not in SCALES:
        raise ValueError(f'scale must be "shared" or "row", but it is {scale!r}')
    pictures = _read_rows(rows, in_color=kind == "picture")
    columns = max(len(row) for row in pictures.values())
    above, within = _read_titles(titles, pictures, columns)
    every = [picture for row in pictures.values() for picture in row]
    if kind is None:
        kind = "signed" if min(float(picture.min()) for picture in every) < 0 else "amount"
    scales = _row_scales(pictures, every, kind, scale)
    names = {name: name for name in pictures}
    if scale == "row" and kind != "picture":
        names = {name: _with_ends(name, row, scales[name]) for name, row in pictures.items()}
    bar = scale == "shared" and kind != "picture"
    figure, panels, bar_axes = _open_rows(pictures, names, above, within, largest, title, bar)
    for name, row in pictures.items():
        for column, picture in enumerate(row):
            ax = panels[name][column]
            image = show(ax, picture, scales[name])
            bare(ax, within[name][column] if within else "")
            if above and ax is _topmost(panels, column):
                ax.set_title(above[column], pad=3)
    if bar_axes is not None:
        style_colorbar(figure.colorbar(image, cax=bar_axes), label)
    return finish(figure, _rows_text(pictures, within, title))


def _row_scales(pictures, every, kind: str, scale: str) -> dict[str, Scale]:
    """Return the scale of each row; of a row without pictures, the common one."""
    groups = {name: (row if scale == "row" and row else every) for name, row in pictures.items()}
    if kind == "picture":
        return {name: picture_scale(group) for name, group in groups.items()}
    return {name: scale_for(group, signed=kind == "signed") for name, group in groups.items()}


def _with_ends(name: str, row, scale: Scale) -> str:
    """Return a row's name with the ends of its scale below."""
    if not row:
        return name
    return f"{name}\n{scale.ends()}"


def _read_rows(rows, in_color: bool) -> dict[str, list[np.ndarray]]:
    if not isinstance(rows, Mapping):
        raise TypeError(
            'rows must be a mapping from names to pictures, such as {"conv1": maps}, but it is a '
            f"{type(rows).__name__}"
        )
    pictures = {str(name): _read_row(str(name), row, in_color) for name, row in rows.items()}
    if not 1 <= len(pictures) <= MOST_ROWS:
        raise ValueError(f"rows must hold 1 to {MOST_ROWS} rows, but there are {len(pictures)}")
    longest = max(len(row) for row in pictures.values())
    if not 1 <= longest <= MOST_COLUMNS:
        raise ValueError(
            f"a row must hold 1 to {MOST_COLUMNS} pictures, but the longest holds {longest}; "
            "choose some"
        )
    return pictures


def _read_row(name: str, row, in_color: bool) -> list[np.ndarray]:
    where = f"rows[{name!r}]"
    if isinstance(row, list | tuple) and (not row or np.ndim(row[0]) >= 2):
        pictures = [as_array(picture, f"{where}[{i}]") for i, picture in enumerate(row)]
    else:
        pictures = list(np.atleast_1d(as_array(row, where)))
    pictures = [each[0] if each.ndim == 3 and len(each) == 1 else each for each in pictures]
    if in_color and any(each.ndim == 3 and 3 in each.shape for each in pictures):
        # As a batch of one with the channels first, which can be read in one way only.
        last = [each.ndim == 3 and each.shape[2] == 3 for each in pictures]
        pictures = [np.moveaxis(p, -1, 0) if c else p for p, c in zip(pictures, last, strict=True)]
        return [as_picture(p[np.newaxis], where) for p in pictures]
    for each in pictures:
        if each.ndim != 2:
            raise ValueError(
                f"{where} must hold pictures, (K, H, W) or (K, 1, H, W), but one of them has "
                f"shape {each.shape}"
            )
    return pictures


def _read_titles(titles, pictures, columns: int):
    """Return the titles of the columns, or those of each row's pictures; None for the other."""
    if titles is None:
        return None, None
    if not isinstance(titles, Mapping):
        return as_titles(titles, columns, "columns"), None
    given = {str(name): each for name, each in titles.items()}
    if set(given) != set(pictures):
        raise ValueError(
            f"titles must name the rows {', '.join(pictures)}, but they name {', '.join(given)}"
        )
    return None, {
        name: as_titles(given[name], len(row), f"pictures of {name!r}")
        for name, row in pictures.items()
    }


def _open_rows(pictures, labels, above, within, largest, title, bar: bool):
    """Return the figure, its panels by row, and the place of the bar of colors (or None)."""
    columns = max(len(row) for row in pictures.values())
    letter = 0.62 * size().letters / 72
    longest = max(len(line) for label in labels.values() for line in label.split("\n"))
    names = max(0.3, 0.15 + letter * longest)
    side, gap = (0.95 if bar else 0.12), 0.08
    room = PAGE_WIDTH - names - side
    width = min(largest, room / columns - gap)
    ratio = max(each.shape[0] / each.shape[1] for row in pictures.values() for each in row)
    height = width * min(max(ratio, 0.1), 4.0)
    first = line_height() * count_lines(above or []) + 0.07
    each_title = line_height() * count_lines([t for row in (within or {}).values() for t in row])
    step = height + gap + (each_title + 0.06 if within else 0)
    total_width = max(names + columns * (width + gap) + side, 3.0)
    heading = wrap(title, total_width - 0.2, 1.1) if title else ""
    top = first + line_height(1.1) * count_lines([heading]) + (0.12 if heading else 0)
    total_height = top + len(pictures) * step + 0.05
    figure = open_figure(total_width, total_height)
    if heading:
        add_heading(figure, heading, total_width, total_height)
    panels = {}
    for index, (name, row) in enumerate(pictures.items()):
        y = total_height - top - (index + 1) * step + gap
        panels[name] = [
            add_panel(figure, names + column * (width + gap), y, width, height, total_width,
                      total_height)
            for column in range(len(row))
        ]  # fmt: skip
        figure.text((names - 0.08) / total_width, (y + height / 2) / total_height,
                    labels[name], ha="right", va="center", multialignment="right")  # fmt: skip
    bar_axes = None
    if bar:
        tall = min(total_height - top - 0.1, 2.6)
        x = names + columns * (width + gap) + 0.06
        bar_axes = add_panel(figure, x, 0.1, 0.13, tall, total_width, total_height)
    return figure, panels, bar_axes


def _topmost(panels, column: int):
    return next(row[column] for row in panels.values() if column < len(row))


def _rows_text(pictures, within, title) -> str:
    parts = []
    for name, row in pictures.items():
        part = f"{name}: {plural(len(row), 'picture')}"
        if row:
            sizes = sorted({each.shape[:2] for each in row})
            part += f" of {', '.join(f'{h} x {w}' for h, w in sizes)}, {span_text(row)}"
        if within and row:
            part += ", titled " + ", ".join(t.replace("\n", " ") or "–" for t in within[name])
        parts.append(part)
    text = f"{title}: " if title else ""
    return f"{text}{plural(len(pictures), 'row')} of small pictures; " + "; ".join(parts) + "."
