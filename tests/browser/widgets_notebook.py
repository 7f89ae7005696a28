"""The cells of the notebook in which the widgets are tried; see `test_widgets_in_browser.py`."""
# ruff: noqa

# %%
import numpy as np
from ipywidgets import interact

from cnnedu.data import load_digits
from cnnedu.pretrained import load_pretrained
from cnnedu.widgets import DrawDigit, KernelEditor, LayerExplorer

# %%
interact(lambda number: print("the square is", number**2), number=(0, 10))
# %%
editor = KernelEditor(kernel="box_blur")
editor

# %%
pad = DrawDigit()
pad

# %%
explorer = LayerExplorer(load_pretrained("lasagne"), *load_digits().test)
explorer
