"""Real images to learn from: handwritten digits with and without a network, and photographs."""

from cnnedu.data.augmentation import Warp, change_strokes, resample
from cnnedu.data.batches import iterate_batches
from cnnedu.data.cifar10 import CIFAR10_CLASSES, load_cifar10
from cnnedu.data.dataset import Dataset, Part
from cnnedu.data.digits import (
    center_by_mass,
    load_digits,
    scale_to_box,
    stretch_contrast,
    to_mnist_form,
)
from cnnedu.data.download import DataError
from cnnedu.data.handwriting import Preparation, label_of, prepare_digit, read_folder
from cnnedu.data.idx import read_idx
from cnnedu.data.mnist import load_mnist
from cnnedu.data.other_hands import drawn_digits
from cnnedu.data.patches import PATCH_REGIONS, photograph_patches
from cnnedu.data.photographs import load_photograph
from cnnedu.data.photographs_of_digits import synthetic_photograph
from cnnedu.data.pictures import HandwritingError
from cnnedu.data.preparation import divide_by_variance
from cnnedu.data.records import load_recorded
from cnnedu.data.signals import (
    MOTIF_NAMES,
    HiddenMotifs,
    Signals,
    closest_kernels,
    hidden_motifs,
    make_motifs,
    match_kernels,
    matched_filter,
    optimal_scores,
)

__all__ = [
    "CIFAR10_CLASSES",
    "DataError",
    "Dataset",
    "HandwritingError",
    "HiddenMotifs",
    "MOTIF_NAMES",
    "PATCH_REGIONS",
    "Part",
    "Preparation",
    "Signals",
    "Warp",
    "center_by_mass",
    "change_strokes",
    "closest_kernels",
    "divide_by_variance",
    "drawn_digits",
    "hidden_motifs",
    "iterate_batches",
    "label_of",
    "load_cifar10",
    "load_digits",
    "load_mnist",
    "load_photograph",
    "load_recorded",
    "make_motifs",
    "match_kernels",
    "matched_filter",
    "optimal_scores",
    "photograph_patches",
    "prepare_digit",
    "read_folder",
    "read_idx",
    "resample",
    "scale_to_box",
    "stretch_contrast",
    "synthetic_photograph",
    "to_mnist_form",
]
