"""The pictures of lesson 3: equations of small arrays, im2col, the curves of activations."""

import numpy as np
import pytest
from matplotlib import pyplot as plt

from cnnedu import Conv2D, ReLU, Sigmoid, Tanh
from cnnedu.layers import conv2d_loops
from cnnedu.visualization.layers import plot_activations, plot_equation, plot_im2col

IMAGE = np.array([[1, 2, 0, 1], [0, 1, 3, 2], [2, 0, 1, 0], [1, 1, 0, 2]])
KERNELS = np.array([[[1, 2], [0, -1]], [[0, 1], [1, 0]]])


def numbers(ax) -> np.ndarray:
    """Return the numbers written into the cells of a panel, in their places."""
    shape = ax.images[0].get_array().shape
    written = np.full(shape, np.nan)
    for text in ax.texts:
        column, row = text.get_position()
        written[int(row), int(column)] = float(text.get_text().replace("\N{MINUS SIGN}", "-"))
    return written


def frames(ax) -> list[tuple[float, float, float, float]]:
    """Return top, left, height, width of every frame on a panel."""
    return [
        (box.get_y() + 0.5, box.get_x() + 0.5, box.get_height(), box.get_width())
        for box in ax.patches
    ]


def test_an_equation_shows_every_number_and_sign():
    figure = plot_equation([IMAGE, KERNELS[0]], ["×"], titles=["image", "kernel"])
    assert np.array_equal(numbers(figure.axes[0]), IMAGE)
    assert np.array_equal(numbers(figure.axes[1]), KERNELS[0])
    assert [ax.get_title() for ax in figure.axes] == ["image", "kernel"]
    assert [text.get_text() for text in figure.texts] == ["×"]
    assert "kernel [1 2; 0 \N{MINUS SIGN}1]" in figure.alt


def test_signed_arrays_of_an_equation_share_one_scale():
    figure = plot_equation([KERNELS[0], IMAGE, -IMAGE], ["", ""])
    limits = [ax.images[0].get_clim() for ax in figure.axes]
    assert limits == [(-3, 3), (0, 3), (-3, 3)]
    figure = plot_equation([KERNELS[0], IMAGE], [""], signed=True)
    assert {ax.images[0].get_clim() for ax in figure.axes} == {(-3, 3)}
    figure = plot_equation([IMAGE, KERNELS[1], 2 * IMAGE], ["", ""], signed=[False, True, True])
    limits = [ax.images[0].get_clim() for ax in figure.axes]
    assert limits == [(0, 3), (-6, 6), (-6, 6)]


def test_an_equation_frames_the_cells_asked_for():
    figure = plot_equation([IMAGE, IMAGE], ["="], highlight=[None, (slice(1, 3), 2)])
    assert frames(figure.axes[0]) == []
    assert frames(figure.axes[1]) == [(1, 2, 2, 1)]


def test_im2col_is_the_convolution():
    figure = plot_im2col(IMAGE, KERNELS, row=1, column=2)
    image, rows, patches, maps = (numbers(ax) for ax in figure.axes)
    assert np.array_equal(rows @ patches, maps)
    expected = conv2d_loops(
        IMAGE[None, None].astype(np.float64), KERNELS[:, None].astype(np.float64)
    )
    assert np.array_equal(maps, expected[0].reshape(2, -1))
    assert np.array_equal(image, IMAGE)
    assert frames(figure.axes[0]) == [(1, 2, 2, 2)]
    assert frames(figure.axes[2]) == [(0, 5, 4, 1)]
    assert np.array_equal(patches[:, 5], IMAGE[1:3, 2:4].ravel())


def test_im2col_with_a_stride():
    figure = plot_im2col(IMAGE, KERNELS[0], row=1, column=1, stride=2)
    assert numbers(figure.axes[2]).shape == (4, 4)
    assert frames(figure.axes[0]) == [(2, 2, 2, 2)]
    assert figure.axes[1].get_title() == "kernel as a row"


def test_activations_are_drawn_as_the_layers_compute_them():
    figure = plot_activations([ReLU(), Tanh(), Sigmoid()], limit=3)
    curves, slopes = figure.axes
    x = curves.lines[0].get_xdata()
    assert (x[0], x[-1]) == (-3, 3)
    assert np.allclose(curves.lines[1].get_ydata(), np.tanh(x))
    assert np.allclose(slopes.lines[1].get_ydata(), 1 - np.tanh(x) ** 2)
    assert np.allclose(slopes.lines[2].get_ydata().max(), 0.25)
    relu = slopes.lines[0].get_ydata()  # nothing is drawn between 0 and 1
    assert np.isnan(relu).sum() == 1
    assert np.array_equal(relu[~np.isnan(relu)], (x > 0).astype(float))
    assert [text.get_text() for text in curves.get_legend().texts] == ["relu", "tanh", "sigmoid"]
    assert "sigmoid" in figure.alt


def test_one_activation_needs_no_list():
    assert len(plot_activations(Tanh()).axes) == 2


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: plot_equation([], []), "arrays is empty"),
        (lambda: plot_equation([IMAGE, IMAGE], []), "2 arrays need 1, but there are 0"),
        (lambda: plot_equation([IMAGE], [], titles=["a", "b"]), "there are 2 titles"),
        (lambda: plot_equation([IMAGE], [], highlight=[]), "each of the 1 arrays"),
        (lambda: plot_equation([IMAGE], [], highlight=[(0, 9)]), "within 0 .. 4"),
        (lambda: plot_equation([IMAGE], [], signed=[True, False]), "mark each of the 1 arrays"),
        (lambda: plot_equation([[[np.nan]]], []), "must be finite"),
        (lambda: plot_equation([np.zeros((2, 30))] * 2, ["+"]), "60 columns side by side"),
        (lambda: plot_im2col(IMAGE, KERNELS, row=3), "row must be a whole number from 0 to 2"),
        (lambda: plot_im2col(IMAGE, np.ones((5, 5))), "the kernel does not fit"),
        (lambda: plot_activations([]), "from 1 to 4 layers"),
        (lambda: plot_activations([Tanh()] * 5), "from 1 to 4 layers"),
        (lambda: plot_activations([Tanh()], limit=0), "limit must be positive"),
    ],
)
def test_what_cannot_be_drawn_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
    assert plt.get_fignums() == []


def test_only_activations_have_curves():
    with pytest.raises(TypeError, match="must be activations"):
        plot_activations([Conv2D(1, 1, 3, rng=np.random.default_rng(0))])
    with pytest.raises(TypeError, match="must be activations"):
        plot_activations(["relu"])
