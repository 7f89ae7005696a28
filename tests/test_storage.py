"""Saving and loading: the same bits, one whole file or none, and clear words for anything else."""

import json
import os
import re
import stat
import sys

import numpy as np
import pytest

from cnnedu import (
    AvgPool2D,
    Conv2D,
    Dense,
    Dropout,
    Flatten,
    MaxOverChannels,
    MaxPool2D,
    ReLU,
    Sequential,
    Sigmoid,
    Softmax,
    Standardize,
    Tanh,
    load,
    save,
)
from cnnedu.architectures import build
from cnnedu.layers import LAYERS
from cnnedu.layers.base import Layer
from cnnedu.storage import load_training


def every_kind(dtype=np.float32):
    rng = np.random.default_rng(0)
    return Sequential(
        [
            Conv2D(1, 2, (3, 2), padding="same", dilation=(1, 2), bias=False, dtype=dtype, rng=rng),
            ReLU(),
            MaxPool2D(2, ties="all"),
            Conv2D(2, 2, 3, stride=2, padding=(1, 0), dtype=dtype, rng=rng),
            Tanh(),
            AvgPool2D(1),
            Sigmoid(),
            MaxOverChannels(),
            Standardize(0.1, 0.3),
            Flatten(),
            Dropout(0.3, rng=rng),
            Dense(2, 3, dtype=dtype, rng=rng),
            Softmax(),
        ],
        input_shape=(1, 8, 7),
    )


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_what_is_loaded_is_what_was_saved(tmp_path, dtype):
    network = every_kind(dtype)
    assert {type(layer).__name__ for layer in network} == set(LAYERS)
    network.forward(np.ones((2, 1, 8, 7), dtype), training=True)  # the dropout generator moves on
    save(network, tmp_path / "net.npz")
    again = load(tmp_path / "net.npz")
    assert repr(again) == repr(network)
    for name, array in network.params.items():
        assert again.params[name].dtype == dtype
        np.testing.assert_array_equal(again.params[name], array)
    x = np.random.default_rng(1).normal(size=(3, 1, 8, 7)).astype(dtype)
    for training in (False, True, True):
        np.testing.assert_array_equal(
            again.forward(x, training=training), network.forward(x, training=training)
        )
    assert [file.name for file in tmp_path.iterdir()] == ["net.npz"]


def test_two_dropouts_made_from_one_generator_stay_apart_when_loaded(tmp_path):
    network = build("lasagne", rng=np.random.default_rng(0))
    save(network, tmp_path / "net.npz")
    again = load(tmp_path / "net.npz")
    x = np.random.default_rng(1).random((4, 1, 28, 28), np.float32)
    np.testing.assert_array_equal(
        again.forward(x, training=True), network.forward(x, training=True)
    )


def test_the_file_is_what_its_docstring_says(tmp_path):
    network = every_kind()
    save(network, tmp_path / "net.npz", training={"epoch": 3, "memory": {"v": np.arange(3)}})
    with np.load(tmp_path / "net.npz", allow_pickle=False) as file:
        header = json.loads(str(file["header"]))
        names = set(file.files)
    assert (header["format"], header["version"]) == ("cnnedu network", 1)
    assert names == {"header", "state/0", *(f"params/{name}" for name in network.params)}
    _, training = load_training(tmp_path / "net.npz")
    assert training["epoch"] == 3 and training["memory"]["v"].tolist() == [0, 1, 2]


def test_a_failed_save_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch):
    path = tmp_path / "net.npz"
    save(every_kind(), path)
    before = path.read_bytes()

    def interrupted(file, **arrays):
        file.write(b"half of it")
        raise KeyboardInterrupt

    monkeypatch.setattr(np, "savez_compressed", interrupted)
    with pytest.raises(KeyboardInterrupt):
        save(every_kind(), path)
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["net.npz"]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such permissions")
def test_a_saved_file_can_be_read_by_those_who_could_read_any_new_file(tmp_path):
    save(every_kind(), tmp_path / "net.npz")
    (tmp_path / "plain").touch()
    modes = [stat.S_IMODE(os.stat(tmp_path / name).st_mode) for name in ("net.npz", "plain")]
    assert modes[0] == modes[1]


def damaged(tmp_path, change):
    path = tmp_path / "net.npz"
    save(every_kind(), path)
    with np.load(path) as file:
        arrays = dict(file)
    header = json.loads(str(arrays["header"]))
    change(header, arrays)
    if "header" in arrays:
        arrays["header"] = np.array(json.dumps(header))
    np.savez(path, **arrays)
    return path


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda h, a: h.update(version=2), "has format version 2, and this cnnedu reads up to 1"),
        (lambda h, a: h.update(format="something else"), "is not a network saved by cnnedu"),
        (lambda h, a: a.pop("header"), "is not a network saved by cnnedu"),
        (
            lambda h, a: a.pop("params/dense1.bias"),
            "is a damaged network file: it has no 'params/dense1.bias'",
        ),
        (
            lambda h, a: a.update({"params/dense1.weight": np.ones((2, 2))}),
            "must have shape (3, 2)",
        ),
        (
            lambda h, a: a.update({"params/dense1.bias": np.ones(7)}),
            "dense1.bias has the wrong shape",
        ),
        (lambda h, a: h["layers"][0].update(type="Exec"), "a layer of unknown kind 'Exec'"),
        (lambda h, a: h["layers"][2].update(ties="last"), 'ties must be "first" or "all"'),
        (lambda h, a: h.pop("layers"), "is a damaged network file: it has no 'layers'"),
        (
            lambda h, a: h["layers"][0].update(out_channels=10**12),
            "must have shape (1000000000000,",
        ),
    ],
)
def test_damaged_files_are_a_clear_error(tmp_path, change, message):
    path = damaged(tmp_path, change)
    with pytest.raises(ValueError, match=re.escape(message)):
        load(path)


def test_other_files_are_a_clear_error(tmp_path):
    path = tmp_path / "file.npz"
    save(every_kind(), path)
    whole = path.read_bytes()
    for content in (b"", b"hello", whole[: len(whole) // 2], whole[:-30]):
        path.write_bytes(content)
        with pytest.raises(ValueError, match=r"file.npz is not a network saved by cnnedu"):
            load(path)
    np.savez(path, header=np.array([{"a": 1}], dtype=object))
    with pytest.raises(ValueError, match="pickled Python objects inside"):
        load(path)
    with pytest.raises(FileNotFoundError, match=r"there is no file .*nothing.npz"):
        load(tmp_path / "nothing.npz")
    with pytest.raises(IsADirectoryError, match="is a folder"):
        load(tmp_path)
    save(every_kind(), path)
    with pytest.raises(ValueError, match="holds a network but no training"):
        load_training(path)


def test_a_flipped_byte_in_the_numbers_is_noticed(tmp_path):
    path = tmp_path / "net.npz"
    save(every_kind(), path)
    content = bytearray(path.read_bytes())
    content[len(content) // 3] ^= 0xFF
    path.write_bytes(bytes(content))
    with pytest.raises(ValueError, match="is not a network saved by cnnedu, or is damaged"):
        load(path)


def test_what_cannot_be_saved_is_a_clear_error(tmp_path):
    class Mine(Layer):
        pass

    with pytest.raises(TypeError, match="save needs a network .*, got Dense"):
        save(Dense(1, 1, rng=np.random.default_rng(0)), tmp_path / "net.npz")
    with pytest.raises(TypeError, match="Mine cannot be saved"):
        save(Sequential([Mine()]), tmp_path / "net.npz")
    with pytest.raises(FileNotFoundError, match=r"the folder .*nowhere does not exist"):
        save(every_kind(), tmp_path / "nowhere" / "net.npz")
    with pytest.raises(IsADirectoryError, match="give the path of a file"):
        save(every_kind(), tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(sys.platform == "win32", reason="named pipes")
def test_only_ordinary_files_are_replaced(tmp_path):
    """Moving a file to /dev/null would put an end to it."""
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OSError, match="pipe is no ordinary file"):
        save(every_kind(), tmp_path / "pipe")
    assert (tmp_path / "pipe").is_fifo()


def test_a_file_with_any_wrong_byte_is_told(tmp_path, rng):
    """Whatever the archive's reader stumbles over, the words are the same."""
    path, damaged = tmp_path / "net.npz", tmp_path / "damaged.npz"
    save(build("notebook", rng=rng), path)
    whole = path.read_bytes()
    told = harmless = 0
    for place in rng.integers(len(whole), size=150):
        damaged.write_bytes(whole[:place] + bytes([whole[place] ^ 0x55]) + whole[place + 1 :])
        try:
            load(damaged)  # a wrong byte in a time stamp does no harm
        except ValueError as error:
            told += "damaged" in str(error)
        else:
            harmless += 1
    assert told + harmless == 150 and harmless < 20
