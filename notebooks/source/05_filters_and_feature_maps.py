# %% [markdown]
# # Lesson 5 · Filters and feature maps
#
# A trained network is a heap of numbers that nobody wrote down. In this lesson you open two of
# them and look: at the filters, at what they make of a digit, at what the deeper layers answer
# to. And because pictures are easy to believe, the important ones are followed by a measurement
# that could contradict them. Some do.
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
# **How long it takes:** about 60 minutes, and 20 more for the exercises. After section 6 is a
# good place for a break.
#
# [← Lesson 4: Training](04_training.ipynb) ·
# [Solutions of this lesson](solutions/05_filters_and_feature_maps.ipynb)

# %%
from itertools import product

import numpy as np
from scipy.signal import convolve2d, correlate2d

from cnnedu import (
    SGD,
    Conv2D,
    Dense,
    Dropout,
    Flatten,
    MaxPool2D,
    Momentum,
    ReLU,
    Sequential,
    checks,
    evaluate,
    fit,
    softmax_cross_entropy,
)
from cnnedu import visualization as viz
from cnnedu.architectures import build
from cnnedu.data import load_digits, load_recorded
from cnnedu.kernels import KERNELS
from cnnedu.training import WeightRecorder
from cnnedu.visualization.filters import filter_correlations

rng = np.random.default_rng(0)
data = load_digits()

# %% [markdown]
# ## 1. Two networks to look into
#
# The **small** one has six filters of 3 × 3, pooling, and one dense layer. You know it from
# lesson 4. We will train several networks of its kind, so the recipe gets a name. A
# `WeightRecorder` takes snapshots of the weights on the way, the first one before the first step.
#
# One thing is unusual: we train in double precision (float64 instead of float32). That takes
# twice as long, and in return rounding errors are so small that they do not add up to anything
# visible. What you will see on your machine is what the text describes.


# %%
def in_double_precision(network):
    """Turn a network's weights into float64, and return it."""
    for layer in network:
        layer.params = {name: array.astype(np.float64) for name, array in layer.params.items()}
    return network


def train_small(network, examples, *, epochs=10, callbacks=(), seed=0):
    """Train a network of the small kind, and return it."""
    in_double_precision(network)
    fit(
        network,
        examples,
        epochs=epochs,
        batch_size=25,
        optimizer=Momentum(0.05),
        rng=np.random.default_rng(seed),
        callbacks=callbacks,
        progress=False,
    )
    return network


recorder = WeightRecorder(every=5)
small = train_small(build("notebook", rng=rng), data.train, callbacks=[recorder])
small_start = recorder.snapshots[0]["conv1.weight"]
print(f"{small.parameter_count:,} parameters")

# %% [markdown]
# The **deep** one has two convolution layers with 32 filters each, ReLU after both, and two dense
# layers. It has the shape of an example network of the Lasagne library. Training it takes a few
# seconds. The same seed builds the same start a second time, and so we have an **untrained**
# twin.


# %%
def train_deep(network, examples, *, epochs=12):
    """Train a network of the deep kind, and return it."""
    in_double_precision(network)
    fit(
        network,
        examples,
        epochs=epochs,
        batch_size=50,
        optimizer=Momentum(0.02, nesterov=True),
        rng=np.random.default_rng(0),
        progress=False,
    )
    return network


deep = train_deep(build("lasagne", rng=np.random.default_rng(1)), data.train)
untrained = in_double_precision(build("lasagne", rng=np.random.default_rng(1)))
print(f"{deep.parameter_count:,} parameters")

# %%
for name, network in {"small": small, "deep": deep, "untrained": untrained}.items():
    print(f"{name:9} {evaluate(network, data.test).accuracy:6.1%} of 360 test digits")

# %% [markdown]
# Keep in mind how fine this ruler is: one test digit is 0.28 percentage points. Two numbers that
# differ by one point differ by three or four digits, which means little.

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
# **What you see.** Blue is negative, yellow is positive, gray is zero. The strong edge is blue
# and yellow, the weak one almost gray, the blur all yellow. From here on, every picture of
# filters is drawn like this. (Exercise 2 asks you to write it, in grays.)

# %% [markdown]
# ### 2.2 Six filters, then 32
#
# The filters of the small network, with their weights written into the cells:

# %%
viz.plot_filters(small)

# %% [markdown]
# **What you see.** Filter 3 is blue on the left and yellow on the right: it compares left and
# right, like a Sobel kernel. Filter 2 compares the upper left with the lower right. Filter 5 has
# its largest weight in the middle, so it answers to bright spots and strokes. Filter 1 is mostly
# negative: ink makes it say "no". Filters 0 and 4 are pale, since their weights are small.
#
# Now the 32 filters of the deep network's first layer, 5 × 5 each.

# %%
viz.plot_filters(deep, columns=8)

# %% [markdown]
# **What you see.** About a third of them have a clear order, a blue side and a yellow side: 1 and
# 18 from top to bottom, 2 and 16 from left to right, 15 and 28 slanted. Others, like 17 or 20,
# are gray speckles. Do not trust this first impression, neither the order nor the speckles.
# Sections 4 and 7 put numbers to it.

# %% [markdown]
# ### 2.3 What does a filter answer to most?
#
# The answer at one place is $\sum_{u,v} w[u, v] \cdot x[u, v]$. Pixels lie between 0 (black) and
# 1 (white). Which patch makes the sum as large as possible? Take each pixel by itself: under a
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
viz.plot_exciting_patches(small, data.train.images, "conv1", range(6), 10)

# %% [markdown]
# **What you see.** Row 3 holds what filter 3 asks for: black on the left, white on the right. Row
# 2 is white at the upper left. Rows 0 and 5 are corners of strokes, row 4 is level strokes. Row 1
# shows nearly black patches: a filter with mostly negative weights answers *most* where there is
# *least*. Its answers are useful all the same, since the dense layer may turn any sign around.

# %% [markdown]
# ## 3. One image through every filter
#
# ### 3.1 The network's own maps
#
# A **feature map** is what one filter makes of an image: its answers at all places. The package
# hands out every layer's output by name.
#
# **Predict, then run.** Which shape do the maps of the small network have for two digits of 28 ×
# 28?

# %%
zero, seven = data.test.images[33:34], data.test.images[39:40]
maps = small.activations(np.concatenate([zero, seven]))["conv1"]
print(list(small.activations(zero)))
print(maps.shape)

# %% [markdown]
# Two images, six channels, 26 × 26 places where a 3 × 3 kernel fits. Are these numbers what
# lesson 1 taught, the cross-correlation of the image with each filter? The oracle is SciPy.

# %%
filters = small["conv1"].params["weight"][:, 0]
for f in range(6):
    assert np.allclose(maps[0, f], correlate2d(zero[0, 0], filters[f], mode="valid"), atol=1e-5)
    assert np.allclose(maps[1, f], correlate2d(seven[0, 0], filters[f], mode="valid"), atol=1e-5)
print("12 maps, all equal to SciPy's correlate2d")

# %%
viz.plot_feature_maps(small, zero, "conv1", columns=7)

# %% [markdown]
# **What you see.** A zero has borders in all directions, which makes it a good test picture.
# Filter 3 draws its left borders in yellow (dark on the left, bright on the right), its right
# borders in blue, and says nothing at the very top and bottom. Filter 2 is yellow at borders on
# the lower right and blue on the upper left. Filter 5 repaints the digit, filter 1 its negative.
# Now the seven:

# %%
viz.plot_feature_maps(small, seven, "conv1", columns=7)

# %% [markdown]
# **What you see.** Other places, the same colors: left borders are yellow in map 3 and right ones
# blue, and so on. **A filter asks its one question everywhere, of every image.**
#
# The same for the deep network: the image and 32 maps.

# %%
viz.plot_feature_maps(deep, zero, "conv1", columns=11)

# %% [markdown]
# **What you see.** Maps of the pale filters are pale. The others are outlines, lit from different
# sides: 16 from the right, 2 from the left, 18 from above. Look at the background, too. In map 27
# it is bluish. Where the image is black, the sum is zero, and what remains is the filter's bias.

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
viz.plot_rows(
    {"own": maps[0], "flipped": flipped, "difference": flipped - maps[0]},
    [f"filter {f}" for f in range(6)],
    label="value",
)

# %% [markdown]
# **What you see.** Filters 2 and 3 turn almost into their negatives, and so do their maps: what
# the network calls a left border appears as a right border. Filters 1, 4 and 5 are strongest in
# the middle, which stays where it is, and their maps change less. Filter 0 is something in
# between.
#
# How much do the maps differ over all test images? We count only places where there is something
# to see. Two numbers: the **correlation** of own and flipped map (1: the same picture, −1: its
# negative, 0: nothing to do with each other), and how often the sign is wrong.

# %%
all_own = small.activations(data.test.images)["conv1"]
for f in range(6):
    one = np.array([convolve2d(each[0], filters[f], mode="valid") for each in data.test.images])
    seen = np.abs(one) + np.abs(all_own[:, f]) > 1e-4
    same = np.corrcoef(one[seen], all_own[:, f][seen])[0, 1]
    wrong = np.mean(np.sign(one[seen]) != np.sign(all_own[:, f][seen]))
    print(f"filter {f}: correlation {same:5.2f}, wrong sign at {wrong:4.0%} of the places")

# %% [markdown]
# From −0.9 to +0.8: some of these pictures are nearly right by luck, two are nearly the negative
# of what the network has, and nothing in the picture tells which.
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


# %%
for name, network in {"small": small, "deep": deep}.items():
    own = network["conv1"].params["weight"]
    turned = accuracy_with(network, "conv1", own[:, :, ::-1, ::-1])
    print(f"{name:6} own maps {accuracy_with(network, 'conv1', own):6.1%}   flipped {turned:6.1%}")
    assert turned < evaluate(network, data.test).accuracy - 0.05

# %% [markdown]
# The small network loses about ten points. The deep one loses everything: it reads fewer digits
# than it would by guessing. To it, flipped maps are another world. So take the maps from the
# network itself (`network.activations`), and what you draw is what it computes with.

# %% [markdown]
# ## 4. Old acquaintances?
#
# Lesson 2 promised that you would meet hand-made kernels again. Filter 3 looks like Sobel. How
# alike are they? We correlate again, this time the weights: 1 means the same pattern, up to
# brightness and contrast, −1 the negative.

# %%
names = [name for name in KERNELS if name != "box_blur"]  # constant: it has no pattern
known = np.array([KERNELS[name].ravel() for name in names])


def likeness(filters):
    """Return the correlation of 3 x 3 filters with every known kernel, (filters, kernels)."""
    rows = filters.reshape(-1, 9)
    return np.corrcoef(rows, known)[: len(rows), len(rows) :]


# %%
alike = likeness(filters)
for f, best in enumerate(np.abs(alike).argmax(axis=1)):
    print(f"filter {f}: {alike[f, best]:5.2f} with {names[best]}")

# %% [markdown]
# Filter 3 is Sobel to 0.97, filter 2 the negative of emboss, filter 5 a Gaussian spot. And filter
# 4 is a Gaussian to 0.83, filter 0 a vertical edge to 0.55. Six filters, six discoveries?
#
# Not so fast. Each filter was compared with 13 kernels, and the best was kept. **With many
# kernels to choose from, something always fits.** How well does something fit if there is nothing
# to find?
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
viz.plot_spread(
    {
        "random (200 of them)": by_chance[:200],
        "the six at the start": np.abs(likeness(small_start)).max(axis=1),
        "the six after training": learned_likeness,
    },
    "best correlation with a hand-made kernel",
    levels={"1 in 20 by chance": np.quantile(by_chance, 0.95)},
)

# %% [markdown]
# **What you see.** Half of the random filters reach 0.56, and one in twenty 0.81. At the start,
# our six lie among them. After training, three stand clearly outside: filters 2, 3 and 5, above
# 0.9. They are old acquaintances indeed. Filters 1 and 4 are on the border. And the 0.55 of
# filter 0 means *nothing*: chance does as well.
#
# This is called a **control**: the same measurement where there is nothing to find. A number
# without its control is half a number.

# %%
chance_of_twenty = np.quantile(by_chance, 0.95)
assert np.sum(learned_likeness > chance_of_twenty) >= 3
assert np.sum(np.abs(likeness(small_start)).max(axis=1) > chance_of_twenty) == 0
print("learned: three or more beyond chance; at the start: none")

# %% [markdown]
# For the 5 × 5 filters of the deep network there is no table of known kernels. But we can ask
# each whether it is an *edge filter in any direction*: how much of its pattern is a plain slope,
# as of a tilted board? A slope in any direction is a sum of a slope to the right and a slope
# downward.


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

# %%
noise = np.random.default_rng(6).normal(size=(3000, 5, 5))
limit = np.quantile(slope_share(noise), 0.95)
shares = {
    name: slope_share(network["conv1"].params["weight"])
    for name, network in {"untrained": untrained, "trained": deep}.items()
}
print(f"one random filter in twenty has more than {limit:.0%} slope")
for name, share in shares.items():
    print(f"{name:9}: {np.sum(share > limit):2} of 32 filters have")
assert np.sum(shares["trained"] > limit) >= 10 > 5 >= np.sum(shares["untrained"] > limit)

# %% [markdown]
# By luck, one or two of 32 random filters should pass the limit; before training none did. After
# it, half of them do. **Half of the first layer became edge filters**, and nobody had told it
# what an edge is. The picture suggested it, and now a number holds it.

# %% [markdown]
# ## 5. Before and after ReLU and pooling
#
# Between the first filters and the second stand ReLU (negative values become 0) and max pooling
# (each 2 × 2 window keeps its largest value).
#
# **Predict, then run.** The maps are 24 × 24 after `conv1`. Which sizes have they after `relu1`
# and `pool1`, and what happens to the blue lines?

# %%
sizes = np.linalg.norm(deep["conv1"].params["weight"].reshape(32, -1), axis=1)
strongest = np.sort(np.argsort(-sizes)[:6])
outputs = deep.activations(zero)
rows = {name: outputs[name][0, strongest] for name in ("conv1", "relu1", "pool1")}
print({name: maps.shape for name, maps in rows.items()})

# %%
viz.plot_rows(rows, [f"filter {f}" for f in strongest], label="value")

# %% [markdown]
# **What you see.** ReLU takes the blue away, and the size stays. What is left of a map is only
# what its filter was looking for: filter 2 keeps the left borders of the stroke, filter 16 the
# right ones, filter 3 the lower ones. Pooling halves the size; the lines stay, thicker and
# coarser. The two steps, held against their definitions:

# %%
relu, pooled = outputs["relu1"], outputs["pool1"]
assert np.array_equal(relu, np.maximum(outputs["conv1"], 0))
assert np.array_equal(pooled, relu.reshape(1, 32, 12, 2, 12, 2).max(axis=(3, 5)))
print("relu1 = max(conv1, 0); pool1 = the maximum of each 2 x 2 window")

# %% [markdown]
# How much goes through? The share of zeros after each of these steps, over the test set:

# %%
test_outputs = deep.activations(data.test.images)
for name in ("relu1", "pool1", "relu2", "pool2", "relu3"):
    print(f"{name}: {np.mean(test_outputs[name] == 0):4.0%} zeros")

# %% [markdown]
# More than half of the first layer's answers are zero, and more than four fifths of the second
# layer's (before pooling): deeper units are choosier. A number that is zero most of the time says
# a lot when it is not.

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
# grows: 5, 6, 14, 16 pixels. `pool1` sees 6: two neighbors in `conv1` see 5 pixels each, one step
# apart. Five numbers of `pool1` begin at 0, 2, 4, 6 and 8, and the last one reaches to pixel 8 +
# 6, so that makes 14 pixels. The place becomes vague, and *what* is there becomes rich: 32
# channels at each place. After `flatten1` there is no place any more; every unit of `dense1` sees
# the whole image.

# %%
viz.plot_receptive_field(zero, network=deep, layer="conv2", row=1, column=2)

# %% [markdown]
# **What you see.** The unit of `conv2` in row 1, column 2 of its map sees 14 × 14 pixels, half of
# the image in each direction: not an edge any more, but a piece of a digit.
#
# We can also ask the network. The gradient of that unit with respect to the *image* (backward, as
# in lesson 3) says which pixels could change its answer. They must all lie in the frame: rows 2
# to 15, columns 4 to 17.

# %%
gradient = deep.gradients(zero, (19, 1, 2), layer="conv2")["input"][0, 0]
rows, columns = np.nonzero(np.abs(gradient) > 1e-9)  # zero, but for rounding errors
assert len(rows) > 100
assert rows.min() >= 2 and rows.max() <= 15 and columns.min() >= 4 and columns.max() <= 17
print("no pixel outside the frame has any influence")

# %% [markdown]
# ### 6.2 A deep filter has many channels
#
# It is often said that deeper layers cannot be looked at. What is true: their *filters* are hard
# to read. One filter of `conv2` has 32 channels of 5 × 5 weights, one for each map of `pool1`.

# %%
f = 19
viz.plot_filters(deep["conv2"].params["weight"][f], columns=8, title=f"Filter {f} of conv2")

# %% [markdown]
# **What you see.** 800 weights, and nothing that looks like a digit. Each panel is laid on
# another map, and there are 32 such filters, 1,024 panels in all. The computation is the one you
# know all the same: correlate each channel with its own map, and add up.

# %%
weight, bias = deep["conv2"].params["weight"][f], deep["conv2"].params["bias"][f]
total = bias + sum(correlate2d(pooled[0, c], weight[c], mode="valid") for c in range(32))
assert np.allclose(total, outputs["conv2"][0, f], atol=1e-4)
print(f"32 correlations and a bias, added up, are map {f} of conv2: {total.shape}")

# %% [markdown]
# ### 6.3 The maps can be looked at all the same
#
# Whatever the filters look like, their maps are there:

# %%
viz.plot_feature_maps(deep, zero, "relu2", columns=11)

# %% [markdown]
# **What you see.** 8 × 8 numbers each, most of them zero, some maps altogether. A channel answers
# at one or two places of the digit, each at its own. The map says *where*. We still need the
# *what*.

# %% [markdown]
# ### 6.4 Ask the data
#
# We do the same as in section 2.3: run all 1,437 training images through the network, and cut out
# what a channel saw where it answered most strongly, now 14 × 14 pixels. Over each patch stands
# the digit it comes from.

# %%
channels = [6, 7, 14, 19, 25, 27, 28]
viz.plot_exciting_patches(deep, data.train.images, "conv2", channels, 12, labels=data.train.labels)

# %% [markdown]
# **What you see.** Each row shows the same thing again and again, though every patch is from
# another image. Channels 7 and 19 answer to the upper part of a five, channel 14 to the bow that
# opens to the right in 5 and 6. Channel 27 answers to the slanted stroke of a 4, channel 28 to a
# bow that is closed on the right, wherever it occurs: in 0, 3 and 9. Channel 6 wants a corner of
# black above a stroke, as in 2 and 4.
#
# Edges have become **parts**: strokes, corners, bows. Some belong to a single digit, others are
# shared by several.

# %% [markdown]
# ### 6.5 The same pictures from a network that knows nothing
#
# And now the control. The untrained twin has random filters in both layers.
#
# **Predict, then run.** What will the patches look like that excite *its* units most?

# %%
viz.plot_exciting_patches(
    untrained, data.train.images, "conv2", channels[:4], 12, labels=data.train.labels
)

# %% [markdown]
# **What you see.** Channel 7 seems to like the middle of a seven, channel 14 seems to have found
# the three. Had we seen only this picture, we would have told a story about it. **Asked for its
# favorites, any unit has some**, and they resemble each other, because similar patches get
# similar answers from a random filter, too.
#
# So the picture alone does not show that something was learned. A number has to: a trained unit
# should be more *of one mind*. Among the 50 images that excite it most, one digit should appear
# more often. First we collect each channel's largest answer on each image, layer by layer.


# %%
def strengths(network, images):
    """Return each channel's largest answer on each image, (images, channels), by layer."""
    found = {}
    for start in range(0, len(images), 100):
        for name, output in network.activations(images[start : start + 100]).items():
            largest = output.reshape(*output.shape[:2], -1).max(axis=2)
            found.setdefault(name, []).append(largest)
    return {name: np.concatenate(parts) for name, parts in found.items()}


def one_mind(strength, top=50):
    """Return the share of the most frequent digit among the top images, mean over channels."""
    best = np.argsort(-strength, axis=0)[:top]
    return np.mean([np.bincount(data.train.labels[each]).max() for each in best.T]) / top


# %%
strong, strong_untrained = (strengths(each, data.train.images) for each in (deep, untrained))
lottery = one_mind(rng.random((len(data.train), 500)))
print(f"50 images drawn by lot: {lottery:.0%}")
for layer in ("conv1", "conv2", "dense1"):
    mind, control = one_mind(strong[layer]), one_mind(strong_untrained[layer])
    print(f"{layer:6}: trained {mind:.0%}, untrained {control:.0%}")
assert one_mind(strong["conv2"]) > one_mind(strong_untrained["conv2"]) + 0.03
assert one_mind(strong["dense1"]) > one_mind(strong["conv2"]) > one_mind(strong["conv1"])

# %% [markdown]
# By lot, the most frequent digit makes up 17 % of 50 images. In the untrained network it is a
# third in the first layer and half in the last: random units have favorites. Training adds hardly
# anything in the first layer (there are edges in every digit), ten points in the second, and most
# in the dense layer, where three of four images show the same digit. **From edges to parts to
# digits**: that is true, and smaller than the pictures made it look.

# %% [markdown]
# ### 6.6 Dead filters
#
# A unit after ReLU that is zero for *every* image is **dead**. Let us count. A channel is alive
# if its largest answer on some training image is above zero.

# %%
for name, strength in {"untrained": strong_untrained, "deep": strong}.items():
    for layer in ("relu1", "relu2", "relu3"):
        alive = np.any(strength[layer] > 0, axis=0)
        print(f"{name:9} {layer}: {np.sum(~alive):2} of {len(alive)} dead")
dead_first = ~np.any(strong_untrained["relu3"] > 0, axis=0)
revived = np.sum(np.any(strong["relu3"][:, dead_first] > 0, axis=0))
print(f"of the {dead_first.sum()} that were dead at the start, {revived} fire after training")

# %% [markdown]
# Both convolution layers are alive. In the dense layer, 34 of 256 units were dead *before* the
# first step: what reaches them is never negative (it went through ReLU), and if most of a unit's
# random weights are negative, its sum is, too. Training changed what comes in, and brought all of
# them to life. (Another one died on the way.)
#
# But units also die in training. One step that is too long pushes a filter so far into the
# negative that no image lifts its sum above zero any more.
#
# **Predict, then run.** We train a network with 16 filters and ReLU for two epochs, at five
# learning rates. How many of the 16 will be dead?

# %%
by_rate = {}
for rate in (0.01, 0.05, 0.1, 0.2, 0.4):
    r = np.random.default_rng(0)
    layers = [Conv2D(1, 16, 5, rng=r), ReLU(), MaxPool2D(2), Flatten(), Dense(2304, 10, rng=r)]
    burnt = in_double_precision(Sequential(layers, input_shape=(1, 28, 28)))
    fit(burnt, data.train, epochs=2, batch_size=25, optimizer=Momentum(rate), rng=r, progress=False)
    by_rate[rate] = strengths(burnt, data.train.images)["relu1"].max(axis=0) == 0
    accuracy = evaluate(burnt, data.test).accuracy
    print(f"learning rate {rate:4}: {by_rate[rate].sum():2} dead, test accuracy {accuracy:.0%}")
assert by_rate[0.01].sum() <= 2 and by_rate[0.4].sum() >= 10

# %% [markdown]
# The larger the steps, the more filters die. At 0.1 nearly half of them are dead, and an accuracy
# of 88 % does not show it: **a network can waste half of its filters and look healthy**, unless
# somebody counts. And what is dead mostly stays dead: where the answer is zero, the derivative of
# ReLU is zero, and no gradient arrives. In the last of these networks:

# %%
logits = burnt.forward(data.train.images[:200], training=True)
burnt.backward(softmax_cross_entropy(logits, data.train.labels[:200])[1])
assert np.all(burnt.grads["conv1.weight"][by_rate[0.4]] == 0)
assert np.all(burnt.grads["conv1.bias"][by_rate[0.4]] == 0)
print("the gradient of every dead filter is exactly zero, for its weights and for its bias")

# %% [markdown]
# ## 7. Learned, or still the initialization?
#
# A filter starts as random numbers. After training it is a picture in which people see things.
# How much of the picture was there before? Ask each filter for its correlation with its own
# start: near 1, it still *is* its start. (Exercise 3 asks you to write this.)
#
# ### 7.1 After 25 steps
#
# The notebook this course grew from trains for 25 steps of 10 images, with plain gradient descent
# and a learning rate of 0.1, and then draws the six filters. We do the same, from the same start
# as our small network.
#
# **Predict, then run.** How large will the six correlations be?

# %%
hurried = in_double_precision(build("notebook", rng=np.random.default_rng(0)))
assert np.array_equal(hurried["conv1"].params["weight"], small_start)
fit(hurried, data.train[:250], epochs=1, batch_size=10, optimizer=SGD(0.1), rng=rng, progress=False)
viz.plot_init_vs_learned(small_start, hurried["conv1"])

# %% [markdown]
# **What you see.** The upper and the middle row are nearly the same: five of six filters
# correlate with their start by 0.9 or more. (The exception, 0.71, is filter 3, our later Sobel.)
# The difference, below, has hardly any pattern: filter 1 as a whole got darker, filter 5
# brighter. What one might read into the other five, edges or corners, was there before the first
# image was seen.

# %% [markdown]
# ### 7.2 After a proper training
#
# Our small network went through ten epochs, 580 steps, from the same start.

# %%
viz.plot_init_vs_learned(small_start, small["conv1"])

# %% [markdown]
# **What you see.** Now the start is almost invisible on the common scale: the weights have grown
# several times over. The correlations lie between 0.07 and 0.69. Filter 4 has forgotten its
# start, filter 2 has not: it began with a bright left side and built its diagonal edge from
# there. Chance had a say in what it became.
#
# The recorder has the whole way. Row by row, the six filters as they grew:

# %%
snapshots = dict(zip(recorder.steps, recorder.snapshots, strict=True))
viz.plot_rows(
    {f"step {step}": snapshots[step]["conv1.weight"] for step in (0, 15, 60, 180, 580)},
    [f"filter {f}" for f in range(6)],
    label="weight",
    largest=0.9,
)

# %% [markdown]
# **What you see.** Time runs downward. In the first 15 steps filters 1 and 5 only get darker and
# brighter, as they did above. At step 60 most filters have their final pattern, faintly; from
# there on they mostly gain contrast. In numbers, the correlation of each with its start:

# %%
kept = [filter_correlations(small_start, each["conv1.weight"]) for each in recorder.snapshots]
steps = np.array(recorder.steps)
viz.plot_curves(
    {f"filter {f}": (steps, np.array(kept)[:, f]) for f in range(6)},
    "step",
    "correlation with the start",
    y_range=(-0.1, 1.02),
)

# %% [markdown]
# **What you see.** Most of the turning happens within the first 100 steps, less than two epochs;
# only filter 4 goes on for longer. Filter 3 turns first and fastest: by step 25 its correlation
# has fallen to 0.3. Later it comes back to 0.5. (The steps here are longer than those of section
# 7.1, because of the momentum.)

# %% [markdown]
# ### 7.3 On MNIST
#
# Our 1,437 digits are few. How is it with the tens of thousands of MNIST? Those trainings take
# minutes and need the data, so they were done once and their results recorded. The command that
# makes them anew:

# %%
recorded, recorded_deep = load_recorded("notebook-mnist"), load_recorded("lasagne-mnist")
print(recorded["command"])
print("small:", recorded["properly_recipe"])
print("deep: ", recorded_deep["recipe"])

# %%
runs = {
    "small, 25 steps, 10 runs": recorded["as_written"],
    "small, 10 epochs, 3 runs": recorded["properly"],
    "deep, 5 epochs, 3 runs": recorded_deep["runs"],
}
for name, group in runs.items():
    accuracies = [run["test_accuracy"] for run in group]
    print(f"{name}: test accuracy {min(accuracies):.1%} to {max(accuracies):.1%}")

# %%
groups = {
    name: np.concatenate([run["filter_start_correlation"] for run in group])
    for name, group in runs.items()
}
viz.plot_spread(groups, "correlation with the start, one dot per filter")

# %% [markdown]
# **What you see.** After 25 steps, every filter of every run correlates with its start by 0.88 or
# more, 0.97 on average, at accuracies from 45 to 67 %. A picture of these filters is a picture of
# a random number generator. After a proper training, the small network's filters are scattered
# from −0.34 to 0.83.
#
# And the deep network? It reads more than 99 % of MNIST, and its 96 filters *still* correlate
# with their start by 0.6 on average. So even in a very good network, what you see is part
# learned, part chance. Here they are, from the first of the three runs:

# %%
viz.plot_filters(np.array(recorded_deep["runs"][0]["filters"]), columns=8)

# %% [markdown]
# **What you see.** Lines and edges are clearer than after our small training: level lines in 2,
# 10 and 11, an upright one in 30, slanted ones in 9 and 13. Between them stand filters like 19
# and 26, in which little can be seen.

# %% [markdown]
# ### 7.4 What are learned filters worth?
#
# The most important control of this lesson: **leave the filters random**, and train only what
# comes after them. If the network is as good, its filters may be as pretty as they like, they
# were not needed.
#
# Frozen filters are easily done: compute their maps once, and train the rest on these maps as if
# they were the images.


# %%
def outputs_of(network, layer):
    """Return what a layer makes of the training images and of the test images."""
    return [network.activations(part.images)[layer] for part in (data.train, data.test)]


def accuracy_of(head, train, features, **options):
    """Train a network on features instead of images; return its test accuracy."""
    train(head, (features[0], data.train.labels), **options)
    return evaluate(head, (features[1], data.test.labels)).accuracy


# %% [markdown]
# Three competitors, five runs each: a dense layer on the bare *pixels*, a dense layer on the maps
# of *random* filters, and the small network with *trained* filters.
#
# **Predict, then run.** By how many percentage points do the trained filters win?

# %%
results = {"pixels alone": [], "random filters": [], "trained filters": []}
pixels = [part.images.reshape(len(part), -1) for part in (data.train, data.test)]
for seed in range(5):
    r = np.random.default_rng(seed)
    network = build("notebook", rng=r)
    features = outputs_of(network, "flatten1")
    on_pixels = Sequential([Dense(784, 10, bias=False, rng=r)])
    on_features = Sequential([Dense(1014, 10, bias=False, rng=r)])
    results["pixels alone"].append(accuracy_of(on_pixels, train_small, pixels))
    results["random filters"].append(accuracy_of(on_features, train_small, features))
    results["trained filters"].append(
        evaluate(train_small(network, data.train), data.test).accuracy
    )
for name, accuracies in results.items():
    print(f"{name:15}: {np.mean(accuracies):.1%} on average")
means = [np.mean(accuracies) for accuracies in results.values()]
assert max(means) - min(means) < 0.03

# %%
viz.plot_spread(results, "test accuracy", x_range=(0.88, 1.0))

# %% [markdown]
# **What you see.** The three lie within about one point. Six random filters do as well as the
# bare pixels, and the trained ones, Sobel and all, are ahead by three digits of 360. For these
# images and this network, **pretty filters are nearly worthless**: ten dense units on the pixels
# read almost as many digits. That the network works shows nothing about its filters, and that its
# filters look sensible does not show that they help.

# %% [markdown]
# And the deep network? We keep its first layer random, then both convolution layers. The dense
# layers are trained as before.


# %%
def dense_part(r):
    """Return the deep network's layers from the first dropout on."""
    first, last = Dense(512, 256, rng=r), Dense(256, 10, rng=r)
    return [Dropout(0.5, rng=r), first, ReLU(), Dropout(0.5, rng=r), last]


def second_part(r):
    """Return the deep network's layers from the second convolution on."""
    return [Conv2D(32, 32, 5, rng=r), ReLU(), MaxPool2D(2), Flatten(), *dense_part(r)]


# %%
r = np.random.default_rng(2)
features = outputs_of(untrained, "flatten1")
both = accuracy_of(Sequential(dense_part(r)), train_deep, features, epochs=40)
first = accuracy_of(Sequential(second_part(r)), train_deep, outputs_of(untrained, "pool1"))
everything = evaluate(deep, data.test).accuracy
print(f"both convolution layers random: {both:.1%} (40 epochs instead of 12)")
print(f"first one random:               {first:.1%}")
print(f"everything trained:             {everything:.1%}")
assert both + 0.02 < first < everything + 0.02

# %% [markdown]
# Here training matters. With both layers random, the network does no better than the bare pixels
# did above, although its dense part was given more than three times the epochs. Training the
# second layer repairs most of it. Training the first as well adds two points more, seven digits.
# So it is the *second* layer, the one whose filters nobody can read, that needs its training
# most.
#
# Others have found the same on larger scales: networks with random filters do surprisingly well
# (Jarrett et al., 2009; Saxe et al., 2011).

# %% [markdown]
# ## 8. Experiments that a picture cannot fake
#
# ### 8.1 Take a filter away
#
# What does a network lose without a filter? Set its weights (and its bias) to zero and measure.
# This is called **ablation**, removal.


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


# %% [markdown]
# **Predict, then run.** Look at the six filters in section 2.2 once more. Which one will be
# missed most? Filter 3, the perfect Sobel?

# %%
full = evaluate(small, data.test).accuracy
accuracies = {"none": full} | {f"filter {f}": without(small, "conv1", [f]) for f in range(6)}
wrong = {name: round(360 * (1 - accuracy)) for name, accuracy in accuracies.items()}
assert wrong["filter 5"] > wrong["none"] + 8
assert wrong["filter 5"] > wrong["filter 3"] + 5
viz.plot_bars(wrong, "filter taken away", "wrong answers, of 360 test digits")

# %% [markdown]
# **What you see.** With all six filters, 27 of 360 digits are misread. Without the Sobel filter
# it is 30: hardly worth mentioning. The spot filter 5, which does little more than repaint the
# digit, is missed most: 46 errors. Then comes filter 1, its negative. **How pretty a filter is
# does not tell how much depends on it.**
#
# What exactly did we measure? How much *this* dense layer, trained with all six, relies on each.
# Had it never had that filter, it could have learned to do without. So: take the filter away, and
# train the dense layer again.

# %%
maps_of_small = outputs_of(small, "pool1")
for gone in range(6):
    rest = [f for f in range(6) if f != gone]
    head = Sequential([Flatten(), Dense(5 * 169, 10, bias=False, rng=np.random.default_rng(0))])
    again = accuracy_of(head, train_small, [maps[:, rest] for maps in maps_of_small])
    print(
        f"without filter {gone}: {without(small, 'conv1', [gone]):.1%}, "
        f"dense layer trained again: {again:.1%}"
    )

# %% [markdown]
# Nothing is lost, whichever it is: every one of these networks of five filters is as good as the
# one with six (92.5 %), give or take a few digits. Any filter can be spared if the rest may
# adjust. "Important" has two meanings, *relied on* and *irreplaceable*, and an ablation measures
# only the first.

# %% [markdown]
# ### 8.2 Take many away
#
# The deep network has 32 filters in its first layer.
#
# **Predict, then run.** How many may be taken away, at random, before its accuracy falls below 90
# %?

# %%
singles = [without(deep, "conv1", [f]) for f in range(32)]
counts = np.arange(0, 29, 4)
lots = np.random.default_rng(0)
trials = np.array(
    [[without(deep, "conv1", lots.permutation(32)[:k]) for k in counts] for _ in range(5)]
)
viz.plot_curves(
    {
        "best of 5 lots": (counts, trials.max(axis=0)),
        "mean": (counts, trials.mean(axis=0)),
        "worst of 5 lots": (counts, trials.min(axis=0)),
    },
    "filters of conv1 taken away",
    "test accuracy",
    y_range=(0, 1),
    levels={"guessing": 0.1},
)

# %% [markdown]
# **What you see.** Half of the filters may go, and the network still reads 92 % on average,
# though nothing was trained again. Between 24 and 28 it breaks down, and it matters more and more
# *which* filters are left. The network has spread its knowledge over many filters that can stand
# in for each other. (The dropout in its training is meant to have this effect.)
#
# And if a single one goes? We have tried each of the 32:

# %%
print(f"all 32 filters: {everything:.1%}")
print(f"one of them away: between {min(singles):.1%} and {max(singles):.1%}")
print(f"16 of them away: {trials[:, 4].mean():.1%} on average")
assert min(singles) > everything - 0.08
assert trials[:, 3].mean() > 0.85

# %% [markdown]
# Even the one that is missed most costs two points, and without some the network is no worse at
# all. Whoever says "this filter detects sevens" should be asked what happens when it is taken
# away.

# %% [markdown]
# ### 8.3 Shift the image
#
# It is often said that pooling makes a network indifferent to small shifts. First in integers: a
# signal with a peak of two values, shifted by 0, 1 and 2 steps, and max pooling in pairs.
#
# **Predict, then run.** Write down the three pooled signals.


# %%
def pool(values):
    """Return the larger one of each pair."""
    return values.reshape(-1, 2).max(axis=1)


signal = np.array([0, 0, 0, 0, 7, 3, 0, 0, 0, 0])
for shift in (0, 1, 2):
    later = np.roll(signal, shift)
    print(f"shifted by {shift}: {later}  pooled: {pool(later)}")

# %% [markdown]
# Shifted by 2, the whole step of the pooling, the pooled signal is the same, moved by 1. That is
# **equivariance**: the answer moves along with the question. Shifted by 1, it is *another*
# signal: 7 and 3 fell into one pair before, and into two pairs now. **Invariance**, no change at
# all, would be something else again.
#
# The same with digits. If the image moves by two pixels, as far as the pooling steps, all maps up
# to `conv2` should move along.


# %%
def moved(images, columns):
    """Return the images shifted to the right (there is no ink at the borders to come around)."""
    return np.roll(images, columns, axis=3)


here = deep.activations(data.test.images)
there = deep.activations(moved(data.test.images, 2))
assert np.allclose(there["conv1"][..., 3:], here["conv1"][..., 1:-2], atol=1e-4)
for layer in ("pool1", "conv2"):
    assert np.allclose(there[layer][..., 2:], here[layer][..., 1:-1], atol=1e-4)
print("shifted by 2: the maps of conv1 are shifted by 2, those of pool1 and conv2 by 1")

# %% [markdown]
# Exactly equivariant, then. And invariant? We shift all test images by **one** pixel and measure
# how much each layer's output changes, compared with how large it is.
#
# **Predict, then run.** The images themselves change by 43 %. And the layers after them? Will
# pooling bring it near zero?


# %%
def change(before, after):
    """Return the length of the difference, as a share of the length before."""
    return np.linalg.norm(after - before) / np.linalg.norm(before)


there = deep.activations(moved(data.test.images, 1))
print(f"image : {change(data.test.images, moved(data.test.images, 1)):.0%} changed")
for layer in ("relu1", "pool1", "relu2", "pool2", "relu3", "dense2"):
    print(f"{layer:6}: {change(here[layer], there[layer]):.0%} changed")

# %% [markdown]
# Pooling does lower the number, each time: from 48 to 39, from 62 to 46 %. But far from zero, and
# ReLU and convolution raise it again. A pooled map is not blind to a shift by one pixel; it is a
# little short-sighted.
#
# What does it mean for reading? The control is a network *without* pooling but with the same
# shapes: `MaxPool2D(1, stride=2)` looks at one number and skips the next, so it halves the maps
# and pools nothing. Three networks of each kind.


# %%
def pooled_or_not(pooling, seed):
    """Return a trained network with one of two ways to halve the maps."""
    r = np.random.default_rng(seed)
    layers = [Conv2D(1, 6, 3, rng=r), ReLU(), pooling, Flatten(), Dense(1014, 10, rng=r)]
    return train_small(Sequential(layers, input_shape=(1, 28, 28)), data.train)


with_pooling = [pooled_or_not(MaxPool2D(2), seed) for seed in range(3)]
without_pooling = [pooled_or_not(MaxPool2D(1, stride=2), seed) for seed in range(3)]

# %% [markdown]
# And a fourth competitor: the small network as it was, but trained on digits that were shifted by
# up to two pixels, five copies of each, for fewer epochs.
#
# **Predict, then run.** The images are shifted by −4 to 4 pixels. Which network bears it best?

# %%
images = np.concatenate([moved(data.train.images, each) for each in (-2, -1, 0, 1, 2)])
shifted_examples = (images, np.tile(data.train.labels, 5))
experienced = train_small(
    build("notebook", rng=np.random.default_rng(0)), shifted_examples, epochs=3
)

# %%
shifts = np.arange(-4, 5)


def under_shifts(networks):
    """Return the mean test accuracy of some networks for images shifted to either side."""
    test = [(moved(data.test.images, each), data.test.labels) for each in shifts]
    return np.mean([[evaluate(n, each).accuracy for each in test] for n in networks], axis=0)


curves = {
    "deep": under_shifts([deep]),
    "small, pooling": under_shifts(with_pooling),
    "small, no pooling": under_shifts(without_pooling),
    "small, trained\non shifted digits": under_shifts([experienced]),
}
for name, values in curves.items():
    numbers = "  ".join(f"{value:4.0%}" for value in values)
    print(f"{numbers}  {name.replace(chr(10), ' ')}")

# %%
viz.plot_curves(
    {name: (shifts, values) for name, values in curves.items()},
    "shift to the right, in pixels",
    "test accuracy",
    y_range=(0, 1),
    levels={"guessing": 0.1},
)

# %% [markdown]
# **What you see.** One pixel costs the small network about eight points, two pixels half of its
# accuracy, although it pools. Without pooling it is worse by two points on unshifted digits, and
# by three to six on shifted ones: as a protection against shifts, pooling does little. The deep
# network, which convolves and pools twice, bears one pixel with a small loss, and two with a
# large one.
#
# The same small network, trained on shifted digits, holds its 92 % up to one pixel, and at two it
# is ahead of the deep one. **Indifference to shifts is not built into a convolutional network. It
# is learned, from examples that show it.** On large networks the same was measured by Azulay and
# Weiss (2019); Zhang (2019) repairs part of it with a blur before the pooling.

# %% [markdown]
# ## 9. Your own network
#
# Everything above works on any network of the package. Here is the short form, with one network
# of the course that we have not opened yet: `cnn-rs`, 16 filters of 3 × 3, which all start with
# *positive* weights. To look into yours, replace what is marked.

# %%
mine = train_small(build("cnn-rs", rng=np.random.default_rng(3)), data.train)  # yours, trained
mine_start = build("cnn-rs", rng=np.random.default_rng(3))  # the same, untrained
layer = "conv1"  # one of mine.names
images, labels = data.test  # your images (N, 1, H, W) and labels (N,)

# %%
viz.plot_init_vs_learned(mine_start[layer], mine[layer])

# %% [markdown]
# **What you see.** Few of these filters remember their start; the correlations scatter around
# 0.2. Most have become a bright spot with a darker border. What do they make of a digit?

# %%
viz.plot_feature_maps(mine, images[33], layer, columns=9)

# %% [markdown]
# **What you see.** Most maps are the same picture, a copy of the digit. Only three or four
# filters found an edge, such as 0, 5 and 9. Sixteen filters that all began as a blur have mostly
# become the same spot. How alike are two maps of this network, on average, and how alike were
# those of the small one?


# %%
def alikeness(network, layer):
    """Return the correlation between maps of two different filters, mean over all pairs."""
    maps = network.activations(images)[layer]
    table = np.corrcoef(np.moveaxis(maps, 1, 0).reshape(maps.shape[1], -1))
    return (table.sum() - len(table)) / (len(table) * (len(table) - 1))


# %%
print(f"two maps of cnn-rs correlate by {alikeness(mine, layer):.2f} on average")
print(f"two maps of the small network by {alikeness(small, 'conv1'):.2f}")
one_less = [without(mine, layer, [f]) for f in range(len(mine[layer].params["weight"]))]
print(
    f"accuracy {evaluate(mine, (images, labels)).accuracy:.1%}, "
    f"without the filter that is missed most {min(one_less):.1%}"
)
assert alikeness(mine, layer) > 0.5

# %% [markdown]
# Sixteen filters, and in effect a handful. No single one is missed. The number of filters in a
# layer says what a network *could* look for; only the maps say what it does. (A later lesson
# makes kernels compete with each other, so that they become different.)
#
# The questions to put to any network, in this order:
#
# 1. Are these its own maps and filters, on one scale, with zero in the middle?
# 2. How many units are dead? How many say the same?
# 3. How much is still the initialization?
# 4. What does the same picture look like for an untrained network?
# 5. What happens when the thing in the picture is taken away?

# %% [markdown]
# ## Exercises
#
# Write your solution in place of `raise NotImplementedError`, run the cell, then run the check
# below it. It tells you what is not right yet. For a hint run, for example,
# `checks.receptive_field.hint()`.
#
# ### Exercise 1: the receptive field
#
# Return how many input pixels, along one axis, one output of a stack of layers depends on. The
# layers (convolutions and poolings alike) are listed from the input on: `kernel_sizes` and
# `strides`. For the deep network, `receptive_field([5, 2, 5, 2], [1, 2, 1, 2])` is 16.
#
# *Hint:* begin with `field = 1` and `jump = 1`, the distance between neighbors. What does a layer
# add to the field, and what does its stride do to the jump?


# %%
def receptive_field(kernel_sizes, strides):
    """Return a number of pixels."""
    ### BEGIN SOLUTION
    field, jump = 1, 1
    for kernel_size, stride in zip(kernel_sizes, strides, strict=True):
        field += (kernel_size - 1) * jump
        jump *= stride
    return field
    ### END SOLUTION


# %%
checks.receptive_field(receptive_field)

# %% [markdown]
# ### Exercise 2: filters as grays
#
# Scale filters of shape (F, height, width) to grays between 0 (black) and 1 (white), with zero at
# the middle gray 0.5. One scale for all of them: the weight with the largest magnitude becomes
# black or white. If all weights are zero, all grays are 0.5.
#
# *Hint:* divide by the largest magnitude of all filters together. Then the values lie between −1
# and 1, and have to get to between 0 and 1.


# %%
def normalize_for_display(filters):
    """Return an array of the same shape, with values from 0 to 1."""
    ### BEGIN SOLUTION
    largest = np.abs(filters).max()
    if largest == 0:
        return np.full(filters.shape, 0.5)
    return 0.5 + filters / (2 * largest)
    ### END SOLUTION


# %%
checks.normalize_for_display(normalize_for_display)

# %% [markdown]
# ### Exercise 3: learned, or still the start?
#
# Return the correlation (Pearson's) of each learned filter with its own start, an array of shape
# (F,). Both arguments have the shape (F, channels, height, width), and all weights of a filter
# count together.
#
# *Hint:* flatten each filter. `np.corrcoef(a, b)` of two rows is a 2 × 2 table: which of its four
# numbers do you need?


# %%
def filter_start_correlation(initial, learned):
    """Return an array of shape (F,)."""
    ### BEGIN SOLUTION
    pairs = zip(initial, learned, strict=True)
    return np.array([np.corrcoef(a.ravel(), b.ravel())[0, 1] for a, b in pairs])
    ### END SOLUTION


# %%
checks.filter_start_correlation(filter_start_correlation)

# %% [markdown]
# ### Exercise 4: the most exciting place
#
# The heart of section 6.4. Return three integers `(image, row, column)`: where a channel's
# largest value stands in `maps`, which has the shape (images, channels, height, width).
#
# *Hint:* `argmax` counts through the flattened array, and `np.unravel_index` turns the count into
# a place.


# %%
def most_exciting(maps, channel):
    """Return (image, row, column)."""
    ### BEGIN SOLUTION
    one_channel = maps[:, channel]
    return np.unravel_index(one_channel.argmax(), one_channel.shape)
    ### END SOLUTION


# %%
checks.most_exciting(most_exciting)

# %% [markdown]
# ## Recap
#
# - Filters are drawn on one scale, with colors that have a middle. A filter answers most to white
#   under its positive weights and black under its negative ones.
# - Maps come from the network itself. Drawn with a flipped kernel they are other maps.
# - Deeper, maps shrink, receptive fields grow, answers get rarer, and what excites a unit goes
#   from edges to parts. The data show it when the filters do not.
# - A control belongs to every picture: random filters, the untrained network, the start. Much of
#   what looks learned was there before.
# - On small digits, random filters read nearly as well as learned ones; single filters can be
#   spared; and pooling protects little against shifts. Measure before you believe a picture, this
#   lesson's included.
#
# ## Sources
#
# - M. D. Zeiler, R. Fergus: *Visualizing and understanding convolutional networks.* ECCV 2014
#   ([arXiv:1311.2901](https://arxiv.org/abs/1311.2901)): patches that excite a unit most.
# - K. Jarrett et al.: *What is the best multi-stage architecture for object recognition?* ICCV
#   2009 ([doi:10.1109/ICCV.2009.5459469](https://doi.org/10.1109/ICCV.2009.5459469)); A. M. Saxe
#   et al.: *On random weights and unsupervised feature learning.* ICML 2011: random filters.
# - A. S. Morcos et al.: *On the importance of single directions for generalization.* ICLR 2018
#   ([arXiv:1803.06959](https://arxiv.org/abs/1803.06959)): units with a clear favorite are not
#   more important than others.
# - J. Adebayo et al.: *Sanity checks for saliency maps.* NeurIPS 2018
#   ([arXiv:1810.03292](https://arxiv.org/abs/1810.03292)): compare with the untrained network.
# - A. Azulay, Y. Weiss: *Why do deep convolutional networks generalize so poorly to small image
#   transformations?* JMLR 20, 2019 ([arXiv:1805.12177](https://arxiv.org/abs/1805.12177)); R.
#   Zhang: *Making convolutional networks shift-invariant again.* ICML 2019
#   ([arXiv:1904.11486](https://arxiv.org/abs/1904.11486)).
# - L. Lu et al.: *Dying ReLU and initialization: theory and numerical examples.* 2019
#   ([arXiv:1903.06733](https://arxiv.org/abs/1903.06733)): units that are dead from the start.
# - Y. LeCun et al.: *Gradient-based learning applied to document recognition.* Proceedings of the
#   IEEE 86, 1998 ([doi:10.1109/5.726791](https://doi.org/10.1109/5.726791)): MNIST.
# - Digits: E. Alpaydin, C. Kaynak, *Optical Recognition of Handwritten Digits*, UCI, 1998
#   ([doi:10.24432/C50P49](https://doi.org/10.24432/C50P49)).
#
# **Next:** these were the five core lessons. What follows builds on them: a deeper network
# trained to the end, kernels that compete, your own handwriting, and, for what this lesson began,
# *what does it look at?*
