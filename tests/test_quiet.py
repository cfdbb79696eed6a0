import os
import threading

import pytest

from tracker.quiet import native_stderr_silenced, tell


def test_silences_that_overlap_end_with_the_last(capfd: pytest.CaptureFixture[str]) -> None:
    inside, leave = threading.Event(), threading.Event()

    def other() -> None:
        with native_stderr_silenced():
            inside.set()
            leave.wait(10)

    thread = threading.Thread(target=other)
    with native_stderr_silenced():
        thread.start()
        assert inside.wait(10)
    os.write(2, b"unheard")
    leave.set()
    thread.join()
    os.write(2, b"heard")
    assert capfd.readouterr().err == "heard"


def test_a_line_is_told_through_the_silence_of_others(capfd: pytest.CaptureFixture[str]) -> None:
    with native_stderr_silenced():
        os.write(2, b"unheard")
        tell("heard")
        os.write(2, b"unheard")
    tell("and now")
    assert capfd.readouterr().err == "heard\nand now\n"
