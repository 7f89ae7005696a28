"""Optimizers: two steps by hand, and what they remember."""

import re

import numpy as np
import pytest

from cnnedu import SGD, Adam, Momentum
from cnnedu.optimizers import CosineDecay, StepDecay, Triangular


def two_steps(optimizer, gradients=(1.0, 2.0), start=10.0):
    parameter = np.array([start])
    path = []
    for gradient in gradients:
        optimizer.step([("w", parameter, np.array([gradient]))])
        path.append(float(parameter[0]))
    return path


def test_sgd_by_hand():
    assert two_steps(SGD(0.1)) == pytest.approx([10 - 0.1, 10 - 0.1 - 0.2])
    with_decay = [10 - 0.1 * (1 + 0.5 * 10)]
    with_decay.append(with_decay[0] - 0.1 * (2 + 0.5 * with_decay[0]))
    assert two_steps(SGD(0.1, weight_decay=0.5)) == pytest.approx(with_decay)


def test_momentum_by_hand():
    # velocities: -0.1, then 0.9 * -0.1 - 0.2 = -0.29
    assert two_steps(Momentum(0.1)) == pytest.approx([10 - 0.1, 10 - 0.1 - 0.29])


def test_nesterov_by_hand():
    # steps: 0.9 * -0.1 - 0.1 = -0.19, then 0.9 * -0.29 - 0.2 = -0.461
    assert two_steps(Momentum(0.1, nesterov=True)) == pytest.approx([10 - 0.19, 10 - 0.19 - 0.461])


def test_adam_by_hand():
    m = [0.1 * 1, 0.9 * 0.1 + 0.1 * 2]
    v = [0.001 * 1, 0.999 * 0.001 + 0.001 * 4]
    first = 0.01 * (m[0] / 0.1) / (np.sqrt(v[0] / 0.001) + 1e-8)
    second = 0.01 * (m[1] / (1 - 0.9**2)) / (np.sqrt(v[1] / (1 - 0.999**2)) + 1e-8)
    assert two_steps(Adam(0.01)) == pytest.approx([10 - first, 10 - first - second])
    decayed = two_steps(Adam(0.01, weight_decay=0.1), gradients=(1.0,))
    assert decayed == pytest.approx([10 * (1 - 0.01 * 0.1) - first])


OPTIMIZERS = [SGD(0.1), Momentum(0.1), Momentum(0.1, nesterov=True), Adam(0.1)]


@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=repr)
def test_steps_happen_in_place_in_the_parameters_dtype_and_leave_gradients_alone(optimizer):
    rng = np.random.default_rng(0)
    parameter, gradient = rng.normal(size=(2, 3)).astype(np.float32), np.ones((2, 3), np.float32)
    before = parameter.copy()
    optimizer.step([("w", parameter, gradient)])
    assert parameter.dtype == np.float32 and (parameter < before).all()
    assert (gradient == 1).all()
    assert all(a.dtype == np.float32 for kinds in optimizer.memory.values() for a in kinds.values())


@pytest.mark.parametrize("make", [lambda: Momentum(0.1), lambda: Adam(0.1)])
def test_a_restored_optimizer_goes_on_to_the_same_bits(make):
    rng = np.random.default_rng(0)
    gradients = rng.normal(size=(6, 4))
    whole, parameter = make(), np.zeros(4)
    for gradient in gradients:
        whole.step([("w", parameter, gradient)])
    first, again = make(), np.zeros(4)
    for gradient in gradients[:3]:
        first.step([("w", again, gradient)])
    second = make()
    second.restore(first.state())
    for gradient in gradients[3:]:
        second.step([("w", again, gradient)])
    np.testing.assert_array_equal(parameter, again)


def test_schedules():
    assert [StepDecay(1.0, 0.1, (0.5, 0.75))(p) for p in (0, 0.5, 0.8)] == pytest.approx(
        [1, 0.1, 0.01]
    )
    assert [CosineDecay(1.0)(p) for p in (0, 0.5, 1)] == pytest.approx([1, 0.5, 0])
    triangle = Triangular(peak=2.0, rise=0.25, start=1.0)
    assert [triangle(p) for p in (0, 0.125, 0.25, 0.625, 1)] == pytest.approx([1, 1.5, 2, 1, 0])
    trapezoid = Triangular(peak=2.0, rise=0.25, hold=0.25)
    assert [trapezoid(p) for p in (0, 0.25, 0.4, 0.5, 0.75, 1)] == pytest.approx([0, 2, 2, 2, 1, 0])
    assert Triangular(peak=2.0, rise=0.5, hold=0.5)(1.0) == 2
    optimizer, parameter = SGD(CosineDecay(1.0)), np.zeros(1)
    optimizer.step([("w", parameter, np.ones(1))], progress=0.5)
    assert parameter[0] == pytest.approx(-0.5)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: SGD(-0.1), "learning_rate must be a number at least 0, got -0.1"),
        (lambda: SGD("fast"), "learning_rate must be a number at least 0, got 'fast'"),
        (lambda: SGD(float("nan")), "learning_rate must be a number at least 0, got nan"),
        (lambda: SGD(0.1, weight_decay=-1), "weight_decay must be a number at least 0"),
        (lambda: Momentum(0.1, 1.0), "momentum must be a number in [0, 1), got 1.0"),
        (lambda: Adam(betas=(0.9, 1.0)), "betas must be a number in [0, 1), got 1.0"),
    ],
)
def test_bad_settings_are_a_clear_error(make, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        make()


def test_a_gradient_of_another_shape_is_a_clear_error():
    with pytest.raises(
        ValueError, match=re.escape("gradient of w must have the parameter's shape (3,)")
    ):
        SGD(0.1).step([("w", np.zeros(3), np.zeros(1))])
