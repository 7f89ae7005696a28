"""What a network looks at, in numbers: worked by hand, against finite differences, refused."""

import math

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter
from scipy.stats import spearmanr

from cnnedu import (
    AvgPool2D,
    Conv2D,
    Dense,
    Flatten,
    MaxOverChannels,
    MaxPool2D,
    ReLU,
    Sequential,
    Sigmoid,
    Softmax,
    Tanh,
    fit,
)
from cnnedu.attribution import (
    adversarial,
    blurred,
    grad_cam,
    likeness,
    maps_layer,
    maximize,
    occlusion,
    randomized,
    saliency,
    strongest_channel,
)
from cnnedu.embedding import embed, neighbor_agreement
from cnnedu.flow import LEVELS, FlowRecorder
from cnnedu.losses import softmax_cross_entropy
from cnnedu.optimizers import SGD


def small(rng, channels=1, dtype=np.float64):
    """Return two convolutions and a dense layer for images of (channels, 9, 8)."""
    layers = [
        Conv2D(channels, 3, 3, rng=rng, dtype=dtype),
        Tanh(),
        MaxPool2D((1, 2)),
        Conv2D(3, 4, 2, rng=rng, dtype=dtype),
        Tanh(),
        Flatten(),
        Dense(48, 5, rng=rng, dtype=dtype),
    ]
    return Sequential(layers, input_shape=(channels, 9, 8))


def linear(weights):
    """Return scores that are sums of pixels times weights, (classes, H * W)."""
    weights = np.asarray(weights, np.float64)
    layer = Dense(weights.shape[1], len(weights), rng=np.random.default_rng(0), dtype=np.float64)
    layer.params["weight"] = weights
    return Sequential([Flatten(), layer])


TINY = linear([[1, 2, 3, 4], [0, 0, 0, 5]])
IMAGE = np.array([[[1.0, 2.0], [0.0, 1.0]]])


# ---------------------------------------------------------------------------------------------
# The control
# ---------------------------------------------------------------------------------------------


def test_randomized_changes_all_weights_and_nothing_else(rng):
    network = small(rng, dtype=np.float32)
    network["dense1"].params["bias"][:] = 3
    before = {name: array.copy() for name, array in network.params.items()}
    fresh = randomized(network, rng=rng)
    assert fresh.names == network.names and fresh.input_shape == network.input_shape
    for name, array in fresh.params.items():
        assert np.array_equal(network.params[name], before[name])
        assert (array.shape, array.dtype) == (before[name].shape, np.float32)
        if name.endswith("bias"):
            assert not array.any()
        else:
            assert not np.isclose(array, before[name]).any()
            fan = array.shape[0] * math.prod(array.shape[2:]) + math.prod(array.shape[1:])
            assert np.abs(array).max() <= math.sqrt(6 / fan)


def test_randomized_layer_by_layer(rng):
    network = small(rng)
    fresh = randomized(network, layers=["dense1", 3], rng=rng)
    same = {
        name: np.array_equal(array, network.params[name]) for name, array in fresh.params.items()
    }
    assert same["conv1.weight"]
    assert not same["conv2.weight"] and not same["dense1.weight"]
    with pytest.raises(KeyError, match="no layer 'conv9'"):
        randomized(network, layers=["conv9"], rng=rng)
    with pytest.raises(TypeError, match="rng must be a generator"):
        randomized(network, rng=0)
    with pytest.raises(TypeError, match="network must be a Sequential, got Dense"):
        randomized(network[-1], rng=rng)


def test_likeness_is_spearmans_correlation(rng):
    a = rng.integers(-4, 5, (6, 5)).astype(float)
    b = rng.integers(-4, 5, (6, 5)).astype(float)
    assert likeness(a, b, signed=True) == pytest.approx(spearmanr(a.ravel(), b.ravel())[0])
    expected = spearmanr(np.abs(a).ravel(), np.abs(b).ravel())[0]
    assert likeness(a, b) == pytest.approx(expected)
    assert likeness(a, -3 * a) == pytest.approx(1)
    assert likeness(a, -3 * a, signed=True) == pytest.approx(-1)
    assert math.isnan(likeness(a, np.ones((6, 5))))
    with pytest.raises(ValueError, match=r"one shape, not empty, got \(6, 5\) and \(5, 6\)"):
        likeness(a, b.T)


# ---------------------------------------------------------------------------------------------
# Occlusion
# ---------------------------------------------------------------------------------------------


def test_occlusion_by_hand():
    """Scores are 1 + 4 + 0 + 4 = 9; a square of one pixel takes away weight times pixel."""
    found = occlusion(TINY, IMAGE, 0, size=1, measure="logit")
    assert found.score == 9
    assert found.drop.tolist() == [[1, 4], [0, 4]]
    assert np.array_equal(found.pixels(), found.drop)
    assert found.answers.tolist() == [[0, 0], [0, 0]]  # 5 of class 1 is never the most
    filled = occlusion(TINY, IMAGE, 0, size=1, fill=1.0, measure="logit")
    assert filled.drop.tolist() == [[0, 2], [-3, 0]]
    rows = occlusion(TINY, IMAGE, 1, size=(1, 2), measure="logit")
    assert rows.drop.tolist() == [[0], [5]]
    assert rows.pixels().tolist() == [[0, 0], [5, 5]]


@pytest.mark.parametrize("channels", [1, 3])
def test_occlusion_against_the_network_itself(rng, channels):
    network = small(rng, channels)
    image = rng.random((channels, 9, 8))
    fill = list(rng.random(channels))
    found = occlusion(network, image, size=(4, 3), stride=(2, 3), fill=fill)
    assert found.rows.tolist() == [0, 2, 4, 5]  # the last one ends at the edge
    assert found.columns.tolist() == [0, 3, 5]
    chances = network.predict_proba(image[None])[0]
    assert found.target == chances.argmax()
    assert found.score == pytest.approx(chances.max())
    covered = image.copy()
    covered[:, 5:9, 3:6] = np.array(fill)[:, None, None]
    expected = network.predict_proba(covered[None])[0]
    assert found.scores[3, 1] == pytest.approx(expected[found.target])
    assert found.answers[3, 1] == expected.argmax()
    pixel = found.pixels()[6, 4]  # covered by rows 4 and 5, columns 3
    assert pixel == pytest.approx((found.drop[2, 1] + found.drop[3, 1]) / 2)


def test_occlusion_in_pieces_is_the_same(rng, monkeypatch):
    network, image = small(rng), rng.random((9, 8))
    whole = occlusion(network, image)
    monkeypatch.setattr("cnnedu.attribution.CHUNK", 7)
    assert np.allclose(occlusion(network, image).scores, whole.scores)


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"target": 2}, ValueError, "target must be a class from 0 to 1.*got 2"),
        ({"target": -1}, ValueError, "target must be a class from 0 to 1.*got -1"),
        ({"target": 1.0}, ValueError, "target must be a class"),
        ({"size": 3}, ValueError, "size must fit into the image of 2 x 2 pixels, got 3 x 3"),
        ({"size": 0}, ValueError, "size must be at least 1"),
        ({"stride": 0}, ValueError, "stride must be at least 1"),
        ({"fill": [0, 0]}, ValueError, "fill must be one number, or one for each of the 1 chan"),
        ({"fill": np.nan}, ValueError, "fill must be one number"),
        ({"measure": "score"}, ValueError, "measure must be 'probability' or 'logit'"),
        ({"image": np.ones((2, 1, 2, 2))}, ValueError, "image must be a single image"),
        ({"image": [[1.0]]}, TypeError, "image must be a NumPy array"),
        ({"image": np.zeros((1, 0, 2))}, ValueError, "at least one image"),
        ({"image": np.array([[np.nan, 1.0]])}, ValueError, "must be finite"),
        ({"image": np.ones((2, 2), int)}, TypeError, "must be float32 or float64"),
        ({"network": 3}, TypeError, "network must be a Sequential, got int"),
    ],
)
def test_occlusion_refused(change, error, message):
    arguments = {"network": TINY, "image": IMAGE, "size": 1} | change
    with pytest.raises(error, match=message):
        occlusion(**arguments)


def test_networks_without_scores_are_refused(rng):
    maps = Sequential([Conv2D(1, 2, 3, rng=rng)], input_shape=(1, 9, 8))
    image = np.ones((1, 9, 8), np.float32)
    for ask in (occlusion, saliency, grad_cam, adversarial):
        with pytest.raises(ValueError, match="one score per class"):
            ask(maps, image)
    twice = Sequential([Flatten(), Dense(72, 2, rng=rng), Softmax()])
    with pytest.raises(ValueError, match="applied twice"):
        occlusion(twice, image)
    with pytest.raises(ValueError, match=r"images must have shape \(N, 1, 9, 8\)"):
        saliency(small(rng), np.ones((1, 7, 7)))


# ---------------------------------------------------------------------------------------------
# Gradients
# ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("channels", [1, 3])
def test_saliency_against_finite_differences(rng, channels):
    network, image = small(rng, channels), rng.random((channels, 9, 8))
    computed = saliency(network, image, 3)
    assert computed.shape == image.shape
    step = 1e-6
    for index in [(0, 0, 0), (channels - 1, 4, 5), (0, 8, 6), (channels - 1, 3, 2)]:
        scores = []
        for sign in (1, -1):
            moved = image.copy()
            moved[index] += sign * step
            scores.append(network.logits(moved[None])[0, 3])
        assert computed[index] == pytest.approx((scores[0] - scores[1]) / (2 * step), abs=1e-8)


def test_saliency_of_a_linear_network_is_its_weights(rng):
    assert saliency(TINY, IMAGE, 0).tolist() == [[[1, 2], [3, 4]]]
    assert saliency(TINY, IMAGE, 0, kind="input").tolist() == [[[1, 4], [0, 4]]]
    # The shares add up to the score.
    assert saliency(TINY, IMAGE, 0, kind="input").sum() == TINY.logits(IMAGE[None])[0, 0]
    smooth = saliency(TINY, IMAGE, 0, kind="smooth", samples=3, rng=rng)
    assert np.allclose(smooth, [[[1, 2], [3, 4]]])


def test_smooth_saliency_is_a_mean_over_noisy_images(rng):
    network, image = small(rng), 2 * rng.random((1, 9, 8))
    seed = np.random.default_rng(5)
    computed = saliency(network, image, 1, kind="smooth", noise=0.2, samples=4, rng=seed)
    noise = np.random.default_rng(5).normal(0, 0.2 * np.ptp(image), (4, 1, 9, 8))
    each = [saliency(network, image + one, 1) for one in noise]
    assert np.allclose(computed, np.mean(each, axis=0))
    with pytest.raises(TypeError, match="give it rng="):
        saliency(network, image, kind="smooth")
    with pytest.raises(ValueError, match="noise must be 0 or more"):
        saliency(network, image, kind="smooth", noise=-1, rng=rng)
    with pytest.raises(ValueError, match="kind must be one of gradient, input, smooth"):
        saliency(network, image, kind="guided")


def test_strongest_channel_keeps_the_sign():
    values = np.array([[[1.0, -2.0]], [[-3.0, 1.0]], [[2.0, 0.0]]])
    assert strongest_channel(values).tolist() == [[-3, -2]]


def test_grad_cam_by_hand():
    """Two maps, read by a dense layer: the weights' means are 1 and -2."""
    conv = Conv2D(1, 2, 1, bias=False, rng=np.random.default_rng(0), dtype=np.float64)
    conv.params["weight"] = np.array([2.0, 1.0]).reshape(2, 1, 1, 1)
    dense = Dense(8, 2, rng=np.random.default_rng(0), dtype=np.float64)
    dense.params["weight"] = np.array([[4, 0, 0, 0, -2, -2, -2, -2], [0] * 7 + [1]], float)
    network = Sequential([conv, Flatten(), dense], input_shape=(1, 2, 2))
    image = np.array([[[1.0, -1.0], [3.0, 0.0]]])
    # alpha = (1, -2), maps = (2 * image, image): the sum is 2 * image - 2 * image = 0.
    assert grad_cam(network, image, 0).tolist() == [[0, 0], [0, 0]]
    # alpha = (0, 1/4): a quarter of the image, and what is negative becomes 0.
    assert grad_cam(network, image, 1).tolist() == [[0.25, 0], [0.75, 0]]
    assert grad_cam(network, image, 1, signed=True).tolist() == [[0.25, -0.25], [0.75, 0]]
    # Place by place: gradients (4, 0, 0, 0) and (-2, -2, -2, -2) times 2 * image and image.
    assert grad_cam(network, image, 0, average=False, signed=True).tolist() == [[6, 2], [-6, 0]]
    assert grad_cam(network, image, 0, average=False).tolist() == [[6, 2], [0, 0]]


def test_grad_cam_weights_against_finite_differences(rng):
    network, image = small(rng), rng.random((1, 9, 8))
    maps = network.activations(image[None])["tanh2"]
    rest = Sequential(network.layers[5:])
    step, alpha = 1e-6, np.zeros(4)
    for channel in range(4):
        moved = maps.copy()
        moved[0, channel] += step
        alpha[channel] = (rest.logits(moved) - rest.logits(maps))[0, 2] / step / maps[0, 0].size
    expected = np.maximum(np.tensordot(alpha, maps[0], axes=1), 0)
    assert np.allclose(grad_cam(network, image, 2), expected, atol=1e-7)
    assert np.allclose(grad_cam(network, image, 2, "tanh2"), expected, atol=1e-7)


def test_the_last_maps_before_a_pooling(rng):
    shape = (1, 28, 28)
    assert maps_layer(small(rng), (1, 9, 8)) == "tanh2"
    pooled = Sequential([Conv2D(1, 2, 3, rng=rng), ReLU(), MaxPool2D(2), Flatten()])
    assert maps_layer(pooled, shape) == "relu1"
    competing = Sequential([Conv2D(1, 2, 3, rng=rng), MaxOverChannels(), Flatten()])
    assert maps_layer(competing, shape) == "conv1"
    assert maps_layer(pooled, shape, "pool1") == "pool1"
    with pytest.raises(ValueError, match=r"'flatten1' has no maps.*\(338,\).*conv1, relu1, pool1"):
        maps_layer(pooled, shape, "flatten1")
    with pytest.raises(ValueError, match="no convolution layer"):
        maps_layer(Sequential([AvgPool2D(2), Flatten()]), shape)
    with pytest.raises(KeyError, match="no layer 'conv7'"):
        grad_cam(small(rng), np.ones((1, 9, 8)), 0, "conv7")


# ---------------------------------------------------------------------------------------------
# Maximization
# ---------------------------------------------------------------------------------------------


def test_maximization_finds_the_best_image_of_a_filter(rng):
    """White where the weight is positive, black where it is negative: known from lesson 5."""
    conv = Conv2D(1, 2, 3, bias=False, rng=rng, dtype=np.float64)
    weight = conv.params["weight"]
    weight[...] = rng.choice([-1, 1], weight.shape) * rng.uniform(0.5, 1, weight.shape)
    network = Sequential([conv], input_shape=(1, 5, 5))
    found = maximize(network, "conv1", [0, 1], steps=60, blur=0, jitter=0, decay=0, rng=rng)
    assert found.units == ((0, 1, 1), (1, 1, 1))
    assert np.allclose(found.images[:, 0, 1:4, 1:4], weight[:, 0] > 0)
    best = np.maximum(weight, 0).sum(axis=(1, 2, 3))
    assert np.allclose(found.values, best)
    assert (found.start < found.values).all()


def test_maximization_of_classes_raises_each(rng):
    network = small(rng, 3, np.float32)
    found = maximize(network, -1, range(5), steps=20, blur=0, jitter=0, rng=rng)
    assert found.layer == "dense1" and found.images.shape == (5, 3, 9, 8)
    assert found.images.min() >= 0 and found.images.max() <= 1
    assert np.allclose(np.diag(network.logits(found.images)), found.values, atol=1e-5)
    assert (found.values > found.start + 0.1).all()


def test_maximization_rules(rng):
    network = small(rng)
    noise = maximize(network, "conv2", 2, steps=0, rng=np.random.default_rng(1))
    assert np.array_equal(noise.start, noise.values)
    # Pulled all the way to gray in each step.
    gray = maximize(network, "conv2", 2, steps=3, decay=1, gray=0.25, rng=rng)
    assert np.allclose(gray.images, 0.25)
    rough = maximize(network, "conv2", 2, steps=30, blur=0, rng=np.random.default_rng(1))
    smooth = maximize(network, "conv2", 2, steps=30, blur=1, rng=np.random.default_rng(1))
    steps = [np.abs(np.diff(each.images, axis=3)).mean() for each in (rough, smooth)]
    assert steps[1] < steps[0]
    again = maximize(network, "conv2", 2, steps=30, blur=1, rng=np.random.default_rng(1))
    assert np.array_equal(again.images, smooth.images)


def test_blur_is_a_gaussian(rng):
    images = rng.random((2, 1, 12, 11))
    expected = gaussian_filter(images, (0, 0, 0.8, 0.8), mode="nearest", radius=(0, 0, 3, 3))
    assert np.allclose(blurred(images, 0.8), expected)
    assert blurred(images, 0) is images


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"units": 4}, ValueError, r"a unit of conv2 must be a number from 0 to 3, or \(channel"),
        ({"units": (0, 9, 0)}, ValueError, "a unit of conv2 must be"),
        ({"units": (0, 1)}, ValueError, "a unit of conv2 must be"),
        ({"units": [0, "a"]}, ValueError, "got 'a'"),
        ({"units": []}, ValueError, "units is empty"),
        ({"layer": "conv3"}, KeyError, "no layer 'conv3'"),
        ({"steps": -1}, ValueError, "steps must be 0 or more, got -1"),
        ({"decay": -0.1}, ValueError, "decay must be 0 or more"),
        ({"gray": 2}, ValueError, "gray must lie within limits"),
        ({"limits": (1, 0)}, ValueError, "gray must lie within limits"),
        ({"rng": 3}, TypeError, "rng must be a generator"),
        ({"network": None}, TypeError, "network must be a Sequential"),
    ],
)
def test_maximization_refused(rng, change, error, message):
    arguments = {"network": small(rng), "layer": "conv2", "units": 0, "rng": rng} | change
    with pytest.raises(error, match=message):
        maximize(**arguments)


def test_maximization_needs_a_shape(rng):
    network = Sequential(small(rng).layers)
    with pytest.raises(ValueError, match=r"give input_shape=\(C, H, W\)"):
        maximize(network, "conv2", 0, rng=rng)
    found = maximize(network, "conv2", 0, steps=1, input_shape=(1, 9, 8), rng=rng)
    assert found.images.shape == (1, 1, 9, 8)


# ---------------------------------------------------------------------------------------------
# A small step
# ---------------------------------------------------------------------------------------------


def test_adversarial_by_hand():
    """Scores 5 - 3 * s for class 0 and 4 + 4 * s for class 1: equal at s = 1/7."""
    network = linear([[2, 0, 1, 0], [0, 1, 0, 3]])
    image = np.array([[[2.0, 1.0], [1.0, 1.0]]])
    found = adversarial(network, image, sizes=[0.1, 0.14, 0.15, 0.2], limits=(0, 3))
    assert found.label == 0
    assert found.direction.tolist() == [[[-1, 1], [-1, 1]]]
    assert found.size == 0.15
    assert found.answers.tolist() == [0, 0, 1, 1]
    assert np.allclose(found.image, image + 0.15 * found.direction)
    assert found.before.argmax() == 0 and found.after.argmax() == 1


def test_adversarial_direction_is_the_sign_of_the_losses_gradient(rng):
    network, image = small(rng), rng.random((1, 9, 8))
    found = adversarial(network, image)
    label = np.array([found.label])
    step = 1e-6
    for index in [(0, 2, 2), (0, 7, 4), (0, 4, 6)]:
        losses = []
        for sign in (1, -1):
            moved = image.copy()
            moved[index] += sign * step
            losses.append(softmax_cross_entropy(network.logits(moved[None]), label)[0])
        assert np.sign(losses[0] - losses[1]) == found.direction[index]
    assert found.image.min() >= 0 and found.image.max() <= 1
    if found.size is not None:
        smaller = found.sizes < found.size
        assert (found.answers[smaller] == found.label).all()


def test_adversarial_of_a_network_that_is_all_but_sure():
    """Here softmax is 1 to the last bit, and the gradient of the loss rounds to zero."""
    layer = Dense(2, 2, rng=np.random.default_rng(0))
    layer.params["weight"] = np.array([[1000, 0], [0, 1000]], np.float32)
    network = Sequential([Flatten(), layer])
    image = np.array([[[0.9, 0.2]]], np.float32)
    assert network.predict_proba(image[None])[0].tolist() == [1, 0]
    found = adversarial(network, image, sizes=[0.3, 0.4])
    assert found.direction.tolist() == [[[-1, 1]]]
    assert found.size == pytest.approx(0.4)


def test_adversarial_where_no_step_is_enough():
    network = linear([[1, 1], [0, 0]])
    image = np.array([[[0.5, 0.5]]])
    found = adversarial(network, image, sizes=[0.1, 0.2])
    assert found.size is None
    assert np.allclose(found.image, 0.3)
    other = adversarial(network, image, sizes=[0.1], direction=np.array([[[1, -1]]]))
    assert np.allclose(other.image, [[[0.6, 0.4]]])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"label": 1}, "reads this image as 0 already, not as 1"),
        ({"label": 7}, "target must be a class from 0 to 1"),
        ({"sizes": []}, "sizes must be positive and rising"),
        ({"sizes": [0.0, 0.1]}, "sizes must be positive and rising"),
        ({"sizes": [0.2, 0.1]}, "sizes must be positive and rising"),
        ({"direction": np.ones(4)}, r"direction must have the shape of the image, \(1, 2, 2\)"),
    ],
)
def test_adversarial_refused(change, message):
    with pytest.raises(ValueError, match=message):
        adversarial(TINY, IMAGE, **change)


# ---------------------------------------------------------------------------------------------
# Points in the plane
# ---------------------------------------------------------------------------------------------


def test_pca_against_the_covariance(rng):
    values = rng.normal(size=(50, 2, 3)) * [[5, 1, 1], [0.1, 3, 1]]
    found = embed(values)
    variances = np.linalg.eigvalsh(np.cov(values.reshape(50, 6).T))[::-1]
    assert np.allclose(found.points.var(axis=0, ddof=1), variances[:2])
    assert np.allclose(found.share, variances[:2] / variances.sum())
    assert np.allclose(found.points.mean(axis=0), 0)
    assert np.allclose(found.points[:, 0] @ found.points[:, 1], 0)
    # Distances can only shrink.
    rows = values.reshape(50, 6)
    assert np.linalg.norm(found.points[0] - found.points[1]) <= np.linalg.norm(rows[0] - rows[1])


def test_pca_of_a_line_and_of_a_point():
    line = embed(np.arange(6.0)[:, None] * [[3, 4]])
    assert np.allclose(line.points[:, 0], 5 * (np.arange(6) - 2.5))
    assert np.allclose(line.share, [1, 0])
    assert np.allclose(embed(np.ones((5, 1))).points, 0)


def test_tsne_keeps_groups_together(rng):
    labels = np.repeat([0, 1, 2], 20)
    values = rng.normal(size=(60, 10)) + 20 * np.eye(10)[labels]
    found = embed(values, "tsne", perplexity=10, rng=np.random.default_rng(0))
    assert found.points.shape == (60, 2) and found.share is None
    assert neighbor_agreement(found.points, labels) == 1


def test_neighbor_agreement_by_hand():
    values = np.array([[0.0], [1.0], [10.0], [11.5]])
    assert neighbor_agreement(values, np.array([0, 0, 1, 1]), 1) == 1
    assert neighbor_agreement(values, np.array([0, 1, 0, 1]), 1) == 0
    assert neighbor_agreement(values, np.array([0, 0, 0, 1]), 1) == 0.5
    assert neighbor_agreement(values, np.array([0, 0, 1, 1]), 9) == pytest.approx(1 / 3)


@pytest.mark.parametrize(
    ("values", "options", "message"),
    [
        (np.ones((3, 2)), {}, "at least 4 rows"),
        (np.ones((5, 0)), {}, "at least 4 rows"),
        (np.ones(9), {}, "one row per point"),
        (np.array([["a"]] * 5), {}, "array of numbers"),
        (np.full((5, 2), np.nan), {}, "values must be finite"),
        (np.ones((5, 2)), {"method": "umap"}, "method must be 'pca' or 'tsne'"),
        (np.ones((5, 2)), {"method": "tsne"}, "give it rng="),
    ],
)
def test_embed_refused(values, options, message):
    with pytest.raises((ValueError, TypeError), match=message):
        embed(values, **options)


def test_neighbor_agreement_refused():
    with pytest.raises(ValueError, match=r"labels must have shape \(5,\), got \(4,\)"):
        neighbor_agreement(np.ones((5, 2)), np.zeros(4))


# ---------------------------------------------------------------------------------------------
# Flow
# ---------------------------------------------------------------------------------------------


def train(layers, rng, every=2, steps=6, **options):
    flow = FlowRecorder(every, **options)
    data = rng.random((2 * steps, 1, 4, 4)).astype(np.float32), rng.integers(0, 3, 2 * steps)
    network = Sequential(layers)
    fit(
        network, data, epochs=1, batch_size=2, optimizer=SGD(0.1), rng=rng, callbacks=[flow],
        progress=False,
    )  # fmt: skip
    return flow, network


def test_flow_notes_weights_and_gradients(rng):
    flow, network = train([Flatten(), Dense(16, 3, rng=rng)], rng, biases=True)
    assert flow.steps == [1, 2, 4, 6]
    assert list(flow.weight_size) == ["dense1.weight", "dense1.bias"]
    weight = network["dense1"].params["weight"]
    assert flow.weight_size["dense1.weight"][-1] == pytest.approx(np.sqrt(np.mean(weight**2)))
    spread = flow.weight_spread["dense1.weight"][-1]
    assert np.allclose(spread, np.percentile(weight, LEVELS))


def test_flow_of_a_step_is_the_gradient_of_that_step(rng):
    """Plain gradient descent: weights move by the learning rate times the gradient."""
    layers = [Flatten(), Dense(16, 3, rng=rng)]
    before = layers[1].params["weight"].copy()
    flow, network = train(layers, rng, steps=1)
    moved = (before - network["dense1"].params["weight"]) / 0.1
    size = flow.gradient_size["dense1.weight"][0]
    assert size == pytest.approx(np.sqrt(np.mean(moved**2)), rel=1e-4)
    assert np.allclose(flow.gradient_spread["dense1.weight"][0], np.percentile(moved, LEVELS),
                       atol=1e-5)  # fmt: skip


def test_flow_shows_gradients_that_vanish(rng):
    layers = [Flatten(), Dense(16, 16, rng=rng), Sigmoid()]
    for _ in range(4):
        layers += [Dense(16, 16, rng=rng), Sigmoid()]
    flow, _ = train([*layers, Dense(16, 3, rng=rng)], rng)
    sizes = [flow.gradient_size[f"dense{i}.weight"][0] for i in range(1, 7)]
    assert sizes[0] < sizes[-1] / 100


def test_flow_begins_anew_with_each_training(rng):
    flow, network = train([Flatten(), Dense(16, 3, rng=rng)], rng)
    data = rng.random((4, 1, 4, 4)).astype(np.float32), rng.integers(0, 3, 4)
    fit(network, data, epochs=1, batch_size=4, optimizer=SGD(0.1), rng=rng, callbacks=[flow],
        progress=False)  # fmt: skip
    assert flow.steps == [1]
    assert len(flow.weight_size["dense1.weight"]) == 1
    with pytest.raises(ValueError, match="every must be at least 1"):
        FlowRecorder(0)
