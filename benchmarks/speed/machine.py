"""The machine: what it is, how fast it multiplies matrices and moves memory at best."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

SIZES = (96, 256, 512, 1000)
"""Sides of the square matrices of which the fastest product counts."""
LARGE, SMALL = 64_000_000, 192_000
"""Bytes that are copied: far more than any cache holds, and what a core's own cache holds."""


def describe() -> dict:
    """Return what can be said of the machine."""
    processor = platform.processor() or platform.machine()
    information = Path("/proc/cpuinfo")
    if information.exists():
        lines = information.read_text(encoding="utf-8").splitlines()
        names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
        processor = names[0] if names else processor
    return {
        "system": f"{platform.system()} {platform.machine()}",
        "processor": processor,
        "processors": os.cpu_count(),
        "load at the start": os.getloadavg()[0] if hasattr(os, "getloadavg") else None,
    }


def best_time(work: Callable[[], object], seconds: float) -> float:
    """Return the shortest of the times that fit into so many seconds, at least three."""
    best, end, count = np.inf, time.perf_counter() + seconds, 0
    while count < 3 or time.perf_counter() < end:
        start = time.perf_counter()
        work()
        best, count = min(best, time.perf_counter() - start), count + 1
    return best


def multiply_speed(threads: int, seconds: float = 0.2) -> float:
    """Return how many GFLOP/s the matrix product reaches in float32 (best of some sizes)."""
    from threadpoolctl import threadpool_limits

    rng, best = np.random.default_rng(0), 0.0
    with threadpool_limits(threads):
        for size in SIZES:
            a, b = rng.standard_normal((2, size, size), dtype=np.float32)
            out = np.empty_like(a)
            duration = best_time(lambda a=a, b=b, out=out: np.matmul(a, b, out=out), seconds)
            best = max(best, 2 * size**3 / duration / 1e9)
    return best


def copy_speed(threads: int, size: int, seconds: float = 0.3) -> float:
    """Return how many GB/s are read and written when every thread copies ``size`` bytes."""
    repeats = max(1, LARGE // size // 4)
    pairs = [(np.ones(size, np.uint8), np.zeros(size, np.uint8)) for _ in range(threads)]

    def copy(pair) -> None:
        for _ in range(repeats):
            np.copyto(pair[1], pair[0])

    with ThreadPoolExecutor(threads) as pool:
        duration = best_time(lambda: list(pool.map(copy, pairs)), seconds)
    return 2 * size * repeats * threads / duration / 1e9


def roofline(thread_counts=(1, 2)) -> dict[str, dict[str, float]]:
    """Measure the machine's limits for each number of threads."""
    return {
        str(threads): {
            "sgemm GFLOP/s": multiply_speed(threads),
            "memory GB/s": copy_speed(threads, LARGE),
            "cache GB/s": copy_speed(threads, SMALL),
        }
        for threads in thread_counts
    }
