"""The four systems: what they are made of, that they learn, and go on where they stopped."""

from dataclasses import replace

import numpy as np
import pytest

from cnnedu import Standardize, evaluate, save
from cnnedu.data import Dataset, Part, load_digits
from cnnedu.storage import load
from cnnedu.systems import SYSTEMS, system
from cnnedu.systems.notebook import one_heap
from cnnedu.training import Callback, Checkpoint

PARAMETERS = {
    "notebook": 10_194,
    "cnn-rs": 27_194,
    "competing-kernels": 45_676,
    "lasagne": 160_362,
}
FORMS = [(name, as_written) for name in SYSTEMS for as_written in (False, True)]


@pytest.fixture(scope="module")
def digits():
    data = load_digits()
    return replace(data, train=data.train[:300], test=data.test[:100])


def generator():
    return np.random.default_rng(0)


def test_an_unknown_name_is_a_clear_error():
    known = "'notebook', 'cnn-rs', 'competing-kernels', 'lasagne', got 'lenet'"
    with pytest.raises(ValueError, match=f"name must be one of {known}"):
        system("lenet")


@pytest.mark.parametrize(("name", "as_written"), FORMS)
def test_what_a_system_says_of_itself(name, as_written):
    chosen = system(name, as_written=as_written)
    assert (chosen.name, chosen.as_written) == (name, as_written)
    assert chosen.origin and chosen.differences == system(name).differences
    network = chosen.network(rng=generator())
    assert network.parameter_count == PARAMETERS[name]
    assert network.input_shape == (1, 28, 28)
    assert network.dtype == (np.float64 if (name, as_written) == FORMS[5] else np.float32)
    twin = chosen.network(rng=generator())
    for key, array in network.params.items():
        np.testing.assert_array_equal(array, twin.params[key])


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("notebook", (25, 10, 0.1)),
        ("cnn-rs", (5, 1, 0.01)),
        ("competing-kernels", (50, 1, 0.01)),
        ("lasagne", (5, 50, 0.01)),
    ],
)
def test_as_written_is_as_its_origin_says(name, settings):
    chosen = system(name, as_written=True)
    assert (chosen.epochs, chosen.batch_size, chosen.learning_rate) == settings


def test_lasagne_as_written_prepares_and_divides_as_its_origin():
    chosen = system("lasagne", as_written=True)
    optimizer = chosen.optimizer(0.01)
    assert (optimizer.momentum, optimizer.nesterov, optimizer.rate(0.9)) == (0.9, True, 0.01)
    assert chosen.drop_last
    byte = np.full((1, 1, 28, 28), 200 / 255, np.float32)
    np.testing.assert_allclose(chosen.network(rng=generator())[0].forward(byte), 200 / 256)
    images = np.zeros((60, 1, 28, 28), np.float32)
    part = Part(images, np.arange(60))
    data = chosen.data(Dataset("sixty", part, part[:10]))
    assert data.train.labels.tolist() == list(range(50))
    assert data.validation.labels.tolist() == list(range(50, 60))
    assert data.test.labels.tolist() == list(range(10))


def test_cnn_rs_as_written_starts_as_its_origin():
    params = system("cnn-rs", as_written=True).network(rng=generator()).params
    kernels, weight = params["conv1.weight"], params["dense1.weight"]
    assert 0 <= kernels.min() < 0.005 and 0.105 < kernels.max() < 9 / 81
    assert weight.std() == pytest.approx((2 / 27040) ** 0.5, rel=0.02)
    assert not params["dense1.bias"].any()


def test_notebook_as_written_puts_all_images_on_one_heap(digits):
    data = system("notebook", as_written=True).data(digits)
    assert (len(data.train), len(data.test)) == (320, 80)
    before = np.concatenate([digits.train.images, digits.test.images]).sum(axis=(1, 2, 3))
    after = np.concatenate([data.train.images, data.test.images]).sum(axis=(1, 2, 3))
    np.testing.assert_array_equal(np.sort(before), np.sort(after))
    again = one_heap(digits)
    np.testing.assert_array_equal(again.test.labels, data.test.labels)
    assert system("notebook").data(digits) is digits


def test_notebook_as_written_sees_a_few_images_and_is_tested_on_five(digits):
    chosen = system("notebook", as_written=True)
    network, history = chosen.train(chosen.data(digits), rng=generator(), progress=False)
    assert len(history.batch_loss) == 25
    tests = np.array(history.validation_accuracy)
    assert tests.shape == (25,) and np.allclose(tests * 5, np.round(tests * 5))
    assert 0.2 < chosen.evaluate(network, digits.test).accuracy < 0.9


def test_competing_kernels_prepares_pixels_itself():
    network = system("competing-kernels").network(rng=generator())
    assert isinstance(network[0], Standardize)
    gray = np.full((2, 1, 28, 28), network[0].mean, np.float32)
    assert np.abs(network[0].forward(gray)).max() < 1e-7
    images = np.zeros((20_001, 1, 1, 1), np.float32)
    data = system("competing-kernels").data(
        Dataset("many", Part(images, np.zeros(20_001, int)), Part(images[:1], np.zeros(1, int)))
    )
    assert len(data.train) == 20_000


EPOCHS = {"lasagne": 4, "competing-kernels": 4, "cnn-rs": 2}


@pytest.mark.parametrize(("name", "as_written"), FORMS)
def test_it_learns(digits, name, as_written):
    chosen = system(name, as_written=as_written)
    chosen = replace(chosen, augment=None)
    data = chosen.data(digits)
    epochs = 60 if (name, as_written) == ("notebook", True) else EPOCHS.get(name, 3)
    batch_size = None if as_written and name != "lasagne" else 10
    network, history = chosen.train(
        data, rng=generator(), epochs=epochs, batch_size=batch_size, progress=False
    )
    slow = (name, as_written) == ("competing-kernels", True)
    assert evaluate(network, data.test).accuracy > (0.25 if slow else 0.5), history


class StopAt(Callback):
    """Behave like Ctrl-C after some batches."""

    def __init__(self, step):
        self.step = step

    def on_batch_end(self, training):
        if training.step == self.step:
            raise KeyboardInterrupt


@pytest.mark.parametrize(("name", "as_written"), FORMS)
def test_an_interrupted_training_goes_on_to_the_same_bits(digits, tmp_path, name, as_written):
    chosen = system(name, as_written=as_written)
    data = chosen.data(replace(digits, train=digits.train[:40], test=digits.test[:20]))
    options = {"progress": False, "epochs": 2}
    if name == "lasagne" or not as_written:
        options["batch_size"] = 10
    if (name, as_written) == ("notebook", True):
        options["epochs"] = 5
    whole, history = chosen.train(data, rng=generator(), **options)
    path = tmp_path / "checkpoint.npz"
    interrupted = [Checkpoint(path, every=1), StopAt(max(1, len(history.batch_loss) // 2))]
    with pytest.raises(KeyboardInterrupt):
        chosen.train(data, rng=generator(), callbacks=interrupted, **options)
    resumed, again = chosen.train(data, rng=generator(), resume=path, **options)
    for key, array in whole.params.items():
        np.testing.assert_array_equal(resumed.params[key], array)
    assert again.batch_loss == history.batch_loss
    assert again.loss == history.loss
    assert again.validation_accuracy == history.validation_accuracy


def test_a_given_network_is_trained_in_place(digits, tmp_path):
    chosen = system("cnn-rs")
    network = chosen.network(rng=generator())
    before = network.params["conv1.weight"].copy()
    trained, _ = chosen.train(
        digits, rng=generator(), network=network, epochs=1, progress=False, workers=2
    )
    assert trained is network and (network.params["conv1.weight"] != before).any()
    save(network, tmp_path / "net.npz")
    again = load(tmp_path / "net.npz")
    np.testing.assert_array_equal(
        again.predict(digits.test.images), network.predict(digits.test.images)
    )
