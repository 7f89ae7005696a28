"""Importing the data package costs NumPy alone; heavy packages wait until they are needed."""

import subprocess
import sys

import pytest

HEAVY = ("scipy", "sklearn", "matplotlib", "pooch", "requests", "tqdm", "PIL", "pandas")


def modules_after(code):
    """Return which heavy packages a new Python process has imported after running `code`."""
    script = f"{code}\nimport sys\nprint([n for n in {HEAVY} if n in sys.modules])"
    result = subprocess.run(
        [sys.executable, "-W", "error", "-c", script], capture_output=True, text=True, check=True
    )
    return result.stdout.strip()


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("import cnnedu.data", []),
        ("from cnnedu.data import load_digits; load_digits()", ["scipy"]),
        ("from cnnedu.data import load_photograph; load_photograph('china')", ["PIL"]),
        ("from cnnedu.data import load_photograph; load_photograph('grace_hopper')", ["PIL"]),
    ],
)
def test_only_what_is_needed_is_imported(code, expected):
    assert modules_after(code) == str(expected)
