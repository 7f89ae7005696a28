# %% [markdown]
# # Lesson 10 · Color, sound and other grids
#
# So far every image was gray: one number at each place. In this lesson the same layers meet color
# photographs (three numbers at each place) and sound (places in a single row). Nothing is added to
# them. What changes is what we may expect of them, and so this lesson also asks what a convolution
# takes for granted, and what happens where that does not hold.
#
# **What you will be able to do**
#
# - compute by hand what a kernel with three channels answers, and say what it answers to most;
# - build kernels that see edges of color where a gray picture has none;
# - measure what color is worth in a task, and what the neighborhood of pixels is worth;
# - hide a sound in noise, find it as well as is possible at all, and compare what a network learns
#   with that;
# - say of any data whether convolution suits them, and check it with one control.
#
# **What you need:** lessons [3](03_layers.ipynb) (layers), [4](04_training.ipynb) (training) and
# [5](05_filters_and_feature_maps.ipynb) (filters and controls).
#
# **How long it takes:** about 55 minutes in two sittings, 30 for sections 1 to 9 (color) and 25 for
# sections 10 to 16 (sound, and other grids; the break is marked), and 20 more for the exercises.
#
# ← [Lesson 9: What does it look at?](09_what_does_it_look_at.ipynb) ·
# [Lesson 11: Fast convolution](11_fast_convolution.ipynb) → ·
# [Solutions](solutions/10_color_sound_and_other_grids.ipynb)

# %%
from itertools import product

import numpy as np

from cnnedu import Adam, Sequential, checks, evaluate, fit
from cnnedu import visualization as viz
from cnnedu.data import (
    MOTIF_NAMES,
    PATCH_REGIONS,
    DataError,
    hidden_motifs,
    load_cifar10,
    load_digits,
    load_photograph,
    make_motifs,
    match_kernels,
    matched_filter,
    optimal_scores,
    photograph_patches,
)
from cnnedu.kernels import kernel
from cnnedu.layers import Conv2D, Dense, Flatten, MaxPool2D, ReLU, conv2d_forward, conv2d_loops
from cnnedu.visualization.filters import filter_correlations

rng = np.random.default_rng(0)

# %% [markdown]
# ## 1. A color picture is three grids
#
# A photograph comes as an array of shape (rows, columns, 3): at each pixel stands how much red,
# green and blue there is. Our layers want the channels first, so we move that axis to the front.

# %%
flower = load_photograph("flower", color=True, size=320)
channels = flower.transpose(2, 0, 1)
print("photograph:", flower.shape, " for a layer:", channels.shape)
viz.plot_images([flower], ["flower"])

# %% [markdown]
# *Finding.* Orange petals on dark leaves that are green or bluish. Each **channel** is a picture of
# its own: white where there is much of that color.
#
# **Predict, then run.** In which of the three channels are the petals brightest, in which darkest?
# And where are they on the gray scale in the channel between?

# %%
viz.plot_rows({"channel": list(channels)}, ["red", "green", "blue"], kind="picture", largest=2.6)

# %% [markdown]
# *Finding.* The petals are nearly white in red, gray in green, dark in blue: that mixture is
# orange. The leaves are black in red. So red alone tells petals from leaves, and a network that
# sees only one gray picture has to do without that.
#
# ## 2. A kernel with three channels
#
# A kernel that looks at three channels has three channels itself: a small grid of weights for red,
# one for green, one for blue. At each place all the products are added up, over rows, columns *and*
# channels. **One kernel, one number per place, whatever the number of channels.**
#
# By hand, with a picture of 2 × 3 pixels and a kernel of 2 × 2. At the first place:
#
# - red: $1 \cdot 1 + 1 \cdot (-1) = 0$;
# - green: $0 \cdot 1 + 1 \cdot 1 = 1$;
# - blue: $0 \cdot 2 = 0$.
#
# Together $0 + 1 + 0 = 1$. **Predict** the number at the second place before you run the cell.

# %%
picture = np.array([[[1, 2, 0], [0, 1, 3]], [[2, 0, 1], [1, 1, 0]], [[0, 3, 1], [2, 0, 1]]], float)
weights = np.array([[[1, 0], [0, -1]], [[0, 1], [1, 0]], [[2, 0], [0, 0]]], float)
answer = conv2d_loops(picture[None], weights[None])
print("picture", picture.shape, "kernel", weights.shape, "answer", answer.shape)
print(answer[0, 0])

# %%
viz.plot_patch_product(picture, weights, 0, 1)

# %% [markdown]
# *Finding.* At the second place red gives $2 - 3 = -1$, green $1 + 1 = 2$, blue $3 \cdot 2 = 6$,
# together 7. The three channels go into the sum as equals. Nothing keeps them apart afterward: from
# the 7 alone nobody can say which color it came from.
#
# Two mistakes are common here. One is to expect three maps from one kernel. The other is to add the
# channels of the *picture* first:

# %%
each_channel = [conv2d_loops(picture[None, c : c + 1], weights[None, c : c + 1]) for c in range(3)]
assert np.array_equal(sum(each_channel), answer)
gray_first = conv2d_loops(picture.sum(axis=0)[None, None], weights.sum(axis=0)[None, None])
print("three maps, then added:", sum(each_channel)[0, 0], " gray first:", gray_first[0, 0])

# %% [markdown]
# Adding three maps gives the same answer, as it must: it is the same sum in another order. Adding
# the channels first does not. That is a gray picture, and color is gone before the kernel sees it.
#
# **Predict, then run.** A layer with 8 kernels of 3 × 3 reads a color picture of 16 × 16 pixels,
# padding "same". How many parameters does it have, and what is the shape of its output?

# %%
layer = Conv2D(3, 8, 3, padding="same", rng=rng)
print(layer.params["weight"].size, "weights +", layer.params["bias"].size, "biases")
print("output:", layer.output_shape((3, 16, 16)))

# %% [markdown]
# $8 \cdot 3 \cdot 3 \cdot 3 = 216$ weights and 8 biases. Only this layer notices that the picture
# was in color. The next one reads 8 channels, and does not care what they once were. You have known
# such kernels since lesson 3: the second layer of any network reads many channels.
#
# ## 3. Opponent colors
#
# The smallest kernel is 1 × 1. It sees a single pixel, and so it cannot see edges; but it sees that
# pixel in three channels. Three such kernels:
#
# - **brightness**: the mean of red, green and blue;
# - **red − green**: positive where it is reddish, negative where greenish;
# - **blue − yellow**, where yellow is the mean of red and green.
#
# Something like the last two is computed in our own eyes, behind the light-sensitive cells; they
# are called **opponent colors**. (Ewald Hering proposed them in 1878: no color looks reddish and
# greenish at once.)
#
# **Predict, then run.** What do the last two answer to a gray pixel, one with equal red, green and
# blue?

# %%
opponent = np.array([[1 / 3, 1 / 3, 1 / 3], [1, -1, 0], [-0.5, -0.5, 1]], np.float32)
print("a gray pixel:  ", (opponent @ [0.7, 0.7, 0.7]).round(6) + 0)
print("an orange pixel:", (opponent @ [1.0, 0.6, 0.2]).round(2))

# %% [markdown]
# Zero, since the weights of each of the two add up to zero. It is the same reason for which an edge
# kernel of lesson 2 answers nothing on an even surface. There the differences were taken between
# neighbors, here between channels.

# %%
names = ["brightness", "red − green", "blue − yellow"]
maps = {}
for name in ("flower", "china"):
    batch = load_photograph(name, color=True, size=320).transpose(2, 0, 1)[None]
    maps[name] = conv2d_forward(batch, opponent[:, :, None, None])[0][0]
viz.plot_rows(maps, names, kind="signed", largest=2.2)

# %% [markdown]
# *Finding.* In "red − green" the petals are bright yellow (positive: reddish) and the leaves blue.
# The roofs of the temple stand out, while the sky is next to gray, zero. In "blue − yellow" the
# petals are deep blue, which in these colors means negative: they are yellow and not blue. Bright
# sky and dark leaves are slightly positive. (A word of caution: the colors of the *map* say plus
# and minus, as everywhere in these lessons. They are not the colors of the picture.)
#
# ## 4. An edge that gray does not see
#
# Now a picture made to fool a gray eye: a red square on a green ground. The green is chosen so dark
# that both have the same gray value, by the usual recipe $0.299 \cdot \text{red} + 0.587 \cdot
# \text{green} + 0.114 \cdot \text{blue}$. Red 1 has the gray value 0.299, so the green must be
# $0.299 / 0.587 = 0.509$.

# %%
to_gray = np.array([0.299, 0.587, 0.114])
trick = np.zeros((3, 24, 24))
trick[1] = 0.299 / 0.587
trick[:, 6:18, 6:18] = np.array([1, 0, 0]).reshape(3, 1, 1)
gray_trick = np.tensordot(to_gray, trick, axes=1)
print("gray values from", gray_trick.min().round(6), "to", gray_trick.max().round(6))
viz.plot_images([trick, gray_trick], ["in color", "in gray"])

# %% [markdown]
# *Finding.* In gray there is nothing at all. No kernel whatever can find the square there.
#
# In color, the recipe of lesson 2 needs one more factor. Sobel takes the difference between right
# and left. We take it with weight 1 in red and −1 in green. Three kernels: Sobel on the gray value,
# and Sobel on each of the two opponent colors.
#
# **Predict, then run.** On the left border of the square, green turns into red from left to right.
# What does red-green Sobel answer there? (Red − green jumps from −0.509 to 1, and the right column
# of Sobel adds up to $1 + 2 + 1 = 4$.)

# %%
sobel = kernel("sobel_x")
color_of = np.array([to_gray, opponent[1], opponent[2]])
edge_kernels = color_of[:, :, None, None] * sobel
edges = conv2d_loops(trick[None], edge_kernels)[0]
edge_names = ["gray edge", "red-green edge", "blue-yellow edge"]
for name, each in zip(edge_names, edges, strict=True):
    print(f"{name:17}: largest answer {np.abs(each).max().round(3) + 0:.3f}")

# %% [markdown]
# $1.509 \cdot 4 = 6.04$, and 0 in gray. (Blue minus yellow changes too, from $-0.25$ to $-0.5$.)
# Written as a product of two parts, "which edge" and "which color", such a kernel is easily made:
# `color * sobel`. On a photograph, the temple:

# %%
china = load_photograph("china", color=True)
edges = conv2d_forward(china.transpose(2, 0, 1)[None], edge_kernels.astype(np.float32))[0][0]
strength = [np.minimum(np.abs(each), 1) for each in edges]
viz.plot_rows({"strength": strength}, edge_names, kind="amount", largest=2.6)

# %% [markdown]
# *Finding.* All three are drawn on one scale, which ends at 1. Nearly every border shows in gray,
# and trees and bushes are as busy as the temple. In red-green the temple stands out, its roofs and
# red columns, and the trees fade. With numbers, the mean strength in some regions of two
# photographs:

# %%
photographs = {name: load_photograph(name, color=True) for name in ("china", "flower")}
print(f"{'':8} {'gray':>6} {'red-green':>10} {'blue-yellow':>12}")
for thing, regions in PATCH_REGIONS.items():
    top, bottom, left, right = regions.train
    piece = photographs[regions.photograph][top:bottom, left:right].transpose(2, 0, 1)
    means = np.abs(conv2d_forward(piece[None], edge_kernels)[0][0]).mean(axis=(1, 2))
    print(f"{thing:8} {means[0]:6.3f} {means[1]:10.3f} {means[2]:12.3f}")

# %% [markdown]
# In the trees, edges of brightness are almost six times as strong as those of red and green: light
# and shadow of one green. In the petals the two are nearly equal. And in the dark leaves, edges of
# color are the *stronger* ones. Which kernel is useful depends on the picture, which is a reason to
# let it be learned.
#
# ## 5. Kernels in color
#
# How should a color kernel be drawn? As before, channel by channel, with zero in the middle. Or all
# three at once, as a color: middle gray for zero, more red for a positive weight in red, less red
# for a negative one.

# %%
viz.plot_color_filters(edge_kernels, edge_names)

# %% [markdown]
# *Finding.* In the gray edge all three channels have the same sign: negative on the left, positive
# on the right. (The right looks faintly green, since green counts most in a gray value.) The
# red-green edge is greenish on the left and reddish on the right. It waits for exactly that.
#
# Lesson 5 asked which patch excites a kernel most: white under positive weights, black under
# negative ones. In color the same argument holds for each channel by itself: **channel fully on
# where its weight is positive, off where it is negative.** We check it on a kernel of two pixels,
# by trying all $2^6 = 64$ patches whose channels are on or off.
#
# **Predict** the colors of the two pixels.

# %%
two_pixels = np.array([[[-1.0, 2]], [[3, -2]], [[1, -1]]])  # red, green, blue of two pixels
patches = np.array(list(product([0.0, 1.0], repeat=6))).reshape(64, 3, 1, 2)
answers = conv2d_loops(patches, two_pixels[None])[:, 0, 0, 0]
best = patches[answers.argmax()]
assert np.array_equal(best, two_pixels > 0)
print("largest answer:", answers.max(), "  left pixel:", best[:, 0, 0], " right:", best[:, 0, 1])

# %% [markdown]
# Left: no red, green and blue on, which is cyan. Right: red alone. The answer is $3 + 1 + 2 = 6$,
# the sum of the positive weights.
#
# ## 6. Five things in two photographs
#
# ### 6.1 The patches
#
# Time to learn something. Scikit-learn brings two photographs along, and we cut patches of 16 × 16
# pixels out of them: sky, temple and trees from one, petals and leaves from the other. To train we
# take them from the solid frames, to test from the dashed ones. No pixel is on both sides, nor any
# neighbor of one: at least 16 pixels lie between.

# %%
data = photograph_patches(16)
frames = {name: {} for name in photographs}
for thing, regions in PATCH_REGIONS.items():
    frames[regions.photograph][f"{thing}, train"] = regions.train
    frames[regions.photograph][f"{thing}, test"] = regions.test
viz.plot_regions(photographs, frames)

# %% [markdown]
# *Finding.* For each thing one region on the left and one on the right of the same photograph. The
# trees to test on are even of another kind, a tall dark one instead of bushes. And the temple is
# learned from its darker side.

# %%
print(len(data.train), "patches to train (overlapping),", len(data.test), "to test (side by side)")
shown = [data.test.images[data.test.labels == label][7::12][:5] for label in range(5)]
rows = dict(zip(data.class_names, map(list, shown), strict=True))
viz.plot_rows(rows, kind="picture", largest=0.8)

# %% [markdown]
# *Finding.* Sky and leaves are smooth, trees and temple full of detail. By color, petals stand
# alone, and temple and trees share their dark tones. The mean colors say it in numbers:

# %%
for label, name in enumerate(data.class_names):
    parts = [part.images[part.labels == label] for part in (data.train, data.test)]
    pair = [images.mean(axis=(0, 2, 3)).round(2) for images in parts]
    print(f"{name:7} to train {pair[0]}, to test {pair[1]}")

# %% [markdown]
# The trees to test on (0.22, 0.23, 0.18) are on average as dark as the temple to train from (0.23,
# 0.19, 0.16), and darker than the trees to train from. That will make trouble.
#
# **Predict.** Which two things will be confused most? And in gray?
#
# ### 6.2 Baselines first
#
# Before training a network, ask what less can do. The least is to guess: always to say "sky" is
# right for 90 of the 368 test patches, one in four. Next, the **mean color** of a patch, three
# numbers, and one dense layer on them.


# %%
def train(network, images, labels, epochs, rate, seed):
    """Train a network, and return it."""
    options = {"epochs": epochs, "batch_size": 25, "progress": False}
    fit(network, (images, labels), optimizer=Adam(rate), rng=np.random.default_rng(seed), **options)
    return network


def mean_color(images):
    """Return the mean of each channel, (N, 3, 1, 1)."""
    return images.mean(axis=(2, 3), keepdims=True)


results = {"mean color": []}
for seed in range(4):
    three_numbers = Sequential([Flatten(), Dense(3, 5, rng=np.random.default_rng(seed))])
    train(three_numbers, mean_color(data.train.images), data.train.labels, 40, 0.03, seed)
    test = mean_color(data.test.images), data.test.labels
    results["mean color"].append(evaluate(three_numbers, test).accuracy)
print(f"mean color: {np.mean(results['mean color']):.2f}")

# %% [markdown]
# Nearly four patches of five, from three numbers, without a look at a single edge. Any network has
# to be compared with that, not with guessing.
#
# ### 6.3 A small network, and what it is given
#
# Three convolution layers with padding "same", two poolings, a dense layer. Color or gray, only
# the first layer differs.


# %%
def small_network(in_channels, seed):
    """Return an untrained network for patches of 16 x 16 pixels and five classes."""
    r = np.random.default_rng(seed)
    first = [Conv2D(in_channels, 8, 3, padding="same", rng=r), ReLU(), MaxPool2D(2)]
    second = [Conv2D(8, 16, 3, padding="same", rng=r), ReLU(), MaxPool2D(2)]
    third = [Conv2D(16, 16, 3, padding="same", rng=r), ReLU(), Flatten(), Dense(256, 5, rng=r)]
    return Sequential(first + second + third, input_shape=(in_channels, 16, 16))


print(small_network(3, seed=0).summary())

# %% [markdown]
# It gets the same patches in three forms.
#
# - **color**: as they are;
# - **gray**: what is color worth?
# - **shuffled**: the 256 pixels of each patch, colors and all, in random order, a new order for
#   every patch. What remains is which colors occur, and how often. What is the *neighborhood*
#   worth?


# %%
def as_gray(images):
    """Return the gray values, (N, 1, H, W)."""
    return np.tensordot(images, to_gray.astype(np.float32), axes=(1, 0))[:, None]


def shuffled(images):
    """Return each patch with its pixels in a random order of its own."""
    pixels = images.reshape(len(images), 3, -1)
    order = np.random.default_rng(7).permuted(np.tile(np.arange(256), (len(images), 1)), axis=1)
    return np.take_along_axis(pixels, order[:, None], axis=2).reshape(images.shape)


four = data.test.images[[30, 110, 200, 240]]
rows = {"color": list(four), "gray": list(as_gray(four)), "shuffled": list(shuffled(four))}
viz.plot_rows(rows, kind="picture", largest=0.9)

# %% [markdown]
# *Finding.* The gray patches keep every shape. The shuffled ones keep every color and no shape.
#
# **Predict, then run.** Rank the three, and the mean color. Four runs each, from four random
# starts. (Twelve trainings: some seconds.)

# %% tags=["nbval-ignore-output"]
forms = {"gray": as_gray, "shuffled": shuffled, "color": lambda images: images}
networks = {}
for name, form in forms.items():
    images, test = form(data.train.images), (form(data.test.images), data.test.labels)
    networks[name] = [
        train(small_network(images.shape[1], seed), images, data.train.labels, 10, 0.003, seed)
        for seed in range(4)
    ]
    results[name] = [evaluate(network, test).accuracy for network in networks[name]]
for name, shares in results.items():
    print(f"{name:10}: {np.mean(shares):.2f}, from {min(shares):.2f} to {max(shares):.2f}")
assert np.mean(results["color"]) > np.mean(results["gray"]) + 0.07

# %% tags=["nbval-ignore-output"]
viz.plot_spread(results, "test accuracy")

# %% [markdown]
# *Finding.* **Color is worth about 14 percentage points**, 0.90 against 0.76. Without it, three
# convolution layers do no better than three numbers with color, 0.78. **And the neighborhood is
# worth nothing that we could measure**: patches whose pixels lie in a random order are told apart
# as well as whole ones, 0.89 and 0.90, and the runs of the two overlap. It is enough to know which
# colors occur and how often.
#
# This is a fact about these five things and not about convolution, and no picture of filters would
# have told it. (How fine is the ruler? One patch of 368 is 0.3 points, and the standard error at
# 0.90 is 1.6 points.)
#
# What is confused? One network of each kind:

# %% tags=["nbval-ignore-output"]
for name in ("gray", "color"):
    predictions = networks[name][1].predict(forms[name](data.test.images))
    table = np.zeros((5, 5), int)
    np.add.at(table, (data.test.labels, predictions), 1)
    print(f"{name}: rows true, columns read ({', '.join(data.class_names)})\n{table}\n")

# %% [markdown]
# In gray, temple and trees are taken for each other, and some petals for temple: same brightness,
# similar detail. With color, petals and temple are cleared up. What remains is the trouble we saw
# coming: half of the trees, 33 of 64, are taken for temple. They are a kind of tree that the
# network has never seen, in a tone that so far belonged to the temple.
#
# ## 7. What did the first layer learn?
#
# The filters of the same color network.

# %% tags=["nbval-ignore-output"]
learned = networks["color"][1]["conv1"].params["weight"]
viz.plot_color_filters(learned, title="After training")

# %% [markdown]
# *Finding.* Colorful indeed. Filter 6 is reddish at the lower right, filter 4 green, filter 2 has
# light blue and orange. It is tempting to call them detectors of petals, leaves and sky. The
# control is the same network before training:

# %% tags=["nbval-ignore-output"]
start = small_network(3, 1)["conv1"].params["weight"]
viz.plot_color_filters(start, title="Before")

# %% [markdown]
# *Finding.* They were there before. Almost every cell has kept its hue.
#
# Two numbers for each filter, with their controls. First the correlation with its own start, as in
# lesson 5. Second its **color share**: how much of its weights (of the sum of their squares) is
# *not* common to the three channels. It is 0 for a filter that treats red, green and blue alike,
# and 1 for one whose three channels add up to zero everywhere, as those of red − green do.
#
# **Predict, then run.** What is the color share of a random filter? (Three independent numbers have
# one common part and two differences.)


# %%
def color_share(filters):
    """Return how much of each filter's weights differs between the channels, (F,)."""
    different = filters - filters.mean(axis=1, keepdims=True)
    return (different**2).sum(axis=(1, 2, 3)) / (filters**2).sum(axis=(1, 2, 3))


random_filters = np.random.default_rng(1).normal(size=(5000, 3, 3, 3))
print("random filters:", color_share(random_filters).mean().round(2))
print("gray, red-green, blue-yellow edge:", color_share(edge_kernels).round(2))

# %% tags=["nbval-ignore-output"]
every_start = np.concatenate([small_network(3, s)["conv1"].params["weight"] for s in range(4)])
every_learned = np.concatenate([n["conv1"].params["weight"] for n in networks["color"]])
kept = filter_correlations(every_start, every_learned)
assert kept.mean() > 0.85
print(f"correlation with the start: mean {kept.mean():.2f}, lowest {kept.min():.2f}")
viz.plot_spread(
    {"at the start": color_share(every_start), "after training": color_share(every_learned)},
    "color share, one dot per filter",
    levels={"random": 2 / 3},
)

# %% [markdown]
# *Finding.* All 32 filters of the four networks correlate with their start by more than 0.8, on
# average 0.94. Their color share was 0.69 and is 0.64, both next to the 2/3 of random numbers. So
# the first layer looks at color because *random filters* look at color, and the layers behind it
# learned to make use of that. Colorful filters are no sign of learning.
#
# (Large networks do learn them: trained on a million photographs, the first layer of Krizhevsky,
# Sutskever and Hinton, 2012, divided itself into gray edges and blobs of color. Ours saw two
# photographs, for seconds.)
#
# ## 8. Two photographs are not a world
#
# Nine in ten patches are told apart. What does the network know now? The honest answer is in the
# data: *one* temple, *one* flower, one light each. Train and test patches come from different
# regions, but from the same two photographs. Two further tests:
#
# **Other regions.** Learn from the right, test on the left:

# %% tags=["nbval-ignore-output"]
swapped = photograph_patches(16, swap_regions=True)
other_way = [
    evaluate(train(small_network(3, s), *swapped.train, 10, 0.003, s), swapped.test).accuracy
    for s in range(2)
]
print(f"learned on the left, tested on the right: {np.mean(results['color']):.2f}")
print(f"learned on the right, tested on the left: {np.mean(other_way):.2f}")

# %% [markdown]
# Nearly the same. So the result does not hang on the choice of sides.
#
# **Another light.** An hour later the same place would look warmer, or a cloud would pass. We
# change the light on the test patches, and leave the networks as they are. **Predict** what is
# worse: less light, or light of another color?

# %% tags=["nbval-ignore-output"]
lights = {
    "as photographed": [1, 1, 1],
    "a third less light": [0.67, 0.67, 0.67],
    "bluish (red × 0.75)": [0.75, 1, 1],
    "warm (blue × 0.75)": [1, 1, 0.75],
}
under_light = {}
for name, factors in lights.items():
    images = data.test.images * np.array(factors, np.float32)[:, None, None]
    under_light[name] = [
        evaluate(network, (images, data.test.labels)).accuracy for network in networks["color"]
    ]
viz.plot_spread(under_light, "test accuracy of the four color networks")

# %% [markdown]
# *Finding.* A change of light costs about 20 points on average, less light or another color
# alike. And look at the spread. As photographed, the four networks are alike, from 0.88 to 0.92. In
# another light they lie anywhere between 0.48 and 0.93. The test set could not tell them apart:
# nothing in the data said how to behave in another light, so each does as its random start has it.
# (D'Amour et al., 2022, found the same in large systems and call it *underspecification*.) What
# helps is data with many lights; if there are none, lights made up at random while training.
#
# ## 9. Real color images: CIFAR-10
#
# CIFAR-10 is the next step that most courses take: 60,000 color photographs of 32 × 32 pixels in
# ten classes, airplane to truck. It is not part of this package, and is not downloaded for you.
# Get `cifar-10-binary.tar.gz` (162 MB) from
# [its page](https://www.cs.toronto.edu/~kriz/cifar.html), the version marked "binary", and say
# where it lies: `load_cifar10("folder")`. With the files in place, the next cell trains a network
# on 2,000 of the images. Without them it says so.


# %% tags=["nbval-ignore-output"]
def network_for_cifar10(r):
    """Return an untrained network for color images of 32 x 32 pixels."""
    first = [Conv2D(3, 16, 3, padding="same", rng=r), ReLU(), MaxPool2D(2)]
    second = [Conv2D(16, 32, 3, padding="same", rng=r), ReLU(), MaxPool2D(2)]
    return Sequential([*first, *second, Flatten(), Dense(2048, 10, rng=r)])


try:
    cifar10 = load_cifar10()  # or load_cifar10("the folder with your files")
except DataError:
    print("no CIFAR-10 here; nothing below needs it")
else:
    network = network_for_cifar10(np.random.default_rng(0))
    train(network, *cifar10.train[:2000], 5, 0.002, 0)
    print(f"{evaluate(network, cifar10.test[:1000]).accuracy:.2f} of 1,000 right (guessing: 0.10)")

# %% [markdown]
# In these files a record is 3,073 bytes: the class, then 1,024 bytes of red, 1,024 of green, 1,024
# of blue. Exercise 3 is to read one.
#
# ---
#
# **A good place for a break.** Before you go on: why does one kernel with three channels give one
# map and not three? What would you use to find an edge between two colors of the same brightness?
#
# ---
#
# ## 10. A sound is an image of one row
#
# A microphone measures the pressure of the air many times a second. What it returns is a row of
# numbers, a **signal**. Lesson 1 began with such rows. For our layers a signal is an image with a
# single row: shape (signals, 1 channel, 1 row, steps). Its kernels have one row, too:
# `kernel_size=(1, 3)`.
#
# By hand: the kernel (−1, 2, 1) on the signal (1, 3, 0, 2, 4). The first place gives
# $-1 + 6 + 0 = 5$. **Predict** the other two, and the shape of the result.

# %%
signal, short_kernel = np.array([1.0, 3, 0, 2, 4]), np.array([-1.0, 2, 1])
layer = Conv2D(1, 1, (1, 3), bias=False, rng=rng)
layer.params["weight"][...] = short_kernel.reshape(1, 1, 1, 3)
y = layer.forward(signal.astype(np.float32).reshape(1, 1, 1, 5))
assert np.array_equal(y[0, 0, 0], np.correlate(signal, short_kernel, "valid"))
print(y.shape, y[0, 0, 0])

# %% [markdown]
# The other two are $-3 + 0 + 2 = -1$ and $0 + 4 + 4 = 8$. The shape is (1, 1, 1, 3): rows and
# columns follow the same rule, $1 - 1 + 1 = 1$ row and $5 - 3 + 1 = 3$ steps. It is the same layer
# as ever.
#
# ## 11. Four motifs, hidden
#
# For the photographs nobody knows how well one *could* do. So now a task whose best answer is
# known. Four short sounds, called **motifs**:

# %%
task = hidden_motifs(rng=np.random.default_rng(0))
viz.plot_series(dict(zip(task.class_names, task.motifs, strict=True)), share_y=True)

# %% [markdown]
# *Finding.* A **chirp** is a wave that becomes faster (up) or slower (down); one is the other
# played backward. Then two clicks, and a slow tone. All last 24 steps, and all have the same
# strength: their squares add up to 1.
#
# In each signal, one motif is multiplied by 5 and added to noise at a random place. The question is
# which one. Here are four, one of each kind. **Predict:** where are they?

# %%
four = [int(np.flatnonzero(task.test.labels == label)[1]) for label in range(4)]
signals = {f"signal {n}": task.test.images[i, 0, 0] for n, i in enumerate(four)}
viz.plot_series(signals, share_y=True)

# %% [markdown]
# *Finding.* The clicks may be guessed, since a click is high and short. The others are spread over
# many steps and nowhere much higher than the noise. The answers:

# %%
for n, i in enumerate(four):
    name, place = task.class_names[task.test.labels[i]], task.test.positions[i]
    print(f"signal {n}: {name:10} from step {place} to {place + 23}")

# %% [markdown]
# ## 12. The best possible answer
#
# What should one listen with? If you know the motif, use *the motif itself* as the kernel. Where it
# lies exactly on its copy in the signal, all products are positive (plus times plus, minus times
# minus), and nothing cancels. This is a **matched filter** (North, 1943, for radar). Against this
# kind of noise no other kernel of the same length does better.
#
# **Predict, then run.** How high is the answer on the spot, without the noise? And how large is the
# answer to noise alone? (The squares of a motif add up to 1, and it comes in 5 times.)

# %%
responses = matched_filter(task.test.images, task.motifs)
on_the_spot = responses[np.arange(1000), task.test.labels, task.test.positions]
noise_only = matched_filter(hidden_motifs(4, 1000, strength=0, rng=rng).test.images, task.motifs)
print("signals, motifs, places:", responses.shape)
print(f"on the spot: mean {on_the_spot.mean():.1f}, standard deviation {on_the_spot.std():.1f}")
print(f"noise alone: mean {noise_only.mean():.1f}, standard deviation {noise_only.std():.1f}")

# %%
curves = {name: responses[four[3], m] for m, name in enumerate(task.class_names)}
place = int(task.test.positions[four[3]])
viz.plot_series(curves, marks={"tone": [place]}, share_y=True, title="Signal 3, four filters")

# %% [markdown]
# *Finding.* On the spot the answer is $5 \cdot 1 = 5$ on average, and noise adds ±1: five standard
# deviations above silence. The ring marks the place where the tone was hidden, and there, or very
# near, the answer of its filter is highest. The neighboring waves of a tone resemble it, so its
# filter answers in waves.
#
# So the rule: correlate with all four motifs, at all places; the largest answer wins. Since place
# and motif are drawn by known rules, we can even write down how likely each motif is, given the
# signal, and nothing can be right more often than choosing the likeliest (`optimal_scores` adds up
# $e^{5 \cdot \text{answer}}$ over all places instead of taking the largest).

# %%
labels = task.test.labels
oracle = np.mean(responses.max(axis=2).argmax(axis=1) == labels)
best = np.mean(optimal_scores(task.test.images, task.motifs, 5.0).argmax(axis=1) == labels)
print(f"matched filter, largest answer wins: {oracle:.3f}")
print(f"the likeliest motif:                 {best:.3f}")

# %% [markdown]
# Both miss about 3 in 100, where noise has imitated another motif. A network that does clearly
# better on these data has seen the answers.
#
# Now look at the rule again: slide kernels over the signal, take the largest answer over all
# places, compare. **That is a network**: a convolution layer with the motifs as weights, max
# pooling over everything, and a dense layer that passes on what it gets. Lesson 2 filled kernels by
# hand; here we fill a whole network.

# %%
layers = [Conv2D(1, 4, (1, 24), rng=rng), MaxPool2D((1, 105)), Flatten(), Dense(4, 4, rng=rng)]
by_hand = Sequential(layers, input_shape=(1, 1, 128))
by_hand["conv1"].params["weight"][:, 0, 0] = task.motifs
by_hand["dense1"].params["weight"][...] = np.eye(4)
print(f"the network made by hand: {evaluate(by_hand, task.test).accuracy:.3f}")

# %% [markdown]
# ## 13. Can it be learned?
#
# A network of the same kind, with 8 kernels and ReLU, from a random start. It is told the label of
# 2,000 signals, but never the place, and never what a motif looks like.


# %%
def signal_network(kernel_length, seed):
    """Return an untrained network: one convolution, one maximum over all places."""
    r = np.random.default_rng(seed)
    layers = [Conv2D(1, 8, (1, kernel_length), rng=r), ReLU(), MaxPool2D((1, 129 - kernel_length))]
    return Sequential([*layers, Flatten(), Dense(8, 4, rng=r)], input_shape=(1, 1, 128))


def dense_network(seed):
    """Return an untrained network of dense layers only."""
    r = np.random.default_rng(seed)
    return Sequential([Flatten(), Dense(128, 64, rng=r), ReLU(), Dense(64, 4, rng=r)])


# %% [markdown]
# **Predict, then run.** The dense network has 8,516 parameters, the convolutional one 236. Which
# will be better on signals it knows, which on new ones? (The oracle: 0.97. Guessing: 0.25.)

# %% tags=["nbval-ignore-output"]
listeners = [train(signal_network(24, s), *task.train, 15, 0.005, s) for s in range(3)]
dense = [train(dense_network(s), *task.train, 15, 0.003, s) for s in range(3)]
for name, group in {"convolution": listeners, "dense": dense}.items():
    known = np.mean([evaluate(network, task.train).accuracy for network in group])
    new = np.mean([evaluate(network, task.test).accuracy for network in group])
    print(f"{name:12} {group[0].parameter_count:5,} parameters: known {known:.2f}, new {new:.2f}")
    assert new > 0.9 if group is listeners else new < 0.5

# %% [markdown]
# The dense network knows all 2,000 signals by heart and understands little: 0.37 is not much better
# than guessing. It has a weight for each step, so a chirp at step 10 and a chirp at step 60 are two
# different things to it, and there are 105 places. The convolution has 236 parameters and loses
# only about three points to the oracle, who knows the motifs.
#
# What did the kernels learn? `match_kernels` compares each of them with each motif, by the cosine
# of lesson 5, at the shift where they fit best: a kernel that holds the motif three steps too early
# does as well. The control: random kernels, which may choose their best shift, too, and even hold a
# motif upside down (we count magnitudes).

# %% tags=["nbval-ignore-output"]
learned_kernels = listeners[0]["conv1"].params["weight"]
likeness, shifts = match_kernels(learned_kernels, task.motifs)
by_chance, _ = match_kernels(rng.normal(size=(2000, 24)), task.motifs)
print("rows: kernels; columns:", ", ".join(task.class_names))
print(likeness.round(2))

# %% tags=["nbval-ignore-output"]
best_of_eight = np.abs(by_chance).reshape(250, 8, 4).max(axis=1)
found = [match_kernels(n["conv1"].params["weight"], task.motifs)[0] for n in listeners]
best_kernels = np.max(found, axis=1)  # (networks, motifs)
assert best_kernels.min() > 0.8
groups = dict(zip(MOTIF_NAMES, best_kernels.T, strict=True))
groups["best of 8 random kernels"] = best_of_eight.ravel()[:100]
viz.plot_spread(groups, "cosine of the best kernel with the motif", x_range=(0, 1))

# %% [markdown]
# *Finding.* In all three networks, for each of the four motifs there is a kernel with a cosine
# above 0.9, up to 0.99. The best of eight random kernels reaches 0.4 to 0.7. This time the filters
# *are* learned, and what they learned is what the theory says they should.
#
# Next to each other, the motif and the kernel that resembles it most, moved to where they fit:


# %%
def beside_motif(kernels, m):
    """Return motif m, and the kernel most like it, shifted to its place and of the same length."""
    likeness, shifts = match_kernels(kernels, task.motifs)
    f = int(likeness[:, m].argmax())
    with_room = np.pad(kernels[f, 0, 0], 24)
    moved = np.roll(with_room, -shifts[f, m])[24:-24]
    return {"motif": task.motifs[m], "learned": moved / np.linalg.norm(moved)}


# %% tags=["nbval-ignore-output"]
panels = {name: beside_motif(learned_kernels, m) for m, name in enumerate(MOTIF_NAMES)}
viz.plot_series(panels, share_y=True)

# %% [markdown]
# *Finding.* The chirps and the clicks are matched nearly step for step. The kernel for the tone has
# it seven steps too early, so that the quiet beginning was cut off (the flat piece). Small bumps
# beside the motifs are noise of the training signals. Nobody told the network these shapes. It
# found its own matched filters.
#
# ## 14. Receptive field in time
#
# A kernel of 24 steps was a gift: we knew how long a motif is. **Predict, then run.** What happens
# with kernels of 5 steps? And of 60? (One run each.)

# %% tags=["nbval-ignore-output"]
lengths = [5, 9, 15, 24, 35, 60]
by_length = [
    evaluate(train(signal_network(k, 0), *task.train, 15, 0.005, 0), task.test).accuracy
    for k in lengths
]
viz.plot_curves(
    {"learned": (lengths, by_length)},
    "kernel length (steps)",
    "test accuracy",
    levels={"matched filter": oracle},
)

# %% [markdown]
# *Finding.* Five steps are too short: what is seen of a motif at a time looks like noise. Sixty are
# too long: most of the weights have nothing to find, and fit the noise of the training signals. The
# best is not even 24 but 15. The motifs swell and fade, and nearly all that they have is in the
# middle:

# %%
for name, motif in zip(task.class_names, task.motifs, strict=True):
    print(f"{name:10}: {np.sum(motif[5:20] ** 2):.0%} of the squares in the 15 steps of the middle")

# %% [markdown]
# Short kernels need not be the end. As in images, a second layer sees farther, and stride and
# pooling make it see farther still. In `Conv2D(1, 8, (1, 9), stride=(1, 2))` the stride is for rows
# and for columns.
#
# **Predict, then run.** Receptive field and jump of each layer below, along the steps, by the rule
# of lesson 5?

# %%
r = np.random.default_rng(0)
deeper = Sequential(
    [
        *(Conv2D(1, 8, (1, 9), stride=(1, 2), padding=(0, 4), rng=r), ReLU(), MaxPool2D((1, 2))),
        *(Conv2D(8, 16, (1, 7), padding=(0, 3), rng=r), ReLU(), MaxPool2D((1, 32))),
        *(Flatten(), Dense(16, 4, rng=r)),
    ],
    input_shape=(1, 1, 128),
)
print(deeper.summary())

# %% [markdown]
# The first layer sees 9 steps, and its stride makes the jump 2. Pooling adds one jump: 11 steps,
# and the jump becomes 4. The second kernel adds $6 \cdot 4$: 35 steps, more than a motif. The last
# pooling goes over all places that are left. Does it help?

# %% tags=["nbval-ignore-output"]
train(deeper, *task.train, 12, 0.005, 0)
print(f"{evaluate(deeper, task.test).accuracy:.2f} of new signals")

# %% [markdown]
# Less than the single layer (0.94), with four times as many parameters. Depth is no gain in itself.
# A likely reason: each motif now has to be put together from pieces, and pooling forgets exactly
# how far apart the pieces are, which is what tells a motif from noise. Where the pieces may really
# shift against each other, the same forgetting would be a gain.
#
# ## 15. A sound as a picture
#
# There is another way to bring sound to our layers. Cut it into short windows, and write down for
# each which frequencies it holds (the Fourier transform of lesson 11, or take it as given). Put
# side by side, these columns make a picture, the **spectrogram**: time from left to right,
# frequency from bottom to top. Here are the same four motifs, ten times as long.

# %%
long_motifs = make_motifs(240)
windows = np.lib.stride_tricks.sliding_window_view(long_motifs, 32, axis=1)[:, ::8]
spectrum = np.abs(np.fft.rfft(windows * np.hanning(32), axis=2))
pictures = [each.T[::-1] / each.max() for each in spectrum]  # low frequencies at the bottom
print("spectrogram:", pictures[0].shape, "(frequencies, windows)")
viz.plot_rows({"motif": pictures}, MOTIF_NAMES, kind="amount", largest=1.9)

# %% [markdown]
# *Finding.* The chirps are slanted lines, one rising and one falling; clicks, with all frequencies
# at one moment, stand upright; the tone lies flat at the bottom. Lesson 2's kernels for edges in
# four directions would tell them apart.
#
# One difference to a photograph remains. Moved to the right, a sound is the same sound, later.
# Moved *up*, it is another sound, higher. A kernel that slides in both directions treats the two as
# the same. Whether that is wanted has to be decided, and leads to the last question.
#
# ## 16. What convolution takes for granted
#
# Two things are built into every convolution layer:
#
# 1. **Neighborhood.** What belongs together lies together: a kernel sees only a small piece.
# 2. **Translation.** A pattern means the same wherever it is: one kernel for all places.
#
# Here is a control that takes both away and leaves everything else: **one random permutation of the
# pixels, the same for all images.** No information is lost, as it could be undone. A dense network
# cannot even notice, since it has a weight for each pixel and no idea where that pixel is.

# %%
digits = load_digits()
order = np.random.default_rng(1).permutation(28 * 28)


def permuted(images):
    """Return images with their pixels in another order, the same for all."""
    return images.reshape(len(images), 1, -1)[:, :, order].reshape(images.shape)


def moved_at_random(images, seed):
    """Return each image moved by up to four pixels along both axes."""
    r = np.random.default_rng(seed)
    moves = r.integers(-4, 5, (len(images), 2))
    pairs = zip(images, moves, strict=True)
    return np.stack([np.roll(image, tuple(move), axis=(1, 2)) for image, move in pairs])


few = moved_at_random(digits.test.images[:6], 0)
rows = {"centered": digits.test.images[:6], "moved": few, "permuted": permuted(few)}
viz.plot_rows(rows, kind="picture", largest=0.9)

# %% [markdown]
# *Finding.* Digits as we know them; moved; and the moved ones permuted, which nobody can read.
#
# **Predict, then run.** A network with two convolution layers and one with two dense layers, on the
# centered digits and on the moved ones, each as they are and permuted. Which of the eight will
# fail?


# %%
def two_convolutions(r):
    """Return an untrained network with two convolution layers."""
    first = [Conv2D(1, 8, 5, rng=r), ReLU(), MaxPool2D(2)]
    second = [Conv2D(8, 16, 5, rng=r), ReLU(), MaxPool2D(2)]
    return Sequential([*first, *second, Flatten(), Dense(256, 10, rng=r)])


def two_dense(r):
    """Return an untrained network with two dense layers."""
    return Sequential([Flatten(), Dense(784, 64, rng=r), ReLU(), Dense(64, 10, rng=r)])


# %% tags=["nbval-ignore-output"]
sets = {"centered": (digits.train.images, digits.test.images)}
sets["moved"] = (moved_at_random(sets["centered"][0], 0), moved_at_random(sets["centered"][1], 1))
print(f"{'':22} {'as they are':>12} {'permuted':>9}")
for name, (images, test_images) in sets.items():
    for kind in (two_convolutions, two_dense):
        row = []
        for change in (np.asarray, permuted):
            network = kind(np.random.default_rng(0))
            train(network, change(images), digits.train.labels, 6, 0.003, 0)
            row.append(evaluate(network, (change(test_images), digits.test.labels)).accuracy)
        print(f"{name:9} {kind.__name__:17} {row[0]:7.2f} {row[1]:9.2f}")

# %% [markdown]
# On the *centered* digits both assumptions are worth little: 0.96 falls to 0.92 where nothing can
# be seen any more. Every digit stands in the same place, so each pixel has a meaning of its own,
# and the dense layer behind the convolutions can use that. On the *moved* digits the convolution
# leads by 14 points, and permuted it falls far *below* the dense network, to 0.54: it still insists
# on neighbors, which are now strangers. The dense network does as well either way, but for its
# random start.
#
# And sound? The same permutation of the 128 steps for all signals, the network of section 13:

# %% tags=["nbval-ignore-output"]
steps = np.random.default_rng(2).permutation(128)
listener, mixed = signal_network(24, 0), task.train.images[..., steps]
train(listener, mixed, task.train.labels, 15, 0.005, 0)
share = evaluate(listener, (task.test.images[..., steps], task.test.labels)).accuracy
assert share < 0.5
print(f"permuted steps: {share:.2f} of new signals")

# %% [markdown]
# From 0.94 to little more than guessing. A motif is now spread over the whole row, in a different
# way for each of its places, and no kernel of any length can collect it.
#
# So, whatever your data are, ask two questions, and then ask the control.
#
# | data | a neighbor is | moves that change nothing | convolution? |
# |---|---|---|---|
# | photograph | the next pixel | in both directions | yes |
# | sound, heartbeat | the next step | in time | yes, kernels (1, k) |
# | spectrogram | next window, next frequency | in time, hardly in pitch | yes, with a thought |
# | video, body scan | next pixel, next frame | along all three axes | yes, 3-d kernels |
# | panorama, hours of a day | the last is beside the first | around | yes, padding that wraps |
# | map of the globe | depends on the latitude | turning the sphere | not as it is |
# | text | the next word | along the line | yes, kernels (1, k) |
# | molecule, friendships | whoever is linked | none: no directions | no; graph networks |
# | table (age, income, ...) | none: any order will do | none | no |
#
# The last row has a test of its own: swap two columns of the table. If nothing is lost for you,
# neighborhood means nothing there, and a convolution has nothing to hold on to.
#
# ## Exercises
#
# Write your solution in place of `raise NotImplementedError`, run the cell, then run the check
# below it. For a hint run, for example, `checks.which_motif.hint()`.
#
# ### Exercise 1: all channels at once
#
# Slide a kernel of shape (C, kernel height, kernel width) over an image of shape (C, height,
# width), stride 1, no padding, and return one map.
#
# *Hint:* a patch is `image[:, i : i + kernel_height, j : j + kernel_width]`.


# %%
def correlate_channels(image, kernel):
    """Return an array of shape (height - kernel_height + 1, width - kernel_width + 1)."""
    ### BEGIN SOLUTION
    kernel_height, kernel_width = kernel.shape[1:]
    result = np.zeros((image.shape[1] - kernel_height + 1, image.shape[2] - kernel_width + 1))
    for i, j in np.ndindex(result.shape):
        patch = image[:, i : i + kernel_height, j : j + kernel_width]
        result[i, j] = np.sum(patch * kernel)
    return result
    ### END SOLUTION


# %%
checks.correlate_channels(correlate_channels)

# %% [markdown]
# ### Exercise 2: opponent colors
#
# Turn an image (3, height, width) of red, green and blue into brightness (the mean of the three),
# red − green, and blue − yellow (yellow: the mean of red and green).
#
# *Hint:* `red, green, blue = image` takes the planes apart.


# %%
def opponent_channels(image):
    """Return an array of shape (3, height, width)."""
    ### BEGIN SOLUTION
    red, green, blue = image
    return np.stack([(red + green + blue) / 3, red - green, blue - (red + green) / 2])
    ### END SOLUTION


# %%
checks.opponent_channels(opponent_channels)

# %% [markdown]
# ### Exercise 3: a record of bytes
#
# Read a record as CIFAR-10's files have it: the class, then all red values row by row, all green
# ones, all blue ones, each from 0 to 255. Return the class as an integer, and the image, (3, size,
# size), with values in [0, 1].
#
# *Hint:* one `reshape` is enough, if its axes are in the order of the file.


# %%
def read_record(record, size):
    """Return (label, image)."""
    ### BEGIN SOLUTION
    return int(record[0]), record[1:].reshape(3, size, size) / 255
    ### END SOLUTION


# %%
checks.read_record(read_record)

# %% [markdown]
# ### Exercise 4: which motif?
#
# The oracle of section 12. Return the number of the motif (a row of `motifs`, all of the same
# strength) that fits best anywhere in the signal.
#
# *Hint:* `np.correlate(signal, motif, "valid")` answers at every place.


# %%
def which_motif(signal, motifs):
    """Return a whole number, 0 for the first motif."""
    ### BEGIN SOLUTION
    best = [np.correlate(signal, motif, "valid").max() for motif in motifs]
    return int(np.argmax(best))
    ### END SOLUTION


# %%
checks.which_motif(which_motif)

# %% [markdown]
# ## Recap
#
# - A kernel has as many channels as its input, sums over all of them, and gives one map. Only the
#   first layer notices that a picture is in color.
# - Differences between channels see color as differences between neighbors see edges; their product
#   sees edges that no gray picture holds.
# - In our patches color was worth 14 points and the neighborhood nothing: measured, with gray and
#   shuffled controls, and a baseline of three numbers.
# - Colorful filters may be random ones. Networks that are equal on the test set may differ by 40
#   points in another light.
# - A signal is an image of one row, with kernels (1, k). Where the best answer is known (matched
#   filter), a network with one convolution comes near it, and its kernels become the motifs.
# - Convolution takes neighborhood and translation for granted. One permutation, the same for all,
#   shows what they are worth in your data.
#
# ## Sources
#
# - E. Hering: *Zur Lehre vom Lichtsinne.* Wien 1878: opponent colors.
# - ITU-R Recommendation BT.601: the weights of red, green and blue in a gray value.
# - A. Krizhevsky: *Learning multiple layers of features from tiny images.* Technical report,
#   University of Toronto, 2009 ([page of the data](https://www.cs.toronto.edu/~kriz/cifar.html)):
#   CIFAR-10.
# - A. Krizhevsky, I. Sutskever, G. E. Hinton: *ImageNet classification with deep convolutional
#   neural networks.* NIPS 2012: learned color filters (its figure 3).
# - A. D'Amour et al.: *Underspecification presents challenges for credibility in modern machine
#   learning.* Journal of Machine Learning Research 23, 2022
#   ([arXiv:2011.03395](https://arxiv.org/abs/2011.03395)).
# - D. O. North: *An analysis of the factors which determine signal/noise discrimination in
#   pulsed-carrier systems.* 1943, reprinted in Proceedings of the IEEE 51, 1963
#   ([doi:10.1109/PROC.1963.2383](https://doi.org/10.1109/PROC.1963.2383)): the matched filter.
# - Y. LeCun, Y. Bengio: *Convolutional networks for images, speech, and time series.* In: The
#   Handbook of Brain Theory and Neural Networks, MIT Press 1995: one idea for all three.
# - Photographs: danielbuechele and vultilion on Flickr, CC BY 2.0, as shipped with scikit-learn.
# - Digits: E. Alpaydin, C. Kaynak, *Optical Recognition of Handwritten Digits*, UCI, 1998
#   ([doi:10.24432/C50P49](https://doi.org/10.24432/C50P49)).
#
# **Next:** [lesson 11](11_fast_convolution.ipynb) opens the fast convolution that all of this ran
# on.
