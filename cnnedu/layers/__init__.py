"""The layers, one family per file, each in loops and in a fast form."""

from cnnedu.layers.activations import ReLU, Sigmoid, Softmax, Tanh, softmax
from cnnedu.layers.base import Layer
from cnnedu.layers.competition import (
    MaxOverChannels,
    max_over_channels_backward,
    max_over_channels_backward_loops,
    max_over_channels_forward,
    max_over_channels_loops,
)
from cnnedu.layers.convolution import (
    Conv2D,
    conv2d_backward,
    conv2d_backward_loops,
    conv2d_forward,
    conv2d_loops,
)
from cnnedu.layers.dense import Dense, dense_backward, dense_forward, dense_loops
from cnnedu.layers.dropout import Dropout
from cnnedu.layers.pooling import (
    AvgPool2D,
    MaxPool2D,
    avg_pool2d_backward,
    avg_pool2d_backward_loops,
    avg_pool2d_forward,
    avg_pool2d_loops,
    max_pool2d_backward,
    max_pool2d_backward_loops,
    max_pool2d_forward,
    max_pool2d_loops,
)
from cnnedu.layers.reshape import Flatten
from cnnedu.layers.standardize import Standardize

LAYERS = {
    layer.__name__: layer
    for layer in (
        Conv2D,
        MaxPool2D,
        AvgPool2D,
        MaxOverChannels,
        Standardize,
        Dense,
        Flatten,
        ReLU,
        Tanh,
        Sigmoid,
        Softmax,
        Dropout,
    )
}
"""Every kind of layer by its name: what a saved network can be made of."""

__all__ = [
    "LAYERS",
    "AvgPool2D",
    "Conv2D",
    "Dense",
    "Dropout",
    "Flatten",
    "Layer",
    "MaxOverChannels",
    "MaxPool2D",
    "ReLU",
    "Sigmoid",
    "Softmax",
    "Standardize",
    "Tanh",
    "avg_pool2d_backward",
    "avg_pool2d_backward_loops",
    "avg_pool2d_forward",
    "avg_pool2d_loops",
    "conv2d_backward",
    "conv2d_backward_loops",
    "conv2d_forward",
    "conv2d_loops",
    "dense_backward",
    "dense_forward",
    "dense_loops",
    "max_over_channels_backward",
    "max_over_channels_backward_loops",
    "max_over_channels_forward",
    "max_over_channels_loops",
    "max_pool2d_backward",
    "max_pool2d_backward_loops",
    "max_pool2d_forward",
    "max_pool2d_loops",
    "softmax",
]
