"""Python's collector rests while somebody makes much, and always works again afterwards."""

import gc
import threading

import pytest

from wyoming_openai.gc_pauses import without_collector


def test_it_rests_for_the_length_of_the_block() -> None:
    with without_collector():
        assert not gc.isenabled()
    assert gc.isenabled()


def test_it_works_again_after_a_failure() -> None:
    with pytest.raises(ValueError, match="a bug"), without_collector():
        raise ValueError("a bug")
    assert gc.isenabled()


def test_it_works_again_whoever_is_through_first() -> None:
    first, second = without_collector(), without_collector()
    first.__enter__()
    second.__enter__()
    first.__exit__(None, None, None)
    second.__exit__(None, None, None)
    assert gc.isenabled()


def test_it_stays_off_where_it_was_off() -> None:
    gc.disable()
    try:
        with without_collector():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()


def test_two_threads_that_do_without_it_at_once_give_it_back() -> None:
    inside, may_leave = threading.Event(), threading.Event()

    def stay() -> None:
        with without_collector():
            inside.set()
            assert may_leave.wait(30)

    other = threading.Thread(target=stay)
    with without_collector():
        other.start()
        assert inside.wait(30)
    assert not gc.isenabled()
    may_leave.set()
    other.join()
    assert gc.isenabled()
