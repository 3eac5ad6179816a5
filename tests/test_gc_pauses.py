"""Python's collector rests while somebody makes much, and always works again afterwards."""

import gc
import threading

import pytest

from wyoming_openai.gc_pauses import gc_paused


def test_it_rests_for_the_length_of_the_block() -> None:
    with gc_paused():
        assert not gc.isenabled()
    assert gc.isenabled()


def test_it_works_again_after_a_failure() -> None:
    with pytest.raises(ValueError, match="a bug"), gc_paused():
        raise ValueError("a bug")
    assert gc.isenabled()


def test_it_works_again_whoever_is_through_first() -> None:
    first, second = gc_paused(), gc_paused()
    first.__enter__()
    second.__enter__()
    first.__exit__(None, None, None)
    second.__exit__(None, None, None)
    assert gc.isenabled()


def test_it_stays_off_where_it_was_off() -> None:
    gc.disable()
    try:
        with gc_paused():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()


def test_two_threads_that_do_without_it_at_once_give_it_back() -> None:
    inside, may_leave = threading.Event(), threading.Event()

    def stay() -> None:
        with gc_paused():
            inside.set()
            assert may_leave.wait(30)

    other = threading.Thread(target=stay)
    with gc_paused():
        other.start()
        assert inside.wait(30)
    assert not gc.isenabled()
    may_leave.set()
    other.join()
    assert gc.isenabled()
