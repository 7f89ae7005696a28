"""A JupyterLab and a headless Chromium for tests: started once, gone without a trace afterwards."""

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
TOKEN = "test"
START_TIMEOUT = 60
CELLS_TIMEOUT = 240
FLAGS = (
    "--headless=new",
    "--no-sandbox",  # root in a container has no sandbox
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--force-prefers-reduced-motion",
    "--window-size=1400,1000",
)


def why_not() -> str:
    """Return why there can be no browser test here, or an empty text."""
    if os.name == "nt":
        return "browser tests start and stop processes in ways that Windows does not have"
    try:
        import selenium  # noqa: F401
    except ImportError:
        return "selenium is not installed (python -m pip install selenium)"
    if not browser_path():
        return "Chromium is not installed (Debian, Ubuntu: apt-get install chromium)"
    if not shutil.which("chromedriver"):
        return "chromedriver is not installed (Debian, Ubuntu: apt-get install chromium-driver)"
    return ""


def browser_path() -> str | None:
    """Return where Chromium or Chrome lies."""
    return next(filter(None, map(shutil.which, BROWSERS)), None)


def free_port() -> int:
    """Return a port on which nobody listens."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


class Server:
    """JupyterLab in a folder, with settings of its own instead of the user's.

    Parameters
    ----------
    folder : Path
        Where the notebooks are.
    scratch : Path
        For settings, workspaces, logs.
    environment : dict
        What its kernels see.
    """

    def __init__(self, folder: Path, scratch: Path, environment: dict) -> None:
        self.port = free_port()
        self.address = f"http://127.0.0.1:{self.port}"
        self._log = scratch / "jupyterlab.log"
        places = {
            "JUPYTER_CONFIG_DIR": scratch / "config",
            "JUPYTER_DATA_DIR": scratch / "data",
            "JUPYTER_RUNTIME_DIR": scratch / "runtime",
            "JUPYTERLAB_SETTINGS_DIR": scratch / "settings",
            "JUPYTERLAB_WORKSPACES_DIR": scratch / "workspaces",
        }
        for place in places.values():
            place.mkdir(parents=True)
        write_settings(places["JUPYTERLAB_SETTINGS_DIR"])
        command = [
            sys.executable,
            "-m",
            "jupyterlab",
            "--no-browser",
            "--ip=127.0.0.1",
            f"--port={self.port}",
            "--ServerApp.port_retries=0",
            f"--IdentityProvider.token={TOKEN}",
            f"--ServerApp.root_dir={folder}",
            "--expose-app-in-browser",
        ]
        if os.geteuid() == 0:
            command.append("--allow-root")
        with self._log.open("wb") as log:
            # In a session of its own: Ctrl-C is for the tests, which then stop it themselves.
            self.process = subprocess.Popen(
                command,
                stdout=log,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                env={**environment, **{name: str(place) for name, place in places.items()}},
                start_new_session=True,
            )

    def wait(self) -> None:
        """Wait until it answers, or say what it wrote instead."""
        end = time.monotonic() + START_TIMEOUT
        while time.monotonic() < end:
            if self.process.poll() is not None:
                break
            with contextlib.suppress(urllib.error.URLError, OSError):
                urllib.request.urlopen(f"{self.address}/api/status?token={TOKEN}").close()
                return
            time.sleep(0.1)
        raise RuntimeError(f"JupyterLab did not start:\n{self.log()[-3000:]}")

    def log(self) -> str:
        """Return what it wrote."""
        return self._log.read_text(encoding="utf-8", errors="replace")

    def stop(self) -> None:
        """Ask it to stop, with its kernels; insist if it does not."""
        stop_group(self.process)


def stop_group(process: subprocess.Popen, patience: float = 15) -> None:
    """End a process that leads its own session, and all that is left of it."""
    with contextlib.suppress(ProcessLookupError):
        process.terminate()
    try:
        process.wait(patience)
    except subprocess.TimeoutExpired:
        pass
    finally:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def write_settings(folder: Path) -> None:
    """Ask nothing about news, and draw all cells at once, not only those in view."""
    settings = {
        "apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False},
        "notebook-extension/tracker": {"windowingMode": "none"},
    }
    for name, values in settings.items():
        path = folder / "@jupyterlab" / f"{name}.jupyterlab-settings"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(values), encoding="utf-8")


def start_browser(scratch: Path):
    """Return a selenium driver of a headless Chromium that keeps all it writes in `scratch`."""
    from selenium.webdriver import Chrome
    from selenium.webdriver.chrome.options import Options
    from selenium.webdriver.chrome.service import Service

    options = Options()
    options.binary_location = browser_path()
    for flag in (*FLAGS, f"--user-data-dir={scratch / 'profile'}"):
        options.add_argument(flag)
    # A notebook with changes asks before it is left.
    options.unhandled_prompt_behavior = "accept"
    temporary = scratch / "tmp"
    temporary.mkdir()
    service = Service(
        shutil.which("chromedriver"),
        env={**os.environ, "TMPDIR": str(temporary)},
        popen_kw={"start_new_session": True},
    )
    try:
        driver = Chrome(options=options, service=service)
    except BaseException:
        if getattr(service, "process", None):
            stop_group(service.process, patience=1)
        raise
    driver.set_script_timeout(CELLS_TIMEOUT + 30)
    return driver


def stop_browser(driver) -> None:
    """Close the browser, even one that is busy with a script and would not listen."""
    import psutil

    process = driver.service.process
    with contextlib.suppress(psutil.NoSuchProcess):
        # Chromium starts its parts in groups of their own.
        parts = psutil.Process(process.pid).children(recursive=True)
        stop_group(process, patience=2)
        for part in parts:
            with contextlib.suppress(psutil.NoSuchProcess):
                part.kill()
        psutil.wait_procs(parts, timeout=5)
    for pipe in filter(None, (process.stdin, process.stdout, process.stderr)):
        pipe.close()
    driver.service.process = None  # or selenium would try to end it once more


READY = """
(name) => {
  const widget = window.jupyterapp?.shell.currentWidget;
  return Boolean(widget?.context?.isReady && widget.context.path === name
    && widget.sessionContext?.isReady && widget.content?.widgets?.length);
}
"""

OPEN_ANOTHER = """
const [path, done] = arguments;
const { shell, commands } = jupyterapp;
for (const widget of [...shell.widgets('main')]) {
  if (widget.context) widget.context.model.dirty = false; // or it would ask whether to save
  widget.sessionContext?.shutdown().catch(() => {});
  widget.close();
}
commands.execute('docmanager:open', { path }).then(() => done(), () => done());
"""

RUN_ALL = """
const [seconds, done] = arguments;
(async () => {
  await jupyterapp.commands.execute('notebook:run-all-cells');
  const model = jupyterapp.shell.currentWidget.context.model;
  const code = [...model.cells].filter((cell) => cell.type === 'code');
  const end = Date.now() + 1000 * seconds;
  while (Date.now() < end && !code.every((cell) => cell.executionCount)) {
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  done(code.map((cell) => ({
    source: cell.sharedModel.source,
    run: Boolean(cell.executionCount),
    outputs: cell.outputs.toJSON(),
  })));
})().catch((error) => done(String(error)));
"""


class Page:
    """A notebook in JupyterLab, as a reader has it in front of them."""

    def __init__(self, driver, server: Server) -> None:
        self.driver, self.server = driver, server

    def open(self, name: str) -> None:
        """Open a notebook, with nothing else around it, and wait for its kernel."""
        address = f"{self.server.address}/lab/tree"
        if self.driver.current_url.startswith(address):
            # Loading JupyterLab takes longer than some lessons: it is done once.
            self.driver.execute_async_script(OPEN_ANOTHER, name)
        else:
            self.driver.get(f"{address}/{name}?token={TOKEN}&reset")
        ready = f"return ({READY})({json.dumps(name)})"
        self.wait(lambda: self.driver.execute_script(ready), f"{name} to open", seconds=90)

    def run_all(self) -> list[dict]:
        """Run all cells from the top; return source, run and outputs of each code cell."""
        cells = self.driver.execute_async_script(RUN_ALL, CELLS_TIMEOUT)
        assert isinstance(cells, list), cells
        return cells

    def find(self, selector: str):
        """Return the first element that a CSS selector finds, when it is there."""
        found = self.wait(
            lambda: self.driver.find_elements("css selector", selector), f"an element {selector}"
        )
        return found[0]

    def text(self, selector: str) -> str:
        """Return the text of an element."""
        return self.find(selector).text

    def wait(self, condition, what: str, seconds: float = 30):
        """Wait until something is true, and return it."""
        end = time.monotonic() + seconds
        while True:
            result = condition()
            if result:
                return result
            if time.monotonic() > end:
                raise TimeoutError(f"waited {seconds:g} s in vain for {what}")
            time.sleep(0.02)
