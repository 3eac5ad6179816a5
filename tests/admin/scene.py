"""A program that has been in use for a month, so that its pages have something to show."""

import random
import time
from dataclasses import dataclass, replace

from tests.admin.conftest import Program
from tests.fakes.model import ScriptedModel, call, say
from wyoming_openai.conversation.turn import TurnReport
from wyoming_openai.conversation.turn_log import TurnRecord
from wyoming_openai.conversation.turn_recorder import record_of
from wyoming_openai.messages import Usage, Utterance
from wyoming_openai.usage.budgets import Call
from wyoming_openai.usage.prices import Prices

DAY = 86_400.0
TALKS = (
    ("Which lights are on?", "Two lights are on: the one in the hall and the one above the kitchen table.", "kitchen"),
    ("How warm is it upstairs?", "The bedroom has 19.5 degrees, the bathroom 22.", "living_room"),
    ("Is the garage door closed?", "Yes, it has been closed since eight this morning.", "hallway"),
    ("When does the bin go out?", "Paper goes out tomorrow, and the black bin on Friday.", "kitchen"),
)
CONFIG = """
budget-day: 0.06
budget-month: 1
budget-agent-day: 0.05
budget-device-month: 1
agents:
  - name: House
    uri: tcp://0.0.0.0:10800
  - name: Super Mario
    persona: super_mario
    devices: [Hall phone]
"""
PERSONAS = ("House", "Super Mario")
DEVICES = ("Kitchen satellite", "Hall phone")


@dataclass
class Clock:
    """The time of the ledger."""

    now: float

    def __call__(self) -> float:
        return self.now


def spend(program: Program, clock: Clock, days: int = 30) -> None:
    """A month of calls, more in the evenings of weekends than else."""
    chance, prices, now = random.Random(7), Prices(), time.time()  # noqa: S311 - a picture
    for back in range(days - 1, -1, -1):
        clock.now = now - back * DAY
        for number in range(chance.randint(3, 9)):
            model = "gpt-4o-mini" if number % 3 else "gpt-4.1"
            wanted = Call(
                model, prices.of(model), 9000, 300, agent=PERSONAS[number % 4 == 3], device_id=DEVICES[number % 4 == 3]
            )
            with program.budgets.reserve(wanted) as account:
                account.settle(Usage(chance.randint(4000, 9000), 1024, chance.randint(20, 90), 0))


async def talk(program: Program, model: ScriptedModel) -> TurnRecord:
    """A few questions and answers; gives the last, which asked a tool."""
    program.turns.delete()
    for back, (question, answer, area) in enumerate(TALKS):
        await ask(program, model, question, answer, area, time.time() - (4 - back) * 7000)
    model.will(call("tell", '{"what": "forecast"}'))
    question = "Do I need an umbrella this afternoon?"
    return await ask(program, model, question, "Yes: from three o'clock on it will rain.", "hallway", time.time() - 60)


async def ask(program: Program, model: ScriptedModel, question: str, answer: str, area: str, at: float) -> TurnRecord:
    """A question, kept with the times that a model in the network takes."""
    reports: list[TurnReport] = []
    model.will(say(answer))
    agent = program.agents[0]
    async for _ in agent.assistant.reply(Utterance(question, area_id=area), reports.append):
        pass
    kept = record_of(reports[0], agent.name)
    slow = {"context": 11.0, "first_token": 640.0, "first_text": 690.0, "total": 1320.0}
    if kept.tools:
        slow |= {"tools": 700.0, "tools_done": 905.0, "first_text": 1480.0, "total": 2010.0}
    usage = Usage(2870, 1792, 31, 0)
    turn = replace(kept, at=at, timings_ms=slow, usage=usage, model="gpt-4o-mini", cost_usd=0.000405)
    return replace(turn, id=program.turns.add(turn))
