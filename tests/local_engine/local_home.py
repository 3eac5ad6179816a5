"""A small home with everything that the local engine has to tell apart."""

from typing import Any

from wyoming_openai.hass.home import Area, Config, Entity, Floor, Home, Registries, State

FLOORS = (Floor("ground", "Ground floor", 0), Floor("upper", "Upstairs", 1, ("first floor",)))
AREAS = (
    Area("kitchen", "Kitchen", "ground", ("Küche", "cuisine")),
    Area("living", "Living room", "ground", ("Wohnzimmer",), temperature_entity_id="sensor.living_temperature"),
    Area("bedroom", "Bedroom", "upper", ("Schlafzimmer",)),
    Area("garage", "Garage"),
)


def state(entity_id: str, value: str, name: str, **attributes: Any) -> State:
    return State(entity_id, value, {"friendly_name": name, **attributes}, 0.0, 0.0, {})


CELSIUS: dict[str, Any] = {"device_class": "temperature", "unit_of_measurement": "°C"}

STATES = (
    (state("light.kitchen_ceiling", "on", "Kitchen ceiling"), "kitchen", ("Küchenlampe", "plafonnier", "厨房灯")),
    (state("light.kitchen_counter", "off", "Kitchen counter"), "kitchen", ()),
    (state("light.living_lamp", "on", "Lamp"), "living", ("Stehlampe",)),
    (state("light.bedroom_lamp", "off", "Lamp"), "bedroom", ()),
    (state("light.tv_strip", "off", "Living room TV"), "living", ()),
    (state("switch.coffee", "unavailable", "Coffee machine"), "kitchen", ("Kaffeemaschine", "cafetière")),
    (state("cover.blind", "closed", "Blind", device_class="blind"), "living", ("Jalousie",)),
    (state("cover.skylight", "closed", "Skylight", device_class="window"), "bedroom", ("Dachfenster",)),
    (state("binary_sensor.window", "on", "Kitchen window", device_class="window"), "kitchen", ("Küchenfenster",)),
    (state("binary_sensor.front_door", "off", "Front door", device_class="door"), "living", ("Haustür",)),
    (state("lock.front_door", "locked", "Front door"), "living", ("Haustür",)),
    (state("sensor.living_temperature", "21.456", "Living room thermometer", **CELSIUS), "living", ()),
    (state("sensor.garage_temperature", "4.0", "Garage thermometer", **CELSIUS), "garage", ()),
    (state("sensor.boot", "2026-11-23T08:00:00+00:00", "Last boot", device_class="timestamp"), "garage", ()),
    (state("climate.bedroom", "heat", "Bedroom thermostat", current_temperature=18.5, temperature=20), "bedroom", ()),
    (state("person.anna", "home", "Anna"), None, ()),
    (state("person.bert", "not_home", "Bert"), None, ()),
    (state("weather.home", "rainy", "Forecast", temperature=8.5, temperature_unit="°C"), None, ()),
)

SECRET = state("light.hidden", "on", "Hidden light")
ZONES = (state("zone.home", "1", "Home"), state("zone.work", "0", "Work"))


def home(*changes: State, language: str = "en") -> Home:
    """The home, with some states as given."""
    entities = {
        each.entity_id: Entity(
            each.entity_id, aliases=(None, *aliases), area_id=area, should_expose=True, display_precision=1
        )
        for each, area, aliases in STATES
    }
    entities[SECRET.entity_id] = Entity(SECRET.entity_id, area_id="garage", should_expose=False)
    registries = Registries(
        floors={floor.id: floor for floor in FLOORS}, areas={area.id: area for area in AREAS}, entities=entities
    )
    states = {each.entity_id: each for each in (*(row[0] for row in STATES), SECRET, *ZONES, *changes)}
    return Home(Config(language=language), registries, states.values())
