"""Who is asking: a satellite in a room, a telephone, or nobody known. Pure."""

from dataclasses import dataclass
from typing import Literal

from ..hass.home import Device, Home
from ..messages import Utterance

Kind = Literal["satellite", "phone", "unknown"]


@dataclass(frozen=True, slots=True)
class Caller:
    """What an utterance came from. The transcript does not say it; Home Assistant's registries do."""

    kind: Kind = "unknown"
    device: Device | None = None

    @property
    def is_phone(self) -> bool:
        return self.kind == "phone"

    @property
    def keeps_listening(self) -> bool:
        """Whether a question of ours can be answered at once.

        A phone listens again after every answer, and who types can type on; a satellite closes its microphone.
        """
        return self.kind != "satellite"

    def is_called(self, name: str) -> bool:
        """Whether somebody means this device with an id or a name of it."""
        if self.device is None:
            return False
        names = (self.device.name, self.device.row.get("name_by_user"), self.device.row.get("name"))
        return name == self.device.id or name.casefold() in {str(each).casefold() for each in names if each}


def identify_caller(home: Home | None, utterance: Utterance) -> Caller:
    """The caller, as far as the registries know it."""
    entity = home.registries.entities.get(utterance.satellite_id or "") if home else None
    device_id = utterance.device_id or (entity and entity.device_id) or ""
    device = home.registries.devices.get(device_id) if home else None
    made_by = _integrations(device) | ({entity.platform} if entity else set())
    if "voip" in made_by:
        return Caller("phone", device)
    if "mobile_app" in made_by or not (device or utterance.satellite_id):  # an app is typed to, and shows the answer
        return Caller("unknown", device)
    return Caller("satellite", device)


def _integrations(device: Device | None) -> set[str]:
    identifiers = (device.row.get("identifiers") if device else None) or ()
    return {str(identifier[0]) for identifier in identifiers if identifier}
