"""Real images to learn from: handwritten digits with and without a network, and photographs."""

from cnnedu.data.batches import iterate_batches
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
from cnnedu.data.photographs import load_photograph
from cnnedu.data.photographs_of_digits import synthetic_photograph
from cnnedu.data.pictures import HandwritingError
from cnnedu.data.preparation import competing_kernels_data, divide_by_variance
from cnnedu.data.records import load_recorded

__all__ = [
    "DataError",
    "Dataset",
    "HandwritingError",
    "Part",
    "Preparation",
    "center_by_mass",
    "competing_kernels_data",
    "divide_by_variance",
    "iterate_batches",
    "label_of",
    "load_digits",
    "load_mnist",
    "load_photograph",
    "load_recorded",
    "prepare_digit",
    "read_folder",
    "read_idx",
    "scale_to_box",
    "stretch_contrast",
    "synthetic_photograph",
    "to_mnist_form",
]
