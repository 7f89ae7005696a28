"""Hold the checks to what they promise, and the exercises to the package's own functions."""

import subprocess
import sys

import numpy as np
import pytest
from scipy import signal

from cnnedu import checks
from cnnedu.checks import WrongAnswer, answers, exercise, framework, wording
from cnnedu.kernels import kernel as named_kernel
from cnnedu.layers import (
    Conv2D,
    MaxPool2D,
    conv2d_backward_loops,
    conv2d_loops,
    max_pool2d_backward_loops,
    max_pool2d_loops,
    softmax,
)
from cnnedu.losses import softmax_cross_entropy
from cnnedu.network import Sequential
from cnnedu.optimizers import SGD
from cnnedu.shapes import output_size

NAMES = [name for names in checks.EXERCISES.values() for name in names]
MISTAKES = [
    pytest.param(name, mistake, id=f"{name}-{number}")
    for name in NAMES
    for number, mistake in enumerate(getattr(checks, name).mistakes)
]


@exercise(
    lesson=1,
    cases=[(np.array([1.0, 3.0]),), (np.array([2.0, 2.0, 5.0]),)],
    random_case=lambda rng: (rng.normal(size=6).round(1),),
    right="the mean is the simplest blur there is.",
    hint="add the values up, then divide by how many there are.",
)
def average(values):
    """Return the mean of a signal."""
    return float(values.mean())


@average.mistake("you summed the values: divide by how many there are.")
def _(values):
    return values.sum()


def cases(name):
    return getattr(checks, name).cases


def verdict(function, of=average):
    return str(of.diagnose(function))


# --- the table -----------------------------------------------------------------------------------


def test_the_table_lists_every_exercise_in_its_lesson():
    everything = {
        name for name in checks.__all__ if isinstance(getattr(checks, name), checks.Exercise)
    }
    assert sorted(NAMES) == sorted(everything)
    for lesson, names in checks.EXERCISES.items():
        assert len(names) >= 4
        for name in names:
            assert getattr(checks, name).name == name
            assert getattr(checks, name).lesson == lesson


def test_importing_the_checks_is_light():
    code = (
        "import sys, cnnedu.checks; "
        "print([m for m in ('matplotlib', 'scipy', 'sklearn', 'pooch') if m in sys.modules])"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert result.stdout.strip() == "[]", result.stderr


@pytest.mark.parametrize("name", NAMES)
def test_every_exercise_has_a_statement_a_hint_and_a_reward(name, capsys):
    one = getattr(checks, name)
    assert one.statement.split("\n")[0].endswith(".")
    assert one.right.endswith(".")
    assert one.hint() is None
    assert capsys.readouterr().out.startswith("→ ")
    assert one.signature in one.__doc__
    assert one.signature in repr(one)


# --- not attempted, right, wrong -----------------------------------------------------------------


def raises_not_implemented(*arguments):
    raise NotImplementedError


def yields_not_implemented(*arguments):
    raise NotImplementedError
    yield


def returns_ellipsis(*arguments):
    return ...


STUBS = [(name, stub) for name in NAMES for stub in (raises_not_implemented, returns_ellipsis)]


@pytest.mark.parametrize(
    ("name", "stub"), [*STUBS, ("iterate_minibatches", yields_not_implemented)]
)
def test_a_stub_is_not_attempted(name, stub, capsys):
    one = getattr(checks, name)
    assert one(stub) is None
    text = " ".join(capsys.readouterr().out.split())
    assert text == f"○ not attempted yet: write {one.signature}, then run this cell again."


@pytest.mark.parametrize("name", NAMES)
def test_none_is_not_attempted_and_asks_for_the_return(name):
    text = verdict(lambda *arguments: None, getattr(checks, name))
    assert text.startswith("○ not attempted yet: ")
    assert "is the `return` missing?" in " ".join(text.split())


@pytest.mark.parametrize("name", NAMES)
def test_the_reference_is_right_and_the_exercise_without_faults(name):
    one = getattr(checks, name)
    text = " ".join(verdict(one.reference, one).split())
    assert text == f"✓ right: {one.right}"
    assert one.audit() == []


@pytest.mark.parametrize(("name", "mistake"), MISTAKES)
def test_each_known_mistake_gets_its_own_diagnosis(name, mistake):
    one = getattr(checks, name)
    text = verdict(mistake.function, one)
    heading = wording.paragraph("✗", mistake.diagnosis)
    assert text.startswith(heading + "\n")
    # The counterexample: every argument by its name, and a difference that can be seen.
    rows = text[len(heading) :]
    assert all(f"  {argument} " in rows for argument in one._names)
    assert ("expected:" in rows and "yours:" in rows) or "afterwards:" in rows
    if "expected:" in rows:
        expected, yours = rows.split("expected:")[1].split("yours:")
        assert " ".join(expected.split()) != " ".join(yours.split())


@pytest.mark.parametrize("name", NAMES)
def test_no_two_mistakes_are_the_same_nor_any_of_them_right(name):
    one = getattr(checks, name)
    functions = [one.reference, *(mistake.function for mistake in one.mistakes)]
    results = [[one._run(function, case) for case in one.cases] for function in functions]
    for i in range(len(results)):
        for j in range(i):
            assert not all(a.equals(b) for a, b in zip(results[i], results[j], strict=True)), (i, j)
    assert len({mistake.diagnosis for mistake in one.mistakes}) == len(one.mistakes)


@pytest.mark.parametrize("name", NAMES)
def test_there_are_enough_known_mistakes(name):
    one = getattr(checks, name)
    assert len(one.mistakes) >= 5 or one._judge is not None


@pytest.mark.parametrize(("name", "mistake"), MISTAKES)
def test_printed_text_is_narrow_and_the_same_every_time(name, mistake):
    one = getattr(checks, name)
    text = verdict(mistake.function, one)
    assert max(map(len, text.splitlines())) <= 88
    assert " at 0x" not in text
    assert text == verdict(mistake.function, one)


# --- what learners' code can do ------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_an_exception_is_shown_with_the_learners_line(name, capsys):
    def broken(*arguments):
        return [][3]

    getattr(checks, name)(broken)
    printed = capsys.readouterr()
    lines = printed.out.splitlines()
    assert lines[0] == "✗ your function stops with IndexError: list index out of range"
    line = broken.__code__.co_firstlineno + 1
    if name != "diagonal_edge_kernel":
        assert f"  line {line}: " in lines[1]
    assert lines[1].endswith(" return [][3]")
    assert printed.err == ""


def test_the_line_is_the_learners_even_if_the_error_is_numpys():
    def broken(values):
        return np.linalg.inv(values)

    text = verdict(broken)
    assert text.startswith("✗ your function stops with LinAlgError: ")
    assert " return np.linalg.inv(values)" in text


@pytest.mark.parametrize("error", [RecursionError("deep"), SystemExit(3), AssertionError()])
def test_unusual_exceptions_do_not_stop_the_notebook(error):
    def broken(values):
        raise error

    assert f"✗ your function stops with {type(error).__name__}" in verdict(broken)


def test_an_interrupt_still_interrupts():
    def interrupted(values):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        average(interrupted)


@pytest.mark.parametrize("name", [n for n in NAMES if getattr(checks, n)._judge is None])
def test_text_is_not_an_answer(name):
    text = " ".join(verdict(lambda *arguments: "five", getattr(checks, name)).split())
    assert text.startswith("✗ ")
    assert "the text 'five'" in text or "return two vectors" in text


def of_arrays():
    for name in NAMES:
        one = getattr(checks, name)
        if one._judge is None and isinstance(one.reference(*one.cases[0]), np.ndarray):
            yield name


@pytest.mark.parametrize("name", list(of_arrays()))
def test_a_wrong_shape_quotes_both(name):
    one = getattr(checks, name)
    right = one._run(one.reference, one.cases[0]).value
    text = " ".join(verdict(lambda *arguments: np.zeros((7, 1, 7)), one).split())
    assert f"the shape should be {right.shape}, but yours is (7, 1, 7)." in text


@pytest.mark.parametrize("name", list(of_arrays()))
def test_nan_is_named(name):
    one = getattr(checks, name)

    def broken(*arguments):
        result = np.array(one.reference(*arguments), dtype=float)
        result[...] = np.nan
        return result

    text = " ".join(verdict(broken, one).split())
    assert "your answer contains NaN (not a number) in " in text


@pytest.mark.parametrize("name", list(of_arrays()))
def test_infinity_and_huge_values_do_not_disturb(name):
    one = getattr(checks, name)
    for value in (np.inf, -np.inf, 1.7e308):
        text = verdict(lambda *a, v=value: np.full(one.reference(*a).shape, v), one)
        assert text.startswith("✗ ")


def test_a_single_nan_or_infinity():
    assert "✗ your answer is nan, not a finite number." in verdict(lambda values: np.nan)
    assert "✗ your answer is inf, not a finite number." in verdict(lambda values: np.inf)


def with_changeable_inputs():
    for name in NAMES:
        if any(isinstance(argument, (np.ndarray, dict)) for argument in cases(name)[0]):
            yield name


@pytest.mark.parametrize("name", list(with_changeable_inputs()))
def test_a_changed_input_is_noticed(name):
    one = getattr(checks, name)

    def careless(*arguments):
        result = one.reference(*arguments)
        for argument in arguments:
            if isinstance(argument, np.ndarray):
                argument += 1
            elif isinstance(argument, dict):
                argument["weight"] = argument["weight"] + 1
        return result

    text = " ".join(verdict(careless, one).split())
    assert text.startswith("✗ your function changes its input `")
    assert "afterwards:" in text


def test_a_list_that_is_changed_is_noticed():
    def careless(kernel_sizes, strides):
        result = checks.receptive_field.reference(kernel_sizes, strides)
        strides.pop()
        return result

    text = verdict(careless, checks.receptive_field)
    assert text.startswith("✗ your function changes its input `strides`")


def test_the_case_is_not_changed_by_a_careless_function():
    before = [case[0].copy() for case in average.cases]

    def careless(values):
        values[:] = 0
        return 0.0

    average.diagnose(careless)
    for case, values in zip(average.cases, before, strict=True):
        np.testing.assert_array_equal(case[0], values)


def test_an_answer_that_differs_from_call_to_call_is_noticed():
    calls = []

    def moody(values):
        calls.append(1)
        return values.mean() if len(calls) <= len(average.cases) else 0.0

    text = " ".join(verdict(moody).split())
    assert text.startswith("✗ called twice with the same input, your function gives two different")
    assert "first: 2 then: 0" in text


def test_a_result_instead_of_the_function():
    text = " ".join(verdict(2.5).split())
    assert text == (
        "✗ pass the function itself, without calling it: checks.average(average), not "
        "checks.average(average(...)). What came is the float 2.5."
    )


def test_other_arguments_than_asked_for():
    def mine(values, more):
        return 0.0

    text = " ".join(verdict(mine).split())
    assert text == (
        "✗ your function must take the arguments of average(values); mine(values, more) does not."
    )


def test_arguments_may_be_named_otherwise():
    assert verdict(lambda x: x.mean()).startswith("✓")


def test_none_for_some_inputs_only():
    text = verdict(lambda values: values.mean() if len(values) == 2 else None)
    assert "✗ the answer is a single number, but your function returns None." in text
    assert "values =  [2 2 5]" in text


def test_warnings_stay_quiet_and_are_quoted(capsys):
    def overflowing(logits):
        return np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)

    checks.stable_softmax(overflowing)
    printed = capsys.readouterr()
    assert "NumPy warned: overflow encountered in exp" in printed.out
    assert printed.err == ""


def test_a_float_where_a_whole_number_belongs():
    def with_floats(*arguments):
        return float(checks.output_size.reference(*arguments))

    text = " ".join(verdict(with_floats, checks.output_size).split())
    assert "✗ the number is right, but it is the float 3.0" in text
    assert text.endswith("expected: 3 yours: 3.0")


def test_numpy_numbers_lists_and_zero_dimensional_arrays_are_welcome():
    one = checks.output_size
    assert verdict(lambda *a: np.int32(one.reference(*a)), one).startswith("✓")
    assert verdict(lambda values: np.array(values.mean())).startswith("✓")
    assert verdict(
        lambda s, k: np.correlate(s, k, "valid").tolist(), checks.correlate1d
    ).startswith("✓")


@pytest.mark.parametrize(
    ("change", "diagnosis"),
    [
        (lambda y: -y, "every sign is the wrong way round."),
        (lambda y: y[::-1, ::-1], "the values are right, but in reverse order."),
        (lambda y: y[1:, :] if len(y) > 9 else 2 * y, "every value is 2 times the right one."),
        (lambda y: y + 3, "every value is too large by 3."),
        (lambda y: y - 0.5, "every value is too small by 0.5."),
    ],
)
def test_simple_changes_are_recognized_in_any_exercise(change, diagnosis):
    one = checks.edge_strength
    text = verdict(lambda image: change(one.reference(image)), one)
    assert text.startswith(f"✗ {diagnosis}\n")


@pytest.mark.parametrize(
    ("cut", "missing"),
    [
        ((slice(None), slice(None, -1)), "but the last column is missing"),
        ((slice(None, -1), slice(None)), "but the last row is missing"),
        ((slice(None, -1), slice(None, -1)), "but the last row and the last column are missing"),
    ],
)
def test_missing_rows_and_columns_are_recognized(cut, missing):
    one = checks.edge_strength
    assert missing in " ".join(verdict(lambda image: one.reference(image)[cut], one).split())


def test_a_known_mistake_is_recognized_though_it_fails_in_some_cases():
    def without_a_guard(filters):
        return (filters - filters.min()) / (filters.max() - filters.min())

    text = " ".join(verdict(without_a_guard, checks.normalize_for_display).split())
    assert text.startswith("✗ stretched from the smallest to the largest weight:")
    assert "nan" not in text

    def flipped_and_square(image, kernel):
        assert image.shape != (3, 4)
        return checks.correlate2d.reference(image, kernel[::-1, ::-1])

    text = " ".join(verdict(flipped_and_square, checks.correlate2d).split())
    assert text.startswith("✗ your kernel is flipped:")

    def mostly_broken(image, kernel):
        assert image.shape == (2, 3)
        return checks.correlate2d.reference(image, kernel[::-1, ::-1])

    text = " ".join(verdict(mostly_broken, checks.correlate2d).split())
    assert text.startswith("✗ the shape is right, but 2 of 2 values are not.")


def test_anything_else_shows_the_first_wrong_case_and_place():
    one = checks.correlate2d_strided

    def nearly(*arguments):
        result = one.reference(*arguments)
        if result.size > 9:
            result[-1, -1] += 1
        return result

    text = verdict(nearly, one)
    assert "✗ the shape is right, but 1 of " in text
    assert "first at: " in text


# --- exercises judged by their properties --------------------------------------------------------

SCHARR = np.array([[0, 3, 10], [-3, 0, 3], [-10, -3, 0]])


@pytest.mark.parametrize(
    "right",
    [
        SCHARR,
        -SCHARR,
        SCHARR[:, ::-1],
        [[0, 1, 1], [-1, 0, 1], [-1, -1, 0]],
        [[0, 0, 1], [0, 0, 0], [-1, 0, 0]],
        np.array([[0, 1, 2], [-1, 0, 1], [-2, -1, 0]], dtype=np.float32) / 7,
    ],
)
def test_diagonal_kernels_of_every_kind_are_right(right):
    assert verdict(lambda: right, checks.diagonal_edge_kernel).startswith("✓")


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (np.ones((2, 2)), "should be an array of shape (3, 3); yours is of shape (2, 2)."),
        ("edge", "yours is not an array of numbers."),
        (np.zeros((3, 3)), "your kernel is all zeros"),
        (np.full((3, 3), np.nan), "contains NaN or infinity"),
        (np.triu(np.ones((3, 3)), 1), "answers 3 to a flat area of ones"),
        (named_kernel("sobel_x"), "equally strong: it is made for horizontal or vertical edges."),
        (named_kernel("prewitt_y"), "equally strong: it is made for horizontal or vertical edges."),
        (named_kernel("laplacian"), "your kernel answers 0 to a diagonal edge."),
        ([[2, -1, -1], [-1, 2, -1], [-1, -1, 2]], "your kernel answers 0 to a diagonal edge."),
        (
            named_kernel("sobel_x") + 0.1 * named_kernel("sobel_y"),
            "your kernel prefers one diagonal, but not by much",
        ),
    ],
)
def test_wrong_diagonal_kernels(wrong, said):
    text = " ".join(verdict(lambda: wrong, checks.diagonal_edge_kernel).split())
    assert text.startswith("✗ ")
    assert said in text


def drop_last(n, batch_size, rng):
    order = rng.permutation(n)
    for start in range(0, n - batch_size + 1, batch_size):
        yield order[start : start + batch_size]


def with_replacement(n, batch_size, rng):
    for start in range(0, n, batch_size):
        yield rng.integers(0, n, min(batch_size, n - start))


def unshuffled(n, batch_size, rng):
    for start in range(0, n, batch_size):
        yield np.arange(start, min(start + batch_size, n))


def shuffled_inside(n, batch_size, rng):
    for batch in unshuffled(n, batch_size, rng):
        yield rng.permutation(batch)


def shuffled_batches(n, batch_size, rng):
    batches = list(unshuffled(n, batch_size, rng))
    full = [batch for batch in batches if len(batch) == batch_size]
    rest = [batch for batch in batches if len(batch) < batch_size]
    rng = np.random.default_rng(int(rng.integers(5)) + 1)
    return [full[i] for i in rng.permutation(len(full))] + rest


def own_generator(n, batch_size, rng):
    return checks.iterate_minibatches.reference(n, batch_size, np.random.default_rng(1))


def fresh_entropy(n, batch_size, rng):
    rng.random()
    order = np.random.default_rng().permutation(n)
    return [order[start : start + batch_size] for start in range(0, n, batch_size)]


def from_one_to_n(n, batch_size, rng):
    order = rng.permutation(n) + 1
    return [order[start : start + batch_size] for start in range(0, n, batch_size)]


def one_batch(n, batch_size, rng):
    return [rng.permutation(n)]


def last_batch_first(n, batch_size, rng):
    return list(checks.iterate_minibatches.reference(n, batch_size, rng))[::-1]


def first_batch_lost(n, batch_size, rng):
    return list(checks.iterate_minibatches.reference(n, batch_size, rng))[1:]


def never_ending(n, batch_size, rng):
    while True:
        yield rng.permutation(n)[:batch_size]


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (drop_last, "the last, smaller batch is dropped: 1 of the 5 images never come."),
        (with_replacement, "some images come more than once: draw without replacement."),
        (unshuffled, "the images come in their own order every time"),
        (shuffled_inside, "you shuffle inside the batches only"),
        (shuffled_batches, "you shuffle the order of the batches only"),
        (own_generator, "the rng you were given was not used"),
        (fresh_entropy, "gives two different answers"),
        (from_one_to_n, "there is no image 4: the indices run from 0 to 3."),
        (one_batch, "a batch of 4 images is larger than batch_size = 2."),
        (last_batch_first, "the batches have the sizes [1, 2, 2]: all should have 2"),
        (first_batch_lost, "2 of the 4 images never come"),
        (never_ending, "never stops yielding"),
        (lambda n, batch_size, rng: 3, "yield (or return a list of) arrays of indices"),
        (lambda n, batch_size, rng: [["a"]], "every batch should be a one-dimensional array"),
        (lambda n, batch_size, rng: [[0.5, 1.0]], "indices are integers"),
        (lambda n, batch_size, rng: [], "4 of the 4 images never come"),
    ],
)
def test_wrong_minibatches(wrong, said):
    text = " ".join(verdict(wrong, checks.iterate_minibatches).split())
    assert text.startswith("✗ ")
    assert said in text


def test_minibatches_may_be_shuffled_in_another_way():
    def in_place(n, batch_size, rng):
        order = np.arange(n)
        rng.shuffle(order)
        return np.array_split(order, range(batch_size, n, batch_size))

    assert verdict(in_place, checks.iterate_minibatches).startswith("✓")


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (lambda kernel: kernel, "return two vectors: `return column, row`."),
        (lambda kernel: (kernel, kernel), "return two vectors: yours have the shapes"),
        (lambda kernel: (kernel[0], "row"), "return two vectors of numbers"),
    ],
)
def test_factors_that_cannot_be_read(wrong, said):
    text = verdict(wrong, checks.separable_factors)
    assert text.startswith(f"✗ {said}")


def test_any_pair_of_factors_is_right():
    def scaled(kernel):
        column, row = checks.separable_factors.reference(kernel)
        return -3 * column[:, None], row[None] / -3

    assert verdict(scaled, checks.separable_factors).startswith("✓")


# --- references against the package --------------------------------------------------------------


def as_batch(image):
    return image[None, None]


def test_sizes_are_the_packages():
    for size, kernel_size, stride, padding, dilation in cases("output_size"):
        expected = output_size(size, kernel_size, stride, padding, dilation)
        actual = checks.output_size.reference(size, kernel_size, stride, padding, dilation)
        assert actual == expected


def test_correlations_are_the_convolution_layers():
    for image, kernel in cases("correlate2d"):
        expected = conv2d_loops(as_batch(image), as_batch(kernel))[0, 0]
        np.testing.assert_allclose(checks.correlate2d.reference(image, kernel), expected)
        np.testing.assert_allclose(
            checks.convolve2d.reference(image, kernel), signal.convolve2d(image, kernel, "valid")
        )
    for image, kernel, stride, padding in cases("correlate2d_strided"):
        expected = conv2d_loops(as_batch(image), as_batch(kernel), stride=stride, padding=padding)
        actual = checks.correlate2d_strided.reference(image, kernel, stride, padding)
        np.testing.assert_allclose(actual, expected[0, 0])
    for values, kernel in cases("correlate1d"):
        positions = range(len(values) - len(kernel) + 1)
        expected = [np.dot(values[i : i + len(kernel)], kernel) for i in positions]
        np.testing.assert_allclose(checks.correlate1d.reference(values, kernel), expected)


def test_gradients_are_the_convolution_layers():
    for grad_y, x in cases("conv_grad_weight"):
        weight = np.zeros(np.subtract(x.shape, grad_y.shape) + 1)
        _, expected, _ = conv2d_backward_loops(as_batch(grad_y), as_batch(x), as_batch(weight))
        np.testing.assert_allclose(
            checks.conv_grad_weight.reference(grad_y, x), expected[0, 0], atol=1e-12
        )
    for grad_y, weight in cases("conv_grad_input"):
        x = np.zeros(np.add(grad_y.shape, weight.shape) - 1)
        expected, _, _ = conv2d_backward_loops(as_batch(grad_y), as_batch(x), as_batch(weight))
        np.testing.assert_allclose(
            checks.conv_grad_input.reference(grad_y, weight), expected[0, 0], atol=1e-12
        )


def test_two_convolutions_are_the_packages():
    rng = np.random.default_rng(0)
    for grad_y, first, second in cases("stacked_grad_input"):
        kinds = zip((first, second), ((1, len(first)), (len(first), 1)), strict=True)
        stack = Sequential([Conv2D(*io, k.shape[1:], bias=False, rng=rng) for k, io in kinds])
        stack[0].params["weight"], stack[1].params["weight"] = first[:, None], second[None]
        size = np.add(grad_y.shape, first.shape[1:]) + second.shape[1:] - 2
        stack.forward(np.zeros((1, 1, *size)))
        expected = stack.backward(as_batch(grad_y))[0, 0]
        actual = checks.stacked_grad_input.reference(grad_y, first, second)
        np.testing.assert_allclose(actual, expected, atol=1e-12)


def test_pooling_is_the_packages():
    for (feature_map,) in cases("max_pool"):
        expected = max_pool2d_loops(as_batch(feature_map), 2)[0, 0]
        np.testing.assert_array_equal(checks.max_pool.reference(feature_map), expected)
    for grad_y, x in cases("max_pool_backward"):
        expected = max_pool2d_backward_loops(as_batch(grad_y), as_batch(x), 2)[0, 0]
        np.testing.assert_array_equal(checks.max_pool_backward.reference(grad_y, x), expected)


def test_softmax_and_loss_are_the_packages():
    for (logits,) in cases("stable_softmax"):
        np.testing.assert_allclose(checks.stable_softmax.reference(logits), softmax(logits))
    for probabilities, labels in cases("cross_entropy"):
        expected, _ = softmax_cross_entropy(np.log(probabilities), labels)
        assert checks.cross_entropy.reference(probabilities, labels) == pytest.approx(expected)


def test_parameters_and_receptive_fields_are_the_packages():
    rng = np.random.default_rng(0)
    for channels, filters, kernel_size, bias in cases("conv_layer_parameters"):
        layer = Conv2D(channels, filters, kernel_size, bias=bias, rng=rng)
        count = sum(parameter.size for parameter in layer.params.values())
        actual = checks.conv_layer_parameters.reference(channels, filters, kernel_size, bias)
        assert actual == count
    for sizes, strides in cases("receptive_field"):
        network = Sequential([MaxPool2D(k, s) for k, s in zip(sizes, strides, strict=True)])
        last = network.summary((1, 600, 600)).rows[-1]
        assert checks.receptive_field.reference(sizes, strides) == last.field.size[0]


def test_a_step_is_the_optimizers():
    for params, grads, learning_rate in cases("sgd_step"):
        expected = {name: values.copy() for name, values in params.items()}
        SGD(learning_rate).step([(name, expected[name], grads[name]) for name in params])
        actual = checks.sgd_step.reference(params, grads, learning_rate)
        for name in params:
            np.testing.assert_allclose(actual[name], expected[name])


def test_measures_are_scikit_learns():
    from sklearn import metrics

    for labels, predictions, classes in cases("confusion_matrix"):
        expected = metrics.confusion_matrix(labels, predictions, labels=range(classes))
        actual = checks.confusion_matrix.reference(labels, predictions, classes)
        np.testing.assert_array_equal(actual, expected)
    for logits, labels in cases("accuracy"):
        expected = metrics.accuracy_score(labels, logits.argmax(axis=1))
        assert checks.accuracy.reference(logits, labels) == pytest.approx(expected)


def test_references_of_the_last_lesson():
    for initial, learned in cases("filter_start_correlation"):
        expected = [
            np.corrcoef(a.ravel(), b.ravel())[0, 1] for a, b in zip(initial, learned, strict=True)
        ]
        np.testing.assert_allclose(
            checks.filter_start_correlation.reference(initial, learned), expected
        )
    for maps, channel in cases("most_exciting"):
        image, row, column = checks.most_exciting.reference(maps, channel)
        assert maps[image, channel, row, column] == maps[:, channel].max()
        assert np.sum(maps[:, channel] == maps[:, channel].max()) == 1  # no ties to argue about
    for (filters,) in cases("normalize_for_display"):
        grays = checks.normalize_for_display.reference(filters)
        assert np.all(grays[filters == 0] == 0.5)
        assert grays.min() >= 0
        assert grays.max() <= 1


# --- the framework, for teachers -----------------------------------------------------------------


def test_the_docstrings_example():
    assert average.audit() == []
    text = verdict(lambda values: sum(values))
    assert text == (
        "✗ you summed the values: divide by how many there are.\n"
        "  values =  [1 3]\n"
        "  expected: 2\n"
        "  yours:    4"
    )
    assert "def average(values):" in framework.__doc__


def test_an_audit_finds_what_is_wrong_with_an_exercise():
    settings = {"lesson": 1, "right": "yes.", "hint": "no.", "cases": [(2,)]}

    @exercise(**settings)
    def double(number):
        """Return twice the number."""
        return 2 * number

    double.mistake("you squared it.")(lambda number: number**2)  # 2 * 2 == 2 ** 2
    assert len(double.audit()) == 1
    assert "is diagnosed as: ✓ right" in double.audit()[0]

    @exercise(**{**settings, "cases": [(3,)]})
    def triple(number):
        """Return three times the number."""
        return 3 * number

    triple.mistake("you added 2.")(lambda number: number + 2)
    triple.mistake("you returned 5.")(lambda number: 5)
    assert len(triple.audit()) == 1
    assert "'you returned 5.' is diagnosed as: ✗ you added 2." in triple.audit()[0]

    @exercise(**settings)
    def impossible(number):
        """Raise an error."""
        raise ValueError("never")

    assert "the reference fails: ✗ your function stops with ValueError" in impossible.audit()[0]


def test_an_exercise_without_or_with_unfitting_cases_is_refused():
    settings = {"lesson": 1, "right": "yes.", "hint": "no."}
    with pytest.raises(ValueError, match=r"exercise '.*' has no cases: give it at least one"):
        exercise(**settings, cases=[])(lambda number: number)
    with pytest.raises(ValueError, match=r"should be a tuple of the arguments \(number\), but one"):
        exercise(**settings, cases=[3])(lambda number: number)
    with pytest.raises(ValueError, match=r"but one is a tuple of length 2"):
        exercise(**settings, cases=[(3, 4)])(lambda number: number)


def test_a_view_may_refuse_and_a_judge_may_stumble():
    def refuse(answer):
        raise WrongAnswer("two of them, please")

    settings = {"lesson": 1, "right": "yes.", "hint": "no.", "cases": [(3,)]}
    seen = exercise(**settings, view=refuse)(lambda number: number)
    assert verdict(lambda number: number, seen).startswith("✗ two of them, please.\n")
    judged = exercise(**settings, judge=lambda answer, number: answer.missing)(lambda number: 1)
    assert "returns the integer 1, which cannot be read." in verdict(lambda number: 1, judged)


def test_cases_are_the_same_in_every_run():
    for name in NAMES:
        one = getattr(checks, name)
        for first, second in zip(one.cases, one.cases, strict=True):
            for a, b in zip(first, second, strict=True):
                assert isinstance(a, np.random.Generator) or answers.same(a, b)


@pytest.mark.parametrize(
    ("one", "other", "equal"),
    [
        (1, 1.0, True),
        (1, 2, False),
        (np.nan, np.nan, True),
        ([1, 2], np.array([1.0, 2.0]), True),
        (np.zeros((2, 1)), np.zeros(2), False),
        ({"a": 1}, {"a": 1.0}, True),
        ({"a": 1}, {"b": 1}, False),
        ({"a": 1}, 1, False),
        ("a", "a", False),
        (None, None, True),
        (None, 0, False),
        ([[1], [1, 2]], [[1], [1, 2]], True),
        ([[1], [1, 2]], [[1], [1, 3]], False),
    ],
)
def test_same(one, other, equal):
    assert answers.same(one, other) is equal


@pytest.mark.parametrize(
    ("expected", "answer", "complaint"),
    [
        (1.5, 1.5000001, None),
        (1.5, True, "a single number, but your function returns the truth value True"),
        (2, 2.0, "the number is right, but it is the float 2.0"),
        (2, "two", "a whole number, but your function returns the text 'two'"),
        ((1, 2), (1, 2), None),
        ((1, 2), np.array([1, 2]), None),
        ((1, 2), (1,), "a tuple of 2 values, but yours has 1"),
        ((1, 2), 5, "a tuple of 2 values, but your function returns the integer 5"),
        ((1, 2), (1, 3), "at position 1 of the tuple: the value is not the right one yet"),
        ({"a": 1}, [1], "the answer is a dictionary, but your function returns a list of length 1"),
        ({"a": 1}, {}, "should have the names 'a', but yours has none at all"),
        ({"a": 1}, {"a": 2}, "at 'a': the value is not the right one yet"),
        (np.ones(2), np.array(["a", "b"]), "returns an array of str"),
        (np.ones(2), np.ones(2) + 0j, "returns an array of complex128 values of shape (2,)"),
        (np.ones(2), np.array([1, np.inf]), "your answer contains infinity in 1 of 2 places"),
        (np.ones(2), np.array([1, 3]), "the shape is right, but 1 of 2 values are not"),
        (np.ones((2, 3)), np.ones((1, 3)), "is (1, 3): one too few, does a loop stop a step too"),
        (np.ones((2, 3)), np.ones((3, 4)), "is (3, 4): one too many, does a loop go a step too"),
        (np.ones(2), object(), "but your function returns an object"),
        (np.ones(2), np.mean, "but your function returns the function mean"),
        (np.ones(2), dict, "but your function returns the class dict"),
        (2, 10**30, "but your function returns a huge integer"),
    ],
)
def test_difference(expected, answer, complaint):
    found = answers.difference(expected, answer)
    assert found is None if complaint is None else complaint in found


def test_show():
    assert wording.show(np.array([[1.0, 2.5], [-3.0, 4.0]])) == "[[  1 2.5]\n [ -3   4]]"
    assert wording.show(np.array([[[1, 2]], [[3, 4]]])) == "[[[1 2]]\n [[3 4]]]"
    assert wording.show(np.zeros((9, 9))) == "an array of shape (9, 9)"
    assert wording.show(np.zeros((0, 2))) == "an empty array of shape (0, 2)"
    assert wording.show(np.array([True, False])) == "[True False]"
    assert wording.show([1, 2.5]) == "[1, 2.5]"
    assert wording.show(()) == "()"
    assert wording.show({"weight": np.array([1.0])}) == "{'weight': [1]}"
    assert wording.show(np.random.default_rng(0)) == "a random generator"
    assert wording.show(object()) == "an object"
    assert wording.show(np.float32(np.nan)) == "nan"
    assert wording.show_both(1.00000001, 1.00000002) == ("1.00000001", "1.00000002")
