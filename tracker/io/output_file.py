"""A file that one run alone writes: whole rows, the old content kept until there is something new.

The lock is the kernel's own, on the file itself, so it ends with the process, however that ends.
"""

import errno
import os
import select
import stat
import sys
import time
from contextlib import suppress
from pathlib import Path

from ..errors import SinkError

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

_READER_TIMEOUT_S = 10.0
"""A pipe that nobody reads is given up after this."""
_STALL_TIMEOUT_S = 60.0
"""A pipe whose reader takes nothing is given up after this."""
_POLL_INTERVAL_S = 0.05
_CREATE = os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0)
_FAR = 2**62
"""Where Windows locks: beyond all content, which others may read."""


class OutputFile:
    """An output that is open: a file, or a device or pipe that is there.

    What it held before stays until the first bytes are written.

    Args:
        path: Of the file.
        overwrite: One that exists may be replaced.
        head: Comes before the first row; written at the latest when the file is closed.

    Raises:
        SinkError: If it exists and may not be replaced, cannot be written, or is another run's.
    """

    def __init__(self, path: Path, *, overwrite: bool = True, head: bytes = b"") -> None:
        self.path, self._head = path, head
        self._position = self._size = 0
        self._waiting = bytearray()
        self._has_begun = False
        self.has_failed = False
        """Nothing is written any more."""
        self._descriptor, self._is_new = _opened(path, overwrite=overwrite)
        self._is_file = stat.S_ISREG(os.fstat(self._descriptor).st_mode)
        if self._is_file and not _locked(self._descriptor):
            os.close(self._descriptor)
            raise SinkError(f"{path}: another run is writing it: name another file")

    def append(self, content: bytes) -> None:
        """Add all of this to the end, or, where that cannot be, nothing of it.

        Raises:
            SinkError: If it cannot be written; what came before is whole.
        """
        self._begin()
        self._put(self._head + content)
        self._head = b""

    def write(self, content: bytes) -> int:
        """Take bytes for the present place; they are in the file after `flush`.

        After an error the file stays as it is, whatever is written to finish it.
        """
        self._waiting += content
        return len(content)

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Go to another place; relative to the end or the present one by `whence`."""
        self.flush()
        start = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self._size}[whence]
        self._position = start + offset
        return self._position

    def tell(self) -> int:
        """The present place."""
        return self._position + len(self._waiting)

    def flush(self) -> None:
        """Put what was written since the last time into the file, all or nothing.

        Raises:
            SinkError: If it cannot be written.
        """
        waiting, self._waiting = bytes(self._waiting), bytearray()
        if waiting and not self.has_failed:
            self._begin()
            self._put(waiting)

    def _begin(self) -> None:
        if not self._has_begun and self._is_file:
            os.ftruncate(self._descriptor, 0)
        self._has_begun = True

    def _put(self, content: bytes) -> None:
        rest, place = memoryview(content), self._position
        try:
            if self._is_file:
                os.lseek(self._descriptor, place, os.SEEK_SET)
            while rest:
                rest = rest[self._written(rest) :]
        except OSError as error:
            self.has_failed = True
            if self._is_file and place == self._size:
                with suppress(OSError):
                    os.ftruncate(self._descriptor, place)
            raise SinkError(
                f"{self.path}: cannot be written any more ({error.strerror}): what was written "
                "before is kept; free some space or name another place"
            ) from error
        self._position = place + len(content)
        self._size = max(self._size, self._position)
        if self._is_file and os.fstat(self._descriptor).st_nlink == 0:
            self.has_failed = True
            raise SinkError(f"{self.path}: was removed while it was written: run again")

    def _written(self, rest: memoryview) -> int:
        """Bytes that the file took; a pipe takes none while its reader is behind."""
        deadline = time.monotonic() + _STALL_TIMEOUT_S
        while True:
            try:
                return os.write(self._descriptor, rest)
            except BlockingIOError:
                left_s = deadline - time.monotonic()
                if left_s <= 0:
                    self.has_failed = True
                    raise SinkError(
                        f"{self.path}: its reader took nothing for {_STALL_TIMEOUT_S:.0f} s: see "
                        "why it stands still, or name a file"
                    ) from None
                select.select([], [self._descriptor], [], min(left_s, 1.0))

    def close(self) -> None:
        """Put all on the disk, and see that it is there.

        Raises:
            SinkError: If the file is gone, is another one, or has not the size that was written.
        """
        if self._descriptor < 0:
            return
        try:
            self.flush()
            if self._head and self._is_new and not self.has_failed:
                self.append(b"")
            if self._has_begun and self._is_file and not self.has_failed:
                self._check_whole()
        finally:
            descriptor, self._descriptor = self._descriptor, -1
            os.close(descriptor)

    def _check_whole(self) -> None:
        try:
            os.fsync(self._descriptor)
            there, ours = self.path.stat(), os.fstat(self._descriptor)
        except OSError as error:
            raise SinkError(
                f"{self.path}: is not whole on the disk ({error.strerror}): run again"
            ) from error
        if not os.path.samestat(there, ours) or there.st_size != self._size:
            raise SinkError(f"{self.path}: was replaced while it was written: run again")


def _opened(path: Path, *, overwrite: bool) -> tuple[int, bool]:
    """The descriptor, and whether the file is new."""
    try:
        try:
            kind = path.stat().st_mode
        except FileNotFoundError:
            return os.open(path, _CREATE | os.O_EXCL, 0o666), True
        if stat.S_ISREG(kind):
            if not overwrite:
                raise SinkError(f"{path}: exists already: add --overwrite or name another file")
            return os.open(path, _CREATE, 0o666), False
        return (_pipe(path) if stat.S_ISFIFO(kind) else os.open(path, os.O_WRONLY)), True
    except OSError as error:
        raise SinkError(f"{path}: cannot be written ({error.strerror})") from error


def _pipe(path: Path) -> int:
    """A named pipe's writing end, once somebody reads it."""
    deadline = time.monotonic() + _READER_TIMEOUT_S
    while True:
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_NONBLOCK)
        except OSError as error:
            if error.errno != errno.ENXIO:
                raise
            if time.monotonic() > deadline:
                raise SinkError(
                    f"{path}: is a pipe that nobody reads: start its reader first"
                ) from error
            time.sleep(_POLL_INTERVAL_S)
        else:
            return descriptor


def _locked(descriptor: int) -> bool:
    """Whether the file is ours alone now."""
    try:
        if sys.platform == "win32":
            os.lseek(descriptor, _FAR, os.SEEK_SET)
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        else:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        # Some network file systems know no locks; a run of one's own must work there.
        return error.errno not in (errno.EWOULDBLOCK, errno.EACCES, errno.EDEADLK)
    return True
