"""One JupyterLab and one browser for all tests in this folder, or the reason why there are none."""

import os
import signal
import tempfile
import threading
from pathlib import Path

import live_lab
import nbformat
import pytest

from tools import lessons, run

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent


def pytest_collection_modifyitems(items):
    """Mark what is in this folder, and skip it where it cannot run."""
    reason = live_lab.why_not()
    for item in items:
        if HERE in Path(item.path).parents:
            item.add_marker(pytest.mark.browser)
            if reason:
                item.add_marker(pytest.mark.skip(reason=reason))


@pytest.fixture(scope="session")
def terminated_like_interrupted():
    """Clean up after SIGTERM as after Ctrl-C: the browser must not outlive the tests."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, lambda *_: pytest.exit("terminated"))
    yield
    signal.signal(signal.SIGTERM, before)


@pytest.fixture(scope="session")
def scratch():
    """Return a folder that is removed at the end (pytest's own stay for three runs)."""
    with tempfile.TemporaryDirectory(
        prefix="cnnedu-browser-", ignore_cleanup_errors=True
    ) as folder:
        yield Path(folder)


@pytest.fixture(scope="session")
def folder(scratch):
    """Return a folder with fresh working copies of all lessons, and the notebook of widgets."""
    folder = scratch / "notebooks"
    folder.mkdir()
    for lesson in run.lesson_files(ROOT):
        run.copy_lesson(lesson, folder / lesson.name, keep_outputs=False)
    source = (HERE / "widgets_notebook.py").read_text(encoding="utf-8")
    cells = [nbformat.v4.new_code_cell(text.strip()) for text in source.split("# %%\n")[1:]]
    notebook = nbformat.v4.new_notebook(cells=cells, metadata=lessons.NOTEBOOK_METADATA)
    nbformat.write(notebook, folder / "widgets.ipynb")
    return folder


@pytest.fixture(scope="session")
def page(folder, scratch, terminated_like_interrupted):
    """Return the browser with JupyterLab in it."""
    kernels = scratch / "ipython"
    kernels.mkdir()
    environment = run.lesson_environment(run.single_processor_environment(ROOT), str(kernels))
    server = live_lab.Server(folder, scratch, environment)
    try:
        server.wait()
        driver = live_lab.start_browser(scratch)
        try:
            yield live_lab.Page(driver, server)
        finally:
            live_lab.stop_browser(driver)
    finally:
        server.stop()


@pytest.fixture(autouse=True)
def keep_a_picture_of_failures(request):
    """Where CNNEDU_SCREENSHOTS names a folder, leave a picture there of how a test ended."""
    yield
    target = os.environ.get("CNNEDU_SCREENSHOTS")
    if target and "page" in request.fixturenames:
        name = request.node.name.replace("/", "_")
        driver = request.getfixturevalue("page").driver
        driver.save_screenshot(str(Path(target, f"{name}.png")))
