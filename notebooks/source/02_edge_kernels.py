# %% [markdown]
# # Lesson 2 · Edge kernels made by hand
#
# **What you will be able to do**
#
# - write down a kernel that finds edges, and say what the *sign* of its answer means;
# - tell from the sum of a kernel's numbers what it does to flat areas;
# - take Sobel, Prewitt, the Laplacian, blurs and sharpening apart into pieces you understand;
# - compute how strong an edge is and which way it faces, and calm a noisy picture first;
# - let gradient descent *find* an edge kernel, and say when it can and when it cannot.
#
# **What you need:** lesson 1 (a kernel slides over an image: cross-correlation, valid and same).
#
# **How long it takes:** about 55 minutes in two sittings, 35 for sections 1 to 7 and 20 for
# section 8 (the break is marked), and 20 more for the exercises.
#
# [← Lesson 1: Convolution](01_convolution.ipynb) · [Lesson 3: Layers →](03_layers.ipynb) ·
# [Solutions of this lesson](solutions/02_edge_kernels.ipynb)

# %%
import numpy as np
from scipy.signal import convolve2d, correlate2d

from cnnedu import Conv2D, Momentum, Sequential, checks, fit, squared_error
from cnnedu import visualization as viz
from cnnedu.data import load_digits, load_photograph
from cnnedu.kernels import KERNELS, box, gaussian, kernel
from cnnedu.training import WeightRecorder
from cnnedu.widgets import KernelEditor

rng = np.random.default_rng(0)
data = load_digits()

# %% [markdown]
# One function does the work in this lesson, the cross-correlation of lesson 1. What it returns is
# the **response** of the kernel (in a network it is called a **feature map**); a single number of
# it we also call the kernel's *answer* at that place. The kernel's numbers are its **weights**:
#
# $$\text{response}[i, j] = \sum_{u, v} \text{weights}[u, v] \cdot \text{image}[i + u,\; j + v]$$


# %%
def respond(image, weights):
    """Slide a kernel over an image without flipping it, wherever it fits (valid)."""
    return correlate2d(image, weights, mode="valid")


# %% [markdown]
# ## 1. An edge is a change
#
# Take one row of pixels: dark, then bright, then something in between. An **edge** is a place
# where the brightness changes. To find it, subtract neighbors.
#
# The kernel `[-1, 1]` computes *next pixel minus this pixel*.
#
# **Predict, then run.** The row below has 12 pixels. How many numbers will come out, how many of
# them are not zero, and which signs do they have? Write it down.

# %%
row = np.array([2, 2, 2, 2, 9, 9, 9, 9, 4, 4, 4, 4])
step_up = np.correlate(row, [-1, 1])
print(len(step_up), "numbers:", step_up)

# %% [markdown]
# Eleven numbers, since a kernel of two pixels fits in $12 - 2 + 1 = 11$ places. Two of them are
# not zero: $9 - 2 = 7$ where it gets brighter, and $4 - 9 = -5$ where it gets darker. **The size
# says how strong the edge is, the sign says in which direction it goes.** (The kernel `[1, -1]`
# finds the same edges with the opposite sign. Neither is right or wrong. You have to know which
# one you hold.)
#
# Two pixels have no middle: the answer of `[-1, 1]` belongs *between* them. The **central
# difference** `[-1, 0, 1]` compares the neighbors on the left and right of a pixel, so its answer
# belongs to that pixel. And `[1, -2, 1]` is the **second difference**: the difference of the
# differences.

# %%
assert np.array_equal(np.correlate(row, [1, -1]), -step_up)
central = np.correlate(row, [-1, 0, 1])
second = np.correlate(row, [1, -2, 1])
assert np.array_equal(second, np.correlate(step_up, [-1, 1]))  # difference of differences
viz.plot_signals({"row": row, "[−1, 1]": step_up, "[−1, 0, 1]": central, "[1, −2, 1]": second})

# %% [markdown]
# *Finding.* Each answer stands under the middle of the pixels it was made from. The step of 7
# gives `[-1, 1]` one answer, at position 3.5, and `[-1, 0, 1]` two, at the pixels on both sides
# of the step. The second difference answers twice too, with *both* signs, +7 and −7, and changes
# sign exactly where the edge is.

# %% [markdown]
# ## 2. Two dimensions: rows of 1, 0, −1
#
# An image changes in two directions, so we need two kernels. The simplest ones stack three
# differences: `vertical_edges` compares the columns left and right, `horizontal_edges` the rows
# above and below.

# %%
print(kernel("vertical_edges").astype(int))
print()
print(kernel("horizontal_edges").astype(int))

# %% [markdown]
# Two things to mind. **The order** is 1, 0, −1: *left minus right*, the opposite of section 1.
# Positive now means *bright on the left* (or *bright above*). Section 4 will turn it round again.
# **The names:** a *vertical* edge is a line that runs up and down, so the brightness changes from
# left to right, and that is the direction in which the kernel must subtract.
#
# Here is the smallest image with a vertical edge: 9 on the left, 1 on the right. One position by
# hand: the patch has two columns of 9 and one column of 1, so the answer is
# $3 \cdot 9 - 3 \cdot 1 = 24$.

# %%
wall = np.array([[9, 9, 9, 1, 1, 1]] * 5)
viz.plot_patch_product(wall, kernel("vertical_edges").astype(int), row=1, column=1)

# %% [markdown]
# *Finding.* 24 is positive because the bright side is under the positive weights, on the left.

# %% [markdown]
# ### What a sign means
#
# A bright square has a left side, where it gets brighter to the right, and a right side, where it
# gets darker.
#
# **Predict, then run.** On which side will `vertical_edges` be positive?

# %%
square = np.zeros((9, 9), dtype=int)
square[3:6, 3:6] = 1
print(respond(square, kernel("vertical_edges")).astype(int))
viz.plot_responses(square, ["vertical_edges", "horizontal_edges"])

# %% [markdown]
# *Finding.* Yellow is positive, blue is negative, gray is zero: **diverging colors**, with zero
# in the middle, because here zero has a meaning ("nothing to report"). (The white margin: a valid
# response is one pixel smaller on each side.)
#
# `vertical_edges` is negative (−3) on the left side of the square, where the bright part is on the
# right, and positive (+3) on the right side. `horizontal_edges` does the same with the upper and
# the lower side. **The same edge, seen from the other side, has the other sign.**
#
# Now a real digit, a five. Its pixels go from 0 (black) to 1 (white), as in all our images from
# here on.

# %%
digit = data.train.images[15, 0]  # image 15; its only channel, the gray one (lesson 3)
viz.plot_responses(digit, ["horizontal_edges", "vertical_edges"])

# %% [markdown]
# *Finding.* `horizontal_edges` draws the undersides of the strokes in yellow (bright above, dark
# below) and their upper sides in blue; the upright parts of the five vanish. `vertical_edges`
# draws the right flanks yellow and the left flanks blue; the flat bar on top is almost gone,
# except for its two ends.

# %% [markdown]
# ## 3. The sum of a kernel, blurring and sharpening
#
# On a **flat area**, where all pixels have the same value $c$, only the sum of the weights
# matters:
#
# $$\sum_{u, v} \text{weights}[u, v] \cdot c = c \cdot \sum_{u, v} \text{weights}[u, v].$$
#
# **Predict, then run.** The flat area below is 7 everywhere. What do the identity (a 1 in the
# middle), `box_blur` (nine times 1/9), `sharpen` (9 in the middle, −1 around it) and
# `vertical_edges` answer?

# %%
flat = np.full((3, 3), 7)
for name in ["identity", "box_blur", "sharpen", "vertical_edges"]:
    weights = kernel(name)
    print(f"{name:15} sum {weights.sum():2.0f}   answer {respond(flat, weights).item():2.0f}")

# %% [markdown]
# Two families matter. A kernel whose weights sum to **1** gives flat areas back as they are: its
# response is a picture again. A kernel whose weights sum to **0** answers 0 on every flat area,
# black or white: its response is a map of changes.

# %% [markdown]
# ### Blurring: what averaging keeps and what it loses
#
# `box_blur` replaces each pixel by the plain mean of its 3 × 3 patch. The **Gaussian** blur is a
# mean too, in which near pixels count more. Here are its weights, and what they make of a single
# bright pixel of 144 (a number that 16 divides):

# %%
print((16 * kernel("gaussian_blur")).astype(int), "/ 16")
spot = np.zeros((7, 7), dtype=int)
spot[3, 3] = 144
print(respond(spot, kernel("gaussian_blur")).round().astype(int))

# %% [markdown]
# Add them up: $36 + 4 \cdot 18 + 4 \cdot 9 = 144$. **Averaging keeps the total** (away from the
# border) **and loses the sharpness**: from the result nobody can say any more whether it was one
# bright pixel or a soft spot.
#
# Larger kernels lose more, and how depends on their shape. Here is a piece of a photograph under a
# box of 15 × 15, and under a Gaussian as wide (the standard deviation of fifteen equal weights is
# 4.3 pixels, and so is its $\sigma$).

# %%
stars = load_photograph("grace_hopper", size=440)[:124, :154]
under_box, under_gaussian = respond(stars, box(15)), respond(stars, gaussian(25, 4.3))
shown = [stars[12:-12, 12:-12], under_box[5:-5, 5:-5], under_gaussian]  # the part all three have
viz.plot_images(shown, ["photograph", "box", "Gaussian"])

# %% [markdown]
# *Finding.* Both blurs lose what is small: the tips of the stars, the twist of the rope, the
# grain. Under the box the rope becomes an even band with hard sides, because a pixel counts fully
# until, one step further, it does not count at all. Under the Gaussian it fades to both sides.

# %% [markdown]
# ### Sharpening: the image, plus what blurring took away
#
# Blurring loses the details. So *image minus blurred image* is exactly the details, and adding a
# multiple of them exaggerates them. As kernels, with the factor 9, so that the fractions
# disappear:

# %%
details = kernel("identity") - kernel("box_blur")
print((kernel("identity") + 9 * details).round().astype(int))
assert np.allclose(kernel("identity") + 9 * details, kernel("sharpen"))

# %% [markdown]
# **Predict, then run.** A wall of 10 on the left and 20 on the right. On the flat parts `sharpen`
# answers 10 and 20. What happens beside the edge? In the patch left of it, six pixels are 10 (the
# middle is one of them) and three are 20.

# %%
low_wall = np.array([[10, 10, 10, 20, 20, 20]] * 3)
print(respond(low_wall, kernel("sharpen")).astype(int))

# %% [markdown]
# $9 \cdot 10 - 5 \cdot 10 - 3 \cdot 20 = -20$: darker than dark. On the other side it is 50,
# brighter than bright. This **overshoot** is what the eye takes for sharpness, and too much of it
# becomes visible as a halo.
#
# Now a photograph, blurred a little and then sharpened, by a mild kernel (`sharpen_cross`, which
# looks at four neighbors) and by the strong one. And one more kernel of sum 1, `emboss`:

# %%
print(kernel("sharpen_cross").astype(int), kernel("emboss").astype(int), sep="\n\n")
portrait = load_photograph("grace_hopper", size=220)[:110, 30:150]
blurred = respond(portrait, gaussian(7, 1.0))
shown = {"photograph": portrait, "blurred": blurred}
shown["blurred, then sharpen_cross"] = respond(blurred, kernel("sharpen_cross"))
shown["blurred, then sharpen"] = respond(blurred, kernel("sharpen"))
shown["photograph, emboss"] = respond(portrait, kernel("emboss"))
viz.plot_images([np.clip(each, 0, 1) for each in shown.values()], list(shown))

# %% [markdown]
# *Finding.* `sharpen_cross` brings the glasses and the badge back, nearly as they were. `sharpen`
# does too much of the same: bright and dark seams along every edge. `emboss` is the identity plus
# a difference along the diagonal. Whatever gets brighter toward the lower right is lifted,
# whatever gets darker is lowered, and the face looks like a relief. (Values below black and above
# white are cut off.)

# %% [markdown]
# ## 4. Prewitt and Sobel: a difference, smoothed
#
# Section 2's kernel was *left minus right*, three times. Turned around, so that it is positive
# where it gets brighter to the right, it is the **Prewitt** kernel. Take it apart: the
# *difference* `[-1, 0, 1]` along the row, and a *sum over three rows*, `[1, 1, 1]`. A column times
# a row, each number with each, is called the **outer product**. **Sobel** is made in the same way,
# from `[1, 2, 1]`:

# %%
difference = np.array([-1, 0, 1])
prewitt = np.outer([1, 1, 1], difference)
sobel = np.outer([1, 2, 1], difference)
assert np.array_equal(prewitt, kernel("prewitt_x")) and np.array_equal(sobel, kernel("sobel_x"))
assert np.array_equal(prewitt, -kernel("vertical_edges"))
assert np.array_equal(sobel.T, kernel("sobel_y"))
print(prewitt, sobel, sep="\n\n")

# %% [markdown]
# Both are *smoothing in one direction, difference in the other*. In Sobel the middle row, which is
# nearest to the pixel, counts twice. (Smoothing by `[1, 2, 1]` in both directions makes the
# Gaussian blur of section 3.)
#
# The names now tell the direction of the *difference*: `sobel_x` subtracts along x, from left to
# right, so it finds *vertical* edges. `sobel_y` is `sobel_x` transposed and finds horizontal ones.

# %%
temple = load_photograph("china", size=256)
viz.plot_responses(temple, ["sobel_x", "sobel_y"])

# %% [markdown]
# *Finding.* `sobel_x` answers to the posts and to the upright ends of the roofs: blue on their
# left, where the light sky turns into dark wood, yellow on their right. `sobel_y` answers to the
# long eaves, the railings and the far shore. The clear sky is flat, and both answer 0 there.

# %% [markdown]
# ### Separable kernels cost less
#
# A kernel that is an outer product is called **separable**. Instead of one pass with a square
# kernel of $k \times k$ you can make two passes, with a column of $k$ and a row of $k$, and get
# the same numbers.

# %%
smoothed = respond(temple, np.array([[1], [2], [1]]))
two_passes = respond(smoothed, np.array([[-1, 0, 1]]))
assert np.allclose(two_passes, respond(temple, sobel), atol=1e-5)
for size in (3, 5, 15, 31):
    print(f"{size:2} x {size:2}: {size**2:3} multiplications in one pass, {2 * size:2} in two")

# %% [markdown]
# $2k$ grows slowly and $k^2$ does not: a Gaussian blur of 31 × 31 costs a fifteenth in two passes.
# Not every kernel can be split: in an outer product all rows are multiples of one row, and in the
# next kernel they are not.

# %% [markdown]
# ## 5. The Laplacian: changes in every direction
#
# Add the second difference along the row and the second difference along the column, and you have
# the **Laplacian**.

# %%
across = np.zeros((3, 3), dtype=int)
across[1] = [1, -2, 1]
print(across + across.T)
assert np.array_equal(across + across.T, kernel("laplacian"))
assert np.array_equal(kernel("identity") - kernel("laplacian"), kernel("sharpen_cross"))
viz.plot_responses(digit, ["laplacian"])

# %% [markdown]
# *Finding.* The Laplacian treats rows and columns alike, and asks *how much brighter are the
# neighbors than the middle?* So it draws the whole outline, as a **double line**: yellow outside
# the stroke, where the neighbors are brighter, blue inside, where they are darker. The edge is
# where the sign changes, as in section 1. A single answer does not tell the direction of the edge,
# you have to look at the pair; `sobel_x` tells it with one number.
#
# (The second `assert`: `sharpen_cross` is the identity minus a Laplacian. In `laplacian_8` the
# four diagonal neighbors count too.)

# %% [markdown]
# ## 6. How strong, and which way: the gradient
#
# The answer of `sobel_x`, call it $g_x$, says how fast it gets brighter to the right, $g_y$ of
# `sobel_y` how fast downward. Together they are an arrow, the **gradient** of the image. Its
# length is the edge's strength, whatever its direction, and it points to where it gets brighter:
#
# $$\text{strength} = \sqrt{g_x^2 + g_y^2}, \qquad \text{angle} = \operatorname{atan2}(g_y, g_x).$$
#
# Rows are counted downward, so $g_y > 0$ points *down*. By hand, with a corner that is bright at
# its lower right: `sobel_x` gives $2 \cdot 1 + 1 \cdot 1 = 3$, and so does `sobel_y`.

# %%
corner = np.array([[0, 0, 0], [0, 0, 1], [0, 1, 1]])
g_x = respond(corner, kernel("sobel_x")).item()
g_y = respond(corner, kernel("sobel_y")).item()
print(f"g_x = {g_x:.0f}, g_y = {g_y:.0f}")
print(f"strength {np.hypot(g_x, g_y):.3f}, angle {np.degrees(np.arctan2(g_y, g_x)):.0f} degrees")

# %% [markdown]
# Strength $\sqrt{18} \approx 4.243$, and 45 degrees: half right, half down. Now an arrow at every
# pixel of the five whose strength is at least half of the greatest.

# %%
g_x, g_y = respond(digit, kernel("sobel_x")), respond(digit, kernel("sobel_y"))
viz.plot_arrows(digit, g_x, g_y, least=0.5)

# %% [markdown]
# *Finding.* All arrows point into the stroke, at a right angle to its border, and turn where it
# bends. The length of an arrow is the strength. Deep inside the stroke and out on the background
# there are none. The strength alone is a good edge finder, since it does not care about the
# direction: in exercise 2 you write it.

# %% [markdown]
# ## 7. Noise: why one blurs first
#
# Cameras add **noise**: every pixel is a little wrong, each on its own. To a kernel that
# subtracts neighbors that is bad news, because neighbors now differ everywhere. Independent errors
# partly cancel, and it is their *squares* that add up on average: errors of standard deviation
# $\sigma$ in the pixels become errors of
#
# $$\sigma \cdot \sqrt{\textstyle\sum_{u,v} \text{weights}[u, v]^2}$$
#
# in the response. The table compares them (for $\sigma = 1$) with the answer to an edge, a step
# from 0 to 1. Its last line is the remedy, the **Laplacian of Gaussian**: blur first, then take
# the Laplacian. (Two kernels in a row are again one kernel, the full convolution of both.)
#
# **Predict, then run.** The Laplacian has four weights of 1 and one of −4. By which factor does it
# amplify the noise?

# %%
noise = rng.normal(0, 1, (400, 400))
laplacian_of_gaussian = convolve2d(gaussian(9, 1.5), kernel("laplacian"))  # 11 x 11
step = np.zeros((20, 20))
step[:, 10:] = 1
tried = {"[-1, 0, 1]": difference[None]}
tried |= {name: kernel(name) for name in ("prewitt_x", "sobel_x", "laplacian")}
tried["Laplacian of Gaussian"] = laplacian_of_gaussian
for name, weights in tried.items():
    factor, edge = np.sqrt(np.sum(weights**2)), respond(step, weights).max()
    assert abs(respond(noise, weights).std() / factor - 1) < 0.05  # measured: the same
    print(f"{name:21}  noise {factor:.2f}   edge {edge:.2f}   ratio {factor / edge:.2f}")

# %% [markdown]
# $\sqrt{4 \cdot 1 + 16} \approx 4.47$ for the Laplacian, more than four times its answer to the
# edge. The blur makes the edge ten times weaker, but the noise forty times: the ratio falls to
# about 1. Now you see, too, what the smoothing in Prewitt and Sobel is for. The difference alone
# has the ratio 1.41; smoothed over three rows, 0.82 and 0.87.

# %%
noisy = portrait + rng.normal(0, 0.15, portrait.shape)
edges = respond(respond(noisy, gaussian(9, 1.5)), kernel("laplacian"))
assert np.allclose(edges, respond(noisy, laplacian_of_gaussian))  # two kernels are one
pair = {name: tried[name] for name in ("laplacian", "Laplacian of Gaussian")}
viz.plot_responses(noisy, pair, scale="each")

# %% [markdown]
# *Finding.* The Laplacian alone drowns in grain: hat and pole can be made out, the face hardly.
# After the blur, badge and star, brow and nose are there again. Wide things have a double line;
# thin ones, such as the pole, are one blue line between two yellow ones. (Mind the scales: the
# right one is sixteen times finer.) The price: fine lines are gone, and of the noise there remain
# blobs.

# %% [markdown]
# ### All of them, by hand
#
# Now change the nine numbers yourself: type them, drag them up and down, or pick a kernel by name.
# Pointing at a place of the response shows the sum it is. **Predict, then try.** Each time, say
# what you will see before you change anything:
#
# 1. Give all nine numbers of `sobel_x` the other sign.
# 2. Change the middle of `laplacian` from −4 to −3. Which family of section 3 is it in now?
# 3. Make a kernel that answers to strokes running from the lower left to the upper right, and not
#    to flat areas.

# %%
KernelEditor(kernel="sobel_x")

# %% [markdown]
# *Finding* (of the still that stands here where nothing is live). A digit, the numbers of
# `sobel_x`, and the response. What you should have found: (1) yellow and blue change places. (2)
# The sum is 1: flat areas come back as they are, and the response is a picture again. (3) One of
# many: 2 along that diagonal and −1 elsewhere.
#
# **Predict, then run.** And here are the eight kernels of sum 0, in no particular order: both edge
# kernels of section 2, both Prewitt, both Sobel, both Laplacians. Which is which? Write it down.

# %%
changes = [name for name, weights in KERNELS.items() if np.isclose(weights.sum(), 0)]
letters = dict(zip("ABCDEFGH", np.random.default_rng(3).permutation(changes), strict=True))
viz.plot_responses(digit, {letter: kernel(name) for letter, name in letters.items()}, columns=5)

# %% [markdown]
# (All panels have one scale, so strength is a clue too.) The solution:

# %%
print(", ".join(f"{letter} {name}" for letter, name in letters.items()))

# %% [markdown]
# `horizontal_edges` and `prewitt_y` differ in the sign alone. Sobel is a third stronger than
# Prewitt (its positive weights sum to 4, not 3).

# %% [markdown]
# ---
#
# **A good place for a break.** Section 8 is the second sitting. When you come back in a new
# session, run the cells above again first (menu *Run*, *Run All Above Selected Cell*).

# %% [markdown]
# ## 8. Lose the kernel, and find it again
#
# All these kernels were invented by people. Now imagine that the nine weights of Sobel are lost.
# What is left are images, and the responses somebody once computed. Can a machine find the
# weights?
#
# Yes: begin with any weights, measure how wrong the responses are, and change every weight a
# little in the direction that makes the error smaller. The measure is called the **loss**. How it
# changes with each weight is again called a **gradient**: section 6's arrow pointed to more
# brightness, this one points to more loss. Going against it in small steps is **gradient
# descent**, and the **learning rate** sets how far a step goes. (Ours were found by trying; more
# in lesson 4.)
#
# ### 8.1 Two weights, by hand
#
# One row of five pixels, and a kernel of two weights $w_0, w_1$. We want the answers of
# `[-1, 1]`. The loss adds up the squared errors, and its derivative follows from the chain rule:
#
# $$\text{loss} = \sum_i \text{error}[i]^2,
# \qquad \text{error}[i] = \text{response}[i] - \text{target}[i],$$
# $$\frac{\partial\,\text{loss}}{\partial w_u}
# = \sum_i 2 \cdot \text{error}[i] \cdot \frac{\partial\,\text{response}[i]}{\partial w_u}
# = 2 \sum_i \text{error}[i] \cdot \text{signal}[i + u].$$
#
# Read the last formula again: *multiply and add up along the signal, shifted by $u$*. The
# gradient is itself a cross-correlation, of the signal with the errors.

# %%
signal = np.array([0, 0, 1, 1, 0])
target = np.correlate(signal, [-1, 1])
weights = np.array([0, 0])
error = np.correlate(signal, weights) - target
print("target  ", target)
print("error   ", error, " loss", np.sum(error**2))
print("gradient", 2 * np.correlate(signal, error))

# %% [markdown]
# By hand: the error is $[0, -1, 0, 1]$. Under $w_0$ lie the pixels $[0, 0, 1, 1]$, so its gradient
# is $2 \cdot (1 \cdot 1) = 2$. Under $w_1$ lie $[0, 1, 1, 0]$: $2 \cdot (-1 \cdot 1) = -2$.
# Downhill is the opposite direction: $w_0$ has to fall, $w_1$ to rise.
#
# **Predict, then run.** With the learning rate 1/4, what are the weights after the first step?
# And what do you think comes next?

# %%
for step in range(6):
    error = np.correlate(signal, weights) - target
    print(f"step {step}: weights {weights}, loss {np.sum(error**2):.4f}")
    gradient = 2 * np.correlate(signal, error)
    weights = weights - 0.25 * gradient

# %% [markdown]
# Half of the way, then half of the rest, and so on: $[-1, 1]$ is found.

# %% [markdown]
# ### 8.2 Nine weights, a hundred digits
#
# The same with Sobel and real images. To keep the code short we cut all patches out first: **one
# patch, one row of nine numbers**. Then the response at every place of every image is a single
# matrix product.


# %%
def cut_patches(images):
    """Return every 3 x 3 patch of images (count, height, width) as a row of nine numbers."""
    return np.lib.stride_tricks.sliding_window_view(images, (3, 3), axis=(1, 2)).reshape(-1, 9)


images = data.train.images[:100, 0].astype(float)
patches = cut_patches(images)
targets = patches @ kernel("sobel_x").ravel()
assert np.allclose(targets[: 26 * 26], respond(images[0], kernel("sobel_x")).ravel())
print(patches.shape, "patches,", targets.shape, "targets")

# %% [markdown]
# 100 images of 26 × 26 places each: 67,600 patches. `targets` is all that is left of Sobel.
#
# One step of gradient descent. The loss is now the *mean* of the squared errors. The gradient is
# the formula of 8.1 for all nine weights at once: column $u$ of `patches` holds all the pixels
# that ever lie under weight $u$, so `patches.T @ error` is the sum;
# dividing by the number of errors makes it a mean.

# %%
start = np.random.default_rng(1).normal(size=9)
error = patches @ start - targets
loss = np.mean(error**2)
gradient = 2 * patches.T @ error / len(error)
after = start - 0.5 * gradient
print(f"loss before the step {loss:.2f}, after it {np.mean((patches @ after - targets) ** 2):.2f}")

# %% [markdown]
# Never trust a gradient you have not checked. Push each weight a little up and down, and see how
# the loss changes: this costs 18 runs, but needs no derivation.

# %%
measured = np.zeros(9)
for index, push in enumerate(1e-4 * np.eye(9)):
    higher = np.mean((patches @ (start + push) - targets) ** 2)
    lower = np.mean((patches @ (start - push) - targets) ** 2)
    measured[index] = (higher - lower) / 2e-4
assert np.allclose(measured, gradient)
print("the gradient agrees with what pushing the weights measures")

# %% [markdown]
# Now three hundred such steps. We keep the weights, to watch them move.


# %%
def descend(patches, targets, weights, steps):
    """Return the weights, from the start to the last step, and the loss at each of them."""
    path, losses = [], []
    for _ in range(steps + 1):
        error = patches @ weights - targets
        path.append(weights)
        losses.append(np.mean(error**2))
        weights = weights - 0.5 * 2 * patches.T @ error / len(error)
    return np.array(path), np.array(losses)


path, losses = descend(patches, targets, start, steps=300)
assert losses[-1] < losses[0] / 1000
viz.plot_weight_paths(range(301), path, kernel("sobel_x"), losses=losses)

# %% [markdown]
# *Finding.* Left: nine weights on their way, each colored by the value it should reach (a gray
# line). Half of the error in the weights is gone after ten steps; most of the other half takes the
# remaining 290. (The steps are drawn so that 1 to 10 has as much room as 10 to 100.) Right: the
# loss, on a scale where each mark is a tenth of the one above. The two pictures do not tell the
# same story: **the loss is down to less than a thousandth, and the kernel is still visibly
# wrong.** Here it is, and below it the signs of its nine mistakes:

# %%
print(path[-1].reshape(3, 3).round(2))
print(np.sign(path[-1].reshape(3, 3) - kernel("sobel_x")).astype(int))

# %% [markdown]
# ### 8.3 What the data hardly say
#
# Plus and minus in turn, in eight of the nine places: a checkerboard. So take the true Sobel and
# spoil it in two ways, by the same amount: add 0.1 to *all* nine weights, or add 0.1 and −0.1 *in
# turn*, like a checkerboard.
#
# **Predict, then run.** Which of the two does more harm to the responses?

# %%
checkerboard = np.array([[1, -1, 1], [-1, 1, -1], [1, -1, 1]])
for name, pattern in {"all the same": np.ones((3, 3)), "checkerboard": checkerboard}.items():
    spoiled = kernel("sobel_x") + 0.1 * pattern
    loss = np.mean((patches @ spoiled.ravel() - targets) ** 2)
    print(f"{name:13} loss {loss:.5f}")

# %% [markdown]
# The loss differs by a factor of almost ninety. A sum by hand explains it: inside a stroke all
# nine pixels are 1. There, 0.1 more on every weight changes the answer by 0.9; the checkerboard,
# five times plus and four times minus, changes it by 0.1. Squared, that is 0.81 against 0.01.
#
# What the responses do not notice, the loss does not punish, and the gradient does not repair.
# **What the data hardly say is learned slowly.** It helps to walk longer, and to let the steps
# gather speed where they keep going the same way: that is **momentum**, explained in lesson 4 and
# used here.

# %% [markdown]
# ### 8.4 The same as a network
#
# The package has all of `descend` ready-made: a network that is a single layer, with one gray
# channel in, one response out, a 3 × 3 kernel, and no bias (a constant that is added; lesson 3).

# %%
x = data.train.images
y = np.array([[respond(image, kernel("sobel_x"))] for image in x[:, 0]], dtype=np.float32)
layer = Conv2D(1, 1, 3, bias=False, rng=rng)
network = Sequential([layer], input_shape=(1, 28, 28))
print("images", x.shape, "targets", y.shape)

# %% [markdown]
# `fit` goes through all 1,437 images 15 times (15 **epochs**), 32 images at a time (a **batch**),
# and takes a step after each batch. A `WeightRecorder` keeps the weights on the way. The loss,
# `squared_error`, adds up over the 26 × 26 = 676 places of an image, and takes the mean over the
# images of the batch. So its numbers are 676 times those of 8.2, and the learning rate is smaller.

# %%
recorder = WeightRecorder()
history = fit(
    network,
    (x, y),
    epochs=15,
    batch_size=32,
    optimizer=Momentum(0.001),
    loss=squared_error,
    rng=rng,
    callbacks=[recorder],
    progress=False,
)
learned = layer.params["weight"][0, 0]
assert np.abs(learned - kernel("sobel_x")).max() < 0.02
print(learned.round(1) + 0.0)  # + 0.0 turns −0 into 0

# %% [markdown]
# There it is: **Sobel, found again**, from a random start, each weight within 0.02 (the `assert`
# holds it).

# %%
snapshots = [each["conv1.weight"][0, 0] for each in recorder.snapshots]
viz.plot_weight_paths(recorder.steps, snapshots, kernel("sobel_x"), losses=history.batch_loss)

# %% [markdown]
# *Finding.* The same journey, in 675 steps (45 an epoch: $1{,}437 / 32$, rounded up). At first the
# curves overshoot, and the loss swings with them: that is the momentum. In the end all nine lie on
# their gray lines, and the loss, which began above 1,000, is below a millionth.

# %% [markdown]
# ### 8.5 When the data cannot tell
#
# Now train on images that vary in **one direction only**: take one row of each digit and repeat
# it, so that all rows of the image are equal, like a bar code. The targets are again the
# responses of Sobel.

# %%
bar_codes = np.repeat(images[:20, 14:15, :], 28, axis=1)
bar_patches = cut_patches(bar_codes)
bar_targets = bar_patches @ kernel("sobel_x").ravel()
viz.plot_responses(bar_codes[15], ["sobel_x"])

# %% [markdown]
# *Finding.* A five's middle row, 28 times, and Sobel's response.
#
# **Predict, then run.** We begin with nine zeros. Will it find Sobel again? If not, what else?

# %%
path, losses = descend(bar_patches, bar_targets, np.zeros(9), steps=2000)
from_zeros = path[-1].reshape(3, 3)
assert losses[-1] < 1e-6
assert np.allclose(from_zeros, 4 / 3 * kernel("prewitt_x"), atol=0.01)
print(f"loss {losses[-1]:.4f}")
print(from_zeros.round(2) + 0.0)

# %% [markdown]
# The loss is zero, to four decimals, and the kernel is not Sobel. It is **Prewitt**, times 4/3. If
# all rows of the image are equal, only the *sums of the columns* of the kernel matter: in Sobel
# the right one is $1 + 2 + 1 = 4$, here it is $\tfrac43 + \tfrac43 + \tfrac43 = 4$. Starting from
# zeros, the three rows receive the same gradients and remain equal. From other starts, other
# kernels come out:

# %%
starts = np.random.default_rng(2).normal(size=(3, 9))
candidates = {"from zeros": from_zeros}
for name, begin in zip(["start 1", "start 2", "start 3"], starts, strict=True):
    path, losses = descend(bar_patches, bar_targets, begin, steps=2000)
    assert losses[-1] < 1e-4
    candidates[name] = path[-1].reshape(3, 3)
    print(name, "sums of the columns:", candidates[name].sum(axis=0).round(1) + 0.0)
viz.plot_filters(candidates, numbers=True)

# %% [markdown]
# *Finding.* Four different kernels, all of them perfect on the bar codes. Nine weights were asked
# for, and the data determine only the three sums of the columns. How each sum is divided among its
# three rows remains as chance made it at the start: all three weights of a column are moved by the
# same amount.
#
# **Predict, then run.** Give them something that the bar codes never showed: the same bar code,
# turned by 90 degrees. What would Sobel answer? What will the four answer?

# %%
turned = np.rot90(bar_codes[15])
viz.plot_responses(turned, {"sobel_x": kernel("sobel_x"), **candidates})

# %% [markdown]
# *Finding.* Nothing changes from left to right, so `sobel_x` answers 0, and so does the kernel
# that began with zeros. The three others see edges where none should be seen: `start 1` and
# `start 3` yellow above and blue below, `start 2` more weakly and the other way round. **A perfect
# loss on the training data says nothing about what those data never show.**

# %% [markdown]
# ### 8.6 One more riddle
#
# For a single layer a formula computes the best weights at once: **least squares**. (For a network
# of several layers there is none. That is why everybody walks downhill.)


# %%
def best_kernel(patches, targets):
    """Return the 3 x 3 kernel with the smallest possible squared error."""
    return np.linalg.lstsq(patches, targets)[0].reshape(3, 3)


assert np.allclose(best_kernel(patches, targets), kernel("sobel_x"))
assert np.allclose(best_kernel(patches, targets), learned, atol=0.02)
print("least squares = Sobel = what the network learned")

# %% [markdown]
# **Predict, then run.** Somebody computes the targets with a *true convolution* by `sobel_x`, the
# kernel flipped. The learner cross-correlates, as always. Which kernel will it find?

# %%
flipped_targets = np.array([convolve2d(each, kernel("sobel_x"), mode="valid") for each in images])
print(best_kernel(patches, flipped_targets.ravel()).round().astype(int))

# %% [markdown]
# The flipped one, which for Sobel is the one with all signs reversed. A learner does not care
# which way the kernel is laid on the image: it finds whichever weights do the job. This is why
# deep learning can say "convolution" and compute cross-correlation.

# %% [markdown]
# ### The bridge to lesson 3
#
# Here we knew the right response at every pixel. In a network that reads digits all that is known
# is *"this is a five"*. But the recipe stays the same: a loss, its derivative with respect to
# every weight, a small step. The next lesson builds the layers that carry such a derivative
# backward. **Nobody designs the kernels in a network**, and still, when you open one in lesson 5,
# you will meet some of this lesson's again.

# %% [markdown]
# ## Exercises
#
# Write your solution in place of `raise NotImplementedError`, run the cell, then run the check
# below it. It tells you what is not right yet. If you get stuck, run for example
# `checks.edge_strength.hint()`.
#
# ### Exercise 1: a diagonal edge kernel
#
# Return a 3 × 3 kernel that answers to edges along one diagonal, and not to flat areas. These are
# the two diagonal edges (the diagonal itself is half bright):
#
# ```
# 0.5  1    1          1    1    0.5
# 0    0.5  1          1    0.5  0
# 0    0    0.5        0.5  0    0
# ```
#
# To one of them, whichever you like, the kernel should answer at least twice as strongly as to the
# other; the sign does not matter.
#
# *Hint:* begin with zeros along a diagonal, positive weights on one side of it, negative ones on
# the other. What must the sum be?


# %%
def diagonal_edge_kernel():
    """Return a (3, 3) array."""
    ### BEGIN SOLUTION
    return np.array([[0, 1, 2], [-1, 0, 1], [-2, -1, 0]])
    ### END SOLUTION


# %%
checks.diagonal_edge_kernel(diagonal_edge_kernel)

# %% [markdown]
# ### Exercise 2: the strength of edges, calmly
#
# Put sections 6 and 7 together: blur the image with `gaussian_blur`, then return the strength
# $\sqrt{g_x^2 + g_y^2}$ of its edges, by Sobel, at every place (all correlations valid). These are
# the first two steps of a famous edge detector, Canny's.
#
# *Hint:* three responses, then Pythagoras, pixel by pixel. Does the order of the steps matter?
#
# When the check is content, look at a flower, all of whose edges count, whatever their direction:
# `viz.plot_images(edge_strength(load_photograph("flower", size=400)))`


# %%
def edge_strength(image):
    """Return an array four rows and four columns smaller than the image."""
    ### BEGIN SOLUTION
    calm = respond(image, kernel("gaussian_blur"))
    g_x, g_y = respond(calm, kernel("sobel_x")), respond(calm, kernel("sobel_y"))
    return np.sqrt(g_x**2 + g_y**2)
    ### END SOLUTION


# %%
checks.edge_strength(edge_strength)

# %% [markdown]
# ### Exercise 3: a Gaussian of any size
#
# Write what we imported as `gaussian`: return the `size` × `size` kernel (the size is odd) whose
# weights are proportional to $\exp(-r^2 / (2 \sigma^2))$ and sum to 1. Here $r$ is the distance
# from the middle element, in pixels.
#
# *Hint:* `np.arange(size) - size // 2` are the distances along one row. How do you get from there
# to $r^2$ for every element of the square?


# %%
def gaussian_kernel(size, sigma):
    """Return a (size, size) array with sum 1."""
    ### BEGIN SOLUTION
    x = np.arange(size) - size // 2
    bell = np.exp(-(x[:, None] ** 2 + x**2) / (2 * sigma**2))
    return bell / bell.sum()
    ### END SOLUTION


# %%
checks.gaussian_kernel(gaussian_kernel)

# %% [markdown]
# ### Exercise 4: take a kernel apart
#
# Return two vectors `(column, row)` whose outer product `np.outer(column, row)` is the given
# matrix. You may assume that it is separable. There are many right answers.
#
# *Hint:* every row of such a matrix is a multiple of one row. Take a row that is not all zeros;
# which multiple of it is each of the others?


# %%
def separable_factors(matrix):
    """Return two vectors, column and row."""
    ### BEGIN SOLUTION
    i, j = np.unravel_index(np.abs(matrix).argmax(), matrix.shape)
    return matrix[:, j] / matrix[i, j], matrix[i]
    ### END SOLUTION


# %%
checks.separable_factors(separable_factors)

# %% [markdown]
# ## Recap
#
# - An edge is a change, and a difference finds it. The sign of the answer says which side is
#   bright.
# - Weights that sum to 0 answer 0 on flat areas; weights that sum to 1 give a picture back.
# - Prewitt and Sobel are smoothing times difference, hence separable: $2k$ multiplications
#   instead of $k^2$.
# - The Laplacian answers in every direction, with a double line, and amplifies noise: blur first.
# - $g_x$ and $g_y$ together are an arrow: strength and direction of an edge.
# - Gradient descent found Sobel again from images and responses. What the data hardly say is
#   learned slowly, what they do not say is not learned at all.
#
# ## Sources
#
# - I. Sobel, G. Feldman: *A 3x3 isotropic gradient operator for image processing.* Talk at the
#   Stanford Artificial Intelligence Project, 1968.
# - J. M. S. Prewitt: *Object enhancement and extraction.* In: Picture Processing and
#   Psychopictorics, 1970.
# - D. Marr, E. Hildreth: *Theory of edge detection.* Proceedings of the Royal Society B 207, 1980
#   ([doi:10.1098/rspb.1980.0020](https://doi.org/10.1098/rspb.1980.0020)): the Laplacian of
#   Gaussian.
# - J. Canny: *A computational approach to edge detection.* IEEE PAMI 8, 1986
#   ([doi:10.1109/TPAMI.1986.4767851](https://doi.org/10.1109/TPAMI.1986.4767851)): where edge
#   finding by hand went from here.
# - Y. LeCun et al.: *Backpropagation applied to handwritten zip code recognition.* Neural
#   Computation 1, 1989
#   ([doi:10.1162/neco.1989.1.4.541](https://doi.org/10.1162/neco.1989.1.4.541)): learned kernels
#   read digits.
# - R. C. Gonzalez, R. E. Woods: *Digital Image Processing*, chapter 3: blurs, sharpening,
#   Laplacians.
# - Photographs: "china" by danielbuechele and "flower" by vultilion (Flickr, CC BY 2.0), shipped
#   with scikit-learn; Grace Hopper, United States Navy (public domain), shipped with Matplotlib.
#   Digits: E. Alpaydin, C. Kaynak, *Optical Recognition of Handwritten Digits*, UCI, 1998
#   ([doi:10.24432/C50P49](https://doi.org/10.24432/C50P49)).
#
# **Next:** [Lesson 3](03_layers.ipynb) puts kernels into layers, and carries derivatives backward
# through them.
