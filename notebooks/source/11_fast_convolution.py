# %% [markdown]
# # Lesson 11 · Fast convolution
#
# Since lesson 1 we have had two convolutions: plain loops that say what is computed, and a fast
# function that everything else runs on. This lesson opens the fast one. The same numbers are
# computed in five ways. Each is first checked against the loops, then timed.
#
# **What you will be able to do**
#
# - compute one convolution by loops, strided windows, a matrix product, the Fourier transform and
#   Winograd's method, and say how far their results may differ;
# - count multiplications and bytes, and compare a measured time with what the machine could do;
# - read an array's strides, and say why the order of its axes in memory changes the speed;
# - derive a convolution that needs fewer multiplications, and measure what it costs in accuracy;
# - say where the time of a training step goes, and measure it yourself.
#
# **What you need:** lessons [1](01_convolution.ipynb) (strided windows), [3](03_layers.ipynb) (the
# layers, section 15 above all) and [4](04_training.ipynb) (training). It may follow lesson 5
# directly.
#
# **How long it takes:** about 60 minutes in two sittings, 40 for sections 1 to 6 (five ways) and
# 20 for sections 7 to 10 (how a network uses them; the break is marked). Ten more for the part on
# polynomials in section 6, which may be skipped, and 30 for the exercises.
#
# ← [Lesson 10: Color, sound and other grids](10_color_sound_and_other_grids.ipynb) ·
# [Solutions](solutions/11_fast_convolution.ipynb)

# %%
import os
from fractions import Fraction

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from scipy import fft
from scipy.signal import correlate2d
from threadpoolctl import threadpool_limits

from cnnedu import Momentum, checks, fit, softmax_cross_entropy
from cnnedu import visualization as viz
from cnnedu.architectures import build
from cnnedu.data import load_digits, load_photograph
from cnnedu.execution import Workers, worker_network
from cnnedu.layers import conv2d_forward, conv2d_loops
from cnnedu.shapes import images_last
from cnnedu.visualization import timing
from cnnedu.workspace import Workspace

rng = np.random.default_rng(0)
digits = load_digits()
one_thread = threadpool_limits(limits=1)

# %% [markdown]
# (The last line keeps NumPy's matrix library to one processor core. All ways then run under the
# same conditions. Section 9 asks what a second core can do.)
#
# ## 1. One layer, five ways
#
# The job is taken from a network you know: `"lasagne"`, the deep one of lessons 4 and 5. Its second
# convolution does most of the work. Its input `x` holds the feature maps of 50 digits.
#
# **Predict, then run.** Each of 32 kernels is 5×5 and has 32 channels; it visits 8×8 places of each
# of 50 images. How many multiplications is that?

# %%
network = build("lasagne", rng=np.random.default_rng(0))
images, labels = digits.train.images[:50], digits.train.labels[:50]
x = np.ascontiguousarray(network.activations(images)["pool1"])
weight = network["conv2"].params["weight"]
multiplications = 50 * 32 * (8 * 8) * (32 * 5 * 5)
print("x", x.shape, " weight", weight.shape)
print(f"{multiplications:,} multiplications")

# %% [markdown]
# 82 million, for one layer and 50 small images, and an addition for each. An addition or a
# multiplication of decimal numbers is a **floating-point operation**, in short *flop*: this job
# takes 164 Mflop.
#
# **The oracle.** The loops of lesson 3 compute the truth, with `float64` numbers of 16 digits.
# `float32`, which training uses, has about 7. The **error** of a result is its largest distance
# from the truth, divided by the largest number there.


# %%
def error(y):
    """Return the largest distance from the truth, relative to the largest true number."""
    return np.abs(y - truth).max() / np.abs(truth).max()


truth = conv2d_loops(x.astype(np.float64), weight.astype(np.float64))
by_loops = conv2d_loops(x, weight)
assert error(by_loops) < 1e-6
print("plain loops in float32: error below 1e-6")

# %% [markdown]
# So an error of some 1e-7 is nothing but rounding. Each way must stay under a bound stated in its
# code.
#
# **The clock.** A single measurement says little: something else may be running. `timing.measure`
# calls functions in turns, many rounds, and takes the median. We also want to know what this
# machine *could* do. Multiplying two large matrices is the job that it does best. We call the
# fastest product that we see the **peak**. (1000³ multiplications and as many additions are 2
# Gflop; a Gflop is 10⁹ flop.)
#
# The loops compute 50 · 32 · 64 = 102,400 outputs. **Predict** by what factor they miss the peak.

# %% tags=["nbval-ignore-output"]
a = rng.normal(size=(1000, 1000)).astype(np.float32)
large = timing.measure({"peak": lambda: a @ a}, least=20)["peak"]
loops = timing.measure({"loops": lambda: conv2d_loops(x, weight)}, least=2)["loops"]
peak, speed = 2 / large.fastest, 2 * multiplications / loops.median / 1e9
print(f"loops: {1000 * loops.median:.0f} ms, {speed:.2f} Gflop/s")
print(f"or {1e6 * loops.median / 102_400:.0f} millionths of a second for each output")
print(f"peak of this machine, one core: {peak:.0f} Gflop/s")

# %% [markdown]
# Usually it is a factor of some hundreds. Each output costs several calls of Python and NumPy,
# however little there is to add up. Everything that follows is an attempt to close this gap.
#
# ## 2. Strided windows: nothing is copied
#
# An array is a row of numbers in memory, plus its **strides**: how many *bytes* to walk for the
# next element along each axis. One `float32` takes 4 bytes.
#
# Lesson 1 showed all patches of an image without copying one. The same for the whole batch gives
# six axes: image, channel, place (row, column), kernel entry (row, column).
#
# **Predict, then run.** `x` has the shape (50, 32, 12, 12), and its last axis lies side by side.
# What are its four strides? And the six of the view?

# %%
print("x      ", x.shape, "strides", x.strides)
windows = sliding_window_view(x, (5, 5), axis=(2, 3))
print("windows", windows.shape, "strides", windows.strides)
print("shares its memory with x:", np.shares_memory(windows, x))
print(f"it shows {windows.size:,} numbers; there are {x.size:,} in memory")

# %% [markdown]
# In `x`, one column is 4 bytes, one row 12 · 4 = 48, one channel 144 · 4 = 576, one image 32 · 576
# = 18,432. In the view 48 and 4 appear twice. One place further down and one kernel row further
# down are the same step in memory. So eleven times as many numbers are shown as there are.
#
# `np.einsum` sums over the letters that are missing after the arrow: channel `c` and kernel entries
# `i`, `j`. `np.tensordot` is told the same by the numbers of the axes. How much memory does each
# ask for?


# %%
def by_einsum():
    return np.einsum("ncpqij,fcij->nfpq", windows, weight)


def by_tensordot():
    return np.tensordot(windows, weight, axes=((1, 4, 5), (1, 2, 3))).transpose(0, 3, 1, 2)


for way in (by_einsum, by_tensordot):
    assert error(way()) < 2e-6
    print(
        f"{way.__name__}: error below 2e-6, memory {timing.peak_memory(way) / x.nbytes:.1f} times x"
    )

# %% [markdown]
# `einsum` asks for little more than room for its result. `tensordot` asks for more than eleven
# times `x`: it *copies* the windows, although nobody told it to. **Predict** which is faster.

# %% tags=["nbval-ignore-output"]
first = timing.measure({"einsum": by_einsum, "tensordot": by_tensordot})
first = {"loops": loops, **first}
print(timing.timing_table(first, operations=2 * multiplications))

# %% [markdown]
# The copy wins, by far. ("Speed-up" compares with the first row. Half of all runs lay in the
# "middle half". Where it is wide, the computer was busy with something else: run the cell again.)
# `einsum` walks through memory as the strides tell it, a few numbers at a time.
# `tensordot` first writes all patches down in a neat matrix. Then it can call the machine's
# **matrix routine**, code that keeps the processor's arithmetic busy nearly all the time.
#
# ## 3. im2col: one matrix product
#
# Now the same on purpose. Each patch becomes a *column*, each kernel a *row*; lesson 3 drew it for
# a 4×4 image. A matrix product then takes every row with every column.
#
# **Predict, then run.** What is the shape of the matrix of columns, and how many times the bytes of
# `x` does it take?

# %%
columns = windows.transpose(1, 4, 5, 2, 3, 0).reshape(32 * 5 * 5, 8 * 8 * 50)
rows = weight.reshape(32, 32 * 5 * 5)
y = (rows @ columns).reshape(32, 8, 8, 50).transpose(3, 0, 1, 2)
assert error(y) < 2e-6
print("rows", rows.shape, "times columns", columns.shape, " error below 2e-6")
print(f"columns: {columns.nbytes / x.nbytes:.1f} times the bytes of x")

# %% [markdown]
# A column has 800 numbers: k² = 25 for each channel. There are 3,200 columns, one for each place of
# each image. Every place costs k² numbers per channel, and there are 64 places for 144 pixels, so
# 25 · 64 / 144 = 11.1: the 4 bytes of a pixel become 44. (With padding there are as many places as
# pixels. Then it is the full k².)
#
# Why does writing eleven times as much pay off? Each number of `columns` is used 32 times, once for
# each kernel, and the matrix routine keeps it near the arithmetic meanwhile. How near do we get to
# the peak, and what do the two halves of the job cost? The large product of section 1 runs in turns
# with them, so that all meet the same conditions.

# %% tags=["nbval-ignore-output"]
patches, room = windows.transpose(1, 4, 5, 2, 3, 0), columns.reshape(32, 5, 5, 8, 8, 50)
halves = {"copy": lambda: np.copyto(room, patches), "product": lambda: rows @ columns}
halves = timing.measure(halves | {"large product": lambda: a @ a})
copy, product = halves["copy"].median, halves["product"].median
print(f"copy {1000 * copy:.2f} ms, product {1000 * product:.2f} ms")
print(f"the copy takes {copy / (copy + product):.0%} of the two")
fastest = 2 * multiplications / halves["product"].fastest / 1e9
peak = max(peak, 2 / halves["large product"].fastest, fastest)  # the fastest product seen
speed = 2 * multiplications / product / 1e9
print(f"product alone: {speed:.0f} Gflop/s, {speed / peak:.0%} of the peak ({peak:.0f} Gflop/s)")

# %% [markdown]
# The product alone reaches a good part of the peak: not much is left to gain in it.
# The copying does no arithmetic at all, and takes a large share of the time. It can be made faster.
# Nothing about the numbers has to change for that, only where they lie.
#
# ## 4. Where the numbers lie
#
# `images_last` copies `x` into another order in memory. The result still has the shape (images,
# channels, rows, columns). But the 50 values of one pixel in all images now lie side by side.
#
# **Predict, then run.** What are the strides now? (Begin with the axis that lies side by side.)

# %%
x_last = images_last(x)
print("same numbers:", np.array_equal(x_last, x), " same shape:", x_last.shape == x.shape)
print("strides of x:     ", x.strides)
print("strides of x_last:", x_last.strides)

# %% [markdown]
# One image further: 4 bytes. One column: 50 · 4 = 200. One row: 12 · 200 = 2,400.
#
# A processor does not fetch single numbers from memory. It fetches pieces of 64 bytes or more, and
# it is fastest when it can go straight on. In each *row* of our matrix `columns`, the 50 numbers
# that stand side by side belong to one pixel of all images. In `x` they lie 18,432 bytes apart, and
# each has to be fetched from elsewhere. In `x_last` they lie side by side; even a whole row of 8
# places is one stretch of 400 numbers. (Why not keep `x`, and order the columns image by image?
# Then the stretches are 8 numbers long.)
#
# **Predict** how much the copy gains from this.

# %% tags=["nbval-ignore-output"]
patches_last = sliding_window_view(x_last, (5, 5), axis=(2, 3)).transpose(1, 4, 5, 2, 3, 0)
assert np.array_equal(patches_last, patches)
copies = {
    "images first": lambda: np.copyto(room, patches),
    "images last": lambda: np.copyto(room, patches_last),
}
print(timing.timing_table(timing.measure(copies)))

# %% [markdown]
# Same numbers, same code, another order. This is why all arrays inside our networks are stored
# images last, and why you could use the package so far without noticing: shapes stay what they are.
#
# `conv2d_forward` does both halves, copy and product; this is what it calls `algorithm="direct"`,
# and what it does unless told otherwise. It returns the result and a *cache* for the backward pass,
# as in lesson 3; here we only want the result, `[0]`.
#
# ### Pieces
#
# Memory has a second price. For a large array the operating system hands over new pages, one by
# one, each cleared to zero first, and what is larger than the processor's cache has to be fetched
# from further away. Two remedies follow, and the package uses both. A **workspace** is memory that
# a layer keeps and writes into again at every step. And a large batch is computed in **pieces** of
# at most 50 images. Here are 1,000 images at once, and in 20 pieces, written into the same result.

# %% tags=["nbval-ignore-output"]
thousand = images_last(rng.random((1000, 32, 12, 12), dtype=np.float32))
result = images_last(np.empty((1000, 32, 8, 8), np.float32))


def convolve(size):
    for start in range(0, 1000, size):
        piece = slice(start, start + size)
        result[piece] = conv2d_forward(thousand[piece], weight, algorithm="direct")[0]


ways = {"at once": lambda: convolve(1000), "in pieces": lambda: convolve(50)}
megabytes = {name: f"{timing.peak_memory(way) / 1e6:.0f}" for name, way in ways.items()}
print(timing.timing_table(timing.measure(ways), columns={"new MB": megabytes}))

# %% [markdown]
# More than 200 MB against some 11: a twentieth of the memory. Look whether the pieces cost any
# time; often they even gain some.
#
# ## 5. The Fourier transform
#
# The next way does not get faster by better copying. It computes something else. The **Fourier
# transform** writes a signal as a sum of waves (its **spectrum**). A wave that is convolved stays
# the same wave, only stronger or weaker and shifted. So in the spectrum a convolution is a
# *product*, entry by entry: transform both, multiply, transform back.
#
# Each entry is a **complex number**: a pair of numbers that says how strong a wave is and how far
# it is shifted. For $n$ numbers the plain sums of the transform take about $n^2$ multiplications.
# The **fast Fourier transform**, FFT, gets the same from two transforms of half the length, those
# from quarters, and so on: about $n \log_2 n$. Without it this way would not pay.
#
# By hand: (1, 2, 3, 4) convolved with (1, 1) gives neighbors added up: 1, 3, 5, 7, and 4 at the
# end.

# %%
signal, pair = np.array([1, 2, 3, 4]), np.array([1, 1])
print("np.convolve:       ", np.convolve(signal, pair))
for length in (4, 5):
    product = fft.fft(signal, length) * fft.fft(pair, length)
    print(f"by FFT, length {length}: ", fft.ifft(product).real.round(6).astype(int))

# %% [markdown]
# With length 4 the first answer is 5 instead of 1: the transform takes the signal to go around in a
# circle, and the 4 at the end has come back in at the front. This is called **wrap-around**. With a
# zero added there is room for all five outputs, and nothing overlaps. In a picture:

# %%
photo = load_photograph("china", size=240).astype(np.float64)
move = np.zeros((41, 61))
move[40, 60] = 1  # this kernel moves a picture 40 pixels down and 60 to the right
moved = {}
rows_there, columns_there = photo.shape
larger = (rows_there + 40, columns_there + 60)  # room for everything that moves out
for name, shape in {"wraps around": photo.shape, "zeros added": larger}.items():
    product = fft.rfft2(photo, shape) * fft.rfft2(move, shape)
    moved[name] = fft.irfft2(product, shape)[:rows_there, :columns_there]  # the part we look at
viz.plot_images([photo, *moved.values()], titles=["photograph", *moved])

# %% [markdown]
# *Finding.* The temple has moved in both. In the middle picture, the lake and the tree that left on
# the right stand on the left, and the bushes that left at the bottom hang at the top. With zeros
# added, zeros come in: black.
#
# (`rfft2` transforms rows and columns. For real numbers half of the spectrum follows from the other
# half, and it leaves that out.)
#
# A layer needs the correlation, without the flip: there the *conjugate* of the kernel's spectrum is
# taken, which shifts every wave the other way. And it keeps only places where the kernel lies
# inside the image ("valid"). Those places never see the other side, so no zeros are needed. The
# channels are summed in the spectrum, where for each wave there is a small matrix product.


# %%
def fft_forward(x, weight):
    """Correlate (valid): transform, multiply and sum over channels, transform back."""
    size, k = x.shape[2:], weight.shape[2]
    waves_x = fft.rfft2(x, size).transpose(2, 3, 1, 0)
    waves_weight = fft.rfft2(weight, size).conj().transpose(2, 3, 0, 1)
    waves_y = np.matmul(waves_weight, waves_x).transpose(3, 2, 0, 1)
    return fft.irfft2(waves_y, size)[:, :, : size[0] - k + 1, : size[1] - k + 1]


assert error(fft_forward(x, weight)) < 1e-6
waves = fft.rfft2(weight, x.shape[2:]).shape[2:]
print("error below 1e-6; waves for each kernel:", *waves)
print(f"{12 * 7 * 4 * 50 * 32 * 32:,} multiplications, without the transforms")

# %% [markdown]
# Every kernel of 25 numbers becomes 12 · 7 = 84 complex ones, that is 168 numbers: 6.7 times as
# many. One complex product takes four multiplications. So there are 84 · 4 for each image, kernel
# and channel, a fifth of the 82 million, and the transforms come on top.
#
# How large a kernel was before no longer matters for the multiplying. So FFT should pay for *large*
# kernels; section 7 will show from which size on, here. Blurs and echoes with thousands of weights
# are what it is used for every day.
#
# ## 6. Winograd: fewer multiplications
#
# ### Four instead of six
#
# A kernel of three numbers $g$ slides over four numbers $d$. There are two outputs, with three
# multiplications each: six in all.
#
# $$y_0 = d_0g_0 + d_1g_1 + d_2g_2 \qquad y_1 = d_1g_0 + d_2g_1 + d_3g_2$$
#
# Four are enough, as Shmuel Winograd shows in a book of 1980:
#
# $$m_1 = (d_0-d_2)\,g_0 \quad m_2 = (d_1+d_2)\,\tfrac{g_0+g_1+g_2}{2} \quad
# m_3 = (d_2-d_1)\,\tfrac{g_0-g_1+g_2}{2} \quad m_4 = (d_1-d_3)\,g_2$$
#
# $$y_0 = m_1 + m_2 + m_3 \qquad y_1 = m_2 - m_3 - m_4$$
#
# By hand, with $d$ = (1, 2, 3, 4) and $g$ = (1, 2, 3): the fractions are 6/2 = 3 and 2/2 = 1. Then
# $m$ = −2, 15, 1, −6. The outputs are −2 + 15 + 1 = 14 and 15 − 1 + 6 = 20. Directly: 1 + 4 + 9 =
# 14 and 2 + 6 + 12 = 20.


# %%
def two_outputs(d, g):
    """Return both outputs of a kernel of 3 on a patch of 4, by four multiplications."""
    m1 = (d[0] - d[2]) * g[0]
    m2 = (d[1] + d[2]) * ((g[0] + g[1] + g[2]) / Fraction(2))
    m3 = (d[2] - d[1]) * ((g[0] - g[1] + g[2]) / Fraction(2))
    m4 = (d[1] - d[3]) * g[2]
    return [m1 + m2 + m3, m2 - m3 - m4]


print("by four products:", *two_outputs([1, 2, 3, 4], [1, 2, 3]))
for d in np.eye(4, dtype=int).tolist():
    for g in np.eye(3, dtype=int).tolist():
        assert two_outputs(d, g) == np.correlate(d, g).tolist()
print("equal for all 12 pairs of unit vectors, in exact fractions: so equal for all d and g")

# %% [markdown]
# Twelve cases are a proof here. Both sides are linear in $d$ and linear in $g$. Any $d$ is a sum of
# multiples of four unit vectors, any $g$ of three, so what holds for the pairs holds for all.
#
# There are more additions than before. But the sums of $g$ are made once for all places of all
# images, and those of $d$ once for all kernels. With 32 kernels and 32 channels, each of them is
# used in many products.
#
# ### Where it comes from: polynomials
#
# (You may take the four products on trust and go on at "Two dimensions". What you need from here is
# that `toom_cook` returns three constant matrices, for any size of tile.)
#
# Multiply two polynomials, $1+2t$ and $3+4t$. The usual way takes four multiplications. But the
# product has three coefficients, so three values are enough to know it. At $t=0$ the factors are 1
# and 3: the product is **3**. At $t=1$ they are 3 and 7: **21**. Of the *leading* coefficients 2
# and 4 the product is **8** (the value "at infinity"). What is missing is the middle: 21 − 3 − 8 =
# 10. So $3+10t+8t^2$, by three multiplications.
#
# A convolution multiplies polynomials: the coefficients are the signal and the kernel. So there are
# three steps: *evaluate* both at some points, *multiply* value by value, and find the coefficients
# again (*interpolate*). For $m$ numbers $a$ and a kernel of $k$ it takes $m+k-1$ points. The
# matrices $P$, $G$ and $V$ evaluate polynomials with $m$, $k$ and $m+k-1$ coefficients there, and
# $V^{-1}$ interpolates: the convolution is $V^{-1}\big((G\,g)\odot(P\,a)\big)$, where ⊙ multiplies
# entry by entry. For a fixed $g$ this is one matrix times $a$. The correlation that makes $m$
# outputs of $m+k-1$ numbers $d$ is the *transposed* matrix:
#
# $$y = A\,\big((G\,g)\odot(B\,d)\big) \qquad A = P^\mathsf{T} \qquad B = (V^{-1})^\mathsf{T}$$
#
# So $G$ evaluates the kernel, $B$ belongs to the patch, and $A$ makes the outputs.

# %%
POINTS = np.array([0, 1, -1, 2, -2, 1 / 2, -1 / 2, 4, -1 / 4, -4, 1 / 4])


def powers(points, count):
    """Evaluate 1, t, t², ... (``count`` of them) at the points, the last also at infinity."""
    return np.vstack([points[:, np.newaxis] ** np.arange(count), np.eye(count)[-1]])


def toom_cook(m, k):
    """Return A, G and B for tiles of m outputs and kernels of k."""
    points = POINTS[: m + k - 2]  # and infinity
    V = powers(points, m + k - 1)
    return powers(points, m).T, powers(points, k), np.linalg.inv(V).T


A, G, B = toom_cook(2, 3)
for name, matrix in {"A": A, "G": G, "B": B}.items():
    print(f"{name} =\n{matrix + 0.0}")  # + 0.0 makes 0 of -0

# %% [markdown]
# The points 0, 1, −1 and infinity give back the four products above. The first row of $B$ is
# $d_0-d_2$, the first row of $G$ is $g_0$. The halves sit in $B$ here instead of $G$, and $m_4$ has
# the other sign in $B$ and in $A$.
#
# ### Two dimensions
#
# The matrices are applied to the rows and to the columns. **Predict, then run.** A tile of 4×4
# outputs, a kernel of 5×5: how many multiplications by plain sums, and how many by Winograd?

# %%
A, G, B = toom_cook(4, 5)
patch, kernel = rng.integers(-9, 10, (8, 8)), rng.integers(-9, 10, (5, 5))
outputs = A @ ((G @ kernel @ G.T) * (B @ patch @ B.T)) @ A.T
assert np.allclose(outputs, correlate2d(patch, kernel, "valid"))
print(outputs.round().astype(int))
print(f"plain sums {4 * 4 * 5 * 5} multiplications, Winograd {8 * 8}")

# %% [markdown]
# 400 against 64: 6.25 times fewer. Now the layer. The image is cut into patches of 8×8 that overlap
# by four, one for each tile. For each of the 64 points there is a matrix product over the channels
# (`optimize=True` lets `einsum` use the matrix routine). The package has the same matrices with
# rows scaled to like sizes.


# %%
def winograd_forward(x, weight, A, G, B):
    """Correlate (valid) tile by tile; the tiles must fit the map."""
    m, q = A.shape
    patches = sliding_window_view(x, (q, q), axis=(2, 3))[:, :, ::m, ::m]
    points_x, points_weight = B @ patches @ B.T, G @ weight @ G.T
    points_y = np.einsum("ncstij,fcij->nfstij", points_x, points_weight, optimize=True)
    tiles = A @ points_y @ A.T
    n, f, s, t = tiles.shape[:4]
    return tiles.swapaxes(3, 4).reshape(n, f, s * m, t * m)


constants = [each.astype(np.float32) for each in toom_cook(4, 5)]
assert error(winograd_forward(x, weight, *constants)) < 1e-5
assert error(conv2d_forward(x_last, weight, algorithm="winograd")[0]) < 1e-5
print("ours and the package's: error below 1e-5")

# %% [markdown]
# Why 1e-5 now, where the other ways kept below 2e-6?
#
# ### The price: accuracy
#
# The sums over points are larger than the outputs, and most of it cancels in the end. What cancels
# leaves its rounding behind. **Predict, then run.** Larger tiles need still fewer multiplications.
# What happens to the error, from tiles of 1 (as many multiplications as plain sums) to tiles of 8?

# %%
big, kernels = rng.random((4, 16, 28, 28)), rng.normal(size=(16, 16, 5, 5))
truth_big = conv2d_forward(big, kernels)[0]  # im2col in float64


def error_in_float32(convolve, *constants):
    """Return the error of a way to convolve, with everything in float32."""
    arrays = [each.astype(np.float32) for each in (big, kernels, *constants)]
    return np.abs(convolve(*arrays) - truth_big).max() / np.abs(truth_big).max()


by_im2col = error_in_float32(lambda x, weight: conv2d_forward(x, weight)[0])
tiles = np.array([1, 2, 3, 4, 6, 8])  # the sizes that fit 24 outputs
errors = [error_in_float32(winograd_forward, *toom_cook(m, 5)) for m in tiles]
assert by_im2col < max(errors[:4]) < 1e-5 < errors[4] < errors[5]
per_output = (tiles + 4) ** 2 / tiles**2
print("tiles of", *tiles, " multiplications per output:", *per_output.round(1))

# %%
viz.plot_curves(
    {"Winograd, float32": (tiles, errors)},
    "outputs along a side of a tile",
    "error",
    log="y",
    levels={"im2col": by_im2col, "1e-5": 1e-5},
)

# %% [markdown]
# *Finding.* Up to 4 the error stays below 1e-5, a few times that of im2col. At 6 it is above 1e-5,
# tens of times that at 4, and at 8 about ten times larger again. More points are needed there,
# 4 and −1/4, then also −4 and 1/4, and their high powers are very large and very small. Meanwhile
# the multiplications per output fall ever more slowly: 25, 9, 5.4, 4, then 2.8 and 2.2. So the
# package takes tiles of 4, for kernels of 3 and 5. For training, an error of 1e-5 is far below what
# dropout and the choice of a batch do to a gradient. Whether your use can bear it is for you to
# decide.
#
# ### All five

# %% tags=["nbval-ignore-output"]
ways = {
    "im2col (package)": lambda: conv2d_forward(x_last, weight, algorithm="direct"),
    "FFT (ours)": lambda: fft_forward(x_last, weight),
    "Winograd (package)": lambda: conv2d_forward(x_last, weight, algorithm="winograd"),
}
clock = {"loops": loops, "windows, einsum": first["einsum"], **timing.measure(ways)}
ways["windows, einsum"] = by_einsum
memory = {name: f"{timing.peak_memory(way) / x.nbytes:.1f} x" for name, way in ways.items()}
print(timing.timing_table(clock, operations=2 * multiplications, columns={"memory": memory}))
print(f"\nthe peak of this machine was {peak:.0f} Gflop/s")
own = 2 * multiplications / 6.25 / clock["Winograd (package)"].median / 1e9
print(f"Winograd's products alone are 6.25 times fewer: {own:.0f} Gflop/s")

# %% [markdown]
# (The first two rows were measured in sections 1 and 2.) All rows are credited with the same 164
# Mflop, those of the plain sums. If the last rows come out
# near the peak or *above* it, that is no mistake: they do not do all those operations. Of
# Winograd's gain over im2col at most a factor of 6.25 can come from the count. The transforms take
# some of it back; what is saved on copying comes on top.
#
# The memory is counted in sizes of `x`, the result included. The windows write nothing but the
# result. im2col writes every number of `x` about eleven times. FFT and Winograd write the spectra,
# or the values at the points: a few times `x`, and they read and write it more than once.
#
# **A good place for a break.** You have seen all five ways. The rest is about how a network chooses
# among them, and what else it saves.
#
# ## 7. Which way when?
#
# One layer is one case. Now kernel size, channels and image side are varied one at a time, starting
# from 20 images of 24×24 with 16 channels, 16 kernels of 5×5. Before you run it, **predict** for
# each panel which line wins on the left and which on the right. FFT does not mind large kernels.
# Winograd (the package has it for kernels of 3 and 5) wants many channels, over which its
# transforms pay off. "Direct" is im2col, hard to beat where little is to be done.


# %%
def make(kernel_size=5, channels=16, side=24):
    """Return the ways to convolve at these sizes."""
    x = images_last(rng.random((20, channels, side, side), dtype=np.float32))
    weight = rng.random((channels, channels, kernel_size, kernel_size), dtype=np.float32)

    def package(algorithm):
        room = Workspace()
        return lambda: conv2d_forward(x, weight, algorithm=algorithm, workspace=room)

    names = ("direct", "winograd") if kernel_size in (3, 5) else ("direct",)
    return {name: package(name) for name in names} | {"FFT": lambda: fft_forward(x, weight)}


# %% tags=["nbval-ignore-output"]
quick = {"seconds": 0.3}  # for each size
panels = {
    "kernel size": timing.measure_over([3, 5, 7, 9, 13], make, **quick),
    "channels": timing.measure_over([1, 4, 16, 64], lambda c: make(channels=c), **quick),
    "image side": timing.measure_over([8, 12, 24, 48], lambda s: make(side=s), **quick),
}
print(timing.read_timings(panels))
timing.plot_timings(panels, title="20 images; otherwise 16 channels, side 24, kernel 5")

# %% [markdown]
# *Finding.* The sentences above the figure read out what was measured on the machine that ran it;
# on yours they may say something else. Both axes are logarithmic: equal distances are equal
# factors.
#
# Along *kernel size* the direct line climbs less and less: k² more weights at every place, but
# fewer places, (25 − k)² of them without padding. The product goes from 9 · 22² = 4,356 at 3 to
# 20,736 at 9, and then only to 24,336 at 13. The FFT line hardly depends on k, so where the kernel
# is large enough it wins. (The package has no FFT way: networks of today mostly have kernels of 3
# or 5.) Along *channels* all lines climb; where there are few, Winograd's
# transforms serve few products, and it has little or no lead.
#
# Along *image side*, FFT starts with a handicap: it computes 8 · 8 places and keeps only the 4 · 4
# that are valid. Large images waste less. Winograd is at its best here, since 4, 8, 20 and 44
# outputs all make whole tiles. The smallest cases are dominated by the fixed cost of calling NumPy.
#
# A network has to choose without a clock. Called by itself, a layer computes the direct way, and so
# does `conv2d_forward`, unless told otherwise. `fit` and `predict` take Winograd where counts say
# that it pays: kernels of 3 or 5 with stride 1, at least 64 pairs of channel and kernel, and fewer
# multiplications in all, with something added for every number that is copied or transformed. A
# single image is computed directly. `summary()` says what was chosen for batches. `layer.algorithm`
# is "auto"; set it to "direct" or "winograd" to insist on one way.

# %%
print("asked for:", network["conv1"].algorithm, "and", network["conv2"].algorithm)
for row in network.summary().rows:
    if row.algorithm:
        print(f"{row.name}: {row.layer}  computed: {row.algorithm}")
try:
    conv2d_forward(x, weight, stride=2, algorithm="winograd")
except ValueError as message:
    print("\nstride 2:", str(message).replace(", got", ",\ngot").replace("; ", ";\n"))

# %% [markdown]
# The first convolution has one channel and 32 kernels, only 32 pairs: direct. The second has 32 ·
# 32: Winograd. With stride 2 Winograd does not apply, and the package says so instead of silently
# doing something else.
#
# ## 8. The order of the layers
#
# The textbook order is convolution, bias, ReLU, pooling. Take a window with the outputs 3, −1, 2, 5
# and the bias −4. Textbook: −1, −5, −2, 1; after ReLU 0, 0, 0, 1; the maximum is 1. The other way
# around: the maximum is 5, with the bias 1, after ReLU 1. Is that always so? **Predict, then run**
# every window of four integers from −3 to 3, with every such bias.

# %%
numbers = np.arange(-3, 4)
y1, y2, y3, y4, bias = np.meshgrid(*[numbers] * 5)
window = np.stack([y1, y2, y3, y4])
textbook = np.maximum(window + bias, 0).max(axis=0)
pool_first = np.maximum(window.max(axis=0) + bias, 0)
print(f"{bias.size:,} cases, all equal: {np.array_equal(textbook, pool_first)}")

# %% [markdown]
# Always. Adding the same number to all four does not change which is largest, and cutting at zero
# keeps the largest or makes all of them zero. So bias and ReLU need to be computed for the winners
# only: a quarter of the numbers. Backward, the gradient goes to the same winner.
#
# `fit` and `predict` put such layers together: a **fused** layer. `activations`, with which lesson
# 5 looked into networks, still goes step by step as the textbook does. Their last results must
# agree.

# %%
fused = worker_network(network)  # the same weights, layers put together
print("layers:", len(network.layers), "in the textbook,", len(fused.layers), "fused:")
print(*fused.names)
step_by_step = network.activations(images)["dense2"]
difference = np.abs(fused.compute(images)[0] - step_by_step).max()
assert difference < 1e-5 * np.abs(step_by_step).max()
print("largest difference: less than a hundred-thousandth of the largest logit")

# %% [markdown]
# One more thing need not be computed. Backward, a layer gives the gradient of its kernels and the
# gradient of its input. The *first* layer's input is the images, and nobody asks for their
# gradient. `fit` leaves it out: about half of that layer's way back.
#
# ## 9. Two workers
#
# Most computers have several cores. Python threads usually take turns: only the one that holds
# Python's **lock** may run. But NumPy gives the lock back while it computes, so two threads that
# spend their time inside NumPy do run side by side.
#
# `fit(..., workers=2)` gives each half of a batch to a thread of its own, with its own workspaces.
# Both only read the weights. At the end their gradients are added, and one step is taken.
# **Predict, then run.** Do one worker and two find the same weights, exactly?


# %%
def train(workers=1, algorithm="auto"):
    """Train on 500 digits, 10 batches; return the weights of conv2."""
    network = build("lasagne", rng=np.random.default_rng(0))
    network["conv2"].algorithm = algorithm
    data = digits.train.images[:500], digits.train.labels[:500]
    how = {"epochs": 1, "batch_size": 50, "optimizer": Momentum(0.01, nesterov=True)}
    fit(network, data, **how, rng=np.random.default_rng(1), workers=workers, progress=False)
    return network["conv2"].params["weight"]


one, two, again = train(workers=1), train(workers=2), train(workers=2)
print("two workers twice, equal to the last bit:", np.array_equal(two, again))
print("one and two differ by less than 1e-5:", np.abs(one - two).max() < 1e-5)

# %% [markdown]
# Two workers give the same weights every time. One and two differ by rounding, because the sums
# over the images are added up in another order. The same comparison for the two algorithms, and the
# times:

# %% tags=["nbval-ignore-output"]
apart = np.abs(train(algorithm="direct") - train(algorithm="winograd")).max()
print(f"largest difference of a weight after 10 batches: {apart:.0e}\n")
ways = {
    "direct, 1 worker": lambda: train(1, "direct"),
    "winograd, 1 worker": lambda: train(1, "winograd"),
    "winograd, 2 workers": lambda: train(2, "winograd"),
}
clock = timing.measure(ways, least=3)
rate = {name: f"{500 / each.median:,.0f}" for name, each in clock.items()}
print(timing.timing_table(clock, columns={"images/s": rate}))
print("cores of this computer:", os.cpu_count())

# %% [markdown]
# Two workers reach twice the speed at best, and with batches of 50 they may even lose. Each has
# only 25 images at a time, whose stretches in memory are half as long, and the two wait for each
# other at the end of each of the ten steps. What one thread must do alone (putting the batch
# together, dropout's random numbers, the update of the weights) does not get faster, nor does
# memory, which both share. On one core, or where the second is busy, there is nothing to win. That
# is why `workers` is for you to choose: measure.
#
# (A tenth of a row and the step of the next section agree only roughly: here the network is built
# and its workspaces are fresh every time, there a watcher looks on.)
#
# ## 10. Where the time goes
#
# Do not guess: measure. Python can call a watcher before every line it runs. `line_times` does so
# for all lines of the package, during one whole training step, again and again, and takes the
# medians. The watcher's own time is not counted, though it makes Python's share look a little
# larger than it is. `training_parts` sorts the lines into parts, by the file they stand in, and by
# whether the step was on its way forward or backward.

# %% tags=["nbval-ignore-output"]
optimizer = Momentum(0.01, nesterov=True)


def training_step():
    """Do what `fit` does with a batch: gradients, then an update."""
    _, _, gradients = team.gradients(images, labels, softmax_cross_entropy)
    parameters = network.params
    step = [(name, parameters[name], gradient) for name, gradient in gradients.items()]
    optimizer.step(step, 0.0)  # 0.0: the share of the training done


with Workers(network) as team:  # one worker, this thread
    by_winograd = timing.training_parts(timing.line_times(training_step))
timing.plot_parts(by_winograd, title="One training step, 50 images, conv2 by Winograd")

# %% [markdown]
# *Finding.* Where your bars differ, trust yours. What to look for: backward takes longer than
# forward, because each layer has two gradients to compute, that of its weights and that of its
# input. (`products` and `patches` belong to conv1 alone here, which needs only the first;
# so `patches` has next to nothing to do backward.)
# "Pooling, bias, ReLU" is a long bar for so little arithmetic: it walks through large arrays, and
# memory sets its pace. "Outside" is what belongs to no layer's pass: the loss, drawing dropout's
# random numbers, and the update of all 160,362 weights. "Everything else" is mostly the Python
# between the arrays.
#
# Now conv2 is forced to the direct way. **Predict** which parts will grow, and which will vanish.

# %% tags=["nbval-ignore-output"]
network["conv2"].algorithm = "direct"
with Workers(network) as team:
    directly = timing.training_parts(timing.line_times(training_step))
network["conv2"].algorithm = "auto"
print("milliseconds          Winograd  direct")
for part in by_winograd:
    both = [1000 * sum(parts.get(part, {}).values()) for parts in (by_winograd, directly)]
    print(f"{part:20}  {both[0]:8.2f}  {both[1]:6.2f}")

# %% [markdown]
# Winograd is gone, and `products` and `patches` together have grown by more than it took: conv2
# writes columns forward, and backward it owes conv1 a gradient, for which each column is added back
# to the pixels it came from. What is left of conv1 is small beside that. The other parts cost about
# what they did.
#
# Python is slow, but here it only says what to do next. The work is done on whole arrays, by the
# machine's own routines. What remained for us to choose was the order of the numbers, of the
# layers, and of the arithmetic.
#
# ## Exercises
#
# Write your solution in place of the line that says it is your turn, run the cell, then run the one
# under it. It tells you whether the function is right, and if not, what seems to be wrong with it.
# `checks.patch_columns.hint()` prints a hint, and likewise for the others.
#
# ### Exercise 1: patches as columns
#
# The heart of section 3 for one image of one channel: write every `kernel_size` × `kernel_size`
# patch as a column. The result has `kernel_size**2` rows. Patches are read row by row, and so are
# the places.
#
# *Hint:* collect the columns in a list; `np.stack(columns, axis=1)`.


# %%
def patch_columns(image, kernel_size):
    """Return an array of shape (kernel_size**2, number of places)."""
    ### BEGIN SOLUTION
    height, width = image.shape
    columns = [
        image[i : i + kernel_size, j : j + kernel_size].ravel()
        for i in range(height - kernel_size + 1)
        for j in range(width - kernel_size + 1)
    ]
    return np.stack(columns, axis=1)
    ### END SOLUTION


# %%
checks.patch_columns(patch_columns)

# %% [markdown]
# ### Exercise 2: count before you compute
#
# How many multiplications does Winograd's method take for one image of `channels` × `height` ×
# `width`, with `kernels` kernels of `kernel_size` × `kernel_size` and tiles of `tile` × `tile`
# outputs (stride 1, no padding)? A tile that reaches over the border is computed whole. The
# transforms do not count. With `tile=1` the count is that of plain sums: for the layer of section 1
# `count_multiplications(12, 12, 32, 32, 5, 1)` is a fiftieth of the 82 million.
#
# *Hint:* places along an axis, then tiles along it, rounded up: `-(-places // tile)`.


# %%
def count_multiplications(height, width, channels, kernels, kernel_size, tile):
    """Return a whole number."""
    ### BEGIN SOLUTION
    rows, columns = height - kernel_size + 1, width - kernel_size + 1
    tiles = -(-rows // tile) * -(-columns // tile)
    return tiles * (tile + kernel_size - 1) ** 2 * channels * kernels
    ### END SOLUTION


# %%
checks.count_multiplications(count_multiplications)

# %% [markdown]
# ### Exercise 3: a convolution by FFT
#
# Convolve an image with a kernel (with the flip, so no conjugate) and return the whole result, all
# `height + kernel_height - 1` rows and `width + kernel_width - 1` columns. Nothing may wrap around.
#
# *Hint:* `fft.rfft2(array, shape)` adds zeros up to the shape. `fft.irfft2` wants to know it, too.


# %%
def fft_convolve(image, kernel):
    """Return an array of shape (height + kernel_height - 1, width + kernel_width - 1)."""
    ### BEGIN SOLUTION
    height = image.shape[0] + kernel.shape[0] - 1
    width = image.shape[1] + kernel.shape[1] - 1
    shape = (height, width)
    return fft.irfft2(fft.rfft2(image, shape) * fft.rfft2(kernel, shape), shape)
    ### END SOLUTION


# %%
checks.fft_convolve(fft_convolve)

# %% [markdown]
# ### Exercise 4: Winograd along a signal
#
# Correlate a signal of any length with a kernel of three numbers (valid), two outputs at a time, by
# the four products of section 6.
#
# *Hint:* a tile reads four numbers and gives two outputs. Where does the next one begin? What if
# the number of outputs is odd?


# %%
def winograd_1d(signal, kernel):
    """Return an array of length len(signal) - 2."""
    ### BEGIN SOLUTION
    g0, g1, g2 = kernel
    padded = np.append(signal, 0)  # for a last tile with one answer
    answers = np.zeros(len(signal))
    for start in range(0, len(signal) - 2, 2):
        d0, d1, d2, d3 = padded[start : start + 4]
        m1 = (d0 - d2) * g0
        m2 = (d1 + d2) * (g0 + g1 + g2) / 2
        m3 = (d2 - d1) * (g0 - g1 + g2) / 2
        m4 = (d1 - d3) * g2
        answers[start : start + 2] = m1 + m2 + m3, m2 - m3 - m4
    return answers[: len(signal) - 2]
    ### END SOLUTION


# %%
checks.winograd_1d(winograd_1d)

# %% [markdown]
# ## Recap
#
# - Five ways, the same numbers. Loops, windows, im2col and FFT differ from the truth by rounding
#   (here below 2e-6), Winograd by a little more (below 1e-5).
# - Strides show all patches without a copy. Copying them into columns costs up to k² times the
#   memory, and pays, because a matrix product comes nearest to the machine's peak.
# - The order in memory decides how long the stretches are that can be copied at once: images last.
#   Memory is used again (workspaces), and large batches are cut into pieces.
# - FFT turns convolution into a product. It wraps around unless there is room, and pays for large
#   kernels.
# - Winograd evaluates tiles and kernels at points: 64 multiplications instead of 400 for 4×4
#   outputs of a 5×5 kernel. Larger tiles save less and less and lose accuracy fast.
# - Pooling before bias and ReLU gives the same on a quarter of the numbers. The first layer needs
#   no input gradient. Threads can share a batch, since NumPy gives Python's lock back.
# - Counts say what to expect. Only the clock says what happens: measure in turns, take medians, and
#   compare with the peak.
#
# **Next:** take the photograph and a kernel of your own, and find the size from which FFT is faster
# on your computer. All lessons are listed in the README.
#
# ## Sources
#
# - K. Chellapilla, S. Puri and P. Simard (2006), *High performance convolutional neural networks
#   for document processing*, 10th International Workshop on Frontiers in Handwriting Recognition:
#   im2col.
# - K. Goto and R. A. van de Geijn (2008), *Anatomy of high-performance matrix multiplication*, ACM
#   Transactions on Mathematical Software 34(3): why matrix routines come near the peak.
# - J. W. Cooley and J. W. Tukey (1965), *An algorithm for the machine calculation of complex
#   Fourier series*, Mathematics of Computation 19, 297–301.
# - M. Mathieu, M. Henaff and Y. LeCun (2014), *Fast training of convolutional networks through
#   FFTs*, [arXiv:1312.5851](https://arxiv.org/abs/1312.5851).
# - A. Karatsuba and Y. Ofman (1962), *Multiplication of many-digital numbers by automatic
#   computers*; A. L. Toom (1963); S. A. Cook (1966): products of polynomials from their values.
# - S. Winograd (1980), *Arithmetic complexity of computations*, SIAM: the four products.
# - A. Lavin and S. Gray (2016), *Fast algorithms for convolutional neural networks*, CVPR,
#   [arXiv:1509.09308](https://arxiv.org/abs/1509.09308): Winograd's method for layers.
# - B. Barabasz, A. Anderson, K. M. Soodhalter and D. Gregg (2020), *Error analysis and improving
#   the accuracy of Winograd convolution for deep neural networks*, ACM Transactions on Mathematical
#   Software 46(4), [arXiv:1803.10986](https://arxiv.org/abs/1803.10986): how the error grows with
#   the tile.
# - NumPy: [strides](https://numpy.org/doc/stable/reference/generated/numpy.ndarray.strides.html),
#   [einsum](https://numpy.org/doc/stable/reference/generated/numpy.einsum.html). SciPy:
#   [fft](https://docs.scipy.org/doc/scipy/tutorial/fft.html).
# - Digits: E. Alpaydin and C. Kaynak (1998), *Optical Recognition of Handwritten Digits*, UCI
#   Machine Learning Repository, as shipped with scikit-learn. Photograph of the temple:
#   danielbuechele on Flickr, CC BY 2.0, shipped with scikit-learn; shown in gray and smaller.
