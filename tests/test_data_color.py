"""Color images: patches of the photographs, and CIFAR-10 from files made in its format."""

import io
import tarfile

import numpy as np
import pytest

from cnnedu.data import (
    CIFAR10_CLASSES,
    PATCH_REGIONS,
    DataError,
    Dataset,
    Part,
    load_cifar10,
    load_photograph,
    photograph_patches,
)
from cnnedu.data import cifar10 as module

# --- patches of photographs ------------------------------------------------------------------


def region_of(data, part, name):
    return getattr(data, part)[getattr(data, part).labels == data.class_names.index(name)]


def test_patches_are_pieces_of_the_photographs():
    data = photograph_patches(16)
    assert data.train.images.shape == (1369, 3, 16, 16)
    assert data.test.images.shape == (368, 3, 16, 16)
    assert data.class_names == ("sky", "temple", "trees", "petals", "leaves")
    assert np.bincount(data.train.labels).tolist() == [323, 243, 299, 207, 297]
    assert np.bincount(data.test.labels).tolist() == [90, 70, 64, 60, 84]
    flower = load_photograph("flower", color=True)
    petals = region_of(data, "test", "petals").images
    # The region begins at row 128, column 320, and is five patches wide.
    expected = flower[128 + 16 : 144 + 16, 320 + 32 : 336 + 32].transpose(2, 0, 1)
    np.testing.assert_array_equal(petals[5 + 2], expected)
    overlapping = region_of(data, "train", "petals").images
    np.testing.assert_array_equal(overlapping[0, :, :, 8:], overlapping[1, :, :, :8])


def test_no_pixel_is_near_the_other_side():
    sizes = {"china": (427, 640), "flower": (427, 640)}
    for name, regions in PATCH_REGIONS.items():
        height, width = sizes[regions.photograph]
        for top, bottom, left, right in (regions.train, regions.test):
            assert 0 <= top < bottom <= height and 0 <= left < right <= width, name
    everything = [
        (regions.photograph, role, getattr(regions, role))
        for regions in PATCH_REGIONS.values()
        for role in ("train", "test")
    ]
    for photograph, role, (top, bottom, left, right) in everything:
        for other_photograph, other_role, box in everything:
            if photograph == other_photograph and role != other_role:
                down = max(box[0] - bottom, top - box[1])
                across = max(box[2] - right, left - box[3])
                assert max(down, across) >= 16


def test_train_and_test_share_no_patch():
    data = photograph_patches(8)
    train = {image.tobytes() for image in data.train.images if image.std() > 0.01}
    assert not any(image.tobytes() in train for image in data.test.images)


def test_regions_can_be_swapped():
    data, swapped = photograph_patches(16, 16), photograph_patches(16, 16, swap_regions=True)
    np.testing.assert_array_equal(data.train.images, swapped.test.images)
    np.testing.assert_array_equal(data.test.images, swapped.train.images)
    np.testing.assert_array_equal(data.train.labels, swapped.test.labels)
    assert "left" in data.description.split("to test")[0]
    assert "right" in swapped.description.split("to test")[0]


@pytest.mark.parametrize(("size", "step"), [(1, None), (5, 3), (64, None), (64, 1000), (12, 12)])
def test_sizes_and_steps(size, step):
    data = photograph_patches(size, step)
    assert data.train.images.shape[1:] == (3, size, size)
    assert set(data.train.labels) == set(data.test.labels) == {0, 1, 2, 3, 4}


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ((0,), ValueError, "size must be at least 1, got 0"),
        ((65,), ValueError, "size must be at most 64, got 65"),
        ((16, 0), ValueError, "step must be at least 1, got 0"),
        ((8.0,), TypeError, "size must be a whole number, got 8.0"),
    ],
)
def test_patches_that_make_no_sense(arguments, error, message):
    with pytest.raises(error, match=message):
        photograph_patches(*arguments)


def test_class_names_must_cover_the_labels():
    part = Part(np.zeros((3, 1, 2, 2), np.float32), np.array([0, 1, 2]))
    assert Dataset("named", part, part, class_names=("a", "b", "c")).class_names[2] == "c"
    with pytest.raises(ValueError, match="got 2 class_names and the label 2"):
        Dataset("named", part, part, class_names=("a", "b"))


# --- CIFAR-10 ---------------------------------------------------------------------------------


def make_records(rng, count):
    """Return random records as (bytes, labels, pixels (N, 3, 32, 32))."""
    labels = rng.integers(0, 10, count).astype(np.uint8)
    pixels = rng.integers(0, 256, (count, 3, 32, 32)).astype(np.uint8)
    records = np.concatenate([labels[:, None], pixels.reshape(count, -1)], axis=1)
    return records.tobytes(), labels, pixels


@pytest.fixture
def files(rng):
    """Return the six files as name -> (bytes, labels, pixels), of 3 to 8 records."""
    names = (*module.TRAIN_FILES, module.TEST_FILE)
    return {name: make_records(rng, 3 + index) for index, name in enumerate(names)}


def write(folder, files):
    folder.mkdir(parents=True, exist_ok=True)
    for name, (content, *_) in files.items():
        (folder / name).write_bytes(content)
    return folder


def write_archive(path, files, mode="w:gz"):
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, mode) as archive:
        for name, (content, *_) in [*files.items(), ("readme.html", (b"<html>",))]:
            member = tarfile.TarInfo(f"cifar-10-batches-bin/{name}")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return path


def check(data, files):
    train = [files[name] for name in module.TRAIN_FILES]
    np.testing.assert_array_equal(data.train.labels, np.concatenate([t[1] for t in train]))
    pixels = np.concatenate([t[2] for t in train])
    np.testing.assert_allclose(data.train.images, pixels / 255, atol=1e-7)
    np.testing.assert_array_equal(data.test.labels, files[module.TEST_FILE][1])
    np.testing.assert_allclose(data.test.images, files[module.TEST_FILE][2] / 255, atol=1e-7)
    assert data.train.images.dtype == np.float32
    assert data.train.labels.dtype == np.int64
    assert data.class_names == CIFAR10_CLASSES
    assert data.description.startswith("25 images to train and 8 to test")


@pytest.mark.parametrize("inner", ["", "cifar-10-batches-bin"])
def test_unpacked_files(tmp_path, files, inner):
    write(tmp_path / inner, files)
    check(load_cifar10(tmp_path), files)
    check(load_cifar10(str(tmp_path)), files)


@pytest.mark.parametrize("mode", ["w:gz", "w"])
def test_the_archive_as_it_is(tmp_path, files, mode):
    path = write_archive(tmp_path / "cifar-10-binary.tar.gz", files, mode)
    check(load_cifar10(path), files)
    check(load_cifar10(tmp_path), files)
    assert [each.name for each in tmp_path.iterdir()] == [path.name]  # nothing was unpacked


def test_the_folder_of_the_environment(tmp_path, monkeypatch, files):
    monkeypatch.setenv("CNNEDU_DATA", str(tmp_path))
    with pytest.raises(DataError, match="cifar10, which does not exist; download the binary ver"):
        load_cifar10()
    write(tmp_path / "cifar10", files)
    check(load_cifar10(), files)


def test_without_a_folder_it_says_where_to_get_it(monkeypatch):
    monkeypatch.delenv("CNNEDU_DATA", raising=False)
    with pytest.raises(DataError) as caught:
        load_cifar10()
    text = str(caught.value)
    assert text.startswith("CIFAR-10 is not downloaded for you: ")
    assert "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz" in text
    assert "\n" not in text


def test_missing_files_are_named(tmp_path, files):
    write(tmp_path, files)
    (tmp_path / "data_batch_3.bin").unlink()
    (tmp_path / "test_batch.bin").unlink()
    with pytest.raises(DataError, match=r"lacks data_batch_3\.bin, test_batch\.bin; download"):
        load_cifar10(tmp_path)
    del files["data_batch_2.bin"]
    path = write_archive(tmp_path / "some.tar.gz", files)
    with pytest.raises(DataError, match=r"some\.tar\.gz lacks data_batch_2\.bin"):
        load_cifar10(path)


@pytest.mark.parametrize(
    ("name", "remark"), [("data_batch_1", "the Python version"), ("train.bin", "CIFAR-100")]
)
def test_the_files_of_other_versions_are_recognized(tmp_path, name, remark):
    (tmp_path / name).write_bytes(b"\x80\x02")
    with pytest.raises(DataError, match=f"these are the files of {remark}"):
        load_cifar10(tmp_path)


@pytest.mark.parametrize("change", [lambda b: b[:-1], lambda b: b + b"\0", lambda b: b""])
@pytest.mark.parametrize("packed", [False, True])
def test_a_size_that_cannot_be(tmp_path, files, change, packed):
    content, *rest = files["data_batch_4.bin"]
    files["data_batch_4.bin"] = (change(content), *rest)
    place = write_archive(tmp_path / "cifar.tar.gz", files) if packed else write(tmp_path, files)
    with pytest.raises(DataError, match=r"data_batch_4\.bin has [\d,]+ bytes, expected records"):
        load_cifar10(place)


def test_a_file_that_is_far_too_large_is_not_read(tmp_path, files):
    write(tmp_path, files)
    with open(tmp_path / "data_batch_1.bin", "wb") as file:
        file.truncate(3073 * 10_001)
    with pytest.raises(DataError, match="at most 10,000 of them"):
        load_cifar10(tmp_path)


def test_a_label_that_cannot_be(tmp_path, files):
    content, *rest = files["data_batch_2.bin"]
    broken = bytearray(content)
    broken[2 * 3073] = 10
    files["data_batch_2.bin"] = (bytes(broken), *rest)
    write(tmp_path, files)
    with pytest.raises(DataError, match=r"data_batch_2\.bin: record 2 begins with 10, expected"):
        load_cifar10(tmp_path)


def test_a_damaged_archive(tmp_path, files):
    path = write_archive(tmp_path / "cifar-10-binary.tar.gz", files)
    whole = path.read_bytes()
    for content in (whole[: len(whole) // 2], b"<html>not found</html>", b""):
        path.write_bytes(content)
        with pytest.raises(DataError, match="is damaged, cut short or no archive"):
            load_cifar10(tmp_path)


def test_unpacked_files_are_taken_before_the_archive(tmp_path, files):
    write_archive(tmp_path / "cifar-10-binary.tar.gz", {})
    write(tmp_path, files)
    check(load_cifar10(tmp_path), files)


def test_names_that_lead_elsewhere_are_not_followed(tmp_path, files):
    """A link inside an archive is no file, whatever it is called."""
    path = tmp_path / "linked.tar"
    with tarfile.open(path, "w") as archive:
        member = tarfile.TarInfo("cifar-10-batches-bin/test_batch.bin")
        member.type, member.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(member)
    with pytest.raises(DataError, match="lacks data_batch_1"):
        load_cifar10(path)
