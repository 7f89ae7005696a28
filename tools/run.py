r"""Set the project up and run one of its commands: the same on Linux, macOS and Windows.

    python3 tools/run.py lab          (Windows: py tools\run.py lab; with make: make lab)

Needs nothing but Python. It sets up ``.venv`` beside the project's files the first time, with uv
where uv can be had and with pip where not, and does so again only when the list of packages
changes. This file is parsed by old Pythons too, to be able to say that they are too old: down to
the line that checks the version, nothing newer than Python 3.6 may run, and everywhere the syntax
stays that of Python 3.6.
"""

import contextlib
import getpass
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

OLDEST_PYTHON = (3, 11)
NEWEST_TESTED = (3, 14)
ROOT = Path(__file__).resolve().parent.parent
WINDOWS = os.name == "nt"

USAGE = """\
usage: {command} COMMAND [arguments]

  lab              open JupyterLab at lesson 1, in working copies (my-lessons/)
                   --no-browser: only print the address
  fresh NN         bring lesson NN back fresh; your copy is kept beside it
  test             everything: style, tests, every lesson and its solutions, and, where
                   Chromium and chromedriver are installed, the lessons in a browser
  quick            the tests without the lessons and without the slow ones
  lessons [NN]     rebuild the lessons from notebooks/source
  benchmark        how fast the package is beside PyTorch and others (some minutes)
                   --quick: shorter; installs PyTorch into .venv if it can
  results          train the four systems on MNIST and write down what they reach (40 minutes;
                   an interrupted run goes on where it stopped)
                   --quick: try it in a minute, without MNIST; --only PART; --ship
  lint             style only
  setup            only set up .venv
  lock             after a change of dependencies: renew uv.lock and requirements.txt (needs uv)

Arguments after test and quick go to pytest, after lab to JupyterLab. Packages are installed by uv
where it can be had; CNNEDU_INSTALLER=pip in the environment asks for pip.
"""


class SetupError(Exception):
    """Something that the person at the keyboard can put right; the message says how."""


# ------------------------------------------------------------------ finding a Python


def find_newer_python():
    """Return the command of a Python on PATH that is new enough, or None."""
    # Newer ones than those tested come last: for them there may be no packages yet.
    minors = [*range(NEWEST_TESTED[1], OLDEST_PYTHON[1] - 1, -1), *range(NEWEST_TESTED[1] + 1, 25)]
    names = ["python3.{}".format(minor) for minor in minors]
    commands = [[name] for name in names + ["python3", "python"]]
    if WINDOWS:
        commands.insert(0, ["py", "-3"])
    for command in commands:
        path = shutil.which(command[0])
        if path and is_new_enough([path] + command[1:]):
            return [path] + command[1:]
    return None


def is_new_enough(command):
    """Ask a Python for its version: a name on PATH may be an empty wrapper, or older than named."""
    question = "import sys; print(sys.version_info >= {})".format(OLDEST_PYTHON)
    try:
        answer = subprocess.check_output(
            command + ["-c", question], stderr=subprocess.DEVNULL, timeout=30
        )
    except (OSError, subprocess.SubprocessError):
        return False
    return answer.strip() == b"True"


def old_python_message(version):
    """Say which Python was found and which one is needed."""
    return (
        "Python {}.{} or newer is needed, and this is Python {}.{}: install a newer one "
        "(from python.org, or by your system's package manager), then run the same command again."
    ).format(*(OLDEST_PYTHON + tuple(version[:2])))


def hand_over(arguments):
    """Run the same command by a newer Python, or say that there is none."""
    command = find_newer_python()
    uv = shutil.which("uv")
    if command is None and uv:
        wanted = ">={}.{}".format(*OLDEST_PYTHON)
        command = [uv, "run", "--no-project", "--python", wanted, "python"]
    if command is None:
        print(old_python_message(sys.version_info), file=sys.stderr)
        return 1
    return subprocess.call(command + [os.path.abspath(__file__)] + arguments)


if sys.version_info < OLDEST_PYTHON:
    sys.exit(hand_over(sys.argv[1:]))


# ------------------------------------------------------------------ setting up .venv


def venv_python(venv: Path) -> Path:
    """Return where the Python of a virtual environment lies."""
    return venv / ("Scripts/python.exe" if WINDOWS else "bin/python")


def works(python: Path) -> bool:
    """Tell whether this Python starts and is new enough (its base may have been removed)."""
    try:
        return python.exists() and is_new_enough([str(python)])
    except OSError:  # it lies where this user may not look
        return False


def fingerprint(root: Path) -> str:
    """Return a text that changes when the environment must be set up again."""
    digest = hashlib.sha256(str(root).encode())
    for name in ("pyproject.toml", "uv.lock", "requirements.txt"):
        path = root / name
        digest.update(name.encode() + b"\0")
        # Line ends may be changed by git on Windows; that is no new list of packages.
        digest.update(path.read_bytes().replace(b"\r\n", b"\n") if path.exists() else b"missing")
    config = root / ".venv" / "pyvenv.cfg"
    found = re.search(r"(?m)^version\w*\s*=\s*(\S+)", config.read_text(encoding="utf-8"))
    digest.update((found.group(1) if found else "?").encode())
    return digest.hexdigest()


def stamp_path(root: Path) -> Path:
    """Return the file in which a set-up says that it was finished."""
    return root / ".venv" / "cnnedu-setup.txt"


def read_stamp(root: Path) -> str:
    """Return what the last set-up left: a fingerprint, "unfinished", or nothing."""
    try:
        return stamp_path(root).read_text(encoding="utf-8").strip()
    except OSError:
        return ""


def is_ready(root: Path) -> bool:
    """Tell whether .venv is set up for exactly these lists of packages."""
    if not (root / ".venv" / "pyvenv.cfg").exists():
        return False
    return read_stamp(root) == fingerprint(root) and works(venv_python(root / ".venv"))


def prepare(root: Path = ROOT) -> Path:
    """Set .venv up if it is not, and return its Python."""
    python = venv_python(root / ".venv")
    if is_ready(root):
        return python
    require_writable(root)
    with only_one_at_a_time(root):
        if not is_ready(root):
            print("Setting up .venv (a minute or so, only the first time) ...", flush=True)
            discard_broken_environment(root)
            install(root)
            settle_jupyterlab(root / ".venv")
            stamp_path(root).write_text(fingerprint(root) + "\n", encoding="utf-8")
    return python


def require_writable(folder: Path) -> None:
    """Refuse to go on in a folder in which nothing can be written."""
    try:
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError:
        raise SetupError(
            f"The folder {folder} cannot be written to: copy the project to a folder of your own "
            "and run the command there."
        ) from None


@contextlib.contextmanager
def only_one_at_a_time(root: Path):
    """Make a second set-up of the same folder wait; the system frees the lock when we end."""
    whose = "{}-{}".format(root, getpass.getuser())  # other people's lock files cannot be opened
    name = "cnnedu-" + hashlib.sha256(whose.encode()).hexdigest()[:16] + ".lock"
    with open(os.path.join(tempfile.gettempdir(), name), "a+b") as file:
        if WINDOWS:
            import msvcrt

            file.seek(0)
            while True:
                with contextlib.suppress(OSError):
                    msvcrt.locking(file.fileno(), msvcrt.LK_LOCK, 1)
                    break
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def discard_broken_environment(root: Path) -> None:
    """Remove a .venv that was left half-made, moved here from elsewhere, or lost its Python."""
    venv = root / ".venv"
    if not venv.exists():
        return
    if works(venv_python(venv)) and read_stamp(root) != "unfinished":
        return
    print("The .venv found here is unusable or unfinished; making a new one.", flush=True)
    shutil.rmtree(venv)


def install(root: Path) -> None:
    """Install everything into .venv: by uv, by a uv that pip brings, or by pip alone."""
    uv = shutil.which("uv")
    only_pip = os.environ.get("CNNEDU_INSTALLER") == "pip"
    if uv and not only_pip:
        if sync_with_uv([uv], root):
            return
        print("uv did not succeed (see above); trying pip.", flush=True)
    python = create_with_pip(root)
    if not uv and not only_pip and bring_uv(python):
        if sync_with_uv([str(python), "-m", "uv"], root):
            return
        print("uv did not succeed (see above); going on with pip.", flush=True)
    install_with_pip(python, root)


def sync_with_uv(uv: list, root: Path) -> bool:
    """Install what uv.lock says; packages that were added by hand stay."""
    venv = root / ".venv"
    if not venv.exists():
        status, _ = show([*uv, "venv", "--quiet", "--python", sys.executable, str(venv)], root)
        if status:
            return False
    stamp_path(root).write_text("unfinished\n", encoding="utf-8")
    status, said = show([*uv, "sync", "--locked", "--all-extras", "--inexact"], root)
    if status and is_unreachable(said):
        raise SetupError(unreachable_message())
    return status == 0


def create_with_pip(root: Path) -> Path:
    """Return the Python of a .venv that has pip, made anew if need be."""
    venv = root / ".venv"
    python = venv_python(venv)
    if python.exists() and quiet([str(python), "-m", "pip", "--version"]):
        return python
    require_ensurepip()
    if venv.exists():
        shutil.rmtree(venv)
    status, _ = show([sys.executable, "-m", "venv", str(venv)], root)
    if status:
        raise SetupError(f"The virtual environment {venv} could not be made (see above).")
    return python


def require_ensurepip() -> None:
    """Name the package to install where Python comes without the means to make environments."""
    try:
        import ensurepip
        import venv  # noqa: F401
    except ImportError:
        name = "python{}.{}-venv".format(*sys.version_info[:2])
        raise SetupError(
            f"This Python cannot make virtual environments: install the package {name} "
            f"(Debian, Ubuntu: sudo apt install {name}), then run the same command again."
        ) from None
    del ensurepip


def bring_uv(python: Path) -> bool:
    """Install uv into .venv, which makes the rest quick; without it pip does the work."""
    if quiet([str(python), "-m", "uv", "--version"]):
        return True
    status, said = show([str(python), "-m", "pip", "install", "--quiet", "uv"], python.parent)
    if status and is_unreachable(said):
        raise SetupError(unreachable_message())
    return status == 0


def install_with_pip(python: Path, root: Path) -> None:
    """Install what requirements.txt says, then the package itself."""
    stamp_path(root).write_text("unfinished\n", encoding="utf-8")
    pip = [str(python), "-m", "pip", "install"]
    for arguments in (["-r", "requirements.txt"], ["--no-deps", "-e", "."]):
        status, said = show([*pip, *arguments], root)
        if status and is_unreachable(said):
            raise SetupError(unreachable_message())
        if status:
            raise SetupError(
                "pip could not install the packages (see above). Run the same command again; "
                "if it fails again, remove the folder .venv first."
            )


UNREACHABLE = (
    r"NewConnectionError|ConnectTimeout|ReadTimeout|ProxyError|Failed to fetch|Failed to download|"
    r"error sending request|dns error|[Cc]onnection refused|[Nn]ame resolution|getaddrinfo|"
    r"[Nn]etwork is unreachable|[Cc]ould not connect|timed out"
)


def is_unreachable(said: str) -> bool:
    """Tell from what an installer said whether it was the network."""
    return re.search(UNREACHABLE, said) is not None


def unreachable_message() -> str:
    """Say that packages cannot be fetched."""
    return (
        "The Python package index could not be reached: check the network connection (and pip's "
        "proxy or index settings, if you have any), then run the same command again."
    )


def settle_jupyterlab(venv: Path) -> None:
    """Keep JupyterLab's question about its newsletter out of a newcomer's first view."""
    settings = venv / "share" / "jupyter" / "lab" / "settings" / "overrides.json"
    if settings.parent.parent.exists() and not settings.exists():
        settings.parent.mkdir(exist_ok=True)
        quiet_news = {"fetchNews": "false", "checkForUpdates": False}
        text = json.dumps({"@jupyterlab/apputils-extension:notification": quiet_news}, indent=2)
        settings.write_text(text + "\n", encoding="utf-8")


# ------------------------------------------------------------------ running other programs


def clean_environment(root: Path) -> dict:
    """Return the environment for the programs we start: without traces of other projects."""
    environment = dict(os.environ)
    for name in ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV", "__PYVENV_LAUNCHER__"):
        environment.pop(name, None)
    environment.update(UV_PROJECT_ENVIRONMENT=str(root / ".venv"), PYTHONUTF8="1")
    return environment


def quiet(command: list) -> bool:
    """Run a command without showing anything; tell whether it succeeded."""
    null = subprocess.DEVNULL
    environment = clean_environment(ROOT)
    return subprocess.run(command, stdout=null, stderr=null, env=environment).returncode == 0


UNINTERESTING = (
    *("+ ", "Building ", "Checking ", "Collecting ", "Created ", "Getting ", "Ignoring "),
    *("Installing build", "Installing backend", "Looking ", "Preparing ", "Processing "),
    *("Requirement ", "Stored ", "Using cached ", "[notice]"),
)


def show(command: list, root: Path) -> tuple:
    """Run a command, show what it says as it comes, and return its status and its words."""
    lines = []
    try:
        process = subprocess.Popen(
            command,
            cwd=root,
            env=clean_environment(root),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
        )
    except OSError as error:
        return 1, str(error)
    with process:
        for line in process.stdout:
            lines.append(line)
            if not line.strip().startswith(UNINTERESTING):
                print("  " + line, end="", flush=True)
    return process.returncode, "".join(lines)


def call(command: list, root: Path, environment: dict = None) -> int:
    """Run a command in the foreground and return its status."""
    return subprocess.call(command, cwd=root, env=environment or clean_environment(root))


# ------------------------------------------------------------------ the lessons' working copies


def lesson_files(root: Path) -> list:
    """Return the built lessons, in order."""
    return sorted((root / "notebooks").glob("[0-9][0-9]_*.ipynb"))


def text_fingerprint(notebook: dict) -> str:
    """Return a fingerprint of a notebook's cells without their outputs."""
    cells = [[cell["cell_type"], "".join(cell["source"])] for cell in notebook["cells"]]
    return hashlib.sha256(json.dumps(cells).encode()).hexdigest()


def read_notebook(path: Path) -> dict:
    """Read a notebook as plain data."""
    return json.loads(path.read_text(encoding="utf-8"))


def copy_lesson(original: Path, copy: Path, keep_outputs: bool) -> None:
    """Write a working copy that remembers which version of the lesson it was made from."""
    notebook = read_notebook(original)
    notebook["metadata"]["cnnedu"] = {"copy_of": text_fingerprint(notebook)}
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code" and not keep_outputs:
            cell["outputs"], cell["execution_count"] = [], None
    text = json.dumps(notebook, indent=1, ensure_ascii=False) + "\n"
    copy.parent.mkdir(parents=True, exist_ok=True)
    unfinished = copy.with_name(copy.name + ".tmp")
    unfinished.write_text(text, encoding="utf-8")
    os.replace(unfinished, copy)


def copy_state(original: Path, copy: Path) -> str:
    """Say how a working copy stands to its lesson: missing, current, changed or unknown."""
    if not copy.exists():
        return "missing"
    try:
        made_from = read_notebook(copy)["metadata"]["cnnedu"]["copy_of"]
    except (OSError, ValueError, KeyError, TypeError):
        return "unknown"
    return "current" if made_from == text_fingerprint(read_notebook(original)) else "changed"


def copies_of(root: Path, lesson: Path) -> list:
    """Return (original, working copy, keep the outputs) for a lesson and for its solutions.

    The lesson's outputs stay out of the copy, since it asks to predict them; those of the
    solutions are there to be looked at.
    """
    solutions = lesson.parent / "solutions" / lesson.name
    folder = root / "my-lessons"
    pairs = [(lesson, folder / lesson.name, False)]
    if solutions.exists():
        pairs.append((solutions, folder / "solutions" / lesson.name, True))
    return pairs


def update_copies(root: Path) -> list:
    """Copy the lessons that have no working copy yet; return the new copies. Overwrites nothing."""
    new = []
    for lesson in lesson_files(root):
        states = set()
        for original, copy, keep_outputs in copies_of(root, lesson):
            state = copy_state(original, copy)
            if state == "missing":
                copy_lesson(original, copy, keep_outputs)
                new.append(copy)
            states.add(state)
        if "changed" in states:
            number = lesson.name[:2]
            print(
                f"Lesson {number} has changed since your copy was made; to get the new one (yours "
                f"is kept): {own_command('fresh', number)}",
                flush=True,
            )
    return new


def own_command(command: str, number: str) -> str:
    """Return what to type on this system."""
    if WINDOWS:
        return f"py tools\\run.py {command} {number}"
    return f"make {command} LESSON={number}"


def find_lesson(root: Path, wanted: str) -> Path:
    """Return the lesson called 1, 01 or 01_topic."""
    name = wanted.zfill(2) if wanted.isdigit() else Path(wanted).stem
    for lesson in lesson_files(root):
        if name in (lesson.stem, lesson.stem[:2]):
            return lesson
    there = ", ".join(lesson.stem[:2] for lesson in lesson_files(root)) or "none"
    raise SetupError(f"There is no lesson {wanted!r}: the lessons are {there}.")


def set_aside(copy: Path) -> Path:
    """Rename a working copy to a name with the date that is not taken yet."""
    date = time.strftime("%Y-%m-%d_%H-%M-%S")
    kept = copy.with_name(f"{copy.stem}_kept_{date}{copy.suffix}")
    number = 2
    while kept.exists():
        kept = copy.with_name(f"{copy.stem}_kept_{date}_{number}{copy.suffix}")
        number += 1
    copy.rename(kept)
    return kept


def was_edited(copy: Path) -> bool:
    """Tell whether a working copy's cells differ from those it was made with."""
    try:
        notebook = read_notebook(copy)
        return notebook["metadata"]["cnnedu"]["copy_of"] != text_fingerprint(notebook)
    except (OSError, ValueError, KeyError, TypeError):
        return True


# ------------------------------------------------------------------ the commands


def lab(arguments: list, root: Path = ROOT) -> int:
    """Open JupyterLab at lesson 1, in working copies."""
    lessons = lesson_files(root)
    if not lessons:
        raise SetupError(f"There are no lessons in {root / 'notebooks'}: build them first.")
    python = prepare(root)
    require_writable(root)
    new = update_copies(root)
    if new:
        # Jupyter shows stored animations only in notebooks that it has been told to trust.
        quiet([str(python), "-m", "jupyter", "trust", *map(str, new)])
    command = [
        str(python),
        "-m",
        "jupyterlab",
        f"--ServerApp.root_dir={root / 'my-lessons'}",
        f"--LabApp.default_url=/lab/workspaces/cnnedu/tree/{lessons[0].name}",
        *arguments,
    ]
    if getattr(os, "geteuid", lambda: 1)() == 0:
        # In containers people are often root, where Jupyter otherwise refuses to start.
        command.append("--allow-root")
    print("JupyterLab stops with Ctrl-C, twice.", flush=True)
    if WINDOWS:
        with contextlib.suppress(KeyboardInterrupt):
            return call(command, root)
        return 0
    os.chdir(root)
    os.execve(command[0], command, clean_environment(root))


def fresh(arguments: list, root: Path = ROOT) -> int:
    """Bring one lesson back fresh, keeping the old copy beside it."""
    if len(arguments) != 1:
        raise SetupError(f"Say which lesson, for example: {own_command('fresh', '01')}")
    lesson = find_lesson(root, arguments[0])
    require_writable(root)
    made = []
    for original, copy, keep_outputs in copies_of(root, lesson):
        if copy.exists() and (not keep_outputs or was_edited(copy)):
            print(f"Your copy is now {os.path.relpath(set_aside(copy), root)}")
        copy_lesson(original, copy, keep_outputs)
        made.append(copy)
        print(f"Fresh: {os.path.relpath(copy, root)}")
    python = venv_python(root / ".venv")
    if python.exists():
        quiet([str(python), "-m", "jupyter", "trust", *map(str, made)])
    return 0


def lint(arguments: list, root: Path = ROOT) -> int:
    """Check the style of every file."""
    ruff = [str(prepare(root)), "-m", "ruff"]
    status = call([*ruff, "check", *arguments, "."], root)
    return call([*ruff, "format", "--check", "."], root) or status


def single_processor_environment(root: Path) -> dict:
    """Return the environment of a test run: several run at once, each on one processor."""
    environment = clean_environment(root)
    for name in ("OPENBLAS", "OMP", "MKL", "VECLIB_MAXIMUM", "NUMEXPR"):
        environment[name + ("_THREADS" if "MAXIMUM" in name else "_NUM_THREADS")] = "1"
    return environment


def lesson_environment(base: dict, scratch: str) -> dict:
    """Return an environment in which a lesson gives the same outputs on every machine.

    MNIST stays out of reach (the outputs must not depend on who has it), and so do people's own
    settings for IPython and Matplotlib.
    """
    without = ("CNNEDU_DATA", "MPLBACKEND", "PYTHONPATH", "PYTHONWARNINGS")
    environment = {name: value for name, value in base.items() if name not in without}
    environment.update(IPYTHONDIR=scratch, MATPLOTLIBRC=os.devnull, PYTHONHASHSEED="0")
    profile = Path(scratch) / "profile_default"
    profile.mkdir(exist_ok=True)
    # Otherwise every kernel says on the terminal that it speaks TCP.
    quiet_kernel = "get_config().IPKernelApp.log_level = 40\n"
    (profile / "ipython_kernel_config.py").write_text(quiet_kernel, encoding="utf-8")
    return environment


def workers() -> list:
    """Return pytest's arguments for the number of processors there are, at most four."""
    affinity = getattr(os, "sched_getaffinity", None)
    count = len(affinity(0)) if affinity else os.cpu_count() or 1
    return ["-n", str(min(count, 4)), "--dist", "loadfile"] if count > 1 else []


def split_paths(arguments: list, root: Path) -> tuple:
    """Sort pytest's arguments into options, paths of tests and paths of notebooks."""
    options, tests, notebooks = [], [], []
    for argument in arguments:
        path = root / argument.split("::")[0]
        if argument.startswith("-") or not path.exists():
            options.append(argument)
        elif path.suffix == ".ipynb" or "notebooks" in path.relative_to(root).parts[:1]:
            notebooks.append(argument)
        else:
            tests.append(argument)
    return options, tests, notebooks


def run_tests(arguments: list, root: Path = ROOT) -> int:
    """Check the style, run every test, and run and compare every lesson."""
    python = prepare(root)
    options, tests, notebooks = split_paths(arguments, root)
    if not tests and not notebooks:
        tests, notebooks = ["tests"], ["notebooks"]
    tests, browser = split_browser(tests, root)
    statuses = {"style": lint([], root)}
    alone = [str(python), "-m", "pytest"]
    pytest = [*alone, *workers()]
    environment = single_processor_environment(root)
    if tests:
        statuses["tests"] = call([*pytest, NO_BROWSER, *tests, *options], root, environment)
    if notebooks:
        statuses["lessons"] = run_notebooks([*pytest, *notebooks, *options], root)
    if browser:
        # By themselves: one JupyterLab and one browser, which need both processors.
        statuses["browser"] = call([*alone, *browser, *options], root, environment)
    return sum_up(statuses, selected=bool(arguments))


NO_BROWSER = "--ignore=tests/browser"


def split_browser(tests: list, root: Path) -> tuple:
    """Sort paths of tests into those without and those with a browser; a folder may be both."""
    folder = root / "tests" / "browser"
    without, browser = [], []
    for test in tests:
        path = root / test.split("::")[0]
        if path == folder or folder in path.parents:
            browser.append(test)
        else:
            without.append(test)
            if path in folder.parents:
                browser.append(str(folder.relative_to(root)))
    return without, browser


def run_notebooks(pytest: list, root: Path) -> int:
    """Run notebooks from the top and compare their outputs with the stored ones."""
    nbval = [
        "--nbval",
        "--nbval-current-env",
        "--nbval-sanitize-with=tests/nbval_sanitize.cfg",
        "--nbval-cell-timeout=300",
    ]
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as scratch:
        environment = lesson_environment(single_processor_environment(root), scratch)
        return call([*pytest, *nbval], root, environment)


NOTHING_COLLECTED = 5


def sum_up(statuses: dict, selected: bool) -> int:
    """Return the status of all parts together, and name those that failed."""
    empty = [name for name, status in statuses.items() if status == NOTHING_COLLECTED]
    if selected and len(empty) < len(set(statuses) - {"style"}):
        # With -k or -m, one of the parts may well have nothing that fits.
        statuses = {name: status for name, status in statuses.items() if name not in empty}
    failed = [name for name, status in statuses.items() if status]
    if failed:
        print("FAILED: {} (see above)".format(" and ".join(failed)), file=sys.stderr)
    return max(statuses.values())


def quick(arguments: list, root: Path = ROOT) -> int:
    """Run the tests without the lessons and without the slow ones."""
    python = prepare(root)
    pytest = [str(python), "-m", "pytest", *workers(), NO_BROWSER, "-m", "not slow", *arguments]
    return call(pytest, root, single_processor_environment(root))


def lessons(arguments: list, root: Path = ROOT) -> int:
    """Rebuild lessons from their sources."""
    return call([str(prepare(root)), "-m", "tools.lessons", "build", *arguments], root)


def benchmark(arguments: list, root: Path = ROOT) -> int:
    """Measure the speed of the package beside PyTorch and others."""
    python = prepare(root)
    return call([str(python), "-m", "benchmarks.speed", "--install-torch", *arguments], root)


def results(arguments: list, root: Path = ROOT) -> int:
    """Train the four systems on the whole of MNIST and write down what they reach."""
    return call([str(prepare(root)), "-m", "benchmarks.results", *arguments], root)


def setup(arguments: list, root: Path = ROOT) -> int:
    """Only set up .venv."""
    print(f"Ready: {prepare(root)}")
    return 0


EXPORT = "export --format requirements.txt --no-hashes --no-annotate --no-header --all-extras"
REQUIREMENTS_HEADER = """\
# Made from uv.lock by "python3 tools/run.py lock"; for machines on which uv cannot be had.
"""


def lock(arguments: list, root: Path = ROOT) -> int:
    """Renew uv.lock, and requirements.txt from it."""
    uv = shutil.which("uv")
    command = [uv] if uv else [str(venv_python(root / ".venv")), "-m", "uv"]
    if not quiet([*command, "--version"]):
        raise SetupError("uv is needed for this: install it (https://docs.astral.sh/uv/).")
    status = call([*command, "lock", *arguments], root)
    if status:
        return status
    export = [*command, *EXPORT.split(), "--no-emit-project", "--frozen", "--quiet"]
    text = subprocess.check_output(export, cwd=root, encoding="utf-8")
    (root / "requirements.txt").write_text(REQUIREMENTS_HEADER + text, encoding="utf-8")
    return 0


COMMANDS = {
    "lab": lab,
    "fresh": fresh,
    "test": run_tests,
    "quick": quick,
    "lessons": lessons,
    "benchmark": benchmark,
    "results": results,
    "lint": lint,
    "setup": setup,
    "lock": lock,
}


def main(arguments: list) -> int:
    """Run a command; return the exit status."""
    if not arguments or arguments[0] in ("help", "-h", "--help"):
        print(USAGE.format(command="py tools\\run.py" if WINDOWS else "python3 tools/run.py"))
        return 0
    if arguments[0] not in COMMANDS:
        print(f"There is no command {arguments[0]!r}: {', '.join(COMMANDS)}.", file=sys.stderr)
        return 2
    try:
        return COMMANDS[arguments[0]](arguments[1:])
    except SetupError as trouble:
        print(f"\n{trouble}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nInterrupted. Run the same command again to go on.", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
