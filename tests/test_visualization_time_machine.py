"""The time machine: which weights and numbers each frame of a training shows."""

from types import SimpleNamespace

import matplotlib.figure
import matplotlib.pyplot as plt
import numpy as np
import pytest

from cnnedu import Dense, Flatten, ReLU, Sequential, evaluate, fit, load_checkpoints
from cnnedu import visualization as vis
from cnnedu.architectures import build
from cnnedu.data import load_digits
from cnnedu.optimizers import Momentum
from cnnedu.training import WeightRecorder


@pytest.fixture(scope="module")
def shipped():
    return load_checkpoints("notebook")


@pytest.fixture(scope="module")
def own():
    """Return a recorded training of a small network, the network, and images to test it on."""
    digits, rng = load_digits(), np.random.default_rng(0)
    recorder, network = WeightRecorder(every=2), build("notebook", rng=rng)
    options = {"epochs": 1, "batch_size": 20, "progress": False, "callbacks": [recorder]}
    fit(network, digits.train[:240], optimizer=Momentum(0.05), rng=rng, **options)
    return recorder, network, digits.test[:50]


def film(layers, steps=(0, 1, 10), **extra):
    """Return a recording of made-up weights; each step's are those of the first, times 1, 2, ..."""
    rng = np.random.default_rng(1)
    first = {f"{name}.weight": rng.normal(size=shape) for name, shape in layers.items()}
    first["conv1.bias"] = np.zeros(4)
    snapshots = [{key: factor * array for key, array in first.items()}
                 for factor in range(1, len(steps) + 1)]  # fmt: skip
    return SimpleNamespace(steps=list(steps), snapshots=snapshots, **extra)


def opened(animation, moment):
    """Return the axes with the kernels, the axes of the curve, and all texts at one moment."""
    scene = animation._scene
    figure = matplotlib.figure.Figure(figsize=(scene.width, scene.height))
    update = scene.open(figure)
    for each in range(moment + 1):
        update(each)
    kernels, _, curve = figure.axes
    return kernels, curve, [text.get_text() for text in figure.texts]


def arrays(ax):
    return np.array([image.get_array() for image in ax.images])


def test_each_frame_shows_its_own_weights_and_the_curve_so_far(shipped):
    animation = vis.animate_training(shipped)
    assert animation.frames == len(shipped.steps)
    for moment in (0, 3, animation.frames - 1):
        kernels, curve, texts = opened(animation, moment)
        assert np.array_equal(arrays(kernels), shipped.snapshots[moment]["conv1.weight"][:, 0])
        assert [text.get_text() for text in kernels.texts] == list("012345")
        line, dot = curve.lines
        assert np.array_equal(line.get_xdata(), shipped.steps[: moment + 1])
        assert np.allclose(line.get_ydata(), shipped.accuracy[: moment + 1])
        assert dot.get_xdata() == [shipped.steps[moment]]
        share = 100 * shipped.accuracy[moment]
        assert texts[-1] == f"step {shipped.steps[moment]:,}: {share:.1f} % right"
    assert curve.get_title() == "accuracy"
    assert curve.get_xscale() == "symlog"
    assert curve.get_ylim() == (0, 1.03)
    assert plt.get_fignums() == []


def test_all_frames_have_one_scale_with_zero_in_the_middle(shipped):
    animation = vis.animate_training(shipped)
    largest = max(np.abs(each["conv1.weight"]).max() for each in shipped.snapshots)
    for moment in (0, animation.frames - 1):
        kernels, _, _ = opened(animation, moment)
        limits = {image.get_clim() for image in kernels.images}
        assert limits == {(-largest, largest)}


def test_many_small_filters_are_named_once_in_a_strip():
    recording = film({"conv1": (32, 1, 5, 5)}, steps=(0, 1, 10, 20, 30))
    figure = vis.animate_training(recording).still()
    names = [text.get_text() for text in figure.texts if "–" in text.get_text()]
    assert names == [f"{first}–{first + 3}" for first in range(0, 32, 4)]
    assert not [text for ax in figure.axes[:-1] for text in ax.texts]
    some = vis.animate_training(recording, filters=[*range(30), 31]).still()
    assert [text.get_text() for text in some.axes[0].texts] == [*map(str, range(30)), "31"]


def test_still_shows_start_some_and_end_in_one_row(shipped):
    animation = vis.animate_training(shipped)
    figure = animation.still()
    panels = figure.axes[:-1]
    assert len(panels) == 5
    assert np.array_equal(arrays(panels[0]), shipped.snapshots[0]["conv1.weight"][:, 0])
    assert np.array_equal(arrays(panels[-1]), shipped.snapshots[-1]["conv1.weight"][:, 0])
    assert len({ax.get_position().y0 for ax in panels}) == 1
    titles = [text.get_text() for text in figure.texts]
    assert titles[0] == "conv1: 6 filters, 3 × 3"
    assert titles[1].startswith("step 0:\n")
    assert f"step {shipped.steps[-1]:,}" in titles[-1].replace("\n", " ")
    assert figure.alt.startswith("conv1: 6 filters")
    assert f"step 0: {100 * shipped.accuracy[0]:.1f} % right" in figure.alt
    chosen = animation.still([1, 3])
    assert np.array_equal(arrays(chosen.axes[0]), shipped.snapshots[1]["conv1.weight"][:, 0])
    assert len(chosen.axes) == 3
    with pytest.raises(ValueError, match="frames must be numbers from 0"):
        animation.still(99)
    with pytest.raises(ValueError, match="at most 10 fit"):
        animation.still([0] * 11)
    plt.close("all")


def test_own_training_is_measured_on_the_data_given(own):
    recorder, network, test = own
    before = {name: array.copy() for name, array in network.params.items()}
    animation = vis.animate_training(recorder, network=network, data=test)
    assert animation.frames == len(recorder.steps) == 7
    _, curve, _ = opened(animation, 6)
    found = curve.lines[0].get_ydata()
    assert found[-1] == evaluate(network, test).accuracy
    fresh = build("notebook", rng=np.random.default_rng(0))
    assert found[0] == evaluate(fresh, test).accuracy
    assert all(np.array_equal(network.params[name], array) for name, array in before.items())


def test_a_shipped_recording_needs_no_network_to_be_measured(shipped, own):
    animation = vis.animate_training(shipped, data=own[2])
    found = opened(animation, animation.frames - 1)[1].lines[0].get_ydata()
    assert found[2] == evaluate(shipped.network(2), own[2]).accuracy


def test_without_accuracy_the_curve_is_how_far_the_weights_moved(own):
    recorder = own[0]
    animation = vis.animate_training(recorder)
    _, curve, texts = opened(animation, 6)
    weights = np.array([each["conv1.weight"] for each in recorder.snapshots])
    expected = [np.sqrt(np.mean((each - weights[0]) ** 2)) for each in weights]
    assert np.allclose(curve.lines[0].get_ydata(), expected)
    assert curve.get_title() == "change since the start (RMS)"
    assert curve.get_xscale() == "linear"  # twelve steps need no logarithm
    assert texts[-1] == "step 12"
    given = vis.animate_training(recorder, accuracy=np.linspace(0, 1, 7))
    assert np.allclose(opened(given, 6)[1].lines[0].get_ydata(), np.linspace(0, 1, 7))


def test_deeper_layers_are_a_grid_of_filters_and_channels():
    recording = film({"conv1": (40, 1, 5, 5), "conv2": (20, 7, 3, 3)})
    kernels, _, texts = opened(vis.animate_training(recording, "conv2"), 2)
    weights = recording.snapshots[2]["conv2.weight"]
    assert np.array_equal(arrays(kernels), weights[:6, :5].reshape(30, 3, 3))
    named = [text.get_text() for text in kernels.texts]
    assert named == ["0", "0", "1", "2", "3", "4", "1", "2", "3", "4", "5"]
    assert texts[0] == "conv2: 6 of 20 filters (rows), 5 of 7 input channels (columns), 3 × 3"
    chosen = vis.animate_training(recording, "conv2", filters=[19, 2], channels=[6, 0])
    kernels, _, _ = opened(chosen, 0)
    expected = recording.snapshots[0]["conv2.weight"][[19, 19, 2, 2], [6, 0, 6, 0]]
    assert np.array_equal(arrays(kernels), expected)
    one = vis.animate_training(recording, "conv2", channels=3)
    kernels, _, texts = opened(one, 0)
    assert np.array_equal(arrays(kernels), recording.snapshots[0]["conv2.weight"][:, 3])
    assert texts[0] == "conv2: 20 filters, input channel 3 of 7, 3 × 3"
    kernels, _, _ = opened(vis.animate_training(recording), 0)  # conv1: at most 32 of its 40
    assert len(kernels.images) == 32


def test_dense_layers_are_a_matrix_or_one_picture_per_unit():
    recording = film({"dense1": (3, 12)})
    kernels, _, texts = opened(vis.animate_training(recording), 1)
    assert np.array_equal(arrays(kernels), recording.snapshots[1]["dense1.weight"][np.newaxis])
    assert texts[0] == "dense1: 3 units (rows), 12 inputs (columns)"
    for shape, channels in (((3, 4), 1), ((2, 3, 2), 2)):
        kernels, _, _ = opened(vis.animate_training(recording, shape=shape), 1)
        expected = recording.snapshots[1]["dense1.weight"].reshape(3 * channels, *shape[-2:])
        assert np.array_equal(arrays(kernels), expected)


def test_long_recordings_are_thinned_evenly_on_the_logarithmic_axis():
    steps = list(range(5001))
    snapshots = [{"conv1.weight": np.full((1, 1, 2, 2), float(step))} for step in steps]
    accuracy = np.linspace(0, 1, 5001)
    animation = vis.animate_training(
        SimpleNamespace(steps=steps, snapshots=snapshots), accuracy=accuracy
    )
    kernels, curve, texts = opened(animation, animation.frames - 1)
    drawn = np.array(curve.lines[0].get_xdata())
    assert animation.frames <= 24
    assert list(drawn[:2]) == [0, 1]
    assert drawn[-1] == 5000
    assert np.allclose(curve.lines[0].get_ydata(), accuracy[drawn])
    assert arrays(kernels).max() == 5000
    ratios = (drawn[8:] + 1) / (drawn[7:-1] + 1)
    assert ratios.max() < 1.15 * ratios.min()


def test_one_moment_alone_and_a_network_without_training():
    recording = film({"conv1": (4, 1, 1, 1)}, steps=[0])
    animation = vis.animate_training(recording)
    assert repr(animation) == "<Animation training, 1 frame>"
    assert len(animation.still().axes) == 2
    _, curve, _ = opened(animation, 0)
    low, high = curve.get_xlim()
    assert low < 0 < high
    plt.close("all")


def test_it_plays_in_a_page(shipped):
    html = vis.animate_training(shipped)._repr_html_()
    assert html.count("data:image/png;base64") == len(shipped.steps)
    assert 'alt="conv1: 6 filters' in html
    assert len(html) < 150_000


WEIGHTS = {"conv1.weight": np.ones((2, 1, 3, 3))}


@pytest.mark.parametrize(
    ("recording", "options", "message"),
    [
        (WeightRecorder(), {}, "the recording is empty"),
        (SimpleNamespace(steps=[0, 1], snapshots=[WEIGHTS]), {}, "1 snapshots and 2 steps"),
        (SimpleNamespace(steps=[5, 1], snapshots=[WEIGHTS] * 2), {}, "steps must rise"),
        (SimpleNamespace(steps=[0], snapshots=[{"bias": np.ones(3)}]), {}, "it holds bias"),
        (film({"conv1": (2, 1, 3, 3)}), {"layer": "relu1"}, r"filters \(conv1\), .* 'relu1'"),
        (film({"conv1": (2, 1, 3, 3)}), {"accuracy": [0.5]}, r"one number per snapshot \(3\)"),
        (film({"conv1": (2, 1, 3, 3)}), {"accuracy": [5, 50, 90]}, "shares between 0 and 1"),
        (film({"conv1": (2, 1, 3, 3)}), {"filters": [2]}, "filters must be numbers from 0 to 1"),
        (film({"conv1": (2, 1, 3, 3)}), {"filters": []}, "filters must be numbers"),
        (film({"conv1": (99, 1, 3, 3)}), {"filters": range(40)}, "40, at most 32"),
        (film({"conv1": (2, 1, 3, 3)}), {"channels": [-1]}, "channels must be numbers from 0 to 0"),
        (film({"conv1": (2, 1, 3, 3)}), {"shape": (3, 3)}, "shape is for dense layers"),
        (film({"dense1": (2, 9)}), {"shape": (2, 3)}, "of the 9 numbers"),
        (film({"conv1": (2, 1, 3, 3)}), {"data": (1, 2)}, "pass network=network"),
        (film({"conv1": (2, 1, 3, 3)}), {"network": 3}, "pass data= as well"),
        (film({"a": (1, 1, 2, 2)}), {"accuracy": [0] * 3, "data": (1, 2)}, "give one of them"),
        (
            SimpleNamespace(
                steps=[0, 1], snapshots=[WEIGHTS, {"conv1.weight": np.ones((1, 1, 3, 3))}]
            ),
            {},
            "one shape in all snapshots",
        ),
        (
            SimpleNamespace(steps=[0], snapshots=[{"conv1.weight": np.full((1, 1, 2, 2), np.nan)}]),
            {},
            "must be finite",
        ),
    ],
)
def test_bad_recordings_are_refused_in_one_sentence(recording, options, message):
    with pytest.raises(ValueError, match=message):
        vis.animate_training(recording, **options)
    assert plt.get_fignums() == []


def test_a_network_that_was_not_recorded_is_refused(own):
    recorder, network, test = own
    other = Sequential(
        [Flatten(), Dense(784, 10, rng=np.random.default_rng(0)), ReLU()], input_shape=(1, 28, 28)
    )
    with pytest.raises(ValueError, match="network must be the one recorded, but its dense1.weight"):
        vis.animate_training(recorder, network=other, data=test)
    with pytest.raises(TypeError, match="network must be a network, but it is a dict"):
        vis.animate_training(recorder, network={}, data=test)
    with pytest.raises(TypeError, match="must have steps and snapshots"):
        vis.animate_training(network)
