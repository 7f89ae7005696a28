# %% [markdown]
# # Lesson 7 · Kernels that compete
#
# In the networks so far, every kernel speaks at every place. In this one the kernels compete: at
# each place of the image only the largest answer goes on, and only the kernel that gave it learns
# from it. The network comes from a public notebook, which gets 92.57 % of MNIST right with it. We
# build its layer, train it, and apply the gradient check to its own training rule. The rule fails.
# Then comes the better question: *why does it learn all the same?*
#
# **What you will be able to do**
#
# - compute a competition of kernels forward and backward, and say what maxout is;
# - say what a preparation of the data does to a network, and why the unit can matter;
# - find mistakes in a training rule that learns, and tell how much each of them costs;
# - test a claim about training by an experiment with a control.
#
# **What you need:** lessons [3](03_layers.ipynb) (layers, pooling's backward pass, softmax, the
# gradient check), [4](04_training.ipynb) (training) and [5](05_filters_and_feature_maps.ipynb)
# (looking at kernels).
#
# **How long it takes:** about 60 minutes in two sittings, 30 for sections 1 to 5 (the layer and its
# network) and 30 for sections 6 to 10 (the rule; the break is marked), and 20 more for the
# exercises. Some cells train networks; the longest take ten seconds or so, on a slow computer half
# a minute.
#
# ← [Lesson 6: A deeper network](06_deeper_network.ipynb) ·
# [Lesson 8: Your own handwriting](08_own_handwriting.ipynb) → ·
# [Solutions](solutions/07_kernels_that_compete.ipynb)

# %%
import copy

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from cnnedu import SGD, Adam, Sequential, Tanh, checks, evaluate, fit, gradient_check
from cnnedu import softmax_cross_entropy as cross_entropy
from cnnedu import visualization as viz
from cnnedu.architectures import build
from cnnedu.data import divide_by_variance, load_digits, load_recorded
from cnnedu.initializers import uniform_unit
from cnnedu.kernels import kernel
from cnnedu.layers import Conv2D, MaxOverChannels, conv2d_backward, conv2d_forward, softmax
from cnnedu.layers.competition import max_over_channels_backward, max_over_channels_forward
from cnnedu.optimizers import CosineDecay
from cnnedu.systems import system
from cnnedu.systems.competing_kernels import step_as_written, weights_of

data = load_digits()
labels = data.train.labels

# %% [markdown]
# ## 1. The largest answer
#
# ### In small integers
#
# A dark image with a bright square at the lower right, and three kernels. Kernel 0 answers where it
# gets brighter from left to right, kernel 1 where it gets brighter from top to bottom, kernel 2 at
# the upper left corner of something bright.
#
# $$\text{image} = \begin{bmatrix} 0&0&0&0\\ 0&2&2&2\\ 0&2&2&2\\ 0&2&2&2 \end{bmatrix} \qquad
# k_0 = \begin{bmatrix} -1&1\\ -1&1 \end{bmatrix} \quad
# k_1 = \begin{bmatrix} -1&-1\\ 1&1 \end{bmatrix} \quad
# k_2 = \begin{bmatrix} 0&-1\\ -1&2 \end{bmatrix}$$
#
# At the first place the patch is $\begin{bmatrix} 0&0\\ 0&2 \end{bmatrix}$. The answers are 2, 2
# and $2 \cdot 2 = 4$: kernel 2 wins. One place further right the patch is
# $\begin{bmatrix} 0&0\\ 2&2 \end{bmatrix}$: 0, 4 and $-2 + 4 = 2$. Kernel 1 wins.
#
# **Predict, then run.** Who wins at the other seven places?

# %%
image = np.array([[0, 0, 0, 0], [0, 2, 2, 2], [0, 2, 2, 2], [0, 2, 2, 2]], dtype=float)
three = np.array([[[-1, 1], [-1, 1]], [[-1, -1], [1, 1]], [[0, -1], [-1, 2]]], dtype=float)
maps, _ = conv2d_forward(image[None, None], three[:, None])
answers, winners = maps.max(axis=1), maps.argmax(axis=1)
print("the largest answers:", *answers[0].astype(int), sep="\n")
print("who gave them:", *winners[0], sep="\n")

# %% [markdown]
# The border at the top belongs to kernel 1, the one on the left to kernel 0, the corner to kernel
# 2. Inside the square all three answer 0, and kernel 0 has it, for no other reason than that
# `argmax` takes the first of equal values.
#
# Three maps went in and **one** comes out. That map tells how strongly *something* was found; which
# kernel found it is remembered for the backward pass, and not handed on.
#
# In lesson 3, **max pooling** compared the *places* in a window of one map. Here the *maps* are
# compared at one place. A unit that takes the largest of several weighted sums is called **maxout**
# (Goodfellow et al., 2013).
#
# ### What shapes can a maximum make?
#
# Take a single input $x$. A weighted sum is then a straight line, and the largest of several lines
# is a curve bent upward, made of straight pieces. Three lines:

# %%
x = np.linspace(-2, 3, 101)
lines = {"-x - 1": -x - 1, "x / 2": x / 2, "2 x - 3": 2 * x - 3}
curves = {"the largest": np.max(list(lines.values()), axis=0)} | lines
viz.plot_curves(
    {name: (x, y) for name, y in curves.items()}, "x", "answer", y_range=(-3.2, 3.2),
    thick="the largest",
)  # fmt: skip

# %% [markdown]
# *Finding.* The thick curve follows the falling line on the left, the gentle one in the middle and,
# from $x = 2$ on, the steep one. Each line is responsible for a region of its own, and needs to be
# right only there.
#
# Two old acquaintances are competitions of this kind. ReLU, $\max(x, 0)$, is one between a kernel
# and a kernel of zeros; $|x| = \max(x, -x)$ is one between a kernel and its negative. In a maxout
# network nobody chooses the bend: it is learned, with the lines.
#
# ### Which kernel wins where?
#
# Now a digit, and five kernels whose work you know: four Sobel kernels, turned to the four sides,
# and before them a kernel of zeros.
#
# **Predict, then run.** Which of them wins at the *left inner* border of the zero?

# %%
zero = data.test.images[33:34]
right, down = kernel("sobel_x"), kernel("sobel_y")
five = np.stack([0 * right, right, -right, down, -down])[:, None].astype(np.float32)
maps, _ = conv2d_forward(zero, five)
sides = ["(zeros)", "brighter to the right", "to the left", "below", "above"]
viz.plot_winners(maps.argmax(axis=1), images=zero, names=sides)

# %% [markdown]
# *Finding.* The map takes the outline apart by direction. Kernel 1 wins at the outer border on the
# left and at the inner border on the right: at both it gets brighter to the right. Kernel 2 has the
# opposite two, so it is the one at the left inner border. 3 and 4 share the top and the bottom in
# the same way. All that is flat goes to the zeros.
#
# Without the zeros, the other four would all answer 0 at the flat places, which are more than half
# of all, and `argmax` would give them to the first, "brighter to the right", which has found
# nothing there. Ties matter here as they did in pooling.

# %% [markdown]
# ## 2. The layer, forward and backward
#
# ### Forward
#
# By plain loops, and all at once:


# %%
def compete_loops(maps):
    """Return the largest answer at each place, (N, 1, H, W)."""
    y = np.empty_like(maps[:, :1])
    for n, p, q in np.ndindex(len(maps), *maps.shape[2:]):
        winner = 0
        for k in range(1, maps.shape[1]):
            if maps[n, k, p, q] > maps[n, winner, p, q]:  # a tie changes nothing
                winner = k
        y[n, 0, p, q] = maps[n, winner, p, q]
    return y


y, cache = max_over_channels_forward(maps)  # the package's, all places at once
assert np.array_equal(compete_loops(maps), y)
assert np.array_equal(cache.wins.argmax(axis=1), maps.argmax(axis=1))
print("loops and package agree:", maps.shape, "->", y.shape)

# %% [markdown]
# ### Backward
#
# The winner's answer was copied, so its slope is 1. The losers had no part in it: theirs is 0. So
# each place's gradient goes back to its winner, whole:
#
# $$\frac{\partial L}{\partial x_k(p, q)} = \begin{cases} \dfrac{\partial L}{\partial y(p, q)} &
# \text{if } k \text{ won at } (p, q) \\ 0 & \text{otherwise} \end{cases}$$
#
# **Predict, then run.** In the integer example, let the gradients 1, 2, ..., 9 come back to the
# nine places, row by row. The winners were
# $\begin{bmatrix} 2&1&1\\ 0&0&0\\ 0&0&0 \end{bmatrix}$. Write down the gradient of each of the
# three maps.

# %%
maps, conv_cache = conv2d_forward(image[None, None], three[:, None])
y, cache = max_over_channels_forward(maps)
grad_y = np.arange(1.0, 10).reshape(1, 1, 3, 3)
grad_maps = max_over_channels_backward(grad_y, cache)
print(*grad_maps[0].astype(int), sep="\n\n")

# %% [markdown]
# From there it is an ordinary convolution. A kernel's gradient is the sum of the patches it won,
# each times the gradient that came back to its place (lesson 3). Kernel 2 won a single place, to
# which a 1 came back: its gradient must be that one patch.

# %%
_, grad_kernels, _ = conv2d_backward(grad_maps, conv_cache)
print("gradient of kernel 2:", *grad_kernels[2, 0].astype(int))
print("gradient of kernel 0:", *grad_kernels[0, 0].astype(int))

# %% [markdown]
# This is the point of the whole layer: **each kernel learns only from the patches that it wins**,
# so that it can become a specialist. (Kernel 0 also learned from the flat inside of the square,
# which it got by ties.)
#
# The gradient check of lesson 3 wiggles every number. Once for a random input, and once for our
# maps with their ties:

# %%
rng = np.random.default_rng(0)
for name, tried in {"random maps": rng.normal(size=(2, 3, 4, 4)), "with ties": maps}.items():
    error = gradient_check(MaxOverChannels(), tried, rng=rng).max_error
    print(f"{name:11}: {'right' if error < 1e-6 else 'not what the wiggle measures'}")

# %% [markdown]
# At a tie the maximum has a corner. Whichever of the equal ones is wiggled up becomes the winner,
# so the measured slope is one half for each of them, and no choice of *one* winner can agree with
# that. With random weights exact ties hardly ever happen.

# %% [markdown]
# ## 3. Mean and variance
#
# Before anything else the notebook prepares its images: subtract the mean of all pixels, divide by
# their **variance**. You would expect the *standard deviation*, the square root of that. It has the
# unit of the pixels, so that the quotient has none, and its spread is 1 whatever the unit was. The
# variance has the *square* of the unit.
#
# **Predict, then run.** Pixels are counted in bytes there, 0 to 255. How widely will the prepared
# pixels spread, if the standard deviation of the bytes is 85? And if the same pixels are counted
# from 0 to 1?

# %%
pixels = data.train.images.astype(np.float64)
b = 255 * pixels
prepared = {
    "bytes / variance": (b - b.mean()) / b.var(),
    "bytes / deviation": (b - b.mean()) / b.std(),
    "0 to 1 / variance": (pixels - pixels.mean()) / pixels.var(),
}
print(f"standard deviation of the bytes: {b.std():.1f}")
for name, x in prepared.items():
    print(f"{name}: spread {x.std():.4f}, from {x.min():.4f} to {x.max():.4f}")

# %% [markdown]
# Divided by a variance, the spread is 1/85 in one unit and 3 in the other. A change of unit, which
# means nothing, changes the numbers by a factor of 255.
#
# Does it matter? All weights of this network start between −1 and 1, and after the kernels and
# after the first dense layer comes **tanh**, which is flat beyond ±3. Three networks with the same
# start, one for each preparation: how many of their units are *stuck*, so close to ±1 that next to
# no gradient passes?

# %% tags=["nbval-ignore-output"]
for name, x in prepared.items():
    x = x.astype(np.float32)
    network = build("competing-kernels", rng=np.random.default_rng(1))
    outputs = network.activations(x[:200])
    stuck = [np.mean(np.abs(outputs[layer]) > 0.99) for layer in ("tanh1", "tanh2")]
    order = np.random.default_rng(0)
    history = fit(
        network, (x, labels), epochs=3, batch_size=10, optimizer=Adam(0.005), rng=order,
        progress=False,
    )  # fmt: skip
    print(f"{name}: stuck {stuck[0]:4.0%} and {stuck[1]:4.0%} at the start, ", end="")
    print(f"after 3 epochs {history.accuracy[-1]:.0%} of the training digits right")

# %% [markdown]
# Only the first of the three learns. It is the one the notebook has: its odd division happens to
# make the pixels small enough for its large first weights. (With the usual preparation and kernels
# 85 times smaller, all answers at the start would be the same.) The two belong together: with
# another preparation alone the network does not learn.
#
# One more thing to get right: mean and variance come from the *training* images, and the same two
# numbers prepare the test images. Otherwise what an image looks like to the network would depend on
# what else is tested with it. `divide_by_variance` does both, and counts in bytes.

# %%
train_set = divide_by_variance(data.train.images), labels
test_set = divide_by_variance(data.test.images, data.train.images), data.test.labels

# %% [markdown]
# ## 4. The network, trained well
#
# Nine kernels of 8 × 8, the largest answer at each of 21 × 21 places, tanh, a dense layer of 100
# with tanh, ten logits. No biases.
#
# **Predict, then run.** How many parameters? (Work it out before you look: where do nearly all of
# them sit?)

# %%
print(9 * 64, "+", 441 * 100, "+", 100 * 10, "=", 9 * 64 + 441 * 100 + 100 * 10)
print(build("competing-kernels", rng=np.random.default_rng(0)).summary())

# %% [markdown]
# The kernels are 576 of 45,676. First the check of lesson 4, before any training: are the gradients
# of the whole network right? (In double precision: a tiny wiggle drowns in the rounding of
# `float32`.)


# %%
def in_double_precision(network):
    """Turn a network's weights into float64, and return it."""
    for layer in network:
        layer.params = {name: array.astype(np.float64) for name, array in layer.params.items()}
    return network


few = divide_by_variance(pixels)[:20], labels[:20]
network = in_double_precision(build("competing-kernels", rng=np.random.default_rng(0)))
report = gradient_check(network, *few, samples=60, rng=rng)
for name in network.params:
    print(f"{name}: {'right' if report.errors[name] < 1e-6 else 'wrong'}")


# %% [markdown]
# Then train, three times from different random weights: cross-entropy, Adam with a rate that falls
# along a cosine and a little weight decay, batches of ten, 8 epochs.


# %% tags=["nbval-ignore-output"]
def train(network, seed, optimizer=None, loss=cross_entropy, epochs=8):
    """Train a network in place, in batches of 10, and return its history."""
    optimizer = optimizer or Adam(CosineDecay(0.01), weight_decay=0.03)
    options = {"epochs": epochs, "batch_size": 10, "progress": False}
    order = np.random.default_rng(seed)
    return fit(network, train_set, optimizer=optimizer, loss=loss, rng=order, **options)


trained, starts = [], []
for seed in range(3):
    network = build("competing-kernels", rng=np.random.default_rng(seed))
    starts.append(network["conv1"].params["weight"].copy())
    train(network, seed)
    trained.append(network)
accuracies = [evaluate(network, test_set).accuracy for network in trained]
print("test accuracy:", ", ".join(f"{each:.1%}" for each in accuracies))

# %% [markdown]
# About as many as the small network of lesson 4. (A test digit is 0.28 points.) What have the nine
# kernels learned? Lesson 5 taught what to ask first: how much of this was there before?

# %%
network = trained[0]
viz.plot_init_vs_learned(starts[0], network["conv1"].params["weight"])

# %% [markdown]
# *Finding.* Most of it. The kernels correlate with their own random starts by more than 0.9, only
# number 7 by less. What 1,437 digits have added is the third row, and that has an order: pale
# yellow spots, each in a place of its own, on pale blue. So look at what 20,000 digits of MNIST
# make of nine other starts, in the 3 × 3 grid in which the notebook shows its kernels. (This
# training is stored with the course, as are the others on MNIST below.)

# %%
recorded = load_recorded("competing-mnist")
from_mnist = np.array(recorded["well_trained"][0]["kernels"])
viz.plot_filters(from_mnist[:, None], columns=3)

# %% [markdown]
# *Finding.* Pieces of strokes: bright bars and spots, upright, lying or slanted, with dark beside
# or around them. The random start is hardly to be seen any more.
#
# ### One image through each kernel
#
# Back to the digits. A zero, and what the nine kernels of our own network answer:

# %%
viz.plot_feature_maps(network, test_set[0][33:34], "conv1", columns=5)

# %% [markdown]
# *Finding.* Nine blurred pictures of the zero, some strong (1, 2, 4, 7), the others pale, 5 hardly
# a zero. Each is bright in other places: 1 at the top left and at the bottom, 7 at the top right.
# What goes on is, at each place, the largest of these nine. Who gives it? (The maps have 21 × 21
# places. Each stands for the middle of its patch of 8 × 8, so a map shows the image without a
# margin of some four pixels.)

# %%
shown = [33, 39, 2, 3]
maps = network.activations(test_set[0])["conv1"]
titles = [f"a {label}" for label in data.test.labels[shown]]
viz.plot_winners(maps[shown].argmax(axis=1), images=data.test.images[shown], titles=titles)

# %% [markdown]
# *Finding.* Mostly regions. Along the strokes two kernels win nearly everything: 1 and 2, each on
# its own side. The others have the outskirts, where a patch holds just the tip of a stroke.
#
# And the empty corners? An empty patch is not 0 after the preparation, it is the same small
# negative number everywhere. So it is won by the kernel with the lowest sum of weights. How much
# does each of the nine win, over all test digits?

# %% tags=["nbval-ignore-output"]
sums = network["conv1"].params["weight"].sum(axis=(1, 2, 3))
print("the kernel with the lowest sum:", sums.argmin())
shares = np.bincount(maps.argmax(axis=1).ravel(), minlength=9) / maps[:, 0].size
viz.plot_bars({f"{k}": share for k, share in enumerate(shares)}, "kernel", "share of places won")

# %% [markdown]
# *Finding.* Three kernels win three quarters of all places, and one of these three, number 3, owes
# much of its share to empty patches. All nine win somewhere, if some of them seldom: nobody has
# been left without patches to learn from, as can happen in competitions.

# %% [markdown]
# ## 5. Is the competition worth anything?
#
# The control is easily made: the same network with a **single** kernel, which has nobody to compete
# with.
#
# **Predict, then run.** Which of the two gets more digits right, and by how much?


# %% tags=["nbval-ignore-output"]
def with_one_kernel(seed):
    """Build the network with a single kernel, and nothing to compare it with."""
    layers = build("competing-kernels", rng=np.random.default_rng(seed)).layers
    start = {"initializer": uniform_unit, "rng": np.random.default_rng(seed)}
    only = Conv2D(1, 1, 8, bias=False, **start)
    return Sequential([only, *layers[2:]], input_shape=(1, 28, 28))


single = []
for seed in range(3):
    control = with_one_kernel(seed)
    train(control, seed)
    single.append(evaluate(control, test_set).accuracy)
results = {"nine kernels, the largest": accuracies, "a single kernel": single}
for name, each in results.items():
    print(f"{name}: mean {np.mean(each):.1%}")
viz.plot_spread(results, "test accuracy", x_range=(0.9, 0.97))

# %% [markdown]
# *Finding.* On these digits it makes no difference that could be measured: the means lie less than
# a test digit apart. The work is done by the two dense layers with their 45,100 weights; a single
# filtered picture is enough for them.
#
# This does not say that competition is useless: with more layers and more data, maxout networks
# were among the best of their day (Goodfellow et al., 2013). But these digits do not speak for it;
# MNIST was not tried.
#
# The notebook also has a switch for dropout (lesson 6), and writes its weights to CSV files, as
# `cnnedu export` does.

# %% [markdown]
# ---
#
# *A good place for a break.* The layer stands, it is checked, and its network learns. From here on
# we look at how the notebook trains it.
#
# ---

# %% [markdown]
# ## 6. The training rule, as written
#
# The notebook takes one image at a time, in the order of the file, with the rate 0.01. Its error is
# the **squared error**: with the probabilities $p$ and the one-hot label $t$,
#
# $$E = \sum_i \delta_i^2, \qquad \delta = p - t.$$
#
# It stops after the first epoch whose mean error is at most 0.1, which it calls an iteration.
# `system("competing-kernels", as_written=True)` trains exactly as the notebook does. Five epochs on
# our digits:

# %%
written = system("competing-kernels", as_written=True)
learner, history = written.train(data, epochs=5, rng=np.random.default_rng(0), progress=False)
for number, error in enumerate(history.loss):
    print(f"epoch {number}: mean error {error:.3f}")

# %% [markdown]
# The error falls from epoch to epoch, without a hitch. On the first 20,000 images of MNIST it looks
# the same. Here is what the notebook printed, beside three stored runs of our own from other random
# weights. (Counted from 0, as the notebook does, so "iteration 12" is the 13th epoch.)

# %%
printed = [0.5708, 0.2390, 0.1838, 0.1588, 0.1435, 0.1330, 0.1252, 0.1191, 0.1139, 0.1094, 0.1054,
           0.1019, 0.0986]  # fmt: skip
runs = recorded["as_written"]
curves = {"the notebook's own log": printed}
curves |= {f"ours, seed {run['seed']}": run["errors"] for run in runs}
for name, curve in curves.items():
    print(f"{name:22}: {curve[0]:.4f}, {curve[1]:.4f}, {curve[2]:.4f} ... {curve[-1]:.4f}", end="")
    print(f"  converged at iteration {len(curve) - 1}")
viz.plot_curves(curves, "epoch", "mean squared error", levels={"enough": 0.1})

# %% [markdown]
# *Finding.* The same shape four times, steep at first and then ever flatter. How long it takes to
# 0.1 depends on the random start: one of ours needs more than twice as many epochs as the notebook.
#
# The notebook ends with 92.57 % of the test images, where an image counts as right only if the
# *rounded* probabilities are exactly its one-hot label. Ours, counted so, and by the largest
# probability:

# %%
for run in runs:
    rounded, largest = run["test"]["right_rounded"], run["test"]["right"]
    apart = 100 * (rounded - 0.9257)
    print(f"seed {run['seed']}: {rounded:.2%} rounded ({apart:+.1f} points), {largest:.2%} largest")

# %% [markdown]
# Ours end a little lower. (The notebook shows one training; another start gives another number.)
# Everything about this training looks healthy. Is its gradient right?

# %% [markdown]
# ## 7. The gradient check
#
# The rule never says what it takes for the gradient. It changes the weights. But *change = rate ×
# gradient*, so one step tells: weights before, minus weights after, divided by the rate. We take
# the mean over twenty digits, each from the same weights. (The rule wants an image as its patches,
# set side by side as columns.)


# %%
few = divide_by_variance(pixels)[:20], labels[:20]
start = in_double_precision(build("competing-kernels", rng=np.random.default_rng(0)))


def frames_of(image, size=8):
    """Return the patches of an image (28, 28) as columns (64, 441)."""
    windows = sliding_window_view(image, (size, size))
    return windows.reshape(-1, size * size).T


def gradient_of_rule(network, rate):
    """Return what the rule takes for the gradient, from one step on each of the few digits."""
    total = dict.fromkeys(network.params, 0)
    for image, label in zip(*few, strict=True):
        stepped = copy.deepcopy(network)
        step_as_written(weights_of(stepped), frames_of(image[0]), np.eye(10)[label], rate)
        for name, before in network.params.items():
            total[name] = total[name] + (before - stepped.params[name]) / rate
    return {name: array / len(few[0]) for name, array in total.items()}


ruled = gradient_of_rule(start, rate=0.01)
print({name: array.shape for name, array in ruled.items()})


# %% [markdown]
# And the truth? First as plainly as can be: wiggle a weight, and see by how much the error
# changes. The rule leaves out the factor 2 that comes from the square. That changes the length of
# all steps and nothing else, so we compare with *half* the squared error.


# %%
def half_squared_error(network):
    """Return the error itself, for the few digits."""
    delta = softmax(network.logits(few[0])) - np.eye(10)[few[1]]
    return (delta**2).sum() / 2 / len(few[0])


weight = start.params["dense2.weight"]
print("weight     measured      rule")
for place in [(0, 0), (3, 7), (9, 50)]:
    weight[place] += 1e-5
    above = half_squared_error(start)
    weight[place] -= 2e-5
    below = half_squared_error(start)
    weight[place] += 1e-5
    slope = (above - below) / 2e-5
    print(f"{place!s:8} {slope:10.5f} {ruled['dense2.weight'][place]:10.5f}")

# %% [markdown]
# They do not agree. Two are more than a hundred times too large, one is a fourteenth of what it
# should be.
#
# For a verdict on all 45,676 weights we need the true gradient whole. The package computes it for
# any loss that returns its value and its slope at the logits, here
# $p_j\,(\delta_j - \sum_i p_i\,\delta_i)$ (section 8 says why). The wiggle confirms it.


# %%
def true_loss(logits, labels):
    """Return half the squared error, and its gradient with respect to the logits."""
    p = softmax(logits)
    delta = p - np.eye(10, dtype=p.dtype)[labels]
    slope = p * (delta - (p * delta).sum(axis=1, keepdims=True))
    return float((delta**2).sum() / 2 / len(p)), slope / len(p)


report = gradient_check(start, *few, loss=true_loss, samples=60, rng=np.random.default_rng(1))
for name in start.params:
    print(f"{name}: {'right' if report.errors[name] < 1e-6 else 'wrong'}")

# %% [markdown]
# Now we can compare the two gradients with two numbers. The **relative error** of the gradient
# check, $\lVert a - b \rVert / \max(\lVert a \rVert, \lVert b \rVert)$, is below 0.000001 for a
# right gradient. And the **cosine** of the angle between the two: 1 is the same direction, 0 is at
# right angles, as useless as a random one. A gradient that is only too short has a large error and
# a cosine of 1.


# %%
def gradient_of(network, loss):
    """Return the gradient of a loss on the few digits, as the package computes it."""
    _, grad_logits = loss(network.forward(few[0]), few[1])
    network.backward(grad_logits)
    return {name: array.copy() for name, array in network.grads.items()}


def compare(one, other):
    """Return (relative error, cosine) of two gradients, all layers together."""
    a, b = (np.concatenate([array.ravel() for array in each.values()]) for each in (one, other))
    lengths = np.linalg.norm(a), np.linalg.norm(b)
    return np.linalg.norm(a - b) / max(lengths), a @ b / (lengths[0] * lengths[1])


truth = gradient_of(start, true_loss)
parts = {"all weights": (ruled, truth)}
parts |= {name: ({name: ruled[name]}, {name: truth[name]}) for name in truth}
for name, both in parts.items():
    error, cosine = compare(*both)
    print(f"{name:13}: relative error {error:.2f}, cosine {cosine:.2f}")

# %% [markdown]
# An error of about 0.9, where a right gradient has less than a millionth. The direction is wrong by
# more than 40 degrees. It is worst for the kernels, the layer that the gradient reaches last: it
# has passed all mistakes on its way.
#
# A curve that falls, a good test result, and a gradient that is wrong. Section 7 of lesson 4 ended
# like this as well. **A gradient check finds such a thing in seconds.**
#
# What is wrong? If you like to hunt for yourself, stop here: `step_as_written??` in a new cell
# shows the rule, some twenty lines. There are four mistakes in it.

# %% [markdown]
# ## 8. One mistake at a time
#
# ### Softmax, applied twice
#
# Softmax turns logits $z$ into probabilities $p$. Its slope, from a logit to its own probability,
# is $p\,(1 - p)$. The notebook has a function that computes this slope *from the logits*: it calls
# softmax and then multiplies. But it hands the function what softmax has *put out already*. So
# softmax acts a second time, and the slope is $s\,(1-s)$ with $s = \text{softmax}(p)$.
#
# By hand, for two classes with $p = (1, 0)$, a sure answer: the right slope is $1 \cdot 0 = 0$.
# Softmax of (1, 0) is $(e, 1)/(e + 1) = (0.73, 0.27)$, and the slope $0.73 \cdot 0.27 = 0.20$.
#
# **Predict, then run.** For ten classes, one with probability $p$ and the others equal: how will
# the two slopes depend on $p$?

# %%
p = np.linspace(0, 1, 101)
probabilities = np.column_stack([p, *[(1 - p) / 9] * 9])
s = softmax(probabilities)[:, 0]
slopes = {"right: p (1 - p)": p * (1 - p), "as written: s (1 - s)": s * (1 - s)}
viz.plot_curves({name: (p, each) for name, each in slopes.items()}, "probability p", "slope")

# %% [markdown]
# *Finding.* The right slope is a hill, 0 where the network is sure. The slope as written knows no
# hill: it lies between 0.08 and 0.18 everywhere. Remember this picture.
#
# ### Only the diagonal
#
# A logit does not move its own probability alone: what one class gains, the others lose. The full
# derivative is a table (lesson 3). With $[i = j]$ for 1 if $i$ equals $j$ and 0 otherwise,
#
# $$\frac{\partial p_i}{\partial z_j} = p_i\,([i = j] - p_j), \qquad
# \frac{\partial L}{\partial z_j} = p_j \Big(g_j - \sum_i p_i\, g_i\Big)
# \quad\text{with } g = \frac{\partial L}{\partial p}.$$
#
# For half the squared error $g = \delta$, which gives the slope we used above. The notebook keeps
# the diagonal of the table only, $p_j\,(1 - p_j)\,g_j$. By hand, with $p = (0.5, 0.25, 0.25)$ and
# $g = (-1, 2, 3)$: the sum is $-0.5 + 0.5 + 0.75 = 0.75$, so
#
# - the right gradient is $(0.5 \cdot (-1.75),\; 0.25 \cdot 1.25,\; 0.25 \cdot 2.25) = (-0.875,
#   0.3125, 0.5625)$, and its numbers add up to 0;
# - the diagonal gives $(0.25 \cdot (-1),\; 0.1875 \cdot 2,\; 0.1875 \cdot 3) = (-0.25, 0.375,
#   0.5625)$, which add up to 0.6875.
#
# The sum gives it away. To add the same number to all logits changes no probability, so a right
# gradient has nothing in that direction: its sum is 0.
#
# ### Tanh, applied twice
#
# The same confusion once more. The slope of tanh is $1 - \tanh(x)^2$, that is $1 - y^2$ with the
# output $y$. As written it is $1 - \tanh(y)^2$. In a layer of ours, this mistake is one line:


# %%
class TanhTwice(Tanh):
    """Tanh with the slope of the wrong number."""

    def slope(self, y):
        return 1 - np.tanh(y) ** 2


for y in (0.0, 0.5, 1.0):
    print(f"output {y}: right {Tanh().slope(y):.2f}, as written {TanhTwice().slope(y):.2f}")

# %% [markdown]
# A unit that is stuck at 1 should learn nothing. Here it gets 42 % of the gradient.
#
# ### Weights that have just been changed
#
# The kernels' gradient has to go back through the dense layers as they were in the forward pass.
# The notebook updates the dense layers *first*, and then goes back through the new weights. How
# much that matters depends on the rate. With a tiny one it vanishes:

# %%
slow = gradient_of_rule(start, rate=1e-6)
for rate in (0.01, 0.1, 1.0):
    fast = gradient_of_rule(start, rate)
    error, _ = compare({"": fast["conv1.weight"]}, {"": slow["conv1.weight"]})
    print(f"rate {rate:4}: the kernels' gradient is off by {error:.2%}")

# %% [markdown]
# At the notebook's rate it is small, and we leave it out from here on. At ten or a hundred times
# that it would be no longer: a rule that is nearly right at one rate can be quite wrong at another.
#
# ### Have we found them all?
#
# A test whether the list is complete: put the other three mistakes *into* the right network, and
# see whether the rule comes out, as it is at the tiny rate. The loss below is `true_loss` with two
# switches.


# %%
def squared_loss(twice=False, diagonal=False):
    """Return half the squared error as a loss, its gradient with mistakes or without."""

    def loss(logits, labels):
        p = softmax(logits)
        g = p - np.eye(10, dtype=p.dtype)[labels]
        s = softmax(p) if twice else p
        slope = s * (1 - s) * g if diagonal else s * (g - (s * g).sum(axis=1, keepdims=True))
        return float((g**2).sum() / 2 / len(p)), slope / len(p)

    return loss


def with_tanh_twice(network):
    """Return a network of the same layers, but for their tanh."""
    layers = [TanhTwice() if isinstance(layer, Tanh) else layer for layer in network]
    return Sequential(layers, input_shape=(1, 28, 28))


suspect = gradient_of(with_tanh_twice(start), squared_loss(twice=True, diagonal=True))
assert compare(suspect, slow)[0] < 1e-4
print("the three mistakes together give the rule's gradient: nothing is missing")

# %% [markdown]
# Now each alone. The table says how far each bends the gradient from the true one: at the random
# start, and for the network that the rule has trained for five epochs.

# %%
mistakes = {
    "none": (squared_loss(), False),
    "tanh twice": (squared_loss(), True),
    "only the diagonal": (squared_loss(diagonal=True), False),
    "softmax twice": (squared_loss(twice=True), False),
    "all three": (squared_loss(twice=True, diagonal=True), True),
}
after_five = copy.deepcopy(start)
for name, array in after_five.params.items():
    array[...] = learner.params[name]


def bent(network, loss, tanh_twice):
    """Return the gradient with some of the mistakes."""
    return gradient_of(with_tanh_twice(network) if tanh_twice else network, loss)


# %%
print(f"{'':17}   at the start             after five epochs")
for name, how in mistakes.items():
    print(f"{name:17}", end="")
    for each in (start, after_five):
        error, cosine = compare(bent(each, *how), gradient_of(each, true_loss))
        print(f"   error {error:.2f} cosine {cosine:.2f}", end="")
    print()

# %% [markdown]
# Each of the three alone would fail the check. At the start the diagonal is worst, and points
# nearly 60 degrees astray. Later, when most digits are recognized, its direction is good, and the
# largest error is that of the second softmax. Tanh does least at first, but more and more as units
# come near ±1.
#
# ### And two in the test
#
# The test of the notebook leaves out the tanh after the kernels, so it tests another network than
# the one it trained. And it counts by *rounded* probabilities: if the largest is below one half,
# the image counts as wrong, even if it is the right one. Here, for once, mistakes make a result
# look *worse* than it is; the end of the next section shows by how much.

# %% [markdown]
# ## 9. Why does it learn all the same?
#
# What does each mistake cost? The same start, the same eight epochs, plain SGD with the same rate;
# only the gradient differs. (Batches of ten at a rate of 0.1: as much movement in each epoch as one
# image at a time at 0.01.)
#
# **Predict, then run.** Put the four in order, and add a fifth: the gradient of the
# *cross-entropy*. (The tanh stays out, which bends least.)


# %% tags=["nbval-ignore-output"]
def accuracies_with(loss, tanh_twice, rate, seeds=3):
    """Return the test accuracy after each epoch with some of the mistakes, (seeds, epochs)."""
    found = []
    for seed in range(seeds):
        each = build("competing-kernels", rng=np.random.default_rng(seed))
        each = with_tanh_twice(each) if tanh_twice else each
        order = np.random.default_rng(seed)
        options = {"epochs": 8, "batch_size": 10, "validation": test_set, "progress": False}
        history = fit(each, train_set, optimizer=SGD(rate), loss=loss, rng=order, **options)
        found.append(history.validation_accuracy)
    return np.array(found)


tried = mistakes | {"cross-entropy": (cross_entropy, False)}
del tried["tanh twice"]
small_rate = {name: accuracies_with(*how, rate=0.1) for name, how in tried.items()}
at_end = {name: found[:, -1] for name, found in small_rate.items()}
viz.plot_spread(at_end, "test accuracy after 8 epochs, rate 0.1")

# %% [markdown]
# *Finding.* The gradient with *no* mistake is last, at about 69 % in the mean, though its three
# runs lie far apart (63 to 76 %). With softmax twice, or only the diagonal, which bend the gradient
# most, the network is at 81 % by then, and with all three mistakes at 79 %. The cross-entropy is
# far ahead of them all.
#
# How can a wrong gradient be ahead of a right one? Remember the two slopes. Where the network is
# sure of a *wrong* answer, the probability of the right one is near 0, the true slope $p\,(1-p)$ is
# 0 as well, and the gradient of the squared error nearly vanishes: "very wrong" and "a little less
# wrong" cost almost the same. This is why classifiers are not trained on the squared error of
# probabilities.
#
# The cross-entropy's gradient is $p - t = \delta$, with no slope at all (lesson 4). And the rule's?
# It is $\delta$ times a slope that hardly varies, between 0.08 and 0.18. So **the second softmax
# may have taken out the slope that does the harm, by accident.** What is left should be close to
# the cross-entropy's gradient, and six to twelve times shorter. Is it?

# %%
print("cosine with the gradient of the cross-entropy:")
print(f"{'':17}   at the start   after five epochs")
for name, how in mistakes.items():
    cosines = []
    for each in (start, after_five):
        cosines.append(compare(bent(each, *how), gradient_of(each, cross_entropy))[1])
    print(f"{name:17} {cosines[0]:14.2f} {cosines[1]:19.2f}")
print("times shorter than the gradient of the cross-entropy, in the last layer, at the start:")
whole = np.linalg.norm(gradient_of(start, cross_entropy)["dense2.weight"])
for name in ("all three", "none"):
    part = np.linalg.norm(bent(start, *mistakes[name])["dense2.weight"])
    print(f"{name:17} {whole / part:14.0f}")

# %% [markdown]
# At the start it is: 0.99 with softmax twice and 0.92 with all three mistakes, against 0.68 for the
# right gradient of the squared error. After five epochs that advantage is gone: the second softmax
# alone is still near (0.95), the rule as a whole is not nearer (0.82) than the right gradient
# (0.83).
#
# And it is six times shorter. Length is the one thing that a larger rate brings back. But the right
# gradient of the squared error is shorter still, 22 times: where the slope is near 0, there is
# little left of it. So it must have the same favor: a fair test gives **both** the tenfold rate.
#
# **Predict, then run.** Which of the two will be ahead at the rate 1.0: the rule's gradient, with
# its three mistakes, or the right one of the same error? (Now with five starts each.)

# %% tags=["nbval-ignore-output"]
names = {"all three mistakes": "all three", "no mistake": "none"}
large_rate = {
    name: accuracies_with(*mistakes[key], rate=1.0, seeds=5) for name, key in names.items()
}
rows = {f"{name}, rate 0.1": small_rate[key] for name, key in names.items()}
rows |= {f"{name}, rate 1.0": found for name, found in large_rate.items()}
rows["cross-entropy, rate 0.1"] = small_rate["cross-entropy"]
for name, found in rows.items():
    each = ", ".join(f"{accuracy:.1%}" for accuracy in found[:, -1])
    print(f"{name:28}: {each}, mean {found[:, -1].mean():.1%}")
viz.plot_curves(large_rate, "epoch", "test accuracy, rate 1.0")

# %% [markdown]
# *Finding.* At the small rate the right gradient of the squared error was the slowest. At ten times
# the rate it gets 91 to 93 % with three of its five starts, more than the rule with any. With a
# fourth it gets 86 %. With the fifth it guesses for four epochs (10 % is what guessing gives) and
# ends at 68 %. The rule gets 87 to 90 % with all five, less than a point below the cross-entropy in
# the mean.
#
# So the first finding has to be put more carefully. "The wrong gradient learns better than the
# right one" held at one rate. Much of the difference was **length**, and a larger rate gives length
# to both. What is left: the right gradient of the squared error *can* stay behind for long, and the
# rule did not, in five starts each. The vanishing slope may be the reason; this experiment does not
# show it. Before you compare two gradients, let each have a rate that suits it.
#
# Nor is this a defense of the rule. It follows no loss that anybody has written down, so nobody can
# say where it goes. With the right gradient of the right loss, there is nothing to be lucky about.
# The stored results on the whole test set of MNIST, all from the first 20,000 images:

# %%
rows = {
    "as written, rounded": [run["test"]["right_rounded"] for run in runs],
    "as written, largest probability": [run["test"]["right"] for run in runs],
    "as written, with the tanh": [run["test_with_tanh"]["right"] for run in runs],
    "corrected, 13 epochs": [run["test_accuracy"] for run in recorded["corrected"]],
    "trained well, 13 epochs": [run["test_accuracy"] for run in recorded["well_trained"]],
}
for name, found in rows.items():
    wrong = 100 * (1 - np.mean(found))
    print(f"{name:31}: {np.mean(found):.1%}, from {min(found):.1%} to {max(found):.1%}", end="")
    print(f"; {wrong:.1f} errors in 100")
print("corrected is:", recorded["corrected_recipe"])
viz.plot_spread(rows, "test accuracy on MNIST", levels={"the notebook's 92.57 %": 0.9257})

# %% [markdown]
# *Finding.* The same network, the same 20,000 images. The first three rows are the same weights,
# tested in three ways; between the first and the third lie the two mistakes in the test. The third
# is the fair one to compare with. The cross-entropy's gradient, with the old rate, no more epochs
# and the images shuffled, leaves about half of its errors, and a proper recipe (Adam, small
# batches, a falling rate) less than a third.

# %% [markdown]
# ## 10. A claim about starting close together
#
# A remark in the notebook says: if the weights are initialized too close together, gradient descent
# will not find many distinct kernels. It sounds right. It is also easy to test.
#
# First think. In section 1, what decides who wins? Only *differences*: a common part $c$ that all
# kernels share adds the same number to all answers at a place. And if all differences become ten
# times smaller, the order of the answers stays.
#
# **Predict, then run.** Nine random kernels, and nine that are one and the same random kernel plus
# a thousandth of those. At how many places of the zero do they have different winners?

# %%
wide = np.random.default_rng(0).uniform(-1, 1, (9, 64))
shared = np.random.default_rng(5).uniform(-1, 1, 64)
close = shared + wide / 1000
frames = frames_of(zero[0, 0]).astype(np.float64)
won = [(kernels @ frames).argmax(axis=0) for kernels in (wide, close)]
alike = np.corrcoef(close)[np.triu_indices(9, 1)].min()
print(f"correlation of the close ones: at least {alike:.7f}")
print("places with another winner:", np.sum(won[0] != won[1]), "of", won[0].size)

# %% [markdown]
# None. To the eye the nine are the same kernel nine times. For the competition they are as distinct
# as the wide ones: each has its own places from the first step, and learns from those only.
#
# Now the experiment. A start is mixed from a shared random kernel and nine of their own, $(1 -
# d)\,\text{shared} + d\,\text{own}$, with $d$ = 0.001 and with $d$ = 1 (the notebook's start). We
# train each with the rule's gradient (the three mistakes, at the larger rate) and with the
# cross-entropy's, plain SGD, from five starts. And we measure, before and after:
#
# - the mean **correlation** between two kernels;
# - their **distance**: the standard deviation of the weights around the mean kernel;
# - the **kernels in use**: how many of the nine win more than 5 % of the places with ink;
# - the test accuracy.


# %%
def measure(network):
    """Return correlation, distance and kernels in use."""
    rows = network["conv1"].params["weight"].reshape(9, 64).astype(np.float64)
    alike = np.corrcoef(rows)[np.triu_indices(9, 1)].mean()
    won = network.activations(test_set[0][:100])["conv1"].argmax(axis=1)
    ink = sliding_window_view(data.test.images[:100, 0], (8, 8), axis=(1, 2)).max(axis=(3, 4)) > 0.1
    shares = np.bincount(won[ink], minlength=9) / ink.sum()
    return alike, (rows - rows.mean(axis=0)).std(), np.sum(shares > 0.05)


def started(d, seed, tanh_twice=False):
    """Build a network whose kernels start at a distance d."""
    r = np.random.default_rng(100 + seed)
    shared, own = r.uniform(-1, 1, (1, 1, 8, 8)), r.uniform(-1, 1, (9, 1, 8, 8))
    each = build("competing-kernels", rng=np.random.default_rng(seed))
    each["conv1"].params["weight"][...] = (1 - d) * shared + d * own
    return with_tanh_twice(each) if tanh_twice else each


# %% tags=["nbval-ignore-output"]
changed, table = {}, {}
for name, how, rate in [
    ("the rule", mistakes["all three"], 1.0),
    ("cross-entropy", (cross_entropy, False), 0.1),
]:
    for start_name, d in {"close": 0.001, "wide": 1}.items():
        measured = []
        for seed in range(5):
            each = started(d, seed, how[1])
            begun, before = each["conv1"].params["weight"][:, 0].copy(), measure(each)
            train(each, seed, SGD(rate), how[0], epochs=6)
            measured.append([*before, *measure(each), evaluate(each, test_set).accuracy])
        changed[name, start_name] = each["conv1"].params["weight"][:, 0] - begun
        table[f"{name}, {start_name}"] = np.array(measured)

print(f"{'':22}correlation    distance          in use      accuracy")
for name, each in table.items():
    a, b, c, a_after, b_after, c_after, accuracy = each.mean(axis=0)
    print(f"{name:20}  {abs(a):.2f} > {a_after:.2f}   {b:.4f} > {b_after:.4f}", end="")
    print(f"   {c:.1f} > {c_after:.1f}   {accuracy:.1%}", end="")
    print(f", from {each[:, -1].min():.1%} to {each[:, -1].max():.1%}")

# %% [markdown]
# What do we find?
#
# 1. **They stay alike to look at.** Started close, they still correlate by more than 0.9 afterward;
#    started wide, they do not at all. So far the remark is right.
# 2. **But they do part.** The distance of those that began close grows two or three hundredfold.
#    Gradient descent *finds* differences where there were none. Wide kernels are distinct mainly
#    because they *began* so: their distance hardly changes.
# 3. **Fewer are in use.** Every training takes the places from some kernels. From 7 or 8 a close
#    start comes down to 4 or 5, a wide start to about 6.
# 4. **The accuracy does not suffer**, as far as five starts can tell: for the rule the close starts
#    are half a point ahead in the mean, for the cross-entropy the two are equal.
#
# Drawn as they are, the nine kernels of a close start look like one speckled pattern nine times:
# the shared start. That is the picture behind the remark. So take the start away: the *change* of
# each kernel in training, less the mean of all nine changes. What remains is what each kernel has
# learned for itself (with the rule, from the last start):

# %%
own = {}
for start_name in ("close", "wide"):
    change = changed["the rule", start_name]
    own[start_name] = change - change.mean(axis=0)
viz.plot_rows(own, [str(k) for k in range(9)], label="own change")

# %% [markdown]
# *Finding.* Smooth spots and bars in both rows, and equally strong ones. In the row "close" kernels
# 0, 1, 4 and 6 have learned something of their own, while 2, 3, 5 and 8 are nearly one and the same
# pale pattern. In the row "wide" 1, 2, 4, 6 and 8 have, and the others are not copies of each
# other. So the remark is half right: from a close start gradient descent does find distinct
# kernels, but fewer of them. What a wide start adds above all is distinct random numbers, which
# were there before the training.

# %% [markdown]
# ## Exercises
#
# Write your solution in place of `raise NotImplementedError`, run the cell, then run the check
# below it. For a hint run, for example, `checks.compete.hint()`.
#
# ### Exercise 1: compete
#
# `maps` has the shape (kernels, height, width). Return a pair of arrays of shape (height, width):
# the largest answer at each place, and the number of the kernel that gave it. Of equal answers, the
# first kernel wins.
#
# *Hint:* two NumPy methods, each with an axis.


# %%
def compete(maps):
    """Return (answers, winners)."""
    ### BEGIN SOLUTION
    return maps.max(axis=0), maps.argmax(axis=0)
    ### END SOLUTION


# %%
checks.compete(compete)

# %% [markdown]
# ### Exercise 2: who learns
#
# `grad_y` of shape (height, width) is the gradient of the answers that went on. Return the gradient
# of `maps`, (kernels, height, width).
#
# *Hint:* begin with zeros. Each place has one number to hand back, and one kernel to give it to.


# %%
def compete_backward(grad_y, maps):
    """Return an array of the shape of maps."""
    ### BEGIN SOLUTION
    winners = maps.argmax(axis=0)
    grad_maps = np.zeros(maps.shape)
    for k in range(len(maps)):
        grad_maps[k] = np.where(winners == k, grad_y, 0)
    return grad_maps
    ### END SOLUTION


# %%
checks.compete_backward(compete_backward)

# %% [markdown]
# ### Exercise 3: how wrong is a gradient?
#
# Return the pair (relative error, cosine) of two gradients of the same shape, as in section 7.
#
# *Hint:* `np.linalg.norm` of a flattened array is the root of the sum of its squares.


# %%
def compare_gradients(computed, measured):
    """Return (relative error, cosine)."""
    ### BEGIN SOLUTION
    a, b = computed.ravel(), measured.ravel()
    lengths = np.linalg.norm(a), np.linalg.norm(b)
    return np.linalg.norm(a - b) / max(lengths), a @ b / (lengths[0] * lengths[1])
    ### END SOLUTION


# %%
checks.compare_gradients(compare_gradients)

# %% [markdown]
# ### Exercise 4: put it right
#
# What the rule should have done: `p` are the probabilities of one image, softmax's output, and
# `grad_p` is the gradient with respect to them. Return the gradient with respect to the scores.
#
# *Hint:* section 8 has the formula. The sum of your answer must be 0.


# %%
def softmax_backward(p, grad_p):
    """Return the gradient of the scores, (classes,)."""
    ### BEGIN SOLUTION
    return p * (grad_p - np.sum(p * grad_p))
    ### END SOLUTION


# %%
checks.softmax_backward(softmax_backward)

# %% [markdown]
# ## Recap
#
# - Kernels compete when only the largest answer at each place goes on. The gradient goes to the
#   winner alone, so each kernel learns from its own patches. ReLU and $|x|$ are special cases.
# - A quantity divided by its variance depends on the unit. It fits this network's start by luck.
# - A falling curve does not show that a gradient is right. The gradient check does, in seconds;
#   then take the rule apart until your own copy with the mistakes equals it.
# - The wrong rule learns: its gradient is short, and at the start it is closer to the
#   cross-entropy's than the right gradient of its own error is. Given a larger rate,
#   the right one is ahead with three of five starts and far behind with one.
# - Before you explain a difference, run the control that could take it away: here, the same rate
#   for both.
# - Kernels that start close together look alike afterward, but they do part, though fewer of them
#   than from a wide start. Ask of everything you see in a kernel: was it there before?
#
# ## Sources
#
# - I. J. Goodfellow et al.: *Maxout networks.* ICML 2013
#   ([arXiv:1302.4389](https://arxiv.org/abs/1302.4389)).
# - K. Lewis: *Using a convolutional neural net to identify images*, a public notebook, 2023: the
#   network, its log, its 92.57 % and the remark on starts.
# - C. M. Bishop: *Neural networks for pattern recognition.* Oxford University Press, 1995, chapter
#   6: which loss belongs to which output.
# - Y. LeCun et al.: *Gradient-based learning applied to document recognition.* Proceedings of the
#   IEEE 86, 1998 ([doi:10.1109/5.726791](https://doi.org/10.1109/5.726791)): MNIST.
# - Digits: E. Alpaydin, C. Kaynak, *Optical Recognition of Handwritten Digits*, UCI, 1998
#   ([doi:10.24432/C50P49](https://doi.org/10.24432/C50P49)).
#
# **Next:** lesson 8 leaves the well-kept data sets. You write digits on paper, photograph them, and
# see what a network makes of another hand.
