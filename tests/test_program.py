"""The program, as somebody would use it who has not read how: from the command line, in and out."""

import gzip
import io
import json
import os
import shutil
import signal
import struct
import subprocess
import sys
import time
import tomllib
import zipfile
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import cnnedu
from cnnedu import Conv2D, Dense, Flatten, Sequential, Softmax, load, save
from cnnedu.data import load_digits, load_mnist, synthetic_photograph
from cnnedu.program import main
from cnnedu.program.keeping import Keeper
from cnnedu.storage import load_training, read_about
from cnnedu.systems import SYSTEMS

ROOT = Path(__file__).resolve().parent.parent
POSIX = os.name == "posix"
IDX = ("train-images", "train-labels", "test-images", "test-labels")


def write_idx(path, array):
    array = np.asarray(array, np.uint8)
    header = bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">u4").tobytes()
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "wb") as file:
        file.write(header + array.tobytes())
    return path


@pytest.fixture(scope="session")
def files(tmp_path_factory):
    """Write 240 + 60 digits as IDX files, two of them compressed."""
    folder, data = tmp_path_factory.mktemp("idx"), load_digits()
    for role, part in (("train", data.train[:240]), ("test", data.test[:60])):
        write_idx(folder / f"{role}-images.gz", np.rint(255 * part.images[:, 0]))
        write_idx(folder / f"{role}-labels", part.labels)
    return folder


@pytest.fixture
def data(files):
    """Return the options that name those files."""
    return idx_options({name: next(files.glob(f"{name}*")) for name in IDX})


def idx_options(paths):
    return [text for name, path in paths.items() for text in (f"--{name}", str(path))]


@pytest.fixture(scope="session")
def trained(tmp_path_factory):
    """Train a network that reads most digits."""
    path = tmp_path_factory.mktemp("network") / "net.npz"
    line = ["train", "--network", "cnn-rs", "--data", "digits", "--epochs", "3", "--save", path]
    assert main([*map(str, line), "--json"]) == 0
    return path


@pytest.fixture(scope="session")
def photographs(tmp_path_factory):
    """Write ten photographs, named by their digits."""
    folder, digits = tmp_path_factory.mktemp("photographs"), load_digits().test
    rng = np.random.default_rng(5)
    for digit in range(10):
        image = digits.images[np.flatnonzero(digits.labels == digit)[0]]
        pixels = synthetic_photograph(image, rng=rng, difficulty=0.5, size=120)
        Image.fromarray(pixels).save(folder / f"{digit}.jpeg")
    return folder


@pytest.fixture
def run(capsys):
    """Run the program in this process: return status, stdout, stderr."""

    def run(*line):
        capsys.readouterr()
        status = main([str(word) for word in line])
        said = capsys.readouterr()
        assert "Traceback" not in said.err
        return status, said.out, said.err

    return run


@pytest.fixture
def fails(run):
    """Run the program, which must fail with one sentence on stderr and nothing on stdout."""

    def fails(status, pattern, *line):
        got, out, err = run(*line)
        assert got == status, err
        assert out == ""
        assert err.count("\n") == 1 and err.startswith("cnnedu"), err
        assert pattern in err, err
        return err

    return fails


def start(*line, program=("-m", "cnnedu"), **options):
    """Start the program in a process of its own."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, *program, *map(str, line)]
    return subprocess.Popen(
        command,
        env=environment,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        **options,
    )


def same(path, other):
    """Tell whether two files hold the same weights, bit for bit."""
    a, b = load(path).params, load(other).params
    return list(a) == list(b) and all(a[key].tobytes() == b[key].tobytes() for key in a)


# ------------------------------------------------------------------------- train


class TestTrain:
    def test_every_network_in_both_forms(self, run, data, tmp_path):
        for name in SYSTEMS:
            for form in ([], ["--as-written"]):
                path = tmp_path / f"{name}{len(form)}.npz"
                status, out, err = run(
                    *("train", "--network", name, "--epochs", 1, *data, *form, "--save", path),
                    "--json",
                )
                assert status == 0, err
                result = json.loads(out)
                network = load(path)
                assert result["network"] == name and result["as_written"] is bool(form)
                assert result["images"] == 60 and 0 <= result["accuracy"] <= 1
                assert result["saved"] == str(path)
                assert network.predict(load_digits().test.images[:2]).shape == (2,)

    def test_json_is_all_that_machines_get(self, run, data):
        status, out, err = run(
            *("train", "--network", "notebook", *data, "--epochs", 2, "--batch-size", 30, "--json")
        )
        result = json.loads(out)
        assert status == 0 and out.count("\n") == 1
        assert "Epoch 2 of 2 took" in err
        assert result["epochs_done"] == 2 and result["batches_done"] == 16
        assert result["training_loss"] > 0 and result["validation_loss"] is None
        assert result["saved"] is None

    def test_the_log_of_lasagne(self, run, data):
        _, out, err = run("train", "--network", "lasagne", "--as-written", *data, "--epochs", 2)
        lines = out.splitlines()
        assert err == ""
        assert lines[0] == "lasagne, as written: 160,362 parameters, 200 images to train on"
        assert lines[1].startswith("Epoch 1 of 2 took ")
        assert [line.split(":")[0].strip() for line in lines[2:6]] == [
            "training loss",
            "training accuracy",
            "validation loss",
            "validation accuracy",
        ]
        assert lines[6].startswith("Epoch 2 of 2 took ")
        assert lines[11] == "Final results:" and lines[13].strip().startswith("test accuracy:")

    def test_the_log_of_cnn_rs(self, run):
        status, out, _ = run("train", "--network", "cnn-rs", "--data", "digits", "--epochs", 2)
        lines = [line for line in out.splitlines() if "examples" in line]
        assert status == 0 and len(lines) == 2
        for line in lines:
            words = line.split()
            assert words[:4] == ["1024" if "1024" in line else "1000", "examples,", "avg", "loss"]
            assert words[5] == "accuracy" and words[7:10] == ["avg", "batch", "time"]
            assert words[10].endswith("ms")

    def test_the_log_of_cnn_rs_counts_bits_of_the_last_thousand(self, capsys):
        """Compare with the sum over the batches' own losses."""
        from cnnedu.program.logs import ExamplesLog
        from cnnedu.program.messages import Output
        from cnnedu.systems import system

        log = ExamplesLog(Output("cnnedu"))
        chosen = system("cnn-rs")
        _, history = chosen.train(
            chosen.data(load_digits()),
            rng=np.random.default_rng(0),
            epochs=1,
            batch_size=100,
            callbacks=[log],
            progress=False,
        )
        line = capsys.readouterr().out.splitlines()[0]
        assert f"avg loss {np.mean(history.batch_loss[:10]) / np.log(2):.4f} " in line

    def test_the_log_of_competing_kernels(self, run, data):
        line = ("train", "--network", "competing-kernels", "--as-written", *data)
        _, out, _ = run(*line, "--epochs", 2, "--learning-rate", 0.001)
        lines = out.splitlines()
        assert lines[1].split()[0] == "0" and lines[2].split()[0] == "1"
        assert 0 < float(lines[1].split()[1]) < 2
        assert lines[3] == "failed to converge"
        assert lines[4].startswith("average test set error: ")
        assert lines[5].startswith("percent correct: ")

    def test_competing_kernels_converges(self, run, data):
        """A few images are learned by heart quickly, if the steps are longer."""
        line = ("train", "--network", "competing-kernels", "--as-written", *data)
        _, out, _ = run(*line, "--learning-rate", 0.1, "--epochs", 40)
        lines = out.splitlines()
        found = [line for line in lines if line.startswith("converged at iteration: ")]
        assert len(found) == 1
        last = int(found[0].split()[-1])
        assert lines[last + 1].split()[0] == str(last)
        assert float(lines[last + 1].split()[1]) <= 0.1 < float(lines[last].split()[1])

    def test_the_log_of_the_notebook(self, run, data):
        _, out, _ = run("train", "--network", "notebook", "--as-written", *data)
        assert "iteration 25 of 25: loss" in out

    def test_the_same_seed_gives_the_same_bits(self, run, data, tmp_path):
        for name, seed in (("a", 3), ("b", 3), ("c", 4)):
            line = ("train", "--network", "notebook", *data, "--epochs", 1, "--seed", seed)
            assert run(*line, "--save", tmp_path / name)[0] == 0
        assert same(tmp_path / "a", tmp_path / "b") and not same(tmp_path / "a", tmp_path / "c")

    def test_load_goes_on_from_given_weights(self, run, data, trained, tmp_path):
        line = ("train", "--network", "cnn-rs", *data, "--epochs", 1, "--load", trained)
        status, out, _ = run(*line, "--learning-rate", 1e-9, "--json", "--save", tmp_path / "a")
        assert status == 0 and json.loads(out)["accuracy"] > 0.6
        before, after = load(trained).params, load(tmp_path / "a").params
        assert all(np.allclose(before[key], after[key], atol=1e-6) for key in before)

    def test_wrong_usage(self, fails, data, tmp_path, trained):
        train = ("train", "--network", "notebook")
        fails(2, "there is no network 'lasagna'; choose one of", "train", "--network", "lasagna")
        fails(2, "say which network to train", "train", "--data", "digits")
        fails(2, "say what to train on", *train)
        fails(2, "there are no data 'cifar'", *train, "--data", "cifar")
        for epochs in ("0", "-1", "1.5", "many", ""):
            fails(2, "expected a whole number of at least 1", *train, "--epochs", epochs)
        for rate in ("0", "-1", "nan", "inf", "fast"):
            fails(2, "expected a number above 0", *train, f"--learning-rate={rate}")
        fails(2, "--checkpoint-every needs --save", *train, *data, "--checkpoint-every", 5)
        fails(2, "give either --data digits or --train-images", *train, *data, "--data", "digits")
        fails(2, "needs --test-images and --test-labels beside it", *train, *data[:4])
        fails(2, "unrecognized arguments: --epoch 3", *train, "--data", "digits", "--epoch", "3")
        fails(2, "cnnedu train: unrecognized arguments: more; see cnnedu train", *train, "more")
        fails(2, "invalid choice: 'trian'", "trian")
        fails(2, "give one of them", "train", "--resume", trained, "--load", trained)
        competing = ("train", "--network", "competing-kernels", "--as-written", *data)
        fails(2, "one image at a time", *competing, "--batch-size", 5)
        fails(2, "expected a path", *train, "--data", "digits", "--save", "")

    def test_where_nothing_can_be_written(self, fails, tmp_path):
        line = ("train", "--network", "notebook", "--data", "digits", "--save")
        (tmp_path / "file").write_text("")
        fails(1, "is a folder; name a file", *line, tmp_path)
        fails(1, "there is no folder", *line, tmp_path / "no" / "net.npz")
        fails(1, "there is no folder", *line, tmp_path / "file" / "net.npz")
        if POSIX:
            os.mkfifo(tmp_path / "pipe")
            fails(1, "which is no ordinary file", *line, tmp_path / "pipe")

    def test_what_is_no_network_is_not_overwritten(self, fails, run, data, photographs, tmp_path):
        """A photograph named by slip, in the command fine-tune above all, would be lost."""
        path = tmp_path / "7.jpeg"
        shutil.copy(photographs / "7.jpeg", path)
        before = path.read_bytes()
        for command in (
            ("train", "--network", "notebook", "--data", "digits"),
            ("fine-tune", photographs),
            ("import", tmp_path),
        ):
            fails(1, "is a file of another kind and would be lost", *command, "--save", path)
        assert path.read_bytes() == before
        (tmp_path / "empty").touch()
        line = ("train", "--network", "notebook", *data, "--epochs", 1, "--save")
        for _ in range(2):
            assert run(*line, tmp_path / "empty")[0] == 0

    @pytest.mark.skipif(not POSIX, reason="links need rights on Windows")
    def test_a_link_is_followed(self, run, data, tmp_path):
        (tmp_path / "link.npz").symlink_to("net.npz")
        line = ("train", "--network", "notebook", *data, "--epochs", 1, "--save")
        for _ in range(2):  # there is nothing where it leads to, and then there is
            assert run(*line, tmp_path / "link.npz")[0] == 0
            assert (tmp_path / "link.npz").is_symlink()
            load(tmp_path / "net.npz")

    def test_a_name_as_long_as_can_be(self, run, data, tmp_path):
        line = ("train", "--network", "notebook", *data, "--epochs", 1, "--save")
        assert run(*line, tmp_path / ("\u4e03" * 80))[0] == 0

    @pytest.mark.skipif(not POSIX or os.geteuid() == 0, reason="root may write everywhere")
    def test_a_folder_that_is_locked(self, fails, tmp_path):
        tmp_path.chmod(0o500)
        line = ("train", "--network", "notebook", "--data", "digits", "--save")
        fails(1, "Permission denied", *line, tmp_path / "net.npz")

    def test_a_learning_rate_that_is_too_high(self, run, data):
        status, out, err = run(
            *("train", "--network", "lasagne", *data, "--learning-rate", 1e9, "--epochs", 3)
        )
        assert status == 1 and err.count("\n") == 1
        assert "in epoch " in err and "is probably too high" in err

    def test_mnist_that_cannot_be_had(self, run, monkeypatch, tmp_path):
        monkeypatch.setenv("CNNEDU_DATA", str(tmp_path))
        monkeypatch.setattr("pooch.os_cache", lambda name: tmp_path / "cache")
        for line in (("train", "--network", "notebook"), ("evaluate",)):
            status, out, err = run(*line, "--data", "mnist")
            assert status == 1 and out == ""
            assert "MNIST is not on this computer and could not be downloaded" in err
            assert "use load_digits(), which needs no network" in err


class TestFiles:
    """Files of one's own in MNIST's format, which may be anything."""

    @pytest.fixture
    def paths(self, files):
        return {name: next(files.glob(f"{name}*")) for name in IDX}

    @pytest.fixture
    def refuses(self, fails, paths):
        def refuses(pattern, **changed):
            changed = {name.replace("_", "-"): path for name, path in changed.items()}
            options = idx_options({**paths, **changed})
            fails(1, pattern, "train", "--network", "notebook", *options)

        return refuses

    def test_missing(self, refuses, tmp_path):
        refuses("expected an IDX file at", train_images=tmp_path / "nothing")
        refuses("found a folder", test_labels=tmp_path)

    def test_damaged(self, refuses, paths, tmp_path):
        whole = paths["train-images"].read_bytes()
        cases = {
            "cut": (whole[: len(whole) // 2], "expected a whole gzip file"),
            "empty": (b"", "got an empty file"),
            "page": (b"<!DOCTYPE html><html>", "got a web page"),
            "random": (bytes(range(100)), "got the bytes 00 01 02 03"),
            "short": (gzip.decompress(whole)[:-1], "is cut short"),
            "long": (gzip.decompress(whole) + b"1", "holds more than it states"),
        }
        for name, (content, pattern) in cases.items():
            (tmp_path / name).write_bytes(content)
            refuses(pattern, train_images=tmp_path / name)

    def test_not_fitting(self, refuses, paths, tmp_path):
        swapped = {"train_images": paths["train-labels"], "train_labels": paths["train-images"]}
        refuses("the right way round?", **swapped)
        refuses("240 images in", train_labels=paths["test-labels"])
        wide = write_idx(tmp_path / "wide", np.zeros((240, 32, 32)))
        refuses("bytes of shape (N, 28, 28), got uint8 of shape (240, 32, 32)", train_images=wide)
        labels = write_idx(tmp_path / "labels", np.arange(240) % 12)
        refuses("expected labels from 0 to 9, got 11 for image 11", train_labels=labels)
        none = write_idx(tmp_path / "none", np.zeros((0, 28, 28)))
        no_labels = write_idx(tmp_path / "no-labels", np.zeros(0))
        refuses("at least one, got 0 images", train_images=none, train_labels=no_labels)


# ------------------------------------------------------------------------- interrupted


class Killed(BaseException):
    """What the program knows nothing of, like a power cut."""


class TestResume:
    @pytest.mark.parametrize("form", ["corrected", "as-written"])
    @pytest.mark.parametrize("name", SYSTEMS)
    def test_every_form_ends_in_the_same_bits(self, run, data, tmp_path, monkeypatch, name, form):
        whole, cut = tmp_path / "whole.npz", tmp_path / "cut.npz"
        line = ["train", "--network", name, *data, "--seed", 7]
        line += ["--as-written"] if form == "as-written" else []
        line += [] if (name, form) == ("notebook", "as-written") else ["--epochs", 2]
        one_at_a_time = form == "as-written" and name in ("cnn-rs", "competing-kernels")
        every = 70 if one_at_a_time else 3
        assert run(*line, "--save", whole, "--json")[0] == 0

        on_batch_end = Keeper.on_batch_end
        last = load_training(whole)[1]
        steps = last["epoch"] * last["batches_per_epoch"]
        for step in (1, steps // 2 + 1, steps - 1):  # each time it is killed later

            def die(keeper, training, step=step):
                on_batch_end(keeper, training)
                if training.step == step:
                    raise Killed

            monkeypatch.setattr(Keeper, "on_batch_end", die)
            again = ["train", "--resume", cut] if cut.exists() else [*line, "--save", cut]
            with pytest.raises(Killed):
                main([*map(str, again), "--checkpoint-every", str(every)])
            assert not read_about(cut)["finished"]
        monkeypatch.setattr(Keeper, "on_batch_end", on_batch_end)
        status, out, err = run("train", "--resume", cut, "--json")
        assert status == 0, err
        assert same(whole, cut)
        again = json.loads(run("train", "--resume", whole, "--json")[1])
        result = json.loads(out)
        for key in set(result) - {"seconds", "saved"}:
            assert result[key] == again[key], key

    def test_an_interrupt_at_any_step_can_be_resumed(self, run, data, tmp_path, monkeypatch):
        """Ctrl-C after the first step, and after the last of each epoch, among others."""
        whole, cut = tmp_path / "whole.npz", tmp_path / "cut.npz"
        line = ["train", "--network", "lasagne", "--as-written", "--epochs", 2, *data]
        assert run(*line, "--save", whole)[0] == 0
        on_batch_end = Keeper.on_batch_end
        for step in (1, 4, 8):

            def press(keeper, training, step=step):
                on_batch_end(keeper, training)
                if training.step == step:
                    signal.raise_signal(signal.SIGINT)

            monkeypatch.setattr(Keeper, "on_batch_end", press)
            status, _, err = run(*line, "--save", cut)
            monkeypatch.setattr(Keeper, "on_batch_end", on_batch_end)
            assert status == 130
            assert f"stopped after batch {step} of 8; the network as it is now is saved" in err
            assert run("train", "--resume", cut)[0] == 0
            assert same(whole, cut), step
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler

    def test_a_second_ctrl_c_stops_at_once(self, run, data, tmp_path, monkeypatch):
        def press_twice(keeper, training):
            if training.step == 3:
                signal.raise_signal(signal.SIGINT)
                signal.raise_signal(signal.SIGINT)

        monkeypatch.setattr(Keeper, "on_batch_end", press_twice)
        line = ["train", "--network", "notebook", *data, "--save", tmp_path / "net.npz"]
        status, _, err = run(*line)
        assert status == 130 and "stopped at once; " in err
        assert load_training(tmp_path / "net.npz")[1]["epoch"] == 0

    def test_ctrl_c_that_is_meant_for_others(self, run, data, monkeypatch):
        """A shell starts what runs in the background with this signal ignored."""
        monkeypatch.setattr(
            Keeper, "on_batch_end", lambda *rest: signal.raise_signal(signal.SIGINT)
        )
        before = signal.signal(signal.SIGINT, signal.SIG_IGN)
        try:
            status, _, err = run("train", "--network", "notebook", *data, "--epochs", 1)
            assert (status, err) == (0, "")
            assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
        finally:
            signal.signal(signal.SIGINT, before)

    def test_ctrl_c_without_a_file(self, run, data, monkeypatch):
        monkeypatch.setattr(
            Keeper, "on_batch_end", lambda *rest: signal.raise_signal(signal.SIGINT)
        )
        status, _, err = run("train", "--network", "notebook", *data)
        assert status == 130 and "nothing was saved, because --save was not given" in err

    def test_what_contradicts_the_checkpoint_is_refused(self, fails, run, data, tmp_path):
        path = tmp_path / "net.npz"
        line = ["train", "--network", "notebook", *data, "--epochs", 1]
        assert run(*line, "--save", path)[0] == 0
        before = path.read_bytes()
        for option, value in (
            ("--network", "lasagne"),
            ("--epochs", 9),
            ("--learning-rate", 0.5),
            ("--batch-size", 7),
            ("--seed", 1),
            ("--workers", 2),
        ):
            fails(2, f"{option} {value} contradicts", "train", "--resume", path, option, value)
        fails(2, "--as-written contradicts", "train", "--resume", path, "--as-written")
        fails(2, "begun on other images", "train", "--resume", path, "--data", "digits")
        assert path.read_bytes() == before
        # What says the same again is no contradiction.
        again = ["train", "--resume", path, "--network", "notebook", "--epochs", 1, "--seed", 0]
        assert run(*again)[0] == 0
        assert run("train", "--resume", path, *data, "--save", tmp_path / "copy.npz")[0] == 0
        assert same(path, tmp_path / "copy.npz")

    def test_files_that_have_moved(self, fails, run, files, tmp_path):
        old, new, path = tmp_path / "old", tmp_path / "new", tmp_path / "net.npz"
        shutil.copytree(files, old)
        named = {name: next(old.glob(f"{name}*")) for name in IDX}
        line = ["train", "--network", "notebook", "--epochs", 1, *idx_options(named)]
        assert run(*line, "--save", path)[0] == 0
        old.rename(new)
        fails(1, "expected an IDX file at", "train", "--resume", path)
        moved = {name: new / file.name for name, file in named.items()}
        assert run("train", "--resume", path, *idx_options(moved))[0] == 0

    def test_what_a_killed_process_left_is_swept_up(self, run, data, tmp_path):
        old, new, other = (
            tmp_path / name for name in (".n.npz.a.part", ".n.npz.b.part", ".m.npz.a.part")
        )
        for part in (old, new, other):
            part.write_text("half a network")
        for part in (old, other):
            os.utime(part, (time.time() - 7200,) * 2)
        line = ("train", "--network", "notebook", *data, "--epochs", 1)
        assert run(*line, "--save", tmp_path / "n.npz")[0] == 0
        assert not old.exists() and new.exists() and other.exists()

    def test_what_cannot_be_resumed(self, fails, trained, tmp_path):
        save(load(trained), tmp_path / "plain.npz")
        fails(1, "no training to go on with", "train", "--resume", tmp_path / "plain.npz")
        fails(1, "there is no file", "train", "--resume", tmp_path / "nothing.npz")
        (tmp_path / "text").write_text("hello")
        fails(1, "is not a network saved by cnnedu", "train", "--resume", tmp_path / "text")

    def test_what_a_changed_file_says_of_its_training(self, fails, run, data, tmp_path):
        path, changed = tmp_path / "net.npz", tmp_path / "changed.npz"
        assert run("train", "--network", "notebook", *data, "--epochs", 1, "--save", path)[0] == 0
        network, state = load_training(path)
        about = read_about(path)
        for name, value in (
            ("network", "foo"),
            ("epochs", "many"),
            ("epochs", 0),
            ("learning_rate", -1),
            ("workers", 1.5),
            ("data", "cifar"),
            ("data", {"train_images": "x"}),
            ("data", 3),
        ):
            wrong = {**about, "settings": {**about["settings"], name: value}}
            save(network, changed, training=state, about=wrong)
            fails(1, "of its training is damaged", "train", "--resume", changed)
        for wrong in ([1], {**about, "settings": {}}, {"settings": about["settings"]}):
            save(network, changed, training=state, about=wrong)
            fails(1, "no training to go on with", "train", "--resume", changed)
        save(network, changed, training={"epoch": 0}, about={**about, "finished": False})
        status, _, err = run("train", "--resume", changed)
        assert status == 1 and err.count("\n") == 1 and "is damaged" in err

    def test_load_and_resume(self, run, data, trained, tmp_path, monkeypatch):
        """A training that began with given weights needs them no more when it is resumed."""
        first, whole, cut = tmp_path / "first", tmp_path / "whole", tmp_path / "cut"
        shutil.copy(trained, first)
        line = ["train", "--network", "cnn-rs", *data, "--epochs", 2, "--load", first]
        assert run(*line, "--save", whole)[0] == 0
        monkeypatch.setattr(Keeper, "on_batch_end", self.stop_at(5))
        assert run(*line, "--save", cut)[0] == 130
        monkeypatch.undo()
        first.unlink()
        assert run("train", "--resume", cut)[0] == 0
        assert same(whole, cut)

    @staticmethod
    def stop_at(step):
        def on_batch_end(keeper, training):
            if training.step == step:
                signal.raise_signal(signal.SIGINT)

        return on_batch_end


@pytest.mark.skipif(not POSIX, reason="signals")
class TestProcesses:
    """What only a process of its own shows."""

    LINE = ("train", "--network", "cnn-rs", "--batch-size", 4, "--workers", 2)

    @staticmethod
    def start_doomed(step, *line):
        """Start the program with a bomb inside, which kills it after some step."""
        code = f"""
import os, signal, sys
from cnnedu.program import main
from cnnedu.program.keeping import Keeper

def on_batch_end(keeper, training, go_on=Keeper.on_batch_end):
    if training.step == {step}:
        os.kill(os.getpid(), signal.SIGKILL)
    go_on(keeper, training)

Keeper.on_batch_end = on_batch_end
sys.exit(main(sys.argv[1:]))
"""
        return start(*line, program=("-c", code))

    def test_killed_and_resumed(self, run, data, tmp_path):
        whole, cut = tmp_path / "whole.npz", tmp_path / "cut.npz"
        line = (*self.LINE, *data, "--epochs", 2)
        for step, kept, command in (
            (45, 40, (*line, "--save", cut, "--checkpoint-every", 20)),
            (95, 90, ("train", "--resume", cut, "--checkpoint-every", 30)),
        ):
            process = self.start_doomed(step, *command)
            process.communicate(timeout=60)
            assert process.returncode == -signal.SIGKILL
            state = load_training(cut)[1]
            assert 60 * state["epoch"] + state["batch"] == kept
            assert not read_about(cut)["finished"]
        assert run("train", "--resume", cut)[0] == 0
        assert run(*line, "--save", whole)[0] == 0
        assert same(whole, cut)

    def test_ctrl_c_and_two_at_once_on_one_file(self, run, data, tmp_path):
        path, other = tmp_path / "net.npz", tmp_path / "other.npz"
        line = (*self.LINE, *data, "--epochs", 5000)
        both = [start(*line, "--save", path, "--checkpoint-every", 7) for _ in range(2)]
        for process in both:
            for words in ("parameters", "Epoch 1 of 5000"):
                assert words in process.stdout.readline()
        both[0].send_signal(signal.SIGINT)
        out, err = both[0].communicate(timeout=60)
        assert both[0].returncode == 130
        assert err.count("\n") == 1 and "the network as it is now is saved in" in err
        load(path)
        both[1].send_signal(signal.SIGINT)
        both[1].communicate(timeout=60)
        assert both[1].returncode == 130
        assert run("evaluate", "--load", path, "--data", "digits")[0] == 0
        assert [file.name for file in tmp_path.iterdir()] == ["net.npz"]
        assert not other.exists()

    def test_a_closed_pipe_is_no_error(self, trained, photographs):
        process = start("predict", "--load", trained, photographs)
        process.stdout.readline()
        process.stdout.close()
        with process.stderr:
            assert process.stderr.read() == ""
        assert process.wait(timeout=60) == 141

    def test_the_installed_name_and_version(self):
        process = start("--version")
        out, err = process.communicate(timeout=60)
        assert (process.returncode, out, err) == (0, f"cnnedu {cnnedu.__version__}\n", "")


def test_the_entry_point_is_the_program():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["scripts"] == {"cnnedu": "cnnedu.program:main"}


# ------------------------------------------------------------------------- evaluate


class TestEvaluate:
    def test_says_what_the_package_says(self, run, trained, data):
        status, out, err = run("evaluate", "--load", trained, "--data", "digits", "--json")
        expected = cnnedu.evaluate(load(trained), load_digits().test)
        assert status == 0 and err.count("\n") == 1
        assert json.loads(out) == {
            "accuracy": expected.accuracy,
            "loss": expected.loss,
            "images": 360,
        }
        status, out, err = run("evaluate", "--load", trained, "--data", "digits")
        right = round(360 * expected.accuracy)
        assert (status, err) == (0, "")
        assert out.startswith(f"accuracy {expected.accuracy:.2%} ({right} of 360 images), loss ")

    def test_files_and_parts(self, run, trained, data):
        status, out, _ = run("evaluate", "--load", trained, *data[4:], "--json")
        assert status == 0 and json.loads(out)["images"] == 60
        line = ("evaluate", "--load", trained, "--data", "digits", "--part")
        assert json.loads(run(*line, "train", "--json")[1])["images"] == 1437
        assert json.loads(run(*line, "all", "--json")[1])["images"] == 1797

    def test_whole_mnist(self, run, trained):
        if "CNNEDU_DATA" not in os.environ:
            pytest.skip("MNIST is not here")
        status, out, _ = run("evaluate", "--load", trained, "--data", "mnist", "--json")
        assert status == 0
        assert json.loads(out)["accuracy"] == cnnedu.evaluate(load(trained), load_mnist().test)[1]

    def test_wrong_usage(self, fails, trained, data):
        fails(2, "say what to measure on", "evaluate", "--load", trained)
        fails(2, "leave it out with files", "evaluate", *data[4:], "--part", "all")
        fails(2, "needs --test-labels beside it", "evaluate", *data[4:6])

    def test_files_that_are_no_networks_for_digits(self, fails, tmp_path, rng, trained):
        networks = {
            "color": ([Flatten(), Dense(3 * 32 * 32, 10, rng=rng)], (3, 32, 32)),
            "letters": ([Flatten(), Dense(784, 26, rng=rng)], (1, 28, 28)),
            "maps": ([Conv2D(1, 10, 3, rng=rng)], (1, 28, 28)),
            "softmax": ([Flatten(), Dense(784, 10, rng=rng), Softmax()], (1, 28, 28)),
            "deep": ([Conv2D(3, 10, 3, rng=rng)], None),
        }
        for name, value in (("nan", np.nan), ("huge", 1e38)):
            networks[name] = ([Flatten(), Dense(784, 10, rng=rng)], (1, 28, 28))
            networks[name][0][1].params["weight"][:] = value
        for name, (layers, shape) in networks.items():
            save(Sequential(layers, input_shape=shape), tmp_path / name)
            for command in (("evaluate", "--data", "digits"), ("predict", "x.png")):
                fails(1, f"the network in {tmp_path / name}", *command, "--load", tmp_path / name)
        whole = trained.read_bytes()
        with zipfile.ZipFile(tmp_path / "zip", "w") as file:
            file.writestr("a.npy", "no array")
        np.savez(tmp_path / "arrays.npz", a=np.arange(3))
        (tmp_path / "cut").write_bytes(whole[:-100])
        (tmp_path / "damaged").write_bytes(whole[:9000] + bytes(200) + whole[9200:])
        (tmp_path / "empty").write_bytes(b"")
        (tmp_path / "text").write_text("hello")
        for name in ("zip", "arrays.npz", "cut", "damaged", "empty", "text"):
            line = ("evaluate", "--data", "digits", "--load", tmp_path / name)
            fails(1, "is not a network saved by cnnedu, or is damaged", *line)
        fails(1, "there is no file", "evaluate", "--data", "digits", "--load", tmp_path / "no")
        fails(1, "is a folder", "evaluate", "--data", "digits", "--load", tmp_path)


# ------------------------------------------------------------------------- predict


class TestPredict:
    def test_reads_photographs(self, run, trained, photographs):
        status, out, err = run("predict", "--load", trained, photographs)
        lines = out.splitlines()
        assert (status, err) == (0, "") and len(lines) == 11
        right = 0
        for digit, line in enumerate(lines[:10]):
            start, found, sure = line.rsplit(" ", 2)
            assert start == f"{photographs / f'{digit}.jpeg'}:"
            assert 0 < float(sure.strip("(%)")) <= 100
            right += int(found) == digit
        assert lines[10] == f"{right} of 10 as the names of the files say"
        assert right >= 7

    def test_json(self, run, trained, photographs, tmp_path):
        (tmp_path / "text.jpg").write_text("hello")
        paths = (photographs / "3.jpeg", tmp_path / "text.jpg", photographs / "0.jpeg")
        status, out, err = run("predict", "--load", trained, "--json", *paths)
        found = json.loads(out)
        assert status == 1 and err.count("\n") == 1
        assert [entry["path"] for entry in found] == [str(path) for path in paths]
        assert set(found[0]) == set(found[2]) == {"path", "digit", "probability"}
        assert 0 < found[0]["probability"] <= 1 and found[0]["digit"] in range(10)
        assert set(found[1]) == {"path", "error"} and "not an image" in found[1]["error"]

    def test_one_word_for_each_bad_picture_and_the_rest_is_done(
        self, run, trained, photographs, tmp_path
    ):
        shutil.copy(photographs / "4.jpeg", tmp_path / "good.jpeg")
        whole = (tmp_path / "good.jpeg").read_bytes()
        (tmp_path / "text.png").write_text("hello")
        (tmp_path / "empty.png").write_bytes(b"")
        (tmp_path / "cut.jpeg").write_bytes(whole[: len(whole) // 2])
        Image.new("L", (1, 1), 255).save(tmp_path / "pixel.png")
        Image.new("L", (200, 200), 240).save(tmp_path / "page.png")
        self.bomb(tmp_path / "bomb.png")
        (tmp_path / "folder").mkdir()
        (tmp_path / "folder" / "notes.txt").write_text("no image")
        expected = {
            "text.png": "is not an image that can be read",
            "empty.png": "is an empty file",
            "cut.jpeg": "is cut short",
            "pixel.png": "got 1 x 1 pixels",
            "page.png": "found no ink",
            "bomb.png": "more pixels than a photograph has",
            "folder": "expected images in",
            "nothing.png": "found no file",
        }
        paths = [tmp_path / name for name in expected]
        status, out, err = run("predict", "--load", trained, *paths, tmp_path / "good.jpeg")
        assert status == 1
        assert out.startswith(f"{tmp_path / 'good.jpeg'}: ") and out.count("\n") == 1
        lines = err.splitlines()
        assert len(lines) == len(expected)
        for line, (name, words) in zip(lines, expected.items(), strict=True):
            assert line.startswith("cnnedu predict: ") and name in line and words in line

    @staticmethod
    def bomb(path):
        """Write a PNG file of a few hundred bytes that says it has a billion pixels."""

        def chunk(kind, content):
            check = struct.pack(">I", zlib.crc32(kind + content))
            return struct.pack(">I", len(content)) + kind + content + check

        header = struct.pack(">IIBBBBB", 40000, 40000, 8, 0, 0, 0, 0)
        data = zlib.compress(bytes(100_000))
        parts = chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")
        path.write_bytes(b"\x89PNG\r\n\x1a\n" + parts)

    def test_patterns_that_the_shell_has_left(self, run, trained, photographs, tmp_path):
        _, out, _ = run("predict", "--load", trained, photographs / "[12].jpeg")
        assert out.count(".jpeg: ") == 2
        status, _, err = run("predict", "--load", trained, tmp_path / "*.png")
        assert status == 1 and "found none" in err

    @pytest.mark.skipif(not POSIX, reason="pipes and links")
    def test_a_folder_with_pipes_and_links(self, run, trained, photographs, tmp_path):
        os.mkfifo(tmp_path / "a.png")  # nobody will ever write into it
        (tmp_path / "b.png").symlink_to("b.png")
        (tmp_path / "c.png").symlink_to("nothing.png")
        (tmp_path / "d.jpeg").symlink_to(photographs / "4.jpeg")
        (tmp_path / "loop").symlink_to(tmp_path)
        status, out, err = run("predict", "--load", trained, tmp_path)
        assert status == 1 and out.count("\n") == 1 and "d.jpeg: " in out
        lines = err.splitlines()
        assert len(lines) == 3 and "a.png is no ordinary file" in lines[0]
        assert "b.png is a link that leads nowhere" in lines[1]
        assert "c.png is a link that leads nowhere" in lines[2]

    def test_strange_names(self, run, trained, photographs, tmp_path):
        names = ["\u4e03 7.jpeg", "a b.jpeg", "-x.jpeg"]
        if sys.platform == "linux":
            names.append(os.fsdecode(b"\xff\xfe.jpeg"))
        for name in names:
            shutil.copy(photographs / "7.jpeg", tmp_path / name)
        status, out, _ = run("predict", "--load", trained, "--json", tmp_path)
        assert status == 0 and {Path(entry["path"]).name for entry in json.loads(out)} == set(names)
        process = start("predict", "--load", trained, tmp_path)
        out, err = process.communicate(timeout=60)
        assert process.returncode == 0 and out.count(".jpeg: ") == len(names)

    def test_wrong_usage(self, fails):
        fails(2, "cnnedu predict: the following arguments are required: PATH", "predict")
        fails(2, "expected a path, got an empty text", "predict", "")


# ------------------------------------------------------------------------- fine-tune


class TestFineTune:
    def test_says_which_number_to_trust(self, run, trained, photographs, tmp_path):
        before = trained.read_bytes()
        line = ("fine-tune", "--load", trained, "--save", tmp_path / "mine.npz", photographs)
        status, out, err = run(*line, "--steps", 2)
        assert (status, err) == (0, "")
        assert "honest, leave-one-out" in out and "trust this" in out and "not this" in out
        assert trained.read_bytes() == before
        assert not same(trained, tmp_path / "mine.npz")
        assert read_about(tmp_path / "mine.npz")["images"] == 10
        status, out, _ = run(*line, "--json")
        result = json.loads(out)
        assert result["images"] == 10 and result["leaking"]["right"] == 10
        assert result["before"]["right"] == sum(
            entry["before"] == entry["label"] for entry in result["predictions"]
        )
        assert result["leave_one_out"]["accuracy"] == result["leave_one_out"]["right"] / 10
        tuned = run("predict", "--load", tmp_path / "mine.npz", photographs, "--json")[1]
        assert sum(int(Path(e["path"]).stem) == e["digit"] for e in json.loads(tuned)) == 10

    def test_labels_from_folders_and_what_has_none(self, run, trained, photographs, tmp_path):
        for digit in (2, 3):
            (tmp_path / "my" / str(digit)).mkdir(parents=True)
            shutil.copy(photographs / f"{digit}.jpeg", tmp_path / "my" / str(digit) / "scan.jpeg")
        shutil.copy(photographs / "5.jpeg", tmp_path / "my" / "five.jpeg")
        (tmp_path / "my" / "6.jpeg").write_text("hello")
        line = ("fine-tune", "--load", trained, "--save", tmp_path / "mine.npz", tmp_path / "my")
        status, out, err = run(*line, "--json")
        result = json.loads(out)
        assert status == 1 and result["images"] == 2
        assert [entry["label"] for entry in result["predictions"]] == [2, 3]
        assert [Path(entry["path"]).name for entry in result["errors"]] == ["6.jpeg", "five.jpeg"]
        assert "6.jpeg is not an image" in err and "expected a label in the name of" in err

    def test_what_cannot_be_used(self, fails, run, trained, photographs, tmp_path):
        line = ("fine-tune", "--load", trained, "--save", tmp_path / "mine.npz")
        (tmp_path / "empty").mkdir()
        fails(1, "expected images in", *line, tmp_path / "empty")
        fails(1, "expected a folder at", *line, tmp_path / "nothing")
        fails(1, "expected a folder at", *line, photographs / "1.jpeg")
        shutil.copy(photographs / "1.jpeg", tmp_path / "empty" / "1.jpeg")
        fails(1, "expected at least two labeled digits", *line, tmp_path / "empty")
        fails(2, "required: --save", "fine-tune", photographs)
        fails(1, "there is no folder", *line[:3], "--save", tmp_path / "a" / "b", photographs)
        assert not (tmp_path / "mine.npz").exists()
        status, _, err = run(*line, "--learning-rate", 1e9, photographs)
        assert status == 1 and "learning rate" in err and err.count("\n") == 1


# ------------------------------------------------------------------------- tables


class TestTables:
    @pytest.mark.parametrize("form", [[], ["--as-written"]])
    @pytest.mark.parametrize("name", SYSTEMS)
    def test_there_and_back_to_the_same_bits(self, run, data, tmp_path, name, form):
        first, second, folder = tmp_path / "a.npz", tmp_path / "b.npz", tmp_path / "new" / "tables"
        line = ("train", "--network", name, *form, *data, "--epochs", 1, "--save", first)
        assert run(*line)[0] == 0
        status, out, err = run("export", "--load", first, folder)
        assert (status, err) == (0, "")
        assert run("import", folder, "--save", second)[0] == 0
        assert same(first, second)
        images = load_digits().test.images[:50]
        a, b = load(first), load(second)
        assert repr(a) == repr(b) and a.dtype == b.dtype
        assert a.predict_proba(images).tobytes() == b.predict_proba(images).tobytes()

    def test_the_tables_of_competing_kernels_are_those_of_its_origin(self, run, data, tmp_path):
        path = tmp_path / "net.npz"
        line = ("train", "--network", "competing-kernels", "--as-written", *data, "--epochs", 1)
        assert run(*line, "--save", path)[0] == 0
        assert run("export", "--load", path, tmp_path / "t")[0] == 0
        network = load(path)
        for file, shape, weight in (
            ("kernels.csv", (9, 64), network["conv1"].params["weight"].reshape(9, 64)),
            ("weights_01.csv", (441, 100), network["dense1"].params["weight"].T),
            ("weights_12.csv", (100, 10), network["dense2"].params["weight"].T),
        ):
            lines = (tmp_path / "t" / file).read_text().splitlines()
            assert lines[0] == ",".join(map(str, range(shape[1])))
            table = np.array([[float(x) for x in line.split(",")] for line in lines[1:]])
            assert table.shape == shape and np.array_equal(table, weight)
        # The origin writes no network.json; its three tables are enough.
        (tmp_path / "t" / "network.json").unlink()
        assert run("import", tmp_path / "t", "--save", tmp_path / "again.npz")[0] == 0
        assert same(path, tmp_path / "again.npz")

    def test_half_an_export_is_not_taken_for_a_whole_one(
        self, run, fails, trained, tmp_path, monkeypatch
    ):
        assert run("export", "--load", trained, tmp_path / "t")[0] == 0
        written = []

        def savetxt(path, *rest, **options):
            if len(written) == 2:
                raise OSError(28, "No space left on device")
            written.append(path)
            path.touch()

        monkeypatch.setattr(np, "savetxt", savetxt)
        assert run("export", tmp_path / "t")[::2] == (
            1,
            "cnnedu export: No space left on device\n",
        )
        fails(1, "expected network.json", "import", tmp_path / "t", "--save", tmp_path / "b")

    def test_extreme_numbers(self, run, tmp_path, rng):
        network = Sequential([Flatten(), Dense(4, 3, rng=rng)])
        tiny, huge = np.finfo(np.float32).smallest_subnormal, np.finfo(np.float32).max
        network["dense1"].params["weight"][0] = tiny, -huge, -0.0, 1 / 3
        save(network, tmp_path / "a")
        assert run("export", "--load", tmp_path / "a", tmp_path / "t")[0] == 0
        assert run("import", tmp_path / "t", "--save", tmp_path / "b")[0] == 0
        assert same(tmp_path / "a", tmp_path / "b")

    def test_damaged_tables(self, run, fails, trained, tmp_path):
        folder, line = tmp_path / "t", ("import", tmp_path / "t", "--save", tmp_path / "b")
        assert run("export", "--load", trained, folder)[0] == 0
        good = (folder / "dense1.bias.csv").read_text()
        for text, pattern in (
            (good + "7\n", "expected a table of 10 x 1 numbers"),
            (good.replace(good.splitlines()[3], "hello"), "is no table of numbers"),
            (good.replace(good.splitlines()[3], "nan"), "got nan in line 4, column 0"),
            (good.replace(good.splitlines()[3], "-1e300"), "got -inf in line 4, column 0"),
            (good.replace(good.splitlines()[3], "1,2"), "from 1 to 2 at row 3); export"),
            ("", "expected a table of 10 x 1 numbers"),
            (good.replace("\n", ",1\n"), "expected a table of 10 x 1 numbers"),
        ):
            (folder / "dense1.bias.csv").write_text(text)
            fails(1, pattern, *line)
        (folder / "dense1.bias.csv").unlink()
        fails(1, "expected the table", *line)
        (folder / "dense1.bias.csv").write_text(good)
        header = json.loads((folder / "network.json").read_text())
        for name, value in (("tables", {}), ("layers", [{"type": "Magic"}]), ("network", None)):
            (folder / "network.json").write_text(json.dumps({**header, name: value}))
            fails(1, "damaged", *line)
        for text in ("hello", "[]", "{}", '{"tables": {"a": 3}}'):
            (folder / "network.json").write_text(text)
            fails(1, "is damaged", *line)
        (folder / "network.json").unlink()
        fails(1, "expected network.json", *line)
        fails(1, "expected a folder with tables", "import", trained, "--save", tmp_path / "b")
        fails(1, "which is a file; name a folder", "export", "--load", trained, trained)
        assert not (tmp_path / "b").exists()


# ------------------------------------------------------------------------- help


class TestHelp:
    @pytest.mark.parametrize(
        "command", ["train", "evaluate", "predict", "fine-tune", "export", "import"]
    )
    def test_every_command_has_examples(self, run, command):
        status, out, err = run(command, "--help")
        assert (status, err) == (0, "")
        assert f"  cnnedu {command} " in out and "exit status: 0 all right" in out
        assert max(len(line) for line in out.splitlines()) <= 100

    def test_examples_can_be_parsed(self, run):
        """Every example in the help texts is a command line that the program understands."""
        from cnnedu.program import arguments

        texts = [arguments.TRAIN, arguments.EVALUATE, arguments.PREDICT, arguments.FINE_TUNE]
        texts += [arguments.EXPORT, arguments.IMPORT, arguments.PROGRAM]
        examples = [
            line.strip().split("  ")[0].split()
            for text in texts
            for line in text.replace("\\\n", "").splitlines()
            if line.startswith("  cnnedu ")
        ]
        assert len(examples) > 12
        for words in examples:
            if "--help" not in words:
                joined = " ".join(words)
                found = arguments.make_parser().parse_args(words[1:])
                assert found.run is not None, joined

    def test_without_a_command(self, run):
        status, out, err = run()
        assert status == 2 and out == "" and "commands:" in err

    def test_output_of_a_terminal(self, capsys, monkeypatch, data):
        """With a progress bar, lines are printed around it."""

        class Terminal(io.StringIO):
            def isatty(self):
                return True

        terminal = Terminal()
        monkeypatch.setattr(sys, "stderr", terminal)
        assert main(["train", "--network", "notebook", "--epochs", "1", *data]) == 0
        assert "100%" in terminal.getvalue()
        assert "Epoch 1 of 1 took" in capsys.readouterr().out
