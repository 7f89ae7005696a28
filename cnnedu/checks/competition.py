"""The exercises of lesson 7: who wins, who learns from it, and how wrong a gradient is."""

import numpy as np

from cnnedu.checks.framework import exercise
from cnnedu.checks.sliding import floats, small_integers

TINY = floats([[[1, 7], [0, 3]], [[4, 2], [5, 3]], [[3, 6], [-2, 1]]])
"""Three maps of 2 x 2 places; at the last place the first two are equally large."""
NEGATIVE = floats([[[-9, -3, 0]], [[-4, -3, -2]]])
SEVERAL_TIES = floats([[[5, 0]], [[2, 1]], [[5, 4]], [[5, 4]]])


def _random_maps(rng):
    return small_integers(rng, rng.integers(2, 5), rng.integers(2, 4), rng.integers(2, 5))


@exercise(
    lesson=7,
    cases=[(TINY,), (NEGATIVE,), (SEVERAL_TIES,), (floats([[[2, -1], [0, 3]]]),)],
    random_case=lambda rng: (_random_maps(rng),),
    right="two numbers for each place: what was said, and who said it. The backward pass needs "
    "the second.",
    hint="maps.max(axis=0) compares the kernels at every place at once. Which function tells where "
    "the maximum stands?",
)
def compete(maps):
    """Return (answers, winners), each (height, width), of maps (kernels, height, width).

    answers holds the largest answer at each place, winners the number of the kernel that gave it;
    of equal answers the first kernel wins.
    """
    return maps.max(axis=0), maps.argmax(axis=0)


def _last_argmax(maps):
    return len(maps) - 1 - maps[::-1].argmax(axis=0)


@compete.mistake("of equal answers your last kernel wins: keep the first (compare with > only).")
def _(maps):
    return maps.max(axis=0), _last_argmax(maps)


@compete.mistake("the two are in the wrong order: first the answers, then the winners.")
def _(maps):
    return maps.argmax(axis=0), maps.max(axis=0)


@compete.mistake("you count kernels from 1: their numbers begin at 0.")
def _(maps):
    return maps.max(axis=0), maps.argmax(axis=0) + 1


@compete.mistake(
    "the smallest answer wins: it is the largest that goes on, so max and argmax, not min."
)
def _(maps):
    return maps.min(axis=0), maps.argmin(axis=0)


@compete.mistake(
    "you compare magnitudes: a strongly negative answer is a strong no. The largest number wins, "
    "as it is."
)
def _(maps):
    winners = np.abs(maps).argmax(axis=0)
    return np.take_along_axis(maps, winners[None], axis=0)[0], winners


@compete.mistake(
    "you begin with 0 as the largest answer so far: where all answers are negative, none of them "
    "can win. Begin with kernel 0's."
)
def _(maps):
    return np.maximum(maps.max(axis=0), 0), np.where(maps.max(axis=0) > 0, maps.argmax(axis=0), 0)


@compete.mistake(
    "you compare the places of each map: that is pooling. Here the kernels are compared at each "
    "place, along axis 0."
)
def _(maps):
    return maps.max(axis=(1, 2)), maps.reshape(len(maps), -1).argmax(axis=1)


@compete.mistake(
    "your winners count through the whole array: argmax needs axis=0 to count kernels, for each "
    "place by itself."
)
def _(maps):
    return maps.max(axis=0), maps.argmax()


@compete.mistake("only the answers: return the winners as well, (answers, winners).")
def _(maps):
    return maps.max(axis=0)


def _backward_case(maps, first=1):
    grad_y = floats(np.arange(first, first + maps[0].size).reshape(maps[0].shape))
    return grad_y * np.where(grad_y % 2, 1, -1), maps


def _random_backward(rng):
    maps = _random_maps(rng)
    return rng.integers(1, 9, maps[0].shape) * rng.choice([-1.0, 1.0], maps[0].shape), maps


@exercise(
    lesson=7,
    cases=[
        _backward_case(TINY),
        _backward_case(NEGATIVE, 3),
        _backward_case(SEVERAL_TIES, 2),
        (floats([[3, 2]]), floats([[[1, 1]], [[1, 1]]])),
    ],
    random_case=_random_backward,
    right="each place teaches one kernel, the one that spoke there. This is all that lets kernels "
    "become different.",
    hint="begin with np.zeros(maps.shape). At each place find the winner with argmax, and write "
    "the place's gradient to the winner's map.",
)
def compete_backward(grad_y, maps):
    """Return the gradient of the maps (kernels, height, width) of a competition.

    grad_y (height, width) is the gradient of the answers that went on. Each place's gradient goes
    to the kernel that won it; of equal ones to the first.
    """
    return _first_winner(maps) * grad_y


def _first_winner(maps):
    return (maps.argmax(axis=0) == np.arange(len(maps))[:, None, None]).astype(float)


def _all_winners(maps):
    return (maps == maps.max(axis=0)).astype(float)


@compete_backward.mistake(
    "at a tie several kernels get the whole gradient: give it to the first of them only, or the "
    "sum grows on its way back."
)
def _(grad_y, maps):
    return _all_winners(maps) * grad_y


@compete_backward.mistake(
    "at a tie the kernels share the gradient: a defensible choice, but the one asked for gives all "
    "of it to the first."
)
def _(grad_y, maps):
    winners = _all_winners(maps)
    return winners / winners.sum(axis=0) * grad_y


@compete_backward.mistake("of equal answers your last kernel gets the gradient: take the first.")
def _(grad_y, maps):
    return (_last_argmax(maps) == np.arange(len(maps))[:, None, None]) * grad_y


@compete_backward.mistake(
    "every kernel gets the whole gradient: the losers had no part in the answer, theirs is 0."
)
def _(grad_y, maps):
    return np.ones(maps.shape) * grad_y


@compete_backward.mistake(
    "that is the backward pass of a mean: the gradient is not shared among the kernels, the winner "
    "gets all of it."
)
def _(grad_y, maps):
    return np.ones(maps.shape) / len(maps) * grad_y


@compete_backward.mistake(
    "you hand back the answer itself: hand back the gradient, to the kernel that gave the answer."
)
def _(grad_y, maps):
    return _first_winner(maps) * maps


@compete_backward.mistake(
    "the gradient is multiplied by the answer: the winner's answer is copied, so the slope is 1."
)
def _(grad_y, maps):
    return _first_winner(maps) * maps * grad_y


@compete_backward.mistake("you return who won: multiply it by the gradient of each place.")
def _(grad_y, maps):
    return _first_winner(maps)


@compete_backward.mistake(
    "the gradient goes to one kernel only, the same at all places: look for the winner of each "
    "place by itself (argmax along axis 0)."
)
def _(grad_y, maps):
    best = maps.reshape(len(maps), -1).max(axis=1).argmax()
    return (np.arange(len(maps)) == best)[:, None, None] * grad_y


@compete_backward.mistake("the gradient goes to the smallest answer: find the winner with argmax.")
def _(grad_y, maps):
    return (maps.argmin(axis=0) == np.arange(len(maps))[:, None, None]) * grad_y


@exercise(
    lesson=7,
    cases=[
        (floats([3, 4]), floats([3, 0])),
        (floats([2, 0]), floats([0, 4])),
        (floats([1, 2, 2]), floats([1, 2, 2])),
        (floats([[1, 2], [2, 0]]), floats([[10, 20], [20, 0]])),
        (floats([1, -2]), floats([-1, 2])),
    ],
    random_case=lambda rng: (
        rng.integers(1, 6, (2, 3)).astype(float),
        small_integers(rng, 2, 3) + 5.0,
    ),
    right="one number for how far off, one for how far astray. Ten times too long costs you the "
    "first and not the second.",
    hint="the norm of an array is the square root of the sum of its squares, "
    "np.linalg.norm(array.ravel()). The cosine is the sum of the products, divided by both norms.",
)
def compare_gradients(computed, measured):
    """Return (relative error, cosine) of two gradients of the same shape.

    The relative error is norm(computed - measured), divided by the larger of the two norms. The
    cosine is that of the angle between the two, each read as one long vector.
    """
    return _relative_error(computed, measured), _cosine(computed, measured)


def _norm(array):
    return float(np.sqrt((array**2).sum()))


def _relative_error(computed, measured):
    return _norm(computed - measured) / max(_norm(computed), _norm(measured))


def _cosine(computed, measured):
    return float((computed * measured).sum() / (_norm(computed) * _norm(measured)))


@compare_gradients.mistake("the two are in the wrong order: first the relative error.")
def _(computed, measured):
    return _cosine(computed, measured), _relative_error(computed, measured)


@compare_gradients.mistake(
    "your error is not relative: divide it by the larger of the two norms, or it depends on the "
    "unit of the loss."
)
def _(computed, measured):
    return _norm(computed - measured), _cosine(computed, measured)


@compare_gradients.mistake(
    "you divide by the norm of the measured gradient, whichever is larger: then an error can be "
    "far above 1, and swapping the two changes it."
)
def _(computed, measured):
    return _norm(computed - measured) / _norm(measured), _cosine(computed, measured)


@compare_gradients.mistake(
    "you divide by the norm of the computed gradient, whichever is larger: take the larger of the "
    "two."
)
def _(computed, measured):
    return _norm(computed - measured) / _norm(computed), _cosine(computed, measured)


@compare_gradients.mistake("you divide by both norms together: divide by the larger one.")
def _(computed, measured):
    sizes = _norm(computed) + _norm(measured)
    return _norm(computed - measured) / sizes, _cosine(computed, measured)


@compare_gradients.mistake(
    "the difference of the norms is not the norm of the difference: subtract the arrays first. Two "
    "gradients can be equally long and point opposite ways."
)
def _(computed, measured):
    sizes = _norm(computed), _norm(measured)
    return abs(sizes[0] - sizes[1]) / max(sizes), _cosine(computed, measured)


@compare_gradients.mistake(
    "your cosine still contains the lengths: divide the sum of the products by both norms."
)
def _(computed, measured):
    return _relative_error(computed, measured), float((computed * measured).sum())


@compare_gradients.mistake(
    "you take the mean off first: that is the correlation coefficient. A gradient's mean is part "
    "of its direction."
)
def _(computed, measured):
    centered = computed - computed.mean(), measured - measured.mean()
    return _relative_error(computed, measured), _cosine(*centered)


@compare_gradients.mistake(
    "the square root is missing: a norm is the root of the sum of the squares."
)
def _(computed, measured):
    sums = [float((a**2).sum()) for a in (computed - measured, computed, measured)]
    product = float((computed * measured).sum())
    return sums[0] / max(sums[1:]), product / (sums[1] * sums[2])


PROBABILITIES = floats([0.5, 0.25, 0.25])


def _probabilities(rng, *shape):
    powers = np.exp(rng.normal(size=shape))
    return powers / powers.sum()


@exercise(
    lesson=7,
    cases=[
        (PROBABILITIES, floats([4, 0, 0])),
        (PROBABILITIES, floats([-1, 2, 3])),
        (floats([0.9, 0.1]), floats([1, 1])),
        (floats([0.2, 0.3, 0.1, 0.4]), floats([1, -1, 0, 2])),
    ],
    random_case=lambda rng: (_probabilities(rng, 4), small_integers(rng, 4)),
    right="raising one score takes from all the other probabilities: that is the sum you subtract, "
    "and what the notebook's rule leaves out.",
    hint="p = softmax(scores) is given, so softmax is not called again. By the chain rule, score j "
    "gets the sum over i of grad_p[i] * dp[i]/dz[j], with dp[i]/dz[j] = p[i] * ((i == j) - p[j]).",
)
def softmax_backward(p, grad_p):
    """Return the gradient of the scores of one image, from that of its probabilities p, (classes,).

    p is softmax's output. All of softmax's derivative counts: every probability depends on every
    score.
    """
    return p * (grad_p - (p * grad_p).sum())


def _softmax(scores):
    powers = np.exp(scores - scores.max())
    return powers / powers.sum()


@softmax_backward.mistake(
    "only the diagonal: each probability as if it depended on its own score alone. Subtract what "
    "the other probabilities lose, sum(p * grad_p)."
)
def _(p, grad_p):
    return p * (1 - p) * grad_p


@softmax_backward.mistake(
    "softmax a second time, and only the diagonal: this is the notebook's rule. p is what softmax "
    "put out; use it as it is."
)
def _(p, grad_p):
    again = _softmax(p)
    return again * (1 - again) * grad_p


@softmax_backward.mistake(
    "softmax a second time: p is what softmax put out already; use it as it is."
)
def _(p, grad_p):
    again = _softmax(p)
    return again * (grad_p - (again * grad_p).sum())


@softmax_backward.mistake(
    "you hand the gradient on unchanged: softmax stands in between, and has a slope."
)
def _(p, grad_p):
    return grad_p


@softmax_backward.mistake(
    "you multiply by p only: subtract the sum of p * grad_p from grad_p first."
)
def _(p, grad_p):
    return p * grad_p


@softmax_backward.mistake(
    "the sum is not weighted: subtract sum(p * grad_p), each gradient times its probability."
)
def _(p, grad_p):
    return p * (grad_p - grad_p.sum())


@softmax_backward.mistake("the factor p in front is missing: p * (grad_p - sum(p * grad_p)).")
def _(p, grad_p):
    return grad_p - (p * grad_p).sum()


@softmax_backward.mistake(
    "that is the gradient of softmax and cross-entropy together: here any gradient grad_p may come "
    "in, not only that of the cross-entropy."
)
def _(p, grad_p):
    return p - np.eye(len(p))[grad_p.argmax()]


@softmax_backward.mistake(
    "the sum has the wrong sign: what one class gains, the others lose, so it is subtracted."
)
def _(p, grad_p):
    return p * (grad_p + (p * grad_p).sum())
