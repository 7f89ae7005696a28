"""The speed benchmark measures right code: its peers agree, and one that does not is refused.

No test looks at a time.
"""

import json
from dataclasses import replace

import numpy as np
import pytest

from benchmarks.speed import __main__ as command
from benchmarks.speed import growth, machine, memory, report, start, timing
from benchmarks.speed.cases import CASES, OTHERS, Case, make_data, make_network
from benchmarks.speed.peers import WAYS, Loops, Project, ProjectConvolution, Textbook
from benchmarks.speed.processes import PeerError, Process

SMALL = Case("notebook", 3)


@pytest.fixture(scope="module")
def reference():
    """The project's results for a small case."""
    return Project().check(SMALL)


class TestPeers:
    @pytest.mark.parametrize("name", WAYS)
    def test_textbook_forms_agree_with_the_project(self, name, reference):
        timing.require_agreement(name, Textbook(WAYS[name]).check(SMALL), reference)

    def test_loops_agree_with_the_project(self, reference):
        case = replace(SMALL, batch=2)
        timing.require_agreement("loops", Loops().check(case, steps=1), Project().check(case, 1))

    @pytest.mark.parametrize("name", ["windows + tensordot", "windows + einsum", "im2col"])
    def test_textbook_forms_agree_on_two_convolutions_with_bias_and_momentum(self, name):
        case = Case("lasagne", 3, "nesterov")
        timing.require_agreement(name, Textbook(WAYS[name]).check(case), Project().check(case))

    @pytest.mark.parametrize("network", ["lasagne", "cnn-rs", *OTHERS])
    @pytest.mark.parametrize("form", ["plain", "tuned", "channels last"])
    def test_pytorch_agrees_with_the_project(self, network, form):
        pytest.importorskip("torch")
        from benchmarks.speed.pytorch import PyTorch

        case = Case(network, 4, "nesterov")
        peer = PyTorch(tuned=form != "plain", channels_last=form == "channels last")
        timing.require_agreement(form, peer.check(case), Project().check(case))

    def test_two_workers_agree_with_one(self):
        case = Case("odd", 5, "nesterov", 2)
        timing.require_agreement("two", Project(2).check(case), Project(1).check(case))

    def test_a_peer_that_computes_something_else_is_refused(self, reference):
        class Flipped(WAYS["im2col"]):
            @classmethod
            def forward(cls, x, weight):
                return super().forward(x, weight[:, :, ::-1])

        class HalfGradient(WAYS["im2col"]):
            @classmethod
            def weight_gradient(cls, grad_y, x, weight):
                return super().weight_gradient(grad_y, x, weight) / 2

        for wrong, what in ((Flipped, "the scores"), (HalfGradient, "the change by training")):
            with pytest.raises(timing.DisagreementError, match=f"{what} differ"):
                timing.require_agreement("wrong", Textbook(wrong).check(SMALL), reference)

    def test_a_peer_that_predicts_other_classes_is_refused(self, reference):
        before, after, classes = reference
        with pytest.raises(timing.DisagreementError, match="other classes"):
            timing.require_agreement("wrong", (before, after, (classes + 1) % 10), reference)

    def test_a_peer_of_nan_is_refused(self, reference):
        before, after, classes = reference
        with pytest.raises(timing.DisagreementError, match="nan"):
            timing.require_agreement("wrong", (before * np.nan, after, classes), reference)

    def test_what_cannot_be_computed_says_so(self):
        with pytest.raises(ValueError, match="without padding"):
            Textbook(WAYS["im2col"]).prepare(Case("color", 2))
        with pytest.raises(ValueError, match="notebook"):
            Loops().prepare(Case("odd", 2))


class TestCases:
    def test_names_are_unique(self):
        assert len({case.name for case in CASES}) == len(CASES)

    @pytest.mark.parametrize("name", sorted({case.network for case in CASES}))
    def test_networks_are_the_same_every_time_with_and_without_dropout(self, name):
        first, second = make_network(name), make_network(name, dropout=False)
        for a, b in zip(first.params.values(), second.params.values(), strict=True):
            np.testing.assert_array_equal(a, b)
        images, labels = make_data(first.input_shape, 3)
        assert images.dtype == np.float32 and images.shape == (3, *first.input_shape)
        assert first.predict(images).shape == labels.shape == (3,)


class TestTiming:
    def test_turns_are_taken_in_both_orders(self):
        said = []

        def run(name):
            return lambda: said.append(name) or float(len(said))

        seconds = timing.take_turns({name: run(name) for name in "abc"}, 3)
        assert "".join(said) == "abccbaabc"
        assert seconds == {"a": [1, 6, 7], "b": [2, 5, 8], "c": [3, 4, 9]}

    def test_ratios_are_of_runs_of_the_same_round(self):
        speeds = {
            "project": {"images_per_second": [10, 20, 40]},
            "pytorch": {"images_per_second": [5, 10, 10]},
            "pytorch tuned": {"images_per_second": [5, 11, 10]},
        }
        assert timing.ratios(speeds, "project", "pytorch") == (2, 2, 3)
        assert timing.fastest(speeds, "pytorch tuned") == "pytorch tuned"
        assert timing.fastest(speeds, "nobody") is None

    def test_image_count_is_whole_batches(self):
        assert timing.image_count(0.01, 50, 0.2) == 1000
        assert timing.image_count(9.0, 50, 0.2) == 50
        assert timing.image_count(1e-6, 500, 0.2, most=1200) == 1000


class TestProcesses:
    def test_a_peer_answers_from_its_own_process(self, reference):
        with Process("windows + tensordot") as process:
            assert process.make()["numpy"] == np.__version__
            timing.require_agreement("process", process.check(SMALL), reference)
            assert process.prepare(SMALL) is True
            assert process.run(6) > 0

    def test_an_error_in_a_peer_is_told(self):
        with Process("loops") as process:
            process.make()
            with pytest.raises(PeerError, match="ValueError: the loops know"):
                process.prepare(Case("odd", 2))

    def test_a_process_that_ends_is_told(self):
        with Process("nobody", "no number") as process:  # the process ends with a syntax error
            process._process.wait()
            with pytest.raises(PeerError, match="ended with status 1"):
                process.make()

    @pytest.mark.skipif(not memory.available(), reason="this system does not tell the peak")
    def test_memory_grows_by_what_is_computed(self):
        with Process("im2col") as process:
            few = process.memory(("lasagne", 2), 4)
        with Process("im2col") as process:
            many = process.memory(("lasagne", 100), 100)
        assert few["library"] > 1
        # The columns of the second convolution alone: 100 x 800 x 64 numbers of 4 bytes.
        assert many["training"] - few["training"] > 20


class TestGrowth:
    def test_both_algorithms_agree_over_pieces(self):
        point = growth.Point(batch=3, side=6, channels=4, kernel=3)
        x_shape, weight_shape, padding = point.shapes
        rng = np.random.default_rng(0)
        x = rng.standard_normal(x_shape, dtype=np.float32)
        weight = rng.standard_normal(weight_shape, dtype=np.float32)
        results = []
        for algorithm in ("direct", "winograd"):
            convolution = ProjectConvolution(algorithm)
            convolution.set_up(x, weight, padding)
            results.append(convolution.results())
        timing.require_close("winograd", *results, growth.TOLERANCE)
        convolution.pieces = [x[:1], x[1:]]
        timing.require_close("pieces", convolution.results(), results[0], growth.TOLERANCE)
        with pytest.raises(timing.DisagreementError, match="differ"):
            timing.require_close("wrong", [2 * results[0][0]], results[0][:1], growth.TOLERANCE)

    def test_counts(self):
        point = growth.Point(side=8, channels=2, kernel=3)
        assert point.operations == 3 * 2 * 2 * 2 * 9 * 64
        assert growth.names_for(point, False) == ["direct", "winograd"]
        assert growth.names_for(point._replace(kernel=7), True) == [
            "direct",
            "pytorch",
            "pytorch, channels last",
        ]


@pytest.fixture
def quick(monkeypatch):
    """Make everything tiny."""
    limits = {"sgemm GFLOP/s": 100.0, "memory GB/s": 20.0, "cache GB/s": 80.0}
    monkeypatch.setattr(machine, "roofline", lambda: {"1": limits, "2": limits})
    axes = {"batch": (1, 2), "side": (6,), "channels": (2,), "kernel": (1, 3)}
    monkeypatch.setattr(growth, "AXES", axes)
    monkeypatch.setattr(command, "MEMORY_CASES", [SMALL])
    monkeypatch.setattr(command, "MEMORY_IMAGES", 6)


@pytest.mark.slow
def test_the_command_measures_prints_and_writes(quick, monkeypatch, tmp_path, capfd):
    monkeypatch.setattr(start, "FIRST_STEP", "print(9.0, 9.0, 1.0, 2.0)  # {arguments}")
    status = command.main(
        ["--rounds", "2", "--seconds", "0.001", "--only", "notebook-1-", "--output", str(tmp_path)]
    )
    said = capfd.readouterr().out
    assert status == 0
    results = json.loads((tmp_path / "speed.json").read_text())
    (row,) = results["speed"]
    assert not row["skipped"] and {"project", "loops", *WAYS} <= set(row["speeds"])
    assert all(len(speed["images_per_second"]) == 2 for speed in row["speeds"].values())
    assert len(results["growth"]) == 6
    assert (tmp_path / "speed.png").read_bytes().startswith(b"\x89PNG")
    assert "notebook, 1, 1" in said and "import numpy" in said and "ratio 0.50" in said
    assert ("PyTorch, whose rows are left out" in said) == (not results["versions"]["pytorch"])


def test_limits_of_the_machine_are_measured():
    assert machine.multiply_speed(1, seconds=0) > 0.1
    assert machine.copy_speed(2, 10_000, seconds=0) > 0.01
    assert machine.describe()["processor"]


def test_tables_say_what_is_missing():
    result = {"case": SMALL.as_dict(), "speeds": {"project": {"images_per_second": [1.0, 3.0]}}}
    assert report.against_pytorch([result]).splitlines()[-1].split() == [
        *["notebook,", "3,", "1", "2"],
        *["-"] * 4,
    ]
    assert report.against_classics([result], ["loops"]) == "(not measured)"


class TestInstallPytorch:
    def test_nothing_is_done_if_it_is_there(self, monkeypatch):
        monkeypatch.setattr(command, "version", lambda name: command.PYTORCH_VERSION + "+cpu")
        monkeypatch.setattr(command.subprocess, "run", lambda *a, **k: pytest.fail("pip was run"))
        command.install_pytorch()

    def test_pips_own_settings_come_first_then_pytorchs_index_then_it_says_so(
        self, monkeypatch, capsys
    ):
        asked = []

        class Failed:
            returncode, stdout, stderr = 1, "", "first line\nno such package"

        def run(arguments, **options):
            asked.append(arguments)
            return Failed()

        def missing(name):
            raise ImportError(name)

        monkeypatch.setattr(command, "version", missing)
        monkeypatch.setattr(command.subprocess, "run", run)
        command.install_pytorch()
        installs = [" ".join(arguments) for arguments in asked if "install" in arguments]
        assert "torch==2.13.0+cpu" in installs[0] and "--index-url" not in installs[0]
        assert command.PYTORCH_INDEX in installs[1]
        assert "cannot be installed (no such package)" in capsys.readouterr().out
