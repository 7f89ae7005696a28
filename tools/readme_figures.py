"""Draw the pictures of the README: ``.venv/bin/python -m tools.readme_figures``."""

from pathlib import Path

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt

from cnnedu import AvgPool2D, load_pretrained
from cnnedu import visualization as viz
from cnnedu.data import load_digits
from cnnedu.kernels import kernel

FOLDER = Path(__file__).resolve().parent.parent / "docs"


def main() -> None:
    """Draw a kernel that slides over a digit, and what a network makes of the digit."""
    image = load_digits().test.images[2:3]
    small = (9 * AvgPool2D(4).forward(image)).round()[0, 0]  # whole numbers, to follow by head
    slides = viz.animate_convolution(small, kernel("vertical_edges"))
    slides.save(FOLDER / "kernel-slides.gif", frames_per_second=1.25)
    figure = viz.plot_feature_maps(load_pretrained("lasagne"), image[0, 0], "relu1")
    figure.savefig(FOLDER / "feature-maps.png", dpi=100, bbox_inches="tight")
    plt.close("all")


if __name__ == "__main__":
    main()
