# %% [markdown]
# # Lesson 10 · Color, sound and other grids
#
# So far every image was gray: one number at each place. In this lesson the same layers meet color
# photographs (three numbers at each place) and sound (places in a single row). They stay as they
# are. What changes is what we may expect of them, and so this lesson also asks what a convolution
# takes for granted, and what happens where that does not hold.
#
# **What you will be able to do**
#
# - compute by hand what a kernel with three channels answers, and say what it answers to most;
# - build kernels that see edges of color where a gray picture has none;
# - measure what color is worth in a task, and what the neighborhood of pixels is worth;
# - hide a sound in noise, find it as well as anyone could, and compare what a network learns with
#   that;
# - say of any data whether convolution suits them, and check it with one control.
#
# **What you need:** lessons [3](03_layers.ipynb) (layers), [4](04_training.ipynb) (training) and
# [5](05_filters_and_feature_maps.ipynb) (filters and controls).
#
# **How long it takes:** about 60 minutes in two sittings, 35 for sections 1 to 9 (color) and 25 for
# sections 10 to 16 (sound, and other grids; the break is marked), and 20 more for the exercises.
#
# ← [Lesson 9: What does it look at?](09_what_does_it_look_at.ipynb) ·
# [Lesson 11: Fast convolution](11_fast_convolution.ipynb) → ·
# [Solutions](solutions/10_color_sound_and_other_grids.ipynb)

# %%
import numpy as np

from cnnedu import Adam, Sequential, checks, evaluate, fit
from cnnedu import visualization as viz
from cnnedu.data import (
    MOTIF_NAMES,
    PATCH_REGIONS,
    closest_kernels,
    hidden_motifs,
    load_digits,
    load_photograph,
    make_motifs,
    match_kernels,
    matched_filter,
    optimal_scores,
    photograph_patches,
)
from cnnedu.kernels import KERNELS
from cnnedu.layers import Conv2D, Dense, Flatten, MaxPool2D, ReLU, conv2d_forward, conv2d_loops
from cnnedu.visualization.color import kernels_as_colors
from cnnedu.visualization.filters import filter_correlations

rng = np.random.default_rng(0)

# %% [markdown]
# ## 1. A color picture is three grids
#
# A photograph comes as an array of shape (rows, columns, 3): at each pixel stands how much red,
# green and blue there is. Our layers want the channels first, so we move that axis to the front.
# Two photographs will be with us through the first half of the lesson.

# %%
photographs = {name: load_photograph(name, color=True) for name in ("flower", "china")}
channels = photographs["flower"].transpose(2, 0, 1)
print("photograph:", photographs["flower"].shape, " for a layer:", channels.shape)
viz.plot_images(list(photographs.values()), ["flower", "china: a temple, trees, sky"])

# %% [markdown]
# *Finding.* Orange petals on dark leaves that are green or bluish; and a temple behind trees. Each
# **channel** is a picture of its own: white where there is much of that color.
#
# **Predict, then run.** In which of the three channels are the petals brightest, in which darkest?
# And where are they on the gray scale in the channel between?

# %%
viz.plot_rows({"flower": list(channels)}, ["red", "green", "blue"], kind="picture", largest=2.6)

# %% [markdown]
# *Finding.* The petals are nearly white in red, gray in green, darkest in blue: that mixture is
# orange. The leaves are black in red. Red tells petals from leaves best of all three, and only the
# mixture of the three says *orange*.
#
# ## 2. A kernel with three channels
#
# A kernel that looks at three channels has three channels itself: a small grid of weights for red,
# one for green, one for blue. At each place all the products are added up, over rows, columns *and*
# channels. **One kernel, one number per place, whatever the number of channels**: one feature map.
#
# By hand, with an image of 2 × 3 pixels and a kernel of 2 × 2:
#
# | | image | kernel | at the first place |
# |---|---|---|---|
# | red | 1 2 0 / 0 1 3 | 1 0 / 0 −1 | $1 \cdot 1 + 1 \cdot (-1) = 0$ |
# | green | 2 0 1 / 1 1 0 | 0 1 / 1 0 | $0 \cdot 1 + 1 \cdot 1 = 1$ |
# | blue | 0 3 1 / 2 0 1 | 2 0 / 0 0 | $0 \cdot 2 = 0$ |
#
# (A slash begins the next row; products with a weight of 0 are left out.) Together $0 + 1 + 0 = 1$.
# **Predict** the number at the second place, one pixel to the right, before you run the cell.

# %%
image = np.array([[[1, 2, 0], [0, 1, 3]], [[2, 0, 1], [1, 1, 0]], [[0, 3, 1], [2, 0, 1]]], float)
kernel = np.array([[[1, 0], [0, -1]], [[0, 1], [1, 0]], [[2, 0], [0, 0]]], float)
answer = conv2d_loops(image[None], kernel[None])
print("image", image.shape, "kernel", kernel.shape, "feature map", answer.shape)
print(answer[0, 0])

# %%
viz.plot_patch_product(image, kernel, 0, 1)

# %% [markdown]
# *Finding.* At the second place red gives $2 - 3 = -1$, green $1 + 1 = 2$, blue $3 \cdot 2 = 6$,
# together 7. The three channels go into the sum as equals. Nothing keeps them apart afterward: from
# the 7 alone nobody can say which color it came from.
#
# Two mistakes are common here. One is to expect three maps from one kernel. The other is to add the
# channels of the *image* first:

# %%
each_channel = [conv2d_loops(image[None, c : c + 1], kernel[None, c : c + 1]) for c in range(3)]
assert np.array_equal(sum(each_channel), answer)
gray_first = conv2d_loops(image.sum(axis=0)[None, None], kernel.sum(axis=0)[None, None])
print("three maps, then added:", sum(each_channel)[0, 0], " gray first:", gray_first[0, 0])

# %% [markdown]
# Adding three maps gives the same, as it must: it is the same sum in another order. Adding the
# channels first does not. That is a gray picture, and color is gone before the kernel sees it.
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
opponent = np.array([[1 / 3, 1 / 3, 1 / 3], [1, -1, 0], [-0.5, -0.5, 1]])
for name, pixel in {"gray": [0.75, 0.75, 0.75], "orange": [1, 0.5, 0.25]}.items():
    _, red_green, blue_yellow = opponent @ pixel
    print(f"{name:6} pixel: red − green {red_green:.2f}, blue − yellow {blue_yellow:.2f}")

# %% [markdown]
# Zero, since the weights of each of the two add up to zero. It is the same reason for which an edge
# kernel of lesson 2 answers nothing on an even surface. There the differences were taken between
# neighbors, here between channels. Now on the photographs:

# %%
maps = {}
for name, photograph in photographs.items():
    batch = photograph.transpose(2, 0, 1)[None]
    maps[name] = conv2d_forward(batch, opponent[1:, :, None, None].astype(np.float32))[0][0]
viz.plot_rows(maps, ["red − green", "blue − yellow"], kind="signed", largest=3.1)

# %% [markdown]
# *Finding.* In "red − green" the petals are bright yellow (positive: reddish) and the leaves blue.
# The temple stands out, while the sky is next to gray, zero. In "blue − yellow" the petals are deep
# blue, which in these colors means negative: they are yellow and not blue. Bright sky and dark
# leaves are slightly positive. (A word of caution: the colors of the *map* say plus and minus, as
# everywhere in these lessons. They are not the colors of the picture.)
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
color_of = np.array([to_gray, opponent[1], opponent[2]])
edge_kernels = color_of[:, :, None, None] * KERNELS["sobel_x"]
edges = conv2d_loops(trick[None], edge_kernels)[0]
edge_names = ["gray edge", "red-green edge", "blue-yellow edge"]
for name, each in zip(edge_names, edges, strict=True):
    print(f"{name:17}: largest answer {np.abs(each).max():.3f}")

# %% [markdown]
# $1.509 \cdot 4 = 6.04$, and 0 in gray. (Blue minus yellow changes too, from $-0.25$ to $-0.5$.)
# Written as a product of two parts, "which color" and "which edge", such a kernel is easily made:
# `color * sobel`. On the temple, each map divided by the length of its color weights,
# $\sqrt{\sum \text{weight}^2}$, since red − green may reach from −1 to 1 and gray only from 0 to 1:

# %%
batch = photographs["china"].transpose(2, 0, 1)[None]
edges = conv2d_forward(batch, edge_kernels.astype(np.float32))[0][0]
lengths = np.linalg.norm(color_of, axis=1)
sizes = [np.minimum(np.abs(e) / n, 0.5) for e, n in zip(edges, lengths, strict=True)]
viz.plot_rows({"china": sizes}, edge_names, kind="amount", largest=2.6, label="size (0.5: or more)")

# %% [markdown]
# *Finding.* Nearly every upright border shows in gray, and trees and bushes are as busy as the
# temple. In red-green, and in blue-yellow, what is left is above all the temple, its roofs and
# columns; the trees fade, since they are light and shadow of one green. Which kernel is useful
# depends on the picture, which is a reason to let it be learned.
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
# red-green edge is greenish on the left and reddish on the right. It answers most to exactly that.
#
# Lesson 5 asked which patch excites a kernel most: white under positive weights, black under
# negative ones. In color the same argument holds for each channel by itself: **channel fully on
# where its weight is positive, off where it is negative.** By hand, for a kernel of a single pixel
# with the weights 2, −2, −1 for red, green, blue, that is pure red, answer 2. For −1, 3, 1 it is
# green and blue on, red off, which is cyan, answer 4.
#
# ## 6. Five things in two photographs
#
# ### 6.1 The patches
#
# Time to learn something. We cut patches of 16 × 16 pixels out of the two photographs: sky, temple
# and trees from one, petals and leaves from the other. To train we take them from the solid frames,
# to test from the dashed ones. No pixel is used twice, and at least 16 pixels lie between the two.

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
#
# **Predict.** Which two things will be confused most? And in gray?

# %%
print(len(data.train), "patches to train (overlapping),", len(data.test), "to test (side by side)")
for name in ("temple", "trees"):
    for part, purpose in ((data.train, "to train"), (data.test, "to test")):
        chosen = part.images[part.labels == data.class_names.index(name)]
        print(f"mean color, {name} {purpose}:", chosen.mean(axis=(0, 2, 3)).round(2))
shown = [data.test.images[data.test.labels == label][7::12][:5] for label in range(5)]
rows = dict(zip(data.class_names, map(list, shown), strict=True))
viz.plot_rows(rows, kind="picture", largest=0.8)

# %% [markdown]
# *Finding.* Sky and leaves are smooth, trees and temple full of detail. By color, petals stand
# alone, and temple and trees share their dark tones: the trees to test on (0.22, 0.23, 0.18) are on
# average as dark as the temple to train from (0.23, 0.19, 0.16), and darker than the trees to train
# from. That will make trouble.
#
# ### 6.2 Baselines first
#
# Before training a network, ask what less can do. The least is to guess: always to say "sky" is
# right for 90 of the 368 test patches, one in four. Next, the **mean color** of a patch, three
# numbers, and one dense layer on them.


# %%
def train(network, data, epochs, rate, seed):
    """Train a network on (images, labels), and return it."""
    options = {"epochs": epochs, "batch_size": 25, "progress": False}
    fit(network, data, optimizer=Adam(rate), rng=np.random.default_rng(seed), **options)
    return network


def mean_color(part):
    """Return the mean of each channel, (N, 3, 1, 1), and the labels."""
    return part.images.mean(axis=(2, 3), keepdims=True), part.labels


results = {"mean color": []}
for seed in range(4):
    three_numbers = Sequential([Flatten(), Dense(3, 5, rng=np.random.default_rng(seed))])
    train(three_numbers, mean_color(data.train), 40, 0.03, seed)
    results["mean color"].append(evaluate(three_numbers, mean_color(data.test)).accuracy)
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


for row in small_network(3, seed=0).summary().rows:
    print(f"{row.name:8}  {str(row.output_shape):12}  {row.parameters:5,} parameters")

# %% [markdown]
# Together 4,997 parameters. It gets the same patches in three forms.
#
# - **color**: as they are;
# - **gray**: what is color worth?
# - **shuffled**: the 256 pixels of each patch, colors and all, in random order, a new order for
#   every patch. What remains is which colors occur, and how often. What is the *neighborhood*
#   worth?


# %%
def as_gray(part, seed):
    """Return the gray values, (N, 1, H, W), and the labels."""
    return np.tensordot(part.images, to_gray.astype(np.float32), (1, 0))[:, None], part.labels


def in_color(part, seed):
    """Return the patches as they are, and the labels."""
    return part.images, part.labels


def shuffled(part, seed):
    """Return each patch with its pixels in a random order of its own, and the labels."""
    pixels = part.images.reshape(len(part), 3, 256)
    order = np.random.default_rng(seed).permuted(np.tile(np.arange(256), (len(part), 1)), axis=1)
    return np.take_along_axis(pixels, order[:, None], 2).reshape(part.images.shape), part.labels


forms = {"gray": as_gray, "shuffled": shuffled, "color": in_color}
four = [30, 110, 200, 240]
rows = {name: list(form(data.test, 8)[0][four]) for name, form in forms.items()}
viz.plot_rows(rows, kind="picture", largest=0.9)

# %% [markdown]
# *Finding.* The gray patches keep every shape. The shuffled ones keep every color and no shape.
#
# **Predict, then run.** Rank the three, and the mean color. Four runs each, from four random
# starts. (Twelve trainings: some seconds.)

# %% tags=["nbval-ignore-output"]
networks = {}
for name, form in forms.items():
    known, new = form(data.train, 7), form(data.test, 8)
    channel_count = 1 if name == "gray" else 3
    networks[name] = [
        train(small_network(channel_count, seed), known, 10, 0.003, seed) for seed in range(4)
    ]
    results[name] = [evaluate(network, new).accuracy for network in networks[name]]
print("means:", ", ".join(f"{name} {np.mean(shares):.2f}" for name, shares in results.items()))
assert np.mean(results["color"]) > np.mean(results["gray"]) + 0.07
viz.plot_spread(results, "test accuracy")

# %% [markdown]
# *Finding.* **Color is worth about 15 percentage points.** Without it, three convolution layers do
# no better than three numbers with color. **And the neighborhood is worth little, if anything**:
# patches whose pixels lie in a random order are told apart nearly as well as whole ones, 0.88
# against 0.92. To know which colors occur, and how often, is nearly enough.
#
# How fine is the ruler? The runs on shuffled patches lie far apart, from 0.83 to 0.93, and the best
# two of them are as good as runs on whole ones. Means of four such runs are certain to 2 or 3
# points at best, so 4 points between two of them may be chance. (On another machine, sums rounded
# in another way are enough to move them.) And this is a fact about these five things and not about
# convolution. No picture of filters would have told it.
#
# What is confused? All four networks of each kind together:

# %% tags=["nbval-ignore-output"]
print("order:", ", ".join(data.class_names))
for name in ("gray", "color"):
    table = np.zeros((5, 5))
    for network in networks[name]:
        predictions = network.predict(forms[name](data.test, 8)[0])
        np.add.at(table, (data.test.labels, predictions), 1)
    percent = (100 * table / table.sum(axis=1, keepdims=True)).round().astype(int)
    print(f"{name}, in percent: rows true, columns read\n{percent}\n")
assert percent[2, 1] > 10  # with color, trees taken for temple

# %% [markdown]
# In gray, temple and trees are taken for each other, and so are some petals and pieces of the
# temple: same brightness, similar detail. With color, petals and temple are hardly confused any
# more. What remains is the trouble we saw coming: about a quarter of the trees are taken for
# temple. They are a kind of tree that the networks have never seen, in a tone that so far belonged
# to the temple.
#
# ## 7. What did the first layer learn?
#
# The filters (kernels) of one color network, drawn in color, and as a control the same network
# *before* training. **Predict:** how will the two rows differ?

# %% tags=["nbval-ignore-output"]
start = small_network(3, 1)["conv1"].params["weight"]
learned = networks["color"][1]["conv1"].params["weight"]
colors = kernels_as_colors(np.concatenate([start, learned]))  # both on one scale
rows = {"before": list(colors[:8]), "after": list(colors[8:])}
viz.plot_rows(rows, range(8), kind="picture", largest=0.95)

# %% [markdown]
# *Finding.* Looking at the lower row alone, it is tempting to speak of detectors for petals, leaves
# and sky. But their colors were there before: most squares have kept their hue. (Where hues cannot
# be told apart, in print or by your eyes: the numbers below say the same.)
#
# Two numbers for each filter, with their controls. First the correlation with its own start, as in
# lesson 5. Second its **color share**: how much of its weights (of the sum of their squares) is
# *not* common to the three channels. It is 0 for a filter that treats red, green and blue exactly
# alike, 0.25 for our gray edge (which gives green twice the weight of red), and 1 for one whose
# three channels add up to zero everywhere, as those of red − green do.
#
# **Predict, then run.** What is the color share of a random filter? (Three independent numbers have
# one common part and two differences.)


# %% tags=["nbval-ignore-output"]
def color_share(filters):
    """Return how much of each filter's weights differs between the channels, (F,)."""
    different = filters - filters.mean(axis=1, keepdims=True)
    return (different**2).sum(axis=(1, 2, 3)) / (filters**2).sum(axis=(1, 2, 3))


print("gray, red-green, blue-yellow edge:", color_share(edge_kernels).round(2))
every_start = np.concatenate([small_network(3, s)["conv1"].params["weight"] for s in range(4)])
every_learned = np.concatenate([n["conv1"].params["weight"] for n in networks["color"]])
kept = filter_correlations(every_start, every_learned)
assert kept.mean() > 0.85
print(f"correlation with the start: mean {kept.mean():.2f}, lowest {kept.min():.2f}")
shares = {"at the start": color_share(every_start), "after training": color_share(every_learned)}
print("mean color share", ", ".join(f"{name} {each.mean():.2f}" for name, each in shares.items()))
viz.plot_spread(shares, "color share, one dot per filter", levels={"random": 2 / 3})

# %% [markdown]
# *Finding.* All 32 filters of the four networks correlate strongly with their start. Their color
# share is next to the 2/3 of random numbers, before as after. This suggests that the first layer
# looks at color because *random filters* look at color, and that the layers behind it learned to
# make use of that. In any case colorful filters are no sign of learning.
#
# (Large networks do learn them: trained on a million photographs, the first layer of Krizhevsky,
# Sutskever and Hinton, 2012, divided itself into gray edges and blobs of color. Ours saw two
# photographs, for seconds.)
#
# ## 8. Two photographs are not a world
#
# Nine in ten patches are told apart. What does the network know now? The honest answer is in the
# data: *one* temple, *one* flower, one light each. Train and test patches come from different
# regions, but from the same two photographs. An hour later the same place would look warmer, or a
# cloud would pass. We change the light on the test patches, and leave the networks as they are.
# **Predict** what is worse: less light, or light of another color?

# %% tags=["nbval-ignore-output"]
lights = {
    "as photographed": [1, 1, 1],
    "a third less light": [0.67, 0.67, 0.67],
    "bluish (red × 0.75)": [0.75, 1, 1],
    "warm (blue × 0.75)": [1, 1, 0.75],
}
under_light = {}
for name, factors in lights.items():
    changed = data.test.images * np.array(factors, np.float32)[:, None, None], data.test.labels
    under_light[name] = [evaluate(network, changed).accuracy for network in networks["color"]]
    print(f"{name:19}: mean {np.mean(under_light[name]):.2f}")
viz.plot_spread(under_light, "test accuracy of the four color networks")

# %% [markdown]
# *Finding.* Every change costs a lot: less light and bluish light 13 to 14 points, warm light 20.
# Which is worst, four networks cannot say, for look at the spread. As photographed, they lie within
# 8 points. With less light one of them loses nothing, while another falls to two thirds; in bluish
# light three keep more than 0.8, and the fourth falls below 0.6. The test set could not have told
# us: nothing in the data said how to behave in another light, so each does what its random start
# led to. (D'Amour et al., 2022, found the same in large systems and call it *underspecification*.)
# What helps is data with many lights; if there are none, lights made up at random while training.
#
# ## 9. Real color images: CIFAR-10
#
# CIFAR-10 is the next step that most courses take: 60,000 color photographs of 32 × 32 pixels in
# ten classes, airplane to truck. It is not part of this package, and is not downloaded for you.
# Get `cifar-10-binary.tar.gz` (162 MB) from
# [its page](https://www.cs.toronto.edu/~kriz/cifar.html), the version marked "binary". Then this is
# all it takes, in a cell of your own:
#
# ```python
# from cnnedu.data import load_cifar10
#
# cifar10 = load_cifar10("the folder with the file")
# first = [Conv2D(3, 16, 3, padding="same", rng=rng), ReLU(), MaxPool2D(2)]
# second = [Conv2D(16, 32, 3, padding="same", rng=rng), ReLU(), MaxPool2D(2)]
# network = Sequential([*first, *second, Flatten(), Dense(2048, 10, rng=rng)])
# train(network, cifar10.train[:2000], 5, 0.002, 0)
# print(evaluate(network, cifar10.test[:1000]).accuracy, "(guessing: 0.10)")
# ```
#
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
viz.plot_series(dict(zip(MOTIF_NAMES, task.motifs, strict=True)), share_y=True, columns=2)

# %% [markdown]
# *Finding.* A **chirp** is a wave that becomes faster (up) or slower (down); one is the other
# played backward. Then two clicks, and a slow tone. All last 24 steps, and in all of them the
# squares add up to 1.
#
# Each signal is **noise**: 128 independent normal numbers with standard deviation 1. At a random
# place one motif is added, multiplied by 5. The question is which one. Here are four, one of each
# kind. **Predict:** where are they?

# %%
four = [int(np.flatnonzero(task.test.labels == label)[1]) for label in range(4)]
signals = {f"signal {n}": task.test.images[i, 0, 0] for n, i in enumerate(four)}
viz.plot_series(signals, share_y=True, columns=2)

# %% [markdown]
# *Finding.* The clicks of signal 2 may be guessed (their motif begins at step 98), since a click
# is high and short; and who knows what to look for sees the hump of the tone in signal 3 (which
# begins at step 5). The chirps are spread over many steps, nowhere much higher than the noise: one
# begins at step 31 of signal 0, the other at step 78 of signal 1.
#
# ## 12. The best possible answer
#
# Which kernel should we use? If you know the motif, *the motif itself*. Where it lies exactly on
# its copy in the signal, all products are positive (plus times plus, minus times minus), and
# nothing cancels. This is a **matched filter** (North, 1943, for radar). Against this kind of noise
# no other kernel of the same length raises the motif higher above the noise.
#
# **Predict, then run.** How high is the answer on the spot, without the noise? And how large is the
# answer to noise alone? (The squares of a motif add up to 1, and it comes in 5 times. A sum of
# independent numbers with standard deviation 1, weighted by $w$, has standard deviation
# $\sqrt{\sum w^2}$.)

# %%
responses = matched_filter(task.test.images, task.motifs)
on_the_spot = responses[np.arange(1000), task.test.labels, task.test.positions]
noise_only = matched_filter(hidden_motifs(4, 1000, strength=0, rng=rng).test.images, task.motifs)
print("signals, motifs, places:", responses.shape)
print(f"on the spot: mean {on_the_spot.mean():.1f}, standard deviation {on_the_spot.std():.1f}")
print(f"noise alone: mean {noise_only.mean():.1f}, standard deviation {noise_only.std():.1f}")

# %%
curves = {name: responses[four[3], m] for m, name in enumerate(MOTIF_NAMES)}
begin = int(task.test.positions[four[3]])
title = "Signal 3, four filters"
viz.plot_series(curves, marks={"tone": [begin]}, share_y=True, columns=2, title=title)

# %% [markdown]
# *Finding.* On the spot the answer is $5 \cdot 1 = 5$ on average, and noise adds ±1: five standard
# deviations above noise alone. The ring marks the place where the tone was hidden, and there, or
# very near, the answer of its filter is highest. The neighboring waves of a tone resemble it, so
# its filter answers in waves.
#
# So the rule: correlate with all four motifs, at all places; the largest answer wins. We call it
# the **oracle**, since it knows the motifs. Could anyone do better? Motif, place and noise are
# drawn by known rules, so one can compute which motif is the likeliest, given the signal, and
# nothing can be right more often than that (`optimal_scores`):

# %%
labels = task.test.labels
oracle = np.mean(responses.max(axis=2).argmax(axis=1) == labels)
best = np.mean(optimal_scores(task.test.images, task.motifs, 5.0).argmax(axis=1) == labels)
print(f"the oracle, largest answer wins: {oracle:.3f}")
print(f"the likeliest motif:             {best:.3f}")

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
def signal_network(kernel_length, seed, padding=0):
    """Return an untrained network: one convolution, one maximum over all places."""
    r = np.random.default_rng(seed)
    places = 128 + 2 * padding - kernel_length + 1
    layers = [Conv2D(1, 8, (1, kernel_length), padding=(0, padding), rng=r), ReLU()]
    layers += [MaxPool2D((1, places)), Flatten(), Dense(8, 4, rng=r)]
    return Sequential(layers, input_shape=(1, 1, 128))


def dense_network(seed):
    """Return an untrained network of dense layers only."""
    r = np.random.default_rng(seed)
    return Sequential([Flatten(), Dense(128, 64, rng=r), ReLU(), Dense(64, 4, rng=r)])


# %% [markdown]
# **Predict, then run.** The dense network has 8,516 parameters, the convolutional one 236. Which
# will be better on signals it knows, which on new ones? (The oracle: 0.97. Guessing: 0.25.)

# %% tags=["nbval-ignore-output"]
listeners = [train(signal_network(24, s), task.train, 15, 0.005, s) for s in range(3)]
dense = [train(dense_network(s), task.train, 15, 0.003, s) for s in range(3)]
new = {}
for name, group in {"convolution": listeners, "dense": dense}.items():
    known = np.mean([evaluate(network, task.train).accuracy for network in group])
    new[name] = np.mean([evaluate(network, task.test).accuracy for network in group])
    print(f"{name:12}: known signals {known:.2f}, new ones {new[name]:.2f}")
assert new["convolution"] > 0.9
assert new["dense"] < 0.5

# %% [markdown]
# The dense network knows all 2,000 signals by heart and understands little: on new ones it is
# little better than guessing. It has a weight for each step, so a chirp at step 10 and a chirp at
# step 60 are two different things to it, and there are 105 places. The convolution has 236
# parameters and loses only about three points to the oracle.
#
# What did the kernels learn? `match_kernels` compares each of them with each motif, by the cosine
# of lesson 5, at the shift where they fit best. The control, random kernels, is given every
# advantage: the best of eight, the best shift, either sign.

# %% tags=["nbval-ignore-output"]
by_chance, _ = match_kernels(rng.normal(size=(200, 24)), task.motifs)
best_of_eight = np.abs(by_chance).reshape(25, 8, 4).max(axis=1)
found = [match_kernels(n["conv1"].params["weight"], task.motifs)[0] for n in listeners]
best_kernels = np.max(found, axis=1)  # (networks, motifs)
assert best_kernels.min() > 0.8
groups = dict(zip(MOTIF_NAMES, best_kernels.T, strict=True))
groups["best of 8 random kernels"] = best_of_eight.ravel()
viz.plot_spread(groups, "cosine of the best kernel with the motif", x_range=(0, 1))

# %% [markdown]
# *Finding.* In all three networks, for each of the four motifs there is a kernel with a cosine of
# about 0.9 or more. The best of eight random kernels reaches 0.4 to 0.7. This time the filters
# *are* learned, and what they learned is what the theory says they should.
#
# Next to each other, the motif and the kernel that resembles it most, moved to where they fit:

# %% tags=["nbval-ignore-output"]
closest = closest_kernels(listeners[0]["conv1"].params["weight"], task.motifs)
pairs = zip(MOTIF_NAMES, task.motifs, closest, strict=True)
panels = {name: {"motif": motif, "learned": each} for name, motif, each in pairs}
viz.plot_series(panels, share_y=True, columns=2)

# %% [markdown]
# *Finding.* The chirps and the clicks are matched nearly step for step. The kernel for the tone has
# it some steps too early, so that the quiet beginning was cut off (the flat piece). Small bumps
# beside the motifs are noise of the training signals. Nobody told the network these shapes. It
# found its own matched filters.
#
# ## 14. Receptive field in time
#
# The 24 steps were given knowledge: we knew how long a motif is. **Predict, then run.** What
# happens with kernels of 5 steps? And of 60? Each length twice: without padding, as so far, and
# with zeros before and after the signal, half a kernel on either side.

# %% tags=["nbval-ignore-output"]
lengths = [5, 15, 24, 60]
without = [train(signal_network(k, 0), task.train, 15, 0.005, 0) for k in lengths]
padded = [train(signal_network(k, 0, k // 2), task.train, 15, 0.005, 0) for k in lengths]
curves = {}
for name, group in {"no padding": without, "with padding": padded}.items():
    curves[name] = lengths, [evaluate(network, task.test).accuracy for network in group]
assert curves["with padding"][1][3] > curves["no padding"][1][3] + 0.07
viz.plot_curves(curves, "kernel length (steps)", "test accuracy", levels={"oracle": oracle})

# %% [markdown]
# *Finding.* Five steps are too short, padded or not: a piece of a motif helps (guessing would be
# 0.25), but noise imitates a piece more easily than the whole. From 15 on, length hardly matters,
# *if the signal is padded*. Without padding, 60 steps are far worse.
#
# Why? One might guess that a long kernel has too many weights and learns the noise. But the padded
# one has just as many, and does well. Look at its reach instead: 60 steps fit into 128 at
# $128 - 60 + 1 = 69$ places, 0 to 68. A kernel that holds its motif from its own step $o$ on finds
# it only if it begins between $o$ and $o + 68$ in the signal. Since $o$ can be 0 to 36, motifs that
# begin at 36 to 68 are within reach in any case, all others only by luck.
#
# **Predict, then run.** We know where the motifs begin. We also take the *padded* network and, with
# its weights untouched, take the padding away. Which motifs will it lose?

# %% tags=["nbval-ignore-output"]
taken_away = signal_network(60, 0)  # no padding, but the weights of the network that had it
for layer_name in ("conv1", "dense1"):
    for kind, values in padded[3][layer_name].params.items():
        taken_away[layer_name].params[kind][...] = values
begin = task.test.positions
parts = {"0 to 35": begin < 36, "36 to 68": (begin >= 36) & (begin <= 68), "69 on": begin > 68}
cases = {"no padding": without[3], "with padding": padded[3], "padding taken away": taken_away}
for name, network in cases.items():
    right = network.predict(task.test.images) == task.test.labels
    shares = [f"{where}: {right[there].mean():.2f}" for where, there in parts.items()]
    known = evaluate(network, task.train).accuracy
    print(f"{name:18}  known {known:.2f}, new, by the motif's begin: {', '.join(shares)}")
assert right[parts["36 to 68"]].mean() > right[~parts["36 to 68"]].mean() + 0.1

# %% [markdown]
# Those near the ends, and only those. Not one weight has changed, and in the middle it is as good
# as it was: this is an **edge effect**. The network that was trained without padding shows the same
# gap. It is somewhat worse in the middle, too, since it had to learn from many signals whose motif
# its kernels did not reach; and it does not even know its own training signals well, as it would if
# it had learned their noise.
#
# So a kernel must be long enough for what it is to see, and must be able to reach it. In our data
# more length than that costs time, and little else.
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
viz.plot_rows(
    {"frequency ↑, time →": pictures}, MOTIF_NAMES, kind="amount", largest=1.75, label="amount"
)

# %% [markdown]
# *Finding.* The chirps are slanted lines, one rising and one falling; clicks, with many frequencies
# at one moment and high ones most, stand upright; the tone lies flat at the bottom. Lines in
# different directions are what lesson 2's kernels were made for.
#
# One difference from a photograph remains. Moved to the right, a sound is the same sound, later.
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
    return images.reshape(len(images), -1)[:, order].reshape(images.shape)


def moved_at_random(images, seed):
    """Return each image moved by up to four pixels along both axes."""
    moves = np.random.default_rng(seed).integers(-4, 5, (len(images), 2))
    return np.stack([np.roll(images[n], tuple(move), axis=(1, 2)) for n, move in enumerate(moves)])


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
            train(network, (change(images), digits.train.labels), 6, 0.003, 0)
            row.append(evaluate(network, (change(test_images), digits.test.labels)).accuracy)
        print(f"{name:9} {kind.__name__:17} {row[0]:7.2f} {row[1]:9.2f}")

# %% [markdown]
# On the *centered* digits both assumptions are worth little: the convolution loses about four
# points where nothing can be seen any more. Every digit stands in the same place, so each pixel has
# a meaning of its own, and the dense layer behind the convolutions can use that. On the *moved*
# digits the convolution leads by about 13 points, and permuted it falls far *below* the dense
# network: it still insists on neighbors, which are now strangers. The dense network does as well
# either way; the small differences come from the random start.
#
# And sound? The same permutation of the 128 steps for all signals, the network of section 13:

# %% tags=["nbval-ignore-output"]
steps = np.random.default_rng(2).permutation(128)
listener = signal_network(24, 0)
train(listener, (task.train.images[..., steps], task.train.labels), 15, 0.005, 0)
share = evaluate(listener, (task.test.images[..., steps], task.test.labels)).accuracy
assert share < 0.5
print(f"permuted steps: {share:.2f} of new signals")

# %% [markdown]
# Little more than guessing is left. A motif is now spread over the whole row, in a different way
# for each of its places, and no kernel of any length can collect it.
#
# So, whatever your data are, ask two questions, and then run the control.
#
# | data | a neighbor is | moves that change nothing | convolution? |
# |---|---|---|---|
# | photograph | the next pixel | in both directions | yes |
# | sound, heartbeat | the next step | in time | yes, kernels (1, k) |
# | spectrogram | next window, next frequency | in time, hardly in pitch | yes, with care |
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
# width), stride 1, no padding, and return one feature map.
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
# *Hint:* `red, green, blue = image` takes the channels apart.


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
# The oracle of section 12. Return the number of the motif (a row of `motifs`; the squares of each
# add up to 1) that fits best anywhere in the signal.
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
# - A kernel has as many channels as its input, sums over all of them, and gives one feature map.
#   Only the first layer notices that a picture is in color.
# - Differences between channels see color as differences between neighbors see edges; their product
#   sees edges that no gray picture holds.
# - In our patches color was worth about 15 points, and the neighborhood no more than may be chance:
#   with gray and shuffled controls, and a baseline of three numbers.
# - Colorful filters may be random ones. Networks within 8 points of each other on the test set may
#   lie 30 points apart in another light.
# - A signal is an image of one row, with kernels (1, k). Where the best answer is known (matched
#   filter), a network with one convolution comes near it, and its kernels become the motifs. A
#   kernel must be long enough, and padding lets it reach the ends.
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
