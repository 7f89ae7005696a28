"""From arrays to colored pixels: what the widgets send to the browser, which only paints them."""

import math

import matplotlib
import numpy as np

from cnnedu.visualization.colors import Scale

STEPS = 257  # an odd number, so that zero has a color of its own in the middle
CLEAR = (0, 0, 0, 0)


def paint(array: np.ndarray, scale: Scale) -> np.ndarray:
    """Return the color of every number on a scale.

    Parameters
    ----------
    array : ndarray, shape (...)
    scale : Scale
        Values beyond its ends get the colors of the ends.

    Returns
    -------
    ndarray of uint8, shape (..., 4)
        Red, green, blue, opacity.
    """
    span = (scale.high - scale.low) or 1.0
    places = (np.asarray(array, np.float64) - scale.low) * ((STEPS - 1) / span)
    return _table(scale)[np.clip(np.rint(places), 0, STEPS - 1).astype(np.intp)]


def _table(scale: Scale) -> np.ndarray:
    colormap = matplotlib.colormaps.get_cmap(scale.cmap)
    return colormap(np.linspace(0, 1, STEPS), bytes=True)


def tile(maps: np.ndarray, columns: int, *, gap: int = 1) -> np.ndarray:
    """Lay painted maps out in rows, with transparent gaps between them.

    Parameters
    ----------
    maps : ndarray of uint8, shape (C, H, W, 4)
    columns : int
        Maps in a row.
    gap : int
        Pixels between two maps.

    Returns
    -------
    ndarray of uint8, shape (rows * (H + gap) - gap, columns * (W + gap) - gap, 4)
    """
    count, height, width = maps.shape[:3]
    rows = math.ceil(count / columns)
    spare = np.full((rows * columns - count, height, width, 4), CLEAR, np.uint8)
    padded = np.pad(np.concatenate([maps, spare]), ((0, 0), (0, gap), (0, gap), (0, 0)))
    grid = padded.reshape(rows, columns, height + gap, width + gap, 4).swapaxes(1, 2)
    grid = grid.reshape(rows * (height + gap), columns * (width + gap), 4)
    return grid[: grid.shape[0] - gap, : grid.shape[1] - gap]


def columns_for(count: int, height: int, width: int, *, ratio: float = 3.0) -> int:
    """Return how many maps to put in a row for a sheet about `ratio` times as wide as high.

    Rows that are all full are preferred, if the sheet is at most twice as long for it.
    """
    wanted = max(1.0, min(count, math.sqrt(ratio * count * height / width)))
    full = [columns for columns in range(1, count + 1) if count % columns == 0]
    nearest = min(full, key=lambda columns: abs(math.log(columns / wanted)))
    if wanted / 1.5 <= nearest <= 1.5 * wanted:
        return nearest
    return math.ceil(count / math.ceil(count / round(wanted)))


def panel(pixels: np.ndarray) -> dict:
    """Pack painted pixels (H, W, 4) as the browser takes them."""
    rows, columns = pixels.shape[:2]
    return {"rows": rows, "columns": columns, "pixels": pixels.tobytes()}


def bar(scale: Scale) -> dict:
    """Pack the scale itself, one row of colors from its lowest to its highest value."""
    return panel(paint(np.linspace(scale.low, scale.high, STEPS)[np.newaxis], scale))
