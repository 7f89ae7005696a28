"""Own handwriting: any picture of one digit becomes like MNIST's, or a sentence says why not."""

import io
import math

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageOps

from cnnedu.data import DataError, load_digits
from cnnedu.data.handwriting import (
    HandwritingError,
    adjust_strokes,
    dark_on_light,
    even_light,
    label_of,
    prepare_digit,
    read_folder,
    select_digit,
    stroke_width,
    to_gray,
    widen_thin_strokes,
)
from cnnedu.data.photographs_of_digits import synthetic_photograph
from cnnedu.data.pictures import LONGEST_SIDE, as_picture, read_picture, upright

STEPS = [
    "photograph",
    "upright",
    "gray",
    "dark on light",
    "even light",
    "ink",
    "digit",
    "cropped",
    "strokes",
    "scaled",
    "centered",
]
# Lines of a seven with a bar, from left to right and top to bottom in [0, 1].
SEVEN = [[(0.1, 0.05), (0.9, 0.05), (0.4, 0.95)], [(0.3, 0.5), (0.8, 0.5)]]


def seven(size=(240, 320), box=(60, 60, 160, 220), width=14, ink=40, paper=215):
    """Draw a crossed seven; sizes are (width, height) as Pillow counts."""
    left, top, right, bottom = box
    picture = Image.new("L", size, paper)
    pen = ImageDraw.Draw(picture)
    for line in SEVEN:
        points = [(left + x * (right - left), top + y * (bottom - top)) for x, y in line]
        pen.line(points, fill=ink, width=width, joint="curve")
    return np.array(picture)


def likeness(a, b):
    """Return the correlation of two images, the best over shifts by one pixel."""
    shifts = [(i, j) for i in (-1, 0, 1) for j in (-1, 0, 1)]
    return max(np.corrcoef(np.roll(a, s, (0, 1)).ravel(), b.ravel())[0, 1] for s in shifts)


@pytest.fixture(scope="module")
def reference():
    return prepare_digit(seven()).image


def as_file(folder, name, picture, **options):
    path = folder / name
    Image.fromarray(picture).save(path, **options)
    return path


# ------------------------------------------------------------------ one form for all pictures


def test_the_result_has_the_form_of_mnist(reference):
    result = prepare_digit(seven())
    assert list(result.steps) == STEPS
    for name, step in result.steps.items():
        assert step.dtype == np.float32, name
        assert step.min() >= 0 and step.max() <= 1 + 1e-6, name
    assert result.image.shape == (28, 28)
    assert result.image.max() == pytest.approx(1, abs=0.01)
    rows, columns = np.nonzero(result.image)
    assert 19 <= np.ptp(rows) + 1 <= 20
    mass = result.image.sum()
    assert abs((result.image.sum(axis=1) @ np.arange(28)) / mass - 14) <= 0.51
    assert abs((result.image.sum(axis=0) @ np.arange(28)) / mass - 14) <= 0.51
    assert not result.inverted
    top, left, bottom, right = result.box
    assert abs(top - 60) < 12 and abs(bottom - 216) < 12 and abs(left - 68) < 12
    assert abs(right - 155) < 12
    assert repr(result).startswith("Preparation(320 x 240 pixels, dark on light, digit in rows")


@pytest.mark.parametrize(
    "options",
    [
        {"ink": 220, "paper": 35},  # chalk
        {"width": 3},
        {"width": 24},
        {"ink": 150},  # pencil
        {"size": (1200, 1000), "box": (1000, 60, 1050, 140), "width": 6},  # tiny, in a corner
        {"size": (60, 80), "box": (15, 10, 40, 50), "width": 4},
        {"size": (106, 166), "box": (3, 3, 103, 163), "width": 14},  # cropped by hand
        {"size": (90, 154), "box": (-5, -3, 95, 158), "width": 20},  # cropped too closely
    ],
)
def test_pen_page_and_place_make_no_difference(reference, options):
    result = prepare_digit(seven(**options))
    assert likeness(result.image, reference) > 0.8
    assert result.inverted == (options.get("ink", 0) > 200)


def test_uneven_light_shadow_noise_specks_and_rules_make_no_difference(reference, rng):
    y, x = np.mgrid[0:1:320j, 0:1:240j]
    page = seven().astype(float)
    spots = page.copy()
    spots[20:26, 200:205] = 20
    spots[290:297, 30:35] = 20
    ruled = np.where((np.arange(320) % 40 < 2)[:, np.newaxis], page * 0.87, page)
    pages = [
        page * (1 - 0.6 * x * y),
        page * np.where(x + y > 1, 0.6, 1),  # the sharp edge of a shadow
        page + rng.normal(0, 12, page.shape),
        spots,
        ruled,
    ]
    for number, each in enumerate(pages):
        result = prepare_digit(np.clip(each, 0, 255).astype(np.uint8))
        assert likeness(result.image, reference) > 0.9, number


def test_a_table_beside_the_paper_is_not_the_digit(reference):
    page = seven()
    page[:, :18] = 30
    assert likeness(prepare_digit(page).image, reference) > 0.9


def test_mnist_like_images_stay_what_they_are():
    images, _ = load_digits().test
    for image in images[:360:40]:
        prepared = prepare_digit(image)
        assert prepared.inverted
        assert likeness(prepared.image, image[0]) > 0.8


def test_arrays_of_every_kind_mean_the_same(reference):
    page = seven()
    same = [
        page / 255,
        page.astype(np.float32)[np.newaxis] / 255,
        page[:, :, np.newaxis],
        np.stack([page] * 3, axis=2),
        page.astype(np.uint16) * 257,
        page.astype(np.int64),
        page > 128,
    ]
    for each in same:
        assert likeness(prepare_digit(each).image, reference) > 0.97
    before = page.copy()
    prepare_digit(page)
    np.testing.assert_array_equal(page, before)


def test_the_image_is_the_callers_own():
    result = prepare_digit(seven())
    result.image[:] = 0
    assert result.steps["centered"].max() > 0.9


# ------------------------------------------------------------------ the steps by themselves


def test_gray_finds_yellow_ink_and_keeps_the_look_of_other_colors():
    yellow = np.ones((40, 40, 3), np.float32)
    yellow[10:30, 18:22, 2] = 0
    assert to_gray(yellow)[20, 20] == 0
    blue = np.ones((40, 40, 3), np.float32)
    blue[10:30, 18:22] = (0.1, 0.1, 0.6)
    assert to_gray(blue)[20, 20] == pytest.approx(0.1 * 0.886 + 0.6 * 0.114, abs=1e-5)


@pytest.mark.parametrize(("ink", "paper"), [(0.1, 1), (0.9, 0)])
def test_transparent_places_become_paper(ink, paper):
    picture = np.zeros((40, 40, 4), np.float32)
    picture[10:30, 18:22] = (ink, ink, ink, 1)
    gray = to_gray(picture)
    assert gray[0, 0] == paper
    assert gray[20, 20] == pytest.approx(ink)


def test_transparent_corners_of_a_screenshot_take_the_papers_color():
    picture = np.full((40, 40, 4), 0.9, np.float32)
    picture[..., 3] = 1
    picture[:5, :5, 3] = 0
    assert to_gray(picture)[0, 0] == pytest.approx(0.9)


def test_inverting_is_a_matter_of_the_inks_side():
    page = seven() / np.float32(255)
    np.testing.assert_array_equal(dark_on_light(page)[0], page)
    inverted, was_light = dark_on_light(1 - page)
    assert was_light
    np.testing.assert_allclose(inverted, page, atol=1e-6)


def test_even_light_divides_by_the_light():
    y, x = np.mgrid[0:1:300j, 0:1:200j]
    reflects = np.ones((300, 200))
    reflects[100:200, 95:105] = 0.3
    flat = even_light((reflects * (0.9 - 0.5 * x - 0.2 * y)).astype(np.float32), 60)
    np.testing.assert_allclose(flat, reflects, atol=0.04)


def test_pieces_that_belong_to_the_digit():
    mask = np.zeros((100, 100), bool)
    mask[20:80, 40:44] = True  # the stroke
    mask[20:24, 48:70] = True  # the bar of a five, near
    mask[50:53, 50:53] = True  # a speck beside it
    mask[92:95, 75:95] = True  # another line, far away
    mask[:, 97:] = True  # the border of the paper
    expected = np.zeros_like(mask)
    expected[20:80, 40:44] = True
    expected[20:24, 48:70] = True
    np.testing.assert_array_equal(select_digit(mask, mask.astype(float)), expected)


def test_a_faint_shadow_is_not_taken_for_the_digit():
    """It is larger, and the digit's own soft edge reaches the border of the picture."""
    darkness = np.zeros((200, 200))
    darkness[:90] = 0.12  # a shadow in the upper half
    darkness[110:190, 80:95] = 0.85  # a one
    darkness[190:, 80:95] = 0.1
    digit = select_digit(darkness > 0.05, darkness)
    assert digit[110:190, 80:95].all() and not digit[:90].any()
    darkness[190:, 80:95] = 0.85  # now it is cut by the border, and a two stands beside it
    darkness[120:180, 150:170] = 0.8
    digit = select_digit(darkness > 0.05, darkness)
    assert digit[120:180, 150:170].all() and not digit[:, :100].any()


@pytest.mark.parametrize("number", [37, 211])
def test_shadows_and_soft_edges_are_no_reason_to_refuse(number):
    image, rng = load_digits().test.images[number], np.random.default_rng([99, number])
    page = synthetic_photograph(image, rng=rng, difficulty=1.6, size=200, ruled=number % 4 == 1)
    assert likeness(prepare_digit(page).image, image[0]) > 0.7


@pytest.mark.parametrize("width", [2, 5, 20])
def test_stroke_width_of_a_bar(width):
    mask = np.zeros((300, 100), bool)
    mask[20:280, 40 : 40 + width] = True
    assert stroke_width(mask) == pytest.approx(width, rel=0.1, abs=0.5)
    assert stroke_width(np.zeros((5, 5), bool)) == 0


@pytest.mark.parametrize(("width", "expected"), [(8, 22), (28, 28), (45, 36)])
def test_strokes_become_as_wide_as_mnists(width, expected):
    digit = np.zeros((200, 160), np.float32)
    digit[:, 40 : 40 + width] = 1
    adjusted = adjust_strokes(digit)
    assert adjusted.shape[0] % 10 == adjusted.shape[1] % 10 == 0
    across = (adjusted[adjusted.shape[0] // 2] > 0.5).sum()
    assert across == pytest.approx(expected, abs=3)


def test_widening_closes_no_loop_and_thinning_breaks_no_stroke():
    ring = np.ones((200, 30), np.float32)
    ring[90:110, 9:21] = 0  # a hole that widening by 7 on each side would fill
    ring[:, :2] = ring[:, -2:] = 0
    assert (adjust_strokes(ring, (5.0, 6.0)) == 0).sum() > 50
    bone = np.zeros((200, 120), np.float32)
    bone[:70] = bone[130:] = 1
    bone[:, 55:65] = 1
    middle = adjust_strokes(bone)
    assert middle[middle.shape[0] // 2].any()


def test_hairlines_are_widened_before_they_are_shrunk():
    line = np.zeros((1000, 500), np.float32)
    line[:, 250] = 1
    wide = widen_thin_strokes(line)
    assert (wide[500] > 0.5).sum() >= 40
    thick = np.ones((50, 20), np.float32)
    assert widen_thin_strokes(thick) is thick


# ------------------------------------------------------------------ files


def test_files_of_many_formats(tmp_path, reference):
    page = seven()
    for name in ("a.png", "a.jpg", "a.bmp", "a.gif", "a.tif", "a.pgm", "a.webp"):
        result = prepare_digit(as_file(tmp_path, name, page))
        assert likeness(result.image, reference) > 0.97, name
        assert result.path == tmp_path / name
    for mode in ("1", "P", "CMYK", "RGB", "RGBA", "LA", "I;16"):
        picture = Image.fromarray(page)
        if mode == "I;16":
            picture = Image.fromarray(page.astype(np.uint16) * 257)
        else:
            picture = picture.convert(mode, dither=Image.Dither.NONE)
        path = tmp_path / f"mode.{'tif' if mode == 'CMYK' else 'png'}"
        picture.save(path)
        assert likeness(prepare_digit(str(path)).image, reference) > 0.9, mode


@pytest.mark.parametrize("top", [255, 4095, 65535, 10**6])
def test_pixels_of_many_bits(tmp_path, reference, top):
    """A file of whole numbers may use only some of them."""
    numbers = (seven() / 255 * top).astype(np.int32)
    Image.fromarray(numbers).save(tmp_path / "7.tif")
    assert likeness(prepare_digit(tmp_path / "7.tif").image, reference) > 0.97


def test_a_transparent_png_with_nothing_but_ink(tmp_path, reference):
    page = seven()
    pixels = np.zeros((*page.shape, 4), np.uint8)
    pixels[..., 3] = np.where(page < 128, 255, 0)
    assert likeness(prepare_digit(as_file(tmp_path, "7.png", pixels)).image, reference) > 0.97


@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_camera_may_be_held_in_any_way(tmp_path, orientation, reference):
    exif = Image.Exif()
    exif[0x0112] = orientation
    # Store it the way this camera would, so that turning it upright restores it.
    back = {6: 8, 8: 6}.get(orientation, orientation)
    stored = upright(seven(), back)
    path = as_file(tmp_path, "7.jpg", stored, exif=exif, quality=95)
    with Image.open(path) as picture:
        expected = np.asarray(ImageOps.exif_transpose(picture))
    result = prepare_digit(path)
    np.testing.assert_allclose(result.steps["upright"] * 255, expected, atol=0.01)
    assert likeness(result.image, reference) > 0.95


def test_large_photographs_are_shrunk_and_odd_sizes_kept_whole(tmp_path):
    pixels, _ = read_picture(as_file(tmp_path, "large.jpg", seven((3001, 2203))))
    assert LONGEST_SIDE / 2 < max(pixels.shape) <= LONGEST_SIDE
    path = as_file(tmp_path, "large.png", seven((4001, 3003), (400, 600, 2400, 3400), 200))
    pixels, _ = read_picture(path)
    assert LONGEST_SIDE / 2 < max(pixels.shape) <= LONGEST_SIDE
    small = as_picture(seven((3001, 2203), (400, 400, 1400, 1900), 100))
    assert small.shape == (math.ceil(2203 / 3), math.ceil(3001 / 3))
    assert small[10, 10] == pytest.approx(215 / 255)


# ------------------------------------------------------------------ what is no digit


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.zeros((1, 1)), "large enough for a digit, got 1 x 1 pixels"),
        (np.zeros((2, 500)), "large enough for a digit, got 2 x 500 pixels"),
        (np.zeros(28), r"shape \(H, W\), .* got float64 of shape \(28,\)"),
        (np.zeros((5, 28, 28)), r"got float64 of shape \(5, 28, 28\)"),
        (np.zeros((0, 28)), "got 0 x 28 pixels"),
        (np.full((28, 28), np.nan), "finite pixels, got NaN or infinity"),
        (seven().astype(float), "float64 pixels from 0 to 1, got 40 to 215"),
        (None, "got object of shape"),
        ([[1, 2], [3]], "lists of unequal lengths"),
        (np.full((28, 28), "x"), "got <U1 of shape"),
        (np.zeros((100, 80)), "no ink that stands out"),
        (np.ones((100, 80, 4)), "no ink that stands out"),
        (np.zeros((100, 80, 4)), "no ink that stands out"),
    ],
)
def test_arrays_without_a_digit(array, message):
    with pytest.raises(HandwritingError, match=message) as caught:
        prepare_digit(array)
    assert isinstance(caught.value, DataError) and isinstance(caught.value, ValueError)
    assert "\n" not in str(caught.value)


def test_pages_without_a_digit(rng):
    y, x = np.mgrid[0:1:300j, 0:1:200j]
    blank = 0.8 - 0.3 * x * y
    grainy = blank + rng.normal(0, 0.05, blank.shape)
    half, corner = np.where(x > 0.5, 0.5, 0.8), np.where((x > 0.7) & (y > 0.7), 0.5, 0.8)
    for page in (blank, grainy, half, corner):
        with pytest.raises(HandwritingError, match="no ink that stands out"):
            prepare_digit(np.clip(page, 0, 1))
    blank[100:103, 50:53] = 0.1
    with pytest.raises(HandwritingError, match="only a speck of"):
        prepare_digit(blank)


def broken_files(folder):
    """Write files that cannot be read, and return what is to be said of each."""
    good = as_file(folder, "good.png", seven())
    content = good.read_bytes()
    file = io.BytesIO()
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (90, 70), np.uint8)).save(
        file, "JPEG"
    )
    files = {
        "text.png": (b"hello", "not an image that can be read"),
        "empty.png": (b"", "is an empty file"),
        "cut.png": (content[: len(content) // 2], "cut short|damaged"),
        "cut.jpg": (file.getvalue()[: len(file.getvalue()) // 2], "cut short"),
        "damaged.png": (content[:60] + b"\x00" * 40 + content[100:], "damaged"),
        "phone.heic": (b"\x00\x00\x00\x18ftypheic", "HEIC format, which cannot be read"),
        "program.eps": (b"%!PS-Adobe-3.0 EPSF-3.0\n", "not an image that can be read"),
    }
    good.unlink()
    for name, (data, _) in files.items():
        (folder / name).write_bytes(data)
    return {name: message for name, (_, message) in files.items()}


def test_files_that_cannot_be_read(tmp_path):
    for name, message in broken_files(tmp_path).items():
        with pytest.raises(HandwritingError, match=message) as caught:
            prepare_digit(tmp_path / name)
        assert name in str(caught.value) and "\n" not in str(caught.value)
    with pytest.raises(HandwritingError, match="found no file; check the path"):
        prepare_digit(tmp_path / "nothing.png")
    with pytest.raises(HandwritingError, match="got the folder .*; use read_folder"):
        prepare_digit(tmp_path)
    path = as_file(tmp_path, "pixel.png", np.zeros((1, 1), np.uint8))
    with pytest.raises(HandwritingError, match=r"pixel\.png: expected .* got 1 x 1 pixels"):
        prepare_digit(path)
    path = as_file(tmp_path, "blank.png", np.full((90, 90), 200, np.uint8))
    with pytest.raises(HandwritingError, match=r"blank\.png: expected a digit, found no ink"):
        prepare_digit(path)


def test_a_changed_byte_in_a_png_file_is_noticed(tmp_path):
    """Pillow decodes it to some other picture."""
    path = as_file(tmp_path, "7.png", seven(), compress_level=0)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0xFF
    path.write_bytes(content)
    with pytest.raises(HandwritingError, match=r"7\.png is a damaged image and cannot be read"):
        prepare_digit(path)


@pytest.mark.parametrize(
    "limit", [5000, 2000]
)  # of 6,400 pixels: Pillow warns of those, and refuses these
def test_a_decompression_bomb(tmp_path, monkeypatch, limit):
    path = as_file(tmp_path, "bomb.png", seven((80, 80)))
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", limit)
    with pytest.raises(HandwritingError, match="more pixels than a photograph has"):
        prepare_digit(path)


# ------------------------------------------------------------------ folders and labels


def test_a_folder_is_read_to_its_end(tmp_path):
    messages = broken_files(tmp_path)
    as_file(tmp_path, "7.png", seven())
    (tmp_path / "3").mkdir()
    as_file(tmp_path / "3", "scan.JPG", seven())
    (tmp_path / ".hidden.png").write_bytes(b"")
    (tmp_path / "notes.txt").write_text("no image by name")
    results = {path.relative_to(tmp_path).as_posix(): r for path, r in read_folder(tmp_path)}
    messages.pop("program.eps")
    assert list(results) == sorted([*messages, "7.png", "3/scan.JPG"])
    assert all(isinstance(results[name], HandwritingError) for name in messages)
    assert results["7.png"].image.shape == results["3/scan.JPG"].image.shape == (28, 28)


def test_folders_without_images(tmp_path):
    (tmp_path / "notes.txt").write_text("")
    with pytest.raises(HandwritingError, match="expected images in .*, found none"):
        read_folder(tmp_path)
    with pytest.raises(HandwritingError, match="a folder at .*, found a file"):
        read_folder(tmp_path / "notes.txt")
    with pytest.raises(HandwritingError, match="a folder at .*, found nothing"):
        read_folder(tmp_path / "missing")


@pytest.mark.parametrize(
    ("path", "label"),
    [
        ("7.jpeg", 7),
        ("7_b.png", 7),
        ("0-2.png", 0),
        ("7 (2).jpg", 7),
        ("my/photos/9.b.png", 9),
        ("digits/3/scan.png", 3),
        ("digits/3/IMG_0007.png", 3),
        ("3/3_a.png", 3),
    ],
)
def test_labels(path, label):
    assert label_of(path) == label


@pytest.mark.parametrize("path", ["IMG_7.png", "72.png", "7b.png", "x.png", "12/x.png", "٣.png"])
def test_names_without_a_label(path):
    with pytest.raises(ValueError, match="expected a label in the name of"):
        label_of(path)


def test_contradicting_labels():
    with pytest.raises(ValueError, match="its name says 1 and its folder 7"):
        label_of("7/1.png")


# ------------------------------------------------------------------ synthetic photographs


@pytest.mark.parametrize(
    "options", [{"difficulty": 0}, {}, {"light_on_dark": True}, {"ruled": True}, {"difficulty": 2}]
)
def test_synthetic_photographs_are_prepared_like_their_digits(options):
    images, labels = load_digits().test
    chosen = [int(np.flatnonzero(labels == digit)[3]) for digit in (0, 2, 3, 5, 7)]
    scores = []
    for number in chosen:
        rng = np.random.default_rng(number)
        photograph = synthetic_photograph(images[number], rng=rng, size=200, **options)
        assert photograph.shape[0] == 200 and photograph.shape[2] == 3
        assert photograph.dtype == np.uint8
        result = prepare_digit(photograph)
        assert result.inverted == options.get("light_on_dark", False)
        scores.append(likeness(result.image, prepare_digit(images[number]).image))
    assert np.median(scores) > 0.85
    assert min(scores) > 0.6


def test_synthetic_photographs_repeat_and_differ():
    image = load_digits().test.images[0]
    first, again = (synthetic_photograph(image, rng=np.random.default_rng(1)) for _ in range(2))
    np.testing.assert_array_equal(first, again)
    other = synthetic_photograph(image, rng=np.random.default_rng(2))
    assert first.shape != other.shape or (first != other).any()


def test_difficulty_makes_photographs_worse():
    image = load_digits().test.images[0]
    clean, bad = (
        synthetic_photograph(image, rng=np.random.default_rng(3), difficulty=d) / 255
        for d in (0, 2)
    )
    assert np.abs(np.diff(bad[:20], axis=0)).mean() > 2 * np.abs(np.diff(clean[:20], axis=0)).mean()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"rng": 3}, "a random generator, got 3"),
        ({"difficulty": -1}, "difficulty from 0 to 3, got -1"),
        ({"difficulty": np.nan}, "difficulty from 0 to 3, got nan"),
        ({"size": 10}, "size from 64 to 4000 pixels, got 10"),
        ({"image": np.zeros((28, 28))}, "gray image of a digit, ink 1 on 0"),
        ({"image": np.ones((28, 28, 3))}, "gray image of a digit, ink 1 on 0"),
    ],
)
def test_photographs_that_cannot_be_taken(options, message):
    given = {"image": np.eye(28), "rng": np.random.default_rng(0)} | options
    with pytest.raises(ValueError, match=message):
        synthetic_photograph(given.pop("image"), **given)
