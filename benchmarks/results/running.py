"""Doing the trainings, two side by side, and saying how far it has got."""

from __future__ import annotations

import json
import multiprocessing
import os
import time
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from pathlib import Path

from benchmarks.results.trainings import Setting, Task, group_of

SIDE_BY_SIDE = 2


def write_text(path: Path, text: str) -> None:
    """Write a file so that it is there whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(path.name + ".part")
    unfinished.write_text(text, encoding="utf-8")
    os.replace(unfinished, path)


def do(task: Task, setting: Setting) -> tuple[Task, dict]:
    """Do one task in a process of its own; write its result down at once."""
    result = group_of(task).train(setting, task.seed)
    write_text(setting.folder / task.file_name, json.dumps(result))
    return task, result


def do_all(tasks: list[Task], setting: Setting) -> Iterator[tuple[Task, dict]]:
    """Do the tasks, two side by side, each with one processor; yield each as it is finished."""
    os.environ.update(OPENBLAS_NUM_THREADS="1", OMP_NUM_THREADS="1", MKL_NUM_THREADS="1")
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(SIDE_BY_SIDE, mp_context=context) as pool:
        waiting = {pool.submit(do, task, setting) for task in tasks}
        try:
            while waiting:
                done, waiting = wait(waiting, return_when=FIRST_COMPLETED)
                for future in done:
                    yield future.result()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            for process in multiprocessing.active_children():
                process.terminate()
            raise


def said(result: dict) -> str:
    """Return the one number of a result that is worth a line."""
    accuracy = result.get("test_accuracy", result.get("test", {}).get("right"))
    seconds = result.get("seconds")
    words = [] if accuracy is None else [f"{accuracy:.2%} of the test images"]
    return ", ".join(words + ([] if seconds is None else [f"{seconds:.0f} s"]))


class Progress:
    """Says what is finished, and about how long the rest takes."""

    def __init__(self, tasks: list[Task], finished: int) -> None:
        self.count, self.total = finished, finished + len(tasks)
        self.ahead = sum(group_of(task).seconds for task in tasks)
        self.done, self.began = 0.0, time.monotonic()

    def line(self, task: Task, result: dict) -> str:
        """Return the line for a task that is finished."""
        self.count += 1
        self.done += group_of(task).seconds
        passed = time.monotonic() - self.began
        rest = passed / self.done * (self.ahead - self.done)
        clock = f"{passed / 60:.1f} min, about {rest / 60:.0f} min to go"
        return f"[{self.count} of {self.total}, {clock}] {task.title}: {said(result)}"
