"""The exercises of lesson 11 against other people's code, and what their learners may write."""

import numpy as np
import pytest
from scipy import fft, signal

from cnnedu import checks
from cnnedu.layers import conv2d_forward


def verdict(function, name):
    return " ".join(str(getattr(checks, name).diagnose(function)).split())


def reference(name):
    return getattr(checks, name).reference


def test_columns_are_those_of_the_package():
    for image, size in checks.patch_columns.cases:
        _, cache = conv2d_forward(
            image[None, None], np.ones((1, 1, size, size)), algorithm="direct"
        )
        np.testing.assert_array_equal(reference("patch_columns")(image, size), cache.columns)


def test_counts_are_those_of_the_package():
    for height, width, channels, kernels, size, tile in checks.count_multiplications.cases:
        x, weight = np.ones((1, channels, height, width)), np.ones((kernels, channels, size, size))
        _, cache = conv2d_forward(x, weight, algorithm="direct")
        count = reference("count_multiplications")
        direct = cache.columns.size * kernels
        assert count(height, width, channels, kernels, size, 1) == direct
        if tile == 4 and size in (3, 5):
            _, cache = conv2d_forward(x, weight, algorithm="winograd")
            winograd = cache.points_x.size * kernels
            assert count(height, width, channels, kernels, size, 4) == winograd


def test_references_agree_with_scipy():
    for image, kernel in checks.fft_convolve.cases:
        np.testing.assert_allclose(
            reference("fft_convolve")(image, kernel),
            signal.fftconvolve(image, kernel),
            atol=1e-12,
        )
    for values, kernel in checks.winograd_1d.cases:
        np.testing.assert_allclose(
            reference("winograd_1d")(values, kernel), np.correlate(values, kernel)
        )


def test_widths_of_both_kinds_occur():
    """Without them, a half spectrum brought back without its width would go unnoticed."""
    widths = {image.shape[1] + kernel.shape[1] - 1 for image, kernel in checks.fft_convolve.cases}
    assert {width % 2 for width in widths} == {0, 1}
    assert {len(values) % 2 for values, _ in checks.winograd_1d.cases} == {0, 1}


@pytest.mark.parametrize("library", [np.fft, fft])
def test_either_library_and_padding_by_hand_are_right(library):
    def by_hand(image, kernel):
        shape = np.add(image.shape, kernel.shape) - 1
        left, right = np.zeros(shape), np.zeros(shape)
        left[: image.shape[0], : image.shape[1]] = image
        right[: kernel.shape[0], : kernel.shape[1]] = kernel
        return library.ifft2(library.fft2(left) * library.fft2(right)).real

    assert verdict(by_hand, "fft_convolve").startswith("✓")


def test_more_zeros_than_needed_are_fine_if_they_are_cut_off():
    def generous(image, kernel):
        shape = (32, 32)
        rows, columns = np.add(image.shape, kernel.shape) - 1
        return fft.irfft2(fft.rfft2(image, shape) * fft.rfft2(kernel, shape), shape)[
            :rows, :columns
        ]

    assert verdict(generous, "fft_convolve").startswith("✓")


def test_a_complex_answer_is_sent_back():
    def complex_answer(image, kernel):
        shape = np.add(image.shape, kernel.shape) - 1
        return fft.ifft2(fft.fft2(image, shape) * fft.fft2(kernel, shape))

    text = verdict(complex_answer, "fft_convolve")
    assert text.startswith("✗ your answer is complex: what is left in its imaginary parts")


def test_winograd_may_be_written_with_matrices():
    B = np.array([[1, 0, -1, 0], [0, 0.5, 0.5, 0], [0, -0.5, 0.5, 0], [0, 1, 0, -1]])
    G = np.array([[1, 0, 0], [1, 1, 1], [1, -1, 1], [0, 0, 1]])
    A = np.array([[1, 1, 1, 0], [0, 1, -1, -1]])

    def with_matrices(values, kernel):
        padded = np.append(values, 0)
        tiles = np.stack([padded[i : i + 4] for i in range(0, len(values) - 2, 2)], axis=1)
        return (A @ ((G @ kernel)[:, None] * (B @ tiles))).T.ravel()[: len(values) - 2]

    assert verdict(with_matrices, "winograd_1d").startswith("✓")


def test_columns_from_a_view_are_right():
    def from_view(image, size):
        windows = np.lib.stride_tricks.sliding_window_view(image, (size, size))
        return windows.transpose(2, 3, 0, 1).reshape(size * size, -1)

    assert verdict(from_view, "patch_columns").startswith("✓")


def test_a_float_count_is_told_from_a_whole_number():
    def rounded(height, width, channels, kernels, size, tile):
        rows, columns = np.ceil((height - size + 1) / tile), np.ceil((width - size + 1) / tile)
        return rows * columns * (tile + size - 1) ** 2 * channels * kernels

    text = verdict(rounded, "count_multiplications")
    assert "the number is right, but it is the float" in text
