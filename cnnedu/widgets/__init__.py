"""Live controls for notebooks: a kernel to edit, a pad to draw a digit on, a walk through layers.

Imported when wanted; needs anywidget, which ``cnnedu[lab]`` brings. What the widgets show is
computed in Python by the package itself (`responses`, `drawing`, `exploring`), the browser only
paints it and reports what was typed, dragged or drawn. Lessons run and read whole without them:
where nothing is live, a still stands in.
"""

from cnnedu.widgets.draw_digit import DrawDigit
from cnnedu.widgets.kernel_editor import KernelEditor
from cnnedu.widgets.layer_explorer import LayerExplorer

__all__ = ["DrawDigit", "KernelEditor", "LayerExplorer"]
