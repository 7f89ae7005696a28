# %% [markdown]
# # Lesson 5 · Filters and feature maps
#
# A trained network is a heap of numbers that nobody wrote down. In this lesson you open two of
# them and look: at the filters, at what they make of a digit, at what the deeper layers respond
# to. Pictures are easy to believe. So the claims that matter are held against a **control**: the
# same picture, or the same number, where there is nothing to find.
#
# **What you will be able to do**
#
# - draw a layer's filters so that they can be compared, and say what a filter responds to most;
# - show a network's own feature maps, before and after ReLU and pooling, in any layer;
# - find the pieces of the data that excite a channel deep in a network;
# - play a training back, and say when it learned to read and when its filters took shape;
# - tell with a number how much of a filter was learned and how much is still its random start;
# - choose the control that a claim about a filter needs.
#
# **What you need:** lessons 1 to 4 (cross-correlation, edge kernels, layers, training).
#
# **How long it takes:** about 55 minutes in two sittings, 25 for sections 1 to 4 (one layer) and
# 30 for sections 5 to 8 (deeper, and what was learned; the break is marked), and 20 more for the
# exercises.
#
# ← [Lesson 4: Training](04_training.ipynb) ·
# [Lesson 6: A deeper network](06_deeper_network.ipynb) → ·
# [Solutions](solutions/05_filters_and_feature_maps.ipynb)

# %%
from itertools import product

import numpy as np
from scipy.signal import convolve2d, correlate2d

from cnnedu import SGD, Momentum, Sequential, checks, evaluate, fit, load_checkpoints
from cnnedu import visualization as viz
from cnnedu.architectures import build
from cnnedu.data import load_digits, load_recorded
from cnnedu.kernels import KERNELS
from cnnedu.layers import Dense, Dropout, Flatten, ReLU
from cnnedu.training import WeightRecorder
from cnnedu.visualization.filters import filter_correlations
from cnnedu.widgets import LayerExplorer

data = load_digits()

# %% [markdown]
# ## 1. Two networks to look into
#
# We train several networks, so training gets a function of its own. One thing in it is unusual:
# it computes in float64, where rounding errors are too small to show, so that your numbers are
# those of the text.


# %%
def in_double_precision(network):
    """Turn a network's weights into float64, and return it."""
    for layer in network:
        layer.params = {name: array.astype(np.float64) for name, array in layer.params.items()}
    return network


def train(network, examples, optimizer, epochs, batch_size, callbacks=()):
    """Train a network, always with the same order of the images, and return it."""
    order = np.random.default_rng(0)
    options = {"epochs": epochs, "batch_size": batch_size, "callbacks": callbacks}
    network = in_double_precision(network)
    fit(network, examples, optimizer=optimizer, rng=order, progress=False, **options)
    return network


# %% [markdown]
# The **small** network has six filters of 3 × 3, pooling, and one dense layer; no bias, no ReLU.
# You know it from lesson 4. The **deep** one has two convolution layers of 32 filters, 5 × 5, ReLU
# after both, and two dense layers. The same seed builds the same start a second time, and so we
# have an **untrained** twin of it. A `WeightRecorder` keeps the small one's weights after every
# second step, for section 7.


# %%
def train_small(network, examples, callbacks=()):
    """Train a network of the small kind: 10 epochs."""
    return train(network, examples, Momentum(0.05), 10, batch_size=25, callbacks=callbacks)


recorder = WeightRecorder(every=2)
small = train_small(build("notebook", rng=np.random.default_rng(0)), data.train, [recorder])
deep = build("lasagne", rng=np.random.default_rng(1))
deep = train(deep, data.train, Momentum(0.02, nesterov=True), epochs=12, batch_size=50)
untrained = in_double_precision(build("lasagne", rng=np.random.default_rng(1)))

# %%
for name, network in {"small": small, "deep": deep, "untrained": untrained}.items():
    accuracy = evaluate(network, data.test).accuracy
    print(f"{name:9} {network.parameter_count:7,} parameters, {accuracy:.1%} right")

# %% [markdown]
# Keep in mind how fine this ruler is. There are 360 test digits, so one digit is 0.28 percentage
# points, and the standard error of lesson 4 is 1.4 points at 92 %. Two accuracies that differ by
# one point differ by three or four digits, which means little.

# %% [markdown]
# ## 2. Filters as pictures
#
# ### 2.1 Colors can lie
#
# A filter is a small grid of numbers, so it can be drawn as a small picture. Here are three
# filters whose numbers you can judge without a picture. The first is a strong edge kernel, the
# second a weak one. The third has no negative number at all: it is a blur, with its left side
# slightly stronger.
#
# Most plotting commands stretch each picture from *its own* smallest to *its own* largest value:
# $(w - \min) / (\max - \min)$.
#
# **Predict, then run.** What becomes of the three?

# %%
three = np.array([[[9, -9], [9, -9]], [[1, -1], [1, -1]], [[9, 7], [9, 7]]])
low, high = three.min(axis=(1, 2), keepdims=True), three.max(axis=(1, 2), keepdims=True)
stretched = (three - low) / (high - low)
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
# its largest weight in the middle, so it responds to bright spots and strokes. Filter 1 is mostly
# negative. Filters 0 and 4 are pale, since their weights are small.
#
# Now the 32 filters of the deep network's first layer, 5 × 5 each.

# %%
viz.plot_filters(deep, columns=8)

# %% [markdown]
# **What you see.** Some have a clear order, a blue side and a yellow side: 1 and 3 from top to
# bottom, 2 and 16 from left to right, 15 and 18 slanted. Others, like 17 or 20, are gray
# speckles. This is a first impression. Section 4 shows how well things fit where there is nothing
# to find.

# %% [markdown]
# ### 2.3 What does a filter respond to most?
#
# The response at one place is $\sum_{u,v} w[u, v] \cdot x[u, v]$. Pixels lie between 0 (black)
# and 1 (white). Which patch makes the sum as large as possible? Take each pixel by itself: under a
# positive weight it should be as bright as possible, under a negative one as dark as possible. So
# the most exciting patch is **white under the positive weights and black under the negative
# ones**, and the response is the sum of the positive weights.
#
# **Predict, then run.** The largest and the smallest possible response of the filter below, and
# its response to an all-white patch? We try all $2^9 = 512$ patches of black and white.

# %%
weights = np.array([[-1, 0, 2], [-2, 0, 3], [-1, 0, 1]])
patches = np.array(list(product([0, 1], repeat=9)))
responses = patches @ weights.ravel()
print(f"{len(patches)} patches: responses from {responses.min()} to {responses.max()}")
print("all white:", responses[-1])

# %% [markdown]
# $2 + 3 + 1 = 6$ at most, $-1 - 2 - 1 = -4$ at least, and $6 - 4 = 2$ for all white, the sum of
# all weights. (Grays lie between black and white, and so do the responses to them.)
#
# So a filter is itself a picture of what excites it most: read yellow as "white here" and blue as
# "black here". Does it find that in real digits? The function below goes through all training
# images and cuts out the patches to which each filter responds most, at most one from each image.

# %%
viz.plot_exciting_patches(small, data.train.images, "conv1", range(6), 8)

# %% [markdown]
# **What you see.** Row 3 has black on the left and white on the right, as filter 3 has blue and
# yellow. Row 2 is white at the upper left. Rows 0 and 5 are corners of strokes, row 4 is the
# upper border of a stroke. Row 1 is black but for the lower right pixel, which lies under filter
# 1's largest positive weight, 0.52.

# %% [markdown]
# ## 3. One image through every filter
#
# ### 3.1 The network's own maps
#
# A **feature map** is what one filter makes of an image: its responses at all places. The package
# hands out every layer's output by name. Two digits go through the small network:

# %%
zero, seven = data.test.images[33:34], data.test.images[39:40]
outputs = small.activations(np.concatenate([zero, seven]))
for name, output in outputs.items():
    print(f"{name:9} {output.shape}")

# %% [markdown]
# Two images, six channels, 26 × 26 places where a 3 × 3 kernel fits. Are these numbers what
# lesson 1 taught, the cross-correlation of the image with each filter? We check against SciPy.

# %%
maps, filters = outputs["conv1"], small["conv1"].params["weight"][:, 0]
for f in range(6):
    assert np.allclose(maps[0, f], correlate2d(zero[0, 0], filters[f], mode="valid"))
    assert np.allclose(maps[1, f], correlate2d(seven[0, 0], filters[f], mode="valid"))
print("12 maps, all equal to SciPy's correlate2d")

# %%
viz.plot_feature_maps(small, zero, "conv1", columns=7)

# %% [markdown]
# **What you see.** A zero has borders in all directions, which makes it a good test picture.
# Filter 3 draws its left borders in yellow (dark on the left, bright on the right), its right
# borders in blue, and says little at the top and bottom. Filter 2 is yellow at borders on the
# lower right and blue on the upper left. Filter 5 repaints the digit, filter 1 its negative.
#
# The same six filters, another image:

# %%
viz.plot_feature_maps(small, seven, "conv1", columns=7)

# %% [markdown]
# **What you see.** Other places, the same colors: left borders are yellow in map 3 and right ones
# blue. **A filter computes the same thing everywhere, in every image.**
#
# And the zero through the 32 filters of the deep network:

# %%
viz.plot_feature_maps(deep, zero, "conv1")

# %% [markdown]
# **What you see.** Maps of the pale filters are pale. The others are outlines, as if lit from
# different sides: 16 from the right, 2 from the left, 3 from below, 18 from the upper right. Look
# at the background, too. In map 27 it is bluish. Where the image is black the sum is zero, and
# what remains is the filter's bias.

# %% [markdown]
# ### 3.2 Maps that are not the network's own
#
# It is easy to draw maps with SciPy's `convolve2d` by mistake. That function flips the kernel
# (lesson 1). The network's layer does not.
#
# **Predict, then run.** For which of the six filters will the flipped maps look alike, and for
# which will they have the opposite sign? Look at the filters above, and turn each by half a turn
# in your mind.

# %%
flipped = np.array([convolve2d(zero[0, 0], filters[f], mode="valid") for f in range(6)])
viz.plot_rows({"own": maps[0], "flipped": flipped}, [f"filter {f}" for f in range(6)])

# %% [markdown]
# **What you see.** Filters 2 and 3 turn almost into their negatives, and so do their maps: what
# the network has as a left border appears as a right border. Filters 1, 4 and 5 are strongest in
# the middle, which stays where it is, and their maps change less. Nothing in the flipped maps
# tells which of them are wrong.
#
# How much does it matter? We put the flipped filters into the network itself. The function
# measures, and puts things back afterward.


# %%
def accuracy_with(network, layer, weights):
    """Return the test accuracy with other weights in a layer, then put its own back."""
    own = network[layer].params["weight"]
    kept = own.copy()
    own[...] = weights
    accuracy = evaluate(network, data.test).accuracy
    own[...] = kept
    return accuracy


for name, network in {"small": small, "deep": deep}.items():
    own = network["conv1"].params["weight"].copy()
    turned = accuracy_with(network, "conv1", own[:, :, ::-1, ::-1])
    print(f"{name:5}: own {accuracy_with(network, 'conv1', own):.1%}, flipped {turned:.1%}")

# %% [markdown]
# The small network loses about ten points. The deep one reads no more digits than by guessing. So
# take the maps from the network itself (`network.activations`), and what you draw is what it
# computes with.

# %% [markdown]
# ## 4. Known kernels?
#
# Lesson 2 promised that you would meet hand-made kernels again. Filter 3 looks like Sobel. How
# alike are they? The **correlation coefficient** of two filters says: take each filter's mean off
# its weights, then compare the directions (the cosine of the angle). 1 is the same pattern, −1
# the negative, 0 nothing in common. It looks at the pattern only. Size and mean are left out, the
# very things that stretched colors left out: the three filters of section 2.1 would be equal.

# %%
print("the three of 2.1:", np.corrcoef(three.reshape(3, 4))[0].round(2))

names = [name for name in KERNELS if name != "box_blur"]  # constant: it has no pattern
known = np.array([KERNELS[name].ravel() for name in names])


def likeness(filters):
    """Return the correlation of 3 x 3 filters with every known kernel, (filters, kernels)."""
    rows = filters.reshape(-1, 9)
    return np.corrcoef(rows, known)[: len(rows), len(rows) :]


alike = likeness(filters)
for f, best in enumerate(np.abs(alike).argmax(axis=1)):
    print(f"filter {f}: {alike[f, best]:5.2f} with {names[best]}")

# %% [markdown]
# Filter 3 is Sobel to 0.97, filter 2 the negative of emboss, filter 5 a Gaussian spot. And filter
# 4 is a Gaussian to 0.83, filter 0 a vertical edge to 0.55. Six filters, six discoveries?
#
# Each filter was compared with 13 kernels, and the best was kept. **With many kernels to choose
# from, something always fits.** How well does something fit where there is nothing to find?
#
# **Predict, then run.** Take nine random numbers as a filter. Guess its best correlation, in
# absolute value, among the 13 kernels.

# %%
random_filters = np.random.default_rng(5).normal(size=(2000, 3, 3))
by_chance = np.abs(likeness(random_filters)).max(axis=1)
limit = np.quantile(by_chance, 0.95)
print(f"half of the random filters reach {np.median(by_chance):.2f}, 1 in 20 {limit:.2f}")

# %%
small_start = build("notebook", rng=np.random.default_rng(0))["conv1"].params["weight"]
best_match = {
    "random (200 of them)": by_chance[:200],
    "the six at the start": np.abs(likeness(small_start)).max(axis=1),
    "the six after training": np.abs(alike).max(axis=1),
}
levels = {"1 in 20 by chance": limit}
viz.plot_spread(best_match, "best correlation with a hand-made kernel", levels=levels)

# %% [markdown]
# **What you see.** Half of the random filters reach 0.56, and one in twenty 0.81. At the start,
# our six lie among them. After training, filters 2, 3 and 5 lie well above the limit, where not
# even one of six would be by chance. Filters 1 and 4 are on the border. And the 0.55 of filter 0
# means *nothing*: half of the random filters do as well.
#
# This is what a control is for. A number without its control is half a number.
#
# ---
#
# **A good place for a break.** You have seen one layer: its filters, its maps, and how to test
# what you believe you see. The second half goes deeper, and asks what was learned.

# %% [markdown]
# ## 5. Before and after ReLU and pooling
#
# Between the first filters of the deep network and the second stand ReLU (negative values become
# 0) and max pooling (each 2 × 2 window keeps its largest value). Here are the three steps for the
# six filters with the largest weights. The maps are 24 × 24 after `conv1`. What sizes are they
# after `relu1` and `pool1`, and what happens to the blue lines?

# %%
sizes = np.linalg.norm(deep["conv1"].params["weight"].reshape(32, -1), axis=1)
strongest = np.sort(np.argsort(-sizes)[:6])
outputs = deep.activations(zero)
steps = {name: outputs[name][0, strongest] for name in ("conv1", "relu1", "pool1")}
print({name: output.shape for name, output in steps.items()})
viz.plot_rows(steps, [f"filter {f}" for f in strongest])

# %% [markdown]
# **What you see.** ReLU takes the blue away, and the size stays. What is left of a map is only
# what excites its filter. Pooling halves the size; the lines stay, thicker and coarser.

# %% [markdown]
# ## 6. Deeper layers
#
# ### 6.1 What a unit deep in the network sees
#
# Two words: a **channel** is one map; a **unit** is one number of it, at one place. (In a dense
# layer every number is a unit.) A unit of `conv1` is computed from 5 × 5 pixels. That region is
# its **receptive field**. A unit of `conv2` is computed from 5 × 5 units of `pool1` in each
# channel; those lie two pixels apart, and each of them saw some pixels itself.
#
# **Predict, then run.** How many pixels does a unit of `pool1` see, how many one of `conv2`?
# (Exercise 1 asks for the general rule.)

# %%
viz.plot_network(deep)

# %% [markdown]
# **What you see.** From layer to layer the maps shrink, 24, 12, 8, 4, and what a unit sees grows:
# 5, 6, 14, 16 pixels. `pool1` sees 6: two neighbors in `conv1` see 5 pixels each, one step apart.
# In `conv2`, the first of five units of `pool1` sees pixels 0 to 5, the last one pixels 8 to 13:
# 14 in all. And `pool2` adds a neighbor two pixels on: 16. After `flatten1` there is no place any
# more; every unit of `dense1` sees the whole image.

# %%
viz.plot_receptive_field(zero, network=deep, layer="conv2", row=1, column=2)

# %% [markdown]
# **What you see.** The unit of `conv2` in row 1, column 2 of its map sees 14 × 14 pixels, half of
# the image in each direction: room for a piece of a digit. What lies outside the frame cannot
# influence it.

# %% [markdown]
# ### 6.2 Deeper filters, deeper maps
#
# One filter of `conv2` has 32 channels of 5 × 5 weights, one for each map of `pool1`. Each is
# cross-correlated with its own map, and the 32 results are added up. That makes 800 weights in a
# filter, and there are 32 such filters: too many to read. Their *maps* can be looked at all the
# same:

# %%
viz.plot_feature_maps(deep, zero, "relu2")

# %% [markdown]
# **What you see.** 8 × 8 numbers each, most of them zero (the darkest color), some maps
# altogether. The others are above zero at a few places of the digit, each at its own. The map says
# *where*. We still need the *what*.

# %% [markdown]
# ### 6.3 Ask the data
#
# We do the same as in section 2.3 (and as Zeiler and Fergus did, 2014): run all 1,437 training
# images through the network, and cut out what a channel saw where it responded most, now 14 × 14
# pixels. These are the first six channels, not the six most beautiful ones. Over each patch
# stands the digit it comes from.

# %%
viz.plot_exciting_patches(deep, data.train.images, "conv2", range(6), 10, labels=data.train.labels)

# %% [markdown]
# **What you see.** Within a row the patches are alike, though each is from another image. Channel
# 0 has a small loop above and black below, as in 9 and 6. Channel 1 has the right border of a
# stroke, nearly always of a 1, channel 2 the upper right of a loop, nearly always of a 6. Channel
# 3 has a closed loop, wherever it occurs: in 6, 8, 9 and 0. Channel 4 has a winding stroke, as in
# 3 and 5.
#
# It looks as if edges had become **parts** of digits. Some seem to belong to one digit, others are
# shared by several.
#
# Six channels of 32, and one layer. Look at the others yourself: choose a layer, a channel and a
# test image. **Predict, then try.** Of which digits will channel 3, the one for loops, have a
# bright map, and where in them?

# %%
explorer = LayerExplorer(deep, *data.test, layer="conv2")
explorer.unit, explorer.image = 3, 33
explorer

# %% [markdown]
# **What you see** (where nothing is live, a still). Channel 3 on a zero. Its kernel is 32 grids of
# 5 × 5, and its map is largest near the lower left, where it sees what is framed: the bend of the
# loop. Live, all maps of the layer stand below, and image and layer can be changed. (The explorer
# calls a channel a *unit*.)

# %% [markdown]
# ### 6.4 The same picture from a network that knows nothing
#
# Now the control. The untrained twin has random filters in both layers.
#
# **Predict, then run.** What will the patches look like that excite *its* channels most?

# %%
viz.plot_exciting_patches(
    untrained, data.train.images, "conv2", range(6), 10, labels=data.train.labels
)

# %% [markdown]
# **What you see.** Channel 3 seems to like the right side of a zero, channel 4 the stroke of 1
# and 3. Had we seen only this picture, we would have told a story about it. **Some patches excite
# any channel most**, and they resemble each other, because similar patches get similar responses
# from a random filter, too. (Adebayo et al., 2018, ask for this control wherever a network is
# explained by pictures.)
#
# So the picture alone does not show that something was learned. A number has to. For each channel
# we take its largest response on each training image, and then the 50 images with the largest. If
# the channel goes with a digit, one digit should fill them.


# %%
def strengths(network):
    """Return each channel's largest response on each training image, by layer."""
    found = {"conv1": [], "conv2": [], "dense1": []}
    for start in range(0, len(data.train), 100):
        outputs = network.activations(data.train.images[start : start + 100])
        for name, parts in found.items():
            parts.append(outputs[name].reshape(*outputs[name].shape[:2], -1).max(axis=2))
    return {name: np.concatenate(parts) for name, parts in found.items()}


strong = strengths(deep)
top = np.argsort(-strong["conv2"][:, 3])[:50]
print("channel 3, how often 0, 1, ... 9:", np.bincount(data.train.labels[top], minlength=10))

# %% [markdown]
# No single digit fills them: 0 and 6 have 16 each, 8 and 9 have 8 each. Channel 3 goes with
# loops. The share of its most frequent digit is 16 of 50, or 32 %. The mean of this share over
# all channels, for the trained network and, as a control, for three networks with random weights:


# %%
def favorite_share(strength, count=50):
    """Return the share of the most frequent digit in the top images, mean over the channels."""
    top = np.argsort(-strength, axis=0)[:count]
    return np.mean([np.bincount(labels).max() for labels in data.train.labels[top].T]) / count


drawn = favorite_share(np.random.default_rng(0).random((len(data.train), 500)))
print(f"50 images drawn at random: {drawn:.0%}")
controls = [build("lasagne", rng=np.random.default_rng(seed)) for seed in (1, 2, 3)]
controls = [strengths(in_double_precision(each)) for each in controls]
for layer in ("conv1", "conv2", "dense1"):
    low, *_, high = sorted(favorite_share(each[layer]) for each in controls)
    print(f"{layer:6}: trained {favorite_share(strong[layer]):.0%}, random {low:.0%} to {high:.0%}")

# %% [markdown]
# In 50 images drawn at random, the most frequent digit has 17 %. In networks with random weights
# it has a third in the first layer and half in the last: random channels have favorites. Training
# adds hardly anything in the first layer (there are edges in every digit), ten points or more in
# the second, and most in the dense layer, where three of four images show the same digit. **From
# edges to parts to digits**: there is something in it, and less than the pictures made it look.

# %% [markdown]
# ## 7. Learned, or still the initialization?
#
# A filter starts as random numbers. After training it is a picture in which people see things.
# How much of the picture was there before? Ask each filter for its correlation with its own
# start: near 1, it still has the pattern of its start. (Exercise 3 asks you to write this.)
#
# ### 7.1 After 25 steps
#
# Suppose we stop early, after 25 steps of 10 images with plain gradient descent and a learning
# rate of 0.1, much as in section 6 of lesson 4, and then draw the six filters. The start is that
# of our small network.
#
# **Predict, then run.** How large will the six correlations be?

# %%
early = build("notebook", rng=np.random.default_rng(0))
early = train(early, data.train[:250], SGD(0.1), epochs=1, batch_size=10)
viz.plot_init_vs_learned(small_start, early["conv1"])

# %% [markdown]
# **What you see.** Five of six correlations are 0.88 or more; the exception, 0.69, is filter 3,
# our later Sobel. The upper and the middle row show the same patterns, stronger, or shifted as a
# whole: filter 1 got darker everywhere, filter 5 brighter, which a correlation does not notice.
# Only filter 2 shows the beginning of its diagonal in the difference. Most of what one might read
# into these filters was there before the first image was seen.

# %% [markdown]
# ### 7.2 The time machine
#
# Our small network set out from the same start and went on for ten epochs, 580 steps. The recorder
# of section 1 watched. `animate_training` plays its copies: the filters on one scale, and the share
# of test digits read with just these weights, over the steps on a logarithmic axis.
#
# **Predict, then run.** Which comes first: filters in which you see something, or a good reader?

# %%
film = viz.animate_training(recorder, network=small, data=data.test)
film

# %% [markdown]
# Five of its moments, side by side:

# %%
film.still()

# %% [markdown]
# **What you see.** The reader. After 12 steps the network reads three of four digits, with filters
# hardly less pale than at the start. (How far a dense layer gets with filters that never learn,
# section 7.5 measures.) Then the filters take shape: 1, 2 and 5 by step 48, and filter 3, our
# Sobel, by step 144, at 88 %. From there on the patterns stay and the weights grow.
#
# How much of the start is left at the end? With nine weights, two filters that have nothing to do
# with each other correlate by some amount, too. So the control is pairs of random filters.

# %%
pairs = np.random.default_rng(7).normal(size=(2, 2000, 3, 3))
unrelated = filter_correlations(pairs[0], pairs[1])
kept = {
    "unrelated (200 pairs)": unrelated[:200],
    "after 25 steps": filter_correlations(small_start, early["conv1"].params["weight"]),
    "after 10 epochs": filter_correlations(small_start, small["conv1"].params["weight"]),
}
of_six = unrelated[:1998].reshape(333, 6).mean(axis=1)
print(f"mean of six unrelated pairs: 1 time in 20 above {np.quantile(of_six, 0.95):.2f}")
print(f"mean of our six after 10 epochs: {kept['after 10 epochs'].mean():.2f}")
levels = {"1 in 20 by chance": np.quantile(unrelated, 0.95)}
viz.plot_spread(kept, "correlation with the start", levels=levels)

# %% [markdown]
# **What you see.** Unrelated 3 × 3 filters scatter around 0, and one pair in twenty lies above
# about 0.6. After 25 steps all six filters are beyond that: they still have the pattern of their
# start. After ten epochs only filter 2 is. Of a single one of the others nobody can say whether
# anything of its start is left. All six together tell: their mean, 0.47, is beyond what six
# unrelated pairs reach. So chance had a say in what they became, before the first step.

# %% [markdown]
# ### 7.3 On MNIST
#
# Our 1,437 digits are few. With the tens of thousands of MNIST a training takes minutes and needs
# the data, so it was done once and recorded: the small network for 25 steps, the small one trained
# properly, and the deep one, each from several seeds.

# %%
small_runs, deep_runs = load_recorded("notebook-mnist"), load_recorded("lasagne-mnist")
print("command:        ", small_runs["command"])
print("small, properly:", small_runs["properly_recipe"])
print("deep:           ", deep_runs["recipe"])
runs = {
    "small, 25 steps": small_runs["as_written"],
    "small, properly": small_runs["properly"],
    "deep": deep_runs["runs"],
}
for name, group in runs.items():
    accuracies = [run["test_accuracy"] for run in group]
    print(f"{name:15}: {len(group):2} runs, {min(accuracies):.1%} to {max(accuracies):.1%} right")

# %% [markdown]
# This time the control comes from the same runs: each learned filter with the start of *another*
# filter, its neighbor.

# %%
groups = {}
for name, group in runs.items():
    groups[name] = np.concatenate([run["filter_start_correlation"] for run in group])
    if "filters" in group[0]:
        starts = [np.roll(run["filters_at_start"], 1, axis=0) for run in group]
        learned = [np.array(run["filters"]) for run in group]
        groups[f"{name}, another's start"] = filter_correlations(
            np.concatenate(starts), np.concatenate(learned)
        )
for name, values in groups.items():
    print(f"{name:32}: lowest {values.min():5.2f}, mean {values.mean():5.2f}")
viz.plot_spread(groups, "correlation with the start, one dot per filter")

# %% [markdown]
# **What you see.** After 25 steps every filter of every run is still very near its start. A picture
# of these filters is a picture of a random number generator. After the proper training the small
# network's filters scatter widely: some are new, some have kept much of their start. With another
# filter's start they scatter around 0.
#
# And the deep network? It reads nearly all of MNIST, and its filters *still* correlate with their
# start, nearly all of them above 0.3, where those of another's start lie around 0. So even there,
# what you see is part learned, part chance. (Do not compare the two networks: their learning rates
# and times differ.)

# %% [markdown]
# ### 7.4 The time machine again: a good reader
#
# The package carries a deep network that was trained longer and better than ours (how, lesson 6
# tells), and what its weights were at some steps on the way. The accuracy is that on MNIST's test
# images.
#
# **Predict, then run.** It ends with strong, clear filters. How much of its accuracy was there
# before them?

# %%
recording = load_checkpoints("lasagne")
film = viz.animate_training(recording)
film

# %% [markdown]
# And as stills:

# %%
film.still()

# %% [markdown]
# **What you see.** At first hardly anything moves, because this training begins with a tiny
# learning rate. Then the curve climbs, and when it is nearly at the top, after 1,000 steps, the
# filters are still pale. The strong lines, edges and spots of the last moment come while the curve
# gains its last two points. In numbers, with the mean correlation of the filters with their start:

# %%
start = recording.snapshots[0]["conv1.weight"]
moments = zip(recording.steps, recording.accuracy, recording.snapshots, strict=True)
for step, accuracy, snapshot in moments:
    kept = filter_correlations(start, snapshot["conv1.weight"]).mean()
    print(f"step {step:6,}: {accuracy:.1%} right, correlation with the start {kept:.2f}")

# %% [markdown]
# After 1,000 steps the network reads 97 of 100 digits, with filters whose mean correlation with
# their start is still 0.79; after 3,000 it reads 99, and the correlation is 0.62. **To read well it
# did not have to wait for filters that look like something.** (Was the second convolution faster?
# `viz.animate_training(recording, "conv2")` plays it.) Then what are the learned filters worth at
# all?

# %% [markdown]
# ### 7.5 What are learned filters worth?
#
# The strictest control: **leave the filters random**, and train only what comes after them. That
# is easily done: compute the maps once, and train the rest on these maps as if they were the
# images.


# %%
def outputs_of(network, layer):
    """Return what a layer makes of the training images and of the test images."""
    found = []
    for images in (data.train.images, data.test.images):
        batches = [images[start : start + 100] for start in range(0, len(images), 100)]
        found.append(np.concatenate([network.activations(each)[layer] for each in batches]))
    return found


def dense_on(features, seed):
    """Train one dense layer on features instead of images, and return its test accuracy."""
    layer = Dense(features[0][0].size, 10, bias=False, rng=np.random.default_rng(seed))
    network = train_small(Sequential([Flatten(), layer]), (features[0], data.train.labels))
    return evaluate(network, (features[1], data.test.labels)).accuracy


# %% [markdown]
# Three competitors, five runs each: a dense layer on the bare *pixels*, a dense layer on the maps
# of *random* filters, and the small network with *trained* filters.
#
# **Predict, then run.** By how many percentage points do the trained filters win?

# %%
results = {"pixels alone": [], "random filters": [], "trained filters": []}
pixels = [data.train.images, data.test.images]
for seed in range(5):
    network = build("notebook", rng=np.random.default_rng(seed))
    results["pixels alone"].append(dense_on(pixels, seed))
    results["random filters"].append(dense_on(outputs_of(network, "pool1"), seed))
    trained = train_small(network, data.train)
    results["trained filters"].append(evaluate(trained, data.test).accuracy)
print({name: f"{np.mean(accuracies):.1%}" for name, accuracies in results.items()})

# %%
viz.plot_spread(results, "test accuracy", x_range=(0.90, 0.94))

# %% [markdown]
# **What you see.** The three lie within about one point, three digits of 360. Here the trained
# filters, Sobel and all, gain next to nothing over the bare pixels. A likely reason: the small
# network has no ReLU. But for the pooling it is a linear function of the pixels, as the dense
# layer is. That a network works shows nothing about its filters, and that its filters look
# sensible does not show that they help.
#
# And the deep network, which has ReLU and two layers of filters? We keep *both* convolution layers
# random, for two random starts, and train the dense layers. The control gets the same: a fresh
# dense part, trained for the same 20 epochs, on the maps of the *trained* filters.


# %%
def dense_part(seed):
    """Return the deep network's layers after the last pooling, untrained."""
    r = np.random.default_rng(seed)
    first, last = Dense(512, 256, rng=r), Dense(256, 10, rng=r)
    return Sequential([Flatten(), Dropout(0.5, rng=r), first, ReLU(), Dropout(0.5, rng=r), last])


other = in_double_precision(build("lasagne", rng=np.random.default_rng(2)))
for name, network in {"random": untrained, "random, again": other, "trained": deep}.items():
    train_maps, test_maps = outputs_of(network, "pool2")
    examples, optimizer = (train_maps, data.train.labels), Momentum(0.02, nesterov=True)
    dense = train(dense_part(3), examples, optimizer, epochs=20, batch_size=50)
    print(f"filters {name:13}: {evaluate(dense, (test_maps, data.test.labels)).accuracy:.1%}")

# %% [markdown]
# Here learning pays: with trained filters the network is about seven points ahead of both random
# ones, 24 and 26 digits of 360, far more than the ruler's error. Others found on larger scales
# how much random filters can do (Jarrett et al., 2009; Saxe et al., 2011); how much training adds
# depends on the network, and has to be measured.

# %% [markdown]
# ## 8. Take a filter away
#
# What does a network lose without a filter? Set its weights to zero and measure. This is called
# **ablation**, removal.
#
# **Predict, then run.** Look at the six filters in section 2.2 once more. Which one will be
# missed most? Filter 3, the perfect Sobel?

# %%
own = small["conv1"].params["weight"].copy()
accuracies = {"none": accuracy_with(small, "conv1", own)}
for f in range(6):
    rest = own.copy()
    rest[f] = 0
    accuracies[f"filter {f}"] = accuracy_with(small, "conv1", rest)
errors = {name: round(360 * (1 - accuracy)) for name, accuracy in accuracies.items()}
viz.plot_bars(errors, "filter taken away", "wrong answers, of 360 test digits")

# %% [markdown]
# **What you see.** With all six filters, 27 of 360 digits are misread. Without the Sobel filter
# it is 30: hardly worth mentioning. The spot filter 5, which does little more than repaint the
# digit, is missed most: 46 errors. Then comes filter 1, its negative. **How clear a filter looks
# does not tell how much depends on it.** (In larger networks, Morcos et al., 2018, found the same
# of units with a clear favorite.)
#
# What exactly did we measure? How much *this* dense layer, trained with all six, relies on each.
# Had it never had that filter, it could have learned to do without. So: take the filter away, and
# train a fresh dense layer. The control is a fresh dense layer on all six.

# %%
maps_of_small = outputs_of(small, "pool1")
print(f"all six:          {dense_on(maps_of_small, seed=0):.1%}")
for gone in range(6):
    rest = [f for f in range(6) if f != gone]
    features = [maps[:, rest] for maps in maps_of_small]
    print(f"without filter {gone}: {dense_on(features, seed=0):.1%}")

# %% [markdown]
# Nothing is lost, whichever it is: 92.8 % with all six, 92.8 to 93.9 % with five. Any single
# filter can be spared if the rest may adjust. "Important" has two meanings, *relied on* and
# *irreplaceable*, and an ablation measures only the first.
#
# The questions to put to any network, yours too:
#
# 1. Are these its own maps and filters, on one scale, with zero in the middle?
# 2. What does the same picture look like for an untrained network?
# 3. How much is still the initialization, and how much would be so by chance?
# 4. What happens when the thing in the picture is taken away, and what when the rest may adjust?
# 5. How many digits does the difference rest on?

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
# The heart of section 6.3. Return three integers `(image, row, column)`: where a channel's
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
# - Filters are drawn on one scale, with colors that have a middle. A filter responds most to white
#   under its positive weights and black under its negative ones.
# - Maps come from the network itself. Drawn with a flipped kernel they are other maps.
# - Deeper, maps shrink and receptive fields grow, and what excites a channel goes some way from
#   edges to parts. The data show it when the filters do not.
# - A control belongs to every picture: random filters, the untrained network, the start. Much of
#   what looks learned was there before, and much was read before the filters looked learned.
# - In the small network, random filters read as well as learned ones to within a point; in the deep
#   one they lose about seven points. Which filter is relied on cannot be seen, only measured.
#
# ## Sources
#
# - M. D. Zeiler, R. Fergus: *Visualizing and understanding convolutional networks.* ECCV 2014
#   ([arXiv:1311.2901](https://arxiv.org/abs/1311.2901)): patches that excite a unit most.
# - J. Adebayo et al.: *Sanity checks for saliency maps.* NeurIPS 2018
#   ([arXiv:1810.03292](https://arxiv.org/abs/1810.03292)): compare with the untrained network.
# - K. Jarrett et al.: *What is the best multi-stage architecture for object recognition?* ICCV
#   2009 ([doi:10.1109/ICCV.2009.5459469](https://doi.org/10.1109/ICCV.2009.5459469)); A. M. Saxe
#   et al.: *On random weights and unsupervised feature learning.* ICML 2011: random filters.
# - A. S. Morcos et al.: *On the importance of single directions for generalization.* ICLR 2018
#   ([arXiv:1803.06959](https://arxiv.org/abs/1803.06959)): units with a clear favorite are not
#   more important than others.
# - Y. LeCun et al.: *Gradient-based learning applied to document recognition.* Proceedings of the
#   IEEE 86, 1998 ([doi:10.1109/5.726791](https://doi.org/10.1109/5.726791)): MNIST.
# - Digits: E. Alpaydin, C. Kaynak, *Optical Recognition of Handwritten Digits*, UCI, 1998
#   ([doi:10.24432/C50P49](https://doi.org/10.24432/C50P49)).
# - The small network, its 25 steps and its maps drawn with `convolve2d` come from a public
#   notebook; the deep one has the shape of an example network of the Lasagne library.
#
# **Next:** these were the five core lessons. What follows builds on them, first
# [lesson 6](06_deeper_network.ipynb), a deeper network trained to the end. What this lesson began
# goes on in [lesson 9](09_what_does_it_look_at.ipynb): *what does it look at?*
