"""The exercises of lesson 7 against the package's own numbers, and what learners may write."""

import numpy as np
import pytest

from cnnedu import checks
from cnnedu.gradient_check import gradient_check
from cnnedu.layers import MaxOverChannels, Softmax
from cnnedu.layers.competition import max_over_channels_backward_loops, max_over_channels_loops


def verdict(function, name):
    return " ".join(str(getattr(checks, name).diagnose(function)).split())


def reference(name):
    return getattr(checks, name).reference


def test_the_competition_is_that_of_the_package():
    for (maps,) in checks.compete.cases:
        answers, winners = reference("compete")(maps)
        np.testing.assert_array_equal(answers, max_over_channels_loops(maps[None])[0, 0])
        _, cache = MaxOverChannels().compute(maps[None])
        np.testing.assert_array_equal(winners, cache.wins[0].argmax(axis=0))


def test_the_backward_pass_is_that_of_the_package():
    for grad_y, maps in checks.compete_backward.cases:
        expected = max_over_channels_backward_loops(grad_y[None, None], maps[None])[0]
        np.testing.assert_array_equal(reference("compete_backward")(grad_y, maps), expected)


def test_ties_and_negative_places_occur():
    """Without them, wrong rules for ties and for all-negative places would go unnoticed."""
    maps = [case[0] for case in checks.compete.cases]
    maps += [case[1] for case in checks.compete_backward.cases]
    assert sum(((each == each.max(axis=0)).sum(axis=0) > 1).any() for each in maps) >= 3
    assert any((each.max(axis=0) < 0).any() for each in maps)


def test_the_relative_error_is_that_of_the_gradient_check(rng):
    class Longer(MaxOverChannels):
        """A layer whose gradient is three times too long."""

        def differentiate(self, grad_y, cache, *, input_gradient=True):
            return super().differentiate(3 * grad_y, cache)

    maps = rng.normal(size=(1, 3, 2, 2))
    report = gradient_check(Longer(), maps, rng=np.random.default_rng(0))
    weights = np.random.default_rng(0).normal(size=(1, 1, 2, 2))
    _, cache = MaxOverChannels().compute(maps)
    true = MaxOverChannels().differentiate(weights, cache)[0]
    error, cosine = reference("compare_gradients")(3 * true, true)
    assert error == pytest.approx(report.errors["input"], abs=1e-6)
    assert cosine == pytest.approx(1)


def test_the_softmax_gradient_is_that_of_the_package():
    for p, grad_p in checks.softmax_backward.cases:
        layer = Softmax()
        np.testing.assert_allclose(layer.forward(np.log(p)[None])[0], p)
        expected = layer.backward(grad_p[None])[0]
        np.testing.assert_allclose(reference("softmax_backward")(p, grad_p), expected, atol=1e-12)


def test_a_whole_derivative_matrix_is_right():
    def jacobian(p, grad_p):
        return (np.diag(p) - np.outer(p, p)) @ grad_p

    assert verdict(jacobian, "softmax_backward").startswith("✓")


def test_the_origins_rule_is_told_apart_from_its_parts():
    def softmax(scores):
        powers = np.exp(scores)
        return powers / powers.sum()

    def origin(p, grad_p):
        return grad_p @ np.diag(softmax(p) * (1 - softmax(p)))

    def diagonal(p, grad_p):
        return grad_p @ np.diag(p * (1 - p))

    assert "✗ softmax a second time, and only the diagonal" in verdict(origin, "softmax_backward")
    assert "✗ only the diagonal" in verdict(diagonal, "softmax_backward")


def test_winners_may_be_written_with_one_hot_or_indices():
    def with_indices(grad_y, maps):
        grad_maps = np.zeros_like(maps)
        rows, columns = np.indices(grad_y.shape)
        grad_maps[maps.argmax(axis=0), rows, columns] = grad_y
        return grad_maps

    assert verdict(with_indices, "compete_backward").startswith("✓")


def test_pooling_instead_of_competing_is_named():
    def pooled(maps):
        return maps.max(axis=(1, 2)), maps.reshape(len(maps), -1).argmax(axis=1)

    assert "that is pooling" in verdict(pooled, "compete")


def test_a_correlation_is_not_a_cosine():
    def correlated(computed, measured):
        norm = np.linalg.norm
        error = norm(computed - measured) / max(norm(computed), norm(measured))
        return error, np.corrcoef(computed.ravel(), measured.ravel())[0, 1]

    assert "that is the correlation coefficient" in verdict(correlated, "compare_gradients")
