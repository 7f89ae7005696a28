"""The two commands' inner logic, without network; and that the lists of packages agree."""

import ast
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tools import run

ROOT = Path(__file__).resolve().parent.parent


def read(name):
    return (ROOT / name).read_text(encoding="utf-8")


# ------------------------------------------------------------------ which Python


def test_run_is_understood_by_old_pythons():
    """An old Python must get far enough to say that it is old."""
    tree = ast.parse(read("tools/run.py"), feature_version=(3, 6))
    gate = next(
        number
        for number, node in enumerate(tree.body)
        if isinstance(node, ast.If) and "OLDEST_PYTHON" in ast.unparse(node.test)
    )
    for node in tree.body[:gate]:
        for part in ast.walk(node):
            assert not getattr(part, "annotation", None)
            assert not getattr(part, "returns", None)
    imported = [n for n in tree.body if isinstance(n, ast.Import | ast.ImportFrom)]
    names = {a.name for n in imported if isinstance(n, ast.Import) for a in n.names}
    names |= {n.module for n in imported if isinstance(n, ast.ImportFrom)}
    assert names <= set(sys.stdlib_module_names)


def test_old_python_is_told_what_is_needed():
    message = run.old_python_message((3, 9, 2))
    assert "Python 3.11 or newer is needed, and this is Python 3.9:" in message
    assert message.count(".") < 8  # one sentence


def test_oldest_python_is_the_same_everywhere():
    project = tomllib.loads(read("pyproject.toml"))
    oldest = "{}.{}".format(*run.OLDEST_PYTHON)
    assert project["project"]["requires-python"] == f">={oldest}"
    assert tomllib.loads(read("uv.lock"))["requires-python"] == f">={oldest}"
    assert project["tool"]["ruff"]["target-version"] == "py" + oldest.replace(".", "")
    newest = "{}.{}".format(*run.NEWEST_TESTED)
    assert f'python: ["{oldest}", "{newest}"]' in read(".github/workflows/test.yml")


@pytest.mark.skipif(run.WINDOWS, reason="shell scripts as programs")
class TestFindingANewerPython:
    @staticmethod
    def program(folder, name, text):
        folder.mkdir(exist_ok=True)
        path = folder / name
        path.write_text(f"#!/bin/sh\n{text}\n")
        path.chmod(0o755)
        return str(path)

    def test_wrappers_that_do_not_work_are_passed_over(self, tmp_path, monkeypatch):
        self.program(tmp_path / "bin", "python3.14", "echo 'no such version' >&2; exit 127")
        self.program(tmp_path / "bin", "python3.13", "echo False")
        good = self.program(tmp_path / "bin", "python3.12", f'exec {sys.executable} "$@"')
        self.program(tmp_path / "bin", "python3", "echo False")
        monkeypatch.setenv("PATH", str(tmp_path / "bin"))
        assert run.find_newer_python() == [good]

    def test_none_is_found_where_there_is_none(self, tmp_path, monkeypatch, capsys):
        self.program(tmp_path / "bin", "python3", "echo False")
        monkeypatch.setenv("PATH", str(tmp_path / "bin"))
        assert run.find_newer_python() is None
        assert run.hand_over(["lab"]) == 1
        assert "Python 3.11 or newer is needed" in capsys.readouterr().err

    def test_command_is_handed_over(self, tmp_path, monkeypatch):
        said = tmp_path / "said"
        text = f'if [ "$1" = -c ]; then echo True; else echo "$@" > {said}; exit 7; fi'
        self.program(tmp_path / "bin", "python3.12", text)
        monkeypatch.setenv("PATH", str(tmp_path / "bin"))
        assert run.hand_over(["lab", "--no-browser"]) == 7
        assert said.read_text() == f"{ROOT / 'tools' / 'run.py'} lab --no-browser\n"


# ------------------------------------------------------------------ setting up


@pytest.fixture
def project(tmp_path):
    """Return a folder with the lists of packages and a .venv whose Python works."""
    for name in ("pyproject.toml", "uv.lock", "requirements.txt"):
        (tmp_path / name).write_text(f"{name}\n")
    return tmp_path


def make_environment(project):
    python = run.venv_python(project / ".venv")
    python.parent.mkdir(parents=True)
    (project / ".venv" / "pyvenv.cfg").write_text("version_info = 3.11.7\n")
    if run.WINDOWS:
        shutil.copy(sys.executable, python)
    else:
        python.symlink_to(sys.executable)
    return python


@pytest.fixture
def installations(monkeypatch):
    """Count the installations, which make an environment but fetch nothing."""
    done = []

    def install(root):
        if not (root / ".venv").exists():
            make_environment(root)
        done.append(root)

    monkeypatch.setattr(run, "install", install)
    return done


class TestSettingUp:
    def test_second_time_does_nothing(self, project, installations, capsys):
        python = run.prepare(project)
        assert python == run.venv_python(project / ".venv")
        assert "Setting up .venv" in capsys.readouterr().out
        assert run.prepare(project) == python
        assert installations == [project]
        assert capsys.readouterr().out == ""

    @pytest.mark.parametrize("name", ["pyproject.toml", "uv.lock", "requirements.txt"])
    def test_a_changed_list_of_packages_is_noticed(self, project, installations, name):
        run.prepare(project)
        (project / name).write_text("other\n")
        run.prepare(project)
        assert len(installations) == 2

    def test_other_line_ends_are_no_change(self, project, installations):
        run.prepare(project)
        (project / "uv.lock").write_bytes(b"uv.lock\r\n")
        run.prepare(project)
        assert len(installations) == 1

    def test_another_python_is_noticed(self, project, installations):
        run.prepare(project)
        (project / ".venv" / "pyvenv.cfg").write_text("version_info = 3.12.1\n")
        run.prepare(project)
        assert len(installations) == 2

    def test_unfinished_environment_is_made_anew(self, project, installations, capsys):
        make_environment(project)
        (project / ".venv" / "half").write_text("")
        run.stamp_path(project).write_text("unfinished\n")
        run.prepare(project)
        assert "unusable or unfinished" in capsys.readouterr().out
        assert not (project / ".venv" / "half").exists()
        assert run.is_ready(project)

    def test_environment_whose_python_is_gone_is_made_anew(self, project, installations):
        run.prepare(project)
        run.venv_python(project / ".venv").unlink()
        run.prepare(project)
        assert len(installations) == 2
        assert run.is_ready(project)

    def test_moved_project_is_set_up_again(self, project, installations, tmp_path_factory):
        run.prepare(project)
        moved = tmp_path_factory.mktemp("elsewhere") / "project"
        project.rename(moved)
        run.prepare(moved)
        assert installations == [project, moved]

    def test_somebody_elses_environment_is_kept(self, project, installations):
        make_environment(project)
        (project / ".venv" / "mine").write_text("")
        run.prepare(project)
        assert (project / ".venv" / "mine").exists()

    def test_failed_set_up_leaves_no_stamp(self, project, monkeypatch):
        def install(root):
            make_environment(root)
            raise run.SetupError("no")

        monkeypatch.setattr(run, "install", install)
        with pytest.raises(run.SetupError):
            run.prepare(project)
        assert not run.is_ready(project)

    def test_missing_ensurepip_names_the_package(self, project, monkeypatch):
        monkeypatch.setitem(sys.modules, "ensurepip", None)
        name = "python{}.{}-venv".format(*sys.version_info)
        with pytest.raises(run.SetupError, match=rf"install the package {re.escape(name)} "):
            run.create_with_pip(project)

    def test_folder_without_write_permission_is_named(self, project, monkeypatch):
        def refuse(dir=None):
            raise PermissionError(13, "Permission denied", str(dir))

        monkeypatch.setattr(run.tempfile, "TemporaryFile", refuse)
        with pytest.raises(run.SetupError, match="cannot be written to: copy the project") as error:
            run.prepare(project)
        assert str(project) in str(error.value)

    @pytest.mark.parametrize(
        ("said", "unreachable"),
        [
            ("after connection broken by 'NewConnectionError('<pip._vendor", True),
            ("ReadTimeoutError(HTTPSConnectionPool: Read timed out.", True),
            ("error: Failed to fetch: `simple/numpy/`\n  Caused by: dns error", True),
            ("WARNING: ... [Errno -3] Temporary failure in name resolution", True),
            ("ERROR: No matching distribution found for numpy==2.4.6", False),
            ("error: The lockfile at `uv.lock` needs to be updated", False),
            ("OSError: [Errno 28] No space left on device", False),
        ],
    )
    def test_network_trouble_is_told_from_other_trouble(self, said, unreachable):
        assert run.is_unreachable(said) is unreachable

    def test_unreachable_index_is_one_sentence(self, project, monkeypatch):
        monkeypatch.setattr(run, "show", lambda command, root: (1, "NewConnectionError"))
        python = make_environment(project)
        for step in (lambda: run.bring_uv(python), lambda: run.install_with_pip(python, project)):
            monkeypatch.setattr(run, "quiet", lambda command: False)
            with pytest.raises(run.SetupError, match="package index could not be reached"):
                step()

    def test_uv_is_preferred_and_pip_is_the_way_out(self, project, monkeypatch):
        tried = []

        def sync(uv, root):
            tried.append(uv)
            return "good" in uv[0]

        monkeypatch.setattr(run, "sync_with_uv", sync)
        monkeypatch.setattr(run, "create_with_pip", lambda root: Path("python"))
        monkeypatch.setattr(run, "bring_uv", lambda python: tried.append("bring") or True)
        monkeypatch.setattr(run, "install_with_pip", lambda python, root: tried.append("pip"))
        monkeypatch.delenv("CNNEDU_INSTALLER", raising=False)
        for uv, expected in [
            ("good-uv", [["good-uv"]]),
            ("bad-uv", [["bad-uv"], "pip"]),
            (None, ["bring", ["python", "-m", "uv"], "pip"]),
        ]:
            tried.clear()
            monkeypatch.setattr(run.shutil, "which", lambda name, uv=uv: uv)
            run.install(project)
            assert tried == expected
        monkeypatch.setenv("CNNEDU_INSTALLER", "pip")
        tried.clear()
        monkeypatch.setattr(run.shutil, "which", lambda name: "good-uv")
        run.install(project)
        assert tried == ["pip"]

    def test_jupyterlabs_newsletter_question_is_settled_once(self, tmp_path):
        (tmp_path / "share" / "jupyter" / "lab").mkdir(parents=True)
        run.settle_jupyterlab(tmp_path)
        path = tmp_path / "share" / "jupyter" / "lab" / "settings" / "overrides.json"
        (settings,) = json.loads(path.read_text()).values()
        assert settings["fetchNews"] == "false"
        path.write_text("{}")
        run.settle_jupyterlab(tmp_path)
        assert path.read_text() == "{}"


# ------------------------------------------------------------------ working copies


def write_notebook(path, text, metadata=None):
    path.parent.mkdir(parents=True, exist_ok=True)
    cell = {"cell_type": "code", "id": "a", "metadata": {}, "source": [text]}
    cell |= {"outputs": [{"output_type": "stream", "name": "stdout", "text": "1"}]}
    cell |= {"execution_count": 1}
    notebook = {"cells": [cell], "metadata": metadata or {}, "nbformat": 4, "nbformat_minor": 5}
    path.write_text(json.dumps(notebook), encoding="utf-8")


def edit(path, text):
    notebook = json.loads(path.read_text(encoding="utf-8"))
    notebook["cells"][0]["source"] = [text]
    path.write_text(json.dumps(notebook), encoding="utf-8")


def cell_text(path):
    return "".join(json.loads(path.read_text(encoding="utf-8"))["cells"][0]["source"])


@pytest.fixture
def course(tmp_path):
    for name in ("01_one", "02_two"):
        write_notebook(tmp_path / "notebooks" / f"{name}.ipynb", f"lesson {name}")
        write_notebook(tmp_path / "notebooks" / "solutions" / f"{name}.ipynb", f"solved {name}")
    return tmp_path


class TestWorkingCopies:
    def test_copies_are_made_once_and_never_overwritten(self, course, capsys):
        assert len(run.update_copies(course)) == 4
        copy = course / "my-lessons" / "01_one.ipynb"
        edit(copy, "my answer")
        assert run.update_copies(course) == []
        assert cell_text(copy) == "my answer"
        assert capsys.readouterr().out == ""

    def test_outputs_are_left_for_the_reader_to_make(self, course):
        run.update_copies(course)
        copy = json.loads((course / "my-lessons" / "01_one.ipynb").read_text(encoding="utf-8"))
        assert copy["cells"][0]["outputs"] == []
        assert copy["cells"][0]["execution_count"] is None
        solved = course / "my-lessons" / "solutions" / "01_one.ipynb"
        assert json.loads(solved.read_text(encoding="utf-8"))["cells"][0]["outputs"]

    def test_missing_copy_is_made_again(self, course):
        run.update_copies(course)
        copy = course / "my-lessons" / "02_two.ipynb"
        copy.unlink()
        assert run.update_copies(course) == [copy]

    def test_changed_lesson_is_announced_in_one_line(self, course, capsys):
        run.update_copies(course)
        edit(course / "my-lessons" / "02_two.ipynb", "my answer")
        edit(course / "notebooks" / "02_two.ipynb", "a better lesson")
        edit(course / "notebooks" / "solutions" / "02_two.ipynb", "a better solution")
        run.update_copies(course)
        (line,) = capsys.readouterr().out.splitlines()
        assert line.startswith("Lesson 02 has changed since your copy was made")
        assert run.own_command("fresh", "02") in line
        assert cell_text(course / "my-lessons" / "02_two.ipynb") == "my answer"

    def test_new_outputs_alone_are_no_change(self, course, capsys):
        run.update_copies(course)
        original = course / "notebooks" / "01_one.ipynb"
        notebook = json.loads(original.read_text(encoding="utf-8"))
        notebook["cells"][0]["outputs"] = []
        original.write_text(json.dumps(notebook), encoding="utf-8")
        run.update_copies(course)
        assert capsys.readouterr().out == ""

    @pytest.mark.parametrize("text", ["", "{", "[]", '{"metadata": {}}', "\N{BULLET}"])
    def test_spoiled_copy_is_left_alone(self, course, capsys, text):
        run.update_copies(course)
        copy = course / "my-lessons" / "01_one.ipynb"
        copy.write_text(text, encoding="utf-8")
        assert run.update_copies(course) == []
        assert copy.read_text(encoding="utf-8") == text

    def test_fresh_keeps_the_old_copy_beside_the_new(self, course, capsys):
        run.update_copies(course)
        copy = course / "my-lessons" / "01_one.ipynb"
        for answer in ("first answer", "second answer"):
            edit(copy, answer)
            assert run.fresh(["1"], course) == 0
            assert cell_text(copy) == "lesson 01_one"
        kept = sorted(course.glob("my-lessons/01_one_kept_*.ipynb"))
        assert sorted(map(cell_text, kept)) == ["first answer", "second answer"]
        assert kept[0].name in capsys.readouterr().out
        # Solutions that nobody edited need no second copy.
        solutions = {path.name for path in (course / "my-lessons" / "solutions").iterdir()}
        assert solutions == {"01_one.ipynb", "02_two.ipynb"}

    def test_fresh_brings_the_changed_lesson(self, course, capsys):
        run.update_copies(course)
        edit(course / "notebooks" / "01_one.ipynb", "a better lesson")
        run.fresh(["01_one"], course)
        capsys.readouterr()
        run.update_copies(course)
        assert capsys.readouterr().out == ""
        assert cell_text(course / "my-lessons" / "01_one.ipynb") == "a better lesson"

    def test_fresh_without_a_copy_makes_one(self, course):
        run.fresh(["02"], course)
        assert [path.name for path in course.glob("my-lessons/*.ipynb")] == ["02_two.ipynb"]

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [([], "Say which lesson"), (["01", "02"], "Say which"), (["9"], "lessons are 01, 02")],
    )
    def test_fresh_wants_one_lesson(self, course, arguments, message):
        with pytest.raises(run.SetupError, match=message):
            run.fresh(arguments, course)
        assert not (course / "my-lessons").exists()

    def test_lab_without_lessons_says_so(self, tmp_path):
        with pytest.raises(run.SetupError, match="There are no lessons in"):
            run.lab([], tmp_path)


# ------------------------------------------------------------------ commands


class TestCommands:
    def test_unknown_command_lists_the_known(self, capsys):
        assert run.main(["labb"]) == 2
        assert "There is no command 'labb': lab, fresh, test" in capsys.readouterr().err

    def test_help_tells_every_command(self, capsys):
        assert run.main(["help"]) == 0
        said = capsys.readouterr().out
        assert all(f"  {name} " in said for name in run.COMMANDS)

    def test_trouble_is_a_sentence_and_a_status(self, monkeypatch, capsys):
        def trouble(arguments):
            raise run.SetupError("Plug it in.")

        monkeypatch.setitem(run.COMMANDS, "lab", trouble)
        assert run.main(["lab"]) == 1
        assert capsys.readouterr().err.strip() == "Plug it in."

    def test_makefile_offers_the_same_commands(self):
        targets = set(re.findall(r"(?m)^(\w+):", read("Makefile"))) - {"help"}
        assert targets == set(run.COMMANDS)
        assert targets == set(re.findall(r"\$\(RUN\) (\w+)", read("Makefile")))

    def test_arguments_are_sorted_into_tests_and_lessons(self, course):
        (course / "tests").mkdir()
        (course / "tests" / "test_a.py").write_text("")
        lesson = "notebooks/01_one.ipynb"
        arguments = ["-k", "pool", "tests/test_a.py::test_b", lesson, "-x"]
        assert run.split_paths(arguments, course) == (
            ["-k", "pool", "-x"],
            ["tests/test_a.py::test_b"],
            [lesson],
        )

    def test_browser_tests_run_by_themselves(self, course):
        folder = str(Path("tests", "browser"))
        assert run.split_browser(["tests"], course) == (["tests"], [folder])
        named = ["tests/browser/test_a.py::test_b", "tests/test_c.py", "tests/browser"]
        assert run.split_browser(named, course) == ([named[1]], [named[0], named[2]])
        assert run.split_browser([], course) == ([], [])

    @pytest.mark.parametrize(
        ("statuses", "selected", "total"),
        [
            ({"style": 0, "tests": 0, "lessons": 0}, False, 0),
            ({"style": 1, "tests": 0, "lessons": 0}, False, 1),
            ({"style": 0, "tests": 0, "lessons": 5}, False, 5),
            ({"style": 0, "tests": 0, "lessons": 5}, True, 0),
            ({"style": 0, "tests": 1, "lessons": 5}, True, 1),
            ({"style": 0, "tests": 5, "lessons": 5}, True, 5),
            ({"style": 0, "tests": 0, "lessons": 5, "browser": 5}, True, 0),
            ({"style": 0, "tests": 5, "lessons": 5, "browser": 1}, True, 1),
        ],
    )
    def test_status_is_that_of_all_parts(self, statuses, selected, total):
        assert run.sum_up(statuses, selected) == total

    def test_lessons_are_tested_without_mnist(self, tmp_path):
        base = {"CNNEDU_DATA": "x", "MPLBACKEND": "Qt", "PATH": "p"}
        environment = run.lesson_environment(base, str(tmp_path))
        assert "CNNEDU_DATA" not in environment
        assert "MPLBACKEND" not in environment
        assert environment["PATH"] == "p"
        assert base["CNNEDU_DATA"] == "x"


# ------------------------------------------------------------------ the lists of packages agree


def declared():
    """Return every requirement of pyproject.toml: the package's, and those of its extras."""
    project = tomllib.loads(read("pyproject.toml"))["project"]
    extras = project["optional-dependencies"].values()
    lines = [*project["dependencies"], *(line for extra in extras for line in extra)]
    return {canonicalize_name(r.name): r for r in map(Requirement, lines)}


def locked():
    """Return the packages in uv.lock as pairs of name and version, without the project itself."""
    packages = tomllib.loads(read("uv.lock"))["package"]
    return {(p["name"], p["version"]) for p in packages if "registry" in p["source"]}


def exported():
    """Return the lines of requirements.txt."""
    lines = [line.strip() for line in read("requirements.txt").splitlines()]
    return [Requirement(line) for line in lines if line and not line.startswith("#")]


def test_requirements_are_those_of_the_lock():
    pairs = set()
    for requirement in exported():
        (specifier,) = requirement.specifier
        assert specifier.operator == "=="
        pairs.add((canonicalize_name(requirement.name), specifier.version))
    assert pairs == locked()


def test_everything_declared_is_locked_and_new_enough():
    versions = {}
    for name, version in locked():
        versions.setdefault(name, []).append(version)
    for name, requirement in declared().items():
        assert name in versions
        assert all(map(requirement.specifier.contains, versions[name])), name


def test_lock_knows_what_is_declared():
    packages = tomllib.loads(read("uv.lock"))["package"]
    (own,) = [package for package in packages if package["name"] == "cnnedu"]
    known = {
        canonicalize_name(entry["name"]): entry["specifier"]
        for entry in own["metadata"]["requires-dist"]
    }
    assert known == {name: str(r.specifier) for name, r in declared().items()}


def test_conda_gets_the_same_packages():
    environment = yaml.safe_load(read("environment.yml"))
    assert environment["channels"][0] == "conda-forge"
    lines = [line for line in environment["dependencies"] if isinstance(line, str)]
    found = {canonicalize_name(r.name): str(r.specifier) for r in map(Requirement, lines)}
    wanted = tomllib.loads(read("pyproject.toml"))["project"]["requires-python"]
    assert found.pop("python") == wanted
    assert found.pop("pip") == ""
    assert found == {name: str(r.specifier) for name, r in declared().items()}
    assert environment["dependencies"][-1] == {"pip": ["-e ."]}


def test_pre_commit_uses_the_locked_ruff():
    (version,) = [version for name, version in locked() if name == "ruff"]
    (repository,) = yaml.safe_load(read(".pre-commit-config.yaml"))["repos"]
    assert repository["repo"] == "https://github.com/astral-sh/ruff-pre-commit"
    assert repository["rev"] == f"v{version}"
    assert {hook["id"] for hook in repository["hooks"]} == {"ruff-check", "ruff-format"}


def test_only_the_public_index_is_named():
    """People's own settings for pip and uv decide where packages come from."""
    hosts = set(re.findall(r'"(https?://[^/"]+)', read("uv.lock")))
    assert hosts == {"https://pypi.org", "https://files.pythonhosted.org"}
    assert "://" not in read("requirements.txt")
    for name in ("pyproject.toml", "requirements.txt", "environment.yml", "Makefile"):
        assert not re.search(r"index-url|find-links|\[\[?tool\.uv", read(name)), name


def test_everything_ruff_checks_is_named():
    """Without a list, ruff's own changes from version to version."""
    lint = tomllib.loads(read("pyproject.toml"))["tool"]["ruff"]["lint"]
    assert lint["select"] == sorted(lint["select"])
    assert "ALL" not in lint["select"]
    assert "extend-select" not in lint


# ------------------------------------------------------------------ continuous integration


def test_workflow_runs_on_every_system_with_the_oldest_and_a_new_python():
    workflow = yaml.safe_load(read(".github/workflows/test.yml"))
    triggers = workflow[True]  # YAML reads the word "on" as true
    assert set(triggers) == {"push", "pull_request", "schedule"}
    (job,) = workflow["jobs"].values()
    systems = {name.split("-")[0] for name in job["strategy"]["matrix"]["os"]}
    assert systems == {"ubuntu", "macos", "windows"}
    assert len(job["strategy"]["matrix"]["python"]) == 2
    used = {step["uses"].split("@")[0] for step in job["steps"] if "uses" in step}
    assert used == {"actions/checkout", "actions/setup-python", "astral-sh/setup-uv"}
    commands = [step["run"] for step in job["steps"] if "run" in step]
    assert commands == ["make test", "python tools\\run.py test"]


def test_ci_script_can_be_run():
    path = ROOT / ".ci" / "run"
    lines = path.read_text(encoding="utf-8").splitlines()
    assert lines[0] == "#!/usr/bin/env bash"
    assert "set -euo pipefail" in lines
    assert lines[-1] == "make test"
    # Without Chromium the tests in a browser are left out; where it can be had, it is fetched.
    assert "chromium chromium-driver" in path.read_text(encoding="utf-8")
    if not run.WINDOWS:
        assert os.access(path, os.X_OK)


# ------------------------------------------------------------------ what the files contain


def project_files():
    """Return the project's files: those of git, with new ones, or all where there is no git."""
    listing = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    if shutil.which("git") and (ROOT / ".git").exists():
        done = subprocess.run(listing, cwd=ROOT, capture_output=True, encoding="utf-8")
        if done.returncode == 0 and done.stdout:
            return [ROOT / name for name in done.stdout.split("\0") if (ROOT / name).is_file()]
    skipped = {".git", ".venv", "my-lessons", "build", "dist", "__pycache__"}
    skipped |= {".hypothesis", ".pytest_cache", ".ruff_cache", ".ipynb_checkpoints"}
    found = []
    for folder, folders, names in os.walk(ROOT):
        folders[:] = set(folders) - skipped
        found += [Path(folder, name) for name in names]
    return found


def test_files_name_no_machine():
    """Home folders and the like: what works on the author's machine only."""
    places = ["home", "root", "Users", "work", "tmp"]
    pattern = re.compile(
        rf"(?<![\w.~-])/({'|'.join(places)})/|[A-Z]:\\+Users|file:/{{3}}|site.packages[/\\]"
    )
    found = []
    for path in project_files():
        if path.suffix in {".npz", ".png", ".jpg", ".gz"}:
            continue
        text = path.read_text(encoding="utf-8", errors="replace")
        found += [f"{path.relative_to(ROOT)}: {m.group()}" for m in pattern.finditer(text)]
        if path.relative_to(ROOT).as_posix() != ".ci/run":
            assert "shared/" + "data" not in text, path
    assert not found


def test_package_is_installed_from_this_folder():
    """Tests that test another copy would prove nothing."""
    spec = importlib.util.find_spec("cnnedu")
    assert Path(spec.origin).resolve() == ROOT / "cnnedu" / "__init__.py"
