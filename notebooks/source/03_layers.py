# %% [markdown]
# # Lesson 3 · Layers
#
# In lessons 1 and 2 one kernel slid over one image. A network is made of many such steps, and each
# step is called a *layer*. This lesson takes every layer of a small network apart: first what it
# computes, then how it learns. All of it on numbers small enough to check by hand.
#
# **What you will be able to do**
#
# - compute by hand what a convolution, a pooling, a dense layer, ReLU and softmax give out;
# - predict the shape and the number of parameters of every layer of a network before you run it;
# - carry a gradient *back* through each of these layers, and through two convolutions in a row;
# - check any backward pass with a few lines of code, and find the mistake in a wrong one;
# - say why the fast form of a convolution is a matrix product.
#
# **What you need:** lessons [1](01_convolution.ipynb) (stride, padding, the sliding kernel) and
# [2](02_edge_kernels.ipynb) (hand-made kernels, one kernel learned by gradient descent), and the
# derivative of a function of one variable.
#
# **How long it takes:** about 60 minutes, and 25 more for the exercises. Sections 1 to 7 go forward
# through the layers, sections 8 to 15 go backward; between them is a good place for a break.
#
# ← [Lesson 2: Edge kernels](02_edge_kernels.ipynb) · [Lesson 4: Training](04_training.ipynb) → ·
# [Solutions](solutions/03_layers.ipynb)

# %%
import inspect
import time

import numpy as np
from scipy.signal import convolve2d, correlate2d

from cnnedu import (
    AvgPool2D,
    Conv2D,
    Dense,
    Flatten,
    MaxPool2D,
    ReLU,
    Sequential,
    Sigmoid,
    Tanh,
    checks,
    gradient_check,
    softmax_cross_entropy,
)
from cnnedu import visualization as viz
from cnnedu.architectures import build
from cnnedu.data import load_digits, load_recorded
from cnnedu.kernels import kernel as named_kernel
from cnnedu.layers import (
    avg_pool2d_forward,
    conv2d_backward,
    conv2d_forward,
    conv2d_loops,
    max_pool2d_backward,
    max_pool2d_forward,
    softmax,
)
from cnnedu.visualization.layers import plot_activations, plot_equation, plot_im2col

rng = np.random.default_rng(0)
digits = load_digits()

# %% [markdown]
# ## 1. What a layer is
#
# A **layer** is a function with numbers inside that training may change. Those numbers are its
# **parameters**. A layer works in two directions:
#
# - **forward**: it takes an input `x` and gives an output `y`;
# - **backward**: it is told how the loss changes with `y`, and works out how the loss changes with
#   `x` and with each of its parameters. (The **loss** is the number that says how wrong the result
#   is. In lesson 2 it was a sum of squared differences.)
#
# Here is a layer with six kernels of 3×3, fresh and untrained.

# %%
layer = Conv2D(in_channels=1, out_channels=6, kernel_size=3, rng=rng)
for name, array in layer.params.items():
    print(name, array.shape)
print("a digit of shape (1, 28, 28) becomes", layer.output_shape((1, 28, 28)))

# %% [markdown]
# Four axes for the kernels, three for an image. These are the names of the axes:
#
# - A **batch** is a number of images that go through the layer together. Its array has the shape
#   `(N, C, H, W)`: images, channels, rows, columns.
# - A **channel** is one plane of numbers. A gray picture has one, a color photograph has three
#   (red, green, blue), and what comes out of a layer can have any number.
# - The kernels of a layer have the shape `(F, C, kh, kw)`: one **filter** for each of the `F`
#   channels that come out, and in each filter one kernel of `kh` × `kw` for each of the `C`
#   channels that go in.

# %% [markdown]
# ## 2. The convolution layer
#
# ### One patch, one number
#
# We begin with one channel and one kernel. The piece of the image under the kernel is called a
# **patch**. The layer multiplies patch and kernel entry by entry, and adds up.
#
# The image and the kernel stand in the next cell. Take the patch whose upper left corner is at
# row 1, column 1. By hand:
#
# $$\begin{pmatrix}1&3\\0&1\end{pmatrix}\text{ and }\begin{pmatrix}1&2\\0&-1\end{pmatrix}
# \quad\text{give}\quad 1\cdot1+3\cdot2+0\cdot0+1\cdot(-1)=6.$$

# %%
image = np.array([[1, 2, 0, 1], [0, 1, 3, 2], [2, 0, 1, 0], [1, 1, 0, 2]])
kernel = np.array([[1, 2], [0, -1]])
patch = image[1:3, 1:3]
print(patch)
print("answer:", np.sum(patch * kernel))
assert np.sum(patch * kernel) == 6

# %%
viz.plot_patch_product(image, kernel, row=1, column=1)

# %% [markdown]
# *Finding.* The framed patch times the kernel gives the product on the right; its four numbers 1,
# 6, 0 and −1 add up to 6. A convolution layer does nothing else, at every place.
#
# **Predict, then run.** The 2×2 kernel visits every place of the 4×4 image. How many patches are
# there? In how many of them does a given corner pixel lie, and in how many a pixel in the middle?

# %%
visits = np.zeros((4, 4), int)
for p in range(3):
    for q in range(3):
        visits[p : p + 2, q : q + 2] += 1
print(visits)

# %% [markdown]
# There are 3 · 3 = 9 patches. They overlap: a corner is seen once, a pixel in the middle four
# times. Keep this in mind. On the way back each pixel will hear from every patch it was in.
#
# ### Several channels
#
# An image with two channels needs a kernel with two channels. Each channel has its own products,
# and *all* of them go into *one* sum.

# %%
image2 = np.array([[[1, 2, 0], [0, 1, 3], [2, 0, 1]], [[0, 1, 0], [1, 0, 1], [0, 1, 0]]])
kernel2 = np.array([[[1, 2], [0, -1]], [[0, 1], [1, 0]]])
viz.plot_patch_product(image2, kernel2, row=0, column=0)

# %% [markdown]
# *Finding.* Channel 0 gives 1 + 4 + 0 − 1 = 4, channel 1 gives 0 + 1 + 1 + 0 = 2, and the layer's
# answer is 4 + 2 = 6. However many channels go in, one filter gives **one** plane of answers.
#
# ### Several filters, and a bias
#
# A layer has many filters. Each gives one plane, called a **feature map**, and adds one number of
# its own to it, its **bias**. As a formula, for one image, with stride 1 and no padding:
#
# $$y_{f,p,q} = b_f + \sum_{c}\sum_{i}\sum_{j} w_{f,c,i,j}\;x_{c,\,p+i,\,q+j}$$
#
# In code $w$ is `weight`, $b$ is `bias`, and the three sums are one `np.sum`:


# %%
def convolution_layer(x, weight, bias):
    """Compute y (F, P, Q) from x (C, H, W), weight (F, C, kh, kw) and bias (F,)."""
    filters, _, kh, kw = weight.shape
    y = np.zeros((filters, x.shape[1] - kh + 1, x.shape[2] - kw + 1))
    for f, p, q in np.ndindex(y.shape):
        patch = x[:, p : p + kh, q : q + kw]
        y[f, p, q] = np.sum(patch * weight[f]) + bias[f]
    return y


# %% [markdown]
# Two filters over our two-channel image, with the biases 0 and 10. The second filter is the first
# one with its channels exchanged.
#
# **Predict, then run.** What shape will `y` have, and what stands at `y[0, 0, 0]`?

# %%
weight2 = np.stack([kernel2, kernel2[::-1]])
y = convolution_layer(image2, weight2, bias=np.array([0, 10]))
print("weight", weight2.shape, "-> y", y.shape)
print(y)

# %% [markdown]
# The shape is `(2, 2, 2)`: two filters, and 3 − 2 + 1 = 2 places along each side. At `y[0, 0, 0]`
# stands the 6 that we found by hand.
#
# The package has the same function for whole batches, with stride, padding and dilation. This is
# the heart of it, as it stands in the source:

# %%
source = inspect.getsource(conv2d_loops)
print(source[source.index("    for n in") : source.index("    return y")])

# %% [markdown]
# The same loops, with one more for the images `n`; `geometry.place` knows about stride and
# dilation. A ladder is only as good as its rungs, so we compare:

# %%
batch = image2[np.newaxis].astype(float)  # (1, 2, 3, 3): a batch of one
from_package = conv2d_loops(batch, weight2.astype(float), np.array([0.0, 10.0]))
assert np.array_equal(from_package[0], y)
print("our loops and the package's loops agree on all", y.size, "numbers")

# %% [markdown]
# ### On a digit
#
# A layer does not mind where its kernels come from. We put six kernels of lesson 2 into it.

# %%
names = ["sharpen", "horizontal_edges", "vertical_edges", "laplacian", "box_blur", "emboss"]
layer.params["weight"] = np.stack([named_kernel(name) for name in names])[:, np.newaxis]
digit = digits.train.images[3:4]
maps = layer.forward(digit)
print("digit", digit.shape, "-> feature maps", maps.shape)

# %%
viz.plot_feature_maps(maps, digit, titles=[name.replace("_", " ") for name in names])

# %% [markdown]
# *Finding.* One digit 3 goes in, six maps come out, all from one layer. `horizontal edges` is blue
# (negative) along the upper side of each horizontal stroke and yellow (positive) along the lower
# one; `vertical edges` is blue on the left and yellow on the right; `box blur` has no negative
# values at all.
#
# What does the bias do? It moves a whole map up or down.

# %%
layer.params["bias"][:] = 0.5
moved = layer.forward(digit)
assert np.allclose(moved - maps, 0.5, atol=1e-6)
print("with a bias of 0.5, every number of every map is 0.5 larger")

# %% [markdown]
# **Predict, then run.** A color photograph of 100×80 pixels goes through a layer of 8 filters, 5×5
# each, with biases. What is the shape of the weights, of the output, and how many parameters does
# the layer have?

# %%
color = Conv2D(3, 8, kernel_size=5, rng=rng)
print("weight", color.params["weight"].shape, "  bias", color.params["bias"].shape)
print("output", color.output_shape((3, 100, 80)))
print("parameters", color.parameter_count, "=", 8 * 3 * 5 * 5, "+", 8)

# %% [markdown]
# Eight filters of three 5×5 kernels are 600 numbers, and 8 biases make 608. The size of the
# photograph does not enter: a filter is the same at every place.

# %% [markdown]
# ## 3. Pooling
#
# After a convolution, maps are often made smaller. **Max pooling** cuts a map into windows and
# keeps the largest number of each. It has no parameters. Windows usually lie side by side: window 2
# means stride 2.
#
# By hand, for the map below: the upper left window holds 1, 3, 4, 2, so 4 stays. Upper right: 2.
# Lower left: 0. Lower right: 6.

# %%
feature_map = np.array([[1, 3, 2, 0], [4, 2, 2, 2], [0, 0, 5, 1], [0, 0, 1, 6]])
pooled = max_pool2d_forward(feature_map[None, None].astype(float), 2)[0]
print(pooled[0, 0].astype(int))
assert np.array_equal(pooled[0, 0], [[4, 2], [0, 6]])

# %%
viz.plot_pooling(feature_map, 2)

# %% [markdown]
# *Finding.* Solid frames mark the winners. In two windows there is a **tie**: several numbers are
# equally large. The upper right window has three 2s, the lower left has four 0s. Forward this does
# not matter. Backward it will.
#
# **Average pooling** keeps the mean of each window instead. **Predict, then run.** What does it
# give for the lower right window, with 5, 1, 1, 6?

# %%
x = feature_map[None, None].astype(float)
print(avg_pool2d_forward(x, 2)[0][0, 0])

# %% [markdown]
# 13 / 4 = 3.25. Windows may also overlap, when the stride is smaller than the window, and rows that
# do not fill a window any more are left out.
#
# **Predict, then run.** What shapes come out of (a) window 2 on 26×26, (b) window 3 with stride 2
# on 26×26, (c) window 2 on 5×5? The formula of lesson 1 holds.

# %%
print("(a)", MaxPool2D(2).output_shape((1, 26, 26)))
print("(b)", MaxPool2D(3, stride=2).output_shape((1, 26, 26)))
print("(c)", MaxPool2D(2).output_shape((1, 5, 5)))
print(max_pool2d_forward(x, 3, stride=1)[0][0, 0].astype(int))

# %% [markdown]
# (a) 26 / 2 = 13. (b) (26 − 3) // 2 + 1 = 12. (c) 2×2: the fifth row and the fifth column are not
# looked at. The last line pools our 4×4 map with overlapping 3×3 windows: the 5 wins in three of
# the four.
#
# Why pool at all? A quarter of the numbers remain, and it matters less where exactly something was
# found. Put a 9 at each of the four places of one window:

# %%
for row, column in [(0, 0), (0, 1), (1, 0), (1, 1)]:
    spot = np.zeros((1, 1, 4, 4))
    spot[0, 0, row, column] = 9
    print((row, column), "->", max_pool2d_forward(spot, 2)[0][0, 0].astype(int).tolist())

# %% [markdown]
# Four different maps, one result. A 9 at (0, 2), one pixel farther to the right, would have changed
# it: pooling forgives small shifts inside a window, not all of them.
#
# ### How common are ties?
#
# We count, for every 2×2 window, how many of its pixels are equal to its maximum. A digit first:


# %%
def count_winners(maps):
    """Return how many pixels of each 2x2 window equal the window's maximum: 1, 2, 3 or 4."""
    largest = max_pool2d_forward(maps, 2)[0]
    corners = [maps[:, :, i::2, j::2] for i in (0, 1) for j in (0, 1)]
    return sum((corner == largest).astype(int) for corner in corners)


winners = count_winners(digit)
viz.plot_matrix(winners[0, 0], title="how many pixels share their window's maximum")

# %% [markdown]
# *Finding.* The 4s around the digit are flat black background. Inside the strokes, where several
# pixels are fully white, stand 2s, 3s and two more 4s. Along the edges of the strokes there is
# mostly one winner.
#
# Now 500 digits, and the feature maps that a small untrained network makes of them. (It has six 3×3
# kernels and is called `"notebook"`; section 7 takes it apart. `activations` gives the output of
# each of its layers by name.)

# %% tags=["nbval-ignore-output"]
network = build("notebook", rng=np.random.default_rng(0))
images = digits.train.images[:500]
feature_maps = network.activations(images)["conv1"]
for name, array in [("images", images), ("feature maps", feature_maps)]:
    share = np.mean(count_winners(array) > 1)
    print(f"windows with a tie, {name}: {share:.0%}")
    assert share > 0.5

# %% [markdown]
# More than half of all windows are ties. Is that a quirk of these digits? The same count on the
# larger MNIST collection was recorded with the package:

# %%
recorded = load_recorded("notebook-mnist")
print(f"MNIST, feature maps: {recorded['share_of_windows_with_ties']:.0%}")
print("made with:", recorded["command"])

# %% [markdown]
# About the same. Where an image is flat, so is every feature map of it. Ties are the rule on such
# images, and section 11 shows what they do to a careless backward pass.

# %% [markdown]
# ## 4. Flatten, and the dense layer
#
# At the end a network has to answer with ten numbers, one per class. Two layers lead there.
# **Flatten** writes all maps of an image into one long row: channel by channel, row by row.

# %%
maps = np.array([[[1, 2], [3, 4]], [[5, 6], [7, 8]]], dtype=float)
print(Flatten().forward(maps[np.newaxis]).astype(int))

# %% [markdown]
# A **dense** layer (also called *fully connected*) lets every number have its say in every output,
# each with a weight of its own:
#
# $$y_o = b_o + \sum_i w_{o,i}\,x_i$$
#
# By hand, with the weights below: $y_0 = 1\cdot3+0\cdot1-1\cdot2+10=11$ and
# $y_1 = 2\cdot3+1\cdot1+0\cdot2-5=2$.

# %%
dense = Dense(3, 2, rng=rng)
dense.params["weight"] = np.array([[1.0, 0, -1], [2, 1, 0]])
dense.params["bias"] = np.array([10.0, -5])
print(dense.forward(np.array([[3.0, 1, 2]])))

# %% [markdown]
# **Predict, then run.** Suppose we replaced the convolution of section 2, from one 28×28 image to
# six 26×26 maps, by a dense layer of the same input and output. How many weights would it have,
# against the convolution's 54?

# %%
dense_weights = (28 * 28) * (6 * 26 * 26)
print(f"dense: {dense_weights:,} weights; convolution: {6 * 1 * 3 * 3}")

# %% [markdown]
# Over three million against 54. A convolution is a dense layer with two strict rules: look only at
# your neighborhood, and use the same weights everywhere.

# %% [markdown]
# ## 5. Bends: ReLU, tanh, sigmoid
#
# Convolution and dense layers are *linear*: only multiplying and adding. Two linear layers in a row
# are no more than one. With matrices $A$ and $B$: $B(Ax) = (BA)x$, and $BA$ is a single matrix.

# %%
a, b, v = np.array([[1, 2], [3, 4]]), np.array([[0, 1], [1, 1]]), np.array([5, 6])
print("two layers:", b @ (a @ v), "  one layer:", (b @ a) @ v)
assert np.array_equal(b @ (a @ v), (b @ a) @ v)

# %% [markdown]
# A deep network needs something between its layers that is *not* linear. An **activation** is a
# curve applied to every number on its own. Three are common:
#
# | name | $y$ | derivative, told from $y$ |
# |---|---|---|
# | **ReLU** (rectified linear unit) | $\max(x, 0)$ | 1 where $y>0$, else 0 |
# | **tanh** | $\tanh x$ | $1-y^2$ |
# | **sigmoid** | $1/(1+e^{-x})$ | $y\,(1-y)$ |

# %%
plot_activations([ReLU(), Tanh(), Sigmoid()])

# %% [markdown]
# *Finding.* Left the curves, right their slopes. ReLU is off below zero and leaves the rest as it
# is; its slope is 0 or 1 and nothing between. Tanh and sigmoid flatten out on both sides, and there
# the slope is nearly 0. The slope of the sigmoid is nowhere above 1/4.
#
# **Predict, then run.** What does each make of −2, 0 and 2?

# %%
x = np.array([[-2.0, 0.0, 2.0]])
for activation in [ReLU(), Tanh(), Sigmoid()]:
    print(f"{activation.kind:8}", np.round(activation.forward(x), 2))

# %% [markdown]
# Max pooling is not linear either: the largest of several numbers is a choice, not a sum. That is
# why the small network of section 7 gets by without ReLU.

# %% [markdown]
# ## 6. Softmax
#
# The last layer gives ten numbers, positive or negative, of any size. They are scores, called
# **logits**. **Softmax** turns them into probabilities:
#
# $$p_i = \frac{e^{z_i}}{\sum_j e^{z_j}}$$
#
# All $p_i$ are positive and add up to 1. A case for the head: the logits $\ln 1$, $\ln 2$, $\ln 5$.
# Then $e^{z}$ is 1, 2, 5, the sum is 8, and the probabilities are 1/8, 2/8, 5/8.

# %%
logits = np.log([[1.0, 2.0, 5.0]])
print("logits       ", np.round(logits, 3))
print("probabilities", np.round(softmax(logits), 3))
assert np.allclose(softmax(logits), [[1 / 8, 2 / 8, 5 / 8]])

# %% [markdown]
# The formula written down as it stands is what the notebook this course grew from uses. It works,
# until the logits grow.
#
# **Predict, then run.** What does it give for the logits 1000 and 1001?


# %%
def naive_softmax(z):
    return np.exp(z) / np.sum(np.exp(z))


with np.errstate(over="ignore", invalid="ignore"):  # keep NumPy's two warnings out of the lesson
    print(naive_softmax(np.array([1000.0, 1001.0])))
print("exp overflows above", round(np.log(np.finfo(np.float64).max), 1), "in float64")
print("exp overflows above", round(np.log(np.finfo(np.float32).max), 1), "in float32")

# %% [markdown]
# `exp(1000)` is larger than the largest number of the machine and becomes infinity; infinity
# divided by infinity is `nan`, *not a number*. In `float32`, in which networks compute, a logit of
# 89 is enough. One `nan` in a training spoils every weight it reaches.
#
# The way out is a property of the formula. Subtract any number $m$ from all logits:
#
# $$\frac{e^{z_i-m}}{\sum_j e^{z_j-m}}=\frac{e^{-m}\,e^{z_i}}{e^{-m}\sum_j e^{z_j}}
# =\frac{e^{z_i}}{\sum_j e^{z_j}}$$
#
# Nothing changes: only the differences between logits count. With $m$ the *largest* logit, every
# exponent is at most 0 and nothing can overflow.

# %%
print(np.round(softmax(np.array([[1000.0, 1001.0]])), 4))
print(np.round(softmax(np.array([[0.0, 1.0]])), 4))

# %% [markdown]
# ## 7. A whole network
#
# Here is the network `"notebook"`, with the layers of the notebook this course grew from. A
# convolution with 6 filters of 3×3 without biases, max pooling with window 2, flatten, and a
# dense layer to ten logits, also without biases.
#
# **Predict, then run.** For an image of 1×28×28, write down the shape after each of the four
# layers, and the number of parameters of each.

# %%
for name, array in network.activations(digit).items():
    print(f"{name:9}", array.shape[1:])

# %% [markdown]
# Along a side: 28 − 3 + 1 = **26**; 26 / 2 = **13**. Then 6 · 13 · 13 = **1014** numbers in a row,
# and **10** logits. The parameters by hand: the convolution has 6 · 1 · 3 · 3 = 54, the dense layer
# 10 · 1014 = 10,140, pooling and flatten have none. Together 10,194. The package's own count:

# %%
print(network.summary())
assert network.parameter_count == 6 * 1 * 3 * 3 + 10 * 1014 == 10_194

# %% [markdown]
# All but 54 of the parameters sit in the last layer. The column *sees* is the **receptive field**:
# how many pixels of the input one number depends on. After the convolution 3×3. A pooled number
# looks at two neighboring answers along each side, whose patches together span 4×4. After the dense
# layer every number sees all.

# %%
viz.plot_network(network)

# %% [markdown]
# *Finding.* The picture on its way through: one sheet of 28×28, six sheets of 26×26, six of 13×13,
# a bar of 1014 numbers, a bar of 10.
#
# Now a deeper one, `"lasagne"`, after an example of the Lasagne library: two convolutions with ReLU
# and pooling, two dense layers, biases everywhere. (Its *dropout* layers switch numbers off at
# random during training, and do nothing otherwise.)

# %%
lasagne = build("lasagne", rng=np.random.default_rng(0))
print(lasagne.summary())

# %% [markdown]
# Check the shapes along a side: 28 → 28 − 5 + 1 = 24 → 12 → 12 − 5 + 1 = 8 → 4. And the parameters:

# %%
conv1 = 32 * (1 * 5 * 5) + 32
conv2 = 32 * (32 * 5 * 5) + 32
dense1 = 256 * (32 * 4 * 4) + 256
dense2 = 10 * 256 + 10
print(conv1, conv2, dense1, dense2, "together", conv1 + conv2 + dense1 + dense2)
assert conv1 + conv2 + dense1 + dense2 == lasagne.parameter_count == 160_362

# %%
viz.plot_network(lasagne)

# %% [markdown]
# *Finding.* The maps become smaller and more numerous, and what a single number sees grows: 5, 6,
# 14, 16 pixels along a side. Each layer with a window of `k` adds `(k - 1)` times the *step*: the
# distance, in input pixels, between neighboring numbers of the maps it reads.
#
# | layer | window | step before | sees | step after |
# |---|---|---|---|---|
# | conv1 | 5 | 1 | 1 + 4 · 1 = 5 | 1 |
# | pool1 | 2 | 1 | 5 + 1 · 1 = 6 | 2 |
# | conv2 | 5 | 2 | 6 + 4 · 2 = 14 | 2 |
# | pool2 | 2 | 2 | 14 + 1 · 2 = 16 | 4 |

# %%
viz.plot_receptive_field(digit, network=lasagne, layer="pool2", row=1, column=2)

# %% [markdown]
# *Finding.* The number at row 1, column 2 of `pool2` sees the framed 16×16 pixels: rows 4 to 19,
# columns 8 to 23. The corner of the frame is at 4 times (1, 2), since the step is 4. A kernel of
# only 5×5 has become able to judge half a digit.
#
# *This is a good place for a break.*

# %% [markdown]
# ## 8. Backward: the chain rule
#
# In lesson 2 a kernel learned from the derivative of the loss with respect to each of its numbers.
# A network has thousands of numbers, in layers behind layers. The chain rule gives all of their
# derivatives in one walk from the back to the front.
#
# One dimension first. Three steps in a row, with $x=3$, $w=2$, $b=-1$:
#
# $$u = w\,x = 6,\qquad v = u + b = 5,\qquad L = v^2 = 25.$$
#
# Walk back, from $L$ to the start. At each step, multiply by the derivative of that step alone:
#
# $$\frac{dL}{dv}=2v=10,\qquad \frac{dL}{du}=\frac{dL}{dv}\cdot 1=10,\qquad
# \frac{dL}{dw}=\frac{dL}{du}\cdot x=30,\qquad \frac{dL}{dx}=\frac{dL}{du}\cdot w=20.$$
#
# And $\frac{dL}{db}=\frac{dL}{dv}\cdot1=10$.

# %%
x, w, b = 3.0, 2.0, -1.0
u = w * x
v = u + b
loss = v**2
grad_v = 2 * v
grad_u, grad_b = grad_v * 1, grad_v * 1
grad_w, grad_x = grad_u * x, grad_u * w
print("loss", loss, " grad_w", grad_w, " grad_b", grad_b, " grad_x", grad_x)

# %% [markdown]
# Is that so? We can *measure* a derivative: move $w$ a little up and a little down, and see how
# much the loss moves. This is the **central difference**:
#
# $$\frac{dL}{dw}\approx\frac{L(w+h)-L(w-h)}{2h}$$


# %%
def loss_of(w):
    return (w * 3.0 - 1.0) ** 2


h = 0.001
measured = (loss_of(2 + h) - loss_of(2 - h)) / (2 * h)
print(f"measured {measured:.6f}, computed {grad_w}")
assert abs(measured - grad_w) < 1e-6

# %% [markdown]
# Why both sides? A step to one side alone is off by an amount proportional to $h$, the central one
# only by an amount proportional to $h^2$. With $w^3$ at $w=2$, where the derivative is 12:

# %%
for h in (0.1, 0.01):
    one_sided = ((2 + h) ** 3 - 2**3) / h
    central = ((2 + h) ** 3 - (2 - h) ** 3) / (2 * h)
    print(f"h = {h}: one-sided {one_sided:.4f}, central {central:.4f}")

# %% [markdown]
# One rule is missing. When a number is used in *several* places, it moves the loss along several
# paths, and the paths **add up**. If $y_1 = 2x$ and $y_2 = 5x$ and $L = y_1 + y_2$, then
# $dL/dx = 2 + 5 = 7$.
#
# That is all there is to it: **multiply along a path, add over the paths.** For a layer it reads
# like this. The layer is handed `grad_y`, which has the shape of its output: how much the loss
# rises per unit of each output number. From it the layer computes
#
# - `grad_x`, in the shape of its input, which it hands on to the layer before it, as *that* layer's
#   `grad_y`;
# - the **gradient** of each of its parameters, such as `grad_weight`, in the shape of that
#   parameter.

# %% [markdown]
# ## 9. Backward through a convolution
#
# The image and the kernel of section 2 again. After the forward pass, suppose that what comes
# behind this layer reports the `grad_y` below. (Any numbers will do. These have few non-zero
# entries, so that we can do everything by hand.)

# %%
y = correlate2d(image, kernel, mode="valid")
print(y)
grad_y = np.array([[1, 0, 2], [0, -1, 0], [3, 0, 0]])

# %% [markdown]
# ### The kernel's gradient
#
# The kernel's entry (0, 0) was multiplied, at place $(p, q)$, with the pixel $x_{p,q}$, and the
# result went into $y_{p,q}$. Along that path: `grad_y[p, q]` times that pixel. There are nine
# places, so nine paths, and they add up. With our `grad_y` only four of them are not zero:
#
# $$1\cdot x_{0,0}+2\cdot x_{0,2}-1\cdot x_{1,1}+3\cdot x_{2,0}=1+0-1+6=6$$
#
# The kernel's entry (0, 1) met the pixels one column to the right:
#
# $$1\cdot x_{0,1}+2\cdot x_{0,3}-1\cdot x_{1,2}+3\cdot x_{2,1}=2+2-3+0=1$$
#
# **Predict, then run.** Which number belongs to entry (1, 0), one row down?

# %%
grad_weight = correlate2d(image, grad_y, mode="valid")
print(grad_weight)

# %% [markdown]
# The 9 in the second row, since
# $1\cdot x_{1,0}+2\cdot x_{1,2}-1\cdot x_{2,1}+3\cdot x_{3,0}=0+6-0+3=9$.
#
# Look at what computed it: `correlate2d(image, grad_y)` of SciPy. The 3×3 array `grad_y` slides
# over the image as if *it* were the kernel. **The gradient of the kernel is the image, correlated
# with the gradient of the output.**

# %%
patch = image[1:4, 0:3]
plot_equation(
    [image, patch, grad_y, patch * grad_y],
    ["", "×", "="],
    titles=["image", "patch", "grad_y", "product"],
    highlight=[(slice(1, 4), slice(0, 3)), None, None, None],
)

# %% [markdown]
# *Finding.* For entry (1, 0), `grad_y` is laid on the image one row down. There it covers the nine
# pixels that this entry met at the nine places. The product holds a 6 and a 3, and they add up to
# 9.
#
# ### The bias's gradient
#
# The bias was added at every place, so it hears from every place:
# $1+0+2+0-1+0+3+0+0=5$.

# %%
grad_bias = grad_y.sum()
print("grad_bias", grad_bias)

# %% [markdown]
# ### The image's gradient: scattering
#
# Now the pixels. Place $(p, q)$ read a patch of four pixels and multiplied them with the four
# kernel entries. So it sends back, to each of the four pixels, `grad_y[p, q]` times the kernel
# entry that the pixel met. In one phrase: it adds `grad_y[p, q] * kernel` where its patch lay. Our
# `grad_y` has four non-zero entries, so there are four patches to add:

# %%
grad_x = np.zeros((4, 4), int)
grad_x[0:2, 0:2] += 1 * kernel  # grad_y[0, 0] is 1
grad_x[0:2, 2:4] += 2 * kernel  # grad_y[0, 2] is 2
grad_x[1:3, 1:3] += -1 * kernel  # grad_y[1, 1] is -1
grad_x[2:4, 0:2] += 3 * kernel  # grad_y[2, 0] is 3
print(grad_x)

# %%
viz.plot_backward_scatter(grad_y, kernel, row=1, column=1)

# %% [markdown]
# *Finding.* The framed −1 of `grad_y` times the kernel is added in the middle of the image, where
# the patch of that output lay. The last panel is the sum over all nine outputs, the array we just
# printed. At pixel (1, 1) two patches overlap: −1 from the first and −1 from this one make −2.
#
# The same, one output after the other:

# %%
motion = viz.animate_backward(grad_y, kernel)
motion

# %% [markdown]
# Where a page does not play it, here are its first, middle and last moments:

# %%
motion.still()

# %% [markdown]
# *Finding.* The frame visits all nine outputs; five of them carry a
# zero and change nothing. At the end the image's gradient is complete.
#
# ### The same seen from a pixel: here the kernel is flipped
#
# Scattering asks of every *output*: whom do I send to? Ask instead of one *pixel*: from whom do I
# hear? Take pixel (1, 1). It was in four patches, and in each it met another kernel entry:
#
# | output | the pixel lay in the patch at | so it met |
# |---|---|---|
# | (0, 0) | lower right | kernel (1, 1) = −1 |
# | (0, 1) | lower left | kernel (1, 0) = 0 |
# | (1, 0) | upper right | kernel (0, 1) = 2 |
# | (1, 1) | upper left | kernel (0, 0) = 1 |
#
# $$1\cdot(-1)+0\cdot0+0\cdot2+(-1)\cdot1=-2$$
#
# As the output moves right and down, the kernel entry moves left and up. Laid over `grad_y`, the
# kernel is turned by half a turn. That is the flip of lesson 1: a true *convolution*. At the border
# `grad_y` needs zeros around it, so it is a convolution in mode *full*.

# %%
flipped, padded = kernel[::-1, ::-1], np.pad(grad_y, 1)
patch = padded[1:3, 1:3]
plot_equation(
    [padded, patch, flipped, patch * flipped],
    ["", "×", "="],
    titles=["grad_y, zeros around it", "patch", "flipped kernel", "product"],
    highlight=[(slice(1, 3), slice(1, 3)), None, None, None],
)

# %% [markdown]
# *Finding.* `grad_y` with a border of zeros, and the flipped kernel over the four outputs that
# pixel (1, 1) was part of. The sum is −2, as before. For all sixteen pixels:

# %%
gathered = convolve2d(grad_y, kernel, mode="full")
print(gathered)
assert np.array_equal(gathered, grad_x)
print("scattering and the full convolution give the same 16 numbers")

# %% [markdown]
# **Forward is a correlation, backward is a convolution.** The package gives the same three
# gradients; it wants floats and four axes, and keeps in `cache` what it has to remember:

# %%
x = image[None, None].astype(float)
y, cache = conv2d_forward(x, kernel[None, None].astype(float), bias=np.array([0.0]))
package = conv2d_backward(grad_y[None, None].astype(float), cache)
for name, array, ours in zip("xwb", package, [grad_x, grad_weight, grad_bias], strict=True):
    assert np.array_equal(np.squeeze(array), ours)
    print("gradient of", name, "has shape", array.shape, "and our numbers")

# %% [markdown]
# ### Several channels, several filters, a batch
#
# Nothing new, only more paths to add up:
#
# - a kernel entry is used at every place *of every image*: `grad_weight` adds over both;
# - an input channel is read by *every filter*: `grad_x` of a channel adds over the filters.
#
# **Predict, then run.** A batch of 4 color images of 12×12 goes through 8 filters of 5×5. Write
# down the shapes of `grad_y`, `grad_x`, `grad_weight` and `grad_bias`.

# %%
layer = Conv2D(3, 8, kernel_size=5, rng=rng)
x = rng.normal(size=(4, 3, 12, 12))
y = layer.forward(x)
grad_x = layer.backward(np.ones_like(y))
print("grad_y", y.shape, " grad_x", grad_x.shape)
print({name: array.shape for name, array in layer.grads.items()})

# %% [markdown]
# A gradient always has the shape of the thing it belongs to. That alone finds many mistakes.

# %% [markdown]
# ## 10. Is it right? The gradient check
#
# Shapes are not enough. But we know how to *measure* a derivative, and that needs no theory: move
# one number, run forward, move it the other way, run forward again. Do so for every parameter and
# every input number, and compare with what backward says. This is the **gradient check**. It is
# slow, it is done in `float64`, and it is the best friend of everybody who writes a backward pass.
#
# By hand, for kernel entry (1, 0) of our example. As a loss we take
# $L=\sum_{p,q} g_{p,q}\,y_{p,q}$, with $g$ our `grad_y`, because then the derivative of $L$ with
# respect to $y$ *is* `grad_y`.


# %%
def loss_with(kernel_entry):
    changed = kernel.astype(float)
    changed[1, 0] = kernel_entry
    return np.sum(grad_y * correlate2d(image, changed, mode="valid"))


h = 0.001
measured = (loss_with(0 + h) - loss_with(0 - h)) / (2 * h)
print(f"measured {measured:.4f}, computed {grad_weight[1, 0]}")
assert abs(measured - grad_weight[1, 0]) < 1e-6

# %% [markdown]
# `gradient_check` does this for all numbers of a layer. It reports a *relative error*: the length
# of the difference between the two gradients, divided by the length of the longer one.

# %% tags=["nbval-ignore-output"]
layer = Conv2D(2, 3, kernel_size=3, stride=2, padding=1, rng=rng)
report = gradient_check(layer, rng.normal(size=(2, 2, 6, 6)), rng=rng)
print(report)

# %% [markdown]
# Errors around $10^{-11}$ are rounding: the gradients are right, with stride and padding too. As a
# rule of thumb, below $10^{-6}$ is right, and $10^{-2}$ or more is a mistake in the code. We shall
# need the verdict often, so we give it a name:


# %%
def verdict(layer, x, **options):
    """Print for each gradient of a layer or network whether it agrees with the measured one."""
    report = gradient_check(layer, x, rng=np.random.default_rng(0), **options)
    for name, error in report.errors.items():
        right = error < 1e-6
        print(f"  {name:14}", "right" if right else f"WRONG, relative error {error:.2f}")


verdict(layer, rng.normal(size=(2, 2, 6, 6)))
assert report.max_error < 1e-6

# %% [markdown]
# ## 11. Backward through the other layers
#
# ### Max pooling, and its ties
#
# Only the largest number of a window reached the output, so only it gets the gradient. The others
# could have moved a little without changing anything: they get 0. Take the map of section 3 and let
# the four outputs report 10, 20, 30 and 40.
#
# And a tie? In the upper right window three numbers are 2. The package gives the gradient to the
# **first**, read row by row. A common home-made way is to compare the window with its maximum, and
# to give **all** that are equal the full amount. The notebook this course grew from does it so.

# %%
x = feature_map[None, None].astype(float)
y, cache = max_pool2d_forward(x, 2)
grad_y = np.array([[10.0, 20], [30, 40]])[None, None]
first = max_pool2d_backward(grad_y, cache, ties="first")
every = max_pool2d_backward(grad_y, cache, ties="all")
print("paid in:", grad_y.sum(), "  paid out to the first:", first.sum(), "  to all:", every.sum())

# %%
plot_equation(
    [feature_map, grad_y[0, 0], first[0, 0], every[0, 0]],
    ["", "→", ""],
    titles=["map", "gradient of the output", 'ties="first"', 'ties="all"'],
    highlight=[[(slice(0, 2), slice(2, 4)), (slice(2, 4), slice(0, 2))], None, None, None],
)

# %% [markdown]
# *Finding.* The two windows with ties are framed in the map. With `"first"` each of the four
# amounts is paid out once: 100 in, 100 out. With `"all"` the 20 is paid three times and the 30 four
# times: 230 out.
#
# Which one is right? At a tie the maximum has a corner, and there is no single derivative: raise
# one of the tied numbers and the output follows, lower it and nothing happens. But one thing can be
# measured without any doubt. Raise the *whole* window by $h$, all numbers together. Then the output
# rises by $h$: by once the amount, not three or four times.

# %%
h = 0.001
raised, lowered = max_pool2d_forward(x + h, 2)[0], max_pool2d_forward(x - h, 2)[0]
measured = np.sum(grad_y * (raised - lowered)) / (2 * h)
print(f"raise everything: measured {measured:.1f}, first {first.sum():.1f}, all {every.sum():.1f}")
assert abs(measured - first.sum()) < 1e-6

# %% [markdown]
# "First" agrees, "all" claims 230. This is no far-fetched case. A *bias* does raise a whole map at
# once, and digits have flat areas everywhere.
#
# **Predict, then run.** `Sequential` puts layers in a row: here a convolution with bias, pooling
# with `ties="all"`, flatten and a dense layer. Which parameters will have wrong gradients? (To save
# time, only 40 numbers of each array, chosen at random, are moved.)

# %%
for ties in ("first", "all"):
    parts = [Conv2D(1, 2, 3, rng=rng), MaxPool2D(2, ties=ties), Flatten(), Dense(338, 10, rng=rng)]
    report = gradient_check(
        Sequential(parts), digits.train.images[:2], digits.train.labels[:2], samples=40, rng=rng
    )
    right = {name: report.errors[name] < 1e-6 for name in report.errors if name != "input"}
    print(f'ties="{ties}":', right)

# %% [markdown]
# With `"first"` all parameters are right. With `"all"` the dense layer is still right, because the
# gradient reaches it before the pooling. Everything before the pooling is wrong, weights and bias.
# (We left the input's gradient out. Wiggling a single background pixel breaks a tie up on one side
# of zero only; there is the corner, and no rule can agree with a measurement.)
#
# How much too much is it? If every output reports 1, the payment per window is the number of its
# winners:

# %% tags=["nbval-ignore-output"]
payment = count_winners(feature_maps).mean()
print(f"mean payment per window: {payment:.1f} instead of 1")
assert 2 < payment < 4

# %% [markdown]
# Strange, then, that such networks learn at all. We compare, for the kernels of the network
# `"notebook"`, the right gradient with the overpaid one. The cosine of the angle between the two is
# 1 if they point the same way, and 0 if they have nothing to do with each other.


# %% tags=["nbval-ignore-output"]
def kernel_direction(ties):
    network["pool1"].ties = ties
    grad = softmax_cross_entropy(network.forward(images), digits.train.labels[:500])[1]
    network.backward(grad)
    return network.grads["conv1.weight"].ravel() / np.linalg.norm(network.grads["conv1.weight"])


cosine = kernel_direction("all") @ kernel_direction("first")
print(f"cosine {cosine:.2f}")
assert cosine > 0.8

# %% [markdown]
# The overpaid gradient still points downhill. This network is lucky: most of its ties are flat
# black areas, and the gradient of a kernel is `grad_y` times *pixels*. Whatever is paid to a black
# patch, times zero it is nothing. A bias, as we saw, has no such luck. A gradient that is wrong and
# learns all the same is harder to notice than one that fails.
#
# ### Average pooling
#
# Each of the four numbers had a quarter of the say, so each gets a quarter of the gradient: the 10
# becomes four times 2.5.

# %%
pooling = AvgPool2D(2)
pooling.forward(x)
print(pooling.backward(grad_y)[0, 0])

# %% [markdown]
# ### Dense
#
# $y_o = b_o + \sum_i w_{o,i}\,x_i$. The weight $w_{o,i}$ met only $x_i$ and went only into $y_o$:
# its gradient is `grad_y[o] * x[i]`. The input $x_i$ went into every output: its gradient is the
# sum over $o$ of `grad_y[o] * w[o, i]`.
#
# By hand, with the layer of section 4, `x` = (3, 1, 2) and `grad_y` = (1, −2):
# row 0 of `grad_weight` is (3, 1, 2), row 1 is (−6, −2, −4), and
# `grad_x` is $(1-4,\;0-2,\;-1-0)=(-3,-2,-1)$.

# %%
dense.forward(np.array([[3.0, 1, 2]]))
grad_x = dense.backward(np.array([[1.0, -2]]))
print("grad_x     ", grad_x[0])
print("grad_weight", dense.grads["weight"].tolist())
assert np.array_equal(grad_x, [[-3, -2, -1]])
assert np.array_equal(dense.grads["weight"], [[3, 1, 2], [-6, -2, -4]])

# %% [markdown]
# ### Flatten and the activations
#
# Flatten changed no number, so backward only puts the row back into the shape of the maps. An
# activation multiplies each `grad_y` with its slope at that number. For ReLU the slope is 1 or 0: a
# gate, open where the input was positive.
#
# **Predict, then run.** The input −2, 3, 0, 5 went through ReLU, and `grad_y` is 7 everywhere. What
# comes back?

# %%
relu = ReLU()
relu.forward(np.array([[-2.0, 3, 0, 5]]))
print(relu.backward(np.array([[7.0, 7, 7, 7]])))

# %% [markdown]
# At exactly 0 there is a corner again; the usual choice, and ours, is 0. The slopes of section 5
# now show what they mean: through ten sigmoids in a row a gradient shrinks at least by the factor
# $(1/4)^{10}$, about a millionth. ReLU passes it on whole where it passes at all.
#
# ### Softmax and cross-entropy, together
#
# The loss of a classifier is the **cross-entropy**: $L=-\ln p_k$, where $k$ is the right class. If
# the network gives it probability 1 the loss is 0; the smaller the probability, the larger the
# loss. (Lesson 4 looks at this loss more closely.) With $p_k=e^{z_k}/\sum_j e^{z_j}$:
#
# $$L=\ln\sum_j e^{z_j}-z_k,\qquad
# \frac{\partial L}{\partial z_i}=\frac{e^{z_i}}{\sum_j e^{z_j}}-[i=k]=p_i-[i=k]$$
#
# where $[i=k]$ is 1 for the right class and 0 for the others. Written as a row, that is called
# **one-hot**. So the gradient of the two together is $p-\text{onehot}$: what the network said,
# minus what it should have said.
#
# By hand, with $p$ = (1/8, 2/8, 5/8) from section 6 and the right class 1:
# $p-\text{onehot}$ = (1/8, −6/8, 5/8), and the loss is $\ln 4 \approx 1.386$.

# %%
loss, grad_logits = softmax_cross_entropy(logits, np.array([1]))
print(f"loss {loss:.3f}, gradient", np.round(8 * grad_logits[0], 3), "/ 8")
assert np.allclose(grad_logits, [[1 / 8, -6 / 8, 5 / 8]]) and np.isclose(loss, np.log(4))

# %% [markdown]
# The right class is pushed up (its gradient is negative, and learning goes against the gradient),
# the others are pushed down, each by as much as it was believed. The three add up to 0. For a batch
# the loss is the *mean* over its images, so each gradient is also divided by their number.
#
# ### All of them, checked

# %%
maps = rng.normal(size=(2, 3, 6, 6))
rows = rng.normal(size=(2, 5))
for part in [MaxPool2D(2), MaxPool2D(3, stride=1), AvgPool2D(2), Flatten(), ReLU(), Sigmoid()]:
    print(part)
    verdict(part, maps)
print("Dense, with softmax and cross-entropy on top")
verdict(Dense(5, 10, rng=rng), rows, labels=np.array([3, 7]))

# %% [markdown]
# ## 12. Two convolutions, one on top of the other
#
# Many courses stop here: with one convolution nobody needs `grad_x`, and a wrong one does no harm.
# It is when a second convolution stands on the first that the pieces must fit. Everything needed is
# on the table: **the `grad_x` of the second layer is the `grad_y` of the first.**
#
# In integers. The first layer has two filters of 2×2, the second has one filter that reads both
# maps.

# %%
first_kernels = np.array([[[1, 2], [0, -1]], [[0, 1], [1, 0]]])
second_kernel = np.array([[[1, -1], [0, 2]], [[2, 0], [1, 0]]])  # one filter, two channels
hidden = np.stack([correlate2d(image, k, mode="valid") for k in first_kernels])
output = sum(correlate2d(m, k, mode="valid") for m, k in zip(hidden, second_kernel, strict=True))
print("image", image.shape, "-> two maps", hidden.shape, "-> output", output.shape)
print(output)

# %% [markdown]
# Let the gradient at the output be $\begin{pmatrix}1&0\\0&2\end{pmatrix}$. The way back has two
# steps.
#
# **Step 1, through the second layer.** Scatter with each channel of its kernel. For map 0 the
# kernel is $\begin{pmatrix}1&-1\\0&2\end{pmatrix}$: once in the upper left corner, and twice in the
# lower right one.
#
# $$\begin{pmatrix}1&-1&0\\0&2&0\\0&0&0\end{pmatrix}
# +\begin{pmatrix}0&0&0\\0&2&-2\\0&0&4\end{pmatrix}
# =\begin{pmatrix}1&-1&0\\0&4&-2\\0&0&4\end{pmatrix}$$
#
# **Step 2, through the first layer.** Each map has its gradient now. The image was read by *both*
# filters, so there are two shares, one scattered with each kernel, and they **add up**.

# %%
grad_output = np.array([[1, 0], [0, 2]])
grad_hidden = np.stack([convolve2d(grad_output, k, mode="full") for k in second_kernel])
shares = np.stack(
    [convolve2d(g, k, mode="full") for g, k in zip(grad_hidden, first_kernels, strict=True)]
)
grad_image = shares.sum(axis=0)
assert np.array_equal(grad_hidden[0], [[1, -1, 0], [0, 4, -2], [0, 0, 4]])
print(grad_hidden[1])

# %%
plot_equation(
    [grad_output, *grad_hidden, *shares, grad_image],
    ["→", "", "→", "+", "="],
    titles=["output", "map 0", "map 1", "share of map 0", "share of map 1", "image"],
    signed=True,
    title="a gradient on its way back, from the output to the image",
)

# %% [markdown]
# *Finding.* From left to right: the gradient at the output, at the two maps between the layers (the
# first is the one worked out above), the two shares for the image, and their sum. A number at the
# output has touched 3×3 pixels by the time it arrives at the image: the receptive field, walked
# backward.
#
# The first layer's own gradient needs nothing new: correlate its input with the gradient of *its*
# output, which is `grad_hidden`.

# %%
grad_first = np.stack([correlate2d(image, g, mode="valid") for g in grad_hidden])
print(grad_first)

# %% [markdown]
# Now the package, with the same numbers: two layers in a `Sequential`, whose backward does nothing
# but hand each layer's `grad_x` to the layer before it.

# %%
stack = Sequential([Conv2D(1, 2, 2, rng=rng), Conv2D(2, 1, 2, rng=rng)])
stack["conv1"].params["weight"] = first_kernels[:, np.newaxis].astype(float)
stack["conv2"].params["weight"] = second_kernel[np.newaxis].astype(float)
y = stack.forward(image[None, None].astype(float))
grad_x = stack.backward(grad_output[None, None].astype(float))
assert np.array_equal(y[0, 0], output)
assert np.array_equal(grad_x[0, 0], grad_image)
assert np.array_equal(stack.grads["conv1.weight"][:, 0], grad_first)
print("output, gradient of the image, gradient of the first kernels: as by hand")

# %% [markdown]
# And measured, for the stack, and for a small network of every kind of layer we have:

# %%
print("two convolutions")
verdict(stack, rng.normal(size=(2, 1, 6, 6)))
small = Sequential(
    [Conv2D(1, 3, 3, rng=rng), Tanh(), Conv2D(3, 4, 3, padding=1, rng=rng), ReLU(), MaxPool2D(2)]
    + [Flatten(), Dense(36, 10, rng=rng)]
)
print("a small network of seven layers")
verdict(small, rng.normal(size=(2, 1, 8, 8)), labels=np.array([4, 2]))

# %% [markdown]
# ## 13. What a layer remembers
#
# `grad_weight` needs the image, the pooling needs to know who won, ReLU where the gate was open. So
# every layer keeps something from its forward pass, called the **cache**, and its backward pass
# uses it up. Without a forward pass there is nothing to go back through:

# %%
layer = Conv2D(1, 1, 3, bias=False, rng=rng)
try:
    layer.backward(np.ones((1, 1, 26, 26)))
except RuntimeError as error:
    print(error)

# %% [markdown]
# The other thing a layer keeps is its gradients, in `layer.grads`. Here each backward pass
# **overwrites** them. Other libraries, PyTorch among them, *add* to what is there, and you have to
# set it to zero yourself before each step. Forgetting that is a classic mistake: the step is then
# taken with the sum of all gradients so far.
#
# Both ways know how to add up over several images. In the notebook this course grew from, one image
# passes at a time, and its gradient is added to a store. Here a batch passes at once, and the sum
# is inside the layer. **Predict, then run.** What will the last line print?


# %%
def kernel_gradient(images):
    y = layer.forward(images)
    layer.backward(np.ones_like(y))
    return layer.grads["weight"].copy()


three, four = digits.train.images[3:4], digits.train.images[4:5]
one_by_one = kernel_gradient(three) + kernel_gradient(four)
together = kernel_gradient(digits.train.images[3:5])
print("overwritten:", np.allclose(layer.grads["weight"], together))
print("batch = sum over its images:", np.allclose(one_by_one, together, rtol=1e-4))

# %% [markdown]
# ## 14. Wrong on purpose
#
# The most famous mistake in this chapter: to forget the flip. The class below is our convolution
# with one change. On the way back it uses the kernel turned by half a turn, as if `grad_x` were a
# correlation too.


# %%
class Unflipped(Conv2D):
    """A convolution whose backward pass forgets the flip."""

    def differentiate(self, grad_y, cache, *, input_gradient=True):
        turned = cache._replace(weight=cache.weight[:, :, ::-1, ::-1])
        return super().differentiate(grad_y, turned, input_gradient=input_gradient)


# %% [markdown]
# **Predict, then run.** All shapes are right and nothing crashes. Which of the three gradients
# (input, weight, bias) will the check find wrong? And in a stack where only the *second* layer has
# the mistake, whose gradients are wrong?

# %%
print("alone")
verdict(Unflipped(1, 2, 3, rng=rng), rng.normal(size=(2, 1, 6, 6)))
print("as the second of two")
wrong_stack = Sequential([Conv2D(1, 2, 3, rng=rng), Unflipped(2, 2, 3, rng=rng)])
verdict(wrong_stack, rng.normal(size=(2, 1, 8, 8)))

# %% [markdown]
# The layer's own weight and bias are right: a network with a single convolution would never notice.
# In the stack the mistake appears in the layer *below* the wrong one: in the weights of `conv1`.
# (The bias of `conv1` escapes. It adds up over all places, and a turned kernel has the same sum.)
# When a check fails, look one layer further on as well.
#
# **Predict, then run.** For which kernels would even this check find nothing?

# %%
symmetric = Unflipped(1, 1, 3, rng=rng)
symmetric.params["weight"] = named_kernel("laplacian")[None, None]
print("an Unflipped layer with the Laplacian kernel")
verdict(symmetric, rng.normal(size=(2, 1, 6, 6)))

# %% [markdown]
# For those that look the same after half a turn. So test with *random* kernels and images, never
# with neat ones: symmetry, zeros and ones hide mistakes.
#
# One more: a ReLU that forgets its gate on the way back. Here too every shape is right.


# %%
class Gateless(ReLU):
    """A ReLU whose backward pass lets everything through."""

    def differentiate(self, grad_y, cache, *, input_gradient=True):
        return grad_y, {}


verdict(Gateless(), rng.normal(size=(2, 3, 6, 6)))

# %% [markdown]
# ## 15. Loops against one matrix product
#
# The loops are clear, and slow. The package's fast form computes the same numbers by a trick named
# **im2col** (image to columns): write every patch as a *column*, every kernel as a *row*, and
# multiply the two matrices once. A matrix product takes the dot product of every row with every
# column: every kernel with every patch.

# %%
plot_im2col(image, first_kernels, row=1, column=1)

# %% [markdown]
# *Finding.* Our 4×4 image has nine patches, so nine columns of four numbers. The framed patch (1,
# 3; 0, 1) is the fifth column. Row 0 of the kernels times that column is 6, the number with which
# section 2 began. Each row of the result is a feature map, written out in a line.
#
# **Predict, then run.** Which two matrices give the kernels' gradient? (The gradient of a row of
# answers is at hand, and so are the columns.)

# %%
columns = np.stack([image[p : p + 2, q : q + 2].ravel() for p, q in np.ndindex(3, 3)], axis=1)
rows = first_kernels.reshape(2, 4)
print((rows @ columns)[0].reshape(3, 3))
print((grad_hidden.reshape(2, 9) @ columns.T).reshape(2, 2, 2).tolist())
assert np.array_equal((grad_hidden.reshape(2, 9) @ columns.T).reshape(2, 2, 2), grad_first)

# %% [markdown]
# The gradients of section 12 again. The image's gradient comes from `rows.T @ grad_y`, a gradient
# for every entry of every column, and each column is added back to the pixels it was copied from,
# as in the scatter picture.
#
# The price is memory: neighboring patches share pixels, and each pixel is copied once per patch.
# Computers are so good at multiplying matrices that it pays.

# %%
x = digits.train.images[:20]
weight = rng.normal(size=(6, 1, 3, 3)).astype(np.float32)
slow = conv2d_loops(x, weight)
fast, cache = conv2d_forward(x, weight)
print(f"largest difference below 1e-5: {np.abs(slow - fast).max() < 1e-5}")
print(f"numbers in the columns: {cache.columns.size / x.size:.1f} times those in the images")
assert np.abs(slow - fast).max() < 1e-5


# %% tags=["nbval-ignore-output"]
def seconds(function, repeats):
    start = time.perf_counter()
    for _ in range(repeats):
        function()
    return (time.perf_counter() - start) / repeats


loops = seconds(lambda: conv2d_loops(x, weight), 1)
product = seconds(lambda: conv2d_forward(x, weight), 20)
print(f"loops {1000 * loops:.0f} ms, matrix product {1000 * product:.2f} ms")
print(f"{loops / product:.0f} times faster")

# %% [markdown]
# The numbers agree to rounding (sums in another order round differently), and the matrix product is
# much faster. How much depends on the computer; run the cell on yours.

# %% [markdown]
# ## 16. For readers of the notebook this course grew from
#
# It has five classes. If you meet it, or code like it, this is how they map onto ours:
#
# | there | here | what differs there |
# |---|---|---|
# | `FCLayer` | `Dense` | weights as (inputs, outputs), ours the other way round; no bias |
# | `Softmax` | `softmax` | no maximum subtracted; `backward` includes the loss: $p-$ one-hot |
# | `ConvLayer` | `Conv2D` | loops over one image of one channel; no bias |
# | `MaxPoolLayer` | `MaxPool2D(ties="all")` | pays every tie in full |
# | `CNN` | `Sequential` | one image at a time; gradients are added up until the update |
#
# A `ConvLayer` reads a single channel, so a second one cannot stand on the first, and the gradient
# it computes for its input is never used. That is how far most courses go, and why section 12 goes
# one step further. Our `build("notebook", rng=...)` is the same network with `ties="first"`.

# %% [markdown]
# ## Exercises
#
# Write each function where it says so, run the cell, then the one under it. The check says what is
# wrong, if anything. `checks.<name>.hint()` gives a hint.
#
# ### 1. Count parameters
#
# Return how many numbers a convolution layer learns. The kernel is square; `bias` is True or False.
#
# *Hint*: one filter reads a patch of every input channel. How many numbers is that, and how many
# filters are there?


# %%
def conv_layer_parameters(in_channels, out_channels, kernel_size, bias):
    """Return the number of parameters of a convolution layer."""
    ### BEGIN SOLUTION
    weights = out_channels * in_channels * kernel_size**2
    return weights + out_channels if bias else weights
    ### END SOLUTION


# %%
checks.conv_layer_parameters(conv_layer_parameters)

# %% [markdown]
# ### 2. A softmax that does not overflow
#
# Return $e^{z}/\sum e^{z}$ of every row, also for logits of 1000. The logits have the shape
# `(N, C)`.
#
# *Hint*: section 6 says what to subtract. With `keepdims=True` each row's maximum stays beside its
# row.


# %%
def stable_softmax(logits):
    """Return the softmax of every row of logits (N, C)."""
    ### BEGIN SOLUTION
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)
    ### END SOLUTION


# %%
checks.stable_softmax(stable_softmax)

# %% [markdown]
# ### 3. The kernel's gradient
#
# For one image, one channel, stride 1 and no padding: return the gradient of the kernel, with loops
# and NumPy only. The forward pass was `y = correlate2d(x, weight)` in mode valid.
#
# *Hint*: place (p, q) multiplied the patch that begins there with the kernel. What does it add to
# the kernel's gradient? And what shape must the kernel have had?


# %%
def conv_grad_weight(grad_y, x):
    """Return the gradient of the kernel."""
    ### BEGIN SOLUTION
    rows, columns = grad_y.shape
    height, width = x.shape[0] - rows + 1, x.shape[1] - columns + 1
    grad_weight = np.zeros((height, width))
    for p in range(rows):
        for q in range(columns):
            grad_weight += grad_y[p, q] * x[p : p + height, q : q + width]
    return grad_weight
    ### END SOLUTION


# %%
checks.conv_grad_weight(conv_grad_weight)

# %% [markdown]
# ### 4. The image's gradient
#
# The same layer; return the gradient of its input.
#
# *Hint*: scatter. Begin with zeros in the shape of the input: how large was it?


# %%
def conv_grad_input(grad_y, weight):
    """Return the gradient of the input."""
    ### BEGIN SOLUTION
    rows, columns = grad_y.shape
    height, width = weight.shape
    grad_x = np.zeros((rows + height - 1, columns + width - 1))
    for p in range(rows):
        for q in range(columns):
            grad_x[p : p + height, q : q + width] += grad_y[p, q] * weight
    return grad_x
    ### END SOLUTION


# %%
checks.conv_grad_input(conv_grad_input)

# %% [markdown]
# ### 5. Backward through max pooling
#
# Windows of 2×2, side by side. Give each window's gradient to its maximum; in a tie to the first,
# read row by row.
#
# *Hint*: `window.argmax()` counts through the flattened window and names the first maximum;
# `divmod(..., 2)` turns that into a row and a column.


# %%
def max_pool_backward(grad_y, x):
    """Return the gradient of the pooling's input x."""
    ### BEGIN SOLUTION
    grad_x = np.zeros(x.shape)
    for p in range(grad_y.shape[0]):
        for q in range(grad_y.shape[1]):
            window = x[2 * p : 2 * p + 2, 2 * q : 2 * q + 2]
            row, column = divmod(window.argmax(), 2)
            grad_x[2 * p + row, 2 * q + column] = grad_y[p, q]
    return grad_x
    ### END SOLUTION


# %%
checks.max_pool_backward(max_pool_backward)

# %% [markdown]
# ## Recap
#
# - A **layer** is a function with parameters; forward it computes, backward it passes gradients on.
# - A **convolution layer** has one filter per feature map; a filter has a kernel for every input
#   channel and one bias. Its parameters do not depend on the size of the image.
# - **Pooling** makes maps smaller; on digits more than half of its windows are ties.
# - **Softmax** needs the maximum subtracted, or it overflows.
# - Backward: **multiply along a path, add over the paths**. The kernel's gradient is the image
#   correlated with `grad_y`; the image's gradient is `grad_y` scattered with the kernel, which is a
#   convolution with the flip; softmax and cross-entropy together give $p-\text{onehot}$.
# - In a stack, one layer's `grad_x` is the `grad_y` of the layer before.
# - A **gradient check** on random numbers finds what shapes do not.
#
# ## Sources
#
# - D. E. Rumelhart, G. E. Hinton, R. J. Williams (1986), [*Learning representations by
#   back-propagating errors*](https://doi.org/10.1038/323533a0), Nature 323.
# - Y. LeCun, L. Bottou, Y. Bengio, P. Haffner (1998), [*Gradient-based learning applied to document
#   recognition*](https://doi.org/10.1109/5.726791), Proceedings of the IEEE 86.
# - K. Chellapilla, S. Puri, P. Simard (2006), [*High performance convolutional neural networks for
#   document processing*](https://inria.hal.science/inria-00112631) (the columns of section 15).
# - V. Nair, G. E. Hinton (2010), *Rectified linear units improve restricted Boltzmann machines*,
#   ICML.
# - V. Dumoulin, F. Visin (2016), [*A guide to convolution arithmetic for deep
#   learning*](https://arxiv.org/abs/1603.07285) (shapes, and the backward pass in pictures).
# - I. Goodfellow, Y. Bengio, A. Courville (2016), [*Deep
#   Learning*](https://www.deeplearningbook.org), chapters 6 and 9.
# - [Lasagne](https://lasagne.readthedocs.io), the library whose example network is `"lasagne"`
#   here.
#
# **Next:** all layers have their gradients now. [Lesson 4](04_training.ipynb) lets them learn.
