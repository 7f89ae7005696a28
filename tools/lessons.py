"""Build the lessons: one source file becomes a notebook with exercises and one with solutions.

    python -m tools.lessons build            # every lesson
    python -m tools.lessons build 01 04      # some lessons
    python -m tools.lessons build --no-run   # no execution: only cells that did not change keep
                                             # their outputs
    python -m tools.lessons check            # are the notebooks in step with their source?

People edit ``notebooks/source/NN_topic.py`` (the "percent" format of jupytext: a cell begins with
``# %%`` or ``# %% [markdown]``, tags stand in that line as ``tags=["nbval-ignore-output"]``). From
it come ``notebooks/NN_topic.ipynb``, in which the exercises are stubs, and
``notebooks/solutions/NN_topic.ipynb``, in which they are solved. A solution lies inside a function,
between ``### BEGIN SOLUTION`` and ``### END SOLUTION`` (the convention of nbgrader).

Both notebooks are executed from the top before either is written, and nothing is written when a
cell fails or warns.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import re
import sys
import tempfile
from pathlib import Path

import jupytext
import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from nbformat import NotebookNode

from tools.run import lesson_environment

FOLDER = Path(__file__).resolve().parent.parent / "notebooks"
CELL_TIMEOUT = 300
"""Seconds that one cell may take."""
MAX_BYTES = 3_000_000
"""Size that no notebook may exceed: larger ones are slow to open and are not shown on the web."""

STUB = 'raise NotImplementedError("your turn")'
BEGIN, END = "### BEGIN SOLUTION", "### END SOLUTION"
KEPT_METADATA = ("tags", "jupyter")
NOTEBOOK_METADATA = {
    "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
    "language_info": {"file_extension": ".py", "mimetype": "text/x-python", "name": "python"},
}

ANSI_COLOR = re.compile(r"\x1b\[[0-9;]*m")
ANIMATION_ID = re.compile(r"_anim_img([0-9a-f]{32})")
WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"


class LessonError(Exception):
    """A lesson cannot be built; the message says which one, where and why."""


# ------------------------------------------------------------------ which lessons there are


def find_sources(folder: Path = FOLDER, names: list[str] | None = None) -> list[Path]:
    """Return the sources of the lessons asked for ("1", "01" or "01_topic"), or of all."""
    sources = sorted((folder / "source").glob("[0-9][0-9]_*.py"))
    if not names:
        return sources
    chosen = []
    for name in names:
        wanted = Path(name).stem
        wanted = wanted.zfill(2) if wanted.isdigit() else wanted
        found = [path for path in sources if wanted in (path.stem, path.stem[:2])]
        if not found:
            there = ", ".join(path.stem for path in sources) or "none"
            raise LessonError(
                f"there is no lesson {name!r} in {folder / 'source'} (found: {there})"
            )
        chosen += found
    return sorted(set(chosen))


def lesson_path(source: Path) -> Path:
    """Return where the lesson made from this source lies."""
    return source.parent.parent / f"{source.stem}.ipynb"


def solutions_path(source: Path) -> Path:
    """Return where the solutions made from this source lie."""
    return source.parent.parent / "solutions" / f"{source.stem}.ipynb"


# ------------------------------------------------------------------ from source to notebook


def read_source(source: Path) -> NotebookNode:
    """Read a source file into a notebook without outputs, its solutions still in place."""
    try:
        notebook = jupytext.reads(source.read_text(encoding="utf-8"), fmt="py:percent")
    except nbformat.ValidationError as error:
        raise LessonError(
            f"{source.name}: the header is not understood ({error.message}); leave the header out"
        ) from None
    for number, cell in enumerate(notebook.cells):
        where = f"{source.name}, cell {number} ({first_line(cell)!r})"
        if cell.cell_type not in ("code", "markdown"):
            raise LessonError(f"{where}: a cell is code or [markdown], not {cell.cell_type}")
        if not cell.source.strip():
            raise LessonError(f"{where}: the cell is empty; remove it")
        cell.metadata.pop("lines_to_next_cell", None)
        unknown = sorted(set(cell.metadata) - set(KEPT_METADATA))
        if unknown:
            raise LessonError(
                f"{where}: the cell header says {unknown}; known are {list(KEPT_METADATA)}, "
                'for example # %% tags=["nbval-ignore-output"]'
            )
    return notebook


def first_line(cell: NotebookNode) -> str:
    """Return the beginning of a cell, by which people recognize it."""
    lines = cell.source.strip().splitlines() or [""]
    return lines[0][:60]


def strip_solutions(text: str) -> str:
    """Replace every solution in a cell by a line that says whose turn it is."""
    kept, indentation = [], None
    for line in text.splitlines():
        mark = line.strip()
        if mark == BEGIN and indentation is None:
            indentation = line[: len(line) - len(line.lstrip())]
            if not indentation:
                raise ValueError(f"{BEGIN!r} must be indented, inside a function")
            kept.append(indentation + STUB)
        elif mark == END and indentation is not None:
            indentation = None
        elif BEGIN.lstrip("# ") in mark or END.lstrip("# ") in mark:
            raise ValueError(f"{line!r} is out of place: {BEGIN!r}, {END!r} take turns")
        elif indentation is None:
            kept.append(line)
    if indentation is not None:
        raise ValueError(f"{BEGIN!r} has no {END!r}")
    return "\n".join(kept)


def solutions_note(source: Path) -> NotebookNode:
    """Return the first cell of the solutions, which says what the file is."""
    text = (
        f"*This is lesson [{source.stem}](../{source.stem}.ipynb) with its exercises solved. Try "
        f"them there first. The file is generated from `notebooks/source/{source.name}`; "
        "changes belong in that file.*"
    )
    return nbformat.v4.new_markdown_cell(text)


def links_from_solutions(text: str) -> str:
    """Let links that were written for a lesson lead to the same files from its solutions."""
    text = re.sub(r"\]\((?=\d\d_\w+\.ipynb)", "](../", text)
    return text.replace("](solutions/", "](")


def expected_notebook(source: Path, *, solved: bool) -> NotebookNode:
    """Return the notebook that the source describes, without outputs."""
    draft = read_source(source)
    cells = [solutions_note(source)] if solved else []
    for number, cell in enumerate(draft.cells):
        text = cell.source
        if cell.cell_type == "code":
            try:
                stripped = strip_solutions(text)
            except ValueError as error:
                where = f"{source.name}, cell {number} ({first_line(cell)!r})"
                raise LessonError(f"{where}: {error}") from None
            text = text if solved else stripped
            new = nbformat.v4.new_code_cell(text)
        else:
            new = nbformat.v4.new_markdown_cell(links_from_solutions(text) if solved else text)
        new.metadata.update(cell.metadata)
        cells.append(new)
    name_cells(cells)
    return nbformat.v4.new_notebook(cells=cells, metadata=NOTEBOOK_METADATA)


def name_cells(cells: list[NotebookNode]) -> None:
    """Give each cell an id that follows from its text, so that a rebuild changes few lines."""
    seen: dict[str, int] = {}
    for cell in cells:
        key = f"{cell.cell_type}\n{cell.source}"
        seen[key] = seen.get(key, 0) + 1
        cell["id"] = hashlib.sha256(f"{key}\n{seen[key]}".encode()).hexdigest()[:12]


def visible_parts(notebook: NotebookNode) -> list[tuple[str, str, str, dict]]:
    """Return what source and notebook must agree on: id, type, text and metadata of each cell."""
    return [
        (cell.get("id", ""), cell.cell_type, cell.source, dict(cell.metadata))
        for cell in notebook.cells
    ]


def differences(expected: NotebookNode, stored: NotebookNode) -> list[str]:
    """Say, cell by cell, where a stored notebook departs from what its source describes."""
    found = []
    ours, theirs = visible_parts(expected), visible_parts(stored)
    for number in range(max(len(ours), len(theirs))):
        if number >= len(theirs):
            found.append(f"cell {number} is missing: {ours[number][2][:60]!r}")
        elif number >= len(ours):
            found.append(f"cell {number} is not in the source: {theirs[number][2][:60]!r}")
        else:
            for what, mine, stored_one in zip(
                ("id", "type", "text", "metadata"), ours[number], theirs[number], strict=True
            ):
                if mine != stored_one:
                    found.append(f"cell {number}: {what} is {stored_one!r}, expected {mine!r}")
    if stored.metadata != expected.metadata:
        found.append(f"notebook metadata is {dict(stored.metadata)!r}")
    return found


# ------------------------------------------------------------------ executing


def execute(notebook: NotebookNode, path: Path) -> None:
    """Run every cell, in the notebook's folder, and keep the outputs or say which cell fails."""
    at: dict = {"cell_index": 0, "cell": notebook.cells[0]}
    path.parent.mkdir(parents=True, exist_ok=True)
    client = NotebookClient(
        notebook,
        timeout=CELL_TIMEOUT,
        kernel_name="python3",
        resources={"metadata": {"path": str(path.parent)}},
        record_timing=False,
        coalesce_streams=True,
        shutdown_kernel="immediate",
        on_cell_start=at.update,
    )
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as scratch:
        try:
            client.execute(env=lesson_environment(os.environ, scratch))
        except CellTimeoutError:
            raise LessonError(
                f"{describe(path, at)}: not finished after {CELL_TIMEOUT} s"
            ) from None
        except CellExecutionError as error:
            trace = ANSI_COLOR.sub("", error.traceback).rstrip()
            raise LessonError(f"{describe(path, at)} fails:\n{trace}") from None
        except DeadKernelError:
            raise LessonError(
                f"{describe(path, at)}: Python itself died (out of memory?)"
            ) from None
    for number, cell in enumerate(notebook.cells):
        if cell.cell_type == "code":
            refuse_warnings(cell, describe(path, {"cell_index": number, "cell": cell}))
            tidy_outputs(cell, client.widget_state)
    notebook.metadata = nbformat.from_dict(NOTEBOOK_METADATA)


def describe(path: Path, at: dict) -> str:
    """Name a cell by notebook, number and first line."""
    kind = "solutions of " if path.parent.name == "solutions" else "lesson "
    return f"{kind}{path.stem}, cell {at['cell_index']} ({first_line(at['cell'])!r})"


def refuse_warnings(cell: NotebookNode, where: str) -> None:
    """Stop when a cell wrote to stderr or shows an error: a lesson shows no warnings."""
    for output in cell.outputs:
        if output.output_type == "stream" and output.name == "stderr":
            text = ANSI_COLOR.sub("", output.text).rstrip()
            raise LessonError(f"{where} writes to stderr, and a lesson shows no warnings:\n{text}")
        if output.output_type == "error":
            raise LessonError(
                f"{where} ends in {output.ename}: to show an error, catch it and print its text"
            )


def tidy_outputs(cell: NotebookNode, widget_state: dict) -> None:
    """Take out of the outputs what differs from run to run or means nothing in a stored page."""
    cell.metadata.pop("execution", None)
    for index, output in enumerate(cell.outputs):
        data = output.get("data", {})
        if "text/html" in data:
            data["text/html"] = rename_animations(data["text/html"], f"{cell['id']}-{index}")
        view = data.pop(WIDGET_VIEW, None)
        if view is not None and "text/plain" in data:
            data["text/plain"] = finish_bar(data["text/plain"], view["model_id"], widget_state)


def rename_animations(html: str, name: str) -> str:
    """Replace the random identifiers of Matplotlib's animations by repeatable ones."""
    for position, identifier in enumerate(dict.fromkeys(ANIMATION_ID.findall(html))):
        repeatable = hashlib.sha256(f"{name}-{position}".encode()).hexdigest()[:32]
        html = html.replace(identifier, repeatable)
    return html


def finish_bar(text: str, model_id: str, widget_state: dict) -> str:
    """Write a progress bar as it stood at the end: its stored text is that of the first moment."""
    if not re.search(r"\d+%\|", text):
        return text
    children = widget_state.get(model_id, {}).get("children", [])
    for child in children:
        state = widget_state.get(child.removeprefix("IPY_MODEL_"), {})
        if "value" in state and state.get("max"):
            done = state["value"] / state["max"]
            bar = "█" * round(10 * done)
            label = re.match(r"\s*(.*?)\s*\d+%\|", text).group(1)
            return f"{label} {done:4.0%}|{bar:<10}| {state['value']:.0f}/{state['max']:.0f}".strip()
    return text


# ------------------------------------------------------------------ writing


def to_text(notebook: NotebookNode, path: Path) -> str:
    """Return the file's text, or refuse a notebook that is too large."""
    nbformat.validate(notebook)
    text = nbformat.writes(notebook, version=4).rstrip("\n") + "\n"
    size = len(text.encode("utf-8"))
    if size > MAX_BYTES:
        raise LessonError(
            f"{path.name} would be {size / 1e6:.1f} MB, and {MAX_BYTES / 1e6:.0f} MB is the limit: "
            "animate fewer or smaller frames"
        )
    return text


def write_atomically(path: Path, text: str) -> bool:
    """Write the file in one step, so that nobody meets half of it; say whether it changed."""
    if path.exists() and path.read_bytes() == text.encode("utf-8"):
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.stem}-", suffix=".tmp")
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
        os.chmod(name, 0o644)
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    return True


def keep_outputs(notebook: NotebookNode, path: Path) -> None:
    """Give unchanged cells the outputs that are stored already."""
    if not path.exists():
        return
    stored = {cell.get("id"): cell for cell in nbformat.read(path, as_version=4).cells}
    for cell in notebook.cells:
        if cell.cell_type == "code" and cell["id"] in stored:
            cell.outputs = stored[cell["id"]].outputs
            cell.execution_count = stored[cell["id"]].execution_count


def build(source: Path, *, run: bool = True) -> list[Path]:
    """Build both notebooks of one lesson; return the files that changed."""
    texts = {}
    for path, solved in ((lesson_path(source), False), (solutions_path(source), True)):
        notebook = expected_notebook(source, solved=solved)
        if run:
            execute(notebook, path)
        else:
            keep_outputs(notebook, path)
        texts[path] = to_text(notebook, path)
    return [path for path, text in texts.items() if write_atomically(path, text)]


def check(source: Path) -> list[str]:
    """Say what is out of step between one source and its two notebooks."""
    found = []
    for path, solved in ((lesson_path(source), False), (solutions_path(source), True)):
        name = f"{'solutions/' if solved else ''}{path.name}"
        if not path.exists():
            found.append(f"{name} does not exist")
            continue
        expected = expected_notebook(source, solved=solved)
        stored = nbformat.read(path, as_version=4)
        found += [f"{name}, {line}" for line in differences(expected, stored)]
        found += [
            f"{name}, cell {number} was not executed"
            for number, cell in enumerate(stored.cells)
            if cell.cell_type == "code" and cell.execution_count is None
        ]
    return found


# ------------------------------------------------------------------ the command


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; return its exit status."""
    parser = argparse.ArgumentParser(prog="python -m tools.lessons", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("command", choices=("build", "check"))
    parser.add_argument("lessons", nargs="*", help="lessons, as 01 or 01_topic; none means all")
    parser.add_argument("--no-run", action="store_true", help="build without executing")
    parser.add_argument("--folder", type=Path, default=FOLDER, help="the folder of notebooks")
    options = parser.parse_args(arguments)
    try:
        sources = find_sources(options.folder.resolve(), options.lessons)
    except LessonError as error:
        print(error, file=sys.stderr)
        return 2
    failures = 0
    for source in sources:
        try:
            failures += handle(source, options)
        except LessonError as error:
            print(f"✗ {error}", file=sys.stderr, flush=True)
            failures += 1
    return 1 if failures else 0


def handle(source: Path, options: argparse.Namespace) -> bool:
    """Build or check one lesson, say how it went, and return whether it failed."""
    if options.command == "build":
        changed = build(source, run=not options.no_run)
        names = " and ".join(os.path.relpath(path, options.folder) for path in changed)
        print(f"{source.stem}: {'wrote ' + names if changed else 'nothing changed'}", flush=True)
        return False
    problems = check(source)
    print(f"{source.stem}: {'out of step' if problems else 'in step'}", flush=True)
    for problem in problems:
        print(f"  {problem}", flush=True)
    return bool(problems)


if __name__ == "__main__":
    sys.exit(main())
