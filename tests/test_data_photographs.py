"""The photographs: sizes, gray against color, resizing, and what is refused."""

import numpy as np
import pytest

from cnnedu.data import load_photograph

SHAPES = {"china": (427, 640), "flower": (427, 640), "grace_hopper": (600, 512)}


@pytest.mark.parametrize("name", SHAPES)
def test_gray_and_color(name):
    gray, color = load_photograph(name), load_photograph(name, color=True)
    assert gray.shape == SHAPES[name]
    assert color.shape == (*SHAPES[name], 3)
    for array in (gray, color):
        assert array.dtype == np.float32
        assert array.flags.writeable
        assert array.flags.owndata
        assert array.min() >= 0
        assert array.max() <= 1
        assert array.std() > 0.1
    np.testing.assert_allclose(gray, color @ [0.299, 0.587, 0.114], atol=1e-6)


def test_the_flower_is_orange_and_the_sky_of_china_is_bright():
    petal = load_photograph("flower", color=True)[200, 250]
    assert petal[0] > petal[1] > petal[2]
    china = load_photograph("china")
    assert china[:80].mean() > 0.75 > china[-80:].mean()


@pytest.mark.parametrize(
    ("size", "shape"),
    [(128, (85, 128)), (1, (1, 1)), ((40, 90), (40, 90)), (np.int64(640), (427, 640))],
)
def test_resizing(size, shape):
    assert load_photograph("china", size=size).shape == shape
    assert load_photograph("china", size=size, color=True).shape == (*shape, 3)


@pytest.mark.parametrize("name", ["china", "flower"])
def test_shrinking_averages(name):
    # 427 x 640 pixels are 61 x 80 blocks of 7 x 8.
    blocks = load_photograph(name).reshape(61, 7, 80, 8).mean(axis=(1, 3))
    every_eighth = load_photograph(name)[3::7, 4::8]
    small = load_photograph(name, size=(61, 80))
    assert np.abs(small - blocks).mean() < 0.4 * np.abs(every_eighth - blocks).mean()
    assert small.mean() == pytest.approx(blocks.mean(), abs=0.005)


def test_resizing_to_its_own_size_changes_nothing():
    np.testing.assert_array_equal(load_photograph("flower", size=640), load_photograph("flower"))


def test_an_unknown_name_lists_the_known():
    message = "a photograph, got 'lena'; choose one of 'china', 'flower', 'grace_hopper'"
    with pytest.raises(ValueError, match=message):
        load_photograph("lena")


@pytest.mark.parametrize("size", [0, -5, 2.5, "large", (1, 2, 3), (0, 4), ()])
def test_sizes_that_make_no_sense(size):
    with pytest.raises(ValueError, match=r"size to be a whole number or \(height, width\), got"):
        load_photograph("china", size=size)


def test_a_missing_file_is_explained(monkeypatch):
    monkeypatch.setattr("cnnedu.data.photographs.installed_file", lambda *_: None)
    with pytest.raises(FileNotFoundError, match=r"scikit-learn to bring datasets/images/china"):
        load_photograph("china")
    assert load_photograph("grace_hopper").shape == (600, 512)  # Matplotlib is asked itself
