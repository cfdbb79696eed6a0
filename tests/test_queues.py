import threading
from collections.abc import Iterable, Iterator

import pytest

from tracker.run.queues import BoundedQueue, ReadAhead, WriteBehind

PATIENCE_S = 10.0
"""Nothing waits this long unless it is broken."""


def counting(upto: int, produced: list[int]) -> Iterator[int]:
    for number in range(upto):
        produced.append(number)
        yield number


def put_all(behind: WriteBehind[int], numbers: Iterable[int]) -> None:
    for number in numbers:
        behind.put(number)


def test_nothing_is_lost_and_never_more_is_read_than_there_is_room_for() -> None:
    produced: list[int] = []
    with ReadAhead(counting(50, produced), room=3) as ahead:
        for taken, number in enumerate(ahead):
            assert number == taken
            assert len(produced) <= taken + 1 + 3 + 1  # taken, waiting, in the reader's hand
    assert len(produced) == 50
    assert ahead.dropped == 0


def test_a_live_source_loses_the_oldest() -> None:
    all_came = threading.Event()

    def camera() -> Iterator[int]:
        yield from range(20)
        all_came.set()

    with ReadAhead(camera(), room=2, drop_oldest=True) as ahead:
        assert all_came.wait(PATIENCE_S)
        assert list(ahead) == [18, 19]
    assert ahead.dropped == 18


def test_a_queue_that_was_stopped_keeps_what_it_has() -> None:
    stopped = threading.Event()
    queue: BoundedQueue[int] = BoundedQueue(1, drop_oldest=True, stopped=stopped)
    assert queue.put(1)
    stopped.set()
    assert not queue.put(2)
    assert queue.dropped == 0


def test_an_error_comes_after_what_was_read_before_it() -> None:
    error = ValueError("cable pulled")

    def source() -> Iterator[int]:
        yield from range(3)
        raise error

    seen: list[int] = []
    ahead = ReadAhead(source(), room=5)
    with pytest.raises(ValueError, match="cable pulled") as raised, ahead:
        seen.extend(number for number in ahead)
    assert raised.value is error
    assert seen == [0, 1, 2]


@pytest.mark.parametrize("drop_oldest", [False, True])
def test_who_leaves_early_ends_the_thread(drop_oldest: bool) -> None:
    def endless() -> Iterator[int]:
        while True:
            yield 0

    before = threading.active_count()
    with ReadAhead(endless(), 1, drop_oldest=drop_oldest) as ahead:
        assert next(iter(ahead)) == 0
    assert threading.active_count() == before


def test_a_stop_ends_the_reading_even_while_nothing_comes() -> None:
    stopped, hangs = threading.Event(), threading.Event()

    def camera() -> Iterator[int]:
        yield 0
        hangs.wait(PATIENCE_S)

    with ReadAhead(camera(), 1, stopped=stopped) as ahead:
        for _ in ahead:
            stopped.set()
        hangs.set()


def test_everything_is_written_in_order_before_it_is_left() -> None:
    written: list[int] = []
    with WriteBehind(written.append, room=2) as behind:
        put_all(behind, range(100))
    assert written == list(range(100))


def test_an_error_of_writing_reaches_whoever_puts_and_ends_the_writing() -> None:
    error, written = OSError("disk full"), []

    def write(number: int) -> None:
        if number == 3:
            raise error
        written.append(number)

    put: list[int] = []
    behind = WriteBehind(write, room=2)
    with pytest.raises(OSError, match="disk full") as raised, behind:
        put_all(behind, counting(1000, put))
    assert raised.value is error
    assert written == [0, 1, 2]
    assert len(put) <= 3 + 1 + 2 + 1  # written, failed, waiting, the one that is told


def test_an_error_of_the_last_write_is_raised_when_left() -> None:
    def write(_: int) -> None:
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"), WriteBehind(write, 2) as behind:
        behind.put(0)


def test_an_error_of_the_caller_is_not_hidden_and_all_is_written() -> None:
    written: list[int] = []

    def mine() -> Iterator[int]:
        yield from range(5)
        raise ValueError("mine")

    with pytest.raises(ValueError, match="mine"), WriteBehind(written.append, 5) as behind:
        put_all(behind, mine())
    assert written == list(range(5))
