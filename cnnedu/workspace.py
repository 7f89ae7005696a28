"""Memory that is used again: fresh arrays cost more time than much of the arithmetic in them.

A fast layer writes its large intermediate results, patches, products, maps, into arrays that it
asks a workspace for by name. A ``Workspace`` hands out the same piece of memory at every step, so
that the operating system need not find and clear new pages and the data stay in the processor's
cache. The price is that a result is overwritten by the next step. Nobody notices in a training,
where each step has used its results up; whoever keeps results (a notebook, ``activations``) works
with ``FRESH``, which hands out new memory every time.

For the same reason a large batch is not computed at once but in pieces of a few dozen images (see
``cnnedu.execution``): the memory in use then stays small, whatever the batch size.
"""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any

import numpy as np


class Workspace:
    """Arrays by name, handed out again and again; they grow when needed and never shrink."""

    def __init__(self) -> None:
        self._memory: dict[str, np.ndarray] = {}
        self._plans: dict[tuple, Any] = {}

    def array(self, name: str, shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
        """Return an array of this shape in C order; its contents are whatever was there before."""
        size = prod(shape)
        memory = self._memory.get(name)
        if memory is None or memory.size < size or memory.dtype != dtype:
            memory = self._memory[name] = np.empty(size, dtype)
            self._plans.clear()  # they would keep the old memory
        return memory[:size].reshape(shape)

    def plan(self, make: Callable[..., Any], *arguments: Any) -> Any:
        """Return ``make(*arguments, workspace=self)``, made once: the plan of a step.

        A plan holds the arrays of a step, and every view of them that the step will need. It is
        found again as long as the arguments are the same and the memory has not grown.
        """
        key = (make, *arguments)
        plan = self._plans.get(key)
        if plan is None:
            plan = make(*arguments, workspace=self)
            self._plans[key] = plan
        return plan

    @property
    def nbytes(self) -> int:
        """How much memory is held."""
        return sum(memory.nbytes for memory in self._memory.values())


class _Fresh(Workspace):
    """New memory every time."""

    def array(self, name: str, shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
        """Return a new array of this shape in C order, uninitialized."""
        return np.empty(shape, dtype)

    def plan(self, make: Callable[..., Any], *arguments: Any) -> Any:
        """Return a new plan."""
        return make(*arguments, workspace=self)


FRESH = _Fresh()


def keep_freed_memory() -> None:
    """Have what is freed kept for the next step, instead of given back to the operating system.

    The small arrays of a step are fresh ones. The usual memory management on Linux (glibc) gives
    free memory back when more of it lies together than a limit, and has to ask for it again in the
    next step; whether that happens depends on chance, and a step of a small network then takes half
    as long again. The limit is twice the largest block that was ever freed, up to blocks of 32 MB
    (M_MMAP_THRESHOLD in mallopt(3)). So one large block that nobody touches is made and freed.
    Elsewhere this does nothing.
    """
    np.empty(31 << 20, np.uint8)
