"""Colors that say the same on a screen, on gray paper and to color-blind eyes.

Signed values (kernels, gradients, responses) use `SIGNED`: blue below zero, neutral gray at zero,
yellow above. Unlike red-white-blue maps, whose two ends print as the same gray, its lightness rises
all the way, so that the sign survives a gray printer, and blue against yellow is the pair that
the common color deficiencies keep apart. Values that are never negative use a sequential map.
"""

from dataclasses import dataclass

import matplotlib
import numpy as np
from matplotlib.colors import LinearSegmentedColormap

from cnnedu.visualization.figures import number

# Lightness (CIE L*) of the five: 17, 40, 64, 80, 96.
SIGNED = LinearSegmentedColormap.from_list(
    "cnnedu_signed", ["#0a2458", "#2463a8", "#9b9b9b", "#e6c13f", "#fff7b8"], N=257
)
# Zeros that padding added: hatched, since a color would look like a value.
PADDING = {"facecolor": "0.42", "edgecolor": "0.62", "hatch": "////", "linewidth": 0}
PICTURE = "gray"
AMOUNT = "viridis"
COUNT = "YlOrBr"

# From the palette of M. Okabe and K. Ito (2008), told apart by all common kinds of color vision.
ORANGE, SKY, GREEN, BLUE, VERMILION, PURPLE = (
    "#e69f00",
    "#56b4e9",
    "#009e73",
    "#0072b2",
    "#d55e00",
    "#cc79a7",
)
FRAME_COLORS = (VERMILION, BLUE, GREEN, PURPLE, ORANGE, SKY)
CURVE_COLORS = (BLUE, VERMILION, GREEN, PURPLE, ORANGE, SKY)


@dataclass(frozen=True)
class Scale:
    """One color scale: a colormap and the two values at its ends."""

    cmap: object
    low: float
    high: float

    @property
    def signed(self) -> bool:
        """Whether the scale is centered on zero."""
        return self.cmap is SIGNED

    def ends(self) -> str:
        """Return what the ends stand for, as "±1.2" or "0 to 3"."""
        low, high = number(self.low), number(self.high)
        return f"±{high}" if self.signed else f"{low} to {high}"

    def color(self, value: float) -> tuple:
        """Return the RGBA color of `value`."""
        span = (self.high - self.low) or 1.0
        return matplotlib.colormaps.get_cmap(self.cmap)((value - self.low) / span)

    def ink(self, value: float) -> str:
        """Return black or white, whichever is easier to read on the color of `value`."""
        return ink_on(self.color(value))


def ink_on(color: tuple) -> str:
    """Return black or white, whichever is easier to read on `color`."""
    channels = np.asarray(color[:3], dtype=float)
    linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
    luminance = float(linear @ [0.2126, 0.7152, 0.0722])
    # The luminance at which black and white have the same contrast (WCAG 2).
    return "black" if luminance > 0.179 else "white"


def scale_for(arrays, *, signed: bool | None = None, cmap: str = AMOUNT) -> Scale:
    """Return the one scale that holds for all `arrays`: zero-centered if any value is negative."""
    low = min(float(np.min(array)) for array in arrays)
    high = max(float(np.max(array)) for array in arrays)
    if signed is None:
        signed = low < 0
    if signed:
        limit = max(abs(low), abs(high)) or 1.0
        return Scale(SIGNED, -limit, limit)
    if low >= 0:
        return Scale(cmap, 0.0, high or 1.0)
    return Scale(cmap, low, high if high > low else low + 1.0)


def picture_scale(arrays) -> Scale:
    """Return the gray scale for pictures: 0 to 1, or 0 to 255, or what the values span."""
    low = min(float(np.min(array)) for array in arrays)
    high = max(float(np.max(array)) for array in arrays)
    if low >= 0:
        whole = all(np.issubdtype(array.dtype, np.uint8) for array in arrays)
        return Scale(PICTURE, 0.0, 255.0 if whole else max(high, 1.0))
    return Scale(PICTURE, low, high if high > low else low + 1.0)
