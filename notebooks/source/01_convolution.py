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
# - say what a sharpening kernel and two edge kernels do to a handwritten digit and to a photograph.
#
# **What you need:** Python, and indexing NumPy arrays. No lesson comes before this one.
#
# **How long it takes:** about 50 minutes (sections 1 to 4, in one dimension, take 20; sections 5 to
# 11, with images, can be a second sitting), and another 20 for the exercises.
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
from cnnedu.layers import conv2d_forward, conv2d_loops

rng = np.random.default_rng(0)

# %% [markdown]
# ## 1. Two jobs for a sliding sum
#
# **First job: smoothing.** Six temperatures, one a day: 3, 6, 3, 0, 9, 6. They jump about. Replace
# every three neighbors by their mean, and move on by one day each time:
#
# - days 0 to 2: (3 + 6 + 3) / 3 = **4**
# - days 1 to 3: (6 + 3 + 0) / 3 = **3**
# - days 2 to 4: (3 + 0 + 9) / 3 = **4**
# - days 3 to 5: (0 + 9 + 6) / 3 = **5**
#
# Six numbers went in and four came out, because a window of three fits in four places.

# %%
temperatures = np.array([3, 6, 3, 0, 9, 6])
means = [temperatures[i : i + 3].mean() for i in range(4)]
print(*means)

# %% [markdown]
# A mean of three is a sum in which each number counts one third. Written so, the moving average is
# two lists: the **signal** (here the temperatures) and a short list of weights that slides over it,
# the **kernel** (here three times 1/3). At each place: multiply weights and numbers, add up.
#
# NumPy has this operation. `mode="valid"` means: only where the kernel fits completely.

# %%
thirds = np.ones(3) / 3
print(np.convolve(temperatures, thirds, mode="valid").round(6))
assert np.allclose(np.convolve(temperatures, thirds, mode="valid"), means)

# %% [markdown]
# What it is good for shows on a longer signal. Below, a slow curve (which in a real measurement
# nobody knows) is measured with noise. Then two moving averages try to bring the curve back, one
# over 15 steps and one over 61.

# %%
steps = np.arange(240)
truth = np.sin(steps / 20) + 0.5 * np.sin(steps / 9)
measured = truth + rng.normal(0, 0.4, size=240)
mean_15 = np.convolve(measured, np.ones(15) / 15, mode="same")
mean_61 = np.convolve(measured, np.ones(61) / 61, mode="same")

# %%
inner = slice(30, -30)  # away from the ends, where the window hangs out of the signal
for name, values in {"measured": measured, "mean of 15": mean_15, "mean of 61": mean_61}.items():
    print(f"{name:10}  {np.abs(values - truth)[inner].mean():.2f} away from the truth, on average")

# %%
viz.plot_series(
    {
        "measured": measured,
        "mean of 15 steps": {"mean": mean_15, "truth": truth},
        "mean of 61 steps": {"mean": mean_61, "truth": truth},
    },
    title="The same measurement, smoothed by two kernels",
)

# %% [markdown]
# *Finding.* The mean of 15 lies close to the truth: the noise of neighbors cancels, the slow curve
# stays, and the distance from the truth falls from 0.32 to 0.08. The mean of 61 has no noise left
# and is wrong all the same (0.35): it flattens the hills and fills the valleys, because its window
# is wider than they are. A kernel always blurs *something*; the question is what.
#
# **Second job: finding a pattern.** Now the weights are not all equal. Take the kernel 1, 3, 1, a
# little peak, and slide it over 1, 0, 2, 0, 1, 3, 1, 0. At each place, multiply and add:
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
pattern = np.array([1, 3, 1])
sums = np.array([np.sum(peaks[i : i + 3] * pattern) for i in range(6)])
print("sums:", sums, "  largest at position", sums.argmax())

# %% [markdown]
# One warning: large numbers answer loudly, whatever their shape. A flat stretch 5, 5, 5 scores more
# than the peak itself. The cure is to mix positive and negative weights. If they sum to 0, a flat
# stretch gets 0, however high it is. (All edge kernels of lesson 2 are made so.)

# %%
for weights in ([1, 3, 1], [-1, 2, -1]):
    flat, peak = np.sum(np.multiply([5, 5, 5], weights)), np.sum(np.multiply([1, 3, 1], weights))
    print(f"kernel {weights!s:11}  on the flat stretch: {flat:2}  on the peak: {peak:2}")

# %% [markdown]
# A famous kernel of plus and minus is thirteen steps long: R. H. Barker found it in 1953, and
# radars send it out to recognize their own echo. We hide it in noise and let it slide.

# %%
barker = np.array([1, 1, 1, 1, 1, -1, -1, 1, 1, -1, 1, -1, 1])
received = rng.normal(0, 0.8, size=200)
received[120:133] += barker
answer = np.correlate(received, barker, mode="valid")
print("largest answer at step", answer.argmax())
print(f"its value: {answer.max():.1f}, the second largest anywhere: {np.sort(answer)[-2]:.1f}")

# %%
viz.plot_series(
    {"received: where is the pattern?": received, "answer of the sliding kernel": answer},
    marks={"answer of the sliding kernel": [int(answer.argmax())]},
)

# %% [markdown]
# *Finding.* In the upper curve the thirteen steps are lost in the noise. In the lower one a single
# spike stands out, exactly at step 120, where the pattern begins. There, kernel and signal agree in
# sign, and all thirteen products push upward; elsewhere products go up and down and mostly cancel.
#
# Smoothing and finding are the same operation with different weights. The layers this course is
# about do it with images, and they *learn* their weights.

# %% [markdown]
# ## 2. The integral behind the name
#
# The name is older than computers. For two functions of time, $f$ and $g$, their **convolution** is
# a third function:
#
# $$(f * g)(t) = \int_{-\infty}^{\infty} f(\tau)\, g(t - \tau)\, d\tau$$
#
# Read it with a stove in mind. $f(\tau)$ is how strongly the stove burned at time $\tau$. Heat does
# not vanish at once: $g(\text{age})$ is how much of it is left after some time. At the moment $t$,
# heat from time $\tau$ has the age $t - \tau$. So $f(\tau)\,g(t - \tau)$ is what is left *now* of
# what was made *then*, and the integral adds up all the thens.
#
# Let the stove burn for two hours, and let heat fade as $e^{-\text{age}}$.


# %%
def stove(time):
    return np.where((time >= 0) & (time < 2), 1.0, 0.0)


def what_is_left(age):
    return np.where(age >= 0, np.exp(-np.abs(age)), 0.0)


viz.plot_overlap(stove, what_is_left, times=[0.5, 1, 2, 3.5], span=(-1, 6))

# %% [markdown]
# *Finding.* As a function of $\tau$, the curve $g(t - \tau)$ is $g$ **turned around** and moved to
# $t$ (dashed). It slides to the right as $t$ grows. At each $t$ the green area under the product is
# one point of the curve below: 0.39, 0.63, 0.86 while the stove burns, and after it went out at
# $t = 2$ the room cools, 0.19 at $t = 3.5$. For times up to 2 the area can be worked out:
# $\int_0^t e^{-(t-\tau)}\,d\tau = 1 - e^{-t}$, which is 0.632 at $t = 1$.
#
# ### What becomes of it when time is counted in steps
#
# A computer holds $f$ and $g$ at steps $0, \Delta, 2\Delta, \dots$ as two lists. The integral
# becomes a sum over the steps, each of which stands for a slice of width $\Delta$:
#
# $$(f * g)[n] = \sum_{k} f[k]\; g[n - k] \qquad (\text{times } \Delta)$$
#
# **Predict, then run:** the next cell computes the sum at $t = 1$ with steps of 0.5, 0.1 and 0.01
# hours. The integral is 0.632. Which will be far off, and by about what factor does the error
# shrink from the second to the third?

# %%
exact = 1 - np.exp(-1)
for step in (0.5, 0.1, 0.01):
    times = np.arange(0, 3, step)
    result = np.convolve(stove(times), what_is_left(times)) * step
    at_one_hour = result[round(1 / step)]
    print(f"step {step:4}: {at_one_hour:.3f}, error {at_one_hour - exact:.3f}")
print(f"the integral: {exact:.3f}")

# %% [markdown]
# Steps of half an hour are coarse: 0.987. Steps ten times as fine have an error about ten times as
# small (0.069, then 0.007). So the sum really is the integral, in small slices. Pixels come in
# steps from the beginning, so from here on there are only sums, and no $\Delta$.

# %% [markdown]
# ## 3. The sum: throwing two dice
#
# Why $g[n - k]$, with an index that runs backward? Dice show it. To throw a total of $n$ with two
# dice, the first may show $k$, and then the second *must* show $n - k$: **the two indices add up to
# $n$.** The number of ways is the sum over all $k$ of (ways to get $k$) times (ways to get
# $n - k$). That is a convolution, letter by letter.

# %%
faces = np.arange(1, 7)
viz.plot_matrix(np.add.outer(faces, faces), title="Totals of two dice")

# %% [markdown]
# *Finding.* Equal totals lie on diagonals that rise from lower left to upper right: one 2, two 3s,
# three 4s, up to six 7s, and down again to one 12.
#
# **Predict, then run:** a die shows each of its six faces in one way, so $f$ and $g$ are both a
# list of six ones. What eleven numbers does `np.convolve` return, for the totals 2 to 12?

# %%
one_die = np.ones(6, dtype=int)
print(np.convolve(one_die, one_die))

# %% [markdown]
# The lengths of the eleven diagonals. Now two painted dice, with the numbers 0, 1, 2 on their six
# faces. The first shows 0 once, 1 twice and 2 three times: $f =$ 1, 2, 3. The second shows 0 twice,
# 1 once and 2 three times: $g =$ 2, 1, 3. By hand:
#
# - total 0: 1·2 = **2**
# - total 1: 1·1 + 2·2 = **5**
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
assert ways.sum() == 36

# %% [markdown]
# **Where else convolution lives.** Multiply the polynomials $1 + 2x + 3x^2$ and $2 + x + 3x^2$: to
# get $x^n$, exponents must add up to $n$, so the coefficients are the five numbers you have just
# seen. An echo is a convolution of a sound with a kernel like "4 now, 2 three steps later". A
# photograph out of focus is the sharp one convolved with a little disk of light.

# %%
print("polynomial:", np.polynomial.Polynomial([1, 2, 3]) * np.polynomial.Polynomial([2, 1, 3]))
print("echo:      ", np.convolve([1, 2, 3], [4, 0, 0, 2]))

# %% [markdown]
# The polynomial has the coefficients 2, 5, 11, 9, 9. In the echo, the sound 1, 2, 3 comes out four
# times as loud (4, 8, 12), and after three steps once more, twice as loud as it was (2, 4, 6).

# %% [markdown]
# ## 4. To flip or not to flip
#
# In section 1 the kernel lay on the signal as it was; in the integral, one function was turned
# around. These are two operations with two names. For a signal $x$ and a kernel $k$ with entries
# $k[0], k[1], \dots$
#
# $$\text{convolution:}\quad (x * k)[n] = \sum_i x[n - i]\; k[i]
# \qquad\qquad
# \text{cross-correlation:}\quad (x \star k)[n] = \sum_i x[n + i]\; k[i]$$
#
# The first is the sum of section 3: the two indices, $n - i$ and $i$, add up to $n$. Its minus sign
# reads the signal backward while the kernel is read forward. To turn the kernel around instead
# comes to the same, and is easier to draw. First without the flip:

# %%
x = np.array([1, 3, 2, 5, 4])
k = np.array([1, 2, -1])
viz.plot_sliding_sums(x, k, title="Cross-correlation: the kernel as it is")

# %% [markdown]
# *Finding.* The three sums are 5, 2 and 8. The kernel appears in reading order, 1, 2, −1.
#
# **Predict, then run:** for the convolution the kernel is turned around to −1, 2, 1. What are its
# three sums? (The first: 1·(−1) + 3·2 + 2·1.)

# %%
viz.plot_sliding_sums(x, k, convolution=True, title="Convolution: the kernel turned around")

# %% [markdown]
# *Finding.* Same signal, same kernel, other numbers: 7, 6 and 12. NumPy has both, under the names
# you would expect:

# %%
print("np.correlate:", np.correlate(x, k, mode="valid"))
print("np.convolve: ", np.convolve(x, k, mode="valid"))
print("np.convolve with the kernel turned around first:", np.convolve(x, k[::-1], mode="valid"))
assert np.array_equal(np.convolve(x, k[::-1], mode="valid"), np.correlate(x, k, mode="valid"))

# %% [markdown]
# Turned around twice is not turned at all: so each can be made from the other. The plainest test of
# which one you have in front of you is a **pulse**, a single 1 among zeros.

# %%
pulse = np.array([0, 0, 1, 0, 0])
print("convolution:      ", np.convolve(pulse, [1, 2, 3], mode="same"))
print("cross-correlation:", np.correlate(pulse, [1, 2, 3], mode="same"))

# %% [markdown]
# Convolution draws the kernel itself; cross-correlation draws it backward.
#
# Now the sentence to remember, because it confuses almost everybody once:
#
# > **What deep learning calls convolution is cross-correlation.**
#
# PyTorch, TensorFlow and JAX do not flip the kernel. (An early framework, Theano, did.) It does no
# harm either way: the weights of a network are learned, and a network that flips learns the same
# weights the other way around. In this course a *convolution layer* is what everybody calls so,
# without the flip; where a true convolution is meant, we say that it flips. It matters as soon as
# you carry a kernel from one world to the other, as you will see on a digit in section 9.

# %% [markdown]
# ## 5. Two dimensions
#
# An image is a table of numbers, and so is its kernel now. The kernel lies on a **patch** of the
# image, as large as itself. Multiply number by number and add up everything: this sum is the
# answer, or **response**, of the kernel at this place. All the answers together, each at its place,
# are called a **feature map**: a map of where in the image the kernel found what it looks for.
#
# $$y[i, j] = \sum_{u}\sum_{v} x[i + u,\; j + v]\; k[u, v]$$
#
# In the code, `image` is $x$, `kernel` is $k$ and `result` is $y$. The kernel below has only four
# numbers that are not zero, so that you can work along.

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

# %% [markdown]
# In the upper left corner the kernel meets the patch with the rows 2 1 3, 4 0 1 and 1 5 2. Four
# products count, weight times pixel: 1·2, −1·3, 2·4 and 1·5. Their sum is 2 − 3 + 8 + 5 = **12**.

# %%
patch = image[0:3, 0:3]
print(patch * kernel)
print("sum:", np.sum(patch * kernel))

# %%
viz.plot_patch_product(image, kernel, 0, 0)

# %% [markdown]
# *Finding.* Patch times kernel gives a product of nine numbers, five of them zero; their sum, 12,
# is one number of the feature map, the one at row 0, column 0.
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
# row. Where the player is missing (a page without scripts), here are its first moment, its middle
# and its last:

# %%
sliding.still()

# %% [markdown]
# *Finding.* The kernel fits in three places across and three places down, so 5 x 5 pixels become a
# feature map of 3 x 3. Its rows are 12 3 5, 7 11 6 and 0 8 10.
#
# ### In seven lines
#
# What you have done by hand, nothing added: two loops over the places, one sum at each.


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
# The same nine numbers. Is it right for other sizes too? An independent witness is SciPy, whose
# functions have the honest names `correlate2d` and `convolve2d`.

# %%
for _ in range(100):
    height, width, kh, kw = rng.integers(1, 6, size=4)
    some_image = rng.integers(-9, 10, size=(height + 5, width + 5))
    some_kernel = rng.integers(-9, 10, size=(kh, kw))
    scipy_says = scipy.signal.correlate2d(some_image, some_kernel, mode="valid")
    assert np.array_equal(correlate2d(some_image, some_kernel), scipy_says)
print("100 random images and kernels: our seven lines and SciPy agree on every number")

# %% [markdown]
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
# the lower right, the −1 goes from the upper right to the lower left. Side by side, SciPy's two
# functions:

# %%
print("correlate2d:")
print(scipy.signal.correlate2d(image, kernel, mode="valid"))
print("convolve2d:")
print(scipy.signal.convolve2d(image, kernel, mode="valid"))
flipped = kernel[::-1, ::-1]
assert np.array_equal(
    scipy.signal.convolve2d(image, kernel, mode="valid"), correlate2d(image, flipped)
)
print("convolve2d with the kernel = correlate2d with the flipped kernel")

# %% [markdown]
# What a network's layer computes is the first of the two.

# %% [markdown]
# ## 6. Without loops
#
# Python's loops are slow, and a network needs millions of these sums. NumPy can show all patches as
# one array, without a loop and without copying a single number.
#
# **Predict, then run:** there are 3 x 3 places, and a patch of 3 x 3 pixels at each. What is the
# shape of an array that holds them all?

# %%
windows = sliding_window_view(image, kernel.shape)
print("shape:", windows.shape)
print("the patch at row 0, column 1:")
print(windows[0, 1])

# %% [markdown]
# Four axes: `windows[i, j]` is the patch at row `i`, column `j`; `windows[i, j, u, v]` is its pixel
# at row `u`, column `v`. That is 81 numbers, and yet there are still only the 25 of the image in
# memory:

# %%
print("shares its memory with the image:", np.shares_memory(windows, image))
print("strides of the image:  ", image.strides)
print("strides of the windows:", windows.strides)

# %% [markdown]
# An array's **strides** say how many bytes to walk to the next element along each axis. In the
# image, 8 bytes lead to the next column (one number) and 40 to the next row (five numbers). In the
# windows, the next *place* to the right is 8 bytes further, and so is the next *pixel* to the right
# within a patch. The same 40 and 8, used twice: that is the whole trick.
#
# What remains is "times the kernel, summed over `u` and `v`". `np.einsum` writes it in the letters
# of the formula, $y[i, j] = \sum_{u,v} x[i+u, j+v]\,k[u, v]$:

# %%
print(np.einsum("ijuv,uv->ij", windows, kernel))

# %% [markdown]
# There are two more ways to say it. `np.tensordot(..., axes=2)` multiplies and sums over the last
# two axes. And if each patch is written out as one row of nine numbers (now they *are* copied), all
# the sums together are a product of a matrix with a vector. Computers are at their best at that,
# and it is what fast layers do.

# %%
by_tensordot = np.tensordot(windows, kernel, axes=2)
rows = windows.reshape(9, 9)  # nine patches, nine numbers each
by_matrix = (rows @ kernel.ravel()).reshape(3, 3)
assert np.array_equal(by_tensordot, correlate2d(image, kernel))
assert np.array_equal(by_matrix, correlate2d(image, kernel))
print("tensordot and matrix product give the same nine numbers")

# %% [markdown]
# The function that all networks of this course compute with is `cnnedu.layers.conv2d_forward`. It
# takes many images at once, with channels (section 8), so a single image gets two axes of length 1
# in front, and so does a single kernel. It wants decimal numbers (floats), not integers. Its second
# result is something that training needs later.

# %%
x4 = image[None, None].astype(float)
weight = kernel[None, None].astype(float)
y4, _ = conv2d_forward(x4, weight)
print("in:", x4.shape, " weight:", weight.shape, " out:", y4.shape)
print(y4[0, 0])

# %% [markdown]
# Integers agree exactly. With random decimal numbers the last digits may differ, since a computer
# rounds, and sums taken in another order round otherwise. So the last rung of the ladder allows for
# the rounding and for nothing else.

# %%
for _ in range(50):
    image_size, kernel_size = rng.integers(6, 12, size=2), rng.integers(1, 6, size=2)
    a, b = rng.normal(size=image_size), rng.normal(size=kernel_size)
    loops = correlate2d(a, b)
    assert np.allclose(np.einsum("ijuv,uv->ij", sliding_window_view(a, b.shape), b), loops)
    assert np.allclose(scipy.signal.correlate2d(a, b, mode="valid"), loops)
    assert np.allclose(conv2d_forward(a[None, None], b[None, None])[0][0, 0], loops)
print("50 random cases: loops = strided windows = SciPy = conv2d_forward")

# %% [markdown]
# ## 7. How large is the result?
#
# ### Valid, same, full
#
# What happens at the ends? One may add zeros there, called **padding**, so that the kernel can hang
# over. In the next picture the kernel stands wherever it touches at least one number of the signal.

# %%
viz.plot_sliding_sums(x, k, padding="full", title="Every place where the kernel touches the signal")

# %% [markdown]
# *Finding.* Seven places. In the inner three (positions 2 to 4) the kernel lies wholly on the
# signal; in positions 1 and 5 it uses one added zero, in positions 0 and 6 two. These are the three
# **modes**:
#
# | mode | zeros at each end | positions | number of results |
# |---|---|---|---|
# | valid | 0 | only 2 to 4 | 5 − 3 + 1 = 3 |
# | same | 1 | only 1 to 5 | 5, as many as the signal has |
# | full | 2 | all of them | 5 + 3 − 1 = 7 |

# %%
print("ten valid layers of 3 x 3:", [28 - 2 * layer for layer in range(11)])
for mode in ("valid", "same", "full"):
    shape = scipy.signal.correlate2d(image, kernel, mode=mode).shape
    print(f"{mode:5}  in one dimension: {np.correlate(x, k, mode=mode)}  image 5 x 5: {shape}")

# %% [markdown]
# For a signal of $n$ and a kernel of $k$: *valid* gives $n - k + 1$ results, *full* $n + k - 1$,
# and *same* needs $(k - 1) / 2$ zeros at each end ($k$ odd). Networks use *valid*, or *same* where
# the size should stay: without padding, the first line shows, ten layers of 3 x 3 leave 8 of 28
# pixels.
#
# ### Stride
#
# The kernel may take larger steps. The **stride** is the number of pixels it moves each time.
#
# **Predict, then run:** seven numbers, a kernel of three, stride 2, no padding. How many positions?

# %%
seven = np.array([2, 1, 3, 0, 1, 4, 2])
viz.plot_sliding_sums(seven, k, stride=2, title="Stride 2")

# %% [markdown]
# *Finding.* Three positions, with their left ends at 0, 2 and 4. A stride computes nothing new: it
# leaves out every second one of the sums. In NumPy: `[::2]`.

# %%
every_sum = np.correlate(seven, k, mode="valid")
print("all sums:          ", every_sum)
print("every second of it:", every_sum[::2])

# %% [markdown]
# ### Dilation
#
# The kernel may also be spread out. With a **dilation** of 2 there is one pixel between neighboring
# weights, which is skipped.

# %%
viz.plot_sliding_sums(seven, k, dilation=2, title="Dilation 2")

# %% [markdown]
# *Finding.* The three weights now reach over five numbers, so only three positions are left, with
# their left ends at 0, 1 and 2. It is the same as a longer kernel with holes: 1, 0, 2, 0, −1.

# %%
with_holes = np.zeros(5, dtype=int)
with_holes[::2] = k
print("kernel with holes:", with_holes)
print("its sums:         ", np.correlate(seven, with_holes, mode="valid"))

# %% [markdown]
# ### The formula, by counting
#
# Take an axis of $n$ pixels and a kernel of $k$ weights, with padding $p$ at each end, stride $s$
# and dilation $d$. How many positions are there?
#
# 1. With padding the axis has $n + 2p$ pixels.
# 2. Between $k$ weights lie $k - 1$ gaps of $d$ pixels: the kernel reaches over $d\,(k - 1) + 1$ of
#    them.
# 3. Its left end may stand at $0$, and at the latest at $n + 2p - d\,(k - 1) - 1$; one step
#    further, and its right end falls out.
# 4. From $0$ it moves in steps of $s$. As many whole steps as fit, and the starting position:
#
# $$m = \left\lfloor \frac{n + 2p - d\,(k - 1) - 1}{s} \right\rfloor + 1$$
#
# The half brackets mean: round down (in Python `//`). A step that does not fit is not taken.
#
# **Predict, then run:** a digit of 28 pixels, a kernel of 5, padding 2, stride 2, no dilation
# ($d = 1$). How many positions?

# %%
n, kernel_size, padding, stride, dilation = 28, 5, 2, 2, 1
print((n + 2 * padding - dilation * (kernel_size - 1) - 1) // stride + 1)

# %% [markdown]
# 27 // 2 + 1 = 14: half the size. A formula derived is not yet a formula tested. The next cell lets
# the layer run on every combination of small numbers, and compares the sizes.

# %%
cases = 0
for n, kernel_size, padding, stride, dilation in np.ndindex(12, 6, 4, 5, 4):
    room = n + 2 * padding - dilation * (kernel_size - 1) - 1
    if min(n, kernel_size, stride, dilation) == 0 or room < 0:
        continue  # nothing to slide, or the kernel does not fit
    x4, weight = np.zeros((1, 1, n, n)), np.zeros((1, 1, kernel_size, kernel_size))
    y4, _ = conv2d_forward(x4, weight, stride=stride, padding=padding, dilation=dilation)
    assert y4.shape == (1, 1, room // stride + 1, room // stride + 1)
    cases += 1
print(f"the formula holds in all {cases} cases")

# %% [markdown]
# The size is one thing, the numbers are another. SciPy knows no stride and no dilation, but it does
# not have to: a stride leaves sums out, a dilation is a kernel with holes. This gives a witness for
# all the settings at once.

# %%
for _ in range(100):
    stride, dilation = rng.integers(1, 4, size=2).tolist()
    padding = int(rng.integers(0, 4))
    a, b = rng.normal(size=rng.integers(7, 12, size=2)), rng.normal(size=rng.integers(1, 4, size=2))
    holes = np.zeros((np.array(b.shape) - 1) * dilation + 1)
    holes[::dilation, ::dilation] = b
    expected = correlate2d(np.pad(a, padding), holes)[::stride, ::stride]
    settings = {"stride": stride, "padding": padding, "dilation": dilation}
    assert np.allclose(conv2d_forward(a[None, None], b[None, None], **settings)[0], expected)
    assert np.allclose(conv2d_loops(a[None, None], b[None, None], **settings), expected)
print("100 random settings: the layer = zeros around, holes in the kernel, sums left out")

# %% [markdown]
# Now both in two dimensions. **Predict:** our image of 5 x 5 pixels, padding 1, stride 2, the
# kernel of 3 x 3. How large is the feature map? Then press play.

# %%
striding = viz.animate_convolution(image, kernel, stride=2, padding=1)
striding

# %% [markdown]
# Two pixels at a time now, and the frame begins on the zeros outside. The first, the middle and the
# last moment:

# %%
striding.still()

# %% [markdown]
# *Finding.* (5 + 2 − 2 − 1) // 2 + 1 = 3: again a map of 3 x 3. The kernel jumps by two pixels, but
# the added zeros (tinted blue) give it more room. Only the middle patch contains no added zero, and
# its sum, 11, is the 11 in the middle of the valid map. All the others mix the image with zeros.

# %% [markdown]
# ## 8. Channels: one more sum
#
# A color photograph has three numbers for each pixel: red, green, blue. Such layers of an image are
# called **channels**. The kernel then has the same number of channels, one table of weights for
# each, and all products of all channels are added into *one* number:
#
# $$y[i, j] = \sum_{c}\sum_{u}\sum_{v} x[c,\; i + u,\; j + v]\; k[c, u, v]$$
#
# Two channels of 3 x 3 pixels, and a kernel of two channels of 2 x 2:

# %%
two_channels = np.array([[[1, 2, 0], [0, 1, 3], [2, 0, 1]], [[4, 0, 1], [1, 2, 0], [0, 3, 1]]])
two_kernels = np.array([[[1, 0], [0, 2]], [[0, 1], [-1, 0]]])
viz.plot_patch_product(two_channels, two_kernels, 0, 0)

# %% [markdown]
# *Finding.* Weight times pixel again: channel 0 brings 1·1 + 2·1 = 3, channel 1 brings 1·0 − 1·1 =
# −1. Together 2: one number for both channels. The feature map has a single channel.

# %%
by_channel = [correlate2d(two_channels[c], two_kernels[c]) for c in range(2)]
print("channel 0:", by_channel[0].tolist())
print("channel 1:", by_channel[1].tolist())
print("the map:  ", (by_channel[0] + by_channel[1]).tolist())
y4, _ = conv2d_forward(two_channels[None].astype(float), two_kernels[None].astype(float))
assert np.array_equal(y4[0, 0], by_channel[0] + by_channel[1])

# %% [markdown]
# One kernel makes one feature map. A layer has *several* kernels, and their maps, side by side, are
# the channels of its output. So the weights of a layer have four axes: (kernels, channels, rows,
# columns).
#
# **Predict, then run:** ten color images of 28 x 28, six kernels of 5 x 5, no padding, stride 1.
# What is the shape of the result, and how many weights does the layer have?

# %%
ten_images = rng.random((10, 3, 28, 28))
six_kernels = rng.normal(size=(6, 3, 5, 5))
maps, _ = conv2d_forward(ten_images, six_kernels)
print("shape of the maps:", maps.shape)
print("number of weights:", six_kernels.size)

# %% [markdown]
# Ten images, six maps for each, 28 − 5 + 1 = 24 pixels a side. The weights are 6 · 3 · 5 · 5 = 450,
# however large the image is: every place uses the same ones.

# %% [markdown]
# ## 9. A real digit
#
# Enough small numbers. The notebook this course grew from opens with one handwritten digit and
# three kernels made by hand; here they are. The digits come with the course: 1,797 of them, written
# by people and brought to 28 x 28 pixels, 0 for black and 1 for white.

# %%
data = load_digits()
digit = data.train.images[15, 0]
print("Shape:", digit.shape)
print("Label:", data.train.labels[15])

# %%
sharpen = -1 * np.ones((3, 3))
sharpen[1, 1] = 9
horizontal = np.zeros((3, 3))
horizontal[0, :], horizontal[2, :] = 1, -1
vertical = np.zeros((3, 3))
vertical[:, 0], vertical[:, 2] = 1, -1
print(sharpen, horizontal, vertical, sep="\n")

# %% [markdown]
# All three are in the package, too, by name. What should they answer on a *flat* part of the image,
# where all nine pixels are equal? The weights of the two edge kernels sum to 0, so the answer is 0.
# Those of the sharpening kernel sum to 1 (9 − 8), so flat parts stay as they are.

# %%
for name, weights in {
    "sharpen": sharpen,
    "horizontal_edges": horizontal,
    "vertical_edges": vertical,
}.items():
    assert np.array_equal(weights, KERNELS[name])
    print(f"{name:16} sum of the weights: {weights.sum():2.0f}")

# %% [markdown]
# Now all three on the digit, with `scipy.signal.convolve2d` and `mode="valid"` as in that notebook:
# the true convolution, with the flip. 28 pixels become 26.

# %%
three = {"sharpen": sharpen, "horizontal edges": horizontal, "vertical edges": vertical}
filtered = {name: scipy.signal.convolve2d(digit, w, mode="valid") for name, w in three.items()}
for name, answer in filtered.items():
    print(f"{name:16}  {answer.shape}, from {answer.min():.1f} to {answer.max():.1f}")

# %%
viz.plot_responses(digit, three, convolution=True, title="convolve2d: with the flip")

# %% [markdown]
# *Finding.* Each panel answers to something else.
#
# - **Sharpen** keeps what is flat (gray 0 outside; 1 inside the stroke) and exaggerates the border:
#   a bright rim just inside the stroke, a dark one just outside. Pixels went from 0 to 1, answers
#   go from −3.0 to 5.5.
# - **Horizontal edges** answers where the stroke runs across: strongest along the flat top of the 5
#   and at its lower end, with opposite signs. Beside the upright part of the stroke on the left it
#   is nearly silent.
# - **Vertical edges** answers exactly there, with one sign on the left border of the stroke and the
#   other on the right, and is silent along the flat top.
#
# **Predict, then run:** now without the flip. What changes in each of the three panels?

# %%
viz.plot_responses(digit, three, title="correlate2d: without the flip, as in a network")

# %% [markdown]
# *Finding.* Sharpen has not changed at all. In the two edge panels yellow and blue have changed
# places. The reason is in the kernels: sharpen turned by half a turn is sharpen again, and an edge
# kernel turned by half a turn is its own negative. Number by number:

# %%
for name, w in three.items():
    with_flip = filtered[name]
    without = scipy.signal.correlate2d(digit, w, mode="valid")
    same, opposite = np.allclose(with_flip, without), np.allclose(with_flip, -without)
    print(f"{name:16}  same: {same!s:5}  opposite sign: {opposite}")
assert np.array_equal(sharpen[::-1, ::-1], sharpen)
assert np.array_equal(vertical[::-1, ::-1], -vertical)

# %% [markdown]
# Without the flip the sign can be read off the kernel as it is printed: ones on top, so positive
# where it is brighter above than below, as at the lower end of the 5. With the flip it is the other
# way around.
#
# The notebook this course grew from drew the maps of its *trained* network with `convolve2d` as
# well, while the layers of that network correlate. So its pictures were not what its network saw.
# For these three kernels the difference is a sign. For kernels that a network has learned it is
# another picture, as lesson 5 shows.

# %% [markdown]
# ## 10. A photograph
#
# The same kernels, nothing adapted. First sharpening, which is what photo editors offer under this
# name. Answers below 0 or above 1 are cut off, as a screen would do.

# %%
photo = load_photograph("flower", size=320)
sharp = scipy.signal.correlate2d(photo, sharpen, mode="valid")
print("photograph:", photo.shape, " sharpened:", sharp.shape)

# %%
middle = (slice(40, 140), slice(90, 220))
viz.plot_images([photo[middle], np.clip(sharp[middle], 0, 1)], titles=["photograph", "sharpened"])

# %% [markdown]
# *Finding.* (A part of it, enlarged.) Every petal has a hard outline now, and fine veins that were
# hardly visible stand out: sharpening exaggerates every small difference, noise included.
#
# **Predict, then run:** the flower is round and brighter than its background. On which parts of its
# rim will the kernel for horizontal edges answer, and with which sign? And the one for vertical
# edges?

# %%
viz.plot_responses(photo, {"horizontal edges": horizontal, "vertical edges": vertical})

# %% [markdown]
# *Finding.* A round rim has edges in all directions, and each kernel picks its own. Horizontal
# edges: the upper rim is blue (below zero: darker above than below), and the left and right rims
# are pale. Vertical edges: the left rim is blue, the right rim yellow, and the upper one pale. Some
# numbers:

# %%
across = scipy.signal.correlate2d(photo, horizontal, mode="valid")
upright = scipy.signal.correlate2d(photo, vertical, mode="valid")
upper_rim, right_rim = (slice(38, 50), slice(135, 170)), (slice(90, 125), slice(216, 228))
for name, part in {"upper rim": upper_rim, "right rim": right_rim}.items():
    first, second = np.abs(across[part]).mean(), np.abs(upright[part]).mean()
    print(f"{name}: {first:.1f} from horizontal edges, {second:.1f} from vertical edges")

# %% [markdown]
# ## 11. Three properties worth knowing
#
# **Linear.** The answer to a mixture of two images is the same mixture of the two answers: nothing
# but products and sums happens. Here twice one digit plus three times another.

# %%
other = data.train.images[7, 0]
mixture = correlate2d(2 * digit + 3 * other, vertical)
assert np.allclose(mixture, 2 * correlate2d(digit, vertical) + 3 * correlate2d(other, vertical))
print("response to 2 a + 3 b = 2 (response to a) + 3 (response to b)")

# %% [markdown]
# **Shift-equivariant.** Move the digit, and the feature map moves along, unchanged. The same
# weights are used everywhere, so a stroke gets the same answer wherever it lies.
#
# **Predict, then run:** the digit is moved 4 pixels up and 3 to the right. Where will its edges be?

# %%
moved = np.roll(digit, (-4, 3), axis=(0, 1))
answer, answer_moved = correlate2d(digit, vertical), correlate2d(moved, vertical)
assert np.allclose(answer_moved, np.roll(answer, (-4, 3), axis=(0, 1)))
viz.plot_feature_maps(
    np.stack([answer, answer_moved]), titles=["of the digit", "of the moved digit"]
)

# %% [markdown]
# *Finding.* The same picture, 4 pixels further up and 3 further right; the line with `assert` says
# that not one number changed. (This is *equivariance*: the answer moves along. An answer that stays
# where it is would be *invariant*.)
#
# Two things limit it: the border of the image, and a stride. **Predict, then run:** with stride 2,
# what happens to the map when the digit moves by 2 pixels, and what when it moves by 1?

# %%
down = correlate2d(np.roll(digit, 4, axis=0), vertical)
print("moved down to the border: map moved along:", np.allclose(down, np.roll(answer, 4, axis=0)))

by_two = correlate2d(digit, vertical)[::2, ::2]
two_right = correlate2d(np.roll(digit, 2, axis=1), vertical)[::2, ::2]
one_right = correlate2d(np.roll(digit, 1, axis=1), vertical)[::2, ::2]
print("stride 2, moved by 2: map moved by 1:", np.allclose(two_right, np.roll(by_two, 1, axis=1)))
print("stride 2, moved by 1: map unchanged: ", np.allclose(one_right, by_two))
print("stride 2, moved by 1: map moved by 1:", np.allclose(one_right, np.roll(by_two, 1, axis=1)))

# %% [markdown]
# At the border, answers that would lie outside the map are lost. With stride 2 a shift of 2 pixels
# becomes a shift of 1 in the map. But a shift by 1 pixel gives a new map: the sums that were left
# out before are now the ones that are kept.
#
# **Commutative, with the flip only.** In a convolution, signal and kernel may change places. In a
# cross-correlation they may not: the result comes out backward.

# %%
print("f * g:", np.convolve(f, g), "          g * f:", np.convolve(g, f))
print("correlate f, g:", np.correlate(f, g, "full"), " correlate g, f:", np.correlate(g, f, "full"))

# %% [markdown]
# In the convolution the indices add up, and 1 + 2 is 2 + 1. For the same reason two convolutions in
# a row are one convolution, with a kernel that is the convolution of the two. Mathematicians keep
# the flip for these rules. A network never swaps image and kernel, so it does not miss them.

# %%
a, b = np.array([1, 2, 1]), np.array([1, 0, -1])
print("twice in a row:", np.convolve(np.convolve(x, a), b))
print("the two as one:", np.convolve(x, np.convolve(a, b)), "with the kernel", np.convolve(a, b))

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
# each end. You have seen the formula; try to derive it again instead of looking it up.
#
# *Hint:* how many steps of length `stride` can the kernel's left end take before its right end
# leaves the padded image?


# %%
def output_size(size, kernel_size, stride, padding, dilation):
    ### BEGIN SOLUTION
    reach = dilation * (kernel_size - 1) + 1
    return (size + 2 * padding - reach) // stride + 1
    ### END SOLUTION


# %%
checks.output_size(output_size)

# %% [markdown]
# ### Exercise 2: the sliding sum
#
# Return all the sums of `signal[i + k] * kernel[k]` over `k`, one for every place `i` where the
# kernel fits (valid), as an array.
#
# *Hint:* at place `i` the kernel covers `signal[i : i + len(kernel)]`.


# %%
def correlate1d(signal, kernel):
    ### BEGIN SOLUTION
    positions = len(signal) - len(kernel) + 1
    return np.array([np.sum(signal[i : i + len(kernel)] * kernel) for i in range(positions)])
    ### END SOLUTION


# %%
checks.correlate1d(correlate1d)

# %% [markdown]
# ### Exercise 3: with the flip
#
# Make a true convolution (valid) of an image with a kernel, out of the seven lines of section 5.
#
# *Hint:* half a turn.


# %%
def convolve2d(image, kernel):
    ### BEGIN SOLUTION
    return correlate2d(image, kernel[::-1, ::-1])
    ### END SOLUTION


# %%
checks.convolve2d(convolve2d)

# %% [markdown]
# ### Exercise 4: padding and stride
#
# Set `padding` zeros on each of the four sides of the image, then correlate at every `stride`-th
# place, down and across. Compute only the sums that are kept.
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
# - A kernel slides over a signal or an image; at each place, patch times kernel is summed into one
#   number. Equal weights smooth, other weights look for their own pattern.
# - The sum is the integral $\int f(\tau)\,g(t - \tau)\,d\tau$ counted in steps. A true convolution
#   flips the kernel; cross-correlation does not, and it is what networks compute.
# - Seven lines of loops, strided windows, SciPy and `conv2d_forward` compute the same numbers.
# - Along each axis there are $\lfloor (n + 2p - d(k-1) - 1) / s \rfloor + 1$ results.
# - Channels are summed into one map; each kernel makes a map of its own.
# - The operation is linear, and when the image moves, the map moves along.
#
# **Next:** in [lesson 2](02_edge_kernels.ipynb) you design kernels, read the sign of an answer, and
# let a computer find an edge kernel by itself.
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
# - R. H. Barker (1953), *Group synchronizing of binary digital systems*, in W. Jackson (ed.),
#   *Communication Theory*, Butterworth, 273–287: the thirteen steps of section 1.
# - NumPy: [convolve](https://numpy.org/doc/stable/reference/generated/numpy.convolve.html),
#   [sliding_window_view](https://numpy.org/doc/stable/reference/generated/numpy.lib.stride_tricks.sliding_window_view.html);
#   SciPy:
#   [convolve2d](https://docs.scipy.org/doc/scipy/reference/generated/scipy.signal.convolve2d.html),
#   [correlate2d](https://docs.scipy.org/doc/scipy/reference/generated/scipy.signal.correlate2d.html).
# - Digits: E. Alpaydin and C. Kaynak (1998), *Optical Recognition of Handwritten Digits*, UCI
#   Machine Learning Repository, as shipped with scikit-learn. Photograph of the dahlia: vultilion
#   on Flickr, CC BY 2.0, shipped with scikit-learn; shown in gray and smaller.
