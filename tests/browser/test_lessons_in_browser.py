"""Each lesson in JupyterLab, as a reader runs it: opened, run from the top, without an error."""

from pathlib import Path

import pytest

from tools import run

ROOT = Path(__file__).resolve().parent.parent.parent
LESSONS = [lesson.name for lesson in run.lesson_files(ROOT)]
BROKEN = ("Error displaying widget", "Javascript Error", "JavaScript output is disabled")


def test_there_are_lessons():
    assert len(LESSONS) >= 6


@pytest.mark.parametrize("lesson", LESSONS)
def test_lesson_runs(page, lesson):
    page.open(lesson)
    cells = page.run_all()
    broken = [text for text in BROKEN if text in page.text(".jp-Notebook")]
    pictures = page.driver.execute_script(UNDRAWN)
    assert len(cells) > 5
    for cell in cells:
        assert cell["run"], f"not finished: {cell['source']}"
        for output in cell["outputs"]:
            assert output["output_type"] != "error", f"{cell['source']}\n{output}"
            assert output.get("name") != "stderr", f"{cell['source']}\n{output}"
    assert broken == []
    assert pictures == []


# Pictures that came but could not be shown.
UNDRAWN = """
return [...document.querySelectorAll('.jp-OutputArea-output img')]
    .filter((img) => img.complete && img.src && !img.naturalWidth)
    .map((img) => img.outerHTML.slice(0, 200));
"""
