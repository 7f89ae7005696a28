"""Tell a learner whether an exercise is right, and if not, why not.

An exercise is a *reference* function, some *cases* (tiny ones first, so that a counterexample can
be read), and a list of *known mistakes*: wrong implementations, each with its diagnosis. A
learner's function is run on every case. If all its answers are right, it is right; if they all
equal those of a known mistake (errors and NaN aside), that mistake's diagnosis is printed;
otherwise the first wrong answer is shown. The learner's errors become diagnoses too: a check never
stops a notebook.

To make an exercise of your own, decorate its reference function::

    import numpy as np
    from cnnedu.checks import exercise

    @exercise(
        lesson=1,
        cases=[(np.array([1.0, 3.0]),), (np.array([2.0, 2.0, 5.0]),)],
        random_case=lambda rng: (rng.normal(size=6).round(1),),
        right="the mean is the simplest blur there is.",
        hint="add the values up, then divide by how many there are.",
    )
    def average(values):
        '''Return the mean of a signal.'''
        return values.mean()

    @average.mistake("you summed the values: divide by how many there are.")
    def _(values):
        return values.sum()

    assert average.audit() == []  # the reference passes, and every mistake is told apart

In the notebook the learner then calls ``average(their_function)``.
"""

import copy
import inspect
import linecache
import traceback
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from cnnedu.checks import wording
from cnnedu.checks.answers import as_numbers, describe, difference, same

RANDOM_CASES = 6
SEED = 20


class WrongAnswer(ValueError):  # noqa: N818  (it is not the program that is in error)
    """Raised by a ``view`` for an answer it cannot read; the message is the diagnosis."""


@dataclass(frozen=True)
class Mistake:
    """A wrong implementation that learners are known to write, and what to tell them.

    Attributes
    ----------
    diagnosis : str
        What is wrong, said to the learner: "your kernel is flipped: ...".
    function : callable
        The wrong implementation, called with the same arguments as the reference.
    """

    diagnosis: str
    function: Callable


@dataclass(frozen=True)
class Verdict:
    """What a check has found.

    Attributes
    ----------
    mark : str
        "○" not attempted yet, "✓" right, "✗" wrong.
    text : str
        Everything that is printed, the mark included.
    """

    mark: str
    text: str

    def __str__(self) -> str:
        """Return the printed text."""
        return self.text


@dataclass(frozen=True)
class _Outcome:
    """What came of one call: a value or an error, and what the call did to its inputs."""

    value: Any = None
    error: BaseException | None = None
    changed: tuple[str, ...] = ()
    warned: tuple[str, ...] = ()
    arguments: tuple = ()  # as the call left them: a generator has moved on

    def equals(self, other: "_Outcome") -> bool:
        """Whether two calls answered alike, and left their inputs alike."""
        if self.changed != other.changed:
            return False
        if self.error is not None or other.error is not None:
            return type(self.error) is type(other.error)
        return same(self.value, other.value)

    @property
    def is_finite(self) -> bool:
        """Whether the answer is made of finite numbers."""
        numbers = None if self.error is not None else as_numbers(self.value)
        return numbers is not None and bool(np.isfinite(numbers).all())

    @property
    def is_blank(self) -> bool:
        """Whether nothing has been written yet."""
        if self.changed:
            return False
        if self.error is not None:
            return isinstance(self.error, NotImplementedError)
        return self.value is None or self.value is Ellipsis


class Exercise:
    """A function for learners to write, and the check that talks with them about it.

    Usually made by the decorator `exercise`. Calling it with the learner's function prints the
    verdict and returns None.

    Parameters
    ----------
    reference : callable
        The right implementation. Its name and argument names are the exercise's; its docstring
        is the statement.
    lesson : int
        The lesson it belongs to.
    cases : sequence of tuple
        Positional arguments, the smallest and most telling case first.
    right : str
        A sentence worth reading for those who got it.
    hint : str
        The first step, for those who are stuck.
    random_case : callable, optional
        ``random_case(rng)`` returns the arguments of one more case.
    view : callable, optional
        Turns an answer into what is compared, where there are many right answers (two factors
        into their product); raises `WrongAnswer` if it cannot.
    judge : callable, optional
        ``judge(answer, *arguments)`` returns a diagnosis, or None if the answer is right; it
        replaces the comparison with the reference. The arguments are as the call left them.
    """

    def __init__(
        self,
        reference: Callable,
        *,
        lesson: int,
        cases: Sequence[tuple],
        right: str,
        hint: str,
        random_case: Callable[[np.random.Generator], tuple] | None = None,
        view: Callable[[Any], Any] | None = None,
        judge: Callable[..., str | None] | None = None,
    ) -> None:
        self.name = reference.__name__
        self.signature = f"{self.name}{inspect.signature(reference)}"
        self.statement = inspect.getdoc(reference) or ""
        self.reference = reference
        self.lesson = lesson
        self.right = right
        self.hint_text = hint
        self.mistakes: list[Mistake] = []
        self._tiny_cases = list(cases)
        self._random_case = random_case
        self._view = view
        self._judge = judge
        self._names = list(inspect.signature(reference).parameters)
        if not self._tiny_cases:
            raise ValueError(f"exercise {self.name!r} has no cases: give it at least one")
        for case in self._tiny_cases:
            if not isinstance(case, tuple) or len(case) != len(self._names):
                raise ValueError(
                    f"a case of exercise {self.name!r} should be a tuple of the arguments "
                    f"({', '.join(self._names)}), but one is {describe(case)}"
                )
        self.__doc__ = (
            f"Check your {self.signature}: pass the function itself, not its result.\n\n"
            f"{self.statement}"
        )

    def __call__(self, function: Callable) -> None:
        """Print whether the learner's function is right, and if not, why not.

        Parameters
        ----------
        function : callable
            The learner's function itself, not its result.
        """
        print(self.diagnose(function))

    def __repr__(self) -> str:
        """Name the exercise and its lesson."""
        return f"<exercise {self.signature}, lesson {self.lesson}>"

    def hint(self) -> None:
        """Print the first step."""
        print(wording.paragraph("→", self.hint_text))

    def mistake(self, diagnosis: str) -> Callable[[Callable], Callable]:
        """Add a known mistake: a decorator for a wrong implementation.

        Parameters
        ----------
        diagnosis : str
            What to tell a learner whose answers equal this implementation's.

        Returns
        -------
        callable
            The decorator; it returns the function as it is.
        """

        def add(function: Callable) -> Callable:
            self.mistakes.append(Mistake(diagnosis, function))
            return function

        return add

    @property
    def cases(self) -> list[tuple]:
        """Every case as a tuple of arguments, the same in every run."""
        rng = np.random.default_rng(SEED)
        count = RANDOM_CASES if self._random_case else 0
        return self._tiny_cases + [self._random_case(rng) for _ in range(count)]

    def diagnose(self, function: Callable) -> Verdict:
        """Judge a learner's function without printing.

        Parameters
        ----------
        function : callable
            The learner's function.

        Returns
        -------
        Verdict
        """
        with np.errstate(all="ignore"):  # infinities in an answer are the learner's affair
            return self._diagnose(function)

    def _diagnose(self, function: Callable) -> Verdict:
        if not callable(function):
            return self._wrong(
                f"pass the function itself, without calling it: checks.{self.name}({self.name}), "
                f"not checks.{self.name}({self.name}(...)). What came is {describe(function)}."
            )
        cases = self.cases
        misfit = self._signature_misfit(function, cases[0])
        if misfit:
            return self._wrong(misfit)
        outcomes = [self._run(function, arguments) for arguments in cases]
        if outcomes[0].is_blank and (
            outcomes[0].error is not None or all(outcome.is_blank for outcome in outcomes)
        ):
            return self._blank(outcomes[0])
        truths = [self._run(self.reference, arguments) for arguments in cases]
        complaints = list(map(self._complaint, truths, outcomes))
        if any(complaints):
            return self._explain(function, cases, truths, outcomes, complaints)
        for arguments, outcome in zip(cases, outcomes, strict=True):
            again = self._run(function, arguments)
            if not outcome.equals(again):
                return self._wrong(
                    "called twice with the same input, your function gives two different "
                    "answers: let it depend on its arguments alone (no np.random, no global).",
                    [
                        *self._inputs(arguments),
                        ("first:", _show_outcome(outcome)),
                        ("then:", _show_outcome(again)),
                    ],
                )
        return Verdict("✓", wording.paragraph("✓", f"right: {self.right}"))

    def audit(self) -> list[str]:
        """Look for faults in the exercise itself: for teachers who write one.

        Returns
        -------
        list of str
            Empty if the reference is found right, and every known mistake gets exactly its own
            diagnosis.
        """
        faults = []
        if self.diagnose(self.reference).mark != "✓":
            faults.append(f"the reference fails: {self.diagnose(self.reference)}")
        for mistake in self.mistakes:
            verdict = self.diagnose(mistake.function)
            if not verdict.text.startswith(wording.paragraph("✗", mistake.diagnosis)):
                faults.append(f"{mistake.diagnosis!r} is diagnosed as: {verdict}")
        return faults

    def _run(self, function: Callable, arguments: tuple) -> _Outcome:
        given = copy.deepcopy(arguments)
        value, error = None, None
        with (
            warnings.catch_warnings(record=True) as caught,
            np.errstate(all="warn", under="ignore"),
        ):
            warnings.simplefilter("always")
            try:
                value = function(*given)
                if self._view is not None and value is not None and value is not Ellipsis:
                    value = self._view(value)
                value = copy.deepcopy(value) if isinstance(value, (np.ndarray, dict)) else value
            except (Exception, SystemExit) as problem:  # whatever a learner's code may raise
                error = problem
        changed = tuple(
            name
            for name, before, after in zip(self._names, arguments, given, strict=False)
            if not isinstance(before, np.random.Generator) and not same(before, after)
        )
        warned = tuple(
            dict.fromkeys(str(w.message) for w in caught if w.category is RuntimeWarning)
        )
        return _Outcome(value, error, changed, warned, given)

    def _complaint(self, truth: _Outcome, outcome: _Outcome) -> str | None:
        """Say what is wrong with one answer, or return None."""
        error = outcome.error
        if isinstance(error, WrongAnswer):
            return f"{error}."
        if error is not None:
            message = (str(error).splitlines() or [""])[0][:240]
            return f"your function stops with {type(error).__name__}: {message}".rstrip(": ")
        if outcome.changed:
            names = " and ".join(f"`{name}`" for name in outcome.changed)
            nothing = " and returns nothing" if outcome.value is None else ""
            return (
                f"your function changes its input {names}{nothing}: work on a new array, or a "
                "copy (`-=` and `x[...] =` write into the array that was passed in)."
            )
        if self._judge is None:
            complaint = difference(truth.value, outcome.value)
            return complaint if not complaint or complaint.endswith("?") else f"{complaint}."
        try:
            return self._judge(outcome.value, *outcome.arguments)
        except Exception:  # a judge meets whatever learners return
            return f"your function returns {describe(outcome.value)}, which cannot be read."

    def _explain(
        self,
        function: Callable,
        cases: list[tuple],
        truths: list[_Outcome],
        outcomes: list[_Outcome],
        complaints: list[str | None],
    ) -> Verdict:
        """Find the best diagnosis, and show the smallest counterexample."""
        first = next(index for index, complaint in enumerate(complaints) if complaint)
        diagnosis = self._known_mistake(cases, outcomes) or _pattern(truths, outcomes)
        if diagnosis is None:
            # The same mistake, less carefully written, may overflow or stop in some of the cases.
            finite = [index for index, outcome in enumerate(outcomes) if outcome.is_finite]
            wrong = [index for index in finite if complaints[index]]
            if wrong and 2 * len(finite) >= len(cases):
                diagnosis = self._known_mistake(
                    [cases[index] for index in finite], [outcomes[index] for index in finite]
                )
                first = wrong[0] if diagnosis else first
        diagnosis = diagnosis or complaints[first]
        truth, outcome = truths[first], outcomes[first]
        rows = self._inputs(cases[first])
        if outcome.error is None or isinstance(outcome.error, WrongAnswer):
            rows += self._answers(truth, outcome)
        else:
            rows = _learners_line(function, outcome.error) + rows
        rows += [("NumPy warned:", text) for text in outcome.warned[:1]]
        return self._wrong(diagnosis, rows)

    def _known_mistake(self, cases: list[tuple], outcomes: list[_Outcome]) -> str | None:
        for mistake in self.mistakes:
            if all(
                outcome.equals(self._run(mistake.function, arguments))
                for arguments, outcome in zip(cases, outcomes, strict=True)
            ):
                return mistake.diagnosis
        return None

    def _inputs(self, arguments: tuple) -> list[tuple[str, str]]:
        return [
            (f"{name} =", wording.show(value))
            for name, value in zip(self._names, arguments, strict=False)
        ]

    def _answers(self, truth: _Outcome, outcome: _Outcome) -> list[tuple[str, str]]:
        if self._judge is not None or isinstance(outcome.error, WrongAnswer):
            return [] if outcome.value is None else [("yours:", wording.show(outcome.value))]
        if outcome.changed:
            return [
                (f"{name} afterwards:", wording.show(after))
                for name, after in zip(self._names, outcome.arguments, strict=False)
                if name in outcome.changed
            ]
        expected, yours = wording.show_both(truth.value, outcome.value)
        rows = [("expected:", expected), ("yours:", yours)]
        place = wording.first_difference(truth.value, outcome.value)
        return [*rows, ("first at:", place)] if place else rows

    def _blank(self, outcome: _Outcome) -> Verdict:
        text = f"not attempted yet: write {self.signature}, then run this cell again."
        if outcome.error is None and outcome.value is None:
            text += " (It returns None: if you did write something, is the `return` missing?)"
        return Verdict("○", wording.paragraph("○", text))

    def _wrong(self, diagnosis: str, rows: Sequence[tuple[str, str]] = ()) -> Verdict:
        text = wording.paragraph("✗", diagnosis)
        return Verdict("✗", f"{text}\n{wording.table(rows)}" if rows else text)

    def _signature_misfit(self, function: Callable, arguments: tuple) -> str | None:
        try:
            signature = inspect.signature(function)
        except (ValueError, TypeError):  # some built-in functions do not tell theirs
            return None
        try:
            signature.bind(*arguments)
        except TypeError:
            given = getattr(function, "__name__", "yours")
            return (
                f"your function must take the arguments of {self.signature}; "
                f"{given}{signature} does not."
            )
        return None


def exercise(**settings: Any) -> Callable[[Callable], Exercise]:
    """Make an exercise of the reference function below: a decorator.

    Parameters
    ----------
    **settings
        The keyword arguments of `Exercise`.

    Returns
    -------
    callable
        A decorator that turns the function into an `Exercise`.
    """

    def make(reference: Callable) -> Exercise:
        return Exercise(reference, **settings)

    return make


def _show_outcome(outcome: _Outcome) -> str:
    return type(outcome.error).__name__ if outcome.error else wording.show(outcome.value)


_PATTERNS: list[tuple[str, Callable]] = [
    ("every sign is the wrong way round.", lambda y: -y),
    ("rows and columns have changed places: your answer is transposed.", lambda y: y.T),
    ("the values are right, but in reverse order.", np.flip),
    ("right as far as it goes, but the last value is missing.", lambda y: _only(y, 1)[:-1]),
    ("right as far as it goes, but the first value is missing.", lambda y: _only(y, 1)[1:]),
    ("right as far as it goes, but the last column is missing.", lambda y: _only(y, 2)[:, :-1]),
    ("right as far as it goes, but the last row is missing.", lambda y: _only(y, 2)[:-1]),
    (
        "right as far as it goes, but the last row and the last column are missing.",
        lambda y: _only(y, 2)[:-1, :-1],
    ),
]


def _only(array: np.ndarray, dimensions: int) -> np.ndarray:
    if array.ndim != dimensions:
        raise WrongAnswer
    return array


def _pattern(truths: list[_Outcome], outcomes: list[_Outcome]) -> str | None:
    """Recognize answers that are a simple change away from right, in any exercise."""
    right = [as_numbers(truth.value) for truth in truths]
    given = [None if o.error or o.changed else as_numbers(o.value) for o in outcomes]
    if any(array is None for array in right + given) or all(map(same, right, given)):
        return None
    for diagnosis, change in _PATTERNS:
        try:
            if all(same(change(y), answer) for y, answer in zip(right, given, strict=True)):
                return diagnosis
        except WrongAnswer:
            continue
    if any(y.shape != answer.shape for y, answer in zip(right, given, strict=True)):
        return None
    expected = np.concatenate([y.ravel() for y in right]).astype(float)
    answers = np.concatenate([answer.ravel() for answer in given]).astype(float)
    if len(expected) < 3 or not np.isfinite(answers).all():
        return None
    shift = float(answers[0] - expected[0])
    if same(expected + shift, answers):
        word = "large" if shift > 0 else "small"
        return f"every value is too {word} by {wording.show(abs(shift))}."
    factor = float(answers @ expected / max(expected @ expected, 1e-30))
    if factor and same(expected * factor, answers):
        return f"every value is {wording.show(factor)} times the right one."
    return None


def _learners_line(function: Callable, error: BaseException) -> list[tuple[str, str]]:
    """Quote the line of the learner's code that an exception came through last."""
    code = getattr(inspect.unwrap(function), "__code__", None)
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        if code is not None and frame.filename == code.co_filename:
            source = (frame.line or linecache.getline(frame.filename, frame.lineno)).strip()
            return [(f"line {frame.lineno}:", source[:70])]
    return []
