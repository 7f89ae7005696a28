"""The networks that come with the package: they load, they read digits, they say what they are."""

from pathlib import Path

import numpy as np
import pytest

import cnnedu
from cnnedu import evaluate, load_checkpoints, load_pretrained
from cnnedu.data import load_digits
from cnnedu.pretrained import NAMES, save_checkpoints
from cnnedu.storage import read_about
from cnnedu.systems import SYSTEMS, system

FOLDER = Path(cnnedu.__file__).parent / "pretrained"
AT_LEAST = {"lasagne": 0.85, "cnn-rs": 0.75, "notebook": 0.75, "competing-kernels": 0.75}


@pytest.fixture(scope="module")
def test_digits():
    return load_digits().test


def test_there_is_one_for_each_system():
    assert set(NAMES) == set(SYSTEMS)


@pytest.mark.parametrize("name", NAMES)
def test_it_is_the_systems_network_and_reads_digits(name, test_digits):
    network = load_pretrained(name)
    wanted = system(name).network(rng=np.random.default_rng(0))
    assert {k: a.shape for k, a in network.params.items()} == {
        k: a.shape for k, a in wanted.params.items()
    }
    assert network.names == wanted.names and network.dtype == np.float32
    assert evaluate(network, test_digits).accuracy > AT_LEAST[name]


@pytest.mark.parametrize("name", NAMES)
def test_the_file_says_how_it_was_made(name):
    about = read_about(FOLDER / f"{name}.npz")
    assert about["command"].startswith("python -m benchmarks.results")
    assert about["system"] == name and about["commit"] and 0.9 < about["test_accuracy"] < 1


@pytest.mark.parametrize("name", NAMES)
def test_the_checkpoints_go_from_the_start_to_the_shipped_network(name, test_digits):
    recording = load_checkpoints(name)
    assert (
        recording.steps[:5] == [0, 1, 10, 100, 300] and sorted(recording.steps) == recording.steps
    )
    assert len(recording.snapshots) == len(recording.accuracy) == len(recording.steps)
    assert recording.accuracy[0] < 0.4 and recording.accuracy[-1] == max(recording.accuracy)
    assert recording.about == read_about(FOLDER / f"{name}.npz")
    final, last = load_pretrained(name), recording.network(-1)
    for key, array in final.params.items():
        np.testing.assert_allclose(last.params[key], array, rtol=1e-3, atol=1e-6)
    assert evaluate(recording.network(0), test_digits).accuracy < 0.5
    assert evaluate(last, test_digits).accuracy > AT_LEAST[name]
    recording.network(0).params["conv1.weight"][...] = 7  # a network of its own each time
    assert (recording.network(0).params["conv1.weight"] != 7).any()


@pytest.mark.parametrize("load", [load_pretrained, load_checkpoints])
def test_an_unknown_name_is_a_clear_error(load):
    with pytest.raises(ValueError, match="name must be one of 'lasagne', .*, got 'lenet'"):
        load("lenet")


def test_all_files_together_are_small():
    assert sum(file.stat().st_size for file in FOLDER.glob("*.npz")) < 5_000_000


def test_weights_too_large_for_the_file_are_refused(tmp_path):
    with pytest.raises(ValueError, match="conv1.weight at step 0 does not fit into float16"):
        save_checkpoints(
            tmp_path / "x.npz",
            name="x",
            steps=[0],
            snapshots=[{"conv1.weight": np.array([1e9])}],
            accuracy=[0.1],
            about={},
        )
