"""Motion: what each frame shows, that it plays anywhere, that nothing stays open."""

import base64
import io
import re

import matplotlib.figure
import matplotlib.pyplot as plt
import numpy as np
import pytest
from PIL import Image
from scipy.signal import convolve2d, correlate2d

from cnnedu import visualization as vis
from cnnedu.visualization import animation
from cnnedu.visualization.animation import choose_steps

IMAGE = np.arange(25).reshape(5, 5)
KERNEL = np.array([[1, 0, -1], [2, 0, -2], [1, 0, -2]])


def frames_of(html):
    """Return the pictures in the HTML."""
    found = re.findall(r'frames\[\d+\] = "data:image/png;base64,(.*?)"', html, flags=re.S)
    return [Image.open(io.BytesIO(base64.b64decode(text.replace("\\", "")))) for text in found]


def at(animation, step):
    """Return (arrays of the panels, line of text, frames' corners) at one step."""
    figure = matplotlib.figure.Figure(figsize=(animation._scene.width, animation._scene.height))
    update = animation._scene.open(figure)
    for each in range(step + 1):
        update(each)
    panels = [ax.images[0].get_array() for ax in figure.axes]
    corners = [
        [(p.get_y() + 0.5, p.get_x() + 0.5) for p in ax.patches if p.get_label() == "frame"]
        for ax in figure.axes
    ]
    return panels, figure.texts[-1].get_text().replace("\N{MINUS SIGN}", "-"), corners


def test_convolution_step_by_step():
    animation = vis.animate_convolution(IMAGE, KERNEL)
    assert animation.frames == 9
    output = correlate2d(IMAGE, KERNEL, mode="valid")
    for step, (row, column) in enumerate(np.ndindex(3, 3)):
        (image, kernel, product, result), line, corners = at(animation, step)
        patch = IMAGE[row : row + 3, column : column + 3]
        assert np.array_equal(image, IMAGE)
        assert np.array_equal(kernel, KERNEL)
        assert np.array_equal(product, patch * KERNEL)
        assert result.count() == step + 1
        assert np.array_equal(result.compressed(), output.ravel()[: step + 1])
        assert line.endswith(f"= {output[row, column]}")
        assert corners[0] == [(row, column)]
        assert corners[3] == [(row, column)]


@pytest.mark.parametrize(
    ("options", "shape"),
    [
        ({"stride": 2}, (2, 2)),
        ({"padding": "same"}, (5, 5)),
        ({"padding": (2, 0)}, (7, 3)),
        ({"dilation": 2}, (1, 1)),
        ({"stride": (1, 2), "padding": 1, "dilation": (2, 1)}, (3, 3)),
    ],
)
def test_convolution_agrees_with_the_layer(options, shape):
    from cnnedu.layers import conv2d_loops

    animation = vis.animate_convolution(IMAGE, KERNEL, **options)
    expected = conv2d_loops(IMAGE[None, None] * 1.0, KERNEL[None, None] * 1.0, **options)[0, 0]
    assert expected.shape == shape
    panels, _, _ = at(animation, expected.size - 1)
    assert np.array_equal(panels[3], expected)


def test_convolution_of_channels_sums_them():
    image, kernel = np.stack([IMAGE, IMAGE[::-1]]), np.stack([KERNEL, KERNEL.T])
    animation = vis.animate_convolution(image, kernel)
    expected = sum(correlate2d(i, k, mode="valid") for i, k in zip(image, kernel, strict=True))
    panels, line, _ = at(animation, 8)
    result = [panel for panel in panels if panel.shape == (3, 3) and np.ma.isMaskedArray(panel)]
    assert any(np.array_equal(panel, expected) for panel in result)
    assert line.startswith("sum over the channels: ")
    assert line.endswith(f"= {expected[-1, -1]}")
    assert "with 2 channels" in animation.alt


def test_long_convolution_skips_frames_but_fills_the_map(rng):
    image = rng.random((28, 28))
    animation = vis.animate_convolution(image, KERNEL)
    assert animation.frames == 40
    figure = matplotlib.figure.Figure()
    update = animation._scene.open(figure)
    update(animation._steps[-1])
    assert figure.axes[3].images[0].get_array().count() == 26 * 26


def test_choose_steps():
    assert choose_steps(3) == [0, 1, 2]
    steps = choose_steps(676)
    assert len(steps) == len(set(steps)) == 40
    assert (steps[0], steps[-1]) == (0, 675)


def test_pooling_step_by_step():
    matrix = np.array([[1, 3, 2, 2], [4, 0, 2, 1], [0, 0, 5, 6], [0, 0, 7, 7]])
    animation = vis.animate_pooling(matrix)
    lines = [at(animation, step)[1] for step in range(4)]
    assert lines == [
        "max(1, 3, 4, 0) = 4",
        "max(2, 2, 2, 1) = 2, a tie",
        "max(0, 0, 0, 0) = 0, a tie",
        "max(5, 6, 7, 7) = 7, a tie",
    ]
    panels, _, _ = at(animation, 3)
    assert panels[1].tolist() == [[4, 2], [0, 7]]
    average = vis.animate_pooling(matrix, kind="average")
    assert at(average, 0)[1] == "average(1, 3, 4, 0) = 2.00"


def test_backward_step_by_step():
    grad_y = np.array([[1, 0, -2], [0, 3, 1]])
    animation = vis.animate_backward(grad_y, KERNEL)
    total = np.zeros((4, 5))
    for step, (row, column) in enumerate(np.ndindex(2, 3)):
        share = np.zeros((4, 5))
        share[row : row + 3, column : column + 3] = grad_y[row, column] * KERNEL
        total += share
        panels, line, corners = at(animation, step)
        assert np.array_equal(panels[2], share)
        assert np.array_equal(panels[3], total)
        assert line == f"grad_x[{row}:{row + 3}, {column}:{column + 3}] += " + (
            f"{grad_y[row, column]} × kernel"
        )
        assert corners[0] == [(row, column)]
    assert np.array_equal(total, convolve2d(grad_y, KERNEL))


def test_html_has_all_frames_and_needs_nothing_from_elsewhere():
    animation = vis.animate_convolution(IMAGE, KERNEL)
    html = animation._repr_html_()
    pictures = frames_of(html)
    assert len(pictures) == animation.frames
    assert len({picture.size for picture in pictures}) == 1
    assert len({picture.tobytes() for picture in pictures}) == animation.frames
    assert "http" not in html
    assert 'alt="A kernel of 3 x 3 slides over an image of 5 x 5 and fills' in html
    assert html.count("<button") == 9
    assert 'class="fa' not in html


def test_html_is_the_same_each_time_but_for_the_players_number():
    first = vis.animate_pooling(IMAGE, 2, 1).to_jshtml()
    second = vis.animate_pooling(IMAGE, 2, 1).to_jshtml()
    assert first != second  # two players in one page must not answer to one name
    name = r"([0-9a-f]{16})n\d+"
    assert re.sub(name, r"\1", first) == re.sub(name, r"\1", second)


def test_html_of_one_animation_is_made_once():
    animation = vis.animate_pooling(IMAGE, 2, 1)
    assert animation._repr_html_() is animation._repr_html_()


@pytest.mark.slow
@pytest.mark.parametrize(
    "make",
    [
        lambda rng: vis.animate_convolution(rng.random((28, 28)), KERNEL),
        lambda rng: vis.animate_convolution(rng.random((3, 8, 8)), np.stack([KERNEL] * 3)),
        lambda rng: vis.animate_pooling(rng.random((28, 28))),
        lambda rng: vis.animate_backward(rng.random((6, 6)), KERNEL),
    ],
)
def test_html_stays_small(rng, make):
    assert len(make(rng).to_jshtml()) < 800_000


def test_what_is_hidden_is_a_number_too():
    hidden = animation._empty(IMAGE)
    assert hidden.mask.all() and (hidden.data == 0).all() and hidden.shape == IMAGE.shape


def test_nothing_stays_open_and_nothing_warns():
    for _ in range(25):
        vis.animate_pooling(IMAGE[:2, :2], 2).to_jshtml()
    assert plt.get_fignums() == []


def test_repr_is_short_and_stable():
    assert repr(vis.animate_convolution(IMAGE, KERNEL)) == "<Animation convolution, 9 frames>"
    assert repr(vis.animate_pooling(IMAGE[:2, :2])) == "<Animation pooling, 1 frame>"


def test_still_shows_first_middle_and_last():
    figure = vis.animate_convolution(IMAGE, KERNEL).still()
    results = [ax.images[0].get_array() for ax in figure.axes[3::4]]
    assert [result.count() for result in results] == [1, 5, 9]
    assert figure.alt.endswith("its first, middle and last moments.")
    assert len(vis.animate_pooling(IMAGE[:2, :2]).still().axes) == 2
    assert len(vis.animate_pooling(IMAGE[:2, :4]).still().axes) == 4


def test_still_of_chosen_frames():
    animation = vis.animate_convolution(IMAGE, KERNEL)
    figure = animation.still([0, 4])
    assert [ax.images[0].get_array().count() for ax in figure.axes[3::4]] == [1, 5]
    assert figure.alt.endswith("of its 9 frames, counted from 0, 0, 4.")
    assert len(animation.still(4).axes) == 4
    for wrong in (9, -1, 0.5, [], [[0]], "last"):
        with pytest.raises(ValueError, match="frames must be numbers from 0 to 8, but it is"):
            animation.still(wrong)


def test_gray_is_zero_in_the_map_of_a_kernel_with_a_minus():
    for kernel, low in (([[-1, 9]], -1), ([[1, 9]], 0)):
        panel = vis.animate_convolution(np.full((2, 3), 5), kernel).still(0).axes[3].images[0]
        bottom, top = panel.get_clim()
        assert (bottom, top) == (low * top, 40 if low else 50)


def test_added_zeros_are_hatched():
    for padding, count in ((0, 0), (1, 4), ((1, 0), 2)):
        figure = vis.animate_convolution(IMAGE, KERNEL, padding=padding).still(0)
        hatched = [patch for patch in figure.axes[0].patches if patch.get_hatch()]
        assert len(hatched) == count


def test_save_as_gif(tmp_path):
    path = vis.animate_pooling(IMAGE, 2, 1).save(tmp_path / "pooling.gif")
    with Image.open(path) as picture:
        assert picture.n_frames == 16
    with pytest.raises(ValueError, match=r"saved as a \.gif"):
        vis.animate_pooling(IMAGE).save(tmp_path / "pooling.mp4")


def test_refused():
    with pytest.raises(ValueError, match="the kernel does not fit"):
        vis.animate_convolution(np.ones((2, 2)), KERNEL)
    with pytest.raises(ValueError, match="at most 4 channels"):
        vis.animate_convolution(np.ones((5, 3, 3)), np.ones((5, 3, 3)))
    with pytest.raises(ValueError, match="as many channels as each other"):
        vis.animate_convolution(np.ones((2, 3, 3)), KERNEL)
    with pytest.raises(ValueError, match='kind must be "max" or "average"'):
        vis.animate_pooling(IMAGE, kind="sum")
    with pytest.raises(ValueError, match="too many to animate"):
        vis.animate_backward(np.ones((50, 50)), KERNEL)
    with pytest.raises(ValueError, match="grad_y must be finite"):
        vis.animate_backward([[np.nan]], KERNEL)
