"""The hand-made kernels: their numbers, what they answer to, and how they are kept from harm."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter
from scipy.signal import convolve2d, correlate2d

from cnnedu.kernels import DESCRIPTIONS, KERNELS, box, gaussian, kernel

EDGES = [
    "horizontal_edges",
    "vertical_edges",
    "sobel_x",
    "sobel_y",
    "prewitt_x",
    "prewitt_y",
    "laplacian",
    "laplacian_8",
]
STEP_RIGHT = np.tile([0.0, 0.0, 1.0, 1.0], (3, 1))  # dark on the left, bright on the right


def test_numbers_as_they_are_written_down():
    assert kernel("sharpen").tolist() == [[-1, -1, -1], [-1, 9, -1], [-1, -1, -1]]
    assert kernel("sharpen_cross").tolist() == [[0, -1, 0], [-1, 5, -1], [0, -1, 0]]
    assert kernel("horizontal_edges").tolist() == [[1, 1, 1], [0, 0, 0], [-1, -1, -1]]
    assert kernel("vertical_edges").tolist() == [[1, 0, -1]] * 3
    assert kernel("sobel_x").tolist() == [[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]]
    assert kernel("prewitt_x").tolist() == [[-1, 0, 1]] * 3
    assert (kernel("gaussian_blur") * 16).tolist() == [[1, 2, 1], [2, 4, 2], [1, 2, 1]]
    assert kernel("emboss").tolist() == [[-2, -1, 0], [-1, 1, 1], [0, 1, 2]]


def test_kernels_that_follow_from_others():
    assert np.array_equal(kernel("sobel_y"), kernel("sobel_x").T)
    assert np.array_equal(kernel("prewitt_y"), kernel("prewitt_x").T)
    assert np.array_equal(kernel("vertical_edges"), -kernel("prewitt_x"))
    assert np.array_equal(kernel("horizontal_edges"), -kernel("prewitt_y"))
    assert np.array_equal(kernel("sharpen"), kernel("identity") - kernel("laplacian_8"))
    assert np.array_equal(kernel("sharpen_cross"), kernel("identity") - kernel("laplacian"))
    assert np.array_equal(kernel("box_blur"), box(3))
    smooth = np.outer([1, 2, 1], [-1, 0, 1])
    assert np.array_equal(kernel("sobel_x"), smooth)


def test_sums_say_what_becomes_of_a_flat_image():
    for name in KERNELS:
        expected = 0.0 if name in EDGES else 1.0
        assert kernel(name).sum() == pytest.approx(expected), name


@pytest.mark.parametrize(
    ("name", "image", "sign"),
    [
        ("sobel_x", STEP_RIGHT, 1),
        ("prewitt_x", STEP_RIGHT, 1),
        ("vertical_edges", STEP_RIGHT, -1),
        ("sobel_y", STEP_RIGHT.T, 1),
        ("prewitt_y", STEP_RIGHT.T, 1),
        ("horizontal_edges", STEP_RIGHT.T, -1),
        ("sobel_x", STEP_RIGHT.T, 0),
        ("sobel_y", STEP_RIGHT, 0),
        ("emboss", STEP_RIGHT, 1),
    ],
)
def test_sign_of_the_response_to_an_edge(name, image, sign):
    response = correlate2d(image, kernel(name), mode="valid")
    flat = correlate2d(image, kernel("identity"), mode="valid") if name == "emboss" else 0
    assert (np.sign(response - flat) == sign).all()


def test_a_true_convolution_flips_the_sign_of_the_edge_kernels_only():
    image = np.random.default_rng(0).random((8, 9))
    for name in KERNELS:
        as_network = correlate2d(image, kernel(name), mode="valid")
        flipped = convolve2d(image, kernel(name), mode="valid")
        if name in EDGES and not name.startswith("laplacian"):
            assert np.allclose(flipped, -as_network), name
        elif name != "emboss":
            assert np.allclose(flipped, as_network), name


def test_all_are_float64_and_described_in_one_line():
    for name, array in KERNELS.items():
        assert array.shape == (3, 3)
        assert array.dtype == np.float64
        assert DESCRIPTIONS[name]
        assert "\n" not in DESCRIPTIONS[name]
    assert list(DESCRIPTIONS) == list(KERNELS)


def test_the_table_cannot_be_changed_but_a_copy_can():
    with pytest.raises(TypeError):
        KERNELS["mine"] = np.zeros((3, 3))
    with pytest.raises(ValueError, match="read-only"):
        KERNELS["sobel_x"][0, 0] = 7
    mine = kernel("sobel_x")
    mine[0, 0] = 7
    assert kernel("sobel_x")[0, 0] == -1


@pytest.mark.parametrize("name", ["sobel", "Sobel_x", 3, None, ["sobel_x"]])
def test_unknown_name_lists_the_known_ones(name):
    with pytest.raises(ValueError, match=r"no kernel is called .*choose one of identity, sharpen"):
        kernel(name)


def test_box_is_the_mean():
    assert np.array_equal(box(1), [[1.0]])
    assert np.array_equal(box(2), [[0.25, 0.25], [0.25, 0.25]])


@pytest.mark.parametrize(("size", "sigma"), [(3, 0.8), (5, 1.0), (9, 2.5), (4, 1.0)])
def test_gaussian_is_the_formula(size, sigma):
    center = (size - 1) / 2
    expected = np.array(
        [
            [np.exp(-((i - center) ** 2 + (j - center) ** 2) / (2 * sigma**2)) for j in range(size)]
            for i in range(size)
        ]
    )
    assert np.allclose(gaussian(size, sigma), expected / expected.sum(), rtol=1e-12)


def test_gaussian_agrees_with_scipy():
    impulse = np.zeros((9, 9))
    impulse[4, 4] = 1
    expected = gaussian_filter(impulse, 1.0, radius=4, mode="constant")
    assert np.allclose(gaussian(9, 1.0), expected, atol=1e-12)


def test_gaussian_of_extreme_width():
    assert np.array_equal(gaussian(3, 1e-9), KERNELS["identity"])
    assert np.allclose(gaussian(3, 1e9), box(3))
    assert gaussian(2, 1e-9).sum() == pytest.approx(1)


@pytest.mark.parametrize("size", [0, -3, 2.0, True, "3", None])
def test_bad_size(size):
    with pytest.raises(ValueError, match="size must be a whole number of pixels, at least 1"):
        box(size)
    with pytest.raises(ValueError, match="size must be a whole number of pixels, at least 1"):
        gaussian(size, 1.0)


@pytest.mark.parametrize("sigma", [0, -1.0, np.nan, np.inf, "1", None, [1.0]])
def test_bad_sigma(sigma):
    with pytest.raises(ValueError, match="sigma must be a number of pixels greater than 0"):
        gaussian(3, sigma)
