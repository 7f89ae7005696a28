"""How much memory a peer takes on top of the data."""

from __future__ import annotations

import sys
from pathlib import Path

STATUS = Path("/proc/self/status")
MB = 1e6


def resident() -> float:
    """Return the memory in use (MB)."""
    return _status("VmRSS")


def peak() -> float:
    """Return the most memory that was in use since ``reset_peak`` (MB)."""
    return _status("VmHWM")


def reset_peak() -> None:
    """Forget the peak so far."""
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")


def _status(key: str) -> float:
    for line in STATUS.read_text(encoding="ascii").splitlines():
        if line.startswith(key + ":"):
            return int(line.split()[1]) * 1024 / MB
    raise OSError(f"there is no {key} in {STATUS}")


def available() -> bool:
    """Tell whether this system says what a process uses in this way (Linux does)."""
    return sys.platform == "linux" and STATUS.exists()


def measure(servant, case: tuple, count: int) -> dict[str, float]:
    """Measure, in a process that has done nothing yet, one epoch over ``count`` images.

    "library": what importing the peer adds; "training": how far the peak during training lies above
    what is in use when library and data are there.
    """
    before = resident()
    servant.make()
    library = resident() - before

    from benchmarks.speed.cases import Case

    servant.prepare(Case(*case))
    servant.peer.load_data(count)
    start = resident()
    reset_peak()
    servant.peer.run(count)
    return {"library": library, "training": peak() - start}
