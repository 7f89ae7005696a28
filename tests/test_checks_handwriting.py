"""The exercises of lesson 8 against the package's own preparation, and what learners may write."""

import numpy as np

from cnnedu import checks
from cnnedu.data import center_by_mass, load_digits
from cnnedu.data.handwriting import dark_on_light


def verdict(function, name):
    return " ".join(str(getattr(checks, name).diagnose(function)).split())


def reference(name):
    return getattr(checks, name).reference


def test_centering_is_that_of_the_package():
    image = load_digits().test.images[3, 0]
    moved = np.zeros_like(image)
    moved[3:, :-2] = image[:-3, 2:]
    cropped = reference("crop_to_ink")(image, 0)
    np.testing.assert_array_equal(reference("center_ink")(moved), center_by_mass(cropped))


def test_what_is_cropped_is_the_ink_and_nothing_else():
    for image, threshold in checks.crop_to_ink.cases:
        cropped = reference("crop_to_ink")(image, threshold)
        assert (cropped > threshold).sum() == (image > threshold).sum()
        borders = [cropped[0], cropped[-1], cropped[:, 0], cropped[:, -1]]
        assert all((border > threshold).any() for border in borders)


def test_pages_are_turned_around_as_the_package_does():
    """Where the ink is sparse, as on a real page, the median and the package agree."""
    page = np.full((60, 60), 0.8)
    page[20:40, 28:32] = 0.1
    for each in (page, 1 - page):
        ink = reference("white_on_black")(each)
        np.testing.assert_allclose(ink, 1 - dark_on_light(each)[0], atol=1e-6)


def test_every_page_has_a_clear_majority_of_paper():
    for (page,) in checks.white_on_black.cases:
        assert abs(np.median(page) - 0.5) > 0.05


def test_no_center_of_mass_is_halfway_between_two_pixels():
    """There, round() and np.rint() would be right, and int(x + 0.5) not."""

    def half_up(image):
        rows, columns = np.indices(image.shape)
        row, column = (image * rows).sum() / image.sum(), (image * columns).sum() / image.sum()
        down = int(np.floor(image.shape[0] / 2 - row + 0.5))
        right = int(np.floor(image.shape[1] / 2 - column + 0.5))
        padded = np.pad(image, 20)
        return padded[20 - down : 20 - down + len(image), 20 - right :][:, : image.shape[1]]

    assert verdict(half_up, "center_ink").startswith("✓")


def test_honest_and_leaking_differ_in_the_first_case():
    values, labels = checks.honest_share.cases[0]
    assert reference("honest_share")(values, labels) == 0.8
    means = [values[labels == k].mean() for k in (0, 1)]
    assert [int(abs(v - means[1]) < abs(v - means[0])) for v in values] == labels.tolist()


def test_a_loop_over_pixels_is_right():
    def with_loops(image, threshold):
        rows = [i for i in range(image.shape[0]) if max(image[i]) > threshold]
        columns = [j for j in range(image.shape[1]) if max(image[:, j]) > threshold]
        return image[min(rows) : max(rows) + 1, min(columns) : max(columns) + 1]

    assert verdict(with_loops, "crop_to_ink").startswith("✓")


def test_the_usual_mistakes_are_named():
    assert "np.roll brings back" in verdict(
        lambda image: np.roll(image, _way(image), (0, 1)), "center_ink"
    )
    assert "a slice ends before" in verdict(
        lambda image, threshold: _cut(image, threshold, 0), "crop_to_ink"
    )
    assert "chalkboard" in verdict(lambda page: 1 - page, "white_on_black")

    def leaking(values, labels):
        means = [values[labels == k].mean() for k in (0, 1)]
        guesses = np.abs(values[:, None] - means).argmin(axis=1)
        return (guesses == labels).mean()

    assert "this leaks" in verdict(leaking, "honest_share")


def test_writing_into_the_page_is_noticed():
    def in_place(page):
        if np.median(page) > 0.5:
            page *= -1
            page += 1
        return page

    assert "changes its input `page`" in verdict(in_place, "white_on_black")


def _way(image):
    rows, columns = np.indices(image.shape)
    centers = (image * rows).sum() / image.sum(), (image * columns).sum() / image.sum()
    return [round(n / 2 - c) for n, c in zip(image.shape, centers, strict=True)]


def _cut(image, threshold, more):
    places = np.argwhere(image > threshold)
    (top, left), (bottom, right) = places.min(axis=0), places.max(axis=0)
    return image[top : bottom + more, left : right + more]
