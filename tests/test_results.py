"""The program that makes the results: what is kept of a training, and what is written of it."""

import json
from dataclasses import replace

import numpy as np
import pytest

from benchmarks.results import trainings, writing
from benchmarks.results.__main__ import main
from benchmarks.results.running import Progress
from benchmarks.results.trainings import (
    GROUPS,
    PARTS,
    Setting,
    StreamLog,
    Task,
    group_of,
    mistakes,
    tasks_of,
)
from cnnedu import SGD, Dense, Flatten, Sequential, evaluate, fit, load
from cnnedu.data import Dataset, Part
from cnnedu.systems import system


@pytest.fixture
def setting(tmp_path):
    return Setting(tmp_path, True, {"command": "test", "commit": "none"})


def test_every_claim_rests_on_three_trainings_at_least():
    claims = {(part, group) for part, group, *_ in writing.ROWS}
    assert claims <= {(group.part, group.name) for group in GROUPS}
    for group in GROUPS:
        if (group.part, group.name) in claims:
            assert group.seeds >= 3
    assert sum(group.seconds * group.seeds for group in GROUPS) / 2 < 35 * 60


def test_the_longest_come_first_and_quick_takes_one_of_each():
    tasks = tasks_of(PARTS, quick=False)
    seconds = [group_of(task).seconds for task in tasks]
    assert seconds == sorted(seconds, reverse=True)
    assert len({task.file_name for task in tasks}) == len(tasks) > 30
    assert len(tasks_of(PARTS, quick=True)) == len(GROUPS)
    assert {task.part for task in tasks_of(["notebook"], quick=False)} == {"notebook"}


def test_a_shipped_network_comes_with_its_past(setting):
    kept = group_of(Task("cnn-rs", "10 epochs", 0)).train(setting, 0)
    network = load(setting.folder / "cnn-rs-seed-0.npz")
    chosen = system("cnn-rs")
    test = chosen.data(trainings.dataset(True)).test
    assert evaluate(network, test).accuracy == kept["test_accuracy"]
    assert np.sum(kept["confusion"]) == len(test)
    assert len(kept["loss"]) == 1 and 0 < kept["digits_accuracy"] < 1
    with np.load(setting.folder / "cnn-rs-seed-0-checkpoints.npz") as file:
        header = json.loads(str(file["header"]))
        assert header["steps"] == [0, 1, 5] and len(header["accuracy"]) == 3
        np.testing.assert_allclose(
            file["5/conv1.weight"], network.params["conv1.weight"], rtol=1e-3, atol=1e-6
        )


def test_mistakes_are_counted_and_the_surest_come_first():
    network = Sequential(
        [Flatten(), Dense(1, 2, rng=np.random.default_rng(0))], input_shape=(1, 1, 1)
    )
    network["dense1"].params["weight"][...] = [[0], [1]]
    images = np.array([0.1, 0.9, 0.5, 0.7], np.float32).reshape(4, 1, 1, 1)
    found = mistakes(network, Part(images, np.array([0, 0, 1, 0])))
    assert found["worst"] == [
        [1, 0, 1, round(float(1 / (1 + np.exp(-0.9))), 4)],
        [3, 0, 1, round(float(1 / (1 + np.exp(-0.7))), 4)],
        [0, 0, 1, round(float(1 / (1 + np.exp(-0.1))), 4)],
    ]
    assert np.array(found["confusion"])[:2, :2].tolist() == [[0, 3], [0, 1]]


def test_the_stream_is_logged_in_bits_across_epochs():
    rng = np.random.default_rng(0)
    network = Sequential([Flatten(), Dense(4, 2, rng=rng)], input_shape=(1, 2, 2))
    data = rng.random((6, 1, 2, 2), np.float32), np.array([0, 1, 0, 1, 0, 1])
    log = StreamLog(every=3)
    options = {"batch_size": 1, "optimizer": SGD(0.1), "callbacks": [log], "progress": False}
    history = fit(network, data, epochs=2, rng=rng, **options)
    assert [line[0] for line in log.lines] == [3, 6, 9, 12]
    in_bits = np.reshape(history.batch_loss, (4, 3)).mean(axis=1) / np.log(2)
    np.testing.assert_allclose([line[1] for line in log.lines], in_bits, atol=6e-5)
    shares = np.reshape([line[2] for line in log.lines], (2, 2)).mean(axis=1)
    np.testing.assert_allclose(shares, history.accuracy, atol=1e-4)


def test_the_ties_are_those_of_a_fresh_network(setting):
    assert 0.4 < trainings.share_of_ties(setting, 0)["share"] < 0.8


RESULTS = {
    "parts": {
        "cnn-rs": {"5 epochs": [{"test_accuracy": a, "seconds": 20} for a in (0.97, 0.98, 0.99)]},
        "competing-kernels": {"as written": [{"test": {"right_rounded": 0.9, "right": 0.92}}]},
        "speed": {
            "comparison": [{"seconds": {"project": 20.0, "pytorch": 40.0, "pytorch tuned": 30.0}}]
        },
    }
}


def test_the_table_gives_mean_and_spread():
    lines = writing.table(RESULTS).splitlines()
    assert lines[2] == (
        "| `cnn-rs` trained well, 5 epochs |  | **98.00 %** | 97.00 to 99.00 % | 3 | 20 s |"
    )
    assert "92.57 % | **90.00 %** | 90.00 to 90.00 % | 1 |  |" in lines[3]
    assert "**92.00 %**" in lines[4] and len(lines) == 7
    assert "took 20.0 s where PyTorch" in lines[6] and "40.0 s (tuned: 30.0 s)" in lines[6]


def test_the_table_goes_between_its_marks(tmp_path):
    path = tmp_path / "README.md"
    path.write_text(f"before\n{writing.BEGIN}\nold\n{writing.END}\nafter\n", encoding="utf-8")
    assert writing.put_into(path, "| new |") and writing.put_into(path, "| newer |")
    text = path.read_text(encoding="utf-8")
    assert text == f"before\n{writing.BEGIN}\n\n| newer |\n\n{writing.END}\nafter\n"
    path.write_text("no marks", encoding="utf-8")
    assert not writing.put_into(path, "x") and path.read_text(encoding="utf-8") == "no marks"


def test_readme_has_a_place_for_the_table():
    text = (writing.ROOT / "README.md").read_text(encoding="utf-8")
    assert text.count(writing.BEGIN) == text.count(writing.END) == 1


def test_parts_measured_anew_replace_the_old_ones_only(tmp_path):
    path, run = tmp_path / "results.json", {"test_accuracy": 0.5, "filters": [1]}
    writing.merge(path, {"cnn-rs": {"5 epochs": [run]}}, {"commit": "a"}, 1.0)
    results = writing.merge(path, {"notebook": {"properly": [run]}}, {"commit": "b"}, 2.0)
    assert results == json.loads(path.read_text(encoding="utf-8"))
    assert results["parts"]["cnn-rs"]["made_with"] == {"commit": "a"}
    assert results["parts"]["notebook"]["properly"] == [{"test_accuracy": 0.5}]


def test_progress_knows_about_how_long_the_rest_takes(monkeypatch):
    monkeypatch.setattr("benchmarks.results.running.time.monotonic", iter([0.0, 60.0]).__next__)
    tasks = [Task("notebook", "properly", seed) for seed in range(3)]
    line = Progress(tasks, 2).line(tasks[0], {"test_accuracy": 0.975, "seconds": 30})
    assert line == (
        "[3 of 5, 1.0 min, about 2 min to go] notebook, properly, seed 0: "
        "97.50% of the test images, 30 s"
    )


def test_notebook_is_trained_on_one_heap(setting):
    few = trainings.notebook_as_written(setting, 1)
    assert len(few["five_image_tests"]) == 2  # quick: two steps
    data = trainings.one_heap(True)
    assert isinstance(data, Dataset) and (len(data.train), len(data.test)) == (288, 72)


@pytest.mark.slow
def test_an_interrupted_run_goes_on(tmp_path, capsys):
    unfinished = tmp_path / "unfinished" / writing.code_version()
    unfinished.mkdir(parents=True)
    told = {"seed": 0, "five_image_tests": [1.0], "test_accuracy": 0.123}
    told["filter_start_correlation"] = [0.5] * 6
    (unfinished / Task("notebook", "as written", 0).file_name).write_text(json.dumps(told))
    arguments = ["--quick", "--ship", "--only", "notebook", "--output", str(tmp_path)]
    assert main(arguments) == 0
    said = capsys.readouterr().out
    assert "1 of 4 trainings are finished already" in said and "[4 of 4," in said
    assert "| `notebook` as written, 25 steps | (five images) | **12.30 %** |" in said
    assert "Shipped: notebook" in said
    record = json.loads((tmp_path / "recorded" / "notebook-mnist.json").read_text("utf-8"))
    assert record["as_written"] == [told] and len(record["properly"]) == 1
    assert not list(unfinished.glob("*.json"))
    assert sorted(f.name for f in (tmp_path / "pretrained").iterdir()) == [
        "notebook-checkpoints.npz",
        "notebook.npz",
    ]


def test_a_shortened_system_is_the_same_otherwise():
    chosen = system("lasagne", as_written=True)
    assert trainings.shortened(chosen, quick=True) == replace(chosen, epochs=1)
    assert trainings.shortened(chosen, quick=False) is chosen
