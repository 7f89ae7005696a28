"""What every test runs under: no window, no network, examples that repeat, no open figures left."""

import os
import signal
import socket
import sys

# Before NumPy and Matplotlib are imported: tests run side by side, one processor each.
for _name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")
# What a shell starts in the background ignores Ctrl-C; the tests that press it need it back.
signal.signal(signal.SIGINT, signal.default_int_handler)
os.environ["MPLBACKEND"] = "Agg"
os.environ["MATPLOTLIBRC"] = os.devnull

import hypothesis
import numpy as np
import pytest

# The same examples on every machine; HYPOTHESIS_PROFILE=explore looks for new ones.
hypothesis.settings.register_profile(
    "repeatable", derandomize=True, deadline=None, database=None, print_blob=True
)
hypothesis.settings.register_profile("explore", deadline=None, max_examples=1000, print_blob=True)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "repeatable"))


@pytest.fixture
def rng():
    """Return a generator of random numbers that is the same in every test."""
    return np.random.default_rng(20)


@pytest.fixture(autouse=True)
def no_network(monkeypatch):
    """Let tests reach this machine only: none may depend on the network."""
    real_connect = socket.socket.connect

    def connect(self, address):
        if self.family in (socket.AF_INET, socket.AF_INET6):
            host = address[0]
            if host != "localhost" and not host.startswith("127.") and host != "::1":
                raise OSError(f"tests do without the network; this one wants to reach {host!r}")
        return real_connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", connect)


@pytest.fixture(autouse=True)
def close_figures():
    """Close the figures that a test leaves open."""
    yield
    if "matplotlib.pyplot" in sys.modules:
        sys.modules["matplotlib.pyplot"].close("all")
