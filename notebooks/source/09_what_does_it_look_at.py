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
# - lead a network astray with a step that leaves the digit readable for us, and show that it is
#   not chance;
# - read a t-SNE picture without reading too much into it.
#
# **What you need:** lessons [3](03_layers.ipynb) (gradients), [4](04_training.ipynb) (training) and
# [5](05_filters_and_feature_maps.ipynb) (feature maps, and why a picture needs a control).
#
# **How long it takes:** about 60 minutes in two sittings, 40 for sections 1 to 6 (where it looks)
# and 20 for sections 7 to 10 (what it wants, and how to lead it astray; the break is marked), and
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

data = load_digits()

# %% [markdown]
# ## 1. A network to question, and one that knows nothing
#
# We question the deep network of lesson 5: two convolution layers with ReLU and pooling, then two
# dense layers. It trains for a few seconds. (In float64, so that your numbers are those of the
# text.)


# %%
def train(network, examples, epochs):
    """Train a network in float64, always with the same order of the images, and return it."""
    for layer in network:
        layer.params = {name: array.astype(np.float64) for name, array in layer.params.items()}
    order, optimizer = np.random.default_rng(0), Momentum(0.02, nesterov=True)
    options = {"epochs": epochs, "batch_size": 50, "progress": False}
    fit(network, examples, optimizer=optimizer, rng=order, **options)
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
# We follow two digits. The first is an 8. The second is meant to be an 8 as well: that is its
# label.

# %%
eight, closed = data.test.images[6], data.test.images[31]
for i in (6, 31):
    chances = deep.predict_proba(data.test.images[[i]])[0]
    print(f"label {data.test.labels[i]}, read: 8 with {chances[8]:.0%}, 9 with {chances[9]:.0%}")
viz.plot_images([eight, closed], ["read as 8", "read as 9"])

# %% [markdown]
# **What you see.** The network is sure of the first. The second it reads as a 9, and so would most
# of us: its lower loop has closed to a thick stroke. We have our reason. Is it the network's, too?

# %% [markdown]
# ## 2. Occlusion: what if this were not there?
#
# ### 2.1 By hand
#
# The simplest idea is to cover a part of the image and ask again (Zeiler and Fergus, 2014). The
# further the score falls, the more the covered part spoke for it. That is called **occlusion**.
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
# Nothing, although nothing but these two pixels matters. Each stands in for the other. **What
# occlusion does not show may matter all the same.** A larger square would have covered both; so the
# size of the square is part of the question.
#
# ### 2.3 On the 8
#
# A square of 5 × 5 fits into 28 × 28 pixels in 24 · 24 = 576 places, and the network is asked 576
# times. Each pixel then shows the mean fall over all squares that cover it. Above: how far the
# probability of 8 falls, and that of 9. Below: the same for random weights. (The score may be
# anything the network puts out. Here it is the probability, which is easy to read. The *likeness*
# above the lower maps is explained in section 4.)

# %%
viz.plot_occlusion(deep, eight, [8, 9], control=blank)

# %% [markdown]
# **What you see.** Yellow means that covering this place makes the probability fall, blue that it
# rises. The 8 depends on its left side, between the loops: squares that cover this place take away
# up to 0.86 of the probability on average. On the right we see where it goes. Blue, at the lower
# left: with this piece covered, the probability of 9 rises by up to 0.81. An 8 without the left
# side of its lower loop is a 9: one story that fits.
#
# The lower row has patterns, too, but look at the sizes above the maps: the random network's
# probabilities hardly move at all. (Each map is drawn relative to its own largest value, so that
# patterns can be compared. `scale="shared"` puts all on one scale.)
#
# And the second digit, the 8 that is read as a 9?

# %%
viz.plot_occlusion(deep, closed, [8, 9], control=blank)

# %% [markdown]
# **What you see.** The 9 depends on the upper loop: squares that cover it take away up to 0.86 of
# its probability. The 8 has a blue spot right of the stroke, just below the loop: with black
# squares there, the probability of 8 rises by up to 0.14. A story that fits: the square narrows the
# stroke and gives the digit the waist of an 8. But there are two more blue spots, on the left and
# at the foot, and for those we have no story. *A map can be right and our story about it wrong.*
#
# What a good 8 has and this one lacks, the hole in the lower loop, no black square can show at
# all: one cannot cover what is not there.
#
# What if we cover with white instead?

# %%
for fill in (0.0, 0.5, 1.0):
    found = occlusion(deep, eight, 8, fill=fill)
    row, column = np.unravel_index(found.drop.argmax(), found.drop.shape)
    print(f"filled with {fill}: largest fall {found.drop.max():.2f}, upper left ({row}, {column})")

# %% [markdown]
# These are the falls by the single worst square, and where its upper left pixel lies. With black
# the left side between the loops matters most; with gray everything matters far less; with white
# it is the notch on the right, which must not be filled. **Occlusion compares the image with
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
# The opposite happens where a score is saturated. Let it be $\min(a, 1)$, and $a = 2$: a slightly
# brighter $a$ changes nothing, so the gradient is 0; and yet covering $a$ costs the whole score.
# **A gradient tells about small changes only.** For the same reason we take the gradient of the
# score before softmax, the logit: where the network is 99.9 % sure, the *probability* hardly
# changes any more.
#
# ### 3.2 On the 8
#
# The library computes the gradient by one backward pass, as in training (lesson 3 has checked that
# pass against wiggling). Only now it goes on, through the first layer to the pixels.
#
# Three kinds of saliency maps are in use:
#
# - the **gradient** itself;
# - **gradient × input**: the gradient times the pixel's brightness, which for a plain weighted sum
#   would be each pixel's share in the score, the *weight times pixel* of section 2.1;
# - the **smoothed gradient**: the mean over 25 copies of the image with some noise added, since
#   gradients jump from pixel to pixel (Smilkov et al., 2017).

# %%
kinds = ["gradient", "input", "smooth"]
viz.plot_saliency(deep, eight, 8, kinds, control=blank, outline=False)

# %% [markdown]
# **What you see.** Upper row, left: yellow pixels would raise the score of 8 if they were brighter,
# blue ones if they were darker. The holes of the 8 and the notches at its waist are blue: they are
# to stay dark. The long stroke between the loops is yellow. In the middle, gradient × input shows
# the strokes only; holes and notches are gone, since their pixels are 0. On the right, the smoothed
# gradient looks like the first, somewhat calmer.
#
# Now the lower row, with random weights. The gradient is speckles, and so is the smoothed one. But
# in the middle the speckles fill the shape of an 8, stroke and holes, for a network that has never
# seen one. And above it stands its *likeness* with the map above: 0.98. What does that mean?

# %% [markdown]
# ## 4. The control as a number
#
# ### 4.1 Likeness
#
# Two maps look alike if they are bright in the same places. To measure that, sort the pixels of
# each map by their magnitude, from the faintest to the brightest, and correlate the *ranks* (equal
# pixels share one). That is Spearman's **rank correlation**: 1 is the same order, 0 nothing in
# common, −1 the reverse order.

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
def heat(method, network, image, k):
    """Return the map of one method for class k, (rows, columns)."""
    if method == "occlusion":
        return occlusion(network, image, k, size=5, stride=2).pixels()
    return saliency(network, image, k, kind=method, rng=np.random.default_rng(0))[0]


# %%
images, maps = data.test.images[:10], {}
digits = deep.predict(images).tolist()
for method in ("occlusion", "gradient", "input", "smooth"):
    questions = list(zip(images, digits, strict=True))
    maps[method] = [[heat(method, n, x, k) for x, k in questions] for n in (deep, blank)]
    alike = np.mean([likeness(a, b) for a, b in zip(*maps[method], strict=True)])
    print(f"{method:10} likeness with random weights {alike:.2f}")

# %% [markdown]
# `input`, that is gradient × input, **fails**: at 0.99 the random network's map is bright in the
# same places as the trained one's. Occlusion does hardly better, with 0.90. The gradient has 0.65,
# the smoothed one 0.53. (Likeness ignores sizes and signs. By *size* each method here passes:
# remember the numbers above the maps.)
#
# ### 4.2 Where the likeness comes from
#
# A control that fails asks for a reason. One suspect is the image itself. It is part of each map:
# gradient × input multiplies by it, and black squares on black pixels change nothing. To test the
# suspect we need no network at all: multiply the image by noise, twice, and compare.
#
# **Predict, then run.** How alike are two lots of noise, each multiplied by the same digit?

# %%
noise = np.random.default_rng(0).normal(size=(2, 10, 28, 28))
maps["noise"] = noise * images[:, 0]
alike = np.mean([likeness(a, b) for a, b in zip(*maps["noise"], strict=True)])
print(f"noise x image, twice: likeness {alike:.2f}")

# %% [markdown]
# 0.99, the same number. Off the ink both are 0, on the ink both are not, and that is nearly all
# there is to the likeness.
#
# So we measure once more: the likeness of each map **with the image**; with random weights
# everywhere, as before; only **inside the ink** (brighter than 0); only inside the pure white; and
# at last everywhere again, but with the signs.


# %%
def five(a, b, image):
    """Return how alike a is to the image, and to b: everywhere, in ink, in white, by signs."""
    ink, white = image > 0, image == 1
    parts = [likeness(a[chosen], b[chosen]) for chosen in (ink, white)]
    return [likeness(a, image), likeness(a, b), *parts, likeness(a, b, signed=True)]


print("           with image | random weights: everywhere, ink, white, signs")
for method, (trained, untrained) in maps.items():
    each = [five(*three) for three in zip(trained, untrained, images[:, 0], strict=True)]
    row = np.mean(each, axis=0).round(2) + 0.0
    print(f"{method:10} {row[0]:10.2f} | {row[1]:26.2f} {row[2]:5.2f} {row[3]:6.2f} {row[4]:6.2f}")

# %% [markdown]
# The map of gradient × input has a likeness of 0.99 *with the image*: what we recognize in it is
# the digit, not what the network made of it. In every column it behaves as noise times the digit
# does. (In the ink, 0.39 and 0.35 are left, since the ink has gray edges, which make both maps
# faint. Among white pixels, where the image is the same everywhere, nothing is left.) So the method
# is not useless, but **a picture that shows the digit has shown you the input.** To read such a
# map, compare strengths and signs *inside* the strokes.
#
# The other methods have the same illness, less severely: far from the ink all maps are faint, for
# any network, and so they agree there. Inside the ink hardly anything of the likeness is left. (The
# rest of about 0.2 for occlusion: its squares are larger than the strokes and reach into the
# black.) And with signs, last column, the likeness is all but gone for every method. What remained
# was *how bright*; the network's part is *which sign*, and *how strong in the ink*.

# %% [markdown]
# ## 5. Grad-CAM: where in the feature maps is the evidence?
#
# ### 5.1 By hand
#
# Occlusion and saliency speak of pixels. Deeper in the network there are *feature maps*, of parts
# of a digit (lesson 5). **Grad-CAM** (Selvaraju et al., 2017) asks these. A layer has feature maps
# $A_k$ of $P$ rows and $Q$ columns. Each gets a weight: the mean gradient of the score (the logit
# again) with respect to it,
#
# $$\alpha_k = \frac{1}{PQ} \sum_{i,j} \frac{\partial\,\text{score}}{\partial A_k[i, j]}, \qquad
# \text{Grad-CAM} = \max\Big(0,\ \sum_k \alpha_k A_k\Big).$$
#
# Two feature maps of 2 × 2, and their gradients:
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
#
# ### 5.2 On the 8 that is read as a 9
#
# We take the feature maps of `relu2`, 8 × 8. Each cell is drawn around the middle of what it sees
# of the image; the light gray around them lies outside every cell. (These values are never
# negative, so the colors begin with dark at 0.)

# %%
viz.plot_gradcam(deep, closed, [8, 9], control=blank)

# %% [markdown]
# **What you see.** A coarse picture, 64 cells. For 9 the strongest cell lies at the right of the
# upper loop, for 8 on the left edge of the digit. With random weights few cells are positive, and
# only just; the likeness is 0.06 and 0.15. So Grad-CAM **passes** the control of section 4. But to
# differ from the random network's map is easy: a map of random numbers would, too. Whether it is
# *right* we cannot say. Nobody knows where the evidence for a 9 "really" lies. We need a second
# test.

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
# **What you see.** Corner 0 is at the upper left, 1 at the upper right, 2 and 3 are below. A small
# network of the usual kind learns this quickly.

# %%
r = np.random.default_rng(0)
layers = [Conv2D(1, 8, 5, padding="same", rng=r), ReLU(), MaxPool2D(2)]
layers += [Conv2D(8, 8, 5, padding="same", rng=r), ReLU(), MaxPool2D(2)]
layers += [Flatten(), Dense(8 * 7 * 7, 4, rng=r)]
finder = train(Sequential(layers, input_shape=(1, 28, 28)), train_marks, epochs=4)
print(f"{evaluate(finder, test_marks).accuracy:.1%} of the test images")
print("without any mark, read as 0, 1, 2, 3:", np.bincount(finder.predict(data.test.images)))

# %% [markdown]
# All of them, on digits it has never seen. Nothing but the four corners can tell it the answer: the
# mark in one of them, and that the three others are empty. (With four empty corners it nearly
# always says 3. That is its default; for the others it needs the mark.) **A method that shows where
# the network looks must point at a corner, and for the right answer it must be the one with the
# mark.**
#
# **Predict, then run.** Which method will fail?

# %%
example, corner = test_marks[0][0], int(test_marks[1][0])
lost = randomized(finder, rng=np.random.default_rng(5))
viz.plot_saliency(finder, example, corner, ["gradient", "input"], control=lost)

# %% [markdown]
# **What you see.** Both maps are brightest on the mark, at the lower left. In the gradient the
# other three corners are blue: a mark there would speak against corner 2. Gradient × input, which
# failed the control, is right here: it shows mark and digit, as it shows all ink, but the *strong*
# values lie on the mark alone. (Its likeness with the random network's map is 0.98 all the same.)

# %%
viz.plot_gradcam(finder, example, [0, 1, 2, 3], control=False)

# %% [markdown]
# **What you see.** The mark is in corner 2, and the network knows it. But Grad-CAM's evidence for 2
# lies along the right side of the digit, for 0 nearly at the same place and at the foot, for 1 on
# the left; for 3 there is none. The largest value of all, 0.024, belongs to 0, a wrong answer; the
# right one gets 0.0094.
#
# ### 6.2 All methods, thirty images
#
# How often does a method's largest value lie on the mark, or within two pixels of it? The border
# leaves 6 × 6 pixels of that area; a method that points anywhere would hit it about one time in
# twenty-two.


# %%
def points_at(values, corner):
    """Tell whether the largest value lies on the mark, give or take two pixels."""
    cell = 28 // len(values)
    place = np.array(np.unravel_index(values.argmax(), values.shape)) * cell + (cell - 1) / 2
    return np.abs(place - np.array(CORNERS[corner]) - 1).max() <= 3


marked = [(x, int(k)) for x, k in zip(test_marks[0][:30], test_marks[1][:30], strict=True)]
for method in ("occlusion", "gradient", "input", "smooth"):
    hits, luck = [
        np.mean([points_at(heat(method, n, x, k), k) for x, k in marked]) for n in (finder, lost)
    ]
    print(f"{method:10} points at the mark: {hits:4.0%}, with random weights {luck:.0%}")
hits = np.mean([points_at(grad_cam(finder, x, k), k) for x, k in marked])
print(f"Grad-CAM   points at the mark: {hits:4.0%}")

# %% [markdown]
# The tables are turned. Occlusion and all three gradients point at the mark every time; with random
# weights in 0 to 4 of 30 images, not far from chance. Grad-CAM, which passed the control best, does
# not do so once.
#
# ### 6.3 Why, in integers
#
# The reason is the mean in $\alpha_k$. Take one feature map that answers to marks, with a 5 where
# the mark is. The dense layer behind it tells corners apart by *place*: a mark on the left speaks
# for the class, a mark on the right against it.

# %%
A, G = np.array([[5, 0]]), np.array([[1, -1]])
print("mean gradient:", G.mean(), " times the map:", G.mean() * A)
print("place by place:", G * A)

# %% [markdown]
# Left and right cancel, the feature map gets the weight 0, and the evidence is gone. Grad-CAM
# supposes that a feature map speaks for the class *wherever* it is active. That holds for networks
# that end in a mean over each feature map, from which the idea comes. A network that ends in a
# dense layer over all places, like this one and `deep`, breaks that assumption.
#
# The remedy is to leave out the mean: weight each place by its own gradient, and add up over the
# feature maps (Draelos and Carin, 2020, call it HiResCAM).

# %%
hits = [points_at(grad_cam(finder, x, k, average=False), k) for x, k in marked]
print(f"Place by place, {np.mean(hits):.0%} of the thirty maps point at the mark.")
viz.plot_gradcam(finder, example, corner, average=False, control=lost)

# %% [markdown]
# **What you see.** With one argument changed, the strongest cells touch the mark, and the digit is
# nearly dark. The largest value has gone from 0.0094 to 5.9: nearly everything had canceled.
#
# So there are two tests, and they find different faults. Random weights find methods that show the
# image instead of the network. A known answer finds methods that look elsewhere than the network
# does. **Before you believe a picture, do both**: take the weights away, and plant a mark yourself.
# (This is not a toy problem. Lapuschkin et al., 2019, found a well-known system that recognized
# many horses by a source line at the edge of the photograph.)
#
# ---
#
# **A good place for a break.** So far we asked where a network looks in a *given* image. The second
# half asks what it wants to see, how easily it is led astray, and what it sees as similar.

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
#
# ### 7.2 Ten classes
#
# In the deep network the gradient changes with the image, so the way is longer: 100 steps for each
# of the ten outputs. Three rules keep the images smooth: a little shift of the image before each
# step (`jitter`), a slow pull back to gray (`decay`), and a little blur after it (`blur`; Yosinski
# et al., 2015, compare such rules).

# %%
own = np.sort(deep.logits(data.test.images).max(axis=1))
print(f"logits of nine in ten real digits: {own[18]:.0f} to {own[-18]:.0f}")
viz.plot_maximization(deep, "dense2", control=blank, rng=np.random.default_rng(0))

# %% [markdown]
# **What you see.** Out of noise come digits: 0, 2, 5 and 6 can be read. Of others there are parts:
# the loops of the 8, an open bowl for 9, three strokes for 7. The number is the logit, here between
# 11 and 22, for most real digits between 5 and 17. Below, with random weights, blotches, and no
# digit; the logits stay below 0.4. So what we see above was learned.
#
# Is it what the network "imagines"? Let us see what the rules contribute: once with all of them, as
# above, once with none, and once on a ground of black (`gray=0`) with other settings.

# %%
rules, rows = {"all rules": {}, "no rules": {"blur": 0, "jitter": 0, "decay": 0}}, {}
rules["black ground"] = {"gray": 0, "noise": 0.1, "decay": 0, "jitter": 2}
for name, settings in rules.items():
    made = maximize(deep, "dense2", range(10), rng=np.random.default_rng(0), **settings)
    rows[name] = made.images[:, 0]
    right, values = (deep.predict(made.images) == np.arange(10)).sum(), made.values
    print(f"{name:12} {right} of 10 read, logits {values.min():.0f} to {values.max():.0f}")
viz.plot_rows(rows, range(10), kind="picture", largest=0.8)

# %% [markdown]
# **What you see.** Thirty images, and the network reads every one as intended, with logits as large
# as those of real digits or larger. In most columns it is the same strokes and holes in all three
# rows. What differs is the ground: smooth gray, noise that covers all but the strokes, or black, on
# which they look most like handwriting. **The strokes come from the network. The beauty of such
# images comes from whoever set the rules.**
#
# ### 7.3 Made, or found in the data?
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
# channel 10 the lower left part of a bow. And the made images add what the patches cannot tell: in
# patches, what is always there and what matters look the same. Here black says "must be dark": for
# channel 7 it is the white bar in the middle that counts, and the dark below it. (Gray is less
# certain than in 7.1: the pull back makes pixels gray as well.) Below, the random weights, again
# blotches. Channel 10's is a large white one, so a white blotch alone would prove nothing.
#
# Two questions are to be kept apart. A made image shows *what the unit wants*, which may be nothing
# that any digit has. A patch shows *what it gets*, which may have more in it than the unit wants.

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
# By $1 + 1 + 2 + 2 = 6$: every pixel adds its part, $\text{size} \cdot \sum |w|$, where the size
# is how far each pixel moves. With 784 pixels the sum is long. Let all 784 weights be 1 or −1, and
# the size 0.01 (of a brightness from 0 to 1 again), once with the signs chosen against us, once by
# the toss of a coin.

# %%
coin = np.random.default_rng(0)
w = coin.choice([-1, 1], 784)
tosses = 0.01 * coin.choice([-1, 1], (1000, 784)) @ w
print(f"chosen: {0.01 * np.abs(w).sum():.2f}, by coin: {np.abs(tosses).mean():.2f} on average")

# %% [markdown]
# 7.84 against 0.22. **It is not the size of the change that does it. It is that all of it goes one
# way.** And no pixel changes by more than a hundredth.
#
# ### 8.2 On the 8
#
# A network is no weighted sum, but for small changes it is nearly one, with the *gradient of the
# loss* with respect to the pixels in the place of the weights. The step takes its signs, so that
# the loss rises. `adversarial` tries the sizes 0.01, 0.02, ... and stops at the first that changes
# the answer. As a control, 100 random steps of the same size.

# %%
viz.plot_adversarial(deep, eight)

# %% [markdown]
# **What you see.** Upper row: the 8, the step (yellow brighter, blue darker; gray where a pixel
# cannot go further), the result, and the probabilities before and after. A size of 0.14 is enough:
# for us an 8 on a dirty ground, for the network a 9, if only just (48 %). Lower row: the same size
# in a random direction, and the network stays sure. Of 100 random steps not one changes the answer.
# (We *see* the step, since these images have only 784 pixels. With a hundred thousand, in color, it
# need not be visible.)
#
# How many digits are misread, at which size? And does a step that was computed against *another*
# network mislead ours, too? The other one comes with the package. It was trained on the 60,000
# digits of MNIST and on 4,000 that a program has drawn (lesson 6).

# %%
other, coin = load_pretrained("lasagne"), np.random.default_rng(0)
sizes = [0.02, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3]
ways = {"random signs": lambda image: coin.choice([-1, 1], image.shape)}
ways["step against this network"] = lambda image: None  # adversarial finds it
ways["step against the other"] = lambda image: adversarial(other, image).direction

# %%
first = data.test.images[:60]
known = first[deep.predict(first) == data.test.labels[:60]]
curves = {}
for name, way in ways.items():
    found = [adversarial(deep, image, sizes=sizes, direction=way(image)) for image in known]
    misread = [each.answers != each.label for each in found]
    curves[name] = (sizes, np.mean(misread, axis=0))
y_range, thick = (-0.03, 1), "random signs"
viz.plot_curves(curves, "size per pixel", "share misread", y_range=y_range, thick=thick)

# %% [markdown]
# **What you see.** With the gradient's signs, nearly a third of the digits are misread at a size of
# 0.15, and nearly nine of ten at 0.3. With random signs none is, at any size. The third curve, the
# steps against the other network, lies between, above zero at the larger sizes only: about one
# digit in twenty at 0.3. The two networks saw different digits and began with different weights,
# and yet a step against one can mislead the other. (Between larger networks it can do so far more
# often: Szegedy et al., 2014.)
#
# There is a lesson in it for all of sections 2 to 7. The step is made of a gradient with respect to
# the pixels, as a saliency map is, and it did not look like a 9. **What moves the network and what
# makes sense to us are two things.**

# %% [markdown]
# ## 9. What does it see as similar?
#
# The last question is about many images at once. The layer before the last turns each image into
# 256 numbers. Images with similar numbers will get similar answers. To see which those are, we
# squeeze 256 numbers into two, a point in the plane, in two ways. **PCA** takes the two directions
# in which the points differ most. **t-SNE** (van der Maaten and Hinton, 2008) gives up on distances
# and tries only to keep *neighbors* together.
#
# Here are all 360 test digits by both. Each point is drawn as the digit it is; a large numeral
# stands amid each class. Above each panel: the share of a point's five nearest neighbors in the
# picture that are the same digit, on average.
#
# **Predict, then run.** Which of the two will show islands for random weights?

# %%
chance = np.random.default_rng(0)
shown = {"images": data.test.images, "layer": "relu3", "control": blank, "rng": chance}
viz.plot_embedding(deep, data.test.labels, **shown)

# %% [markdown]
# **What you see.** Lower left, a picture one finds in many talks: t-SNE of a trained network, most
# digits on islands of their own, and 96 % of the neighbors agree. Lower right, the same with
# **random weights**: islands as well, a little wider, and 93 %. By PCA, above, the two networks
# differ far more: 77 % and 46 %.
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
# and training adds a few percent. t-SNE shows neighbors, so it shows islands without any training:
# **they were in the data.** What training has changed is what PCA sees: the digits now differ along
# the *main* directions.
#
# Three more things not to read into a t-SNE picture: how far two islands are apart, how large they
# are, and a missing island: what looks like one cloud may still be two. Other settings give other
# pictures of the same data (Wattenberg et al., 2016).

# %% [markdown]
# ## 10. Which question, which answer
#
# | method | the question it answers | what to beware of |
# |---|---|---|
# | occlusion | what if this were covered, with *this* color? | parts that stand in for each other |
# | gradient | what if this pixel changed *a little*? | silent and saturated units |
# | gradient × input | the same, times the pixel | it shows the image |
# | Grad-CAM | which feature maps speak for the class, *anywhere*? | it is blind to place |
# | maximization | what does a unit like best, by *our rules*? | the rules |
# | exciting patches | what in the *data* does it like best? | what is always there |
# | small step | how little changes the answer? | it need not make sense to us |
# | t-SNE | which images are neighbors? | islands that were there before |
#
# None of them answers "why did it say 9?". They answer "what if". Say which "what if" you mean, put
# the control beside it, and what you say can be defended.

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
#   feature maps speak for a class. Each has blind spots that four pixels are enough to show.
# - A map that is bright in the same places for random weights shows the input: gradient × input
#   does, and noise times the image does so just as well.
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
