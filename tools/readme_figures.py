"""Draw the pictures of the README: ``.venv/bin/python -m tools.readme_figures``."""

from pathlib import Path

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np

from cnnedu import AvgPool2D, Momentum, fit
from cnnedu import visualization as viz
from cnnedu.architectures import build
from cnnedu.data import load_digits
from cnnedu.kernels import kernel
from cnnedu.optimizers import CosineDecay

FOLDER = Path(__file__).resolve().parent.parent / "docs"


def main() -> None:
    """Draw a kernel that slides over a digit, and what a network makes of the digit."""
    digits = load_digits()
    images = digits.test.images[2:3]
    small = AvgPool2D(4).forward(images).round(1)[0, 0]
    viz.animate_convolution(small, kernel("vertical_edges")).save(FOLDER / "kernel-slides.gif")
    rng = np.random.default_rng(0)
    network = build("lasagne", rng=rng)
    optimizer = Momentum(CosineDecay(0.02), nesterov=True)
    fit(
        network,
        digits.train,
        epochs=10,
        batch_size=25,
        optimizer=optimizer,
        rng=rng,
        progress=False,
    )
    figure = viz.plot_feature_maps(network, images[0, 0], "relu1")
    figure.savefig(FOLDER / "feature-maps.png", dpi=100, bbox_inches="tight")
    plt.close("all")


if __name__ == "__main__":
    main()
