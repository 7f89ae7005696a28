# %% [markdown]
# # Lesson 5 · Filters and feature maps
#
# A trained network is a heap of numbers that nobody wrote down. In this lesson you open two of
# them and look: at the filters, at what they make of a digit, at what the deeper layers answer to.
# And because pictures are easy to believe, each of them is followed by a measurement that could
# contradict it. Some do.
#
# **What you will be able to do**
#
# - draw a layer's filters so that they may be compared, and say what a filter answers to most;
# - show a network's own feature maps, before and after ReLU and pooling, in any layer;
# - find the pieces of the data that excite a unit deep in a network;
# - tell with a number how much of a filter was learned and how much is still its random start;
# - ask a network a question that a picture cannot answer: take a filter away, shift the image,
#   leave a layer untrained.
#
# **What you need:** lessons 1 to 4 (cross-correlation, edge kernels, layers, training).
#
# **How long it takes:** about 45 minutes, and 20 more for the exercises.
#
# [← Lesson 4: Training](04_training.ipynb) ·
# [Solutions of this lesson](solutions/05_filters_and_feature_maps.ipynb)

# %%
from itertools import product

import numpy as np
from scipy.signal import convolve2d, correlate2d

from cnnedu import SGD, Conv2D, Dense, Dropout, Flatten, MaxPool2D, Momentum, ReLU, Sequential
from cnnedu import checks, evaluate, fit
from cnnedu import visualization as viz
from cnnedu.architectures import build
from cnnedu.data import load_digits, load_recorded
from cnnedu.kernels import KERNELS
from cnnedu.training import WeightRecorder
from cnnedu.visualization.curves import plot_bars, plot_curves, plot_spread
from cnnedu.visualization.filters import filter_correlations
from cnnedu.visualization.patches import plot_exciting_patches
from cnnedu.visualization.rows import plot_rows

rng = np.random.default_rng(0)
data = load_digits()

# %% [markdown]
# ## 1. Two networks to look into
#
# The **small** one has six filters of 3 × 3, pooling, and one dense layer. It is the network of
# lesson 4. We keep a copy of its filters as they start, and let a `WeightRecorder` take snapshots
# on the way: both will be needed.

# %%
small = build("notebook", rng=rng)
small_start = small["conv1"].params["weight"].copy()
recorder = WeightRecorder(every=5)
fit(
    small, data.train, epochs=10, batch_size=25, optimizer=Momentum(0.05), rng=rng,
    callbacks=[recorder], progress=False,
)  # fmt: skip
print(small.summary())

# %% [markdown]
# The **deep** one has two convolution layers with 32 filters each, ReLU after both, and two dense
# layers: the shape of an example network of the Lasagne library. Training it takes a few seconds.
# The same seed builds the same start a second time, which gives us an **untrained** twin.

# %%
deep_rng = np.random.default_rng(1)
deep = build("lasagne", rng=deep_rng)
untrained = build("lasagne", rng=np.random.default_rng(1))
fit(
    deep, data.train, epochs=12, batch_size=50, optimizer=Momentum(0.02, nesterov=True),
    rng=deep_rng, progress=False,
)  # fmt: skip
print("filters of the first layer:", deep["conv1"].params["weight"].shape)
print("filters of the second layer:", deep["conv2"].params["weight"].shape)

# %% tags=["nbval-ignore-output"]
for name, network in {"small": small, "deep": deep, "untrained": untrained}.items():
    print(f"{name:9} {evaluate(network, data.test).accuracy:6.1%} of 360 test digits")

# %% [markdown]
# Keep in mind how fine this ruler is: one test digit is 0.28 percentage points. Two numbers that
# differ by one point differ by three or four digits, which means little.
#
# (What a training computes differs in the last digits between processors. On yours, a few test
# digits may fall out differently. The statements of this lesson that matter are held by `assert`
# lines, with a margin.)

# %% [markdown]
# ## 2. Filters as pictures
#
# ### 2.1 Colors can lie
#
# A filter is a small grid of numbers, so it can be drawn as a small picture. Here are three
# filters whose numbers you can judge without a picture. The first is a strong edge kernel, the
# second a weak one. The third has no negative number at all: it is a blur, with its left side
# slightly stronger.

# %%
three = np.array([[[9, -9], [9, -9]], [[1, -1], [1, -1]], [[9, 7], [9, 7]]])

# %% [markdown]
# Most plotting commands stretch each picture from *its own* smallest to *its own* largest value:
# $(w - \min) / (\max - \min)$.
#
# **Predict, then run.** What becomes of the three?

# %%
low, high = three.min(axis=(1, 2), keepdims=True), three.max(axis=(1, 2), keepdims=True)
stretched = (three - low) / (high - low)
assert np.array_equal(stretched[0], stretched[1])
assert np.array_equal(stretched[0], stretched[2])
viz.plot_images(stretched, ["strong edge", "weak edge", "blur"])

# %% [markdown]
# **What you see.** Three times the same picture. Stretching took away the size of the weights and
# their sign, which is all that told the three apart.
#
# The remedy has two parts. **One scale for all filters**, so that a weak one looks weak. And
# **colors with a middle**: zero gets a neutral gray, negative weights one hue, positive ones
# another.

# %%
viz.plot_filters(three, ["strong edge", "weak edge", "blur"])

# %% [markdown]
# **What you see.** Blue is negative, yellow is positive, gray is zero. The strong edge is blue and
# yellow, the weak one almost gray, the blur all yellow. From here on, every picture of filters
# is drawn like this. (Exercise 2 asks you to write it, in grays.)

# %% [markdown]
# ### 2.2 Six filters, then 32
#
# The filters of the small network, with their weights written into the cells:

# %%
viz.plot_filters(small)

# %% [markdown]
# **What you see.** Filter 3 is blue on the left and yellow on the right: it compares left and
# right, like a Prewitt kernel. Filter 2 compares the upper left with the lower right. Filter 5 has
# its largest weight in the middle, so it answers to bright spots and strokes; filter 1 is its
# opposite, almost all negative. Filters 0 and 4 are pale: their weights are small. (If your
# processor rounds differently, your second decimals may differ.)
#
# Now the 32 filters of the deep network's first layer, 5 × 5 each.

# %%
viz.plot_filters(deep, columns=8)

# %% [markdown]
# **What you see.** Perhaps a third of them have a clear order: a blue side and a yellow side, in
# many directions, level, upright and slanted. Others are gray speckles. Do not trust this first
# impression, in either direction; sections 4 and 7 put numbers to it.

# %% [markdown]
# ### 2.3 What does a filter answer to most?
#
# The answer at one place is $\sum_{u,v} w[u, v] \cdot x[u, v]$. Pixels lie between 0 (black) and 1
# (white). Which patch makes the sum as large as possible? Take each pixel by itself: under a
# positive weight it should be as bright as possible, under a negative one as dark as possible. So
# the most exciting patch is **white under the positive weights and black under the negative
# ones**, and the answer is the sum of the positive weights.
#
# **Predict, then run.** The largest and the smallest possible answer of the filter below, and its
# answer to an all-white patch? We try all $2^9 = 512$ patches of black and white.

# %%
weights = np.array([[-1, 0, 2], [-2, 0, 3], [-1, 0, 1]])
patches = np.array(list(product([0, 1], repeat=9)))
answers = patches @ weights.ravel()
print(f"{len(patches)} patches: answers from {answers.min()} to {answers.max()}")
print("all white:", answers[-1])
assert answers.max() == weights[weights > 0].sum() == 6
assert np.array_equal(patches[-1], np.ones(9))

# %% [markdown]
# $2 + 3 + 1 = 6$ at most, $-1 - 2 - 1 = -4$ at least, and $6 - 4 = 2$ for all white, the sum of
# all weights. (Grays lie between black and white, and so do their answers.)
#
# So a filter is itself a picture of what it looks for, as long as you read yellow as "should be
# white" and blue as "should be black". Does it find that in real digits? The function below goes
# through all training images, and cuts out the patches to which each filter answers most, at most
# one from each image.

# %%
plot_exciting_patches(small, data.train.images, "conv1", range(6), 10)

# %% [markdown]
# **What you see.** Row 3 holds what filter 3 asks for: black on the left, white on the right.
# Row 2 is bright at the upper left. Row 1 shows nearly black patches: a filter with almost only
# negative weights answers *most* where there is *least*, and where there is ink it says "no"
# loudly. Its answers are useful all the same, since the dense layer may turn any sign around.

# %% [markdown]
# ## 3. One image through every filter
#
# ### 3.1 The network's own maps
#
# A **feature map** is what one filter makes of an image: its answers at all places. The package
# hands out every layer's output by name.
#
# **Predict, then run.** Which shape do the maps of the small network have for two digits of 28 × 28?

# %%
zero, seven = data.test.images[33:34], data.test.images[39:40]
maps = small.activations(np.concatenate([zero, seven]))["conv1"]
print(list(small.activations(zero)))
print(maps.shape)

# %% [markdown]
# Two images, six channels, 26 × 26 places where a 3 × 3 kernel fits. Are these numbers what lesson
# 1 taught, the cross-correlation of the image with each filter? The oracle is SciPy.

# %%
filters = small["conv1"].params["weight"][:, 0]
for f in range(6):
    assert np.allclose(maps[0, f], correlate2d(zero[0, 0], filters[f], mode="valid"), atol=1e-5)
    assert np.allclose(maps[1, f], correlate2d(seven[0, 0], filters[f], mode="valid"), atol=1e-5)
print("12 maps, all equal to SciPy's correlate2d")

# %%
viz.plot_feature_maps(small, zero, "conv1", columns=7)

# %%
viz.plot_feature_maps(small, seven, "conv1", columns=7)

# %% [markdown]
# **What you see.** A zero has borders in all directions, which makes it a good test picture.
# Filter 3 draws its left flanks in yellow (dark on the left, bright on the right) and its right
# flanks in blue, and says nothing at the very top and bottom. Filter 2 prefers the lower right
# borders. Filter 5 repaints the digit, filter 1 its negative. On the seven they do the same: **a
# filter asks its one question everywhere, of every image.**
#
# The same for the deep network: the image and 32 maps.

# %%
viz.plot_feature_maps(deep, zero, "conv1", columns=11)

# %% [markdown]
# **What you see.** Maps of the pale filters are pale. The others are outlines, lit from different
# sides. Look at the background: it is not the same gray everywhere. Where the image is black, the
# sum is zero, and what remains is the filter's bias.

# %% [markdown]
# ### 3.2 Maps that are not the network's own
#
# The notebook this course grew from drew its maps with SciPy's `convolve2d`. That function flips
# the kernel (lesson 1). The network's layer does not.
#
# **Predict, then run.** For which of the six filters will the flipped maps look alike, and for
# which will they have the opposite sign? Look at the filters above, and turn each by half a turn
# in your mind.

# %%
flipped = np.array([convolve2d(zero[0, 0], filters[f], mode="valid") for f in range(6)])
plot_rows(
    {"own": maps[0], "flipped": flipped, "difference": flipped - maps[0]},
    [f"filter {f}" for f in range(6)],
    label="value",
)

# %% [markdown]
# **What you see.** Filters 2 and 3 turn into almost their negatives, so their flipped maps have
# the wrong sign nearly everywhere: what the network calls a left border appears as a right border.
# Filters 1, 4 and 5 look much the same from both sides, and their maps hardly change. Filter 0 is
# something in between.
#
# How much do they differ over all test images? We count only places where there is something to
# see.

# %% tags=["nbval-ignore-output"]
all_own = small.activations(data.test.images)["conv1"]
for f in range(6):
    one = np.array([convolve2d(each[0], filters[f], mode="valid") for each in data.test.images])
    seen = np.abs(one) + np.abs(all_own[:, f]) > 1e-4
    same = np.corrcoef(one[seen], all_own[:, f][seen])[0, 1]
    wrong = np.mean(np.sign(one[seen]) != np.sign(all_own[:, f][seen]))
    print(f"filter {f}: correlation {same:5.2f}, wrong sign at {wrong:4.0%} of the places")

# %% [markdown]
# From −0.9 to +0.9: some of these pictures are right by luck, some are wrong in almost every
# pixel, and nothing in the picture tells which.
#
# What would the *network* say to such maps? We put the flipped filters into it and measure. The
# helper puts things back afterward.


# %%
def accuracy_with(network, layer, weights):
    """Return the test accuracy with other weights in a layer, then put its own back."""
    own = network[layer].params["weight"]
    kept = own.copy()
    own[...] = weights
    accuracy = evaluate(network, data.test).accuracy
    own[...] = kept
    return accuracy


# %% tags=["nbval-ignore-output"]
for name, network in {"small": small, "deep": deep}.items():
    own = network["conv1"].params["weight"]
    turned = accuracy_with(network, "conv1", own[:, :, ::-1, ::-1])
    print(f"{name:6} own maps {accuracy_with(network, 'conv1', own):6.1%}   flipped {turned:6.1%}")
    assert turned < evaluate(network, data.test).accuracy - 0.05

# %% [markdown]
# The small network loses about ten points, the deep one almost everything: it falls to the level
# of guessing. To it, flipped maps are another world. So take the maps from the network itself
# (`network.activations`), and whatever you draw will be what it computes with.

# %% [markdown]
# ## 4. Old acquaintances?
#
# Lesson 2 promised that you would meet hand-made kernels again. Filter 3 looks like Prewitt. How
# alike are they? The **correlation** of two filters is a number from −1 to 1: 1 if they have the
# same pattern, up to brightness and contrast, −1 if one is the negative of the other.

# %%
names = [name for name in KERNELS if name != "box_blur"]  # constant: it has no pattern
known = np.array([KERNELS[name].ravel() for name in names])


def likeness(filters):
    """Return the correlation of 3 x 3 filters with every known kernel, (filters, kernels)."""
    rows = filters.reshape(-1, 9)
    return np.corrcoef(rows, known)[: len(rows), len(rows) :]


# %% tags=["nbval-ignore-output"]
alike = likeness(filters)
for f, best in enumerate(np.abs(alike).argmax(axis=1)):
    print(f"filter {f}: {alike[f, best]:5.2f} with {names[best]}")

# %% [markdown]
# Filter 3 is Sobel to 0.95, filter 2 the negative of emboss, filter 5 a Gaussian spot. And filter
# 4 is a Gaussian to 0.76, filter 0 a vertical edge to 0.63. Six filters, six discoveries?
#
# Not so fast. Each filter was compared with 13 kernels, and the best was kept. **With many kernels
# to choose from, something always fits.** How well does something fit if there is nothing to find?
#
# **Predict, then run.** Take nine random numbers as a filter. Guess its best correlation, in
# absolute value, among the 13 kernels.

# %%
random_filters = np.random.default_rng(5).normal(size=(2000, 3, 3))
by_chance = np.abs(likeness(random_filters)).max(axis=1)
print(f"half of all random filters reach {np.median(by_chance):.2f}")
print(f"one in twenty reaches {np.quantile(by_chance, 0.95):.2f}")

# %%
learned_likeness = np.abs(alike).max(axis=1)
plot_spread(
    {
        "random (200 of them)": by_chance[:200],
        "the six at the start": np.abs(likeness(small_start)).max(axis=1),
        "the six after training": learned_likeness,
    },
    "best correlation with a hand-made kernel",
    levels={"1 in 20 by chance": np.quantile(by_chance, 0.95)},
)

# %% [markdown]
# **What you see.** Random filters reach 0.56 in the middle, and one in twenty more than 0.81. At
# the start, our six lie among them. After training, three stand clearly outside: filters 2, 3 and
# 5, above 0.9. They are old acquaintances indeed. Filter 1 is on the border, and for filters 0 and
# 4 the likeness means *nothing*: chance does as well.
#
# This is called a **control**: the same measurement where there is nothing to find. A number
# without its control is half a number.

# %%
chance_of_twenty = np.quantile(by_chance, 0.95)
assert np.sum(learned_likeness > chance_of_twenty) >= 3
assert np.sum(np.abs(likeness(small_start)).max(axis=1) > chance_of_twenty) == 0
print("learned: three or more beyond chance; at the start: none")

# %% [markdown]
# For the 5 × 5 filters of the deep network there is no table of known kernels. But we can ask each
# whether it is an *edge filter in any direction*: how much of its pattern is a plain slope, as
# of a tilted board? A slope in any direction is a sum of a slope to the right and a slope downward.


# %%
def slope_share(filters):
    """Return how much of each filter's pattern (its variance) is a slope, from 0 to 1."""
    size = filters.shape[-1]
    down, right = np.indices((size, size)) - (size - 1) / 2
    rows = filters.reshape(len(filters), -1).astype(float)
    rows = rows - rows.mean(axis=1, keepdims=True)
    parts = [(rows @ each.ravel()) ** 2 / np.sum(each**2) for each in (down, right)]
    return np.sum(parts, axis=0) / np.sum(rows**2, axis=1)


assert np.allclose(slope_share(KERNELS["prewitt_x"][None]), 1)
assert np.allclose(slope_share(KERNELS["laplacian"][None]), 0)
print("Prewitt is a slope and nothing else; the Laplacian has none")

# %% tags=["nbval-ignore-output"]
noise = np.random.default_rng(6).normal(size=(3000, 5, 5))
limit = np.quantile(slope_share(noise), 0.95)
shares = {name: slope_share(network["conv1"].params["weight"])
          for name, network in {"untrained": untrained, "trained": deep}.items()}  # fmt: skip
print(f"one random filter in twenty has more than {limit:.0%} slope")
for name, share in shares.items():
    print(f"{name:9}: {np.sum(share > limit):2} of 32 filters have")
assert np.sum(shares["trained"] > limit) >= 10 > 5 >= np.sum(shares["untrained"] > limit)

# %% [markdown]
# Before training, one or two of 32 filters look like an edge filter by luck, as they should. After
# it, more than half do. **The first layer became a set of edge filters**, and nobody had told it
# what an edge is. That is a statement a picture suggests and a number can hold.

# %% [markdown]
# ## 5. Before and after ReLU and pooling
#
# Between the first filters and the second stand ReLU (negative values become 0) and max pooling
# (each 2 × 2 window keeps its largest value).
#
# **Predict, then run.** The maps are 24 × 24 after `conv1`. Which sizes have they after `relu1`
# and `pool1`, and what happens to the blue lines?

# %%
strongest = np.argsort(-shares["trained"])[:6]
outputs = deep.activations(zero)
rows = {name: outputs[name][0, strongest] for name in ("conv1", "relu1", "pool1")}
print({name: maps.shape for name, maps in rows.items()})

# %%
plot_rows(rows, [f"filter {f}" for f in strongest], label="value")

# %% [markdown]
# **What you see.** ReLU takes the blue away. What is left of a map is only what its filter was
# looking for: one filter keeps the left borders of the zero, another the lower ones. Pooling halves
# the size; the lines stay, thicker and coarser. The two steps, held against their definitions:

# %%
relu, pooled = outputs["relu1"], outputs["pool1"]
assert np.array_equal(relu, np.maximum(outputs["conv1"], 0))
assert np.array_equal(pooled, relu.reshape(1, 32, 12, 2, 12, 2).max(axis=(3, 5)))
print("relu1 = max(conv1, 0); pool1 = the maximum of each 2 x 2 window")

# %% [markdown]
# How much goes through? The share of zeros after each of these steps, over the test set:

# %% tags=["nbval-ignore-output"]
test_outputs = deep.activations(data.test.images)
for name in ("relu1", "pool1", "relu2", "pool2", "relu3"):
    print(f"{name}: {np.mean(test_outputs[name] == 0):4.0%} zeros")

# %% [markdown]
# About half of the first layer's answers are zero, and far more than three quarters of the second
# layer's before pooling: deeper units are choosier. A number that is zero most of the time says a
# lot when it is not.

# %% [markdown]
# ## 6. Deeper layers
#
# ### 6.1 What a deep unit sees
#
# A number in `conv1` is computed from 5 × 5 pixels. That region is its **receptive field**. One
# in `conv2` is computed from 5 × 5 numbers of `pool1`, which lie two pixels apart, and each of
# which saw some pixels itself.
#
# **Predict, then run.** How many pixels does a number of `pool1` see, how many one of `conv2`?
# (Exercise 1 asks for the general rule.)

# %%
viz.plot_network(deep)

# %% [markdown]
# **What you see.** From layer to layer the maps shrink, 24, 12, 8, 4, and what a number sees
# grows: 5, 6, 14, 16 pixels. `pool1` sees 6: its two neighbors begin one pixel apart. Five numbers
# of `pool1` begin at 0, 2, 4, 6 and 8, and the last one reaches to 8 + 6 = 14. The place becomes
# vague, and *what* is there becomes rich: 32 channels at each place. After `flatten1` there is no
# place any more; every unit of `dense1` sees the whole image.

# %%
viz.plot_receptive_field(zero, network=deep, layer="conv2", row=1, column=2)

# %% [markdown]
# **What you see.** The unit of `conv2` in row 1, column 2 of its map sees 14 × 14 pixels, which is
# half of the image in each direction: not an edge any more, but a piece of a digit.

# %% [markdown]
# ### 6.2 A deep filter has many channels
#
# It is often said that deeper layers cannot be looked at. What is true: their *filters* are hard to
# read. One filter of `conv2` has 32 channels of 5 × 5 weights, one for each map of `pool1`.

# %%
f = 19
viz.plot_filters(deep["conv2"].params["weight"][f], columns=8, title=f"Filter {f} of conv2")

# %% [markdown]
# **What you see.** 800 weights, and no face in them. Each panel is laid on another map, and there
# are 32 such filters, 1,024 panels in all. The computation is the one you know all the same:
# correlate each channel with its own map, and add up.

# %%
weight, bias = deep["conv2"].params["weight"][f], deep["conv2"].params["bias"][f]
total = bias + sum(correlate2d(pooled[0, c], weight[c], mode="valid") for c in range(32))
assert np.allclose(total, outputs["conv2"][0, f], atol=1e-4)
print(f"32 correlations and a bias, added up, are map {f} of conv2: {total.shape}")

# %% [markdown]
# ### 6.3 The maps can simply be looked at
#
# Whatever the filters look like, their maps are there:

# %%
viz.plot_feature_maps(deep, zero, "relu2", columns=11)

# %% [markdown]
# **What you see.** 8 × 8 numbers each, most of them zero. A channel answers in one or two places of
# the digit, each at another place. But *to what*? The map says where. We still need the what.

# %% [markdown]
# ### 6.4 Ask the data
#
# We do the same as in section 2.3: run all 1,437 training images through the network, and for one
# channel cut out the 14 × 14 pixels around its strongest answers. Over each patch stands the digit
# that it comes from.

# %%
biggest = np.argsort(-deep.activations(data.train.images[:300])["relu2"].max(axis=(0, 2, 3)))
shown = np.sort(biggest[:7])
plot_exciting_patches(
    deep, data.train.images, "conv2", shown, 12, labels=data.train.labels
)

# %% [markdown]
# **What you see.** PLACEHOLDER

# %% [markdown]
# ### 6.5 The same pictures from a network that knows nothing
#
# Now the control. The untrained twin has random filters in both layers, and knows nothing about
# digits.
#
# **Predict, then run.** What will the patches look like that excite *its* units most?

# %%
plot_exciting_patches(
    untrained, data.train.images, "conv2", shown[:4], 12, labels=data.train.labels
)

# %% [markdown]
# **What you see.** PLACEHOLDER

# %%
def sameness(network, layer, top=50):
    """Return how often the top images of a unit show the same digit, averaged over the units."""
    maps = network.activations(data.train.images)[layer]
    strength = maps.max(axis=(2, 3)) if maps.ndim == 4 else maps
    best = np.argsort(-strength, axis=0)[:top]
    counts = [np.bincount(data.train.labels[each]).max() for each in best.T]
    return np.mean(counts) / top


# %% tags=["nbval-ignore-output"]
drawn_at_random = [np.bincount(rng.choice(data.train.labels, 50)).max() / 50 for _ in range(200)]
print(f"50 images drawn at random: {np.mean(drawn_at_random):.0%}")
for layer in ("conv1", "conv2", "dense1"):
    print(f"{layer:6}: trained {sameness(deep, layer):.0%}, untrained {sameness(untrained, layer):.0%}")

# %% [markdown]
# PLACEHOLDER

# %% [markdown]
# ### 6.6 Dead units

# %% tags=["nbval-ignore-output"]
for name, network in {"untrained": untrained, "deep": deep}.items():
    outputs = network.activations(data.train.images)
    for layer in ("relu1", "relu2", "relu3"):
        fires = outputs[layer].reshape(len(data.train), outputs[layer].shape[1], -1).max(axis=2) > 0
        print(name, layer, np.sum(~fires.any(axis=0)), "dead of", fires.shape[1], "rarest", np.sort(fires.mean(axis=0))[:3].round(3))

# %%
def train_with_relu(learning_rate):
    """Train a small network with ReLU for two epochs."""
    generator = np.random.default_rng(0)
    layers = [Conv2D(1, 16, 5, rng=generator), ReLU(), MaxPool2D(2), Flatten()]
    network = Sequential([*layers, Dense(2304, 10, rng=generator)], input_shape=(1, 28, 28))
    fit(
        network, data.train, epochs=2, batch_size=25, optimizer=Momentum(learning_rate),
        rng=generator, progress=False,
    )  # fmt: skip
    return network


# %% tags=["nbval-ignore-output"]
for learning_rate in (0.01, 0.05, 0.1, 0.2, 0.4):
    network = train_with_relu(learning_rate)
    silent = np.sum(network.activations(data.train.images)["relu1"].max(axis=(0, 2, 3)) == 0)
    print(f"learning rate {learning_rate}: {silent:2} of 16 filters dead, "
          f"test accuracy {evaluate(network, data.test).accuracy:.0%}")

# %%
plot_rows

# %% [markdown]
# ## 7. Learned, or still the initialization?

# %%
hurried = build("notebook", rng=np.random.default_rng(0))
fit(
    hurried, data.train[:250], epochs=1, batch_size=10, optimizer=SGD(0.1), rng=rng, progress=False
)
viz.plot_init_vs_learned(small_start, hurried["conv1"])

# %%
viz.plot_init_vs_learned(small_start, small["conv1"])

# %%
moments = [0, 5, 15, 30, 60, 120, 300, 580]
snapshots = dict(zip(recorder.steps, recorder.snapshots, strict=True))
plot_rows(
    {f"{step} steps": snapshots[step]["conv1.weight"] for step in moments},
    [f"filter {f}" for f in range(6)], label="weight", largest=0.8
)

# %%
likeness_to_start = np.array([filter_correlations(small_start, each["conv1.weight"]) for each in recorder.snapshots])
plot_curves(
    {f"filter {f}": (np.array(recorder.steps), likeness_to_start[:, f]) for f in range(6)},
    "steps", "correlation with the start", y_range=(-0.1, 1.02)
)

# %%
recorded = load_recorded("notebook-mnist")
recorded_deep = load_recorded("lasagne-mnist")
groups = {
    "25 steps (10 runs)": np.concatenate([run["filter_start_correlation"] for run in recorded["as_written"]]),
    "small, 10 epochs (3 runs)": np.concatenate([run["filter_start_correlation"] for run in recorded["properly"]]),
    "deep, 5 epochs (3 runs)": np.concatenate([run["filter_start_correlation"] for run in recorded_deep["runs"]]),
}
plot_spread(groups, "correlation with the start", levels={"":0})

# %%
for name, runs in {"25": recorded["as_written"], "small": recorded["properly"], "deep": recorded_deep["runs"]}.items():
    print(name, np.mean([run["test_accuracy"] for run in runs]), [np.median(run["filter_start_correlation"]) for run in runs])

# %%
run = recorded_deep["runs"][0]
viz.plot_filters(np.array(run["filters"]), columns=8)

# %%
run = recorded["properly"][0]
plot_rows({"start": run["filters_at_start"], "learned": run["filters"]}, label="weight")

# %%
def accuracy_of_head(layers, features, epochs, batch_size, optimizer):
    """Train layers on features that stay as they are; return the test accuracy."""
    train_features, test_features = features
    head = Sequential(layers)
    fit(head, (train_features, data.train.labels), epochs=epochs, batch_size=batch_size, optimizer=optimizer, rng=rng, progress=False)
    return evaluate(head, (test_features, data.test.labels)).accuracy

def frozen(network, layer):
    """Return what a layer makes of the training and of the test images."""
    return [network.activations(part.images)[layer] for part in (data.train, data.test)]

# %% tags=["nbval-ignore-output"]
results = {"pixels": [], "random filters": [], "trained filters": []}
pixels = [part.images.reshape(len(part), -1) for part in (data.train, data.test)]
for seed in range(5):
    generator = np.random.default_rng(seed)
    network = build("notebook", rng=generator)
    results["pixels"].append(accuracy_of_head([Dense(784, 10, rng=generator)], pixels, 10, 25, Momentum(0.05)))
    results["random filters"].append(accuracy_of_head([Dense(1014, 10, rng=generator)], frozen(network, "flatten1"), 10, 25, Momentum(0.05)))
    fit(network, data.train, epochs=10, batch_size=25, optimizer=Momentum(0.05), rng=generator, progress=False)
    results["trained filters"].append(evaluate(network, data.test).accuracy)
plot_spread(results, "test accuracy (5 seeds)")

# %% tags=["nbval-ignore-output"]
generator = np.random.default_rng(2)
dense = [Dropout(0.5, rng=generator), Dense(512, 256, rng=generator), ReLU(), Dropout(0.5, rng=generator), Dense(256, 10, rng=generator)]
both = accuracy_of_head(dense, frozen(untrained, "flatten1"), 12, 50, Momentum(0.02, nesterov=True))
generator = np.random.default_rng(2)
dense = [Conv2D(32, 32, 5, rng=generator), ReLU(), MaxPool2D(2), Flatten(), Dropout(0.5, rng=generator), Dense(512, 256, rng=generator), ReLU(), Dropout(0.5, rng=generator), Dense(256, 10, rng=generator)]
first = accuracy_of_head(dense, frozen(untrained, "pool1"), 12, 50, Momentum(0.02, nesterov=True))
print(both, first, evaluate(deep, data.test))

# %% [markdown]
# ## 8. Experiments that a picture cannot fake

# %%
def without(network, layer, filters):
    """Return the test accuracy with some filters of a layer set to zero, then put them back."""
    params = network[layer].params
    kept = {name: array.copy() for name, array in params.items()}
    for array in params.values():
        array[filters] = 0
    accuracy = evaluate(network, data.test).accuracy
    for name, array in params.items():
        array[...] = kept[name]
    return accuracy

# %%
full = evaluate(small, data.test).accuracy
missing = {f: without(small, "conv1", [f]) for f in range(6)}
plot_bars({"none": full} | {str(f): missing[f] for f in missing}, "the filter taken away", "test accuracy")

# %% tags=["nbval-ignore-output"]
maps_of = frozen(small, "pool1")
for gone in (None, 1, 3):
    kept = [f for f in range(6) if f != gone]
    generator = np.random.default_rng(0)
    layers = [Flatten(), Dense(len(kept) * 169, 10, rng=generator)]
    print(gone, accuracy_of_head(layers, [each[:, kept] for each in maps_of], 10, 25, Momentum(0.05)))

# %%
single = [without(deep, "conv1", [f]) for f in range(32)]
print(min(single), max(single))

# %%
counts = np.arange(0, 32, 4)
order = np.random.default_rng(0)
trials = np.array([[without(deep, "conv1", order.choice(32, k, replace=False)) for k in counts] for _ in range(5)])
plot_curves({"mean": (counts, trials.mean(0)), "best": (counts, trials.max(0)), "worst": (counts, trials.min(0))}, "filters of conv1 taken away", "test accuracy")

# %%
def shift(images, columns):
    """Move images to the right; what leaves on one side would come back on the other."""
    return np.roll(images, columns, axis=3)

before, after = [deep.activations(shift(zero, s))["conv1"] for s in (0,1)]
assert np.allclose(after[..., 1:], before[..., :-1], atol=1e-5)

# %% tags=["nbval-ignore-output"]
def change(a, b):
    """Return the length of the difference, relative to the length of the first."""
    return np.linalg.norm(a - b) / np.linalg.norm(a)

before, after = deep.activations(data.test.images), deep.activations(shift(data.test.images, 1))
print("input", change(data.test.images, shift(data.test.images, 1)))
for name in before:
    if name.startswith(("relu","pool","dense")):
        print(name, round(change(before[name], after[name]),2))

# %%
twins = {}
for name, layer in {"max": lambda: MaxPool2D(2), "sub": lambda: MaxPool2D(1, stride=2)}.items():
    twins[name] = []
    for seed in range(3):
        g = np.random.default_rng(seed)
        n = Sequential([Conv2D(1, 6, 3, rng=g), ReLU(), layer(), Flatten(), Dense(1014, 10, rng=g)], input_shape=(1, 28, 28))
        fit(n, data.train, epochs=10, batch_size=25, optimizer=Momentum(0.05), rng=g, progress=False)
        twins[name].append(n)

# %%
steps = np.arange(-4, 5)
def acc(n): return np.array([evaluate(n, (shift(data.test.images, s), data.test.labels)).accuracy for s in steps])
plot_curves({"deep": (steps, acc(deep)), "max pooling": (steps, np.mean([acc(n) for n in twins["max"]], axis=0)), "every 2nd": (steps, np.mean([acc(n) for n in twins["sub"]], axis=0))}, "shift to the right, in pixels", "test accuracy", levels={"guessing":0.1})
