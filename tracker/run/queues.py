"""Work that overlaps: a stage in a thread of its own, with a bounded queue to the caller.

An error of a stage is raised again in the caller, after what came before it; a caller that leaves
ends the thread.
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from types import TracebackType
from typing import Generic, Self, TypeVar

Item = TypeVar("Item")

_POLL_INTERVAL_S = 0.1
"""Ctrl-C comes through between two waits of this length, on Windows too."""
_JOIN_TIMEOUT_S = 2.0
"""A thread that hangs in a camera is left behind after this; it goes with the process."""


class BoundedQueue(Generic[Item]):
    """Items on their way from one thread to another.

    Args:
        room: Items that may wait.
        drop_oldest: A full queue loses its oldest item; else whoever puts waits.
        stopped: Ends the queue at once, with whatever is in it.
    """

    def __init__(
        self, room: int, *, drop_oldest: bool = False, stopped: threading.Event | None = None
    ) -> None:
        self.dropped = 0
        self._room, self._drop_oldest = room, drop_oldest
        self._stopped = stopped or threading.Event()
        self._items: deque[Item] = deque()
        self._ended = False
        self._changed = threading.Condition()

    def put(self, item: Item) -> bool:
        """Add an item; False if the queue has ended."""
        with self._changed:
            if self._ended or self._stopped.is_set():
                return False
            if self._drop_oldest and len(self._items) == self._room:
                self._items.popleft()
                self.dropped += 1
            self._wait_until(lambda: self._ended or len(self._items) < self._room)
            if self._ended or self._stopped.is_set():
                return False
            self._items.append(item)
            self._changed.notify_all()
            return True

    def end(self) -> None:
        """Nothing is put any more; what waits can still be taken."""
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def __iter__(self) -> Iterator[Item]:
        """Take items until the end."""
        while self._has_more():
            yield self._taken()

    def _has_more(self) -> bool:
        with self._changed:
            self._wait_until(lambda: self._ended or bool(self._items))
            return bool(self._items) and not self._stopped.is_set()

    def _taken(self) -> Item:
        with self._changed:
            item = self._items.popleft()
            self._changed.notify_all()
            return item

    def _wait_until(self, ready: Callable[[], bool]) -> None:
        while not (self._stopped.is_set() or self._changed.wait_for(ready, _POLL_INTERVAL_S)):
            pass


class _Stage(Generic[Item]):
    """A thread at one end of a queue; a context manager that ends both."""

    def __init__(self, queue: BoundedQueue[Item]) -> None:
        self.seconds = 0.0
        """Spent in the stage's own work."""
        self._queue = queue
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name=type(self).__name__, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def _run(self) -> None:
        try:
            self._work()
        except BaseException as error:  # noqa: BLE001  raised again in the caller's thread
            self._error = error
        finally:
            self._queue.end()

    def _work(self) -> None:
        raise NotImplementedError


class ReadAhead(_Stage[Item]):
    """Iterates in a thread of its own, some items ahead of the caller.

    Args:
        items: What to iterate over.
        room: Items that may wait.
        drop_oldest: Lose the oldest of them so that the next one is fresh; else stop reading.
        stopped: Ends the iteration.
    """

    def __init__(
        self,
        items: Iterable[Item],
        room: int,
        *,
        drop_oldest: bool = False,
        stopped: threading.Event | None = None,
    ) -> None:
        super().__init__(BoundedQueue(room, drop_oldest=drop_oldest, stopped=stopped))
        self._items = items

    @property
    def dropped(self) -> int:
        return self._queue.dropped

    def __iter__(self) -> Iterator[Item]:
        yield from self._queue
        if self._error:
            raise self._error

    def _work(self) -> None:
        started = time.perf_counter()
        for item in self._items:
            self.seconds += time.perf_counter() - started
            if not self._queue.put(item):
                break
            del item  # or it would live until the next is read
            started = time.perf_counter()

    def __exit__(self, *_: object) -> None:
        self._queue.end()
        self._thread.join(_JOIN_TIMEOUT_S)


class WriteLatest(_Stage[Item]):
    """Calls a function with the latest items in a thread of its own; whoever puts never waits.

    A full queue loses its oldest item. Leaving it waits for a moment at most. An error of `write`
    ends the stage and stays in it.

    Args:
        write: Takes an item.
        room: Items that may wait.
    """

    def __init__(self, write: Callable[[Item], None], room: int) -> None:
        super().__init__(BoundedQueue(room, drop_oldest=True))
        self._write = write

    @property
    def dropped(self) -> int:
        return self._queue.dropped

    @property
    def error(self) -> BaseException | None:
        """What ended the stage before its time."""
        return self._error

    def put(self, item: Item) -> None:
        """Hand over an item."""
        self._queue.put(item)

    def _work(self) -> None:
        for item in self._queue:
            self._write(item)
            del item

    def __exit__(self, *_: object) -> None:
        self._queue.end()
        self._thread.join(_JOIN_TIMEOUT_S)


class WriteBehind(_Stage[Item]):
    """Calls a function with every item, in order, in a thread of its own.

    Leaving it waits until all is done.

    Args:
        write: Takes an item.
        room: Items that may wait.
    """

    def __init__(self, write: Callable[[Item], None], room: int) -> None:
        super().__init__(BoundedQueue(room))
        self._write = write

    def put(self, item: Item) -> None:
        """Hand over an item; raises what `write` raised, now or before."""
        if not self._queue.put(item) and self._error:
            raise self._error

    def _work(self) -> None:
        for item in self._queue:
            started = time.perf_counter()
            self._write(item)
            self.seconds += time.perf_counter() - started
            del item

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._queue.end()
        try:
            self._thread.join()
        except KeyboardInterrupt:  # outputs are closed next, which must not happen while writing
            self._thread.join(_JOIN_TIMEOUT_S)
            raise
        if self._error and error is None:
            raise self._error
