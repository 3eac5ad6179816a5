"""Languages are loaded once, one by one, and not without end, whoever speaks."""

import asyncio
import gc
import threading
from datetime import UTC, datetime

import pytest
from hassil import numbers, string_matcher

from wyoming_openai.context.cache import ContextCache
from wyoming_openai.hass.snapshot import demo_home
from wyoming_openai.local_engine.engine import LocalEngine
from wyoming_openai.local_engine.languages import MOST, Languages, Loader
from wyoming_openai.local_engine.sentence_matcher import SentenceMatcher
from wyoming_openai.messages import Utterance


class Shelf:
    """Loads the name of a language, and notes when; it can be made to wait in the midst of it."""

    def __init__(self) -> None:
        self.loaded: list[str] = []
        self.forgotten: list[str] = []
        self.at_once = self.most_at_once = 0
        self.may_end = threading.Event()
        self.may_end.set()

    def load(self, tag: str) -> str:
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        assert self.may_end.wait(30)
        self.loaded.append(tag)
        self.at_once -= 1
        return tag.upper()


@pytest.fixture
def shelf() -> Shelf:
    return Shelf()


def languages(shelf: Shelf, loader: Loader | None) -> Languages[str]:
    return Languages(shelf.load, loader, shelf.forgotten.append)


async def test_who_asks_while_a_language_is_loaded_shares_the_work(shelf: Shelf) -> None:
    kept = languages(shelf, Loader())
    shelf.may_end.clear()
    asking = [asyncio.create_task(kept.prepare(tag)) for tag in ("en", "de", "en", "de", "en")]
    await asyncio.sleep(0)
    shelf.may_end.set()
    await asyncio.gather(*asking)
    assert shelf.loaded == ["en", "de"]
    assert shelf.most_at_once == 1, "one after the other"
    assert kept.get("en") == "EN"


async def test_who_does_not_wait_any_more_takes_nothing_from_the_others(shelf: Shelf) -> None:
    kept = languages(shelf, Loader())
    shelf.may_end.clear()
    asking = [asyncio.create_task(kept.prepare("en")) for _ in range(2)]
    await asyncio.sleep(0)
    asking[0].cancel()
    shelf.may_end.set()
    await asking[1]
    assert kept.get("en") == "EN"


async def test_what_was_not_prepared_is_not_waited_for(shelf: Shelf) -> None:
    kept = languages(shelf, Loader())
    assert kept.get("en") is None
    assert languages(shelf, None).get("en") == "EN", "but a command may wait"


async def test_the_language_spoken_last_stays_and_so_does_that_of_the_home(shelf: Shelf) -> None:
    kept = languages(shelf, Loader())
    tags = [f"l{number}" for number in range(MOST)]
    for tag in ("home", *tags, "l1", "new"):
        await kept.prepare(tag, ("home",))
    assert kept.get("home") == "HOME"
    assert kept.get("l1") == "L1"
    assert len(kept) == MOST
    assert shelf.forgotten == ["L0", "L2"]


async def test_new_languages_without_end_are_not_loaded_without_end(shelf: Shelf) -> None:
    now = 0.0
    kept = languages(shelf, Loader(at_once=3, seconds=20, clock=lambda: now))
    for number in range(100):
        await kept.prepare(f"x{number}")
    assert len(shelf.loaded) == MOST + 3
    await kept.prepare("home", ("home",))
    assert kept.get("home") == "HOME", "that of the home always is"
    now = 20.0
    for number in range(100, 200):
        await kept.prepare(f"x{number}")
    assert len(shelf.loaded) == MOST + 3 + 1 + 1


async def test_a_language_that_can_not_be_loaded_is_done_without_and_tried_again(
    shelf: Shelf, caplog: pytest.LogCaptureFixture
) -> None:
    def load(tag: str) -> str:
        if not shelf.loaded:
            shelf.load(tag)
            raise OSError("no such file")
        return shelf.load(tag)

    kept = Languages(load, Loader())
    await kept.prepare("en")
    assert kept.get("en") is None
    assert "no such file" in caplog.text
    await kept.prepare("en")
    assert kept.get("en") == "EN"


async def test_what_was_not_understood_is_when_its_language_is_there() -> None:
    local, home = LocalEngine(Loader()), demo_home(datetime.now(UTC))
    question = Utterance("how many lights are on?", "en")
    assert local.answer(question, home, None, datetime.now(UTC)) is None
    await local.prepare(home, "en")
    assert local.answer(question, home, None, datetime.now(UTC)) is not None


def test_a_forgotten_language_leaves_nothing_behind() -> None:
    matcher = SentenceMatcher()
    tags = ["fi", "de", "fr", "pl", "nl", "cs", "el"]
    for tag in tags[:MOST]:
        matcher.languages(tag)
    gc.collect()
    gc.disable()
    try:
        for tag in tags[MOST:]:
            matcher.languages(tag)
        assert gc.collect() < 5000, "what was forgotten needs no collector of cycles"
    finally:
        gc.enable()
    for cache in (numbers._ENGINE_CACHE, string_matcher._RANGE_TRIE_CACHE):
        assert not set(tags[:-MOST]) & cache.keys()
        assert tags[-1] in cache


async def test_tags_of_one_language_share_its_words() -> None:
    context_cache = ContextCache(Loader())
    for number in range(50):
        await context_cache.prepare(None, f"en-X{number}")
        await context_cache.prepare(None, f"q{number}")
    assert len(context_cache._vocabularies) == 2
