"""See how a convolutional network works: the package under the lessons.

Importing it costs no more than importing NumPy; figures (``cnnedu.visualization``), data
(``cnnedu.data``) and the exercises' checks (``cnnedu.checks``) are imported when they are wanted.
"""

from cnnedu.gradient_check import gradient_check
from cnnedu.layers import (
    AvgPool2D,
    Conv2D,
    Dense,
    Dropout,
    Flatten,
    MaxOverChannels,
    MaxPool2D,
    ReLU,
    Sigmoid,
    Softmax,
    Standardize,
    Tanh,
)
from cnnedu.losses import softmax_cross_entropy, squared_error
from cnnedu.network import Sequential
from cnnedu.optimizers import SGD, Adam, Momentum
from cnnedu.pretrained import load_checkpoints, load_pretrained
from cnnedu.storage import load, save
from cnnedu.training import evaluate, fit

__version__ = "0.1.0"

__all__ = [
    "SGD",
    "Adam",
    "AvgPool2D",
    "Conv2D",
    "Dense",
    "Dropout",
    "Flatten",
    "MaxOverChannels",
    "MaxPool2D",
    "Momentum",
    "ReLU",
    "Sequential",
    "Sigmoid",
    "Softmax",
    "Standardize",
    "Tanh",
    "evaluate",
    "fit",
    "gradient_check",
    "load",
    "load_checkpoints",
    "load_pretrained",
    "save",
    "softmax_cross_entropy",
    "squared_error",
]
