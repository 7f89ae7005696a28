"""The peers that compute with PyTorch, on the CPU, without compiling: as it comes, and tuned."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

from benchmarks.speed.peers import Peer

LAST = torch.channels_last


def _translate(layer) -> nn.Module:
    """Return PyTorch's layer for one of the package's, with the same weights."""
    match type(layer).__name__:
        case "Conv2D":
            module = nn.Conv2d(
                layer.in_channels,
                layer.out_channels,
                layer.kernel_size,
                layer.stride,
                layer.padding,
                layer.dilation,
                bias=layer.bias,
            )
        case "Dense":
            module = nn.Linear(layer.in_features, layer.out_features, bias=layer.bias)
        case "MaxPool2D":
            return nn.MaxPool2d(layer.kernel_size, layer.stride)
        case "AvgPool2D":
            return nn.AvgPool2d(layer.kernel_size, layer.stride)
        case "Dropout":
            return nn.Dropout(layer.rate)
        case "Flatten" | "ReLU" | "Tanh" | "Sigmoid" as name:
            return getattr(nn, name)()
        case name:
            raise ValueError(f"there is no translation for the layer {name}")
    with torch.no_grad():
        for name, array in layer.params.items():
            getattr(module, name).copy_(torch.from_numpy(np.ascontiguousarray(array)))
    return module


def _pool_first(modules: list[nn.Module]) -> list[nn.Module]:
    """Put max pooling before ReLU: the same numbers with less work."""
    modules = list(modules)
    for i in range(len(modules) - 1):
        if isinstance(modules[i], nn.ReLU) and isinstance(modules[i + 1], nn.MaxPool2d):
            modules[i], modules[i + 1] = modules[i + 1], modules[i]
    return modules


class PyTorch(Peer):
    """PyTorch's eager mode.

    Parameters
    ----------
    tuned : bool
        Pool before ReLU, and the fused optimizer.
    channels_last : bool
        Put the channels last in memory.
    threads : int
    """

    def __init__(self, tuned: bool = False, channels_last: bool = False, threads: int = 1) -> None:
        super().__init__(threads)
        self.tuned, self.channels_last = tuned, channels_last
        torch.set_num_threads(threads)

    def set_up(self):
        """Translate the network and the optimizer."""
        torch.manual_seed(0)
        modules = [_translate(layer) for layer in self.network]
        self.model = nn.Sequential(*(_pool_first(modules) if self.tuned else modules))
        if self.channels_last:
            self.model = self.model.to(memory_format=LAST)
        nesterov = self.case.optimizer == "nesterov"
        self.stepper = torch.optim.SGD(
            self.model.parameters(),
            lr=0.01 if nesterov else self.case.learning_rate,
            momentum=0.9 if nesterov else 0.0,
            nesterov=nesterov,
            fused=True if self.tuned else None,
        )

    def load(self, images, labels):
        """Turn the arrays into tensors."""
        images, labels = torch.from_numpy(images), torch.from_numpy(labels)
        if self.channels_last:
            images = images.contiguous(memory_format=LAST)
        return images, labels

    def train(self, images, labels):
        """Train for one epoch, with nothing in the loop that could be left out."""
        self.model.train()
        order = torch.randperm(len(images))
        images, labels = images[order], labels[order]
        batches = zip(images.split(self.case.batch), labels.split(self.case.batch), strict=True)
        for x, target in batches:
            self.stepper.zero_grad(set_to_none=True)
            loss = nn.functional.cross_entropy(self.model(x), target)
            loss.backward()
            self.stepper.step()

    def outputs(self, images):
        """Return the scores."""
        self.model.eval()
        with torch.inference_mode():
            return torch.cat([self.model(x) for x in images.split(self.case.batch)]).numpy()

    def predict(self, images):
        """Return the classes."""
        self.model.eval()
        with torch.inference_mode():
            return torch.cat(
                [self.model(x).argmax(1) for x in images.split(self.case.batch)]
            ).numpy()

    def versions(self):
        """Return the versions of what computes."""
        return {**super().versions(), "pytorch": str(torch.__version__)}


class PyTorchConvolution:
    """Forward and backward through one convolution, the channels last or not."""

    def __init__(self, channels_last: bool = True) -> None:
        self.format = LAST if channels_last else torch.contiguous_format

    def set_up(self, x, weight, padding: int) -> None:
        """Turn the arrays into tensors."""
        self.x, self.weight = (
            torch.from_numpy(array).contiguous(memory_format=self.format).requires_grad_()
            for array in (x, weight)
        )
        self.padding = padding

    def _step(self) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        y = nn.functional.conv2d(self.x, self.weight, padding=self.padding)
        grad_x, grad_weight = torch.autograd.grad(y, (self.x, self.weight), y.detach())
        return y.detach(), grad_x, grad_weight

    def step(self) -> None:
        """Go forward and backward once."""
        self._step()

    def results(self) -> list[np.ndarray]:
        """Return the output, and the gradients of ``sum(y ** 2) / 2``."""
        return [tensor.numpy() for tensor in self._step()]
