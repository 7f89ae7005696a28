"""Get published files from a folder, the user's cache or a mirror, and let no wrong byte through.

Files are held in memory until their checksum is right and only then written, under another name
that is changed last: whatever goes wrong, no half-written file is ever left to be read.
"""

import contextlib
import hashlib
import io
import math
import os
import tempfile
import time
import warnings
from dataclasses import dataclass
from pathlib import Path

from cnnedu.data.idx import decompress, looks_like_web_page

_LEFTOVER_AGE = 3600.0  # seconds after which a temporary file cannot be in use any more
_CHUNK = 1024  # bytes between two looks at the clock


class DataError(OSError):
    """Data that could not be had, or that are not what they should be."""


@dataclass(frozen=True)
class PublishedFile:
    """An IDX file of bytes with a known shape and checksum.

    Parameters
    ----------
    name : str
        Its name, without ``.gz``.
    shape : tuple of int
        The shape of the array inside.
    sha256 : str
        Checksum of the decompressed bytes: mirrors compress differently.
    """

    name: str
    shape: tuple[int, ...]
    sha256: str

    @property
    def opening(self) -> bytes:
        """The four bytes it starts with."""
        return bytes([0, 0, 0x08, len(self.shape)])

    @property
    def size(self) -> int:
        """Its decompressed length in bytes."""
        return 4 + 4 * len(self.shape) + math.prod(self.shape)


@dataclass(frozen=True)
class Source:
    """A data set's files and where to get them.

    Parameters
    ----------
    title : str
        What the data set is called in messages.
    folder : str
        The folder it lives in, under `CNNEDU_DATA` and under the cache.
    files : tuple of PublishedFile
    mirrors : tuple of str
        Addresses to which ``/name.gz`` is added, in the order to try.
    timeout : float
        Seconds to wait for a connection, and for each next piece of a file.
    time_limit : float
        Seconds for one file altogether, against servers that send a byte now and then.
    """

    title: str
    folder: str
    files: tuple[PublishedFile, ...]
    mirrors: tuple[str, ...]
    timeout: float = 10.0
    time_limit: float = 600.0


def fetch(
    source: Source,
    *,
    given: Path | None,
    cache: Path | None = None,
    progress: bool = True,
) -> dict[str, bytes]:
    """Return the verified, decompressed bytes of every file of a source.

    Each file is looked for in the folder `given` by the user, then in `cache`, then on the mirrors.

    Parameters
    ----------
    source : Source
    given : Path or None
        The user's own folder. A bad file there is an error; nothing is ever written to it.
    cache : Path or None
        Where downloads are kept; None is the operating system's place for them. A bad file there
        is replaced.
    progress : bool
        Show a bar for each download.

    Raises
    ------
    DataError
        If a file of `given` is bad, or a file cannot be had anywhere.
    """
    contents, missing = {}, []
    for file in source.files:
        content = _from_given(file, given)
        if content is None:
            missing.append(file)
        else:
            contents[file.name] = content
    if missing:
        contents |= _from_cache_or_mirrors(source, missing, given, cache, progress)
    return contents


def _from_cache_or_mirrors(source, files, given, cache, progress) -> dict[str, bytes]:
    if cache is None:
        import pooch

        cache = Path(pooch.os_cache("cnnedu"), source.folder)
    _sweep(cache)
    contents, mirrors, unsaved = {}, list(source.mirrors), None
    for file in files:
        content, bad_paths = _from_cache(file, cache)
        if content is None:
            raw, content, failures = _download(source, file, mirrors, progress)
            if content is None:
                raise DataError(_unavailable(source, file, given, cache, bad_paths, failures))
            # Mirrors that failed go to the end, so that a silent one costs its timeout only once.
            mirrors = mirrors[len(failures) :] + mirrors[: len(failures)]
            unsaved = _store(raw, cache / _stored_name(file, raw), bad_paths) or unsaved
        contents[file.name] = content
    if unsaved:
        warnings.warn(
            f"{source.title} was downloaded and is in use, but could not be kept in {cache} "
            f"({unsaved}) and will be downloaded again next time; "
            "make room there or make the folder writable",
            RuntimeWarning,
            stacklevel=5,
        )
    return contents


def _from_given(file: PublishedFile, folder: Path | None) -> bytes | None:
    for path in _candidates(file, folder):
        try:
            return verified(path.read_bytes(), file)
        except (ValueError, OSError) as error:
            raise DataError(
                f"expected the published {file.name} at {path}, but {_describe(error)}; "
                "replace or remove this file (it was not touched), or unset CNNEDU_DATA"
            ) from None
    return None


def _from_cache(file: PublishedFile, folder: Path) -> tuple[bytes | None, dict[Path, str]]:
    """Return the first good copy, and the bad ones with what is wrong with them."""
    bad_paths = {}
    for path in _candidates(file, folder):
        try:
            return verified(path.read_bytes(), file), bad_paths
        except (ValueError, OSError) as error:
            bad_paths[path] = _describe(error)
    return None, bad_paths


def _candidates(file: PublishedFile, folder: Path | None) -> list[Path]:
    """Return the paths in `folder` that exist and are named like `file`."""
    if folder is None:
        return []
    # Some copies are named with a dot: train-images.idx3-ubyte.
    names = (file.name, file.name.replace("-idx", ".idx"))
    paths = [folder / (name + ending) for name in names for ending in ("", ".gz")]
    return [path for path in paths if os.path.isfile(path)]


def verified(raw: bytes, file: PublishedFile) -> bytes:
    """Return the decompressed bytes of a file if they are the published ones.

    Raises
    ------
    ValueError
        Saying what is wrong with them.
    """
    if not raw:
        raise ValueError("it is empty")
    if looks_like_web_page(raw):
        raise ValueError("it is a web page, not the data")
    try:
        content = decompress(raw, limit=file.size + 1)
    except ValueError:
        raise ValueError("it is a gzip file that is cut short or damaged") from None
    if not content.startswith(file.opening):
        raise ValueError(
            f"it opens with the bytes {content[:4].hex(' ')} instead of {file.opening.hex(' ')}, "
            "so it is another kind of file"
        )
    if len(content) != file.size:
        state = "cut short" if len(content) < file.size else "too long"
        raise ValueError(
            f"it is {state}: {len(content):,} bytes decompressed, {file.size:,} expected"
        )
    digest = hashlib.sha256(content).hexdigest()
    if digest != file.sha256:
        raise ValueError(
            "its contents were changed: the SHA-256 of the decompressed bytes is "
            f"{digest[:12]}..., {file.sha256[:12]}... expected"
        )
    return content


def _download(source, file, mirrors, progress):
    """Return the file as sent, its decompressed bytes, and the mirrors that failed with why."""
    failures = {}
    for mirror in mirrors:
        try:
            raw = _download_from(f"{mirror}/{file.name}.gz", source, file, progress)
            return raw, verified(raw, file), failures
        except (ValueError, OSError) as error:  # requests' errors are OSErrors
            failures[mirror] = _describe(error, source.timeout)
    return None, None, failures


def _download_from(url: str, source: Source, file: PublishedFile, progress: bool) -> bytes:
    import pooch

    responses = []  # kept to be closed: pooch leaves a response open when its download fails
    downloader = pooch.HTTPDownloader(
        chunk_size=_CHUNK,
        timeout=source.timeout,
        hooks={"response": lambda response, **_: responses.append(response)},
    )
    bar = _Bar(file.name, responses) if progress else None
    buffer = _Buffer(file.size + 2**20, source.time_limit, bar)
    try:
        downloader(url, buffer, None)
    finally:
        for response in responses:
            response.close()
        if bar:
            bar.close()
    return buffer.getvalue()


class _Buffer(io.BytesIO):
    """Memory to download into that refuses what is too large or takes too long."""

    def __init__(self, size_limit: int, time_limit: float, bar: "_Bar | None") -> None:
        super().__init__()
        self.size_limit = size_limit
        self.time_limit = time_limit
        self.bar = bar
        self.start = time.monotonic()

    def write(self, chunk) -> int:
        if self.tell() + len(chunk) > self.size_limit:
            raise DataError(f"it sent more than the {self.size_limit:,} bytes the file can have")
        if time.monotonic() - self.start > self.time_limit:
            raise DataError(f"it was not done after {self.time_limit:g} s")
        if self.bar:
            self.bar.update(len(chunk))
        return super().write(chunk)


class _Bar:
    """A progress bar that appears with the first bytes: a mirror that fails shows none."""

    def __init__(self, name: str, responses: list) -> None:
        self.name = name
        self.responses = responses
        self.bar = None

    def update(self, count: int) -> None:
        if self.bar is None:
            from tqdm.auto import tqdm

            length = self.responses[-1].headers.get("Content-Length", "")
            total = int(length) if length.isdecimal() else None
            self.bar = tqdm(desc=self.name, total=total, unit="B", unit_scale=True)
        self.bar.update(count)

    def close(self) -> None:
        if self.bar is not None:
            self.bar.close()


def _describe(error: Exception, timeout: float = 0) -> str:
    """Say in a few words what went wrong with a file or a mirror."""
    if isinstance(error, DataError) or not isinstance(error, OSError):
        return str(error)
    if type(error).__module__.partition(".")[0] != "requests":
        return f"it cannot be read ({error.strerror or error})"
    import requests

    if isinstance(error, requests.HTTPError):
        return f"it answered {error.response.status_code} {error.response.reason}"
    if isinstance(error, requests.exceptions.ChunkedEncodingError):
        return "it sent a file that is cut short"
    if isinstance(error, requests.Timeout) or "Read timed out" in str(error):
        return f"it kept silent for {timeout:g} s"
    if isinstance(error, requests.exceptions.SSLError):
        return "it has no certificate this computer trusts"
    if isinstance(error, requests.ConnectionError):
        return "it cannot be reached"
    return f"{type(error).__name__}: {error}"


def _stored_name(file: PublishedFile, raw: bytes) -> str:
    """Return the name to keep a download under: some servers decompress what they send."""
    return file.name if raw.startswith(file.opening) else file.name + ".gz"


def _store(raw: bytes, path: Path, bad_paths) -> str | None:
    """Write a verified file in one step and remove bad copies; return what prevented it, if so."""
    temporary = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(".part", f".{path.name}.", path.parent)
        with os.fdopen(handle, "wb") as output:
            output.write(raw)
            output.flush()
            os.fsync(output.fileno())
        os.replace(temporary, path)
    except OSError as error:
        return error.strerror or str(error)
    finally:
        if temporary is not None:  # still there only after an error or an interruption
            with contextlib.suppress(OSError):
                os.unlink(temporary)
    for bad in bad_paths:
        if bad != path:
            with contextlib.suppress(OSError):
                bad.unlink()
    return None


def _sweep(folder: Path) -> None:
    """Remove what a process left that was killed in the moment of writing."""
    with contextlib.suppress(OSError):
        for path in folder.glob(".*.part"):
            if time.time() - path.stat().st_mtime > _LEFTOVER_AGE:
                path.unlink()


def _unavailable(source, file, given, cache, bad_paths, failures) -> str:
    folder = "CNNEDU_DATA is not set" if given is None else f"not in {given} (from CNNEDU_DATA)"
    bad_copies = "; ".join(f"{path} is no good: {why}" for path, why in bad_paths.items())
    names = ", ".join(f"{each.name}.gz" for each in source.files)
    return (
        f"{source.title} is not on this computer and could not be downloaded; "
        f"{file.name} was looked for here:\n"
        f"  - folder: {folder}\n"
        f"  - cache: {bad_copies or f'not in {cache}'}\n"
        + "".join(f"  - {mirror}: {why}\n" for mirror, why in failures.items())
        + "Either connect to the Internet and try again;\n"
        f"or download {names} by hand, such as from {source.mirrors[0]}/, "
        f"and put them into {given or cache};\n"
        "or use load_digits(), which needs no network."
    )
