# %% [markdown]
# # Lesson 9 · What does it look at?
#
# A network reads an 8 as a 9. Why? There are methods that answer with a picture: bright where the
# network "looked". The pictures are beautiful, and one easily believes them. In this lesson you
# take the methods apart, one by one. Each answers a narrower question than its picture suggests,
# and each is put to two tests: what does it show for a network that has **learned nothing**, and
# what does it show where **the right answer is known**?
#
# **What you will be able to do**
#
# - say what occlusion, saliency and Grad-CAM measure, and compute each by hand on a few integers;
# - put a picture to the test, with random weights and with a task whose answer you know;
# - make an image out of noise that excites a unit, and see what it has to do with the data;
# - lead a network astray with a step so small that nobody notices, and show that it is no chance;
# - read a t-SNE picture without reading too much into it.
#
# **What you need:** lessons [3](03_layers.ipynb) (gradients), [4](04_training.ipynb) (training) and
# [5](05_filters_and_feature_maps.ipynb) (feature maps, and why a picture needs a control).
#
# **How long it takes:** about 60 minutes in two sittings, 35 for sections 1 to 6 (where it looks)
# and 25 for sections 7 to 10 (what it wants, and how to lead it astray; the break is marked), and
# 20 more for the exercises.
#
# ← [Lesson 8: Your own handwriting](08_own_handwriting.ipynb) ·
# [Lesson 10: Color, sound and other grids](10_color_sound_and_other_grids.ipynb) → ·
# [Solutions](solutions/09_what_does_it_look_at.ipynb)

# %%
import numpy as np

from cnnedu import Momentum, Sequential, checks, evaluate, fit, load_pretrained
from cnnedu import visualization as viz
from cnnedu.architectures import build
from cnnedu.attribution import (
    adversarial,
    grad_cam,
    likeness,
    maximize,
    occlusion,
    randomized,
    saliency,
)
from cnnedu.data import load_digits
from cnnedu.embedding import embed, neighbor_agreement
from cnnedu.layers import Conv2D, Dense, Flatten, MaxPool2D, ReLU
from cnnedu.visualization.patches import exciting_patches

rng = np.random.default_rng(0)
data = load_digits()

# %% [markdown]
# ## 1. A network to question, and one that knows nothing
#
# We question the deep network of lesson 5: two convolution layers with ReLU and pooling, then two
# dense layers. It trains for a few seconds. (In float64, so that your numbers are those of the
# text.)


# %%
def in_double_precision(network):
    """Turn a network's weights into float64, and return it."""
    for layer in network:
        layer.params = {name: array.astype(np.float64) for name, array in layer.params.items()}
    return network


def train(network, examples, epochs):
    """Train a network, always with the same order of the images, and return it."""
    options = {"epochs": epochs, "batch_size": 50, "progress": False}
    order, optimizer = np.random.default_rng(0), Momentum(0.02, nesterov=True)
    fit(in_double_precision(network), examples, optimizer=optimizer, rng=order, **options)
    return network


deep = train(build("lasagne", rng=np.random.default_rng(1)), data.train, epochs=10)
print(f"{evaluate(deep, data.test).accuracy:.1%} of the test digits are read correctly")

# %% [markdown]
# Beside it we put the same network with fresh **random weights**. It has the same layers and the
# same shapes, and it has never seen a digit. Whatever a method shows for *this* network was not
# learned. (What it reads right, it reads by luck; other random weights read other digits.)

# %%
blank = randomized(deep, rng=np.random.default_rng(0))
print(f"{evaluate(blank, data.test).accuracy:.1%} with random weights")

# %% [markdown]
# Two digits will come along. The first is an 8. The second is an 8 as well, but its lower loop has
# closed to a thick stroke.

# %%
eight, closed = data.test.images[6], data.test.images[31]
for name, image in {"the first": eight, "the second": closed}.items():
    chances = deep.predict_proba(image[None])[0]
    print(f"{name}: 8 with {chances[8]:.0%}, 9 with {chances[9]:.0%}")
viz.plot_images([eight, closed], ["read as 8", "read as 9"])

# %% [markdown]
# **What you see.** The network is sure of the first. The second it takes for a 9. What did it look
# at?

# %% [markdown]
# ## 2. Occlusion: what if this were not there?
#
# ### 2.1 By hand
#
# The simplest idea is to cover a part of the image and ask again (Zeiler and Fergus, 2014). How far
# the score falls says how much the covered part spoke for it. That is called **occlusion**.
#
# Take an image of four pixels, and a "network" that is a single weighted sum:
#
# $$x = \begin{pmatrix} 1 & 2 \\ 0 & 1 \end{pmatrix}, \qquad
# w = \begin{pmatrix} 1 & 2 \\ 3 & 4 \end{pmatrix}, \qquad
# \text{score} = \sum w \cdot x = 1 + 4 + 0 + 4 = 9.$$
#
# **Predict, then run.** How far does the score fall if the lower left pixel is covered, the one
# with the weight 3? And the lower right one?

# %%
image, weights = np.array([[1, 2], [0, 1]]), np.array([[1, 2], [3, 4]])


def drops(score, image):
    """Set one pixel after the other to 0, and return how far the score falls each time."""
    fall = np.zeros_like(image)
    for place in np.ndindex(image.shape):
        covered = image.copy()
        covered[place] = 0
        fall[place] = score(image) - score(covered)
    return fall


print(drops(lambda x: (weights * x).sum(), image))

# %% [markdown]
# The lower left pixel has a large weight and shows 0: it was black before, and covering it with
# black changes nothing. The fall is *weight times pixel*. So an occlusion map is about **this
# image**, not about the network alone, and about **what we cover with**. Black means "no ink" here;
# there is no color that means "nothing".
#
# ### 2.2 Two that stand in for each other
#
# Now a network with a choice. Its score is the larger one of two pixels, as in max pooling. Both
# are 1.
#
# **Predict, then run.** What does the occlusion map show?

# %%
two = np.array([1, 1])
print("one at a time:", drops(lambda x: x.max(), two))
print("both at once: ", two.max() - np.zeros(2, int).max())

# %% [markdown]
# Nothing, although nothing but these two pixels matters. Each is there for the other. **What
# occlusion does not show may matter all the same.** A larger square would have covered both; so the
# size of the square is part of the question.

# %% [markdown]
# ### 2.3 On the 8
#
# A square of 5 × 5 fits into 28 × 28 pixels in 24 · 24 = 576 places, and the network is asked 576
# times. Each pixel then shows the mean fall over all squares that cover it. Above: how far the
# probability of 8 falls, and that of 9. Below: the same for random weights.

# %%
viz.plot_occlusion(deep, eight, [8, 9], control=blank)

# %% [markdown]
# **What you see.** Yellow means that covering this place makes the probability fall, blue that it
# rises. The 8 hangs on its left side, between the loops: cover it, and up to 0.86 of the
# probability is gone. On the right we see where it goes. Blue, at the lower left: with this piece
# covered, the probability of 9 rises by up to 0.81. An 8 without the left side of its lower loop is
# a 9. That makes sense.
#
# The lower row has patterns, too, but look at the sizes above the maps: the random network's
# probabilities hardly move at all. (Each map is drawn relative to its own largest value, so that
# patterns can be compared. `scale="shared"` puts all on one scale.)
#
# An occlusion map hides *what* the network reads instead. But that can be asked, too:

# %%
found = occlusion(deep, eight, 8)
counts = np.bincount(found.answers.ravel(), minlength=10)
print("read as 0, 1, ... 9:", counts)

# %% [markdown]
# In 523 of the 576 places the square changes nothing. In 24 the 8 becomes a 9, in 14 a 3.
#
# And the second digit, the 8 that is read as a 9?

# %%
viz.plot_occlusion(deep, closed, [8, 9], control=blank)

# %% [markdown]
# **What you see.** The 9 hangs on the upper loop: covered, 0.86 of its probability is gone. The 8
# has a blue spot right of the stroke, just below the loop. A black square there makes the thick
# stroke narrower, which gives the digit the waist it lacks, and the 8 gains.
#
# So the map does not say "here is the 8". It says "without *this* ink it would be more of an 8".
# And what makes a good 8 and is missing here, the hole in the lower loop, no black square can show
# at all: one cannot cover what is not there.
#
# What if we cover with white instead?

# %%
for fill in (0.0, 0.5, 1.0):
    found = occlusion(deep, eight, 8, fill=fill)
    row, column = np.unravel_index(found.drop.argmax(), found.drop.shape)
    print(f"filled with {fill}: largest fall {found.drop.max():.2f}, at ({row}, {column})")

# %% [markdown]
# With black the left side between the loops matters most; with gray hardly anything does; with
# white it is the notch on the right, which must not be filled. **Occlusion compares the image with
# another image, and the other image is our choice.**

# %% [markdown]
# ## 3. Saliency: what if this pixel were a little brighter?
#
# ### 3.1 By hand
#
# Occlusion asks 576 times. Backpropagation answers a smaller question for all pixels at once: how
# much does the score rise, per unit of brightness, if a pixel gets a *little* brighter? That is the
# gradient of the score with respect to the image, $S = \partial\,\text{score} / \partial x$, drawn
# as a picture: a **saliency map** (Simonyan et al., 2014).
#
# Take two pixels $a$ and $b$, and $\text{score} = \max(0,\ 2a - b) + 3b$.
#
# **Predict, then run.** What is the gradient at $a = 1, b = 1$? And at $a = 0, b = 1$?


# %%
def score(pixels):
    """Return max(0, 2a - b) + 3b."""
    a, b = pixels
    return max(0, 2 * a - b) + 3 * b


def slopes(score, pixels, step=0.001):
    """Return how much the score rises per step, for each pixel."""
    pixels = np.array(pixels, float)
    moved = pixels + step * np.eye(len(pixels))
    return [round(float(score(each) - score(pixels)) / step, 6) for each in moved]


print("at (1, 1):", slopes(score, [1, 1]), " at (0, 1):", slopes(score, [0, 1]))

# %% [markdown]
# At (1, 1) the bracket is positive: the gradient is $(2, -1 + 3) = (2, 2)$. At (0, 1) the ReLU is
# silent: $(0, 3)$. Pixel $a$ shows 0 there, although making it bright enough would wake the ReLU.
#
# The opposite happens where a score is saturated. Let it be $\min(a, 1)$ and $a = 2$:

# %%
saturated = lambda pixels: min(pixels[0], 1)  # noqa: E731
print("gradient:", slopes(saturated, [2]), " fall if covered:", saturated([2]) - saturated([0]))

# %% [markdown]
# The gradient is 0, and yet the whole score hangs on this pixel. **A gradient tells about small
# changes only.** For the same reason we take the gradient of the score before softmax, the logit:
# where the network is 99.9 % sure, the *probability* hardly changes any more.

# %% [markdown]
# ### 3.2 On the 8
#
# The library computes the gradient by one backward pass. Is it right? We check three pixels by
# wiggling them.

# %%
gradient = saliency(deep, eight, 8)
for row, column in [(10, 12), (16, 11), (20, 18)]:
    scores = []
    for step in (1e-5, -1e-5):
        moved = eight.astype(np.float64)
        moved[0, row, column] += step
        scores.append(deep.logits(moved[None])[0, 8])
    wiggled = (scores[0] - scores[1]) / 2e-5
    assert abs(gradient[0, row, column] - wiggled) < 1e-6
    print(
        f"pixel ({row}, {column}): backward {gradient[0, row, column]:.4f}, wiggled {wiggled:.4f}"
    )

# %% [markdown]
# Three kinds of saliency maps are in use:
#
# - the **gradient** itself;
# - **gradient × input**: the gradient times the pixel's brightness, which for a plain weighted sum
#   would be each pixel's share in the score, the *weight times pixel* of section 2.1;
# - the **smoothed gradient**: the mean over 25 copies of the image with some noise added, since
#   gradients jump from pixel to pixel (Smilkov et al., 2017).

# %%
kinds = ["gradient", "input", "smooth"]
viz.plot_saliency(deep, eight, 8, kinds, control=blank)

# %% [markdown]
# **What you see.** Upper row, left: yellow pixels would raise the score of 8 if they were brighter,
# blue ones if they were darker. The holes of the 8 and the notches at its waist are blue: they are
# to stay dark. The long stroke between the loops is yellow. In the middle, gradient × input shows
# the strokes only; holes and notches are gone, since their pixels are 0. On the right, the smoothed
# gradient looks like the first, somewhat calmer.
#
# Now the lower row, with random weights. The gradient is speckles, and so is the smoothed one. But
# in the middle a well-formed 8 has appeared again. And above it stands its *likeness* with the map
# above: 0.98. What does that mean?

# %% [markdown]
# ## 4. The control as a number
#
# ### 4.1 Likeness
#
# Two maps look alike if they are bright in the same places. To measure that, sort the pixels of
# each map by their magnitude, from the faintest to the brightest, and correlate the *ranks*. That
# is Spearman's **rank correlation**: 1 is the same order, 0 nothing in common.

# %%
first, second = np.array([1.0, 5.0, -2.0, 0.1]), np.array([30.0, -90.0, 40.0, 0.0])
print(likeness(first, second))

# %% [markdown]
# By magnitude, both order the pixels in the same way: fourth, first, third, second. So the likeness
# is 1, whatever the units and the signs.
#
# **Predict, then run.** For ten digits we compare each method's map of the trained network with its
# map of the random one. Adebayo et al. (2018) demand that they differ: a method that shows the same
# for a network that knows nothing cannot be about what was learned. Which methods pass?


# %%
methods = {
    "occlusion": lambda network, image, digit: occlusion(network, image, digit, stride=2).pixels(),
    "gradient": lambda network, image, digit: saliency(network, image, digit)[0],
    "gradient x input": lambda network, image, digit: saliency(network, image, digit, kind="input")[
        0
    ],
    "smoothed gradient": lambda network, image, digit: saliency(
        network, image, digit, kind="smooth", rng=np.random.default_rng(0)
    )[0],
}

# %%
images = data.test.images[:10]
digits = deep.predict(images)
maps = {
    name: [
        [method(n, x, int(d)) for x, d in zip(images, digits, strict=True)] for n in (deep, blank)
    ]
    for name, method in methods.items()
}
for name, (trained, random) in maps.items():
    alike = np.mean([likeness(a, b) for a, b in zip(trained, random, strict=True)])
    print(f"{name:18} likeness with random weights {alike:.2f}")

# %% [markdown]
# Gradient × input **fails**: at 0.99 the random network's map is as good as the trained one's.
# Occlusion does hardly better, with 0.90. The gradient has 0.65, the smoothed one 0.53.
#
# ### 4.2 Where the likeness comes from
#
# A control that fails asks for a reason. One suspect is the image itself. It is part of each map:
# gradient × input multiplies by it, and black squares on black pixels change nothing. So we measure
# the likeness again, first of each map **with the image**, then with random weights, but only
# **inside the ink** (brighter than 0), and inside the pure white.

# %%
print(f"{'':18} with the image   random weights: everywhere, ink, white")
for name, (trained, random) in maps.items():
    numbers = []
    for a, b, image in zip(trained, random, images[:, 0], strict=True):
        ink, white = image > 0, image == 1
        numbers.append(
            [
                likeness(a, image),
                likeness(a, b),
                likeness(a[ink], b[ink]),
                likeness(a[white], b[white]),
            ]
        )
    image, *rest = np.mean(numbers, axis=0)
    print(f"{name:18} {image:14.2f}   {rest[0]:26.2f} {rest[1]:4.2f} {rest[2]:5.2f}")

# %% [markdown]
# That is the reason. The map of gradient × input has a likeness of 0.99 *with the image*: what we
# recognize in it is the digit, not what the network made of it. Among white pixels, where the
# image is the same everywhere, nothing is left of the likeness. So the method is not useless, but
# **a picture that shows the digit has shown you the input.** To read such a map, compare strengths
# and signs *inside* the strokes.
#
# The other methods have the same illness, less severely: far from the ink all maps are faint, for
# any network, and so they agree there. Inside the ink hardly anything of the likeness is left. (A
# likeness of 0.2 for occlusion: its squares are larger than the strokes and reach into the black.)
#
# ### 4.3 Layer by layer
#
# A stricter form of the control makes only the last layer random, then the last two, and so on. A
# map that is about what was learned should change from the first step on. We count with signs this
# time.

# %%
fresh = {"the last dense layer": ["dense2"]}
fresh["both dense layers"] = ["dense2", "dense1"]
fresh["these and conv2"] = ["dense2", "dense1", "conv2"]
fresh["all"] = ["dense2", "dense1", "conv2", "conv1"]
for name, layers in fresh.items():
    partly = randomized(deep, layers=layers, rng=np.random.default_rng(0))
    alike = [
        likeness(saliency(deep, x, int(d)), saliency(partly, x, int(d)), signed=True)
        for x, d in zip(images, digits, strict=True)
    ]
    print(f"random: {name:21} likeness of the gradient, with signs: {np.mean(alike):.2f}")

# %% [markdown]
# With signs, the gradient passes: as soon as the last layer is random, nothing is left. So whether
# a method passes depends on what we look at, brightness or sign. (Often such maps are drawn without
# their signs. Then what is left to see is largely the input.)

# %% [markdown]
# ## 5. Grad-CAM: where in the maps is the evidence?
#
# ### 5.1 By hand
#
# Occlusion and saliency speak of pixels. Deeper in the network there are maps of *parts* (lesson
# 5). **Grad-CAM** (Selvaraju et al., 2017) asks these. A layer has maps $A_k$. Each gets a weight:
# the mean gradient of the score with respect to it,
#
# $$\alpha_k = \frac{1}{PQ} \sum_{i,j} \frac{\partial\,\text{score}}{\partial A_k[i, j]}, \qquad
# \text{Grad-CAM} = \max\Big(0,\ \sum_k \alpha_k A_k\Big).$$
#
# Two maps of 2 × 2, and their gradients:
#
# $$A_1 = \begin{pmatrix} 1 & 0 \\ 2 & 1 \end{pmatrix},\
# A_2 = \begin{pmatrix} 0 & 3 \\ 1 & 1 \end{pmatrix}, \qquad
# G_1 = \begin{pmatrix} 2 & 2 \\ 2 & 2 \end{pmatrix},\
# G_2 = \begin{pmatrix} -1 & -3 \\ -2 & -2 \end{pmatrix}.$$
#
# **Predict, then run.** The two weights, and the map?

# %%
A = np.array([[[1, 0], [2, 1]], [[0, 3], [1, 1]]])
G = np.array([[[2, 2], [2, 2]], [[-1, -3], [-2, -2]]])
alpha = G.mean(axis=(1, 2))
combined = (alpha[:, None, None] * A).sum(axis=0)
print("weights:", alpha, " sum:", combined.tolist(), " Grad-CAM:", np.maximum(combined, 0).tolist())

# %% [markdown]
# $\alpha = (2, -2)$, the sum is $2 A_1 - 2 A_2$, and what is negative is cut.

# %% [markdown]
# ### 5.2 On the two digits
#
# We take the maps of `relu2`, 8 × 8. Each cell is drawn around the middle of what it sees of the
# image.

# %%
viz.plot_gradcam(deep, eight, [8, 9], control=blank)

# %% [markdown]
# **What you see.** A coarse picture, 64 cells. For 8 the strongest cells lie on the left, at the
# upper loop and below it, for 9 at the top. With random weights next to nothing is positive, and
# the likeness is about 0: Grad-CAM **passes** the control of section 4. Whether it is *right* we
# cannot say. Nobody knows where the evidence for an 8 "really" lies.
#
# Is it so with ten digits, too?

# %%
alike = []
for image, digit in zip(images, digits, strict=True):
    alike.append(likeness(grad_cam(deep, image, int(digit)), grad_cam(blank, image, int(digit))))
print(f"Grad-CAM           likeness with random weights {np.nanmean(alike):.2f}")

# %% [markdown]
# Yes: 0.00. By this control alone, Grad-CAM would be the best of all. But to differ from the random
# network's map is easy: random numbers would do so, too. We need a second test.

# %% [markdown]
# ## 6. A task whose answer we know
#
# ### 6.1 The mark in the corner
#
# For a test we need images of which we know where the answer stands. So we make them. Each digit
# gets a white square of 3 × 3 pixels in one of the four corners, drawn at random, and the network
# is to say in **which corner** it is: 0, 1, 2 or 3. The digit has nothing to do with it.

# %%
CORNERS = [(1, 1), (1, 24), (24, 1), (24, 24)]


def with_marks(images, rng):
    """Return copies with a mark in a random corner each, and the numbers of the corners."""
    images, corners = images.copy(), rng.integers(0, 4, len(images))
    for image, corner in zip(images, corners, strict=True):
        row, column = CORNERS[corner]
        image[0, row : row + 3, column : column + 3] = 1
    return images, corners


train_marks = with_marks(data.train.images[:720], np.random.default_rng(3))
test_marks = with_marks(data.test.images, np.random.default_rng(4))
viz.plot_images(test_marks[0][:6], [f"corner {corner}" for corner in test_marks[1][:6]])

# %% [markdown]
# **What you see.** Six of them, with the right answer above each.
#
# A small network of the usual kind learns this quickly.

# %%
r = np.random.default_rng(0)
layers = [Conv2D(1, 8, 5, padding="same", rng=r), ReLU(), MaxPool2D(2)]
layers += [Conv2D(8, 8, 5, padding="same", rng=r), ReLU(), MaxPool2D(2)]
layers += [Flatten(), Dense(8 * 7 * 7, 4, rng=r)]
finder = train(Sequential(layers, input_shape=(1, 28, 28)), train_marks, epochs=4)
print(f"{evaluate(finder, test_marks).accuracy:.1%} of the test images")

# %% [markdown]
# All of them, on digits it has never seen. So the network finds the mark, and nothing else can tell
# it the answer. **A method that is to show where the network looks must point at the mark.**
#
# **Predict, then run.** Which method will fail?

# %%
example, corner = test_marks[0][0], int(test_marks[1][0])
lost = randomized(finder, rng=np.random.default_rng(5))
viz.plot_saliency(finder, example, corner, ["gradient", "input"], control=lost)

# %% [markdown]
# **What you see.** Both maps are brightest on the mark, at the lower left. Gradient × input, which
# failed the control, is right here: it shows mark and digit, as it shows all ink, but the *strong*
# values lie on the mark alone. (Its likeness with the random network's map is 0.98 all the same.)

# %%
viz.plot_gradcam(finder, example, [0, 1, 2, 3], control=False)

# %% [markdown]
# **What you see.** The mark is in corner 2, and the network knows it. Grad-CAM sees its evidence
# for 2 along the digit's right side, for 0 and 1 at its other sides, and near the mark a faint glow
# at best.
#
# ### 6.2 All methods, thirty images
#
# How often does a method's largest value lie on the mark, or within two pixels of it? That is an
# area of 7 × 7 pixels; a method that points anywhere would hit it one time in sixteen.


# %%
def points_at(values, corner):
    """Tell whether the largest value lies on the mark, give or take two pixels."""
    cell = 28 // len(values)
    row, column = np.unravel_index(values.argmax(), values.shape)
    off = np.abs(np.array([row, column]) * cell + (cell - 1) / 2 - np.array(CORNERS[corner]) - 1)
    return off.max() <= 3


methods["occlusion"] = lambda network, image, k: occlusion(network, image, k, 3).pixels()
methods["Grad-CAM"] = lambda network, image, k: grad_cam(network, image, k)
marked = [(x, int(k)) for x, k in zip(test_marks[0][:30], test_marks[1][:30], strict=True)]
for name, method in methods.items():
    hits = np.mean([points_at(method(finder, x, k), k) for x, k in marked])
    luck = np.mean([points_at(method(lost, x, k), k) for x, k in marked])
    print(f"{name:18} points at the mark: {hits:4.0%}, with random weights {luck:.0%}")

# %% [markdown]
# The tables are turned. Occlusion and all three gradients point at the mark every time, and with
# random weights about as often as by chance. Grad-CAM, which passed the control best, does not do
# so once.
#
# ### 6.3 Why, in integers
#
# The reason is the mean in $\alpha_k$. Take one map that answers to marks, with a 5 where the mark
# is. The dense layer behind it tells corners apart by *place*: a mark on the left speaks for the
# class, a mark on the right against it.

# %%
A, G = np.array([[5, 0]]), np.array([[1, -1]])
print("mean gradient:", G.mean(), " times the map:", G.mean() * A)
print("place by place:", G * A)

# %% [markdown]
# Left and right cancel, the map gets the weight 0, and the evidence is gone. Grad-CAM supposes that
# a map speaks for the class *wherever* it is active. That holds for networks that end in a mean
# over each map, from which the idea comes. A network that ends in a dense layer over all places,
# like this one and `deep`, does not keep to it.
#
# The remedy is to leave out the mean: weigh each place by its own gradient, and add up over the
# maps (Draelos and Carin, 2020, call it HiResCAM).

# %%
viz.plot_gradcam(finder, example, corner, average=False, control=lost)

# %% [markdown]
# **What you see.** With one line changed, the strongest cells touch the mark, and the digit is
# nearly dark. For thirty images:

# %%
hits = [points_at(grad_cam(finder, x, k, average=False), k) for x, k in marked]
print(f"place by place     points at the mark: {np.mean(hits):.0%}")

# %% [markdown]
# So there are two tests, and they find different faults. Random weights find methods that show the
# image instead of the network. A known answer finds methods that look elsewhere than the network
# does. **Before you believe a picture, make both**: take the weights away, and plant a mark
# yourself. (This is no game. Lapuschkin et al., 2019, found a well-known system that recognized
# horses by the photographer's name in the corner of the picture.)
#
# ---
#
# **A good place for a break.** So far we asked where a network looks in a *given* image. The second
# half asks what it wants to see, how easily it is led astray, and what it takes for similar.

# %% [markdown]
# ## 7. What would a unit like to see?
#
# ### 7.1 By hand
#
# Now we keep the network and change the image: begin with gray noise, and go step by step in the
# direction in which a unit's value rises (Erhan et al., 2009). It is training turned around, with
# the *pixels* as what is learned. For a single filter we know the result from lesson 5: white
# under positive weights, black under negative ones.
#
# **Predict, then run.** Four gray pixels (0.5), the weights below, steps of 0.25 for the largest
# gradient and in proportion for the others. What is the image after 20 steps, kept within 0 and 1?

# %%
weights = np.array([[1.0, -2.0], [0.0, 4.0]])
pixels = np.full((2, 2), 0.5)
for _ in range(20):
    pixels = np.clip(pixels + 0.25 * weights / np.abs(weights).max(), 0, 1)
print(pixels.tolist(), " score:", (weights * pixels).sum())

# %% [markdown]
# White, black, white, and where the weight is 0 the pixel stays gray: **gray means "I do not
# care"**. The score, $1 + 4 = 5$, is the largest there is.

# %% [markdown]
# ### 7.2 Ten classes
#
# In the deep network the gradient changes with the image, so the way is longer: 100 steps for each
# of the ten outputs. Three rules keep the images smooth: a little blur after each step, a little
# shift before it, and a slow pull back to gray (Yosinski et al., 2015, compare such rules).

# %%
viz.plot_maximization(deep, "dense2", control=blank, rng=np.random.default_rng(0))

# %% [markdown]
# **What you see.** Out of noise come digits: 0, 2, 5 and 6 can be read. Of others there are parts:
# the loops of the 8, an open bowl for 9, three strokes for 7. The number is the logit; for most
# real digits it lies between 5 and 17, here between 11 and 22. Below, with random weights, gray
# stays gray. So what we see above was learned.
#
# Is it what the network "imagines"? Let us see what the rules contribute.

# %%
rules = {
    "with all rules": {},
    "no blur, no shift": {"blur": 0, "jitter": 0},
    "no rules": {"blur": 0, "jitter": 0, "decay": 0},
    "begins with black": {"gray": 0, "noise": 0.1, "decay": 0, "jitter": 2},
}
rows = {}
for name, settings in rules.items():
    made = maximize(deep, "dense2", range(10), rng=np.random.default_rng(0), steps=60, **settings)
    rows[name] = made.images[:, 0]
    right = (deep.predict(made.images) == np.arange(10)).sum()
    print(
        f"{name:18} {right} of 10 read, logits {made.values.min():4.1f} to {made.values.max():4.1f}"
    )
viz.plot_rows(rows, range(10), kind="picture", largest=0.8)

# %% [markdown]
# **What you see.** Forty images, and the network reads every one as intended. Without blur and
# shift they are noise, in which we find a stroke here and there. On a black ground they look most
# like handwriting. **Much of the beauty of such images is the taste of whoever set the rules.** To
# the network all forty are excellent digits.
#
# ### 7.3 Does anybody else see it?
#
# A fair test is to show the images to *another* network, one that is trained on the 60,000 digits
# of MNIST and comes with the package. If an image shows what a digit is, and not only what this one
# network happens to answer to, the other should read it.

# %%
other = load_pretrained("lasagne")
rows["random weights"] = maximize(
    blank, "dense2", range(10), rng=np.random.default_rng(0), steps=60
).images[:, 0]
for name, images_made in rows.items():
    right = (other.predict(images_made[:, None].astype(np.float32)) == np.arange(10)).sum()
    print(f"{name:18} the other network reads {right} of 10")

# %% [markdown]
# 8 of those on black ground, 6 of those with all rules, 4 of the noisy ones. Images made for
# random weights, our control, are read as often as by guessing. So there is something of the digits
# in what our network wants to see, and a good deal that only this one network likes.

# %% [markdown]
# ### 7.4 Made, or found in the data?
#
# Lesson 5 asked the data instead: which pieces of real images excite a unit most? Here are both for
# six channels of `conv2`.

# %%
channels = [1, 4, 5, 7, 8, 10]
viz.plot_exciting_patches(deep, data.train.images, "conv2", channels, 8)

# %% [markdown]
# **What you see.** One channel per row. Channel 1 likes the corner of an L, channel 4 an upright
# stroke with black on its right, channel 7 two strokes that meet on the left.
#
# **Predict, then run.** What will the images made for these channels look like?

# %%
viz.plot_maximization(deep, "conv2", channels, control=blank, rng=np.random.default_rng(0))

# %% [markdown]
# **What you see.** They belong together. Channel 1 has its white corner, channel 4 its stroke,
# channel 10 the lower left part of a bow. And the made images add what the patches cannot tell. In
# patches, what is always there and what matters look the same. Here gray says "does not matter" and
# black says "must be dark": for channel 7 it is the white bar in the middle that counts, and the
# dark below it.

# %%
no_rules = {"blur": 0, "jitter": 0, "decay": 0}
made = maximize(deep, "conv2", channels, rng=np.random.default_rng(0)).values
free = maximize(deep, "conv2", channels, rng=np.random.default_rng(0), **no_rules).values
for i, channel in enumerate(channels):
    best = exciting_patches(deep, data.train.images, "conv2", channel, 1)[0].value
    print(f"channel {channel:2}: best image of 1,437 {best:.1f}, made {made[i]:.1f}, ", end="")
    print(f"made without rules {free[i]:.1f}")

# %% [markdown]
# With our rules, the made images excite a channel about as much as the best of 1,437 real images
# does. Without rules they excite all six more than any real image: what these channels want most is
# not in the data. So two questions have to be kept apart: *what does it want*, and *what does it
# get*?

# %% [markdown]
# ## 8. A small step that changes the answer
#
# ### 8.1 By hand
#
# If pixels can be changed so that a class is excited more, they can also be changed so that the
# right class is excited *less*. How little is enough? (Szegedy et al., 2014.)
#
# Four pixels, and a network that says "A" as long as $m = \sum w \cdot x$ is positive:
# $w = (1, -1, 2, -2)$, $x = (6, 2, 5, 4)$, $m = 6 - 2 + 10 - 8 = 6$. (Here 0 is black, 10 white.)
#
# Each pixel may move by 1, up or down. Take the direction that hurts for each: the sign of the
# weight, turned around. That is the **fast gradient sign** step (Goodfellow et al., 2015).
#
# **Predict, then run.** How far does $m$ fall?

# %%
w, x = np.array([1, -1, 2, -2]), np.array([6, 2, 5, 4])
step = -np.sign(w)
print(f"m before: {w @ x}, the step: {step}, m after: {w @ (x + step)}")

# %% [markdown]
# By $1 + 1 + 2 + 2 = 6$: every pixel adds its part, $\text{step} \cdot \sum |w|$. With 784 pixels
# the sum is long. Let all 784 weights be 1 or −1, and every step 0.01 (of a brightness from 0 to 1
# again), once with the signs chosen against us, once by the toss of a coin.

# %%
w = rng.choice([-1, 1], 784)
tosses = 0.01 * rng.choice([-1, 1], (1000, 784)) @ w
print(f"chosen: {0.01 * np.abs(w).sum():.2f}, by coin: {np.abs(tosses).mean():.2f} on average")

# %% [markdown]
# 7.84 against 0.22. **It is not the size of the change that does it. It is that all of it goes one
# way.** And no pixel changes by more than a hundredth.

# %% [markdown]
# ### 8.2 On the 8
#
# `adversarial` tries steps of 0.01, 0.02, ... and stops at the first that changes the answer. As a
# control, 100 random steps of the same size.

# %%
viz.plot_adversarial(deep, eight)

# %% [markdown]
# **What you see.** Upper row: the 8, the step (yellow brighter, blue darker; gray where a pixel
# cannot go further), the result, and the probabilities before and after. A step of 0.14 is enough:
# for us an 8 on a dirty ground, for the network a 9. Lower row: the same size in a random
# direction, and the network stays sure. Of 100 random steps not one changes the answer.
#
# How many digits give in, at which step? And does a step that was computed against *another*
# network, the one from MNIST, mislead ours, too?

# %%
sizes = np.array([0.02, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3])
right = [i for i in range(60) if deep.predict(data.test.images[[i]])[0] == data.test.labels[i]]
fooled = {"gradient's sign": [], "random signs": [], "step against the other network": []}
for i in right:
    image, label = data.test.images[i], data.test.labels[i]
    coin = rng.choice([-1, 1], image.shape)
    fooled["gradient's sign"].append(adversarial(deep, image, sizes=sizes).answers != label)
    fooled["random signs"].append(
        adversarial(deep, image, sizes=sizes, direction=coin).answers != label
    )
    if other.predict(image[None])[0] == label:
        foreign = adversarial(other, image, sizes=sizes).direction
        fooled["step against the other network"].append(
            adversarial(deep, image, sizes=sizes, direction=foreign).answers != label
        )
curves = {name: (sizes, np.mean(each, axis=0)) for name, each in fooled.items()}
viz.plot_curves(curves, "step per pixel", "share of the digits misread", y_range=(0, 1))

# %% [markdown]
# **What you see.** With the gradient's signs, nearly a third of the digits is misread at a step of
# 0.15, and nearly nine of ten at 0.3. With random signs none is, at any size. The third curve, the
# steps against the other network, lies between: about one in ten at 0.3. The two networks saw other
# digits and began with other weights, and yet a step against one can mislead the other. (In larger
# networks it does so far more often: Szegedy et al., 2014.)
#
# There is a lesson in it for all of sections 2 to 7. The step *is* the saliency map, sign by sign,
# and it did not look like a 9. **What moves the network and what makes sense to us are two
# things.**

# %% [markdown]
# ## 9. What does it take for similar?
#
# ### 9.1 By hand: PCA
#
# The last question is about many images at once. The layer before the last turns each image into
# 256 numbers. Images with similar numbers will get similar answers. To see which those are, we
# squeeze 256 numbers into two, a point in the plane. **PCA** takes the two directions in which the
# points differ most.
#
# **Predict, then run.** Three points in the plane lie on a line: (0, 0), (3, 4), (6, 8), and a
# fourth one in their middle. Where does PCA put them, with one number each?

# %%
points = np.array([[0, 0], [3, 4], [6, 8], [3, 4]])
found = embed(points, "pca")
print("places:", found.points[:, 0].round(2) + 0, " variance kept:", found.share.round(2))

# %% [markdown]
# At −5, 0, 5 and 0: distances along the line, from the middle. The second direction has nothing
# left to tell.
#
# ### 9.2 The test digits
#
# **t-SNE** (van der Maaten and Hinton, 2008) gives up on distances and tries only to keep
# *neighbors* together. Here are all 360 test digits by both, each drawn as what it is. Above each
# panel stands how often one of a point's five nearest neighbors in the picture is the same digit.

# %%
viz.plot_embedding(
    deep, data.test.labels, images=data.test.images, layer="relu3", control=blank, rng=rng
)

# %% [markdown]
# **What you see.** Lower left, a picture one finds in many talks: t-SNE of a trained network, the
# digits on neat islands, and 96 % of the neighbors agree. Lower right, the same with **random
# weights**: islands as well, a little wider, and 93 %. By PCA, above, the two networks differ far
# more: 77 % and 46 %.
#
# To see what is going on we leave the plane, and ask for the neighbors among all 256 numbers, and
# among the bare pixels.

# %%
spaces = {"pixels": data.test.images}
spaces["random weights"] = blank.activations(data.test.images)["relu3"]
spaces["trained"] = deep.activations(data.test.images)["relu3"]
for name, values in spaces.items():
    plane = embed(values, "pca")
    print(
        f"{name:15} neighbors agree: {neighbor_agreement(values, data.test.labels):.0%} in full, "
        f"{neighbor_agreement(plane.points, data.test.labels):.0%} by PCA, "
        f"which keeps {plane.share.sum():.0%} of the variance"
    )

# %% [markdown]
# In the bare pixels 93 % of the neighbors agree already. Random weights keep nearly all of that,
# and training adds little. t-SNE shows neighbors, so it shows islands without any training: **they
# were in the data.** What training has changed is what PCA sees. The digits now differ along the
# *main* directions, where a single dense layer can tell them apart.
#
# Three more things not to read into a t-SNE picture: how far two islands are apart, how large they
# are, and that there is no island where you see none. Other settings give other pictures of the
# same data (Wattenberg et al., 2016).

# %% [markdown]
# ## 10. Which question, which answer
#
# | method | the question it answers | what fools us |
# |---|---|---|
# | occlusion | what if this were covered, with *this* color? | parts that stand in for each other |
# | gradient | what if this pixel changed *a little*? | silent and saturated units |
# | gradient × input | the same, times the pixel | it shows the image |
# | Grad-CAM | which maps speak for the class, *anywhere*? | it is blind to place |
# | maximization | what does a unit like best, by *our rules*? | the rules |
# | exciting patches | what in the *data* does it like best? | what is always there |
# | small step | how little changes the answer? | it makes no sense to us |
# | t-SNE | who is whose neighbor? | islands that were there before |
#
# None of them answers "why did it say 9?". They answer "what if". Say which "what if" you mean, put
# the control beside it, and what you say will be true.

# %% [markdown]
# ## Exercises
#
# Write your solution in place of `raise NotImplementedError`, run the cell, then run the check
# below it. It tells you what is not right yet. For a hint run, for example,
# `checks.occlusion_drop.hint()`.
#
# ### Exercise 1: occlusion
#
# The score of an image is `max(0, (weights * image).sum())`. Return how far it falls if a square of
# `size` × `size` pixels is set to 0, for each place where the square fits: an array of shape
# (rows − size + 1, columns − size + 1).
#
# *Hint:* begin each place with `covered = image.copy()`.


# %%
def occlusion_drop(image, weights, size):
    """Return an array of falls, one per place."""
    ### BEGIN SOLUTION
    rows, columns = image.shape[0] - size + 1, image.shape[1] - size + 1
    whole = max(0, (weights * image).sum())
    fall = np.zeros((rows, columns))
    for i in range(rows):
        for j in range(columns):
            covered = image.copy()
            covered[i : i + size, j : j + size] = 0
            fall[i, j] = whole - max(0, (weights * covered).sum())
    return fall
    ### END SOLUTION


# %%
checks.occlusion_drop(occlusion_drop)

# %% [markdown]
# ### Exercise 2: Grad-CAM
#
# `maps` and `gradients` both have the shape (channels, rows, columns). Return the Grad-CAM map of
# shape (rows, columns), by the formula of section 5.1.
#
# *Hint:* the mean over two axes is `gradients.mean(axis=(1, 2))`, and `alpha[:, None, None]` gives
# each weight the shape to multiply a map.


# %%
def class_activation(maps, gradients):
    """Return an array (rows, columns), nowhere negative."""
    ### BEGIN SOLUTION
    alpha = gradients.mean(axis=(1, 2))
    return np.maximum((alpha[:, None, None] * maps).sum(axis=0), 0)
    ### END SOLUTION


# %%
checks.class_activation(class_activation)

# %% [markdown]
# ### Exercise 3: the fast gradient sign step
#
# `gradient` is that of the loss with respect to `image`. Return the image after a step that makes
# the loss *rise*: each pixel moves by `size`, in the direction of its gradient's sign, and stays
# within [0, 1].
#
# *Hint:* `np.sign` and `np.clip`.


# %%
def sign_step(image, gradient, size):
    """Return the changed image."""
    ### BEGIN SOLUTION
    return np.clip(image + size * np.sign(gradient), 0, 1)
    ### END SOLUTION


# %%
checks.sign_step(sign_step)

# %% [markdown]
# ### Exercise 4: do neighbors agree?
#
# `points` has the shape (N, 2), `labels` (N,). Return the share of points whose nearest *other*
# point (in a straight line) has the same label: the number above each panel of section 9, with one
# neighbor instead of five.
#
# *Hint:* no point is its own neighbor.


# %%
def neighbor_share(points, labels):
    """Return a number from 0 to 1."""
    ### BEGIN SOLUTION
    distances = np.linalg.norm(points[:, None] - points, axis=2)
    np.fill_diagonal(distances, np.inf)
    return (labels[distances.argmin(axis=1)] == labels).mean()
    ### END SOLUTION


# %%
checks.neighbor_share(neighbor_share)

# %% [markdown]
# ## Recap
#
# - Occlusion asks what happens without a part, saliency what a small change does, Grad-CAM which
#   maps speak for a class. Each has blind spots that four pixels are enough to show.
# - A map that looks the same for random weights shows the input: gradient × input does.
# - A map that misses a mark we planted shows something else than what the network uses: Grad-CAM
#   does, where places matter.
# - Images made for a unit show what it wants, as far as the rules let it; patches, what it gets.
# - 784 tiny changes that all go one way change the answer; a coin tossed for each does not.
# - t-SNE shows islands for random weights, too. They were in the pixels.
#
# ## Sources
#
# - M. D. Zeiler, R. Fergus: *Visualizing and understanding convolutional networks.* ECCV 2014
#   ([arXiv:1311.2901](https://arxiv.org/abs/1311.2901)): occlusion, exciting patches.
# - K. Simonyan, A. Vedaldi, A. Zisserman: *Deep inside convolutional networks.* 2014
#   ([arXiv:1312.6034](https://arxiv.org/abs/1312.6034)): saliency maps.
# - A. Shrikumar et al.: *Not just a black box.* 2016
#   ([arXiv:1605.01713](https://arxiv.org/abs/1605.01713)): gradient × input. D. Smilkov et al.:
#   *SmoothGrad.* 2017 ([arXiv:1706.03825](https://arxiv.org/abs/1706.03825)).
# - R. R. Selvaraju et al.: *Grad-CAM.* ICCV 2017
#   ([arXiv:1610.02391](https://arxiv.org/abs/1610.02391)). R. L. Draelos, L. Carin: *Use HiResCAM
#   instead of Grad-CAM.* 2020 ([arXiv:2011.08891](https://arxiv.org/abs/2011.08891)).
# - J. Adebayo et al.: *Sanity checks for saliency maps.* NeurIPS 2018
#   ([arXiv:1810.03292](https://arxiv.org/abs/1810.03292)): random weights as a control.
# - S. Lapuschkin et al.: *Unmasking Clever Hans predictors.* Nature Communications 10, 2019
#   ([doi:10.1038/s41467-019-08987-4](https://doi.org/10.1038/s41467-019-08987-4)).
# - D. Erhan et al.: *Visualizing higher-layer features of a deep network.* University of Montreal,
#   2009. J. Yosinski et al.: *Understanding neural networks through deep visualization.* 2015
#   ([arXiv:1506.06579](https://arxiv.org/abs/1506.06579)).
# - C. Szegedy et al.: *Intriguing properties of neural networks.* ICLR 2014
#   ([arXiv:1312.6199](https://arxiv.org/abs/1312.6199)). I. J. Goodfellow, J. Shlens, C. Szegedy:
#   *Explaining and harnessing adversarial examples.* ICLR 2015
#   ([arXiv:1412.6572](https://arxiv.org/abs/1412.6572)).
# - L. van der Maaten, G. Hinton: *Visualizing data using t-SNE.* JMLR 9, 2008. M. Wattenberg,
#   F. Viégas, I. Johnson: *How to use t-SNE effectively.* Distill, 2016
#   ([doi:10.23915/distill.00002](https://doi.org/10.23915/distill.00002)).
# - Digits: E. Alpaydin, C. Kaynak, *Optical Recognition of Handwritten Digits*, UCI, 1998
#   ([doi:10.24432/C50P49](https://doi.org/10.24432/C50P49)).
#
# **Next:** [lesson 10](10_color_sound_and_other_grids.ipynb) takes the layers beyond gray images,
# to color and to sound.
