"""The exercises of lesson 10 against the package itself, and what their learners may write."""

import numpy as np
import pytest
from scipy import signal as scipy_signal

from cnnedu import checks
from cnnedu.data import hidden_motifs, load_cifar10, matched_filter
from cnnedu.layers import conv2d_forward

NAMES = checks.EXERCISES[10]


def verdict(function, name):
    return " ".join(str(getattr(checks, name).diagnose(function)).split())


def reference(name):
    return getattr(checks, name).reference


@pytest.mark.parametrize("name", NAMES)
def test_every_mistake_gets_its_own_diagnosis(name):
    assert getattr(checks, name).audit() == []
    assert len(getattr(checks, name).mistakes) >= 6


def test_one_map_is_what_a_layer_makes():
    for image, kernel in checks.correlate_channels.cases:
        expected, _ = conv2d_forward(image[None], kernel[None])
        np.testing.assert_allclose(reference("correlate_channels")(image, kernel), expected[0, 0])


def test_scipy_in_three_dimensions_is_right_too():
    def by_scipy(image, kernel):
        return scipy_signal.correlate(image, kernel, "valid")[0]

    assert verdict(by_scipy, "correlate_channels").startswith("✓")


def test_a_map_with_a_channel_axis_is_sent_back():
    def with_axis(image, kernel):
        return scipy_signal.correlate(image, kernel, "valid")

    assert "the shape should be" in verdict(with_axis, "correlate_channels")


def test_opponent_colors_are_a_convolution_of_one_pixel():
    kernels = np.array([[1 / 3, 1 / 3, 1 / 3], [1, -1, 0], [-0.5, -0.5, 1]])
    for (image,) in checks.opponent_channels.cases:
        expected, _ = conv2d_forward(image[None], kernels[:, :, None, None])
        np.testing.assert_allclose(reference("opponent_channels")(image), expected[0], atol=1e-12)

    def by_matrix(image):
        return np.tensordot(kernels, image, axes=1)

    assert verdict(by_matrix, "opponent_channels").startswith("✓")


def test_gray_has_no_color():
    answer = reference("opponent_channels")(np.full((3, 2, 2), 0.7))
    np.testing.assert_allclose(answer[0], 0.7)
    np.testing.assert_allclose(answer[1:], 0, atol=1e-12)


def test_records_are_read_as_the_package_reads_them(tmp_path, rng):
    names = [f"data_batch_{number}.bin" for number in range(1, 6)] + ["test_batch.bin"]
    for name in names:
        records = rng.integers(0, 256, (2, 3073)).astype(np.uint8)
        records[:, 0] %= 10
        (tmp_path / name).write_bytes(records.tobytes())
    label, image = reference("read_record")(records[1], 32)
    test = load_cifar10(tmp_path).test
    assert label == test.labels[1]
    np.testing.assert_allclose(image, test.images[1], atol=1e-7)


def test_bytes_may_be_scaled_in_any_float():
    def in_float32(record, size):
        pixels = record[1:].astype(np.float32) / 255
        return record[0], [pixels[c * size**2 :][: size**2].reshape(size, size) for c in range(3)]

    assert verdict(in_float32, "read_record").startswith("✓")


def test_bytes_that_run_over():
    """uint8 arithmetic wraps around without a word."""

    def wrapped(record, size):
        return int(record[0]), (record[1:] * record.dtype.type(2)).reshape(3, size, size) / 255

    assert verdict(wrapped, "read_record").startswith("✗")


def test_the_oracle_of_the_lesson(rng):
    task = hidden_motifs(4, 30, rng=rng)
    best = matched_filter(task.test.images, task.motifs).max(axis=2).argmax(axis=1)
    for image, expected in zip(task.test.images, best, strict=True):
        assert reference("which_motif")(image[0, 0], task.motifs) == expected


def test_motifs_of_the_cases_are_of_one_length_and_answers_are_clear():
    for values, motifs in checks.which_motif.cases:
        assert np.ptp((motifs**2).sum(axis=1)) == 0
        best = np.sort([np.correlate(values, motif, "valid").max() for motif in motifs])
        assert best[-1] > best[-2]


def test_several_answers_occur():
    answers = {reference("which_motif")(*case) for case in checks.which_motif.cases}
    assert len(answers) >= 2


@pytest.mark.parametrize("number", [np.int64, np.float64])
def test_numbers_of_numpy(number):
    text = verdict(lambda *case: number(reference("which_motif")(*case)), "which_motif")
    if number is np.int64:
        assert text.startswith("✓")
    else:
        assert "must be integers" in text
