"""``cnnedu train``: train one of the four networks; stop, go on, and end in the same bits."""

from __future__ import annotations

import argparse
import zlib
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from cnnedu import __version__
from cnnedu.data import Dataset, Part
from cnnedu.network import Sequential
from cnnedu.program.keeping import Interruption, Keeper
from cnnedu.program.logs import log_for
from cnnedu.program.messages import Output, ProgramError, UsageError
from cnnedu.program.reading import DATA, check_can_be_written, idx_files, option, read_dataset
from cnnedu.storage import load, load_training, read_about, save
from cnnedu.systems import SYSTEMS, System, system
from cnnedu.training import Evaluation, History

ROLES = ("train", "test")


@dataclass(frozen=True)
class Settings:
    """What a training depends on; a checkpoint keeps it."""

    network: str
    as_written: bool
    data: str | dict[str, str]
    epochs: int
    learning_rate: float
    batch_size: int
    seed: int
    workers: int
    load: str | None

    @property
    def system(self) -> System:
        """The system that is trained."""
        return system(self.network, as_written=self.as_written)


def run(arguments: argparse.Namespace, output: Output) -> int:
    """Do what the command line says."""
    about = _resumed(arguments) if arguments.resume else _begun(arguments)
    settings = Settings(**about["settings"])
    path = arguments.save or arguments.resume
    if path is not None:
        check_can_be_written(path)
    data = settings.system.data(_read_data(settings, about, arguments, output))
    if about["finished"]:
        network, state = load_training(arguments.resume)
        history = History(**state["history"])
        output.say(f"the training in {arguments.resume} is finished; nothing is left to do")
        if arguments.save is not None:
            save(network, path, training=state, about=about)
    else:
        network, history = _train(settings, about, data, path, arguments, output)
    log = log_for(settings.system, output)
    log.finish(history, settings.epochs)
    test = settings.system.evaluate(network, data.test, workers=settings.workers)
    log.result(test)
    if path is not None:
        output.say(f"saved to {path}")
    output.give(_numbers(settings, history, test, data, path))
    return output.status


# ---------------------------------------------------------------------------------------------
# What to train
# ---------------------------------------------------------------------------------------------


def _begun(arguments: argparse.Namespace) -> dict[str, Any]:
    """Return what a new training is about, from the command line."""
    if arguments.network is None:
        raise UsageError(f"say which network to train: --network, one of {', '.join(SYSTEMS)}")
    files = idx_files(arguments, ROLES)
    if not (files or arguments.data):
        raise UsageError("say what to train on: --data digits, --data mnist, or --train-images ...")
    if arguments.checkpoint_every and arguments.save is None:
        raise UsageError("--checkpoint-every needs --save FILE, the file to save to")
    chosen = system(arguments.network, as_written=bool(arguments.as_written))
    one_at_a_time = chosen.as_written and chosen.name == "competing-kernels"
    if one_at_a_time and arguments.batch_size not in (None, 1):
        raise UsageError(
            "as written, competing-kernels takes one image at a time: leave --batch-size out"
        )
    settings = Settings(
        network=arguments.network,
        as_written=chosen.as_written,
        data={name: str(path) for name, path in files.items()} or arguments.data,
        epochs=arguments.epochs or chosen.epochs,
        learning_rate=arguments.learning_rate or chosen.learning_rate,
        batch_size=arguments.batch_size or chosen.batch_size,
        seed=arguments.seed or 0,
        workers=arguments.workers or 1,
        load=None if arguments.load is None else str(arguments.load.absolute()),
    )
    return {
        "command": "cnnedu train",
        "version": __version__,
        "settings": asdict(settings),
        "checksum": None,
        "finished": False,
    }


def _resumed(arguments: argparse.Namespace) -> dict[str, Any]:
    """Return what the training in a file is about; refuse whatever contradicts it."""
    path = arguments.resume
    if arguments.load is not None:
        raise UsageError("--load begins a training and --resume goes on with one; give one of them")
    about = read_about(path)
    try:
        settings, *_ = Settings(**about["settings"]), about["finished"], about["checksum"]
    except (KeyError, TypeError):
        raise ProgramError(
            f"{path} holds a network but no training to go on with; such a file is written by "
            "cnnedu train --save, and --load begins a new training with the network"
        ) from None
    if not _makes_sense(settings):
        raise ProgramError(f"what {path} says of its training is damaged; begin a new training")
    names = ("network", "as_written", "epochs", "learning_rate", "batch_size", "seed", "workers")
    for name in names:
        said, is_so = getattr(arguments, name), getattr(settings, name)
        if said is not None and said != is_so:
            began = "without it" if is_so is False else f"with {is_so}"
            raise UsageError(
                f"{option(name)}{'' if said is True else f' {said}'} contradicts the training in "
                f"{path}, which was begun {began}; leave the option out"
            )
    return about


def _makes_sense(settings: Settings) -> bool:
    """Check what was read from a file that anybody may have changed."""
    positive = (settings.epochs, settings.batch_size, settings.workers, settings.learning_rate)
    whole = (*positive[:-1], settings.seed)
    files = {f"{role}_{kind}" for role in ROLES for kind in ("images", "labels")}
    try:
        return (
            settings.network in SYSTEMS
            and all(number > 0 for number in positive)
            and all(isinstance(number, int) for number in whole)
            and (settings.data in DATA or set(settings.data) == files)
        )
    except TypeError:  # a text in place of a number, and the like
        return False


def _read_data(settings, about, arguments, output) -> Dataset:
    """Read the data, from elsewhere than at first if that is said; they must be the same data."""
    source = settings.data
    if arguments.resume:
        source = idx_files(arguments, ROLES) or arguments.data or source
    if isinstance(source, dict):
        source = {name: Path(path) for name, path in source.items()}
    dataset = read_dataset(source, output)
    checksum = _checksum(dataset.train)
    if about["checksum"] not in (None, checksum):
        raise UsageError(
            f"the training in {arguments.resume} was begun on other images or labels than those in "
            f"{'these files' if isinstance(source, dict) else source}; give the same data again"
        )
    about["checksum"] = checksum
    return dataset


def _checksum(part: Part) -> int:
    images, labels = (np.ascontiguousarray(array) for array in part)
    return zlib.crc32(labels, zlib.crc32(images))


# ---------------------------------------------------------------------------------------------
# Training
# ---------------------------------------------------------------------------------------------


def _train(settings, about, data, path, arguments, output) -> tuple[Sequential, History]:
    rng = np.random.default_rng(settings.seed)
    network = _start(settings, arguments.resume, rng)
    output.say(
        f"{settings.network}{', as written' if settings.as_written else ''}: "
        f"{network.parameter_count:,} parameters, {len(data.train):,} images to train on"
    )
    keeper = Keeper(path, arguments.checkpoint_every, about)
    with Interruption() as interruption:
        try:
            network, history = settings.system.train(
                data,
                rng=rng,
                network=network,
                epochs=settings.epochs,
                learning_rate=settings.learning_rate,
                batch_size=settings.batch_size,
                workers=settings.workers,
                callbacks=[log_for(settings.system, output), keeper, interruption],
                progress=output.shows_bars,
                resume=arguments.resume,
            )
        except KeyboardInterrupt:
            raise _stopped(keeper, interruption) from None
        keeper.keep(finished=True)
        if interruption.asked:  # too late to stop the training; the test need not be waited for
            raise KeyboardInterrupt(f"stopped; the training is finished{_saved(path)}")
    return network, history


def _start(settings: Settings, resume: Path | None, rng: np.random.Generator) -> Sequential:
    """Return the network to start with, drawing from ``rng`` what was drawn the first time."""
    if settings.load is None:
        return settings.system.network(rng=rng)
    network = load(resume or settings.load)
    wanted = settings.system.network(rng=np.random.default_rng(0))
    if _structure(network) != _structure(wanted):
        form = f"{settings.network}{' as written' if settings.as_written else ''}"
        raise ProgramError(
            f"{settings.load} holds another network than {form}: its layers are "
            f"{', '.join(network.names)}, or their sizes differ; give --network the one that fits"
        )
    for layer in network:
        layer.params = {key: array.astype(wanted.dtype) for key, array in layer.params.items()}
    return network


def _structure(network: Sequential) -> list:
    return [
        (type(layer), layer.config(), {key: array.shape for key, array in layer.params.items()})
        for layer in network
    ]


def _stopped(keeper: Keeper, interruption: Interruption) -> KeyboardInterrupt:
    """Save what can be saved, and say so."""
    path, training = keeper.path, keeper.training
    if path is None:
        return KeyboardInterrupt("stopped; nothing was saved, because --save was not given")
    if not interruption.between_steps:
        return KeyboardInterrupt(f"stopped at once; {path} holds what was last saved")
    keeper.keep()
    whole = training.epochs * training.batches_per_epoch
    return KeyboardInterrupt(
        f"stopped after batch {training.step:,} of {whole:,}; the network as it is now is saved in "
        f"{path}; go on with: cnnedu train --resume {path}"
    )


def _saved(path: Path | None) -> str:
    return "" if path is None else f" and saved in {path}"


def _numbers(
    settings: Settings, history: History, test: Evaluation, data: Dataset, path: Path | None
) -> dict[str, Any]:
    """Return the final numbers for machines; what there is not is None."""

    def last(values: list[float]) -> float | None:
        return values[-1] if values else None

    return {
        **asdict(settings),
        "accuracy": test.accuracy,
        "loss": test.loss,
        "images": len(data.test),
        "training_accuracy": last(history.accuracy),
        "training_loss": last(history.loss),
        "validation_accuracy": last(history.validation_accuracy),
        "validation_loss": last(history.validation_loss),
        "epochs_done": len(history.loss),
        "batches_done": len(history.batch_loss),
        "seconds": sum(history.seconds),
        "saved": None if path is None else str(path),
    }
