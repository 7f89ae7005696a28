"""What the widgets share: their scripts and style, and the still shown where nothing is live."""

import base64
from pathlib import Path

from cnnedu.visualization.stills import png

try:
    import anywidget
    import traitlets
except ImportError as error:
    raise ImportError(
        "the widgets need anywidget, which is not installed; install it with "
        'python -m pip install "cnnedu[lab]"'
    ) from error

FOLDER = Path(__file__).parent
WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"


def script(name: str) -> str:
    """Return a widget's ES module: what all share, then its own; nothing is fetched from afar."""
    return "\n".join(
        (FOLDER / part).read_text(encoding="utf-8") for part in ("common.js", f"{name}.js")
    )


def stylesheet() -> str:
    """Return the style of all widgets."""
    return (FOLDER / "widgets.css").read_text(encoding="utf-8")


class Live(anywidget.AnyWidget):
    """A widget whose browser side sends what was chosen, and paints what Python computes from it.

    A subclass names the traits that the browser sets in `choices`, computes the browser's view from
    them in `_compute`, and draws its `still`. Python is the only place that computes: what is shown
    is what the package says.
    """

    choices: tuple[str, ...] = ()

    _css = stylesheet()
    _view = traitlets.Dict().tag(sync=True, echo_update=False)

    def __init__(self, **traits) -> None:
        super().__init__(**traits)
        self._refresh()
        self.observe(self._refresh, names=list(self.choices))

    def _refresh(self, _=None) -> None:
        """Compute the view anew; trouble is shown in the widget, since nobody else would see it."""
        try:
            self._view = self._compute()
        except (ValueError, TypeError, KeyError, OSError) as error:
            self._view = {**self._view, "trouble": _sentence(error)}

    def _compute(self) -> dict:
        raise NotImplementedError

    def still(self):
        """Return a Figure of what the widget shows now; it stands in where nothing is live."""
        raise NotImplementedError

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._told()})"

    def _told(self) -> str:
        """Return what stays the same from machine to machine, for stored notebooks."""
        return ""

    def _repr_mimebundle_(self, **_) -> tuple[dict, dict]:
        figure = self.still()
        data = {
            WIDGET_VIEW: {"version_major": 2, "version_minor": 0, "model_id": self.model_id},
            "image/png": base64.b64encode(png(figure)).decode("ascii"),
            "text/plain": repr(self),
        }
        return data, {"image/png": {"alt": figure.alt}}


def _sentence(error: Exception) -> str:
    # The text of a KeyError is in quotes, like that of a missing key.
    return str(error.args[0] if isinstance(error, KeyError) and error.args else error)
