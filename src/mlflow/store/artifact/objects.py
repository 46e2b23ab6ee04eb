"""A tree of files in an object store: lists, ranges, uploads in parts, and what is compared."""

from __future__ import annotations

import hashlib
import mimetypes
import os
import re
import threading
from collections import deque
from typing import TYPE_CHECKING, Any, NamedTuple

from mlflow.environment_variables import (
    MLFLOW_ENABLE_MULTIPART_DOWNLOAD,
    MLFLOW_ENABLE_MULTIPART_UPLOAD,
    MLFLOW_GCS_DOWNLOAD_CHUNK_SIZE,
    MLFLOW_GCS_UPLOAD_CHUNK_SIZE,
    MLFLOW_MULTIPART_DOWNLOAD_CHUNK_SIZE,
    MLFLOW_MULTIPART_DOWNLOAD_MINIMUM_FILE_SIZE,
    MLFLOW_MULTIPART_UPLOAD_CHUNK_SIZE,
    MLFLOW_MULTIPART_UPLOAD_MINIMUM_FILE_SIZE,
)
from mlflow.exceptions import (
    PERMISSION_DENIED,
    TEMPORARILY_UNAVAILABLE,
    MlflowException,
    invalid,
    not_found,
)
from mlflow.store.artifact.buckets import bucket_of, location_of
from mlflow.store.artifact.copying import digest_of, part_size, write_all
from mlflow.store.artifact.paths import ArtifactPath
from mlflow.store.artifact.root import Entry

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import BinaryIO, Self

    from mlflow.environment_variables import _EnvironmentVariable
    from mlflow.store.artifact.buckets import Bucket
    from mlflow.store.artifact.copying import Progress

PORTION = 1 << 20
_PARALLEL = 4  # parts of one file on their way
_FROM = 32 << 20  # files of more bytes go in parts, unless the environment says otherwise
_FETCHED = 16 << 20
#: Under which name the SHA-256 of a file is kept with it.
DIGEST = "millstreamsha256"
_TRIES = 3
_SAID = re.compile(r"<(Code|Message)>([^<]*)</\1>")
_STATUS = re.compile(r"status code: (\d{3})")
_BROKEN = ("BadDigest", "XAmzContentSHA256Mismatch", "InvalidDigest", "Md5Mismatch")


class ObjectTree:
    """What is below a path in a bucket; folders are what paths of files have in common.

    Args:
        uri: such as `s3://bucket/path`.
    """

    def __init__(self, uri: str) -> None:
        self.location = location_of(uri)

    @property
    def bucket(self) -> Bucket:
        """The bucket, as the environment says how to reach it."""
        return bucket_of(self.location)

    def key(self, where: ArtifactPath) -> str:
        """Return the name of a file in the bucket."""
        return str(self.location.path.join(where))

    # --- reading -----------------------------------------------------------------------------

    def kind(self, where: ArtifactPath) -> str | None:
        """Return `file`, `folder`, or None for what is not there."""
        if not where.parts:
            return "folder"
        if self._meta(where) is not None:
            return "file"
        return "folder" if self.list(where) else None

    def list(self, where: ArtifactPath) -> list[Entry]:
        """Return the entries of a folder by name; none for what is no folder.

        Raises:
            MlflowException: the store refuses, or has names that no path has.
        """
        prefix = self.key(where)
        reader, obstore = self.bucket.reader, _obstore()
        try:
            found = obstore.list_with_delimiter(reader, prefix or None)
        except Exception as error:
            raise self._refusal(error, where) from error
        entries = [Entry(_name(one), True, None) for one in found["common_prefixes"]]
        entries += [
            Entry(_name(one["path"]), False, one["size"])
            for one in found["objects"]
            if one["path"] != prefix  # what consoles put where somebody makes a folder
        ]
        for entry in entries:
            where.child(entry.name)
        return sorted(entries, key=lambda entry: entry.name)

    def walk(self, where: ArtifactPath) -> Iterator[tuple[ArtifactPath, int | None]]:
        """Yield (path, size) of all that is in a folder, at any depth; folders have no size."""
        for entry in self.list(where):
            path = where.child(entry.name)
            yield path, entry.size
            if entry.is_folder:
                yield from self.walk(path)

    def opened(self, where: ArtifactPath) -> OpenObject:
        """Open a file for reading.

        Raises:
            MlflowException: RESOURCE_DOES_NOT_EXIST: there is no such file.
        """
        found = self._meta(where) if where.parts else None
        if found is None:
            raise not_found(f"No such artifact: '{where}'")
        return OpenObject(self, where, found)

    def _meta(self, where: ArtifactPath) -> _Meta | None:
        reader, obstore = self.bucket.reader, _obstore()
        try:
            got = obstore.get(reader, self.key(where), options={"head": True})
            return _Meta(got.meta, got.attributes)
        except FileNotFoundError as error:
            if "NoSuchBucket" in str(error):
                raise self._refusal(error, where) from error
            return None
        except Exception as error:
            raise self._refusal(error, where) from error

    def fetch(self, where: ArtifactPath, file: BinaryIO, progress: Progress | None = None) -> None:
        """Write a file of the tree to a local one, by several ranges at a time if it is large.

        Args:
            where: the file.
            file: open for writing, unbuffered, empty.
            progress: is told what came.

        Raises:
            MlflowException: RESOURCE_DOES_NOT_EXIST; the file does not come as it was sent.
        """
        for _ in range(_TRIES):
            file.seek(0)
            file.truncate()
            one = self._fetched(where, file)
            expected = one.digest()
            if expected is None or expected == digest_of(file):
                if progress is not None:
                    progress.add(one.size)
                return
        raise MlflowException(
            f"'{where}' did not come from {self.bucket.name} as it was sent: its SHA-256 was "
            "another each time."
        )

    def _fetched(self, where: ArtifactPath, file: BinaryIO) -> OpenObject:
        reader, obstore = self.bucket.reader, _obstore()
        try:
            got = obstore.get(reader, self.key(where))
            one = OpenObject(self, where, _Meta(got.meta, got.attributes))
            ranges = self._ranges(one.size)
            if len(ranges) < 2:
                for part in got.stream(min_chunk_size=PORTION):
                    write_all(file, memoryview(part))
                return one
        except OSError as error:
            raise self._refusal(error, where) if _is_absent(error) else error from error
        except Exception as error:
            raise self._refusal(error, where) from error
        del got
        _write_ranges(one, file, ranges)
        return one

    def _ranges(self, size: int) -> Sequence[tuple[int, int]]:
        least = _chosen(MLFLOW_MULTIPART_DOWNLOAD_MINIMUM_FILE_SIZE, _FROM)
        if size < least or not MLFLOW_ENABLE_MULTIPART_DOWNLOAD.get():
            return [(0, size)] if size else []
        step = _chosen(MLFLOW_MULTIPART_DOWNLOAD_CHUNK_SIZE, _FETCHED)
        if self.location.scheme == "gs":
            step = MLFLOW_GCS_DOWNLOAD_CHUNK_SIZE.get() or step
        step = max(step, PORTION)
        return [(start, min(start + step, size)) for start in range(0, size, step)]

    # --- writing -----------------------------------------------------------------------------

    def send(self, where: ArtifactPath, path: str, progress: Progress | None = None) -> None:
        """Copy a local file to the tree, complete or not at all, in place of one that is there.

        A file that is changed while it is sent is sent again.

        Raises:
            OSError: the file cannot be read.
            MlflowException: the store refuses.
        """
        with open(path, "rb", buffering=0) as file:
            before = os.fstat(file.fileno())
            if self._is_small(before.st_size):
                data = file.read(before.st_size + 1)
                self.put(where, data, hashlib.sha256(data).digest())
                _add(progress, len(data))
                return
            digest = hashlib.file_digest(file, "sha256").digest()
            self._send(where, file, before.st_size, digest, progress)
            after = os.fstat(file.fileno())
            if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
                self._send(where, file, after.st_size, None, None)

    def _send(
        self,
        where: ArtifactPath,
        file: BinaryIO,
        size: int,
        digest: bytes | None,
        progress: Progress | None,
    ) -> None:
        def parts() -> Iterator[bytes]:
            file.seek(0)
            while data := file.read(PORTION):
                yield data
                _add(progress, len(data))

        if MLFLOW_ENABLE_MULTIPART_UPLOAD.get():
            self.put(where, parts, digest, self._part(size))
        else:
            # One request, for stores that know no other; the file is in memory then.
            file.seek(0)
            self.put(where, file.read(), digest)

    def _is_small(self, size: int) -> bool:
        return size < _chosen(MLFLOW_MULTIPART_UPLOAD_MINIMUM_FILE_SIZE, _FROM)

    def _part(self, size: int) -> int:
        step: int = MLFLOW_MULTIPART_UPLOAD_CHUNK_SIZE.get()
        if self.location.scheme == "gs":
            step = MLFLOW_GCS_UPLOAD_CHUNK_SIZE.get() or step
        return part_size(size, step)

    def put(
        self,
        where: ArtifactPath,
        data: Any,
        digest: bytes | None = None,
        part: int | None = None,
        parallel: int = _PARALLEL,
    ) -> None:
        """Write a file from bytes, or from what yields them.

        Args:
            where: its name.
            data: bytes; or a function that returns an iterator, which is called for each try.
            digest: the SHA-256 of the file, where it is known.
            part: bytes that go in one request; all when absent.
            parallel: parts on their way.

        Raises:
            MlflowException: INVALID_PARAMETER_VALUE: it is the root; the store refuses.
        """
        if not where.parts:
            raise invalid("An artifact needs a name.")
        bucket = self.bucket
        attributes = {"Content-Type": kind_of(where.name), **bucket.attributes}
        if digest is not None:
            attributes[DIGEST] = digest.hex()
        given: dict[str, Any] = {"attributes": attributes, "use_multipart": part is not None}
        if bucket.tags:
            given["tags"] = bucket.tags
        if part is not None:
            given |= {"chunk_size": part, "max_concurrency": parallel}
        obstore = _obstore()
        for tries in range(_TRIES):
            try:
                body = data() if callable(data) else data
                obstore.put(bucket.writer, self.key(where), body, **given)
                return
            except (OSError, MlflowException) as error:
                if _is_absent(error):
                    raise self._refusal(error, where) from error
                raise
            except Exception as error:
                is_broken = any(one in str(error) for one in _BROKEN)
                can_repeat = callable(data) or isinstance(data, bytes)
                if not is_broken or not can_repeat or tries + 1 == _TRIES:
                    raise self._refusal(error, where) from error

    def create(self, where: ArtifactPath, digest: bytes | None = None) -> Sending:
        """Begin a file that is there once it is complete; whoever asks uses it in a `with` block.

        Raises:
            MlflowException: INVALID_PARAMETER_VALUE: it is the root.
        """
        if not where.parts:
            raise invalid("An artifact needs a name.")
        return Sending(self, where, digest)

    def delete(self, where: ArtifactPath) -> None:
        """Remove a file, or a folder with all that is in it; what is not there is left so.

        Raises:
            MlflowException: the store refuses.
        """
        bucket, key = self.bucket, self.key(where)
        obstore = _obstore()
        try:
            if where.parts and self._meta(where) is not None:
                obstore.delete(bucket.reader, key)
            for page in obstore.list(bucket.reader, key or None, chunk_size=1000):
                obstore.delete(bucket.reader, [one["path"] for one in page])
        except FileNotFoundError:
            return
        except MlflowException:
            raise
        except Exception as error:
            raise self._refusal(error, where) from error

    def _refusal(self, error: Exception, where: ArtifactPath) -> MlflowException:
        """Return the error for what a store answers: what it said, without addresses and keys."""
        text = str(error)
        said = dict(reversed(_SAID.findall(text)))  # the first; obstore tells it twice
        status = _STATUS.search(text)
        reason = ": ".join(_line(said[one]) for one in ("Code", "Message") if said.get(one))
        if not reason:
            reason = f"status {status[1]}" if status else re.sub(r"\S+://\S*", "it", _line(text))
        bucket = self.location.bucket
        if said.get("Code") == "NoSuchBucket" or "ContainerNotFound" in text:
            return not_found(f"There is no bucket '{bucket}'.")
        if isinstance(error, FileNotFoundError):
            return not_found(f"No such artifact: '{where}'")
        refused = ("PermissionDenied", "Unauthenticated")
        if type(error).__name__.startswith(refused) or (status and status[1] in ("401", "403")):
            message = f"The bucket '{bucket}' refuses access to '{self.key(where)}' ({reason})."
            return MlflowException(message, PERMISSION_DENIED)
        code = TEMPORARILY_UNAVAILABLE if not status or status[1][0] in "45" else None
        if "LOCATION" in text:
            reason += "; set AWS_DEFAULT_REGION to the region of the bucket"
        message = f"The bucket '{bucket}' does not answer for '{self.key(where)}' ({reason})."
        return MlflowException(message, code) if code else MlflowException(message)


class _Meta(NamedTuple):
    meta: dict[str, Any]
    attributes: dict[str, str]


class OpenObject:
    """A file in an object store, as it was when it was opened.

    Args:
        tree: where it is.
        where: its path.
        found: what the store said of it.
    """

    def __init__(self, tree: ObjectTree, where: ArtifactPath, found: _Meta) -> None:
        self._tree = tree
        self._where = where
        self._digest = found.attributes.get(DIGEST)
        self._etag = found.meta["e_tag"]
        self.size: int = found.meta["size"]
        self.modified: float = found.meta["last_modified"].timestamp()
        self.tag = hashlib.sha256(f"{self._etag}/{self.modified}".encode()).hexdigest()[:32]

    def digest(self) -> bytes | None:
        """Return the SHA-256 that was kept with the file; None where there is none."""
        try:
            return bytes.fromhex(self._digest) if self._digest else None
        except ValueError:
            return None

    def parts(self, start: int, end: int) -> Iterator[bytes]:
        """Yield the bytes from one place to another, in portions.

        Raises:
            MlflowException: the file is another by now, or does not come.
        """
        if start >= end:
            return
        options: dict[str, Any] = {"range": (start, end)}
        if self._etag:
            options["if_match"] = self._etag
        tree, obstore = self._tree, _obstore()
        at = start
        try:
            got = obstore.get(tree.bucket.reader, tree.key(self._where), options=options)
            for part in got.stream(min_chunk_size=PORTION):
                at += len(part)
                yield bytes(part)
        except Exception as error:
            if type(error).__name__ == "PreconditionError":
                message = f"'{self._where}' was replaced while it was read."
                raise MlflowException(message) from error
            raise tree._refusal(error, self._where) from error
        if at != end:
            raise MlflowException(f"'{self._where}' ended before its end.")

    def close(self) -> None:
        """There is nothing to give back."""


class Sending:
    """A file that is sent as it is written, and there when it is finished.

    What fits into one part waits in memory and goes at once; longer ones are sent by a thread, with
    three parts in memory at most.

    Args:
        tree: where it will be.
        where: its path.
        digest: its SHA-256, where it is known.
    """

    def __init__(self, tree: ObjectTree, where: ArtifactPath, digest: bytes | None) -> None:
        self._tree = tree
        self._where = where
        self._digest = digest
        self._part = tree._part(0)
        self._waiting = bytearray()
        self._thread: threading.Thread | None = None
        self._queue: deque[bytes | None] = deque()
        self._room = threading.Semaphore(2)
        self._filled = threading.Semaphore(0)
        self._error: BaseException | None = None
        self._is_over = False

    @property
    def file(self) -> Self:
        """Takes the bytes."""
        return self

    def write(self, data: bytes | bytearray | memoryview, /) -> int:
        """Take bytes, waiting while too many are on their way.

        Raises:
            MlflowException: the store refuses.
        """
        if self._thread is not None:
            if data:  # an empty one ends it
                self._pass_on(bytes(data))
            return len(data)
        self._waiting += data
        if len(self._waiting) >= self._part:
            self._pass_on(bytes(self._waiting))
            self._waiting = bytearray()
        return len(data)

    def _pass_on(self, data: bytes | None) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._send, name="upload", daemon=True)
            self._thread.start()
        self._room.acquire()
        if self._is_over:
            self._room.release()
            if self._error is not None:
                raise self._error
            return
        self._queue.append(data)
        self._filled.release()

    def _send(self) -> None:
        try:
            self._tree.put(self._where, self._parts(), self._digest, self._part, _PARALLEL // 2)
        except BaseException as error:  # noqa: BLE001 - raised where the writer waits
            self._error = error
        self._is_over = True
        self._room.release()

    def _parts(self) -> Iterator[bytes]:
        while True:
            self._filled.acquire()
            data = self._queue.popleft()
            self._room.release()
            if data is None:
                return
            if not data:
                raise _DiscardedError
            yield data

    def finish(self) -> None:
        """Give the file its name.

        Raises:
            MlflowException: the store refuses.
        """
        if self._thread is None:
            data = bytes(self._waiting)
            digest = self._digest or hashlib.sha256(data).digest()
            self._tree.put(self._where, data, digest)
            return
        self._pass_on(None)
        self._thread.join()
        if self._error is not None:
            raise self._error

    def discard(self) -> None:
        """Have what was sent forgotten; the thread does that, and nobody waits for it."""
        self._waiting = bytearray()
        if self._thread is not None and not self._is_over:
            self._queue.append(b"")
            self._filled.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if error is None:
            self.finish()
        else:
            self.discard()


class _DiscardedError(Exception):
    """Ends an upload, which obstore then has the store forget."""


def _write_ranges(one: OpenObject, file: BinaryIO, ranges: Sequence[tuple[int, int]]) -> None:
    """Write ranges of a file to their places, several at a time."""
    lock = threading.Lock()

    def fetch(span: tuple[int, int]) -> None:
        at = span[0]
        for part in one.parts(*span):
            with lock:
                file.seek(at)
                write_all(file, memoryview(part))
            at += len(part)

    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(min(_PARALLEL, len(ranges))) as pool:
        begun = [pool.submit(fetch, span) for span in ranges]
        try:
            for future in begun:
                future.result()
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def _is_absent(error: BaseException) -> bool:
    """Tell whether a store said that something is not there; files of this machine have numbers."""
    return isinstance(error, FileNotFoundError) and error.errno is None


def _obstore() -> Any:
    # Asked for after the bucket, which says what to install where it is missing.
    import obstore

    return obstore


def _chosen(variable: _EnvironmentVariable, default: int) -> int:
    return int(variable.get()) if variable.is_set() else default


def _add(progress: Progress | None, count: int) -> None:
    if progress is not None:
        progress.add(count)


def _name(path: str) -> str:
    return path.rstrip("/").rpartition("/")[2]


def kind_of(name: str) -> str:
    """Return the type of the content of a file, by its name."""
    return mimetypes.guess_type(name)[0] or "application/octet-stream"


def _line(text: str) -> str:
    return text.partition("\n")[0]
