"""MNIST comes whole and verified, or with an error that says what to do; never half-written.

A small set of files with its own checksums stands in for MNIST, served by a server on this computer
that misbehaves as the first part of the address says. The last tests read the real files where the
computer has them.
"""

import gzip
import hashlib
import http.server
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from sklearn.model_selection import train_test_split

from cnnedu.data import DataError, load_mnist
from cnnedu.data.download import PublishedFile, Source
from cnnedu.data.mnist import MNIST, _load, openml_order

rng = np.random.default_rng(2)
ARRAYS = {
    "train-images-idx3-ubyte": rng.integers(0, 256, (40, 28, 28), np.uint8),
    "train-labels-idx1-ubyte": rng.integers(0, 10, 40, np.uint8),
    "t10k-images-idx3-ubyte": rng.integers(0, 256, (10, 28, 28), np.uint8),
    "t10k-labels-idx1-ubyte": rng.integers(0, 10, 10, np.uint8),
}
PLAIN = {
    name: bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">u4").tobytes() + array.tobytes()
    for name, array in ARRAYS.items()
}
PACKED = {name: gzip.compress(content) for name, content in PLAIN.items()}
FILES = tuple(
    PublishedFile(name, ARRAYS[name].shape, hashlib.sha256(content).hexdigest())
    for name, content in PLAIN.items()
)
IMAGES = FILES[0].name
WEB_PAGE = b"<!DOCTYPE html><html><body>Please log in to the network</body></html>"


class Server(http.server.ThreadingHTTPServer):
    """Serves the small files; what it does wrong stands first in the address."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.requests = []
        self.half_sent = threading.Event()
        self.go_on = threading.Event()

    def mirror(self, behavior):
        return f"http://127.0.0.1:{self.server_port}/{behavior}"

    def handle_error(self, request, client_address):
        """Clients that hang up are part of the tests."""


class Handler(http.server.BaseHTTPRequestHandler):
    def log_message(self, *_):
        """Keep the tests' output clean."""

    def do_GET(self):
        _, behavior, name = self.path.split("/")
        self.server.requests.append((behavior, name))
        name = name.removesuffix(".gz")
        getattr(self, f"send_{behavior}")(name, PACKED[name])

    def send(self, content, length=None, headers=(), status=200):
        self.send_response(status)
        self.send_header("Content-Length", str(len(content) if length is None else length))
        for key, value in headers:
            self.send_header(key, value)
        self.end_headers()
        self.wfile.write(content)

    def send_good(self, name, content):
        self.send(content)

    def send_without_length(self, name, content):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(content)

    def send_encoded(self, name, content):
        self.send(content, headers=[("Content-Encoding", "gzip")])

    def send_truncated(self, name, content):
        self.send(content[:-20])

    def send_truncated_with_full_length(self, name, content):
        self.send(content[:-20], length=len(content))
        self.close_connection = True

    def send_cut_without_length(self, name, content):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(content[: len(content) // 2])

    def send_tampered(self, name, content):
        changed = bytearray(PLAIN[name])
        changed[-1] ^= 1
        self.send(gzip.compress(bytes(changed)))

    def send_damaged(self, name, content):
        self.send(content[:40] + b"\0" * 40 + content[80:])

    def send_other_magic(self, name, content):
        self.send(gzip.compress(b"\0\0\x0d" + PLAIN[name][3:]))

    def send_short_inside(self, name, content):
        self.send(gzip.compress(PLAIN[name][:-5]))

    def send_long_inside(self, name, content):
        self.send(gzip.compress(PLAIN[name] + bytes(10**7)))

    def send_too_much(self, name, content):
        self.send(content + bytes(2**20 + 10**5))

    def send_empty(self, name, content):
        self.send(b"")

    def send_page(self, name, content):
        self.send(WEB_PAGE, headers=[("Content-Type", "text/html")])

    def send_missing(self, name, content):
        self.send(b"no", status=404)

    def send_broken(self, name, content):
        self.send(b"no", status=500)

    def send_redirect(self, name, content):
        self.send(b"", status=302, headers=[("Location", f"/good/{name}.gz")])

    def send_circle(self, name, content):
        self.send(b"", status=302, headers=[("Location", self.path)])

    def send_silence(self, name, content):
        self.server.go_on.wait(20)

    def send_silence_halfway(self, name, content):
        self.send(content[: len(content) // 2], length=len(content))
        self.wfile.flush()
        self.server.half_sent.set()
        self.server.go_on.wait(20)

    def send_slow(self, name, content):
        self.send_in_pieces(content, pause=0.01)

    def send_dripping(self, name, content):
        self.send_in_pieces(content, pause=0.2)

    def send_in_pieces(self, content, pause):
        self.send(b"", length=len(content))
        for start in range(0, len(content), 2048):
            self.wfile.write(content[start : start + 2048])
            time.sleep(pause)


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch):
    """No data folder of the user's, and no proxy between the test and its own server."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("no_proxy", "127.0.0.1")


@pytest.fixture
def no_data_folder(monkeypatch):
    monkeypatch.delenv("CNNEDU_DATA", raising=False)


@pytest.fixture
def server():
    server = Server()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.go_on.set()
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def cache(tmp_path):
    return tmp_path / "cache" / "mnist"


def source(*mirrors, timeout=5.0, time_limit=60.0):
    return Source("Small MNIST", "mnist", FILES, mirrors, timeout, time_limit)


def load(a_source, cache, split="standard", progress=False):
    return _load(a_source, split, progress=progress, cache=cache)


def check_whole(data):
    for part, images, labels in (
        (data.train, "train-images-idx3-ubyte", "train-labels-idx1-ubyte"),
        (data.test, "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"),
    ):
        expected = ARRAYS[images][:, np.newaxis].astype(np.float32) / np.float32(255)
        np.testing.assert_array_equal(part.images, expected)
        np.testing.assert_array_equal(part.labels, ARRAYS[labels])
        assert part.images.dtype == np.float32
        assert part.labels.dtype == np.int64


def names_in(folder):
    """Every file below `folder`, hidden ones too."""
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


WHOLE_CACHE = sorted(name + ".gz" for name in PLAIN)


def write_files(folder, contents, ending=""):
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in contents.items():
        (folder / (name + ending)).write_bytes(content)


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


# Downloads that succeed


@pytest.mark.usefixtures("no_data_folder")
@pytest.mark.parametrize("behavior", ["good", "without_length", "redirect", "slow"])
def test_a_download_is_kept_and_used_again(server, cache, behavior):
    a_source = source(server.mirror(behavior))
    check_whole(load(a_source, cache))
    assert names_in(cache) == WHOLE_CACHE
    asked = len(server.requests)
    check_whole(load(a_source, cache))
    assert len(server.requests) == asked


@pytest.mark.usefixtures("no_data_folder")
def test_a_server_that_decompresses_on_the_way_is_fine(server, cache):
    check_whole(load(source(server.mirror("encoded")), cache))
    assert names_in(cache) == sorted(PLAIN)
    check_whole(load(source(), cache))


@pytest.mark.usefixtures("no_data_folder")
def test_progress_is_shown_unless_switched_off(server, tmp_path, capfd):
    load(source(server.mirror("good")), tmp_path / "quiet", progress=False)
    assert capfd.readouterr().err == ""
    load(source(server.mirror("missing"), server.mirror("good")), tmp_path / "a", progress=True)
    shown = capfd.readouterr().err
    assert all(name in shown for name in PLAIN)
    assert "100%" in shown
    assert "0.00B" not in shown


# Mirrors that fail

FAILURES = {
    "truncated": "it is a gzip file that is cut short or damaged",
    "truncated_with_full_length": "it sent a file that is cut short",
    "cut_without_length": "it is a gzip file that is cut short or damaged",
    "tampered": r"its contents were changed: the SHA-256 of the decompressed bytes is \w{12}\.\.\.",
    "damaged": "it is a gzip file that is cut short or damaged",
    "other_magic": "it opens with the bytes 00 00 0d 03 instead of 00 00 08 03",
    "short_inside": "it is cut short: 31,371 bytes decompressed, 31,376 expected",
    "long_inside": "it is too long: 31,377 bytes decompressed, 31,376 expected",
    "too_much": r"it sent more than the 1,079,952 bytes the file can have",
    "empty": "it is empty",
    "page": "it is a web page, not the data",
    "missing": "it answered 404 Not Found",
    "broken": "it answered 500 Internal Server Error",
    "circle": "TooManyRedirects: Exceeded 30 redirects",
    "silence": "it kept silent for 1 s",
    "silence_halfway": "it kept silent for 1 s",
    "dripping": r"it was not done after 0\.5 s",
}


def limits(behavior):
    """Short waits where waiting is what is tested, and long ones for a busy computer elsewhere."""
    return {
        "timeout": 1.0 if behavior.startswith("silence") else 20.0,
        "time_limit": 0.5 if behavior == "dripping" else 60.0,
    }


@pytest.mark.usefixtures("no_data_folder")
@pytest.mark.parametrize(("behavior", "reason"), FAILURES.items(), ids=FAILURES)
def test_a_bad_mirror_alone_is_an_error_and_leaves_nothing(server, cache, behavior, reason):
    with pytest.raises(DataError) as caught:
        load(source(server.mirror(behavior), **limits(behavior)), cache)
    message = str(caught.value)
    assert re.search(f"- http://127.0.0.1:[0-9]+/{behavior}: {reason}", message)
    assert "Small MNIST is not on this computer and could not be downloaded" in message
    assert f"cache: not in {cache}" in message
    assert f"{IMAGES}.gz, train-labels-idx1-ubyte.gz, t10k-images-idx3-ubyte.gz" in message
    assert f"and put them into {cache};" in message
    assert "load_digits(), which needs no network" in message
    assert names_in(cache.parent.parent) == []


@pytest.mark.usefixtures("no_data_folder")
@pytest.mark.parametrize("behavior", [name for name in FAILURES if name != "dripping"])
def test_the_next_mirror_is_tried(server, cache, behavior):
    mirrors = server.mirror(behavior), server.mirror("good")
    check_whole(load(source(*mirrors, **limits(behavior)), cache))
    assert names_in(cache) == WHOLE_CACHE
    bad = {name for asked, name in server.requests if asked == behavior}
    assert len(bad) == 1  # a mirror that failed is not asked first again


@pytest.mark.usefixtures("no_data_folder")
def test_offline(cache):
    mirrors = [f"http://127.0.0.1:{free_port()}/{name}" for name in "ab"]
    with pytest.raises(DataError, match=r"(?s)/a: it cannot be reached.*/b: it cannot be reached"):
        load(source(*mirrors), cache)
    assert not cache.exists()


@pytest.mark.usefixtures("no_data_folder")
def test_files_that_came_before_the_failure_are_kept_for_the_next_time(server, cache):
    write_files(cache, {name: PACKED[name] for name in list(PACKED)[:3]}, ".gz")
    with pytest.raises(DataError, match="t10k-labels-idx1-ubyte was looked for here"):
        load(source(server.mirror("missing")), cache)
    assert len(names_in(cache)) == 3
    check_whole(load(source(server.mirror("good")), cache))
    assert [name for asked, name in server.requests if asked == "good"] == [
        "t10k-labels-idx1-ubyte.gz"
    ]


# A cache with something wrong in it

BAD_CONTENTS = {
    "cut": (PACKED[IMAGES][:-30], "it is a gzip file that is cut short or damaged"),
    "page": (WEB_PAGE, "it is a web page, not the data"),
    "empty": (b"", "it is empty"),
    "other": (PACKED["t10k-images-idx3-ubyte"], "it is cut short: 7,856 bytes decompressed"),
    "labels": (PLAIN["train-labels-idx1-ubyte"], "opens with the bytes 00 00 08 01 instead of"),
}


@pytest.mark.usefixtures("no_data_folder")
@pytest.mark.parametrize(("content", "reason"), BAD_CONTENTS.values(), ids=BAD_CONTENTS)
@pytest.mark.parametrize("ending", ["", ".gz"])
def test_a_bad_file_in_the_cache_is_replaced(server, cache, content, reason, ending):
    write_files(cache, PACKED, ".gz")
    (cache / f"{IMAGES}.gz").unlink()
    (cache / (IMAGES + ending)).write_bytes(content)
    with pytest.raises(DataError) as caught:
        load(source(server.mirror("missing")), cache)
    assert re.search(f"cache: .*{IMAGES}{ending} is no good: .*{reason}", str(caught.value))
    check_whole(load(source(server.mirror("good")), cache))
    assert names_in(cache) == WHOLE_CACHE
    assert (cache / f"{IMAGES}.gz").read_bytes() == PACKED[IMAGES]


@pytest.mark.usefixtures("no_data_folder")
def test_a_good_copy_beside_a_bad_one_is_found(cache):
    write_files(cache, PACKED, ".gz")
    (cache / IMAGES).write_bytes(WEB_PAGE)
    check_whole(load(source(), cache))


@pytest.mark.usefixtures("no_data_folder")
def test_what_a_killed_process_left_is_ignored_and_swept_when_old(cache):
    write_files(cache, PACKED, ".gz")
    old, new = cache / f".{IMAGES}.gz.aaaa.part", cache / f".{IMAGES}.gz.bbbb.part"
    for path in (old, new):
        path.write_bytes(PACKED[IMAGES][:100])
    os.utime(old, (time.time() - 7200,) * 2)
    check_whole(load(source(), cache))
    assert names_in(cache) == sorted([new.name, *WHOLE_CACHE])


@pytest.mark.usefixtures("no_data_folder")
def test_a_cache_that_cannot_be_written_is_a_warning(server, tmp_path):
    (tmp_path / "cache").write_text("a file where a folder should be")
    with pytest.warns(RuntimeWarning, match="could not be kept in .*; make room there") as caught:
        data = load(source(server.mirror("good")), tmp_path / "cache" / "mnist")
    assert len(caught) == 1
    check_whole(data)
    assert names_in(tmp_path) == ["cache"]


# Whole processes: killed, interrupted, out of room, two at once

CHILD = """
import sys, warnings
from pathlib import Path
from cnnedu.data.download import PublishedFile, Source
from cnnedu.data.mnist import _load
{before}
data = _load({source!r}, "standard", progress=False, cache=Path({cache!r}))
print(data.train.labels.sum(), data.test.labels.sum())
"""
SUMS = " ".join(str(ARRAYS[name].sum()) for name in list(ARRAYS)[1::2])


def start_child(a_source, cache, before=""):
    code = CHILD.format(source=a_source, cache=str(cache), before=before)
    return subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


@pytest.mark.usefixtures("no_data_folder")
@pytest.mark.skipif(os.name == "nt", reason="Windows has no signals to send to a process")
@pytest.mark.parametrize("how", ["SIGKILL", "SIGINT"])
def test_a_process_stopped_in_the_middle_leaves_nothing(server, cache, how):
    child = start_child(source(server.mirror("silence_halfway"), timeout=15), cache)
    assert server.half_sent.wait(20)
    time.sleep(0.2)  # so that the child, too, has read its half
    child.send_signal(getattr(signal, how))
    _, errors = child.communicate(timeout=20)
    assert child.returncode != 0
    if how == "SIGINT":
        assert errors.rstrip().endswith("KeyboardInterrupt")
    assert names_in(cache.parent.parent) == []
    check_whole(load(source(server.mirror("good")), cache))


@pytest.mark.usefixtures("no_data_folder")
@pytest.mark.skipif(os.name == "nt", reason="Windows has no limit on the size of files")
def test_a_full_disk_is_a_warning_and_leaves_nothing(server, cache):
    before = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (5000, 5000))"
    child = start_child(source(server.mirror("good")), cache, before)
    output, errors = child.communicate(timeout=20)
    assert child.returncode == 0, errors
    assert output.strip() == SUMS
    assert "could not be kept" in errors
    assert "make room there" in errors
    small = [name for name in WHOLE_CACHE if len(PACKED[name[:-3]]) < 5000]
    assert names_in(cache) == small


@pytest.mark.usefixtures("no_data_folder")
def test_two_processes_at_once(server, cache):
    children = [start_child(source(server.mirror("slow")), cache) for _ in range(2)]
    for child in children:
        output, errors = child.communicate(timeout=30)
        assert (output.strip(), errors) == (SUMS, "")
    assert names_in(cache) == WHOLE_CACHE


# The user's own folder


@pytest.mark.parametrize("contents", [(PLAIN, ""), (PACKED, ".gz"), (PACKED, "")])
def test_the_folder_in_cnnedu_data_is_read(tmp_path, monkeypatch, contents):
    write_files(tmp_path / "mnist", *contents)
    monkeypatch.setenv("CNNEDU_DATA", str(tmp_path))
    before = names_in(tmp_path)
    check_whole(load(source(), tmp_path / "cache"))
    assert names_in(tmp_path) == before


def test_names_with_a_dot_are_read_too(tmp_path, monkeypatch):
    write_files(tmp_path / "mnist", {n.replace("-idx", ".idx"): c for n, c in PLAIN.items()})
    monkeypatch.setenv("CNNEDU_DATA", str(tmp_path))
    check_whole(load(source(), tmp_path / "cache"))


def test_a_relative_folder_is_made_absolute(tmp_path, monkeypatch):
    write_files(tmp_path / "data" / "mnist", PACKED, ".gz")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CNNEDU_DATA", "data")
    check_whole(load(source(), tmp_path / "cache"))
    (tmp_path / "data" / "mnist" / f"{IMAGES}.gz").write_bytes(WEB_PAGE)
    with pytest.raises(DataError) as caught:
        load(source(), tmp_path / "cache")
    assert str(tmp_path / "data" / "mnist" / IMAGES) in str(caught.value)


@pytest.mark.parametrize(("content", "reason"), BAD_CONTENTS.values(), ids=BAD_CONTENTS)
def test_a_bad_file_in_cnnedu_data_is_reported_and_not_touched(
    server, tmp_path, monkeypatch, content, reason
):
    folder = tmp_path / "mnist"
    write_files(folder, PACKED, ".gz")
    (folder / f"{IMAGES}.gz").write_bytes(content)
    monkeypatch.setenv("CNNEDU_DATA", str(tmp_path))
    with pytest.raises(DataError, match=reason) as caught:
        load(source(server.mirror("good")), tmp_path / "cache")
    assert f"expected the published {IMAGES} at {folder / IMAGES}.gz, but" in str(caught.value)
    assert caught.match("replace or remove this file .it was not touched., or unset CNNEDU_DATA")
    assert (folder / f"{IMAGES}.gz").read_bytes() == content
    assert server.requests == []


def test_what_the_folder_lacks_comes_from_the_cache_and_the_mirrors(server, tmp_path, monkeypatch):
    names = list(PLAIN)
    write_files(tmp_path / "mnist", {names[0]: PLAIN[names[0]]})
    write_files(tmp_path / "cache", {names[1]: PLAIN[names[1]]})
    monkeypatch.setenv("CNNEDU_DATA", str(tmp_path))
    check_whole(load(source(server.mirror("good")), tmp_path / "cache"))
    assert [name for _, name in server.requests] == [f"{name}.gz" for name in names[2:]]
    assert names_in(tmp_path / "mnist") == [names[0]]


def test_an_empty_folder_is_named_in_the_error(tmp_path, monkeypatch):
    monkeypatch.setenv("CNNEDU_DATA", str(tmp_path / "nothing"))
    with pytest.raises(DataError) as caught:
        load(source(f"http://127.0.0.1:{free_port()}/a"), tmp_path / "cache")
    folder = tmp_path / "nothing" / "mnist"
    assert f"folder: not in {folder} (from CNNEDU_DATA)" in str(caught.value)
    assert f"put them into {folder};" in str(caught.value)


def test_an_empty_variable_counts_as_unset(tmp_path, monkeypatch):
    monkeypatch.setenv("CNNEDU_DATA", " ")
    with pytest.raises(DataError, match="folder: CNNEDU_DATA is not set"):
        load(source(f"http://127.0.0.1:{free_port()}/a"), tmp_path / "cache")


# Splits


@pytest.mark.usefixtures("no_data_folder")
def test_the_openml_split_is_scikit_learns(cache):
    write_files(cache, PLAIN)
    data = load(source(), cache, split="openml")
    images = np.concatenate([ARRAYS[name] for name in list(ARRAYS)[0::2]])
    labels = np.concatenate([ARRAYS[name] for name in list(ARRAYS)[1::2]])
    expected = train_test_split(images, labels, test_size=0.2, random_state=42)
    for got, wanted in zip((data.train.images, data.test.images), expected[:2], strict=True):
        np.testing.assert_array_equal(np.rint(got[:, 0] * 255), wanted)
    np.testing.assert_array_equal(data.train.labels, expected[2])
    np.testing.assert_array_equal(data.test.labels, expected[3])


def test_theopenml_order_of_all_70000():
    train, test = train_test_split(np.arange(70_000), test_size=0.2, random_state=42)
    order = openml_order(70_000)
    np.testing.assert_array_equal(order[0], train)
    np.testing.assert_array_equal(order[1], test)


def test_an_unknown_split_is_refused_before_any_work():
    with pytest.raises(ValueError, match="split to be 'standard' or 'openml', got 'kaggle'"):
        load_mnist("kaggle")


# The real thing


def test_several_secure_mirrors_are_known():
    hosts = {mirror.split("/")[2] for mirror in MNIST.mirrors}
    assert len(hosts) == len(MNIST.mirrors) >= 3
    assert all(re.fullmatch(r"https://\S+[^/]", mirror) for mirror in MNIST.mirrors)


def real_mnist_is_here():
    import pooch

    given = os.environ.get("CNNEDU_DATA", "").strip()
    folders = [Path(pooch.os_cache("cnnedu"), "mnist")] + ([Path(given, "mnist")] if given else [])
    return any(
        all((folder / name).is_file() or (folder / f"{name}.gz").is_file() for name in PLAIN)
        for folder in folders
    )


real_mnist = pytest.mark.skipif(
    not real_mnist_is_here(),
    reason="MNIST is not on this computer; set CNNEDU_DATA or call load_mnist() once",
)


@real_mnist
def test_mnist_itself():
    data = load_mnist(progress=False)
    assert data.train.images.shape == (60_000, 1, 28, 28)
    assert data.test.images.shape == (10_000, 1, 28, 28)
    assert data.train.labels[:5].tolist() == [5, 0, 4, 1, 9]
    assert data.test.labels[:5].tolist() == [7, 2, 1, 0, 4]
    assert data.train.images.mean(dtype=np.float64) == pytest.approx(0.1306604, abs=1e-6)
    assert (data.train.images.min(), data.train.images.max()) == (0, 1)
    assert np.bincount(data.train.labels)[0] == 5923
    assert not data.train.images.flags.writeable


@real_mnist
def test_mnist_as_the_openml_tutorials_split_it():
    data = load_mnist("openml", progress=False)
    assert (len(data.train), len(data.test)) == (56_000, 14_000)
    assert data.train.labels[0] == 5
    assert np.bincount(data.train.labels).sum() + len(data.test) == 70_000
