"""The home as a value: changes of states and registries, and what is left out."""

from dataclasses import replace
from typing import Any

import pytest

from tests.fakes.home_assistant import small_home
from wyoming_openai.hass.home import Home, Registries, State
from wyoming_openai.hass.snapshot import home_from_results

LAMP = "light.ceiling_lights"


@pytest.fixture
def home() -> Home:
    return home_from_results(small_home())


def test_added_state_is_there_and_last(home: Home) -> None:
    assert home.apply_states({"a": {"light.new": {"s": "on", "a": {"x": 1}, "c": "id", "lc": 5.0}}})
    assert list(home.states)[-1] == "light.new"
    assert list(home.states_in("light"))[-1] == "light.new"
    assert home.states["light.new"] == State(
        "light.new", "on", {"x": 1}, 5.0, 5.0, {"id": "id", "parent_id": None, "user_id": None}
    )


def test_snapshot_stays_as_it_is(home: Home) -> None:
    before = home.snapshot()
    states = dict(before.states)
    home.apply_states({"a": {"light.new": {"s": "on", "c": "id", "lc": 5.0}}, "r": [LAMP]})
    home.registries = Registries()
    assert before.states == states
    assert LAMP in before.states_in("light")
    assert LAMP in before.registries.exposed


def test_basis_changes_with_names_and_registries_but_not_with_states(home: Home) -> None:
    def is_kept(event: Any) -> bool:
        before = home.cache_key
        assert home.apply_states(event)
        return all(old is new for old, new in zip(before, home.cache_key, strict=True))

    assert is_kept({"c": {LAMP: {"+": {"s": "off", "a": {"brightness": 3}}}}})
    assert not is_kept({"c": {LAMP: {"+": {"a": {"friendly_name": "Flamingo"}}}}})
    assert not is_kept({"a": {"light.new": {"s": "on", "c": "id", "lc": 5.0}}})
    assert not is_kept({"r": ["light.new"]})
    registries = home.registries
    home.registries = replace(registries)
    assert home.cache_key[0] is not registries


def test_removed_state_is_gone(home: Home) -> None:
    assert home.apply_states({"r": [LAMP]})
    assert LAMP not in home.states
    assert LAMP not in home.states_in("light")


def test_change_touches_only_what_it_names(home: Home) -> None:
    old = home.states[LAMP]
    assert home.apply_states({"c": {LAMP: {"+": {"a": {"brightness": 7}, "lu": 9.0}, "-": {"a": ["effect"]}}}})
    new = home.states[LAMP]
    assert (new.state, new.last_changed, new.context) == (old.state, old.last_changed, old.context)
    assert new.last_updated == 9.0
    assert new.attributes == {key: value for key, value in old.attributes.items() if key != "effect"} | {
        "brightness": 7
    }


def test_change_of_state_is_also_an_update(home: Home) -> None:
    home.apply_states({"c": {LAMP: {"+": {"s": "off", "lc": 11.0}}}})
    assert (home.states[LAMP].last_changed, home.states[LAMP].last_updated) == (11.0, 11.0)


def test_change_of_a_contexts_id_keeps_its_user(home: Home) -> None:
    home.apply_states({"c": {LAMP: {"+": {"c": {"id": "1", "user_id": "somebody"}, "lu": 1.0}}}})
    home.apply_states({"c": {LAMP: {"+": {"c": "2", "lu": 2.0}}}})
    assert home.states[LAMP].context == {"id": "2", "parent_id": None, "user_id": "somebody"}


def test_earlier_states_are_not_changed_by_later_events(home: Home) -> None:
    old = home.states[LAMP]
    before = dict(old.attributes)
    home.apply_states({"c": {LAMP: {"+": {"a": {"brightness": 99}, "lu": 3.0}}}})
    assert old.attributes == before


@pytest.mark.parametrize(
    "event",
    [
        None,
        [],
        {"a": ["light.x"]},
        {"r": "light.x"},
        {"c": {"light.never_seen": {"+": {"s": "on"}}}},
        {"c": {LAMP: "x"}},
        {"c": {LAMP: {"+": {"a": [1]}}}},
        {"c": {LAMP: {"+": {"s": None}}}},
        {"c": {LAMP: {"+": {"lc": "soon"}}}},
        {"a": {"light.broken": {"s": None, "a": None, "c": None, "lc": None}}},
        {"a": {"light.broken": {}}},
        {"a": {"light.future": {"s": "on", "a": {}, "c": "x", "lc": 1e300}}},
        {"a": {"light.nan": {"s": "on", "a": {}, "c": "x", "lc": float("nan")}}},
        {"a": {"light." + "k" * 1000: {"s": "on", "a": {}, "c": "x", "lc": 1}}},
        {"a": {"nodomain": {"s": "on", "a": {}, "c": "x", "lc": 1}}},
    ],
)
def test_nonsense_is_left_out_and_said(home: Home, event: Any) -> None:
    before = dict(home.states)
    assert not home.apply_states(event)
    assert dict(home.states) == before


def test_nonsense_does_not_keep_the_rest_of_an_event_out(home: Home) -> None:
    assert not home.apply_states({"a": {"light.bad": {}}, "c": {LAMP: {"+": {"s": "off", "lc": 1.0}}}})
    assert home.states[LAMP].state == "off"


def test_without_a_list_exposure_is_what_the_entries_say() -> None:
    results = small_home()
    listed = home_from_results(results)
    results["homeassistant/expose_entity/list"] = None
    unlisted = home_from_results(results)
    assert unlisted.registries.exposed == listed.registries.exposed & listed.registries.entities.keys()
    assert "media_player.living_room" in listed.registries.exposed - unlisted.registries.exposed


def test_entity_updates_that_change_nothing_keep_the_registries(home: Home) -> None:
    rows = {row["entity_id"]: row for row in small_home()["config/entity_registry/list"][:3]}
    entries = small_home()["config/entity_registry/get_entries"]
    same = {entity_id: {**row, **entries.get(entity_id, {})} for entity_id, row in rows.items()}
    assert home.registries.with_entities(same) is home.registries
    assert home.registries.with_entities({"light.never_there": None}) is home.registries
    assert home.registries.with_parts(areas=dict(home.registries.areas)) is home.registries


def test_renamed_entity_moves_to_the_end(home: Home) -> None:
    row = {"entity_id": "light.renamed", "aliases": ["lamp"]}
    new = home.registries.with_entities({LAMP: None, "light.renamed": row})
    assert LAMP not in new.entities
    assert list(new.entities)[-1] == "light.renamed"
    assert new.touched == ("light.renamed",)
    assert LAMP in home.registries.entities


def test_removed_entity_leaves_the_indexes() -> None:
    registries = Registries(entities={"light.a": replace(_entity("light.a"), device_id="d")})
    assert registries.entities_by_device["d"]
    assert registries.with_entities({"light.a": None}).entities_by_device == {}


def _entity(entity_id: str) -> Any:
    return home_from_results({"config/entity_registry/list": [{"entity_id": entity_id}]}).registries.entities[entity_id]
