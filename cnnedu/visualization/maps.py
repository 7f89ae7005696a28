"""What a picture becomes: the feature maps of a layer, and the responses to hand-made kernels."""

import numpy as np

from cnnedu.visualization.colors import PICTURE, Scale, picture_scale, scale_for
from cnnedu.visualization.correlation import correlate
from cnnedu.visualization.figures import (
    bare,
    drawn,
    finish,
    number,
    open_grid,
    plural,
    same_pixels,
    show,
    style_colorbar,
)
from cnnedu.visualization.inputs import (
    as_array,
    as_channels,
    as_kernels,
    as_picture,
    as_titles,
    is_network,
)

MOST_SHOWN = 64


@drawn
def plot_feature_maps(
    maps,
    image=None,
    layer: str | int | None = None,
    *,
    titles=None,
    columns: int | None = None,
    signed: bool | None = None,
    title: str | None = None,
    axes=None,
):
    """Draw the maps a layer makes of one image, all on one scale.

    Parameters
    ----------
    maps : array or network
        (C, H, W), (1, C, H, W) or (H, W); or a network, together with `image` and `layer`.
    image : array, optional
        The image itself, drawn first: (H, W), (1, H, W) or (1, 1, H, W).
    layer : str or int, optional
        Whose output to draw, by name or position; a network's first layer if not given.
    titles : sequence, optional
        One per map; the channel numbers if not given.
    columns : int, optional
        Panels in a row.
    signed : bool, optional
        Zero-centered colors; if not given, used when a value is negative.
    title : str, optional
        Heading; the layer's name if a network was given.
    axes : sequence of Axes, optional
        Where to draw, one for the image (if given) and one per map.

    Returns
    -------
    Figure
        With `alt`.
    """
    if is_network(maps):
        name, maps = _maps_of(maps, image, layer)
        title = title or f"{name}: {maps.shape[0]} maps of {maps.shape[1]} × {maps.shape[2]}"
    maps = as_channels(maps, "maps")
    picture = None if image is None else as_picture(image)
    total = len(maps)
    names = as_titles(titles, total, "maps") if titles is not None else _numbers(total)
    if total > MOST_SHOWN:
        maps, names = maps[:MOST_SHOWN], names[:MOST_SHOWN]
        title = ". ".join(part for part in (title, f"The first {MOST_SHOWN} of {total}") if part)
    scale = scale_for([maps], signed=signed)
    panels = (["image"] if picture is not None else []) + names
    ratio = maps.shape[1] / maps.shape[2]
    if picture is not None:
        ratio = max(ratio, picture.shape[0] / picture.shape[1])
    grid = open_grid(panels, ratio, columns=columns, most=9 if max(maps.shape[1:]) <= 64 else 4,
                     largest=1.6, heading=title, colorbar=True, axes=axes)  # fmt: skip
    rest = grid.axes
    if picture is not None:
        show(rest[0], picture, picture_scale([picture]))
        rest = rest[1:]
    drawing = None
    for ax, each in zip(rest, maps, strict=True):
        drawing = show(ax, each, scale)
    for ax, name in zip(grid.axes, grid.titles, strict=True):
        bare(ax, name)
    grid.colorbar(drawing, "value")
    return finish(grid.figure, _maps_text(maps, total, title, picture is not None))


def _numbers(count: int) -> list[str]:
    return [str(index) for index in range(count)] if count > 1 else [""]


def _maps_of(network, image, layer):
    """Return the layer's name and its (C, H, W) maps of the image."""
    if image is None:
        raise ValueError("plot_feature_maps(network, image, layer) needs the image to show maps of")
    batch = as_array(image, "image")
    while batch.ndim < 4:
        batch = batch[np.newaxis]
    if batch.ndim != 4 or len(batch) != 1:
        raise ValueError(
            f"image must be a single image, (H, W), (C, H, W) or (1, C, H, W), but its shape is "
            f"{np.shape(image)}"
        )
    outputs = network.activations(batch)
    names = list(outputs)
    if layer is None:
        layer = names[0]
    elif isinstance(layer, int | np.integer):
        if not -len(names) <= layer < len(names):
            raise ValueError(f"layer must be 0 .. {len(names) - 1} or a name, but it is {layer}")
        layer = names[layer]
    if layer not in outputs:
        raise ValueError(f"the network has no layer {layer!r}; its layers are {', '.join(names)}")
    output = np.asarray(outputs[layer])
    if output.ndim != 4:
        with_maps = [name for name in names if np.ndim(outputs[name]) == 4]
        raise ValueError(
            f"layer {layer!r} has no maps, its output for one image has shape {output.shape[1:]}; "
            f"layers with maps: {', '.join(with_maps) or 'none'}"
        )
    return layer, output[0]


def _maps_text(maps, total, title, has_image) -> str:
    text = f"{title}: " if title else ""
    text += "the image and its " if has_image else ""
    text += f"{plural(total, 'feature map')} of {maps.shape[1]} x {maps.shape[2]}"
    text += f", values from {number(maps.min())} to {number(maps.max())}"
    if len(maps) > 1:
        strength = np.abs(maps).mean(axis=(1, 2))
        text += (
            f"; strongest on average: map {int(strength.argmax())}, "
            f"weakest: map {int(strength.argmin())}"
        )
        silent = np.flatnonzero(strength == 0)
        if len(silent):
            text += f"; all zero: {', '.join(str(each) for each in silent)}"
    return text + "."


@drawn
def plot_responses(
    image,
    kernels,
    mode: str = "valid",
    *,
    convolution: bool = False,
    scale: str = "shared",
    columns: int | None = None,
    title: str | None = None,
    axes=None,
):
    """Draw a picture and its responses to hand-made kernels side by side.

    The response is the cross-correlation ``y[i, j] = sum(kernel[u, v] * image[i + u, j + v])``, as
    in a network's layer. Pixels have one size in all panels, so that each number stands where the
    middle of its patch does.

    Parameters
    ----------
    image : array
        One gray picture, (H, W) or (1, H, W).
    kernels : mapping, list of str, str or array
        Kernels by name, names from `cnnedu.kernels`, or an array (count, kh, kw).
    mode : {"valid", "same", "full"}
        Where the kernel may stand; "same" and "full" see zeros around the picture.
    convolution : bool
        Turn the kernels by 180 degrees first, as a true convolution does.
    scale : {"shared", "each"}
        One scale for all responses, so that they can be compared, or one (with its own bar of
        colors) for each, so that weak ones can be seen.
    columns : int, optional
        Panels in a row.
    title : str, optional
        Heading of the figure.
    axes : sequence of Axes, optional
        Where to draw, one for the picture and one per kernel.

    Returns
    -------
    Figure
        With `alt`, which gives each response's range.

    Notes
    -----
    Signed responses of pictures larger than 64 pixels are drawn on a scale that ends where 99.5 %
    of the pixels lie; the few stronger ones get the colors of its ends.
    """
    picture = as_picture(image)
    if picture.ndim == 3:
        raise ValueError(
            f"image must be gray, (H, W), but its shape is {np.shape(image)}; take the mean of "
            "its colors first"
        )
    named = as_kernels(kernels)
    if scale not in ("shared", "each"):
        raise ValueError(f'scale must be "shared" or "each", but it is {scale!r}')
    turned = [each[::-1, ::-1] if convolution else each for each in named.values()]
    responses = [correlate(picture, each, mode) for each in turned]
    most = 6 if max(picture.shape) <= 64 else 3
    grid = open_grid(["image", *named], picture.shape[0] / picture.shape[1], columns=columns,
                     most=most, largest=2.0 if most == 6 else 2.6, heading=title,
                     colorbar=scale == "shared", axes=axes)  # fmt: skip
    show(grid.axes[0], picture, picture_scale([picture]))
    scales = [response_scale(responses)] * len(responses)
    if scale == "each":
        scales = [response_scale([response]) for response in responses]
    for ax, response, colors in zip(grid.axes[1:], responses, scales, strict=True):
        drawing = show(ax, response, colors)
        if scale == "each":
            _small_bar(ax, drawing)
    same_pixels(grid.axes, [picture, *responses])
    for ax, name in zip(grid.axes, grid.titles, strict=True):
        bare(ax, name)
    if scale == "shared":
        grid.colorbar(drawing, "response")
    listed = "; ".join(
        f"{name} from {number(each.min())} to {number(each.max())}"
        for name, each in zip(named, responses, strict=True)
    )
    way = "convolution" if convolution else "cross-correlation"
    text = (
        f"{title + ': ' if title else ''}a picture of {picture.shape[0]} x {picture.shape[1]} and "
        f"its {mode} {way} with {plural(len(named), 'kernel')}: {listed}."
    )
    return finish(grid.figure, text)


def response_scale(responses):
    """Return a scale for responses; of a photograph's, the strongest half percent lies beyond it.

    A few pixels of a photograph answer many times more strongly than all others, and would leave
    these in the gray around zero.
    """
    scale = scale_for(responses, cmap=PICTURE)
    if scale.signed and max(max(each.shape) for each in responses) > 64:
        strength = np.abs(np.concatenate([each.ravel() for each in responses]))
        limit = float(np.quantile(strength, 0.995)) or scale.high
        return Scale(scale.cmap, -limit, limit)
    return scale


def _small_bar(ax, drawing) -> None:
    """Put a thin bar of colors inside the lower edge of a panel, its limits written at the ends."""
    inset = ax.inset_axes((0.0, -0.075, 1.0, 0.05))
    bar = ax.figure.colorbar(drawing, cax=inset, orientation="horizontal")
    style_colorbar(bar, "")
    low, high = drawing.get_clim()
    bar.set_ticks([low, high], labels=[number(low), number(high)])
    for label, align in zip(inset.get_xticklabels(), ("left", "right"), strict=True):
        label.set_horizontalalignment(align)
