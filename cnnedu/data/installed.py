"""Find the sample files that other packages bring along, without importing those packages."""

import importlib.util
from pathlib import Path


def installed_file(package: str, inner_path: str) -> Path | None:
    """Return the path of a file inside an installed package, or None if it is not there.

    Importing scikit-learn takes a second or two, finding one of its files a millisecond.
    """
    spec = importlib.util.find_spec(package)
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        path = Path(folder, inner_path)
        if path.is_file():
            return path
    return None
