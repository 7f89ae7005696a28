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
# **How long it takes:** about 50 minutes (sections 1 to 7 need half an hour; section 8 can be a
# second sitting), and 20 more for the exercises.
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
from cnnedu.layers import conv2d_forward
from cnnedu.training import WeightRecorder

rng = np.random.default_rng(0)
data = load_digits()


def respond(image, weights):
    """Slide a kernel over an image without flipping it, wherever it fits (valid)."""
    return correlate2d(image, weights, mode="valid")


# %% [markdown]
# `respond` is the operation of lesson 1, under a name that fits this lesson. What it returns we
# call the **response** of the kernel:
#
# $$\text{response}[i, j] = \sum_{u, v} \text{weights}[u, v] \cdot \text{image}[i + u,\; j + v]$$

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
# not zero: $9 - 2 = 7$ where it gets brighter, and $4 - 9 = -5$ where it gets darker. All the
# rest is flat. **The size says how strong the edge is, the sign says in which direction it
# goes.**
#
# The kernel `[1, -1]` asks the opposite question, *this minus next*. It finds the same edges and
# answers with the opposite sign. Neither is right or wrong. You have to know which one you hold.
#
# Two pixels have no middle: the answer of `[-1, 1]` belongs *between* them. The **central
# difference** `[-1, 0, 1]` compares the neighbors on the left and right of a pixel, so that its
# answer belongs to that pixel. And `[1, -2, 1]` is the **second difference**: the difference of
# the differences.

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
#
# What about a change that is spread out? On a ramp that rises by 2 each pixel, the first
# difference answers 2 everywhere, and the central one 4, because it looks across two steps
# (divide it by 2 and you have the slope). The second difference stays silent.

# %%
ramp = np.arange(0, 16, 2)
for weights in ([-1, 1], [-1, 0, 1], [1, -2, 1]):
    print(f"{weights!s:11} answers {np.correlate(ramp, weights)}")

# %% [markdown]
# ## 2. Two dimensions: rows of 1, 0, −1
#
# An image changes in two directions, so we need two kernels. The simplest ones stack three
# differences. `vertical_edges` compares the column on the left with the column on the right;
# `horizontal_edges` compares the row above with the row below.

# %%
print(kernel("vertical_edges").astype(int))
print()
print(kernel("horizontal_edges").astype(int))

# %% [markdown]
# Careful with the names. A *vertical* edge is a line that runs up and down, so the brightness
# changes from left to right, and that is the direction in which the kernel must subtract.
#
# Here is the smallest image with a vertical edge: 9 on the left, 1 on the right. One position by
# hand: the patch has two columns of 9 and one column of 1, so the response is
# $3 \cdot 9 - 3 \cdot 1 = 24$.

# %%
wall = np.array([[9, 9, 9, 1, 1, 1]] * 5)
viz.plot_patch_product(wall, kernel("vertical_edges").astype(int), row=1, column=1)

# %% [markdown]
# *Finding.* Three nines count positive, three ones negative, the column in the middle is not
# looked at. The sum is 24: it is positive because the bright side is under the positive numbers,
# on the left.
#
# **Predict, then run.** What does `vertical_edges` answer at the other places of the wall? And
# what does `horizontal_edges` answer?

# %%
print(respond(wall, kernel("vertical_edges")).astype(int))
print()
print(respond(wall, kernel("horizontal_edges")).astype(int))

# %% [markdown]
# The vertical kernel is silent on the flat parts and says 24 twice, at the two columns whose
# patch holds the edge. The horizontal kernel says nothing at all: every column of the wall is
# constant, so the row above equals the row below.

# %% [markdown]
# ### What a sign means
#
# A bright square has four sides. Going from left to right, its left side is dark-to-light and its
# right side is light-to-dark.
#
# **Predict, then run.** On which side will `vertical_edges` be positive?

# %%
square = np.zeros((9, 9), dtype=int)
square[3:6, 3:6] = 1
print(respond(square, kernel("vertical_edges")).astype(int))
viz.plot_responses(square, ["vertical_edges", "horizontal_edges"])

# %% [markdown]
# *Finding.* Yellow is positive, blue is negative, gray is zero: **diverging colors**, with zero
# in the middle, because here zero has a meaning ("nothing to report"). `vertical_edges` is
# negative (−3) on the left side of the square, where the bright part is on the right, and
# positive (+3) on the right side. `horizontal_edges` does the same with the upper and the lower
# side. Drawn from black to white, nobody could tell which of the grays is "nothing".
#
# The same edge, seen from the other side, has the other sign. Mirror the image, and every answer
# changes its place *and* its sign:

# %%
digit = data.train.images[15, 0]
answer = respond(digit, kernel("vertical_edges"))
mirrored = respond(digit[:, ::-1], kernel("vertical_edges"))
assert np.allclose(mirrored, -answer[:, ::-1], atol=1e-6)
print("mirrored image: mirrored response, opposite sign")

# %% [markdown]
# That was a real digit already, a five. Here it is, with the two edge kernels and a third one,
# which *sharpens* (section 3 says why it does).

# %%
viz.plot_responses(digit, ["horizontal_edges", "vertical_edges", "sharpen"], scale="each")

# %% [markdown]
# *Finding.* `horizontal_edges` draws the undersides of the strokes in yellow (bright above, dark
# below) and their upper sides in blue; the upright parts of the five vanish. `vertical_edges`
# draws the right flanks yellow and the left flanks blue; the flat bar on top is almost gone,
# except for its two ends. `sharpen` keeps the figure and exaggerates its border. Each panel has
# its own scale, written under it.
#
# (When somebody else's edge picture has all its signs reversed, remember the flip of lesson 1: a
# true convolution turns the kernel by 180 degrees, and for these two edge kernels that is a minus
# sign.)

# %% [markdown]
# ## 3. The sum of a kernel, blurring and sharpening
#
# What does a kernel answer on a **flat area**, where all pixels have the same value $c$? Each
# weight is multiplied by the same $c$, so
#
# $$\sum_{u, v} \text{weights}[u, v] \cdot c = c \cdot \sum_{u, v} \text{weights}[u, v].$$
#
# Only the sum of the weights matters.
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
# There are two families. A kernel whose weights sum to **1** gives flat areas back as they are:
# its response is a picture again. A kernel whose weights sum to **0** answers 0 on every flat
# area, black or white: its response is a map of changes. Here is every kernel of the package,
# sorted into the two:

# %%
for total in (1, 0):
    names = [name for name, weights in KERNELS.items() if np.isclose(weights.sum(), total)]
    print(f"sum {total}: {', '.join(names)}")

# %% [markdown]
# The formula is the proof. Here is the same in whole numbers, free of rounding: all kernels of
# sum zero, on flat areas of every gray from 0 to 255.

# %%
zero_sum = [weights.astype(int) for weights in KERNELS.values() if np.isclose(weights.sum(), 0)]
for weights in zero_sum:
    for gray in range(256):
        assert np.sum(weights * gray) == 0
print(len(zero_sum), "kernels, 256 grays: always exactly 0")

# %% [markdown]
# ### Blurring: what averaging keeps and what it loses
#
# `box_blur` replaces each pixel by the plain mean of its 3 × 3 patch. The **Gaussian** blur is a
# mean too, in which near pixels count more. Its small version is made of whole numbers:

# %%
print((16 * kernel("gaussian_blur")).astype(int), "/ 16")
spot = np.zeros((7, 7), dtype=int)
spot[3, 3] = 144
print(respond(spot, kernel("gaussian_blur")).round().astype(int))

# %% [markdown]
# A single pixel of 144 is spread over nine: 36 in the middle, 18 beside it, 9 at the corners. Add
# them up: $36 + 4 \cdot 18 + 4 \cdot 9 = 144$. **Averaging keeps the total and loses the place**:
# from the result nobody can say any more whether it was one bright pixel or a soft spot.
#
# Larger kernels lose more. How they lose it depends on their shape. Here is a piece of a
# photograph under a box of 9 × 9, and under a Gaussian that is just as wide (the standard
# deviation of nine equal weights in a row is 2.6 pixels, and so is its $\sigma$).

# %%
stars = load_photograph("grace_hopper", size=440)[:150, 10:130]
under_box, under_gaussian = respond(stars, box(9)), respond(stars, gaussian(15, 2.6))
viz.plot_images([stars, under_box, under_gaussian], ["photograph", "box", "Gaussian"])

# %% [markdown]
# *Finding.* Stars on a flag, and a rope. Both blurs keep what is large, the dark cloth and where
# the bright things are, and lose what is small: the points of the stars, the twist of the rope,
# the grain. Under the box the stars become blocks and the rope a band with hard sides, because a
# pixel counts fully until, one step further, it does not count at all. Under the Gaussian pixels
# fade in and out, and so do the stars. The pictures are smaller than the photograph: valid, as
# always.

# %% [markdown]
# ### Sharpening: the image, plus what blurring took away
#
# Blurring loses the details. So *image minus blurred image* is exactly the details, and adding
# them once more exaggerates them. As kernels: identity minus blur is a kernel of sum $1 - 1 = 0$,
# and the identity plus a multiple of it has sum 1. With the factor 9 the fractions disappear:

# %%
details = kernel("identity") - kernel("box_blur")
print((kernel("identity") + 9 * details).round().astype(int))
assert np.allclose(kernel("identity") + 9 * details, kernel("sharpen"))

# %% [markdown]
# **Predict, then run.** A wall of 10 on the left and 20 on the right. On the flat parts `sharpen`
# answers 10 and 20. What happens on both sides of the edge? Compute one place by hand: in its
# patch, six pixels are 10 (the middle is one of them) and three are 20.

# %%
low_wall = np.array([[10, 10, 10, 20, 20, 20]] * 3)
print(respond(low_wall, kernel("sharpen")).astype(int))

# %% [markdown]
# $9 \cdot 10 - 5 \cdot 10 - 3 \cdot 20 = -20$: darker than dark. On the other side it is 50,
# brighter than bright. This **overshoot** is what the eye takes for sharpness, and too much of it
# becomes visible as a halo.
#
# Now a photograph, blurred a little and then sharpened, by a mild kernel (`sharpen_cross`, which
# looks at four neighbors) and by the strong one. And one more kernel of sum 1, `emboss`: the
# identity, plus a difference along the diagonal.

# %%
print(kernel("emboss").astype(int))
portrait = load_photograph("grace_hopper", size=220)[:110, 30:150]
blurred = respond(portrait, gaussian(7, 1.0))
shown = {"photograph": portrait, "blurred": blurred}
shown["blurred, then sharpen_cross"] = respond(blurred, kernel("sharpen_cross"))
shown["blurred, then sharpen"] = respond(blurred, kernel("sharpen"))
shown["photograph, sharpen"] = respond(portrait, kernel("sharpen"))
shown["photograph, emboss"] = respond(portrait, kernel("emboss"))
viz.plot_images([np.clip(each, 0, 1) for each in shown.values()], list(shown))

# %% [markdown]
# *Finding.* `sharpen_cross` brings the glasses and the badge back, nearly as they were. `sharpen`
# does too much of the same: bright and dark seams along every edge. On the sharp photograph it is
# worse, for it exaggerates the grain of the film as well. (Values below black and above white are
# cut off.)
#
# `emboss` has its negative numbers at the upper left and its positive ones at the lower right.
# Whatever gets brighter toward the lower right is lifted, whatever gets darker is lowered, and
# the face looks like a relief with the light coming from one side.

# %% [markdown]
# ## 4. Prewitt and Sobel: a difference, smoothed
#
# Section 2's kernel was *left minus right*, three times. Turned around, so that it is positive
# where it gets brighter to the right, it is known as the **Prewitt** kernel. Take it apart: the
# *difference* `[-1, 0, 1]` along the row, and a *sum over three rows*, `[1, 1, 1]`. A column
# times a row, each number with each, is called the **outer product**:

# %%
difference = np.array([-1, 0, 1])
prewitt = np.outer([1, 1, 1], difference)
sobel = np.outer([1, 2, 1], difference)
print(prewitt, sobel, sep="\n\n")

# %% [markdown]
# The second one, **Sobel**, differs only in the smoothing: `[1, 2, 1]` instead of `[1, 1, 1]`,
# the little Gaussian instead of the little box. The middle row, which is nearest to the pixel,
# counts twice. Both are *smoothing in one direction, difference in the other*. Let us hold on to
# that with the package's own kernels, and to one thing more: `sobel_y`, for the change from top
# to bottom, is `sobel_x` on its side.

# %%
assert np.array_equal(kernel("prewitt_x"), prewitt)
assert np.array_equal(kernel("sobel_x"), sobel)
assert np.array_equal(kernel("sobel_y"), sobel.T)
assert np.array_equal(kernel("prewitt_x"), -kernel("vertical_edges"))
assert np.array_equal(16 * kernel("gaussian_blur"), np.outer([1, 2, 1], [1, 2, 1]))
print("prewitt_x, sobel_x, gaussian_blur: outer products; sobel_y: sobel_x transposed")

# %% [markdown]
# (The last two `assert` lines: Prewitt and our `vertical_edges` differ in the sign alone, and two
# smoothings, one in each direction, make the Gaussian blur.) Now Sobel's two kernels on a
# photograph.

# %%
temple = load_photograph("china", size=256)
viz.plot_responses(temple, ["sobel_x", "sobel_y"])

# %% [markdown]
# *Finding.* One photograph, two questions. `sobel_x` answers to the posts and to the upright ends
# of the roofs: blue on their left, where the light sky turns into dark wood, yellow on their
# right, where it gets bright again. `sobel_y` answers to the long eaves and the railings, and to
# the far shore. The clear sky is flat, and both are silent there.

# %% [markdown]
# ### Separable kernels cost less
#
# A kernel that is an outer product is called **separable**. Instead of one pass with a square
# kernel you can make two passes with a line each, and get the same numbers.
#
# **Predict, then run.** How many multiplications does each pixel cost with a 3 × 3 kernel, how
# many with a column of 3 and then a row of 3? And for 15 × 15?

# %%
smoothed = respond(temple, np.array([[1], [2], [1]]))
two_passes = respond(smoothed, np.array([[-1, 0, 1]]))
assert np.allclose(two_passes, respond(temple, sobel), atol=1e-5)
for size in (3, 5, 15, 31):
    print(f"{size:2} x {size:2}: {size**2:3} multiplications in one pass, {2 * size:2} in two")

# %% [markdown]
# Six instead of nine is not much. But $2k$ grows slowly and $k^2$ does not: a Gaussian blur of 31
# × 31 costs fifteen times less in two passes. Not every kernel can be split. In an outer product
# all rows are multiples of one row; look whether that is true of the next one.

# %% [markdown]
# ## 5. The Laplacian: changes in every direction
#
# Add the second difference along the row and the second difference along the column, and you have
# the **Laplacian**. Its version with eight neighbors adds both diagonals as well.

# %%
across = np.zeros((3, 3), dtype=int)
across[1] = [1, -2, 1]
print(across + across.T)
assert np.array_equal(across + across.T, kernel("laplacian"))
diagonals = np.diag([1, -2, 1]) + np.diag([1, -2, 1])[:, ::-1]
assert np.array_equal(kernel("laplacian") + diagonals, kernel("laplacian_8"))
assert np.array_equal(kernel("identity") - kernel("laplacian"), kernel("sharpen_cross"))

# %% [markdown]
# It prefers no direction: turn it by 90 degrees, and it is the same. It asks *how much do the
# neighbors differ from the middle?* (The last line says what the mild sharpening of section 3
# was: the identity minus a Laplacian.) On a digit:

# %%
viz.plot_responses(digit, ["sobel_x", "prewitt_x", "laplacian", "laplacian_8"], scale="each")

# %% [markdown]
# *Finding.* `sobel_x` and `prewitt_x` look alike: on clean images the smoothing makes little
# difference. The Laplacians draw the whole outline, upright, level and slanted alike, and as a
# **double line**: yellow outside the ink, where the neighbors are brighter, blue inside, where
# they are darker. The edge is where the sign changes, as in section 1. You cannot read from it
# which side is bright from left to right: for that you need a kernel with a direction.
#
# (And it is not separable: `[0, 1, 0]` and `[1, -4, 1]` are no multiples of one another.)

# %% [markdown]
# ## 6. How strong, and which way: the gradient
#
# `sobel_x` says how fast it gets brighter to the right, `sobel_y` how fast downward. Together
# they are an arrow, the **gradient** of the image. Its length is the edge's strength, whatever
# its direction, and it points to where it gets brighter:
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
# Strength $\sqrt{18} \approx 4.243$, and 45 degrees: half right, half down. Now one arrow for
# every pixel of the five where there is an edge worth mentioning.

# %%
grad_x, grad_y = respond(digit, kernel("sobel_x")), respond(digit, kernel("sobel_y"))
viz.plot_arrows(digit, grad_x, grad_y)

# %% [markdown]
# *Finding.* All arrows point into the ink, at a right angle to the border of the stroke: on the
# left flank to the right, on the right flank to the left, on top downward. Where the border
# bends, the arrows turn with it. Deep inside the ink and out on the black paper there are none.
#
# The strength alone is a good edge finder, since it does not care about the direction. On a
# flower, whose petals have edges in all directions:

# %%
flower = load_photograph("flower", size=400)[40:260, 100:320]
strength = np.hypot(respond(flower, kernel("sobel_x")), respond(flower, kernel("sobel_y")))
viz.plot_images(
    [flower, strength / strength.max(), strength > 0.8],
    ["photograph", "strength", "strength above 0.8"],
)

# %% [markdown]
# *Finding.* In the strength the flower stands out with an even outline, as bright at its left as
# at its top. The blurred background has vanished, though it is not all of one gray: its changes
# are slow. One threshold makes a drawing of it, with the outlines of the petals, and with gaps
# where they are faint.

# %% [markdown]
# ## 7. Noise: why one blurs first
#
# Cameras add **noise**: every pixel is a little wrong, each on its own. To a kernel that
# subtracts neighbors that is bad news, for neighbors now differ everywhere. How bad can be
# computed: if the pixels' errors are independent, with standard deviation $\sigma$, the
# response's error has the standard deviation
#
# $$\sigma \cdot \sqrt{\textstyle\sum_{u,v} \text{weights}[u, v]^2},$$
#
# because the variances add up, each multiplied with the square of its weight.
#
# **Predict, then run.** The Laplacian is four times 1 and once −4. By which factor does it
# amplify the noise?

# %%
noise = rng.normal(0, 1, (400, 400))
for name in ["gaussian_blur", "prewitt_x", "sobel_x", "laplacian"]:
    weights = kernel(name)
    expected, measured = np.sqrt(np.sum(weights**2)), respond(noise, weights).std()
    assert abs(measured / expected - 1) < 0.03
    print(f"{name:14} expected {expected:.2f}   measured {measured:.2f}")

# %% [markdown]
# $\sqrt{4 \cdot 1 + 16} = \sqrt{20} \approx 4.47$ for the Laplacian; the Gaussian blur divides
# the noise by nearly three. So blur first, then take the Laplacian. This pair is famous as the
# **Laplacian of Gaussian**, and takes two lines. By the way, two kernels in a row are again one
# kernel, the full convolution of both:

# %%
noisy = portrait + rng.normal(0, 0.15, portrait.shape)
smooth = respond(noisy, gaussian(9, 1.5))
edges = respond(smooth, kernel("laplacian"))

laplacian_of_gaussian = convolve2d(gaussian(9, 1.5), kernel("laplacian"))
assert np.allclose(edges, respond(noisy, laplacian_of_gaussian))
print("blur, then Laplacian = one kernel of shape", laplacian_of_gaussian.shape)
pair = {"laplacian": kernel("laplacian"), "Laplacian of Gaussian": laplacian_of_gaussian}
viz.plot_responses(noisy, pair, scale="each")

# %% [markdown]
# *Finding.* The Laplacian alone drowns in grain: you have to know that there is a face. After a
# blur, the badge on the hat, the pole and the star, brow and nose are there again, as double
# lines. The price: fine lines are gone with the noise, and the edges are thick.
#
# How much of each answer is the picture, and how much is noise? Compare it with the answer to the
# photograph without noise. A correlation of 1 would mean *no harm done*.

# %%
for name, weights in pair.items():
    clean, disturbed = respond(portrait, weights), respond(noisy, weights)
    agreement = np.corrcoef(clean.ravel(), disturbed.ravel())[0, 1]
    print(f"{name:21} correlation with the answer without noise: {agreement:.1f}")

# %% [markdown]
# Now look back at Sobel with these eyes: *smoothing times difference*. It has its own small blur
# built in.
#
# ### All of them on one digit
#
# **Predict, then run.** Before you look at the titles: cover them, and name the kernels.

# %%
viz.plot_responses(digit, [name for name in KERNELS if name != "identity"])

# %% [markdown]
# *Finding.* On one scale they can be compared. `horizontal_edges` and `prewitt_y` are the same
# picture with the signs exchanged, and so are `vertical_edges` and `prewitt_x`. Sobel is a third
# stronger than Prewitt (its positive weights sum to 4, not 3). The two blurs are pale: being
# averages, they stay between 0 and 1. Of the two Laplacians, the one with eight neighbors is the
# louder. And `emboss` is the only one with a light from the corner: yellow on the upper left of
# the strokes, blue on the lower right.

# %% [markdown]
# ## 8. Lose the kernel, and find it again
#
# All these kernels were invented by people, who knew what they were looking for. Now imagine that
# the nine numbers of Sobel are lost. What is left are images, and the responses somebody once
# computed. Can a machine find the numbers?
#
# Yes: begin with any numbers, measure how wrong the responses are, and change every number a
# little in the direction that makes the error smaller. The measure is called the **loss**. How it
# changes with each weight is again called a **gradient**: section 6's arrow pointed to more
# brightness, this one points to more loss. Going against it in small steps is **gradient
# descent**, and the **learning rate** sets how far a step goes.
#
# ### 8.1 Two numbers, by hand
#
# One row of five pixels, and a kernel of two weights $w_0, w_1$. Wanted are the answers of
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
# By hand: the error is $[0, -1, 0, 1]$. Under $w_0$ lie the pixels $[0, 0, 1, 1]$, so its
# gradient is $2 \cdot (1 \cdot 1) = 2$. Under $w_1$ lie $[0, 1, 1, 0]$:
# $2 \cdot (-1 \cdot 1) = -2$. Downhill is the opposite direction: $w_0$ has to fall, $w_1$ to
# rise. That is already the shape of `[-1, 1]`.
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
# Half of the way, then half of the rest, and so on: $[-1, 1]$ is found, up to any precision you
# like.

# %% [markdown]
# ### 8.2 Nine numbers, a hundred digits
#
# The same with Sobel and real images. To keep the code short we cut all patches out first: **one
# patch, one row of nine numbers**. Then the response at every place of every image is a single
# matrix product.

# %%
images = data.train.images[:100, 0].astype(float)
windows = np.lib.stride_tricks.sliding_window_view(images, (3, 3), axis=(1, 2))
patches = windows.reshape(-1, 9)
targets = patches @ kernel("sobel_x").ravel()
assert np.allclose(targets[: 26 * 26], respond(images[0], kernel("sobel_x")).ravel())
print(patches.shape, "patches,", targets.shape, "targets")

# %% [markdown]
# 100 images of 26 × 26 places each: 67,600 patches. `targets` is all that is left of Sobel. Here
# is one step of gradient descent, with every part of it in view; the loss is now the *mean* of
# the squared errors.

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
# Now three hundred such steps. We keep the weights after each one, to watch them move.


# %%
def descend(patches, targets, weights, steps, learning_rate=0.5):
    """Return the weights before and after every step, and the losses."""
    path, losses = [weights], []
    for _ in range(steps + 1):
        error = patches @ weights - targets
        losses.append(np.mean(error**2))
        weights = weights - learning_rate * 2 * patches.T @ error / len(error)
        path.append(weights)
    return np.array(path[:-1]), np.array(losses)


path, losses = descend(patches, targets, start, steps=300)
assert losses[-1] < losses[0] / 1000
print(path[-1].reshape(3, 3).round(1))

# %%
kept = [0, 1, 3, 10, 100, 300]
viz.plot_filters(path[kept].reshape(-1, 3, 3), [f"step {step}" for step in kept], numbers=True)

# %% [markdown]
# *Finding.* Step 0 is chance. After ten steps the left column is dark, the right one is light: it
# subtracts left from right. After 300 steps you would recognize Sobel, but not all is well: the
# numbers in the middle should be zero.

# %%
viz.plot_weight_paths(range(301), path, kernel("sobel_x"), losses=losses)

# %% [markdown]
# *Finding.* Left: nine weights on their way, each drawn by the value it should reach (a gray
# line). They rush in the first ten steps and then crawl. Right: the loss, on a scale where each
# mark is a tenth of the one above. The two pictures do not tell the same story: **the loss is
# down to less than a thousandth, and the kernel is still visibly wrong.** How can that be?

# %% [markdown]
# ### 8.3 What the data hardly say
#
# Take the true Sobel and spoil it in two ways, equally much: add 0.1 to *all* nine weights, or
# add 0.1 and −0.1 *in turn*, like a checkerboard.
#
# **Predict, then run.** Which of the two does more harm to the responses?

# %%
checkerboard = np.array([[1, -1, 1], [-1, 1, -1], [1, -1, 1]])
for name, pattern in {"all the same": np.ones((3, 3)), "checkerboard": checkerboard}.items():
    spoiled = kernel("sobel_x") + 0.1 * pattern
    loss = np.mean((patches @ spoiled.ravel() - targets) ** 2)
    print(f"{name:13} loss {loss:.5f}")

# %% [markdown]
# The loss differs by a factor of almost ninety. Neighboring pixels of these digits are nearly
# alike (they were enlarged from 8 × 8), so plus and minus in turn cancel, and the responses
# hardly notice. But what the responses do not notice, the loss does not punish, and the gradient
# does not repair: it is nearly zero in that direction. The strokes are loud about "how bright,
# left and right", and almost silent about such fine patterns.
#
# Why not take larger steps, then? Because somewhere else they are too large:

# %%
for rate in (0.5, 1.0):
    _, losses = descend(patches, targets, start, steps=20, learning_rate=rate)
    print(f"learning rate {rate}: loss after 20 steps {losses[-1]:.2g}")
loudness = np.linalg.eigvalsh(patches.T @ patches / len(patches))
print(f"loudest : faintest = {loudness[-1] / loudness[0]:.0f} : 1")

# %% [markdown]
# With twice the learning rate every step overshoots in the loud directions, farther each time,
# and the loss explodes. So the steps must be small enough for the loudest direction, and are then
# far too small for the faintest. (If you know eigenvalues: those of `patches.T @ patches` measure
# how loudly the data speak in nine directions, of which our two patterns are near relatives. The
# ratio of the largest to the smallest is the **condition number**, here almost 1,900.)
#
# It helps to walk longer, and to let the steps gather speed where they keep going the same way.
# That is called **momentum**, and lesson 4 explains it. Here we use it.

# %% [markdown]
# ### 8.4 The same as a network
#
# Nothing in `descend` was special to Sobel, and the package has all of it ready-made: a network
# that is a single layer, with one kernel and nothing else. `fit` goes through all images 15 times
# (15 **epochs**), 32 images at a time (a **batch**), and takes a step after each batch. A
# `WeightRecorder` keeps the weights on the way.
#
# The loss, `squared_error`, adds up over the 676 places of an image, where we took the mean. So
# its numbers are larger, and the learning rate has to be smaller.

# %%
x = data.train.images
y, _ = conv2d_forward(x, kernel("sobel_x")[None, None].astype(np.float32))
network = Sequential([Conv2D(1, 1, 3, bias=False, rng=rng)], input_shape=(1, 28, 28))
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
learned = network["conv1"].params["weight"][0, 0]
assert np.abs(learned - kernel("sobel_x")).max() < 0.02
print(learned.round(1) + 0.0)

# %% [markdown]
# There it is: **Sobel, found again**, from a random start, each weight within 0.02 (the `assert`
# holds it). Nobody told the network about smoothing or differences.

# %%
snapshots = [each["conv1.weight"][0, 0] for each in recorder.snapshots]
viz.plot_weight_paths(recorder.steps, snapshots, kernel("sobel_x"), losses=history.batch_loss)

# %% [markdown]
# *Finding.* The same journey, with 45 steps an epoch, 675 in all. At first the momentum makes the
# curves overshoot, together with the loss; from step 100 on they only creep the last bit. In the
# end all nine lie on their gray lines, and the loss, which began above 1,000, is below a
# millionth.
#
# For this small problem there is an oracle: the best weights can be computed at once, by least
# squares. (For a network of several layers there is no such formula. That is why everybody walks
# downhill.)


# %%
def best_kernel(patches, targets):
    """Return the 3 x 3 kernel with the smallest possible squared error."""
    return np.linalg.lstsq(patches, targets)[0].reshape(3, 3)


assert np.allclose(best_kernel(patches, targets), kernel("sobel_x"))
assert np.allclose(best_kernel(patches, targets), learned, atol=0.02)
print("least squares = Sobel = what the network learned")

# %% [markdown]
# ### 8.5 When the data cannot tell
#
# Now train on images that vary in **one direction only**: take one row of each digit and repeat
# it, so that all rows of the image are equal, like a bar code. The targets are again the
# responses of Sobel.

# %%
bar_codes = np.repeat(images[:20, 14:15, :], 28, axis=1)
windows = np.lib.stride_tricks.sliding_window_view(bar_codes, (3, 3), axis=(1, 2))
bar_patches = windows.reshape(-1, 9)
bar_targets = bar_patches @ kernel("sobel_x").ravel()
viz.plot_responses(bar_codes[15], ["sobel_x"])

# %% [markdown]
# *Finding.* A five's middle row, 28 times. Sobel answers with a yellow and a blue stripe, and its
# three rows all see the same pixels.
#
# **Predict, then run.** We begin with nine zeros. Will it find Sobel again? If not, what else?

# %%
path, losses = descend(bar_patches, bar_targets, np.zeros(9), steps=2000)
from_zero = path[-1].reshape(3, 3)
assert losses[-1] < 1e-6
assert np.allclose(from_zero, 4 / 3 * kernel("prewitt_x"), atol=0.01)
print(f"loss {losses[-1]:.4f}")
print(from_zero.round(2) + 0.0)

# %% [markdown]
# The loss is zero, to four digits, and the kernel is not Sobel. It is **Prewitt**, times 4/3. If
# all rows of the image are equal, only the *sums of the columns* of the kernel matter. In Sobel
# the right one is $1 + 2 + 1 = 4$, here it is $\tfrac43 + \tfrac43 + \tfrac43 = 4$. Starting from
# zeros, the three rows receive the same gradients and remain equal. From other starts, other
# kernels come out:

# %%
starts = np.random.default_rng(2).normal(size=(3, 9))
candidates = {"from zeros": from_zero}
for name, begin in zip(["start 1", "start 2", "start 3"], starts, strict=True):
    path, losses = descend(bar_patches, bar_targets, begin, steps=2000)
    assert losses[-1] < 1e-4
    candidates[name] = path[-1].reshape(3, 3)
    print(name, "sums of the columns:", candidates[name].sum(axis=0).round(1) + 0.0)
viz.plot_filters(candidates, numbers=True)

# %% [markdown]
# *Finding.* Four different kernels, all of them perfect on the bar codes. Nine numbers were asked
# for, and the data determine only three, the sums of the columns. The other six remain what
# chance made them at the start.
#
# **Predict, then run.** Give them something that the bar codes never showed: the same bar code,
# turned by 90 degrees. What would Sobel answer? What will the four answer?

# %%
turned = bar_codes[15].T
viz.plot_responses(turned, {"sobel_x": kernel("sobel_x"), **candidates})

# %% [markdown]
# *Finding.* Nothing changes from left to right, so `sobel_x` is silent, and so is the kernel that
# began with zeros. The three others see edges where none should be seen, two of them yellow above
# and blue below, the third more weakly and the other way round. **A perfect loss on the training
# data says nothing about what those data never show.** This sentence is worth keeping for every
# network you will ever train.

# %% [markdown]
# ### 8.6 Noisy targets
#
# What if the answers we learn from are themselves a little wrong? We add noise of standard
# deviation 0.5 to every target, and take the best kernel for 1, 10, 100 and 1,000 images.
#
# **Predict, then run.** Will the loss go to zero? And how do more images change the kernel?

# %%
windows = np.lib.stride_tricks.sliding_window_view(x[:1000, 0].astype(float), (3, 3), axis=(1, 2))
many = windows.reshape(1000, -1, 9)
noisy_targets = many @ kernel("sobel_x").ravel() + rng.normal(0, 0.5, many.shape[:2])
estimates = {}
for count, name in {1: "1 image", 10: "10 images", 100: "100 images", 1000: "1,000 images"}.items():
    some, wanted = many[:count].reshape(-1, 9), noisy_targets[:count].ravel()
    estimates[name] = best_kernel(some, wanted)
    loss = np.mean((some @ estimates[name].ravel() - wanted) ** 2)
    mistake = np.abs(estimates[name] - kernel("sobel_x")).max()
    print(f"{name:12}  loss {loss:.2f}, largest mistake in a weight {mistake:.2f}")
assert np.allclose(estimates["1,000 images"], kernel("sobel_x"), atol=0.1)

# %%
print(np.sign(estimates["1 image"] - kernel("sobel_x")).astype(int))
viz.plot_filters(estimates, numbers=True)

# %% [markdown]
# *Finding.* From one image, Sobel can be guessed; from a thousand, it is there to within a few
# hundredths. The noise is different at every place and averages out: ten times more images,
# mistakes about three times smaller, more or less. The signs above the figure are those of the
# mistakes made with one image: plus and minus in turn, the checkerboard of section 8.3. Noise
# does the most harm where the data are faint.
#
# The loss stays near $0.5^2 = 0.25$ however many images there are, because no kernel can predict
# noise. A loss that does not reach zero is not always the learner's fault.

# %% [markdown]
# ### 8.7 One more riddle
#
# **Predict, then run.** Somebody computes the targets with a *true convolution* by `sobel_x`, the
# kernel flipped. The learner cross-correlates, as always. Which kernel will it find?

# %%
flipped_targets = np.array([convolve2d(each, kernel("sobel_x"), mode="valid") for each in images])
print(best_kernel(patches, flipped_targets.ravel()).round() + 0.0)

# %% [markdown]
# The flipped one, which for Sobel is the one with all signs reversed. A learner does not care
# which way the kernel is laid on the image: it finds whichever numbers do the job. This is why
# deep learning can say "convolution", compute cross-correlation, and get away with it.

# %% [markdown]
# ### The bridge to lesson 3
#
# Here we knew the right response at every pixel. In a network that reads digits nobody does:
# known is only *"this is a five"*. But the recipe stays the same: a loss, its derivative with
# respect to every weight, a small step. The next lesson builds the layers that carry such a
# derivative backward from the answer to the first kernel. **Nobody designs the kernels in a
# network**, and still, when you open one in lesson 5, you will meet old acquaintances from this
# lesson.

# %% [markdown]
# ## Exercises
#
# Write your solution in place of `raise NotImplementedError`, run the cell, then run the check
# below it. It tells you what is not right yet. If you get stuck, run for example
# `checks.edge_strength.hint()`.
#
# ### Exercise 1: a diagonal edge kernel
#
# Return a 3 × 3 kernel that answers to edges along one diagonal, and not to flat areas. Along the
# other diagonal its answer should be at most half as strong. Which diagonal is up to you.
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
# ### Exercise 2: edge strength
#
# Return $\sqrt{g_x^2 + g_y^2}$ of an image, with $g_x$ and $g_y$ its responses (valid) to
# `sobel_x` and `sobel_y`.
#
# *Hint:* `respond` twice, then Pythagoras, pixel by pixel.


# %%
def edge_strength(image):
    """Return an array two rows and two columns smaller than the image."""
    ### BEGIN SOLUTION
    grad_x = respond(image, kernel("sobel_x"))
    grad_y = respond(image, kernel("sobel_y"))
    return np.sqrt(grad_x**2 + grad_y**2)
    ### END SOLUTION


# %%
checks.edge_strength(edge_strength)

# %% [markdown]
# ### Exercise 3: a Gaussian of any size
#
# Return the `size` × `size` kernel (the size is odd) whose weights are proportional to
# $\exp(-r^2 / (2 \sigma^2))$ and sum to 1. Here $r$ is the distance from the middle element, in
# pixels.
#
# *Hint:* `x = np.arange(size) - size // 2` puts 0 in the middle; `x[:, None] ** 2 + x ** 2` is
# the squared distance of every element from it.


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
# kernel. You may rely on it that the kernel is separable. There are many right answers.
#
# *Hint:* every row of such a kernel is a multiple of one row. Take a row that is not all zeros;
# which multiple of it is each of the others?


# %%
def separable_factors(kernel):
    """Return two vectors, column and row."""
    ### BEGIN SOLUTION
    i, j = np.unravel_index(np.abs(kernel).argmax(), kernel.shape)
    return kernel[:, j] / kernel[i, j], kernel[i]
    ### END SOLUTION


# %%
checks.separable_factors(separable_factors)

# %% [markdown]
# ## Recap
#
# - An edge is a change, and a difference finds it. The sign of the answer says which side is
#   bright.
# - Weights that sum to 0 are silent on flat areas; weights that sum to 1 give a picture back.
# - Prewitt and Sobel are smoothing times difference, hence separable: $2k$ multiplications
#   instead of $k^2$.
# - The Laplacian answers in every direction, with a double line, and amplifies noise: blur first.
# - $g_x$ and $g_y$ together are an arrow: strength and direction of an edge.
# - Gradient descent found Sobel again from images and responses. What the data say faintly is
#   learned slowly, what they do not say is not learned at all, and noise averages out.
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
