"""Every peer in a process of its own; the processes take turns.

Two libraries in one process would share more than the processor: their threads, which stay awake
for a while after their work is done, and the memory that one of them has made warm. A process that
waits for its turn sleeps, reading from a pipe.
"""

from __future__ import annotations

import contextlib
import os
import pickle
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
THREAD_VARIABLES = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")


class PeerError(Exception):
    """A peer cannot do what was asked."""


def make_peer(name: str, threads: int):
    """Return the peer of a name; libraries are imported here, in the peer's own process."""
    from benchmarks.speed import peers

    if name.startswith("project"):
        return peers.Project(threads)
    if name == "loops":
        return peers.Loops(threads)
    if name in peers.WAYS:
        return peers.Textbook(peers.WAYS[name], threads)
    from benchmarks.speed.pytorch import PyTorch

    options = {
        "pytorch": {},
        "pytorch tuned": {"tuned": True},
        "pytorch tuned, channels last": {"tuned": True, "channels_last": True},
    }
    return PyTorch(**options[name], threads=threads)


def make_convolution(name: str):
    """Return the single convolution of a name."""
    if name in ("direct", "winograd"):
        from benchmarks.speed.peers import ProjectConvolution

        return ProjectConvolution(name)
    from benchmarks.speed.pytorch import PyTorchConvolution

    return PyTorchConvolution("channels last" in name)


class Servant:
    """What a peer's process does when it is told to."""

    def __init__(self, name: str, threads: int) -> None:
        self.name, self.threads = name, threads

    def make(self) -> dict[str, str]:
        """Import the peer; return the versions of what computes."""
        self.peer = make_peer(self.name, self.threads)
        return self.peer.versions()

    def check(self, case):
        """Return the peer's results for a case."""
        return self.peer.check(case)

    def prepare(self, case) -> bool:
        """Get a case ready to be timed; tell whether a first run should be thrown away."""
        self.peer.prepare(case)
        return self.peer.warm_up

    def run(self, count: int) -> float:
        """Return the seconds that so many images take."""
        return self.peer.run(count)

    def memory(self, case: tuple, count: int) -> dict[str, float]:
        """Return how much memory (MB) the library, and then the training, adds to the data.

        The case comes as its plain fields: unpickling it would import what is to be measured.
        """
        from benchmarks.speed import memory

        return memory.measure(self, case, count)

    def prepare_convolution(self, name: str, x_shape, weight_shape, padding: int) -> None:
        """Make a convolution with random numbers."""
        rng = np.random.default_rng(3)
        self.convolution = make_convolution(name)
        x = rng.standard_normal(x_shape, dtype=np.float32)
        weight = rng.standard_normal(weight_shape, dtype=np.float32) / np.prod(weight_shape[1:])
        self.convolution.set_up(x, weight.astype(np.float32), padding)

    def check_convolution(self) -> list[np.ndarray]:
        """Return the output and both gradients."""
        return self.convolution.results()

    def run_convolution(self, repeats: int) -> float:
        """Return the seconds that so many steps, forward and backward, take."""
        start = time.perf_counter()
        for _ in range(repeats):
            self.convolution.step()
        return time.perf_counter() - start


def serve(name: str, threads: int) -> None:
    """Answer requests from standard input until it is closed."""
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # whatever is printed stays out of the way
    servant = Servant(name, threads)
    while True:
        try:
            method, arguments = pickle.load(sys.stdin.buffer)
        except EOFError:
            return
        try:
            answer = "result", getattr(servant, method)(*arguments)
        except Exception as error:  # whatever it is, the other side must hear of it
            answer = "error", f"{type(error).__name__}: {error}"
        pickle.dump(answer, answers)
        answers.flush()


class Process:
    """A peer in a process of its own, called like an object; close it, or use ``with``.

    Parameters
    ----------
    name : str
    threads : int
    python : str
        The Python to run it with: PyTorch may be installed elsewhere.
    """

    def __init__(self, name: str, threads: int = 1, python: str = sys.executable) -> None:
        self.name, self.threads = name, threads
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        # The package limits the matrix library itself; the others are told from outside.
        for variable in THREAD_VARIABLES:
            environment.pop(variable, None)
            if not name.startswith("project"):
                environment[variable] = str(threads)
        code = f"from benchmarks.speed.processes import serve; serve({name!r}, {threads})"
        self._process = subprocess.Popen(
            [python, "-c", code],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )

    def __getattr__(self, method: str) -> Callable[..., Any]:
        if method.startswith("_"):
            raise AttributeError(method)
        return lambda *arguments: self._ask(method, arguments)

    def _ask(self, method: str, arguments: tuple) -> Any:
        try:
            pickle.dump((method, arguments), self._process.stdin)
            self._process.stdin.flush()
            kind, answer = pickle.load(self._process.stdout)
        except (EOFError, BrokenPipeError):
            status = self._process.wait()
            raise PeerError(f"the process of {self.name} ended with status {status}") from None
        if kind == "error":
            raise PeerError(answer)
        return answer

    def close(self) -> None:
        """End the process."""
        with contextlib.suppress(BrokenPipeError):  # it has ended already
            self._process.stdin.close()
        self._process.stdout.close()
        self._process.wait()

    def __enter__(self) -> Process:
        return self

    def __exit__(self, *error) -> None:
        self.close()
