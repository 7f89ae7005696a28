"""Keep a training safe: checkpoints that know how to go on, and Ctrl-C between two steps."""

from __future__ import annotations

import signal
import threading
from pathlib import Path
from typing import Any

from cnnedu.storage import save
from cnnedu.training import Callback, Training


class Keeper(Callback):
    """Save network and training to a file, with all that the program needs to go on with it.

    Parameters
    ----------
    path : Path or None
        None keeps nothing.
    every : int or None
        Save after every so many batches, too, not only after each epoch.
    about : dict
        How the training was begun; kept in the file.
    """

    def __init__(self, path: Path | None, every: int | None, about: dict[str, Any]) -> None:
        self.path, self.every, self.about = path, every, about
        self.training: Training | None = None

    def on_start(self, training: Training) -> None:
        """Save at once, so that a run that is killed early can be resumed, too."""
        self.training = training
        self.keep()

    def on_batch_end(self, training: Training) -> None:
        """Save after every so many batches."""
        inside = training.batch < training.batches_per_epoch  # the epoch's end is saved below
        if self.every and training.step % self.every == 0 and inside:
            self.keep()

    def on_epoch_end(self, training: Training) -> None:
        """Save after each epoch."""
        self.keep()

    def keep(self, *, finished: bool = False) -> None:
        """Save now; the training must be between two steps."""
        if self.path is not None:
            about = {**self.about, "finished": finished}
            save(self.training.network, self.path, training=self.training.state(), about=about)


class Interruption(Callback):
    """Turn Ctrl-C into a stop after the step that is being computed; a second one stops at once.

    Use it in a ``with`` statement around the training, and as the last of its callbacks.
    """

    def __init__(self) -> None:
        self.asked = False
        self.between_steps = False

    def __enter__(self) -> Interruption:
        # Only the main thread may choose what a signal does, and only it is interrupted.
        self.before = None
        main_thread = threading.current_thread() is threading.main_thread()
        # Shells have what runs in the background ignore Ctrl-C, which is meant for others.
        if main_thread and signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
            self.before = signal.signal(signal.SIGINT, self._remember)
        return self

    def __exit__(self, *error) -> None:
        if self.before is not None:
            signal.signal(signal.SIGINT, self.before)

    def _remember(self, number, frame) -> None:
        if self.asked:
            raise KeyboardInterrupt
        self.asked = True

    def on_batch_end(self, training: Training) -> None:
        """Stop here, if that was asked for."""
        if self.asked:
            self.between_steps = True
            raise KeyboardInterrupt
