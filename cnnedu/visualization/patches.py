"""What a unit answers to, asked of the data: the pieces of the images that excite it most."""

from dataclasses import dataclass

import numpy as np

from cnnedu.visualization.figures import finish, number, plural
from cnnedu.visualization.inputs import as_array, is_network
from cnnedu.visualization.networks import receptive_box
from cnnedu.visualization.rows import plot_rows

BATCH = 100


@dataclass(frozen=True, eq=False)
class Patch:
    """A piece of an image, and what a unit answers to it.

    Attributes
    ----------
    image : int
        Which of the images it was cut from.
    row, column : int
        The place of the answer in the unit's feature map.
    value : float
        The answer.
    pixels : ndarray, shape (C, h, w)
        All that the unit sees from there: its receptive field, with zeros beyond the image's edge.
    """

    image: int
    row: int
    column: int
    value: float
    pixels: np.ndarray


def exciting_patches(network, images, layer: str | int, channel: int, count: int = 8):
    """Find the pieces of images to which a channel of a layer answers most strongly.

    The channel's feature map is computed for all images. From each image comes at most one piece,
    around the largest value of its map: the receptive field of that value (Zeiler and Fergus, 2014,
    show networks in this way).

    Parameters
    ----------
    network : Sequential
    images : array, shape (N, C, H, W)
        Real images, float, as the network wants them.
    layer : str or int
        By name or position; also a dense layer, whose units see the whole image.
    channel : int
        Which feature map of that layer.
    count : int
        At most so many; fewer if there are fewer images.

    Returns
    -------
    list of Patch
        The strongest first; equal ones in the order of the images.

    Raises
    ------
    TypeError, ValueError, KeyError
        If there is no such layer or channel, or the images are not fit for the network.
    """
    return _find(network, images, layer, [channel], count)[0]


def _find(network, images, layer, channels, count) -> list[list[Patch]]:
    """Return the patches of several channels, computed in one go."""
    if not is_network(network):
        raise TypeError(f"network must be a network, but it is a {type(network).__name__}")
    images = as_array(images, "images")
    if images.ndim != 4:
        raise ValueError(f"images must have shape (N, C, H, W), but their shape is {images.shape}")
    if not isinstance(count, int | np.integer) or isinstance(count, bool) or count < 1:
        raise ValueError(f"count must be a whole number from 1, but it is {count!r}")
    name = network.names[network.position(layer)]
    best = [_strongest(network, images[i : i + BATCH], name) for i in range(0, len(images), BATCH)]
    values, places = (np.concatenate(parts) for parts in zip(*best, strict=True))
    found = []
    for channel in channels:
        channel = _as_channel(channel, values.shape[1], name)
        order = np.argsort(-values[:, channel], kind="stable")[:count]
        found.append(
            [
                _cut(network, name, images[i], i, *places[i, channel], values[i, channel])
                for i in order
            ]
        )
    return found


def _strongest(network, images, name: str):
    """Return each map's largest value, (N, channels), and its place, (N, channels, 2)."""
    maps = network.activations(images)[name]
    if maps.ndim == 2:
        return maps, np.zeros((*maps.shape, 2), np.int64)
    flat = maps.reshape(*maps.shape[:2], -1)
    places = np.unravel_index(flat.argmax(axis=2), maps.shape[2:])
    return flat.max(axis=2), np.stack(places, axis=2)


def _as_channel(channel, count: int, name: str) -> int:
    is_whole = isinstance(channel, int | np.integer) and not isinstance(channel, bool)
    if not is_whole or not 0 <= channel < count:
        raise ValueError(
            f"channel must be a whole number from 0 to {count - 1} ({name} has {count}), but it is "
            f"{channel!r}"
        )
    return int(channel)


def _cut(network, name, image, index, row, column, value) -> Patch:
    size = image.shape[1:]
    top, bottom, left, right = receptive_box(network, name, int(row), int(column), size)
    beyond = max(0, -top, -left, bottom - size[0], right - size[1])
    padded = np.pad(image, ((0, 0), (beyond, beyond), (beyond, beyond)))
    pixels = padded[:, top + beyond : bottom + beyond, left + beyond : right + beyond]
    return Patch(int(index), int(row), int(column), float(value), pixels)


def plot_exciting_patches(
    network,
    images,
    layer: str | int,
    channels,
    count: int = 8,
    *,
    labels=None,
    title: str | None = None,
):
    """Draw the pieces of images that excite each channel most, one row per channel.

    Parameters
    ----------
    network : Sequential
    images : array, shape (N, 1, H, W) or (N, 3, H, W)
    layer : str or int
    channels : sequence of int
        One row for each.
    count : int
        Pieces in a row, the strongest first.
    labels : array, shape (N,), optional
        What each image shows; written above its piece.
    title : str, optional
        Heading; layer and size of its receptive field if not given.

    Returns
    -------
    Figure
        With `alt`. A channel that answers to no image with more than 0 is marked "silent".

    See Also
    --------
    exciting_patches : The same as numbers.
    """
    if np.ndim(channels) != 1 or not len(channels):
        raise ValueError(f"channels must be a list such as [0, 3, 7], but it is {channels!r}")
    if np.ndim(images) == 4 and np.shape(images)[1] not in (1, 3):
        raise ValueError(
            f"images must have one channel (gray) or three (color) to be drawn, but their shape is "
            f"{np.shape(images)}; use exciting_patches and draw the channels you want"
        )
    if labels is not None and np.shape(labels) != (len(images),):
        raise ValueError(
            f"labels must hold one label for each of the {len(images)} images, but their shape is "
            f"{np.shape(labels)}"
        )
    found = _find(network, images, layer, channels, count)
    name = network.names[network.position(layer)]
    names = [
        f"{channel}" if patches[0].value > 0 else f"{channel} (silent)"
        for channel, patches in zip(channels, found, strict=True)
    ]
    rows = {row: [patch.pixels for patch in each] for row, each in zip(names, found, strict=True)}
    titles = None
    if labels is not None:
        titles = {
            row: [str(labels[patch.image]) for patch in patches]
            for row, patches in zip(names, found, strict=True)
        }
    height, width = found[0][0].pixels.shape[1:]
    if title is None:
        title = f"{name}: the {height} × {width} pixels that excite a channel most"
    figure = plot_rows(rows, titles, kind="picture", largest=0.9, title=title)
    values = "; ".join(
        f"channel {channel} answers {number(patches[0].value)} to {number(patches[-1].value)}"
        for channel, patches in zip(channels, found, strict=True)
    )
    return finish(figure, f"From {plural(len(images), 'image')}: {values}.")
