# %% [markdown]
# # Lesson 3 · Layers
#
# In lessons 1 and 2 one kernel slid over one image. A network is made of many such steps, called
# *layers*. This lesson takes every layer of a small network apart: first what it computes, then how
# it learns. All of it on numbers small enough to check by hand.
#
# **What you will be able to do**
#
# - compute by hand what a convolution, a pooling, a dense layer, ReLU and softmax do to numbers;
# - predict the shape and the number of parameters of every layer of a network before you run it;
# - carry a gradient *back* through each of these layers, and through two convolutions in a row;
# - check any backward pass with a few lines of code, and find the mistake in a wrong one;
# - say why the fast form of a convolution is a matrix product.
#
# **What you need:** lessons [1](01_convolution.ipynb) (stride, padding, the sliding kernel) and
# [2](02_edge_kernels.ipynb) (hand-made kernels, one kernel learned by gradient descent), and the
# derivative of a function of one variable.
#
# **How long it takes:** about 60 minutes, in two halves, and 30 more for the exercises. Sections 1
# to 7 go forward through the layers. Then comes a break. Sections 8 to 13 go backward, and section
# 14 makes a convolution fast.
#
# ← [Lesson 2: Edge kernels](02_edge_kernels.ipynb) · [Lesson 4: Training](04_training.ipynb) → ·
# [Solutions](solutions/03_layers.ipynb)

# %%
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
from cnnedu.layers import conv2d_forward, conv2d_loops, softmax

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
#   `x` and with each of its parameters. (The **loss** says how wrong the result is; in lesson 2 it
#   was a sum of squared differences.)
#
# Here is a layer with three kernels of 3×3, fresh and untrained.

# %%
edges = Conv2D(in_channels=1, out_channels=3, kernel_size=3, rng=rng)
for name, array in edges.params.items():
    print(name, array.shape)
print("a digit of shape (1, 28, 28) becomes", edges.output_shape((1, 28, 28)))

# %% [markdown]
# Four axes for the kernels, three for an image:
#
# - A **batch** is a number of images that go through the layer together. Its array has the shape
#   `(N, C, H, W)`: images, channels, rows, columns.
# - A **channel** is one plane of numbers. A gray picture has one, a color photograph has three
#   (red, green, blue), and the output of a layer can have any number of channels.
# - The kernels of a layer have the shape `(F, C, kh, kw)`: one **filter** for each of the `F`
#   channels of the output, and in each filter one kernel of `kh` × `kw` for each of the `C`
#   channels of the input.

# %% [markdown]
# ## 2. The convolution layer
#
# ### One patch, one number
#
# We begin with one channel and one kernel. The piece of the image under the kernel is called a
# **patch**. The layer multiplies patch and kernel entry by entry, and adds up. Take the patch whose
# upper left corner is at row 1, column 1. By hand:
#
# $$\begin{pmatrix}1&3\\0&1\end{pmatrix}\text{ and }\begin{pmatrix}1&2\\0&-1\end{pmatrix}
# \quad\text{give}\quad 1\cdot1+3\cdot2+0\cdot0+1\cdot(-1)=6.$$

# %%
image = np.array([[1, 2, 0, 1], [0, 1, 3, 2], [2, 0, 1, 0], [1, 1, 0, 2]])
kernel = np.array([[1, 2], [0, -1]])
assert np.sum(image[1:3, 1:3] * kernel) == 6
viz.plot_patch_product(image, kernel, row=1, column=1)

# %% [markdown]
# **What you see.** The framed patch times the kernel gives the product, whose four numbers add up
# to 6. A convolution layer does nothing else, at every position.
#
# **Predict, then run.** The 2×2 kernel visits every position of the 4×4 image. How many patches are
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
# **What you see.** Channel 0 gives 1 + 4 + 0 − 1 = 4, channel 1 gives 0 + 1 + 1 + 0 = 2, and the
# output is 4 + 2 = 6. However many channels go in, one filter gives **one** plane of outputs.
#
# ### Several filters, and a bias
#
# A layer has many filters. Each gives one plane, called a **feature map**, and adds one number of
# its own to it, its **bias**. As a formula, for one image, with stride 1 and no padding:
#
# $$y_{f,p,q} = b_f + \sum_{c}\sum_{i}\sum_{j} w_{f,c,i,j}\;x_{c,\,p+i,\,q+j}$$
#
# ($f$ is the filter, $c$ the channel, $p, q$ row and column of the output, $i, j$ row and column in
# the kernel.) In code $w$ is `weight`, $b$ is `bias`, and the three sums are one `np.sum`.
#
# This is the *cross-correlation* of lesson 1: the kernel is not flipped. Libraries call the layer a
# convolution all the same, and so do we. Remember it: the flip comes back in section 9.


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
# one with its channels exchanged. At `[0, 0, 0]` should stand the 6 that we found by hand.

# %%
weight2 = np.stack([kernel2, kernel2[::-1]])
y = convolution_layer(image2, weight2, bias=np.array([0, 10]))
print("weight", weight2.shape, "-> y", y.shape)
print(y)

# %% [markdown]
# The shape is `(2, 2, 2)`: two filters, and 3 − 2 + 1 = 2 positions along each side. The package
# does the same for whole batches, with stride and padding. Here on a digit, with three kernels of
# lesson 2:

# %%
names = ["horizontal_edges", "vertical_edges", "box_blur"]
edges.params["weight"] = np.stack([[named_kernel(name)] for name in names])
digit = digits.train.images[3:4]  # a batch of one
maps = edges.forward(digit)
print("digit", digit.shape, "-> feature maps", maps.shape)
viz.plot_feature_maps(maps, digit, titles=[name.replace("_", " ") for name in names])

# %% [markdown]
# **What you see.** One digit 3 goes in, three maps come out, all from one layer. `horizontal edges`
# is blue (negative) along the upper side of each horizontal stroke and yellow (positive) along the
# lower one; `box blur` is pale, and nowhere negative.

# %% [markdown]
# ## 3. Pooling
#
# After a convolution, maps are often made smaller. **Max pooling** cuts a map into windows and
# keeps the largest number of each. It has no parameters. Windows usually lie side by side: window 2
# means stride 2.
#
# By hand, for the map below: the upper left window holds 1, 3, 4, 2, so 4 stays. Upper right: 2.
# Lower left: 0. Lower right: 6. (In the code, `[None, None]` puts two axes in front: a batch of one
# image with one channel.)

# %%
feature_map = np.array([[1, 3, 2, 0], [4, 2, 2, 2], [0, 0, 5, 1], [0, 0, 1, 6]])
map_in = feature_map[None, None].astype(float)
assert np.array_equal(MaxPool2D(2).forward(map_in)[0, 0], [[4, 2], [0, 6]])
viz.plot_pooling(feature_map, 2)

# %% [markdown]
# **What you see.** Solid orange frames mark the winners. In two windows there is a **tie**: several
# numbers are equally large. The upper right window has three 2s, the lower left has four 0s; the
# picture marks the first of them, read row by row. Forward a tie does not matter. Backward it will.
#
# **Average pooling** keeps the mean of each window instead: 13 / 4 = 3.25 for the 5, 1, 1, 6.
# Windows may also overlap (stride smaller than window); rows that do not fill one are left out.
#
# **Predict, then run.** What shapes come out of (a) window 2 on 26×26, (b) window 3 with stride 2
# on 26×26, (c) window 2 on 5×5? The formula of lesson 1 holds.

# %%
print(AvgPool2D(2).forward(map_in)[0, 0])
print("(a)", MaxPool2D(2).output_shape((1, 26, 26)))
print("(b)", MaxPool2D(3, stride=2).output_shape((1, 26, 26)))
print("(c)", MaxPool2D(2).output_shape((1, 5, 5)))

# %% [markdown]
# (a) 26 / 2 = 13. (b) (26 − 3) // 2 + 1 = 12. (c) 2×2: the fifth row and column are not looked at.
#
# Why pool at all? A quarter of the numbers remain, and it matters less where exactly something was
# found: wherever in its window the 6 stands, the pooled map is the same.

# %% [markdown]
# ## 4. Flatten, and the dense layer
#
# At the end a network has to answer with ten numbers, one per class. Two layers lead there.
# **Flatten** writes all maps of an image into one long row: channel by channel, row by row. A
# **dense** layer (also called *fully connected*) lets every input number enter every output, each
# with a weight of its own:
#
# $$y_o = b_o + \sum_i w_{o,i}\,x_i$$
#
# By hand, with the weights below: $y_0 = 1\cdot3+0\cdot1-1\cdot2+10=11$ and
# $y_1 = 2\cdot3+1\cdot1+0\cdot2-5=2$.

# %%
dense = Dense(3, 2, rng=rng)
dense.params["weight"] = np.array([[1.0, 0, -1], [2, 1, 0]])
dense.params["bias"] = np.array([10.0, -5])
dense_in = np.array([[3.0, 1, 2]])
print(dense.forward(dense_in))

# %% [markdown]
# **Predict, then run.** A convolution with six 3×3 filters makes six 26×26 maps of a 28×28 image;
# without biases it has 54 weights. A dense layer with the same input and output would have how
# many?

# %%
dense_weights = (28 * 28) * (6 * 26 * 26)
print(f"dense: {dense_weights:,} weights; convolution: {6 * 1 * 3 * 3}")

# %% [markdown]
# A convolution is a dense layer with two strict rules: look only at your neighborhood, and use the
# same weights everywhere.

# %% [markdown]
# ## 5. Activations: ReLU, tanh, sigmoid
#
# Convolution and dense layers are *linear* (apart from the bias, which changes nothing in the
# argument). Two linear layers in a row are no more than one: with matrices $A$ and $B$,
# $B(Ax) = (BA)x$, and $BA$ is a single matrix. A deep network needs something between its layers
# that is *not* linear. An **activation** is a curve applied to every number on its own:
#
# | name | $y$ | derivative, in terms of $y$ |
# |---|---|---|
# | **ReLU** (rectified linear unit) | $\max(x, 0)$ | 1 where $y>0$, else 0 |
# | **tanh** | $\tanh x$ | $1-y^2$ |
# | **sigmoid** | $1/(1+e^{-x})$ | $y\,(1-y)$ |

# %%
viz.plot_activations([ReLU(), Tanh(), Sigmoid()])

# %% [markdown]
# **What you see.** Left the curves, right their slopes. ReLU is off below zero and leaves the rest
# as it is; its slope is 0 or 1 and nothing between. Tanh and sigmoid flatten out on both sides, and
# there the slope is nearly 0; that of the sigmoid is nowhere above 1/4. Through ten sigmoids in a
# row a slope shrinks at least by $(1/4)^{10}$, about a millionth.
#
# Max pooling is not linear either, so the first network of section 7 gets by without ReLU.

# %% [markdown]
# ## 6. Softmax
#
# The last layer gives ten numbers, positive or negative, of any size. They are scores, called
# **logits**. **Softmax** turns them into probabilities, all positive, with the sum 1:
#
# $$p_i = \frac{e^{z_i}}{\sum_j e^{z_j}}$$
#
# A case to do in your head: the logits $\ln 1$, $\ln 2$, $\ln 5$. Then $e^{z}$ is 1, 2, 5, the sum
# is 8, and the probabilities are 1/8, 2/8, 5/8.

# %%
logits = np.log([[1.0, 2.0, 5.0]])
print("probabilities", np.round(softmax(logits), 3))
assert np.allclose(softmax(logits), [[1 / 8, 2 / 8, 5 / 8]])

# %% [markdown]
# Written down as it stands, the formula works, until the logits grow.
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
# `exp(1000)` is larger than the largest number of `float64` and becomes infinity; infinity divided
# by infinity is `nan`, *not a number*. In `float32`, in which networks compute, a logit of 89 is
# enough. One `nan` during training spoils every weight it reaches.
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
# A network is layers in a row; the package calls it `Sequential`. `build("notebook")` makes a small
# one: a convolution with 6 filters of 3×3, max pooling with window 2, flatten, and a dense layer to
# ten logits, both without biases.
#
# **Predict, then run.** For an image of 1×28×28, write down the shape after each of the four
# layers, and the number of parameters of each.

# %%
network = build("notebook", rng=np.random.default_rng(0))
print(network.summary())
assert network.parameter_count == 6 * 1 * 3 * 3 + 10 * 1014 == 10_194

# %% [markdown]
# Along a side: 28 − 3 + 1 = **26**; 26 / 2 = **13**. Then 6 · 13 · 13 = **1014** numbers in a row,
# and **10** logits. The convolution has 6 · 1 · 3 · 3 = 54 parameters, the dense layer 10 · 1014 =
# 10,140: all but 54 sit in the last layer. The size of the image does not enter the 54: a filter is
# the same at every position.
#
# The column *sees* is the **receptive field**: how many pixels of the input one number depends on.
# After the convolution 3×3. A pooled number looks at two numbers along each side, whose patches
# together span 4×4. Each logit sees all. (So does the row of `flatten1` as a whole; a single number
# in it is a pooled one and still sees 4×4. The last column is about speed: lesson 11.)
#
# A deeper one, `"lasagne"`: two convolutions of 32 filters of 5×5, each followed by ReLU and
# pooling, then two dense layers, with biases everywhere. (*Dropout* switches numbers off at random
# during training, and does nothing otherwise.)

# %%
lasagne = build("lasagne", rng=np.random.default_rng(0))
assert lasagne["conv2"].parameter_count == 32 * (32 * 5 * 5) + 32 == 25_632
viz.plot_network(lasagne)

# %% [markdown]
# **What you see.** One image becomes 32 maps (seven are drawn), and the maps become smaller: 24,
# 12, 8, 4. Then come rows of 512, 256 and 10 numbers. (The bars are not to scale.) Each filter of
# `conv2` reads all 32 maps: 32 · (32 · 5 · 5) + 32 = 25,632 parameters. And what a single number
# sees grows, from 5 to 16 pixels along a side; lesson 5 finds the rule.

# %% [markdown]
# ---
#
# ## Break
#
# *Every layer, forward: half of the lesson is behind you. Stop here, for ten minutes or until the
# next session.* The second half needs three things from the first: the 4×4 image with its kernel
# (section 2), the ties (section 3), and the probabilities 1/8, 2/8, 5/8 (section 6).
#
# ---

# %% [markdown]
# ## 8. Backward: the chain rule
#
# In lesson 2 a kernel learned from the derivative of the loss with respect to each of its numbers.
# A network has thousands of numbers, in layers behind layers. The chain rule gives all of their
# derivatives in one walk back. Three steps in a row, with $x=3$, $w=2$, $b=-1$:
#
# $$u = w\,x = 6,\qquad v = u + b = 5,\qquad L = v^2 = 25.$$
#
# Walk back from $L$. At each step, multiply by the derivative of that step alone:
#
# $$\frac{dL}{dv}=2v=10,\qquad \frac{dL}{du}=\frac{dL}{dv}\cdot 1=10,\qquad
# \frac{dL}{dw}=\frac{dL}{du}\cdot x=30.$$
#
# In code we call them `grad_v`, `grad_u`, `grad_w`.
#
# **Predict, then run.** What are `grad_x` and `grad_b`?

# %%
x, w, b = 3.0, 2.0, -1.0
u = w * x
v = u + b
grad_v = 2 * v  # of the loss v**2
grad_u, grad_b = grad_v * 1, grad_v * 1
grad_w, grad_x = grad_u * x, grad_u * w
print("grad_w", grad_w, " grad_x", grad_x, " grad_b", grad_b)

# %% [markdown]
# We can also *measure* a derivative: move $w$ a little up and a little down, and see how much the
# loss moves. This is the **central difference**:
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
# One rule is missing. When a number is used in *several* places, it moves the loss along several
# paths, and the paths **add up**. If $y_1 = 2x$ and $y_2 = 5x$ and $L = y_1 + y_2$, then
# $dL/dx = 2 + 5 = 7$. The whole method is in one line: **multiply along a path, add over the
# paths.**
#
# For a layer it reads like this. The layer is handed `grad_y`, which has the shape of its output:
# how much the loss rises per unit of each output number. From it the layer computes
#
# - `grad_x`, in the shape of its input, which it hands on to the layer before it, as *that* layer's
#   `grad_y`;
# - the **gradient** of each of its parameters, such as `grad_weight`, in the shape of that
#   parameter.

# %% [markdown]
# ## 9. Backward through a convolution
#
# The image and the kernel of section 2 again. Suppose that the layers after this one report the
# `grad_y` below. Any numbers will do; these have few non-zero entries, so that we can do everything
# by hand.

# %%
grad_y = np.array([[1, 0, 2], [0, -1, 0], [3, 0, 0]])
assert grad_y.shape == correlate2d(image, kernel, mode="valid").shape  # that of the output

# %% [markdown]
# ### The kernel's gradient
#
# The kernel's entry (0, 0) was multiplied, at position $(p, q)$, with the pixel $x_{p,q}$, and the
# result went into $y_{p,q}$. Along that path: `grad_y[p, q]` times that pixel. There are nine
# positions, so nine paths, and they add up. With our `grad_y` only four of them are not zero:
#
# $$1\cdot x_{0,0}+2\cdot x_{0,2}-1\cdot x_{1,1}+3\cdot x_{2,0}=1+0-1+6=6$$
#
# **Predict, then run.** The kernel's entry (1, 0) met the pixels one row down. What is its
# gradient?

# %%
grad_weight = correlate2d(image, grad_y, mode="valid")
print(grad_weight)

# %% [markdown]
# The 9 in the second row, since
# $1\cdot x_{1,0}+2\cdot x_{1,2}-1\cdot x_{2,1}+3\cdot x_{3,0}=0+6-0+3=9$.
#
# Look at what computed it: the 3×3 array `grad_y` slides over the image as if *it* were the kernel.
# **The gradient of the kernel is the image, correlated with the gradient of the output.**

# %%
patch = image[1:4, 0:3]
viz.plot_equation(
    [image, patch, grad_y, patch * grad_y],
    ["", "×", "="],
    titles=["image", "patch", "grad_y", "product"],
    highlight=[(slice(1, 4), slice(0, 3)), None, None, None],
    signed=[False, False, True, True],
)

# %% [markdown]
# **What you see.** For entry (1, 0), `grad_y` covers the nine pixels that this entry met at the
# nine positions. The product holds a 6 and a 3, together 9.
#
# The **bias** was added at every position, so its gradient is the sum of `grad_y`:
# $1+0+2+0-1+0+3+0+0=5$.
#
# ### The image's gradient: scattering
#
# Position $(p, q)$ read a patch of four pixels and multiplied them with the four kernel entries.
# Back along these paths, each of the four pixels gets `grad_y[p, q]` times the entry that it met.
# In short: add `grad_y[p, q] * kernel` where the patch lay. Our `grad_y` has four non-zero entries:

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
# **What you see.** The framed −1 times the kernel is added in the middle, where the patch of that
# output lay. The last panel is the sum over all nine outputs, the array we just printed. Of the
# four patches that pixel (1, 1) lies in, two carry something: −1 from the first and −1 from this
# one make −2.
#
# The same, one output after the other:

# %%
viz.animate_backward(grad_y, kernel)

# %% [markdown]
# **What you see** (where the page plays it; the picture above is one of its moments). The frame
# visits all nine outputs; five of them carry a zero and change nothing.
#
# ### The same seen from a pixel: here the kernel is flipped
#
# Scattering asks of every *output*: to which pixels do I send? Ask instead of one *pixel*: from
# which outputs do I receive? Pixel (1, 1) was in four patches, and in each it met another kernel
# entry:
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
# `grad_y` needs zeros around it, so it is a convolution in mode *full*:

# %%
assert np.array_equal(convolve2d(grad_y, kernel, mode="full"), grad_x)
print("scattering and the full convolution give the same 16 numbers")

# %% [markdown]
# **Forward is a correlation; the way back to the image is a convolution.** The package gives the
# same three gradients. `backward` returns `grad_x` and leaves the others in `grads`. What it needs
# (here the image) the layer has kept from `forward`, in a **cache**.

# %%
layer = Conv2D(1, 1, 2, rng=rng)
layer.params["weight"] = kernel[None, None].astype(float)
layer.forward(image[None, None].astype(float))
assert np.array_equal(layer.backward(grad_y[None, None].astype(float))[0, 0], grad_x)
assert np.array_equal(layer.grads["weight"][0, 0], grad_weight)
assert layer.grads["bias"] == grad_y.sum() == 5
print("the package's three gradients are ours")

# %% [markdown]
# ### Several channels, several filters, a batch
#
# Only more paths to add up. A kernel entry is used at every position *of every image* $n$, and an
# input channel is read by *every filter* $f$. With $g$ for `grad_y`:
#
# $$\frac{\partial L}{\partial w_{f,c,i,j}}=\sum_{n}\sum_{p,q} g_{n,f,p,q}\;x_{n,c,\,p+i,\,q+j}
# \qquad
# \frac{\partial L}{\partial x_{n,c,r,s}}=\sum_{f}\sum_{i,j} g_{n,f,\,r-i,\,s-j}\;w_{f,c,i,j}$$
#
# ($\partial$ says: move this one number, hold all others. The minus signs are the flip.) With
# stride $s$ the patches of the scatter lie $s$ apart; nothing else changes.
#
# **Predict, then run.** A batch of 4 color images of 12×12 goes through 8 filters of 5×5. Write
# down the shapes of `grad_y`, `grad_x`, `grad_weight` and `grad_bias`.

# %%
color = Conv2D(3, 8, kernel_size=5, rng=rng)
x = rng.normal(size=(4, 3, 12, 12))
y = color.forward(x)
print("grad_y", y.shape, " grad_x", color.backward(np.ones_like(y)).shape)
print({name: array.shape for name, array in color.grads.items()})
once = color.grads["weight"].copy()
color.forward(x)
color.backward(np.ones_like(y))
assert np.array_equal(color.grads["weight"], once)  # overwritten, not added to

# %% [markdown]
# A gradient always has the shape of the thing it belongs to. That alone finds many mistakes.
#
# The last lines go back a second time: the new gradients **overwrite** the old ones. PyTorch *adds*
# to what is there, and whoever forgets to set it to zero trains with the sum of all steps so far.

# %% [markdown]
# ## 10. Is it right? The gradient check
#
# Shapes are not enough. But a derivative can be *measured*, and that needs no theory. Do so for
# every parameter and every input number, and compare with what backward says. This is the
# **gradient check**. It is slow, and it is done in `float64`.
#
# Which loss? $L=\sum g\,y$ with random numbers $g$, because then `grad_y` *is* $g$. (If you hand
# labels to `gradient_check`, it takes the cross-entropy of section 11 instead.) It reports a
# *relative error*: the size of the difference between the two gradients, as the root of the sum of
# squares, divided by the size of the larger one.

# %% tags=["nbval-ignore-output"]
strided = Conv2D(2, 3, kernel_size=3, stride=2, padding=1, rng=rng)
report = gradient_check(strided, rng.normal(size=(2, 2, 6, 6)), rng=rng)
for name, error in report.errors.items():
    print(f"{name:7} relative error {error:.0e}")

# %% [markdown]
# That is rounding: the gradients are right, with stride and padding too. As a rule of thumb, below
# $10^{-6}$ is right, and $10^{-2}$ or more is a mistake in the code; between the two, look whether
# the step has crossed a corner (a ReLU at 0). We give the verdict a name:


# %%
def verdict(layer, x, **options):
    """Print for each gradient of a layer or network whether it agrees with the measured one."""
    report = gradient_check(layer, x, rng=np.random.default_rng(0), **options)
    for name, error in report.errors.items():
        right = error < 1e-6
        print(f"  {name:14}", "right" if right else f"WRONG, relative error {error:.2f}")


verdict(strided, rng.normal(size=(2, 2, 6, 6)))
assert report.max_error < 1e-6

# %% [markdown]
# ## 11. Backward through the other layers
#
# ### Softmax and cross-entropy, together
#
# The way back begins at the loss. That of a classifier is the **cross-entropy**: $L=-\ln p_k$,
# where $k$ is the right class. If the network gives it probability 1 the loss is 0; the smaller the
# probability, the larger the loss. With $p_k=e^{z_k}/\sum_j e^{z_j}$:
#
# $$L=\ln\sum_j e^{z_j}-z_k,\qquad
# \frac{\partial L}{\partial z_i}=\frac{1}{\sum_j e^{z_j}}\cdot e^{z_i}-[i=k]=p_i-[i=k]$$
#
# Move $z_i$ alone. The outer derivative, of the logarithm, is $1/\sum$; the inner one, of the sum,
# is $e^{z_i}$; and $-z_k$ gives −1 only if $i=k$. That is what $[i=k]$ means: 1 for the right class
# and 0 for the others. Written as a row it is called **one-hot**. So the gradient of the two
# together is $p-\text{onehot}$: what the network said, minus what it should have said.
#
# By hand, with $p$ = (1/8, 2/8, 5/8) from section 6 and right class 1 (classes count from 0):
# $p-\text{onehot}$ = (1/8, −6/8, 5/8), and the loss is $-\ln\frac28=\ln 4 \approx 1.386$.

# %%
loss, grad_logits = softmax_cross_entropy(logits, np.array([1]))
print(f"loss {loss:.3f}, gradient", np.round(8 * grad_logits[0], 3), "/ 8")
assert np.allclose(grad_logits, [[1 / 8, -6 / 8, 5 / 8]]) and np.isclose(loss, np.log(4))

# %% [markdown]
# Learning goes against the gradient: the right class is pushed up, the others are pushed down, each
# by as much as it was believed. For a batch the loss is the *mean* over its images, so each
# gradient is also divided by their number.
#
# ### Dense
#
# $y_o = b_o + \sum_i w_{o,i}\,x_i$. The weight $w_{o,i}$ met only $x_i$ and went only into $y_o$:
# its gradient is `grad_y[o] * x[i]`. The input $x_i$ went into every output: its gradient is the
# sum over $o$ of `grad_y[o] * w[o, i]`.
#
# By hand, with the layer of section 4, its input (3, 1, 2) and `grad_y` = (1, −2): row 0 of
# `grad_weight` is (3, 1, 2), row 1 is (−6, −2, −4), and `grad_x` is
# $(1-4,\;0-2,\;-1-0)=(-3,-2,-1)$.

# %%
dense.forward(dense_in)
print(dense.backward(np.array([[1.0, -2]])))
print(dense.grads["weight"])

# %% [markdown]
# ### Flatten, activations, average pooling
#
# Flatten changed no number, so backward only puts the row back into the shape of the maps. In
# average pooling each of the four numbers had a quarter of the weight, so each gets a quarter of
# the gradient. An activation multiplies each `grad_y` with its slope at that number. For ReLU the
# slope is 1 or 0: a gate, open where the input was positive. (At exactly 0 there is a corner; the
# usual choice, and ours, is 0.)

# %%
relu = ReLU()
relu.forward(np.array([[-2.0, 3, 0, 5]]))
print(relu.backward(np.array([[7.0, 7, 7, 7]])))

# %% [markdown]
# ### Max pooling, and its ties
#
# Only the largest number of a window reached the output, so only it gets the gradient. The others
# get 0. And a tie? The package gives the gradient to the **first** maximum, read row by row. A
# common home-made way is to compare the window with its maximum, and to give **all** that are equal
# the full amount. Take the map of section 3, with 10, 20, 30 and 40 as gradients of the outputs:

# %%
grad_pooled = np.array([[10.0, 20], [30, 40]])[None, None]
grad_map = {}
for ties in ("first", "all"):
    pooling = MaxPool2D(2, ties=ties)
    pooling.forward(map_in)
    grad_map[ties] = pooling.backward(grad_pooled)
    print(f"{ties}: paid in {grad_pooled.sum():.0f}, paid out {grad_map[ties].sum():.0f}")

# %%
upper, lower = (slice(0, 2), slice(2, 4)), (slice(2, 4), slice(0, 2))
viz.plot_equation(
    [feature_map, grad_pooled[0, 0], grad_map["first"][0, 0], grad_map["all"][0, 0]],
    ["", "→", "or"],
    titles=["map", "grad_y", 'grad_x, ties="first"', 'grad_x, ties="all"'],
    highlight=[[upper, lower], [(0, 1), (1, 0)], [upper, lower], [upper, lower]],
    signed=[False, True, True, True],
)

# %% [markdown]
# **What you see.** The two windows with ties are framed, each in its color. With `"first"` each of
# the four amounts is paid out once: 100 in, 100 out. With `"all"` the 20 is paid three times and
# the 30 four times: 230 out.
#
# Which one is right? At a tie there is no single derivative: raise one of the tied numbers and the
# output follows, lower it and nothing happens. But one thing can be measured without any doubt.
# Raise *all* numbers of the map together by $h$. Then every output rises by $h$, once.

# %%
pooling = MaxPool2D(2)
change = pooling.forward(map_in + h) - pooling.forward(map_in - h)
measured = np.sum(grad_pooled * change) / (2 * h)
print(f"measured {measured:.1f}, first {grad_map['first'].sum():.1f}, all", grad_map["all"].sum())

# %% [markdown]
# "First" agrees, "all" claims 230. A *bias* does just this: it raises a whole map at once. And ties
# are common: where an image is flat, so is every feature map of it. We count the windows with more
# than one winner, in 500 digits and in the maps that the network of section 7 makes of them.

# %% tags=["nbval-ignore-output"]
images = digits.train.images[:500]
for name, x in {"digits": images, "their maps": network.activations(images)["conv1"]}.items():
    largest = MaxPool2D(2).forward(x)
    corners = [x[:, :, i::2, j::2] for i in (0, 1) for j in (0, 1)]
    share = np.mean(sum((corner == largest).astype(int) for corner in corners) > 1)
    print(f"windows with a tie, {name}: {share:.0%}")
    assert share > 0.5
recorded = load_recorded("notebook-mnist")
share = recorded["share_of_windows_with_ties"]
print(f"MNIST, feature maps: {share:.0%} (recorded by: {recorded['command']})")

# %% [markdown]
# More than half. Lesson 4 trains a network that pays each of its ties several times: the gradients
# of its kernels are wrong, and it learns all the same, so that its curve does not tell.
#
# ### All of them, checked

# %%
activations = [ReLU(), Tanh(), Sigmoid()]
for part in [MaxPool2D(2), MaxPool2D(3, stride=1), AvgPool2D(2), Flatten(), *activations]:
    print(part)
    verdict(part, rng.normal(size=(2, 3, 6, 6)))
print("Dense, with softmax and cross-entropy on top")
verdict(Dense(5, 10, rng=rng), rng.normal(size=(2, 5)), labels=np.array([3, 7]))

# %% [markdown]
# ## 12. Two convolutions, one on top of the other
#
# With a single convolution nobody needs its `grad_x`, and a wrong one does no harm. When a second
# convolution stands on the first, the pieces must fit: **the `grad_x` of the second layer is the
# `grad_y` of the first.**
#
# In integers. The first layer has two filters of 2×2, the second has one filter that reads both
# maps.

# %%
first_kernels = np.array([[[1, 2], [0, -1]], [[0, 1], [1, 0]]])
second_kernel = np.array([[[1, -1], [0, 2]], [[2, 0], [1, 0]]])  # one filter, two channels
hidden = np.stack([correlate2d(image, k, mode="valid") for k in first_kernels])
output = sum(correlate2d(m, k, mode="valid") for m, k in zip(hidden, second_kernel, strict=True))
print("image", image.shape, "-> two maps", hidden.shape, "-> output", output.shape)

# %% [markdown]
# Let the gradient at the output be $\begin{pmatrix}1&0\\0&2\end{pmatrix}$.
#
# **Step 1, through the second layer.** Scatter with each channel of its kernel. For map 0 that is
# $\begin{pmatrix}1&-1\\0&2\end{pmatrix}$, times 1 in the upper left corner and times 2 in the lower
# right one:
#
# $$\begin{pmatrix}1&-1&0\\0&2&0\\0&0&0\end{pmatrix}
# +\begin{pmatrix}0&0&0\\0&2&-2\\0&0&4\end{pmatrix}
# =\begin{pmatrix}1&-1&0\\0&4&-2\\0&0&4\end{pmatrix}$$
#
# **Predict, then run.** Do the same for map 1, whose kernel is
# $\begin{pmatrix}2&0\\1&0\end{pmatrix}$.

# %%
grad_output = np.array([[1, 0], [0, 2]])
grad_hidden = np.stack([convolve2d(grad_output, k, mode="full") for k in second_kernel])
assert np.array_equal(grad_hidden[0], [[1, -1, 0], [0, 4, -2], [0, 0, 4]])
print(grad_hidden[1])

# %% [markdown]
# **Step 2, through the first layer.** Each map has its gradient now. The image was read by *both*
# filters, so there are two shares, one scattered with each kernel, and they **add up**.

# %%
shares = [convolve2d(g, k, mode="full") for g, k in zip(grad_hidden, first_kernels, strict=True)]
grad_image = shares[0] + shares[1]
viz.plot_equation(
    [grad_output, *grad_hidden, *shares, grad_image],
    ["→", "", "→", "+", "="],
    titles=["grad of output", "grad of map 0", "grad of map 1"]
    + ["share through map 0", "share through map 1", "grad of image"],
    signed=True,
)

# %% [markdown]
# **What you see.** The gradient at the output, at the two maps, the two shares for the image, and
# their sum. Each output reaches 3×3 pixels of the image: the receptive field, walked backward.
#
# The first layer's own gradient needs nothing new: correlate its input with the gradient of *its*
# output, which is `grad_hidden`. Now the package, with the same numbers. `Sequential` does nothing
# on the way back but hand each layer's `grad_x` to the layer before it.

# %%
grad_first = np.stack([correlate2d(image, g, mode="valid") for g in grad_hidden])
stack = Sequential([Conv2D(1, 2, 2, rng=rng), Conv2D(2, 1, 2, rng=rng)])
stack["conv1"].params["weight"] = first_kernels[:, None].astype(float)
stack["conv2"].params["weight"] = second_kernel[None].astype(float)
assert np.array_equal(stack.forward(image[None, None].astype(float))[0, 0], output)
assert np.array_equal(stack.backward(grad_output[None, None].astype(float))[0, 0], grad_image)
assert np.array_equal(stack.grads["conv1.weight"][:, 0], grad_first)
print("output, gradient of the image, gradient of the first kernels: as by hand")

# %% [markdown]
# And measured, for the stack, and for a small network of seven layers:

# %%
print("two convolutions")
verdict(stack, rng.normal(size=(2, 1, 6, 6)))
small = Sequential(
    [Conv2D(1, 3, 3, rng=rng), Tanh(), Conv2D(3, 4, 3, padding=1, rng=rng), ReLU(), MaxPool2D(2)]
    + [Flatten(), Dense(36, 10, rng=rng)]
)
print("seven layers")
verdict(small, rng.normal(size=(2, 1, 8, 8)), labels=np.array([4, 2]))

# %% [markdown]
# ## 13. Wrong on purpose
#
# A common mistake: to forget the flip. On our integers, first right, then wrong:

# %%
unflipped = correlate2d(np.pad(grad_y, 1), kernel, mode="valid")
print(grad_x, unflipped, sep="\n\n")

# %% [markdown]
# The same shape, plausible numbers, and only three zeros in common. (Even the sum is the same, 10.
# That will matter in a moment.)
#
# The class below is our convolution with this mistake. `differentiate` is what `backward` calls,
# with the cache of the forward pass, and the package's own flips the kernel. We hand it one that is
# flipped already: the two flips cancel, and the kernel lies on `grad_y` unflipped.


# %%
class Unflipped(Conv2D):
    """A convolution whose backward pass forgets the flip."""

    def differentiate(self, grad_y, cache, **options):
        flipped_already = cache._replace(weight=cache.weight[:, :, ::-1, ::-1])
        return super().differentiate(grad_y, flipped_already, **options)


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
# (The bias of `conv1` escapes: it takes the sum, and a turned kernel leaves the sum as it was.)
# When a check fails, look one layer further on as well.
#
# Even this check can be fooled. The Laplacian looks the same after half a turn:

# %%
symmetric = Unflipped(1, 1, 3, rng=rng)
symmetric.params["weight"] = named_kernel("laplacian")[None, None]
print("an Unflipped layer with the Laplacian kernel")
verdict(symmetric, rng.normal(size=(2, 1, 6, 6)))

# %% [markdown]
# So test with *random* kernels and images, never with neat ones: symmetry, zeros and ones hide
# mistakes.

# %% [markdown]
# ## 14. Loops against one matrix product
#
# The loops are clear, and slow. The fast form is built on a trick named **im2col** (image to
# columns): write every patch as a *column*, every kernel as a *row*, and multiply the two matrices
# once. A matrix product takes every row with every column: every kernel with every patch.

# %%
viz.plot_im2col(image, first_kernels, row=1, column=1)

# %% [markdown]
# **What you see.** Our 4×4 image has nine patches, so nine columns of four numbers. The framed
# patch (1, 3; 0, 1) is the fifth column. Row 0 of the kernels times that column is 6, the number
# with which section 2 began. Each row of the result is a feature map, written out in a line.

# %%
columns = np.stack([image[p : p + 2, q : q + 2].ravel() for p, q in np.ndindex(3, 3)], axis=1)
assert np.array_equal(first_kernels.reshape(2, 4) @ columns, hidden.reshape(2, 9))
print("one matrix product gives both maps of section 12")

# %% [markdown]
# The price is memory: each pixel is copied once per patch it lies in. Now the times, for 20 digits:

# %% tags=["nbval-ignore-output"]
x = digits.train.images[:20]
weight = rng.normal(size=(6, 1, 3, 3)).astype(np.float32)
start = time.perf_counter()
slow = conv2d_loops(x, weight)
loops = time.perf_counter() - start
start = time.perf_counter()
for _ in range(20):
    fast, _ = conv2d_forward(x, weight)
product = (time.perf_counter() - start) / 20
print(f"loops {1000 * loops:.0f} ms, matrix product {1000 * product:.2f} ms")
print(f"about {round(loops / product, -2):.0f} times faster")
assert np.abs(slow - fast).max() < 1e-5

# %% [markdown]
# The numbers agree to rounding, and the matrix product is far faster. Much of this is the price of
# a Python loop; the rest is that libraries multiply matrices very well. Run the cell on your
# computer.

# %% [markdown]
# ## Exercises
#
# Write each function where it says so, run the cell, then the one under it. The check says what is
# wrong, if anything.
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
# ### 2. The kernel's gradient
#
# For one image, one channel, stride 1 and no padding: return the gradient of the kernel, with loops
# and NumPy only. The forward pass was `y = correlate2d(x, weight)` in mode valid.
#
# *Hint*: position (p, q) multiplied the patch that begins there with the kernel. What does it add
# to the kernel's gradient? And what shape must the kernel have had?


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
# ### 3. The image's gradient
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
# ### 4. Back through two convolutions
#
# Section 12 with your own function: the first layer makes one map for each kernel in
# `first_kernels` (M, kh, kw), the second has one filter with a channel for each map,
# `second_kernel` (M, kh, kw). `grad_y` belongs to the output of the second layer. Return the
# gradient of the image.
#
# *Hint*: your `conv_grad_input` from exercise 3, twice for each map.


# %%
def stacked_grad_input(grad_y, first_kernels, second_kernel):
    """Return the gradient of the image below two convolutions."""
    ### BEGIN SOLUTION
    grad_x = 0
    for kernel, channel in zip(first_kernels, second_kernel, strict=True):
        grad_map = conv_grad_input(grad_y, channel)
        grad_x = grad_x + conv_grad_input(grad_map, kernel)
    return grad_x
    ### END SOLUTION


# %%
checks.stacked_grad_input(stacked_grad_input)

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
#   document processing*](https://inria.hal.science/inria-00112631) (the columns of section 14).
# - V. Nair, G. E. Hinton (2010), *Rectified linear units improve restricted Boltzmann machines*,
#   ICML.
# - V. Dumoulin, F. Visin (2016), [*A guide to convolution arithmetic for deep
#   learning*](https://arxiv.org/abs/1603.07285) (shapes, and the backward pass in pictures).
# - I. Goodfellow, Y. Bengio, A. Courville (2016), [*Deep
#   Learning*](https://www.deeplearningbook.org), chapters 6 and 9.
# - The networks: `"lasagne"` follows an example of the library
#   [Lasagne](https://lasagne.readthedocs.io), `"notebook"` a small network as a public notebook
#   trains it, from which this course grew.
#
# **Next:** all layers have their gradients now. [Lesson 4](04_training.ipynb) lets them learn.
