# %% [markdown]
# # Lesson 1 · Convolution
#
# A convolutional network is built from one small operation, repeated a great many times: lay a few
# weights on a few neighboring numbers, multiply, add up, move on by one step. In this lesson you do
# it by hand, then in seven lines of Python, then without any loop, and each way has to agree with
# the one before.
#
# **What you will be able to do**
#
# - compute a convolution by hand, in one dimension and in two;
# - say what the flip is that separates *convolution* from *cross-correlation*, and predict what it
#   does to a result;
# - write the operation in seven lines of loops, and again without a loop, and show that both are
#   right;
# - predict the size of the result for any padding, stride and dilation;
# - say what a sharpening kernel and two edge kernels do to a handwritten digit.
#
# **What you need:** Python, and indexing NumPy arrays. `make lab` in the project's folder has
# installed everything else. No lesson comes before this one.
#
# **How long it takes:** about 55 minutes (and five more for section 3, which may be left out), and
# another 20 for the exercises. A good place for a break is after section 4, nearly half way.
#
# Where it says **Predict, then run**, make a guess before you look at the output. (On the web,
# the outputs are there already: cover them with a sheet of paper.)
#
# [Lesson 2: Edge kernels →](02_edge_kernels.ipynb) · [Solutions of this
# lesson](solutions/01_convolution.ipynb)

# %%
import numpy as np
import scipy.signal
from numpy.lib.stride_tricks import sliding_window_view

from cnnedu import checks
from cnnedu import visualization as viz
from cnnedu.data import load_digits, load_photograph
from cnnedu.kernels import KERNELS
from cnnedu.layers import conv2d_forward

rng = np.random.default_rng(0)

# %% [markdown]
# ## What it is about, in one picture
#
# Here is a handwritten 5, and beside it what nine weights make of it.

# %%
data = load_digits()
digit = data.train.images[15, 0]  # image 15; the 0 is its only channel (section 8)
viz.plot_responses(digit, {"looking for vertical edges": KERNELS["vertical_edges"]})

# %% [markdown]
# *Finding.* The right picture is blue where, from left to right, black turns into white, and yellow
# where white turns back into black. Along the flat top of the 5, and everywhere in the black around
# it, it is gray: zero. (In this whole course gray is 0, yellow positive and blue negative.)
#
# So the nine weights have found the **edges** that run up and down: the places where the brightness
# changes from left to right. Every pixel of the right picture is one small sum. At the end of this
# lesson you can compute each of them with a pencil.

# %% [markdown]
# ## 1. Two jobs for a sliding sum
#
# We begin with a single row of numbers.
#
# **First job: smoothing.** Six temperatures, one a day: 3, 6, 3, 0, 9, 6. They jump about. Replace
# every three neighbors by their mean, and move on by one day each time:
#
# - days 0 to 2: (3 + 6 + 3) / 3 = **4**
# - days 1 to 3: (6 + 3 + 0) / 3 = **3**
# - days 2 to 4: (3 + 0 + 9) / 3 = **4**
# - days 3 to 5: (0 + 9 + 6) / 3 = **5**
#
# Six numbers went in and four came out, because a window of three fits in four positions.

# %%
temperatures = np.array([3, 6, 3, 0, 9, 6])
means = [temperatures[i : i + 3].mean() for i in range(4)]
print(*means)

# %% [markdown]
# A mean of three is a sum in which each number counts one third. Written this way, the moving
# average is two lists: the **signal** (here the temperatures) and a short list of weights that
# slides over it, the **kernel** (here three times 1/3). At each position: multiply weights and
# numbers, add up.
#
# NumPy calls this `correlate`. (There is a `convolve`, too; section 4 says how they differ.)
# `mode="valid"` means: only where the kernel fits completely.

# %%
thirds = np.ones(3) / 3
print(np.correlate(temperatures, thirds, mode="valid").round(6))
assert np.allclose(np.correlate(temperatures, thirds, mode="valid"), means)

# %% [markdown]
# What it is good for shows on a longer signal. Below, a slow curve (which in a real measurement
# nobody knows) is measured with noise. Then two moving averages try to bring the curve back, one
# over 15 steps and one over 61. `mode="same"` returns as many numbers as went in; where the kernel
# hangs over an end, zeros are added.

# %%
steps = np.arange(240)
truth = np.sin(steps / 20) + 0.5 * np.sin(steps / 9)
measured = truth + rng.normal(0, 0.4, size=240)
mean_15 = np.correlate(measured, np.ones(15) / 15, mode="same")
mean_61 = np.correlate(measured, np.ones(61) / 61, mode="same")

inner = slice(30, -30)  # away from the ends
for name, values in {"measured": measured, "mean of 15": mean_15, "mean of 61": mean_61}.items():
    print(f"{name:10}  {np.abs(values - truth)[inner].mean():.2f} away from the truth, on average")

# %%
viz.plot_series(
    {
        "measured": measured,
        "mean of 15 steps": {"mean": mean_15, "truth": truth},
        "mean of 61 steps": {"mean": mean_61, "truth": truth},
    },
    share_y=True,
    title="The same measurement, smoothed by two kernels",
)

# %% [markdown]
# *Finding.* The mean of 15 lies close to the truth: the noise of neighbors cancels, the slow curve
# stays, and the distance from the truth falls from 0.32 to 0.08. The mean of 61 has hardly any
# noise left and is wrong all the same (0.35): it flattens the hills and fills the valleys, because
# its window is wider than they are.
#
# **Second job: finding a pattern.** Now the weights are not all equal. Take the kernel 1, 3, 1, a
# little peak, and slide it over 1, 0, 2, 0, 1, 3, 1, 0. At each position, multiply and add:
#
# | position | numbers under the kernel | sum |
# |---|---|---|
# | 0 | 1, 0, 2 | 1·1 + 0·3 + 2·1 = 3 |
# | 1 | 0, 2, 0 | 0·1 + 2·3 + 0·1 = 6 |
# | 2 | 2, 0, 1 | 2·1 + 0·3 + 1·1 = 3 |
# | 3 | 0, 1, 3 | 0·1 + 1·3 + 3·1 = 6 |
# | 4 | 1, 3, 1 | 1·1 + 3·3 + 1·1 = **11** |
# | 5 | 3, 1, 0 | 3·1 + 1·3 + 0·1 = 6 |
#
# The largest sum stands where the signal looks like the kernel: at position 4.

# %%
peaks = np.array([1, 0, 2, 0, 1, 3, 1, 0])
sums = np.correlate(peaks, [1, 3, 1], mode="valid")
print("sums:", sums, "  largest at position", sums.argmax())

# %% [markdown]
# One warning: large numbers make large sums, whatever their shape. A flat stretch 5, 5, 5 scores
# 5·1 + 5·3 + 5·1 = 25, more than the peak itself. The cure is to mix positive and negative weights.
# If they sum to 0, as in −1, 2, −1, a flat stretch gives −5 + 10 − 5 = 0, however high it is. (The
# edge kernels of lesson 2 are built this way.)
#
# Smoothing and finding are the same operation with different weights. The layers this course is
# about do it with images, and they *learn* their weights.

# %% [markdown]
# ## 2. The sum behind the name: throwing dice
#
# A **convolution** in the strict sense is a sum whose index runs backward in one of two lists:
#
# $$(f * g)[n] = \sum_{i} f[i]\; g[n - i]$$
#
# (In formulas, $*$ stands for convolution. In NumPy, `*` multiplies number by number.) Why
# $g[n - i]$? Dice show it. To throw a total of $n$ with two dice, the first may show $i$, and then
# the second *must* show $n - i$: **the two indices add up to $n$.** The number of ways is the sum
# over all $i$ of (ways to get $i$) times (ways to get $n - i$).
#
# Take two painted dice, with the numbers 0, 1, 2 on their six faces. The first shows 0 once, 1
# twice and 2 three times: $f =$ 1, 2, 3. The second shows 0 twice, 1 once and 2 three times:
# $g =$ 2, 1, 3. By hand:
#
# - total 0: 1·2 = **2** (0 and 0)
# - total 1: 1·1 + 2·2 = **5** (0 and 1, or 1 and 0)
# - total 2: 1·3 + 2·1 + 3·2 = **11**
# - total 3: 2·3 + 3·1 = **9**
# - total 4: 3·3 = **9**
#
# Together 36, as it must be: six faces times six faces.

# %%
f = np.array([1, 2, 3])
g = np.array([2, 1, 3])
ways = np.convolve(f, g)
print(ways, "together", ways.sum())

# %% [markdown]
# **Predict, then run:** an ordinary die shows each of the faces 1 to 6 in one way, so $f$ and $g$
# are both a list of six ones. (Index 0 now stands for the face 1, so the first result is for the
# total 2.) What eleven numbers does `np.convolve` return, for the totals 2 to 12?

# %%
one_die = np.ones(6, dtype=int)
print(np.convolve(one_die, one_die))

# %% [markdown]
# One way to throw 2, two ways to throw 3, up to six ways to throw 7, and down again to one 12.

# %% [markdown]
# ## 3. The integral it comes from
#
# *(Nothing later needs this section. If you have not met integrals, go on to section 4.)*
#
# The name is older than computers. For two functions of time, $f$ and $g$, their convolution is a
# third function:
#
# $$(f * g)(t) = \int_{-\infty}^{\infty} f(\tau)\, g(t - \tau)\, d\tau$$
#
# Again the two arguments add up, to $t$. Think of a stove. $f(\tau)$ is how strongly it burned at
# time $\tau$. Heat does not vanish at once: $g(\text{age})$ is how much of it is left after some
# time. At the moment $t$, heat from time $\tau$ has the age $t - \tau$. So $f(\tau)\,g(t - \tau)$
# is what is left *now* of what was made *then*, and the integral adds up all past moments.
#
# Let the stove burn for two hours, and let heat fade as $e^{-\text{age}}$.


# %%
def stove(time):
    return np.where((time >= 0) & (time < 2), 1.0, 0.0)


def what_is_left(age):
    return np.where(age >= 0, np.exp(-age), 0.0)  # heat not made yet has an age below 0


viz.plot_overlap(stove, what_is_left, times=[0.5, 1, 2, 3.5], span=(-1, 6))

# %% [markdown]
# *Finding.* As a function of $\tau$, the curve $g(t - \tau)$ is $g$ **turned around** and moved to
# $t$ (dashed). It slides to the right as $t$ grows. At each $t$ the green area under the product is
# one point of the curve below: 0.39, 0.63, 0.86 while the stove burns, and after it goes out at
# $t = 2$ the room cools, to 0.19 at $t = 3.5$.
#
# **What becomes of it.** A computer holds $f$ and $g$ in steps of some width $\Delta$, as two
# lists. The area becomes a sum of slices, and that is the sum of section 2, times $\Delta$. At
# $t = 1$ the area is $1 - e^{-1} = 0.632$. Does the sum come close?

# %%
for step in (0.5, 0.1, 0.01):
    times = np.arange(0, 3, step)
    result = np.convolve(stove(times), what_is_left(times)) * step
    at_one_hour = result[round(1 / step)]
    print(f"step {step:4}: {at_one_hour:.3f}, error {at_one_hour - 0.632:.3f}")

# %% [markdown]
# Steps of half an hour are coarse: 0.987. Steps ten times as fine have an error about ten times as
# small (0.069, then 0.007). So the sum is the integral in small slices. Pixels come in steps from
# the beginning: from here on there are only sums.

# %% [markdown]
# ## 4. To flip or not to flip
#
# In section 1 the kernel lay on the signal as it was; in section 2 one index ran backward. These
# are two operations with two names. For a signal $x$ and a kernel $w$ with the weights
# $w[0], w[1], \dots$
#
# $$\text{convolution:}\quad (x * w)[n] = \sum_i x[n - i]\; w[i]
# \qquad\qquad
# \text{cross-correlation:}\quad (x \star w)[n] = \sum_i x[n + i]\; w[i]$$
#
# First the cross-correlation:

# %%
x = np.array([1, 3, 2, 5, 4])
w = np.array([1, 2, -1])
viz.plot_sliding_sums(x, w, title="Cross-correlation: the kernel as it is")

# %% [markdown]
# *Finding.* The three sums are 5, 2 and 8. The kernel lies in reading order, 1, 2, −1.
#
# Now the convolution, at $n = 2$: its sum is $x[2]\,w[0] + x[1]\,w[1] + x[0]\,w[2]$. In the order
# of the signal, $x[0]$ meets the *last* weight and $x[2]$ the *first*. So the kernel lies on the
# signal turned around, as −1, 2, 1, and the sum is 1·(−1) + 3·2 + 2·1 = 7.
#
# **Predict, then run:** what are the next two sums, for $n = 3$ and $n = 4$?

# %%
viz.plot_sliding_sums(x, w, convolution=True, title="Convolution: the kernel turned around")

# %% [markdown]
# *Finding.* Same signal, same kernel, other numbers: 7, 6 and 12. (Position 0 is $n = 2$ in the
# formula: there the kernel first fits completely.) Either operation can be made from the other, by
# turning the kernel around first:

# %%
print("np.correlate:", np.correlate(x, w, mode="valid"))
print("np.convolve: ", np.convolve(x, w, mode="valid"))
print("np.convolve with the kernel turned around first:", np.convolve(x, w[::-1], mode="valid"))

# %% [markdown]
# The simplest test of which one you have in front of you is a **pulse**, a single 1 among zeros.

# %%
pulse = np.array([0, 0, 1, 0, 0])
print("convolution:      ", np.convolve(pulse, [1, 2, 3], mode="same"))
print("cross-correlation:", np.correlate(pulse, [1, 2, 3], mode="same"))

# %% [markdown]
# Convolution draws the kernel itself; cross-correlation draws it backward. (For the kernels of
# equal weights in section 1 there is no difference.)
#
# Now the sentence to remember, because it confuses almost everybody once:
#
# > **What deep learning calls convolution is cross-correlation.**
#
# PyTorch, TensorFlow and JAX do not flip the kernel. (An early framework, Theano, did.) It does no
# harm either way: the weights of a network are learned, and a network that flips learns the same
# weights the other way around. In this course a *convolution layer* is what everybody calls by that
# name, without the flip; where a true convolution is meant, we say that it flips. The difference
# matters as soon as you carry a kernel from one world to the other, as you will see in section 9.
#
# ---
#
# **A good place for a break.** So far everything was one row of numbers. What follows is the same
# with images.

# %% [markdown]
# ## 5. Two dimensions
#
# An image is a table of numbers, and so is its kernel now. The kernel lies on a **patch** of the
# image, as large as itself. Multiply number by number and add up everything: this sum is the
# **response** of the kernel at this position. All the responses together, each at its position, are
# called a **feature map**: a map of where in the image the kernel found what it looks for. Without
# the flip, as in a network:
#
# $$y[i, j] = \sum_{u}\sum_{v} x[i + u,\; j + v]\; w[u, v]$$
#
# where $u$ and $v$ run over the rows and columns of the kernel. In the code, `image` is $x$,
# `kernel` is $w$ and `result` is $y$. The kernel below has only four numbers that are not zero, so
# that you can work along.

# %%
image = np.array(
    [
        [2, 1, 3, 0, 1],
        [4, 0, 1, 2, 3],
        [1, 5, 2, 1, 0],
        [0, 2, 3, 4, 1],
        [3, 1, 0, 2, 2],
    ]
)
kernel = np.array([[1, 0, -1], [2, 0, 0], [0, 1, 0]])
viz.plot_patch_product(image, kernel, 0, 0)

# %% [markdown]
# *Finding.* In the upper left corner four products count, weight times pixel: 1·2, −1·3, 2·4 and
# 1·5. Their sum is 2 − 3 + 8 + 5 = **12**: the number of the feature map at row 0, column 0.
#
# **Predict, then run:** move the frame one column to the right. The patch is now 1 3 0, 0 1 2 and 5
# 2 1. What is the sum?

# %%
viz.plot_patch_product(image, kernel, 0, 1)

# %% [markdown]
# *Finding.* 1·1 − 1·0 + 2·0 + 1·2 = 3. And so on, row by row, until the kernel has stood everywhere
# it fits. Press play:

# %%
sliding = viz.animate_convolution(image, kernel)
sliding

# %% [markdown]
# The frame is the patch, the line under the panels is the sum, and the feature map fills up row by
# row. Where the player is missing (a page without scripts), here is the moment in the middle:

# %%
sliding.still(4)

# %% [markdown]
# *Finding.* The kernel fits in three positions across and three down, so 5 × 5 pixels become a
# feature map of 3 × 3.
#
# ### In seven lines
#
# What you have done by hand, nothing added: two loops over the positions, one sum at each.


# %%
def correlate2d(image, kernel):
    (height, width), (kh, kw) = image.shape, kernel.shape
    result = np.zeros((height - kh + 1, width - kw + 1))
    for i in range(height - kh + 1):
        for j in range(width - kw + 1):
            result[i, j] = np.sum(image[i : i + kh, j : j + kw] * kernel)
    return result


print(correlate2d(image, kernel))

# %% [markdown]
# The nine numbers of the animation: 12 and 3 are the ones you have computed yourself.
#
# ### The flip in two dimensions
#
# To flip a kernel in two dimensions, reverse its rows *and* its columns: `kernel[::-1, ::-1]`.

# %%
viz.plot_equation(
    [kernel, kernel[:, ::-1], kernel[::-1, ::-1]],
    ["→", "→"],
    titles=["kernel", "mirrored left to right", "and top to bottom"],
)

# %% [markdown]
# *Finding.* Two mirrorings together are half a turn: the 1 from the upper left corner ends up at
# the lower right, the −1 goes from the upper right to the lower left.
#
# SciPy has both operations for images, and calls them by their mathematical names:

# %%
print("correlate2d:")
print(scipy.signal.correlate2d(image, kernel, mode="valid"))
print("convolve2d:")
print(scipy.signal.convolve2d(image, kernel, mode="valid"))
print("our seven lines, with the flipped kernel:")
print(correlate2d(image, kernel[::-1, ::-1]))

# %% [markdown]
# The second and the third are equal: a convolution is a cross-correlation with the flipped kernel.
# What a network's layer computes is the first.

# %% [markdown]
# ## 6. Without loops
#
# Python's loops are slow, and a network needs millions of these sums. NumPy can show all patches as
# one array, without a loop and without copying a single number.
#
# **Predict, then run:** the digit has 28 × 28 pixels. A kernel of 5 × 5 slides over it. What is the
# shape of an array that holds all its patches?

# %%
windows = sliding_window_view(digit, (5, 5))
print("shape:", windows.shape)
print("shares its memory with the digit:", np.shares_memory(windows, digit))

# %% [markdown]
# Four axes: 24 × 24 positions, because 28 − 5 + 1 = 24, and 5 × 5 pixels at each. `windows[i, j]`
# is the patch at row `i`, column `j`; `windows[i, j, u, v]` is its pixel at row `u`, column `v`.
# These are 14,400 numbers, and yet there are still only the 784 of the digit in memory: the windows
# overlap.
#
# What remains is "times the kernel, summed over `u` and `v`". `np.einsum` writes it in the letters
# of the formula, $y[i, j] = \sum_{u,v} x[i+u, j+v]\,w[u, v]$:

# %%
windows = sliding_window_view(image, kernel.shape)
print(np.einsum("ijuv,uv->ij", windows, kernel))

# %% [markdown]
# The same nine numbers, without a loop in Python. (Fast layers go one step further: each patch
# becomes a row of a matrix, and all the sums together are one product of matrices. Computers are
# fast at that; lesson 3 shows it.)
#
# Are seven lines, windows and SciPy equal for other sizes, too?

# %%
for _ in range(100):
    height, width, kh, kw = rng.integers(1, 6, size=4)
    some_image = rng.integers(-9, 10, size=(height + 5, width + 5))
    some_kernel = rng.integers(-9, 10, size=(kh, kw))
    loops = correlate2d(some_image, some_kernel)
    windows = sliding_window_view(some_image, some_kernel.shape)
    assert np.array_equal(np.einsum("ijuv,uv->ij", windows, some_kernel), loops)
    assert np.array_equal(scipy.signal.correlate2d(some_image, some_kernel, mode="valid"), loops)
print("100 random images and kernels: loops = windows = SciPy, every number")

# %% [markdown]
# ## 7. How large is the result?
#
# ### Valid, same, full
#
# What happens at the ends? One may add zeros there, called **padding**, so that the kernel can hang
# over. In the next picture (in one dimension again) the kernel stands wherever it touches at least
# one number of the signal. Positions are counted anew, from the first of these.

# %%
viz.plot_sliding_sums(
    x, w, padding="full", title="Every position where the kernel touches the signal"
)

# %% [markdown]
# *Finding.* Seven positions. In the inner three (2 to 4) the kernel lies wholly on the signal; in
# positions 1 and 5 it uses one added zero (hatched), in positions 0 and 6 two. These are the three
# **modes**:
#
# | mode | zeros at each end | positions | number of results |
# |---|---|---|---|
# | valid | 0 | only 2 to 4 | 5 − 3 + 1 = 3 |
# | same | 1 | only 1 to 5 | 5, as many as the signal has |
# | full | 2 | all of them | 5 + 3 − 1 = 7 |

# %%
for mode in ("valid", "same", "full"):
    shape = scipy.signal.correlate2d(image, kernel, mode=mode).shape
    print(f"{mode:5}  in one dimension: {np.correlate(x, w, mode=mode)}  image 5 x 5: {shape}")

# %% [markdown]
# For a signal of length $N$ and a kernel of length $K$: *valid* gives $N - K + 1$ results, *full*
# $N + K - 1$, and *same* needs $(K - 1) / 2$ zeros at each end ($K$ odd). Networks use *valid*, or
# *same* where the size should stay: without padding, ten layers of 3 × 3 leave only
# 28 − 10·2 = 8 pixels of 28.
#
# ### Stride
#
# The kernel may take larger steps. The **stride** is the number of pixels it moves each time.
#
# **Predict, then run:** seven numbers, a kernel of three, stride 2, no padding. How many positions?

# %%
seven = np.array([2, 1, 3, 0, 1, 4, 2])
viz.plot_sliding_sums(seven, w, stride=2, title="Stride 2")

# %% [markdown]
# *Finding.* Three positions, with their left ends at 0, 2 and 4. A stride computes nothing new: it
# leaves out every second sum. In NumPy: `[::2]`.
#
# ### Dilation
#
# The kernel may also be spread out. With a **dilation** of 2 there is one pixel between neighboring
# weights, which is skipped.

# %%
viz.plot_sliding_sums(seven, w, dilation=2, title="Dilation 2")

# %% [markdown]
# *Finding.* The three weights now reach over five numbers, so only three positions are left, with
# their left ends at 0, 1 and 2. It is the same as a longer kernel with holes: 1, 0, 2, 0, −1.

# %%
print("every second sum: ", np.correlate(seven, w, mode="valid")[::2])
print("kernel with holes:", np.correlate(seven, [1, 0, 2, 0, -1], mode="valid"))

# %% [markdown]
# ### The formula, by counting
#
# Take an axis of $N$ pixels and a kernel of $K$ weights, with padding $P$ at each end, stride $S$
# and dilation $D$. How many positions are there?
#
# 1. With padding the axis has $N + 2P$ pixels.
# 2. From each weight to the next it is $D$ pixels, and that happens $K - 1$ times. So the kernel
#    reaches over $D\,(K - 1) + 1$ pixels.
# 3. Its left end may stand at $0$, and at the latest at $N + 2P - D\,(K - 1) - 1$; one step
#    further, and its right end falls out.
# 4. From $0$ it moves in steps of $S$. As many whole steps as fit, and the starting position:
#
# $$M = \left\lfloor \frac{N + 2P - D\,(K - 1) - 1}{S} \right\rfloor + 1$$
#
# The half brackets mean: round down (in Python `//`). A step that does not fit is not taken.
#
# **Predict, then run:** 28 pixels, a kernel of 5, padding 2, stride 2, no dilation ($D = 1$). How
# many positions? The cell computes the formula, and also counts the left ends one by one.

# %%
N, K, P, S, D = 28, 5, 2, 2, 1
latest = N + 2 * P - D * (K - 1) - 1
print("formula:", latest // S + 1)
print("counted:", len(range(0, latest + 1, S)))

# %% [markdown]
# 27 // 2 + 1 = 14: half the size.
#
# Now padding and stride together, in two dimensions: our image of 5 × 5 pixels, padding 1, stride
# 2, the kernel of 3 × 3. By the formula the map has (5 + 2 − 2 − 1) // 2 + 1 = 3 rows and columns.
#
# **Predict, then press play:** at how many of its nine positions does the kernel touch no added
# zero?

# %%
striding = viz.animate_convolution(image, kernel, stride=2, padding=1)
striding

# %% [markdown]
# The frame begins on the zeros outside and moves by two pixels at a time. The moment in the middle:

# %%
striding.still(4)

# %% [markdown]
# *Finding.* Only at this one. Its sum, 11, is also in the middle of the map without padding. At all
# other positions the patch contains added zeros.

# %% [markdown]
# ## 8. Channels: one more sum
#
# A color photograph has three numbers for each pixel: red, green, blue. Such planes of an image are
# called **channels**. The kernel then has as many channels, one table of weights for each, and all
# products of all channels are added into *one* number. Here is an image of two channels with 3 × 3
# pixels, and *one* kernel, of two channels with 2 × 2 weights:

# %%
two_channels = np.array([[[1, 2, 0], [0, 1, 3], [2, 0, 1]], [[4, 0, 1], [1, 2, 0], [0, 3, 1]]])
kernel_two_channels = np.array([[[1, 0], [0, 2]], [[0, 1], [-1, 0]]])
viz.plot_patch_product(two_channels, kernel_two_channels, 0, 0)

# %% [markdown]
# *Finding.* Weight times pixel again: channel 0 brings 1·1 + 2·1 = 3, channel 1 brings 1·0 − 1·1 =
# −1. Together 2: one number for both channels. The feature map has a single channel.

# %%
by_channel = [correlate2d(two_channels[c], kernel_two_channels[c]) for c in range(2)]
print("channel 0:", by_channel[0].tolist())
print("channel 1:", by_channel[1].tolist())
print("the map:  ", (by_channel[0] + by_channel[1]).tolist())

# %% [markdown]
# One kernel makes one feature map. A layer has *several* kernels, and their maps, side by side, are
# the channels of its output. With $o$ for the number of the kernel and $c$ for the channel:
#
# $$y[o, i, j] = \sum_{c}\sum_{u}\sum_{v} x[c,\; i + u,\; j + v]\; w[o, c, u, v]$$
#
# All networks of this course compute this with `conv2d_forward`, and for many images at once. So
# its images have four axes, (image, channel, row, column), and so have its kernels: (kernel,
# channel, row, column). It wants decimal numbers (floats). Its second result is needed only for
# training. For our one image and one kernel, `[None]` puts an axis of length 1 in front:

# %%
one_image, one_kernel = two_channels[None].astype(float), kernel_two_channels[None].astype(float)
maps, _ = conv2d_forward(one_image, one_kernel)
print("image:", one_image.shape, " kernel:", one_kernel.shape, " map:", maps.shape)
assert np.array_equal(maps[0, 0], by_channel[0] + by_channel[1])

# %% [markdown]
# Read the shape of the kernel aloud: 1 kernel, 2 channels, 2 rows, 2 columns. The line with
# `assert` says that the layer has computed the map above.
#
# **Predict, then run:** ten color images of 28 × 28, six kernels of 5 × 5, no padding, stride 1.
# What is the shape of the result, and how many weights are there? And what is the shape with
# padding 2 and stride 2?

# %%
ten_images = rng.random((10, 3, 28, 28))
six_kernels = rng.normal(size=(6, 3, 5, 5))
print("shape of the maps:     ", conv2d_forward(ten_images, six_kernels)[0].shape)
print("number of weights:     ", six_kernels.size)
halved, _ = conv2d_forward(ten_images, six_kernels, stride=2, padding=2)
print("padding 2 and stride 2:", halved.shape)

# %% [markdown]
# Ten images, six maps for each, 28 − 5 + 1 = 24 pixels a side; with padding 2 and stride 2 the 14
# of the formula. The weights are 6 · 3 · 5 · 5 = 450, however large the image is: every position
# uses the same ones. (A layer also adds one number per kernel to its map, the *bias*: lesson 3.)

# %% [markdown]
# ## 9. Three kernels on a digit
#
# Back to the 5 of the first picture. The digits come with the course: 1,797 of them, written by
# people, kept in 8 × 8 pixels by those who collected them, and brought to 28 × 28 here; 0 is black
# and 1 is white. (Enlarged from so few pixels, the 5 is cut off flat at its top and its lower end.)

# %%
print("Shape:", digit.shape)
print("Label:", data.train.labels[15])

# %% [markdown]
# Three kernels, made by hand:

# %%
sharpen = -1 * np.ones((3, 3))
sharpen[1, 1] = 9
horizontal = np.zeros((3, 3))
horizontal[0, :], horizontal[2, :] = 1, -1
vertical = np.zeros((3, 3))
vertical[:, 0], vertical[:, 2] = 1, -1
print(sharpen, horizontal, vertical, sep="\n")

# %% [markdown]
# `horizontal` subtracts the row below from the row above. At a **horizontal edge** the brightness
# changes when you go *down*: for three equal columns 0, 0, 1, 1 (dark above, bright below) it
# responds 3·0 − 3·1 = −3, twice. Where all nine pixels are equal, both edge kernels respond 0,
# because their weights sum to 0. Those of `sharpen` sum to 9 − 8 = 1, so flat parts stay as they
# are.
#
# First without the flip, as in a network. 28 pixels become 26, hence the white rim in the pictures.

# %%
three = {"sharpen": sharpen, "horizontal edges": horizontal, "vertical edges": vertical}
for name, weights in three.items():
    response = scipy.signal.correlate2d(digit, weights, mode="valid")
    print(f"{name:16}  {response.shape}, from {response.min():.1f} to {response.max():.1f}")

# %%
viz.plot_responses(digit, three, scale="each", title="correlate2d: without the flip")

# %% [markdown]
# *Finding.* (Each panel has its own scale.)
#
# - **Sharpen** exaggerates the border: a bright rim just inside the stroke, a dark one just
#   outside. The black around stays 0. Pixels went from 0 to 1, responses go from −3.0 to 5.5.
# - **Horizontal edges** is blue on every upper border of the stroke, most of all at the flat top
#   (dark above, bright below), and yellow on every lower border: under the belly and at the lower
#   end.
# - **Vertical edges** responds along both upright parts, the one on the upper left and, most
#   strongly, the one on the lower right: blue on the left border, yellow on the right.
#
# **Predict, then run:** now `convolve2d`, with the flip. What changes in each of the three panels?

# %%
viz.plot_responses(digit, three, scale="each", convolution=True, title="convolve2d: with the flip")

# %% [markdown]
# *Finding.* Sharpen has not changed at all. In the two edge panels yellow and blue have changed
# places. The reason is in the kernels: sharpen turned by half a turn is sharpen again, and an edge
# kernel turned by half a turn is its own negative.

# %%
assert np.array_equal(sharpen[::-1, ::-1], sharpen)
assert np.array_equal(horizontal[::-1, ::-1], -horizontal)
assert np.array_equal(vertical[::-1, ::-1], -vertical)
print("turned by half a turn: sharpen is the same, the edge kernels are their own negatives")

# %% [markdown]
# So draw the maps of a network with the operation that the network uses. For these three kernels
# the difference is a sign at most. For kernels that a network has learned it is another picture, as
# lesson 5 shows.
#
# Last, a photograph, with nothing adapted. **Predict, then run:** the flower is round and brighter
# than its background. On which parts of its rim will the kernel for horizontal edges respond, and
# with which sign? And the one for vertical edges?

# %%
flower = load_photograph("flower", size=200)[15:125, 45:165]
viz.plot_responses(flower, {"horizontal edges": horizontal, "vertical edges": vertical})

# %% [markdown]
# *Finding.* A round rim has edges in all directions, and each kernel picks its own. Horizontal
# edges: the upper rim is blue, the lower rim yellow; at the far left and the far right it is gray.
# Vertical edges: the left rim is blue, the right rim yellow; at the very top and bottom it is gray.

# %% [markdown]
# ## 10. When the image moves
#
# The same weights are used at every position, so a stroke gets the same responses wherever it lies.
#
# **Predict, then run:** the digit is moved 4 pixels up and 3 to the right. What happens to its
# feature map? (`np.roll` moves the pixels; what leaves on one side comes back on the other. Only
# black leaves here.)

# %%
moved = np.roll(digit, (-4, 3), axis=(0, 1))
response, response_moved = correlate2d(digit, vertical), correlate2d(moved, vertical)
assert np.allclose(response_moved, np.roll(response, (-4, 3), axis=(0, 1)))
viz.plot_feature_maps(
    np.stack([response, response_moved]), titles=["of the digit", "of the moved digit"]
)

# %% [markdown]
# *Finding.* The same picture, 4 pixels further up and 3 further right; the line with `assert` says
# that not one number changed. The operation is **shift-equivariant**: its result moves along.
# (Something that stays as it is when the image moves would be *invariant*.)
#
# Two things limit it: the border, where part of the map may fall off the image, and a stride.
# **Predict, then run:** with stride 2, what happens to the map when the digit moves 2 pixels to the
# right, and what when it moves 1?

# %%
before = correlate2d(digit, vertical)[::2, ::2]
for pixels in (2, 1):
    after = correlate2d(np.roll(digit, pixels, axis=1), vertical)[::2, ::2]
    unchanged = np.allclose(after, before)
    along = np.allclose(after, np.roll(before, 1, axis=1))
    print(f"moved by {pixels}:  map unchanged: {unchanged},  map moved by 1: {along}")

# %% [markdown]
# A shift of 2 pixels becomes a shift of 1 in the map. But a shift of 1 pixel gives a *new* map: the
# sums that were left out before are now the ones that are kept.

# %% [markdown]
# ## Exercises
#
# Write your solution in place of the line that says it is your turn, run the cell, then run the one
# under it. It tells you whether the function is right, and if not, what seems to be wrong with it.
# `checks.output_size.hint()` prints a hint, and likewise for the others.
#
# ### Exercise 1: how many positions?
#
# Return how many positions a kernel has along an axis of `size` pixels, with `padding` zeros at
# each end. (The kernel always fits at least once.) You have seen the formula; derive it again
# instead of looking it up.
#
# *Hint:* how many steps of length `stride` can the kernel's left end take before its right end
# leaves the padded image?
#
# Then turn it around, on paper: which padding keeps 28 pixels at 28, with a kernel of 7, stride 1
# and dilation 2? Try your answer in the function.


# %%
def output_size(size, kernel_size, stride, padding, dilation):
    ### BEGIN SOLUTION
    reach = dilation * (kernel_size - 1) + 1
    return (size + 2 * padding - reach) // stride + 1
    ### END SOLUTION


# %%
checks.output_size(output_size)

# %% [markdown]
# ### Exercise 2: with the flip
#
# Make a true convolution (valid) of an image with a kernel, out of the seven lines of section 5.
#
# *Hint:* half a turn.
#
# Then find three kernels of 2 × 2 by thinking: one for which convolution and cross-correlation
# agree on every image, one for which they differ by the sign, and one for which neither is so. Try
# them on `image`.


# %%
def convolve2d(image, kernel):
    ### BEGIN SOLUTION
    # (Three kernels: [[1, 2], [2, 1]] agrees, [[1, 2], [-2, -1]] has the sign, [[1, 2], [0, 0]]
    # neither. What counts is what half a turn does to them.)
    return correlate2d(image, kernel[::-1, ::-1])
    ### END SOLUTION


# %%
checks.convolve2d(convolve2d)

# %% [markdown]
# ### Exercise 3: padding and stride
#
# Set `padding` zeros on each of the four sides of the image, then correlate at every `stride`-th
# position, down and across. Compute only the sums that are kept.
#
# *Hint:* `np.pad(image, padding)` sets zeros all around. The patch of result `(i, j)` begins at row
# `i * stride`, column `j * stride`.


# %%
def correlate2d_strided(image, kernel, stride, padding):
    ### BEGIN SOLUTION
    padded = np.pad(image, padding)
    kh, kw = kernel.shape
    rows = output_size(image.shape[0], kh, stride, padding, 1)
    columns = output_size(image.shape[1], kw, stride, padding, 1)
    result = np.zeros((rows, columns))
    for i in range(rows):
        for j in range(columns):
            top, left = i * stride, j * stride
            result[i, j] = np.sum(padded[top : top + kh, left : left + kw] * kernel)
    return result
    ### END SOLUTION


# %%
checks.correlate2d_strided(correlate2d_strided)

# %% [markdown]
# ## Recap
#
# - A kernel slides over a signal or an image; at each position, patch times kernel is summed into
#   one number, the response. Equal weights smooth, other weights look for their own pattern.
# - A true convolution flips the kernel; its sum is the integral
#   $\int f(\tau)\,g(t - \tau)\,d\tau$ in steps. Cross-correlation does not flip, and it is what
#   networks compute.
# - Seven lines of loops, sliding windows and SciPy compute the same numbers.
# - Along each axis there are $\lfloor (N + 2P - D(K-1) - 1) / S \rfloor + 1$ positions.
# - Channels are summed into one map; each kernel makes a map of its own.
# - When the image moves, the map moves along.
#
# **Next:** in [lesson 2](02_edge_kernels.ipynb) you design kernels, read the sign of a response,
# and let a computer find an edge kernel by itself.
#
# ## Sources
#
# - V. Dumoulin and F. Visin (2016), *A guide to convolution arithmetic for deep learning*,
#   [arXiv:1603.07285](https://arxiv.org/abs/1603.07285): sizes with padding, stride and dilation.
# - I. Goodfellow, Y. Bengio and A. Courville (2016), *Deep Learning*, MIT Press, [chapter
#   9](https://www.deeplearningbook.org/contents/convnets.html): convolution, cross-correlation,
#   equivariance.
# - Y. LeCun, L. Bottou, Y. Bengio and P. Haffner (1998), *Gradient-based learning applied to
#   document recognition*, Proceedings of the IEEE 86(11), 2278–2324: networks of convolutions that
#   read digits.
# - NumPy: [convolve](https://numpy.org/doc/stable/reference/generated/numpy.convolve.html),
#   [sliding_window_view](https://numpy.org/doc/stable/reference/generated/numpy.lib.stride_tricks.sliding_window_view.html);
#   SciPy:
#   [convolve2d](https://docs.scipy.org/doc/scipy/reference/generated/scipy.signal.convolve2d.html),
#   [correlate2d](https://docs.scipy.org/doc/scipy/reference/generated/scipy.signal.correlate2d.html).
# - The three kernels of section 9 open the notebook that this course grew from.
# - Digits: E. Alpaydin and C. Kaynak (1998), *Optical Recognition of Handwritten Digits*, UCI
#   Machine Learning Repository, as shipped with scikit-learn. Photograph of the dahlia: vultilion
#   on Flickr, CC BY 2.0, shipped with scikit-learn; shown in gray, smaller, and only a part of it.
