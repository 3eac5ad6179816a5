"""Homes of any size, as raw websocket results: for benchmarks and for tests of limits."""

from typing import Any

STAMP = 1_795_000_000.0
ROOMS = ("Kitchen", "Bedroom", "Office", "Hallway", "Bathroom", "Studio", "Workshop", "Nursery", "Library", "Pantry")
KINDS = (
    ("light", "", "Ceiling light", "off", {}),
    ("light", "", "Reading lamp", "on", {"brightness": 120}),
    ("sensor", "temperature", "Temperature", "21.4", {"unit_of_measurement": "°C"}),
    ("sensor", "humidity", "Humidity", "48", {"unit_of_measurement": "%"}),
    ("binary_sensor", "window", "Window", "off", {}),
    ("switch", "outlet", "Socket", "on", {}),
    ("cover", "shutter", "Shutter", "open", {"current_position": 100}),
    ("climate", "", "Radiator", "heat", {"current_temperature": 20.5, "temperature": 21}),
)


def large_home(entities: int) -> dict[str, Any]:
    """A home with this many entities, all exposed: rooms of eight, ten rooms to a floor."""
    floors, areas, devices, registry, states = [], [], [], [], {}
    for number in range(entities):
        room, kind = divmod(number, len(KINDS))
        if kind == 0:
            if room % 10 == 0:
                floors.append({"floor_id": f"floor_{room // 10}", "name": f"Floor {room // 10}", "level": room // 10})
            name = f"{ROOMS[room % len(ROOMS)]} {room}"
            areas.append({"area_id": f"area_{room}", "name": name, "floor_id": f"floor_{room // 10}"})
            devices.append({"id": f"device_{room}", "name": f"Node {room}", "area_id": f"area_{room}", "model": "N1"})
        domain, device_class, what, state, attributes = KINDS[kind]
        entity_id = f"{domain}.{ROOMS[room % len(ROOMS)].lower()}_{room}_{what.lower().replace(' ', '_')}"
        registry.append(
            {
                "entity_id": entity_id,
                "original_name": what,
                "device_id": f"device_{room}",
                "platform": "test",
                "options": {"conversation": {"should_expose": True}},
            }
        )
        shown = {"friendly_name": f"{ROOMS[room % len(ROOMS)]} {room} {what}", **attributes}
        shown |= {"device_class": device_class} if device_class else {}
        states[entity_id] = {"s": state, "a": shown, "c": f"{number:026d}", "lc": STAMP + number}
    return {
        "get_config": {"location_name": "Large home", "time_zone": "Europe/Berlin", "language": "en"},
        "config/floor_registry/list": floors,
        "config/area_registry/list": areas,
        "config/device_registry/list": devices,
        "config/entity_registry/list": registry,
        "subscribe_entities": {"a": states},
    }
