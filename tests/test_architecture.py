"""The house keeps its shape: who imports whom, and what importing the package costs."""

import ast
import subprocess
import sys
from pathlib import Path

import cnnedu

PACKAGE = Path(cnnedu.__file__).parent
RANKS = {
    "__version__": 0,
    "shapes": 0,
    "workspace": 0,
    "initializers": 0,
    "kernels": 0,
    "losses": 1,
    "optimizers": 1,
    "data": 1,
    "layers": 2,
    "execution": 3,
    "network": 4,
    "gradient_check": 5,
    "storage": 5,
    "training": 6,
    "architectures": 7,
    "attribution": 7,
    "fine_tuning": 7,
    "embedding": 7,
    "flow": 7,
    "systems": 8,
    "pretrained": 8,
    "visualization": 9,
    "checks": 9,
    "program": 10,
    "widgets": 10,
    "__main__": 11,
}
"""Each part of the package may import only parts of a lower rank (and its own)."""


def imports():
    """Yield (file, part, imported part) for every import of the package by itself."""
    for file in sorted(PACKAGE.rglob("*.py")):
        relative = file.relative_to(PACKAGE)
        part = relative.parts[0].removesuffix(".py")
        tree = ast.parse(file.read_text(encoding="utf-8"))
        for_types = {
            id(node)
            for block in ast.walk(tree)
            if isinstance(block, ast.If) and ast.unparse(block.test) == "TYPE_CHECKING"
            for node in ast.walk(block)
        }
        for node in ast.walk(tree):
            if id(node) in for_types:
                continue
            names = []
            if isinstance(node, ast.ImportFrom):
                assert node.level == 0, f"{relative}: imports are absolute"
                names = [f"{node.module}.{alias.name}" for alias in node.names]
            elif isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            for name in names:
                if name.split(".")[0] == "cnnedu" and relative.name != "__init__.py":
                    yield str(relative), part, name.split(".")[1]


def test_the_arrows_point_one_way():
    found = list(imports())
    assert len(found) > 20
    wrong = [
        f"{file} imports {imported}"
        for file, part, imported in found
        if part != imported and RANKS[imported] >= RANKS[part]
    ]
    assert wrong == []


def test_nothing_but_figures_imports_matplotlib():
    for file in PACKAGE.rglob("*.py"):
        if "visualization" not in file.parts:
            text = file.read_text(encoding="utf-8")
            assert "import matplotlib.pyplot" not in text, file


def test_importing_the_package_imports_numpy_and_little_else():
    code = "import sys, cnnedu; print(' '.join(name for name in sys.modules if '.' not in name))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    heavy = {
        "matplotlib",
        "sklearn",
        "scipy",
        "pooch",
        "tqdm",
        "IPython",
        "ipykernel",
        "jupyterlab",
        "ipywidgets",
        "anywidget",
    }
    assert heavy & set(done.stdout.split()) == set()
    assert "numpy" in done.stdout.split()
