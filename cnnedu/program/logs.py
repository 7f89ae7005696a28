"""What a training prints for people: to each network the log of its origin."""

from __future__ import annotations

import math
import time

from cnnedu.program.messages import Output
from cnnedu.systems import System
from cnnedu.training import Callback, Evaluation, History, Training

EXAMPLES = 1000


def log_for(system: System, output: Output) -> Log:
    """Return the log that belongs to a system."""
    if system.name == "cnn-rs":
        return ExamplesLog(output)
    if system.as_written and system.name == "competing-kernels":
        return PassLog(output)
    if system.as_written and system.name == "notebook":
        return StepLog(output)
    return Log(output)


class Log(Callback):
    """One paragraph for each epoch, as the example programs of Lasagne print it."""

    def __init__(self, output: Output) -> None:
        self.say = output.say

    def on_epoch_end(self, training: Training) -> None:
        """Print how the epoch went."""
        history = training.history
        self.say(f"Epoch {training.epoch} of {training.epochs} took {history.seconds[-1]:.3f}s")
        self.say(f"  training loss:\t\t{history.loss[-1]:.6f}")
        self.say(f"  training accuracy:\t\t{history.accuracy[-1]:.2%}")
        if history.validation_loss:
            self.say(f"  validation loss:\t\t{history.validation_loss[-1]:.6f}")
            self.say(f"  validation accuracy:\t\t{history.validation_accuracy[-1]:.2%}")

    def finish(self, history: History, epochs: int) -> None:
        """Print what is to be said after the last epoch, before the test."""

    def result(self, test: Evaluation) -> None:
        """Print how the test went."""
        self.say("Final results:")
        self.say(f"  test loss:\t\t\t{test.loss:.6f}")
        self.say(f"  test accuracy:\t\t{test.accuracy:.2%}")


class ExamplesLog(Log):
    """One line for each thousand images: the loss in bits, and the accuracy in training.

    The time is that of a thousand images, which the origin calls a batch.
    """

    def on_start(self, training: Training) -> None:
        """Begin counting, in the middle of an epoch perhaps."""
        self._mark(training)

    def _mark(self, training: Training) -> None:
        score = training.score
        self.before = score.count, score.loss, score.right
        self.began = time.perf_counter()

    def on_batch_end(self, training: Training) -> None:
        """Print when another thousand images have been seen."""
        score = training.score
        if training.batch == 1:
            self.before = 0, 0.0, 0
        count, loss, right = self.before
        if score.count // EXAMPLES == count // EXAMPLES:
            return
        new, now = score.count - count, time.perf_counter()
        bits, accuracy = (score.loss - loss) / new / math.log(2), (score.right - right) / new
        milliseconds = 1000 * (now - self.began) * EXAMPLES / new
        self.say(
            f"{score.count} examples, avg loss {bits:.4f} accuracy {accuracy:.1%} "
            f"avg batch time {milliseconds:.0f}ms"
        )
        self._mark(training)

    def on_epoch_end(self, training: Training) -> None:
        """Print how long the epoch took."""
        seconds = training.history.seconds[-1]
        self.say(f"Epoch {training.epoch} of {training.epochs} took {seconds:.3f}s")
        self.began = time.perf_counter()


class PassLog(Log):
    """One line for each pass: its number, counted from 0, and its mean squared error."""

    def on_epoch_end(self, training: Training) -> None:
        """Print the error of the pass."""
        self.say(f"{training.epoch - 1} {training.history.loss[-1]}")

    def finish(self, history: History, epochs: int) -> None:
        """Say whether the stopping rule was met, as the origin decides it."""
        if len(history.loss) < epochs:
            self.say(f"converged at iteration: {len(history.loss) - 1}")
            self.say(f"average error: {history.loss[-1]}")
        else:
            self.say("failed to converge")

    def result(self, test: Evaluation) -> None:
        """Print the test as the origin counts it."""
        self.say(f"average test set error: {test.loss}")
        self.say(f"percent correct: {100 * test.accuracy:.2f}")


class StepLog(Log):
    """One line for each step: its loss, and the few test images that follow it."""

    def on_batch_end(self, training: Training) -> None:
        """Print the step's numbers."""
        history = training.history
        self.say(
            f"iteration {training.step} of {training.epochs * training.batches_per_epoch}: "
            f"loss {history.batch_loss[-1]:.4f}, accuracy on five test images "
            f"{history.validation_accuracy[-1]:.0%}"
        )

    def on_epoch_end(self, training: Training) -> None:
        """Print nothing: there is one epoch only."""
