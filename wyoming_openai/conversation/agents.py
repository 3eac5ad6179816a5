"""The agents of the program: who answers what reaches whose address."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ..hass.mirror import Mirror
from ..llm import ChatModel
from ..messages import Utterance
from ..settings.options import AgentSettings
from .assistant import Assistant
from .caller import identify_caller


@dataclass(frozen=True, slots=True)
class Agent:
    """An assistant with a name, an address perhaps, and perhaps devices that only it answers."""

    settings: AgentSettings
    assistant: Assistant
    model: ChatModel | None
    devices: tuple[str, ...] = ()
    """Names or ids."""

    @property
    def name(self) -> str:
        return self.settings.name


class Agents:
    """All agents; one of them at least has an address."""

    def __init__(self, agents: Sequence[Agent], mirror: Mirror) -> None:
        self._agents = tuple(agents)
        self._mirror = mirror
        listening = self.listening
        self.first = next((agent for agent in listening if not agent.devices), listening[0])
        """Answers whoever reaches its address, but for devices that are bound to another."""

    def __iter__(self) -> Iterator[Agent]:
        return iter(self._agents)

    @property
    def listening(self) -> tuple[Agent, ...]:
        return tuple(agent for agent in self._agents if agent.settings.listens)

    def named(self, name: str) -> Agent | None:
        return next((agent for agent in self._agents if agent.name.casefold() == name.casefold()), None)

    def answering(self, asked: Agent, utterance: Utterance) -> Agent:
        """Who answers: the agent that was asked; for the first one's bound devices the agent they are bound to."""
        if asked is not self.first:
            return asked
        caller = identify_caller(self._mirror.home, utterance)
        ids = {utterance.device_id, utterance.satellite_id}
        bound = (
            agent
            for agent in self._agents
            if any(device in ids or caller.is_called(device) for device in agent.devices)
        )
        return next(bound, asked)
