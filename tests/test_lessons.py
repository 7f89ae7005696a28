"""The lessons: in step with their sources, executed, free of warnings, and honest about exercises.

What their cells print is compared by nbval (``make test``); here is what nbval cannot see.
"""

import re
import textwrap

import nbformat
import pytest

from tools import lessons

SOURCES = lessons.find_sources()
CORE = ["01_", "02_", "03_", "04_", "05_"]
NOT_ATTEMPTED, RIGHT, WRONG = "○ not attempted yet", "✓ right", "✗ "
PNG, SVG, HTML = "image/png", "image/svg+xml", "text/html"

BOTH = [
    pytest.param(source, solved, id=f"{source.stem}-{'solutions' if solved else 'lesson'}")
    for source in SOURCES
    for solved in (False, True)
]


def stored(source, solved):
    path = lessons.solutions_path(source) if solved else lessons.lesson_path(source)
    return nbformat.read(path, as_version=4)


def code_cells(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def printed(cell):
    return "".join(output.text for output in cell.outputs if output.get("name") == "stdout")


def test_the_core_lessons_are_there():
    assert [source.name[:3] for source in SOURCES][:5] == CORE


def test_no_notebook_without_a_source():
    names = {source.stem for source in SOURCES}
    folder = lessons.FOLDER
    assert {path.stem for path in folder.glob("*.ipynb")} == names
    assert {path.stem for path in folder.glob("solutions/*.ipynb")} == names
    assert {path.stem for path in folder.glob("source/*.py")} == names


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.stem)
def test_notebooks_are_in_step_with_their_source(source):
    assert lessons.check(source) == []


@pytest.mark.parametrize(("source", "solved"), BOTH)
class TestStoredNotebook:
    def test_was_executed_from_the_top(self, source, solved):
        counts = [cell.execution_count for cell in code_cells(stored(source, solved))]
        assert counts == list(range(1, len(counts) + 1))

    def test_shows_no_errors_and_no_warnings(self, source, solved):
        for cell in code_cells(stored(source, solved)):
            for output in cell.outputs:
                assert output.output_type != "error", cell.source
                assert output.get("name") != "stderr", cell.source

    def test_shows_no_memory_addresses(self, source, solved):
        for cell in code_cells(stored(source, solved)):
            for output in cell.outputs:
                text = output.get("text", "") + output.get("data", {}).get("text/plain", "")
                assert not re.search(r"\bat 0x[0-9a-fA-F]+", text), cell.source

    def test_is_small_enough(self, source, solved):
        path = lessons.solutions_path(source) if solved else lessons.lesson_path(source)
        assert path.stat().st_size <= 3_000_000

    def test_says_nothing_of_the_machine_it_was_built_on(self, source, solved):
        notebook = stored(source, solved)
        assert notebook.metadata == lessons.NOTEBOOK_METADATA
        for cell in notebook.cells:
            assert set(cell.metadata) <= {"tags", "jupyter"}

    def test_most_outputs_are_compared(self, source, solved):
        cells = code_cells(stored(source, solved))
        ignored = [c for c in cells if "nbval-ignore-output" in c.metadata.get("tags", [])]
        assert len(ignored) <= len(cells) / 3
        assert not [c for c in cells if "nbval-skip" in c.metadata.get("tags", [])]

    def test_figures_are_followed_by_words(self, source, solved):
        cells = stored(source, solved).cells
        for cell, after in zip(cells, [*cells[1:], None], strict=True):
            if cell.cell_type == "code" and makes_figure(cell):
                assert after is not None, cell.source
                assert after.cell_type == "markdown", cell.source

    def test_animations_have_a_still(self, source, solved):
        """Scripts are stripped where notebooks are shown on the web; a picture is not."""
        cells = code_cells(stored(source, solved))
        for number, cell in enumerate(cells):
            if has_animation(cell):
                near = cells[max(number - 1, 0) : number + 2]
                pictures = [o for c in near for o in c.outputs if is_picture(o)]
                assert pictures, cell.source


@pytest.mark.parametrize(("source", "solved"), BOTH)
def test_links_to_files_lead_somewhere(source, solved):
    path = lessons.solutions_path(source) if solved else lessons.lesson_path(source)
    links = []
    for cell in stored(source, solved).cells:
        if cell.cell_type == "markdown":
            links += re.findall(r"\]\(([^)#\s]+)\)", cell.source)
    files = [link for link in links if "://" not in link]
    assert files
    assert [link for link in files if not (path.parent / link).exists()] == []


@pytest.mark.parametrize(("source", "solved"), BOTH)
def test_checks_say_what_they_should(source, solved):
    cells = [c for c in code_cells(stored(source, solved)) if runs_check(c)]
    assert len(cells) >= 2, "a lesson has at least two exercises"
    for cell in cells:
        assert printed(cell).startswith(RIGHT if solved else NOT_ATTEMPTED), cell.source
    for cell in code_cells(stored(source, solved)):
        for line in printed(cell).splitlines():
            assert not line.startswith(WRONG), cell.source
            assert not line.startswith(NOT_ATTEMPTED if solved else RIGHT), cell.source


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.stem)
def test_lesson_keeps_its_solutions_to_itself(source):
    text = "\n".join(cell.source for cell in stored(source, solved=False).cells)
    assert "SOLUTION" not in text
    solutions = source.read_text(encoding="utf-8").count(lessons.BEGIN)
    assert text.count(lessons.STUB) == solutions >= 1


def makes_figure(cell):
    return has_animation(cell) or any(is_picture(output) for output in cell.outputs)


def has_animation(cell):
    return any("_anim_img" in output.get("data", {}).get(HTML, "") for output in cell.outputs)


def is_picture(output):
    return bool({PNG, SVG} & set(output.get("data", {})))


def runs_check(cell):
    return re.search(r"\bchecks\.\w+\(", cell.source) is not None


# ------------------------------------------------------------------ the builder itself


def write_lesson(folder, text, name="01_example.py"):
    source = folder / "source" / name
    source.parent.mkdir(exist_ok=True)
    source.write_text(textwrap.dedent(text), encoding="utf-8")
    return source


EXAMPLE = '''\
    # %% [markdown]
    # # An example
    #
    # Twice $x$.

    # %% tags=["nbval-ignore-output"]
    def double(x):
        """Return twice x."""
        ### BEGIN SOLUTION
        result = x + x
        return result
        ### END SOLUTION


    # %%
    try:
        print(double(3))
    except NotImplementedError as error:
        print(error)
    '''


def test_source_becomes_lesson_and_solutions(tmp_path):
    source = write_lesson(tmp_path, EXAMPLE)
    lesson = lessons.expected_notebook(source, solved=False)
    solutions = lessons.expected_notebook(source, solved=True)
    assert [cell.cell_type for cell in lesson.cells] == ["markdown", "code", "code"]
    assert lesson.cells[0].source == "# An example\n\nTwice $x$."
    assert lesson.cells[1].metadata == {"tags": ["nbval-ignore-output"]}
    assert lesson.cells[1].source == (
        'def double(x):\n    """Return twice x."""\n    raise NotImplementedError("your turn")'
    )
    assert "../01_example.ipynb" in solutions.cells[0].source
    assert [c.source for c in solutions.cells[1::2]] == [lesson.cells[0].source, printing(lesson)]
    assert "    result = x + x\n    return result" in solutions.cells[2].source


def printing(lesson):
    return lesson.cells[2].source


def test_cell_ids_follow_from_the_text(tmp_path):
    before = lessons.expected_notebook(write_lesson(tmp_path, EXAMPLE), solved=False)
    longer = "# %%\nnew = 1\n\n" + textwrap.dedent(EXAMPLE) + "\n# %%\nnew = 1\n"
    after = lessons.expected_notebook(write_lesson(tmp_path, longer), solved=False)
    ids = [cell["id"] for cell in after.cells]
    assert ids[1:4] == [cell["id"] for cell in before.cells]
    assert len(set(ids)) == 5


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("### BEGIN SOLUTION\nx = 1\n### END SOLUTION", "must be indented"),
        ("def f():\n    ### BEGIN SOLUTION\n    return 1", "has no '### END SOLUTION'"),
        ("def f():\n    ### END SOLUTION\n    return 1", "out of place"),
        ("def f():\n    # BEGIN SOLUTION\n    return 1", "out of place"),
        (
            "def f():\n    ### BEGIN SOLUTION\n    ### BEGIN SOLUTION\n    ### END SOLUTION",
            "out of place",
        ),
    ],
)
def test_misplaced_marks_are_named(tmp_path, body, message):
    source = write_lesson(tmp_path, f"# %%\n{body}\n")
    with pytest.raises(lessons.LessonError, match=message) as caught:
        lessons.expected_notebook(source, solved=True)
    assert "01_example.py, cell 0" in str(caught.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('# %% tag=["nbval-skip"]\nx = 1\n', r"cell 0 .*says \['tag'\]"),
        ("# %% A title\nx = 1\n", r"says \['title'\]"),
        ("# %% [raw]\n# x\n", "not raw"),
        ("# %%\nx = 1\n\n# %%\n\n# %%\ny = 1\n", "cell 1 .*is empty"),
    ],
)
def test_cells_that_are_not_understood_are_named(tmp_path, text, message):
    with pytest.raises(lessons.LessonError, match=message):
        lessons.read_source(write_lesson(tmp_path, text))


def test_differences_are_found_cell_by_cell(tmp_path):
    source = write_lesson(tmp_path, EXAMPLE)
    expected = lessons.expected_notebook(source, solved=False)
    assert lessons.differences(expected, expected) == []
    changes = {
        "text": lambda nb: nb.cells[0].update(source="# Another"),
        "type": lambda nb: nb.cells[0].update(cell_type="code"),
        "metadata": lambda nb: nb.cells[1].metadata.update(tags=[]),
        "missing": lambda nb: nb.cells.pop(),
        "not in the source": lambda nb: nb.cells.append(nbformat.v4.new_code_cell("x")),
        "cell 1: text": lambda nb: nb.cells.insert(0, nb.cells.pop(1)),
        "notebook metadata": lambda nb: nb.metadata.update(authors=[]),
    }
    for what, change in changes.items():
        changed = lessons.expected_notebook(source, solved=False)
        change(changed)
        assert what in "\n".join(lessons.differences(expected, changed))


@pytest.mark.slow
class TestBuilding:
    """Real kernels."""

    def test_build_is_complete_and_repeatable(self, tmp_path):
        source = write_lesson(tmp_path, EXAMPLE)
        first = lessons.build(source)
        assert sorted(path.relative_to(tmp_path).as_posix() for path in first) == [
            "01_example.ipynb",
            "solutions/01_example.ipynb",
        ]
        assert lessons.check(source) == []
        lesson, solutions = (nbformat.read(path, as_version=4) for path in first)
        assert printed(lesson.cells[2]) == "your turn\n"
        assert printed(solutions.cells[3]) == "6\n"
        assert lessons.build(source) == []

    def test_nothing_is_written_when_only_the_solution_fails(self, tmp_path):
        source = write_lesson(tmp_path, EXAMPLE.replace("result = x + x", "result = y"))
        with pytest.raises(lessons.LessonError, match="solutions of 01_example, cell 3") as caught:
            lessons.build(source)
        assert "NameError" in str(caught.value)
        assert not list(tmp_path.rglob("*.ipynb"))
        assert not list(tmp_path.rglob("*.tmp"))

    def test_warnings_fail(self, tmp_path):
        source = write_lesson(tmp_path, "# %%\nimport warnings\n\nwarnings.warn('old')\n")
        with pytest.raises(lessons.LessonError, match="cell 0 .*shows no warnings") as caught:
            lessons.build(source)
        assert "UserWarning: old" in str(caught.value)

    def test_slow_cells_are_stopped(self, tmp_path, monkeypatch):
        monkeypatch.setattr(lessons, "CELL_TIMEOUT", 1)
        source = write_lesson(tmp_path, "# %%\nx = 1\n\n# %%\nimport time\n\ntime.sleep(60)\n")
        with pytest.raises(lessons.LessonError, match="cell 1 .*not finished after 1 s"):
            lessons.build(source)

    def test_outputs_do_not_depend_on_the_machine(self, tmp_path, monkeypatch):
        monkeypatch.setenv("CNNEDU_DATA", str(tmp_path))
        text = "# %%\nimport os\n\nprint(os.environ.get('CNNEDU_DATA'), os.listdir())\n"
        source = write_lesson(tmp_path, text)
        lessons.build(source)
        lesson = nbformat.read(lessons.lesson_path(source), as_version=4)
        assert printed(lesson.cells[0]) == "None ['source']\n"

    def test_bars_are_stored_as_they_end(self, tmp_path):
        text = """\
            # %%
            from tqdm.auto import tqdm

            for _ in tqdm(range(12), desc="epochs"):
                pass
            """
        source = write_lesson(tmp_path, text)
        lessons.build(source)
        lesson = nbformat.read(lessons.lesson_path(source), as_version=4)
        (output,) = lesson.cells[0].outputs
        assert output.data == {"text/plain": "epochs: 100%|██████████| 12/12"}


def test_too_large_a_notebook_is_refused(tmp_path):
    source = write_lesson(tmp_path, EXAMPLE)
    notebook = lessons.expected_notebook(source, solved=False)
    notebook.cells[2].outputs = [nbformat.v4.new_output("stream", text="x" * 3_100_000)]
    with pytest.raises(lessons.LessonError, match=r"would be 3\.1 MB, and 3 MB is the limit"):
        lessons.to_text(notebook, lessons.lesson_path(source))


def test_without_running_unchanged_cells_keep_their_outputs(tmp_path):
    source = write_lesson(tmp_path, EXAMPLE)
    lessons.build(source, run=False)
    path = lessons.lesson_path(source)
    notebook = nbformat.read(path, as_version=4)
    notebook.cells[2].execution_count = 2
    notebook.cells[2].outputs = [nbformat.v4.new_output("stream", text="your turn\n")]
    path.write_text(nbformat.writes(notebook), encoding="utf-8")
    write_lesson(tmp_path, EXAMPLE.replace("Return twice x", "Return the double of x"))
    lessons.build(source, run=False)
    cells = nbformat.read(path, as_version=4).cells
    assert printed(cells[2]) == "your turn\n"
    assert "cell 1 was not executed" in "\n".join(lessons.check(source))


def test_lessons_are_found_by_number_or_name(tmp_path):
    first = write_lesson(tmp_path, EXAMPLE)
    second = write_lesson(tmp_path, EXAMPLE, "02_other.py")
    assert lessons.find_sources(tmp_path) == [first, second]
    assert lessons.find_sources(tmp_path, ["2"]) == [second]
    assert lessons.find_sources(tmp_path, ["02_other", "01"]) == [first, second]
    with pytest.raises(lessons.LessonError, match=r"no lesson '7' .*01_example, 02_other"):
        lessons.find_sources(tmp_path, ["7"])


def test_command_reports_and_fails(tmp_path, capsys):
    write_lesson(tmp_path, EXAMPLE)
    assert lessons.main(["check", "--folder", str(tmp_path)]) == 1
    assert "01_example.ipynb does not exist" in capsys.readouterr().out
    assert lessons.main(["build", "9", "--folder", str(tmp_path)]) == 2
    assert "there is no lesson '9'" in capsys.readouterr().err
    assert lessons.main(["build", "--no-run", "--folder", str(tmp_path)]) == 0
    assert "wrote 01_example.ipynb" in capsys.readouterr().out.replace("\\", "/")


def test_animations_get_repeatable_identifiers():
    first, second = "0123456789abcdef" * 2, "fedcba9876543210" * 2
    html = f'<img id="_anim_img{first}"> anim{first}.play() <img id="_anim_img{second}">'
    renamed = lessons.rename_animations(html, "cell")
    assert first not in renamed
    assert second not in renamed
    assert renamed == lessons.rename_animations(html.replace(first, "a1" * 16), "cell")
    identifiers = re.findall(r"_anim_img([0-9a-f]{32})", renamed)
    assert len(set(identifiers)) == 2
    assert f"anim{identifiers[0]}.play()" in renamed


class TestSanitizing:
    """The rules for nbval hide what is random, and nothing else."""

    @pytest.fixture
    def sanitize(self):
        text = (lessons.FOLDER.parent / "tests" / "nbval_sanitize.cfg").read_text(encoding="ascii")
        rules = re.findall("^regex: (.*)$\n^replace: (.*)$", text, flags=re.MULTILINE)
        assert len(rules) == 4

        def apply(text):
            for regex, replacement in rules:
                text = re.sub(regex, replacement, text)
            return text

        return apply

    @pytest.mark.parametrize(
        ("one", "other"),
        [
            (f'id="_anim_img{"a" * 32}"', f'id="_anim_img{"b" * 32}"'),
            (f"anim{'a' * 32}.faster()", f"anim{'b' * 32}.faster()"),
            (f"_anim_loop_select{'a' * 32}", f"_anim_loop_select{'b' * 32}"),
            (f"_anim_radio2_{'a' * 32}", f"_anim_radio2_{'b' * 32}"),
            ('"data:image/png;base64,iVBO\\\nRw0="', '"data:image/png;base64,AAAA"'),
            ("<Axes at 0x7f3a12b0>", "<Axes at 0x7f3a12b8>"),
            ("epochs: 100%|██████████| 12/12", "epochs:   0%|          | 0/12 [00:00<?, ?it/s]"),
        ],
    )
    def test_random_parts_are_hidden(self, sanitize, one, other):
        assert sanitize(one) == sanitize(other)

    @pytest.mark.parametrize(
        ("one", "other"),
        [
            ("loss 0.123", "loss 0.124"),
            ("frames[0] = x", "frames[1] = x"),
            ("a" * 32, "b" * 32),
            ("0x7f3a12b0", "0x7f3a12b8"),
            ("100%|████| 12/12", "100%|████| 13/13"),
            ("accuracy 95 %", "accuracy 96 %"),
            ("data:image/png;base64,AA=='; x = 1", "data:image/png;base64,AA=='; x = 2"),
        ],
    )
    def test_everything_else_is_compared(self, sanitize, one, other):
        assert sanitize(one) != sanitize(other)
