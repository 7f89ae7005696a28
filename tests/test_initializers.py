"""Where weights start: the spread that each rule promises."""

import numpy as np
import pytest

from cnnedu import initializers

SHAPE, FAN_IN, FAN_OUT = (400, 250), 250, 400


@pytest.mark.parametrize(
    ("name", "mean", "deviation"),
    [
        ("he_normal", 0.0, np.sqrt(2 / FAN_IN)),
        ("lecun_normal", 0.0, np.sqrt(1 / FAN_IN)),
        ("normal_over_area", 0.0, 1 / FAN_IN),
        ("glorot_uniform", 0.0, np.sqrt(2 / (FAN_IN + FAN_OUT))),  # limit / sqrt(3)
        ("uniform_positive", 0.5 / FAN_IN, 1 / FAN_IN / np.sqrt(12)),
        ("uniform_unit", 0.0, 1 / np.sqrt(3)),
    ],
)
def test_mean_and_deviation(name, mean, deviation):
    initializer = getattr(initializers, name)
    start = initializer(SHAPE, FAN_IN, FAN_OUT, np.random.default_rng(0))
    assert start.shape == SHAPE
    # 100,000 draws: the mean is known to 0.003 deviations, the deviation to 0.3 %.
    assert abs(start.mean() - mean) < 0.015 * deviation
    assert start.std() == pytest.approx(deviation, rel=0.015)
