"""How it is: what is connected, what it cost, how fast it was, what was said last."""

import statistics
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from urllib.parse import urlsplit

from aiohttp import web

from ... import PROJECT
from ...conversation.turn_log import Tally
from ...hass.mirror import FixedMirror, Phase
from ...messages import CALLER_LEFT
from ...usage.prices import NANO
from ...usage.report import forecast_month
from ..parts import AdminParts, PageAgent
from ..rendering import PARTS, json, page, zone_of
from .conversations import place_of


@dataclass(frozen=True, slots=True)
class ConnectionStatus:
    """One thing we depend on: whether it is well, and what to do if not."""

    name: str
    state: str
    """good, waiting or bad."""
    text: str
    advice: str = ""
    link: str = ""


ADVICE = {
    Phase.CONNECTING: "It is usually there within seconds.",
    Phase.STARTING: "Home Assistant is still starting; wait until it is through.",
    Phase.LOST: "Check that Home Assistant runs and that its address is right. It is tried again and again by itself.",
    Phase.AUTH_FAILED: "Create a new long-lived access token in your Home Assistant profile (Security), and set it.",
}


def connections(parts: AdminParts) -> list[ConnectionStatus]:
    """The home, the model, those who ask."""
    return [_home(parts), *_models(parts), _callers(parts)]


def in_use(parts: AdminParts) -> str:
    """Which home it is, and how it stands with it."""
    mirror, path = parts.mirror(), parts.settings().home
    if not isinstance(mirror, FixedMirror):
        return mirror.status.reason
    return f"The home in {path.name}" if path else "The demo home that comes with the program"


def _home(parts: AdminParts) -> ConnectionStatus:
    mirror = parts.mirror()
    status = mirror.status
    if isinstance(mirror, FixedMirror):
        return ConnectionStatus("Home", "waiting", in_use(parts), "Connect your own Home Assistant.", "setup")
    if status.phase is not Phase.READY:
        state = "bad" if status.phase in (Phase.LOST, Phase.AUTH_FAILED) else "waiting"
        return ConnectionStatus("Home", state, status.reason, ADVICE[status.phase], "setup")
    if mirror.home is not None and not mirror.home.registries.exposed:
        advice = "In Home Assistant, open Settings > Voice assistants > Expose, and choose what it may know."
        return ConnectionStatus("Home", "bad", "Nothing is exposed to Assist, so there is nothing to tell.", advice)
    return ConnectionStatus("Home", "good", status.reason)


def _models(parts: AdminParts) -> list[ConnectionStatus]:
    agents = parts.agents()
    if not any(agent.model for agent in agents):
        text = "None: the local engine answers simple questions about states."
        return [ConnectionStatus("Model", "waiting", text, "Add an API key for a language model.", "setup")]
    ended = (turn for turn in parts.turns.latest(20) if turn.failure != CALLER_LEFT)
    last = next((turn for turn in ended if turn.model or turn.failure), None)
    names = ", ".join(sorted({agent.model for agent in agents if agent.model}))
    advice = "Test the key and the address."
    if last is not None and last.failure:
        return [ConnectionStatus("Model", "bad", f"{names}: {last.failure}", advice, "setup")]
    wanted = {agent.name: agent.model for agent in agents}
    if last is not None and last.model != wanted.get(last.agent, last.model):
        text = f"{wanted[last.agent]} did not answer last; {last.model} did in its place."
        return [ConnectionStatus("Model", "waiting", text, advice, "setup")]
    return [ConnectionStatus("Model", "good", f"{names}{'' if last else ', not asked yet'}")]


def _callers(parts: AdminParts) -> ConnectionStatus:
    where = "; ".join(f"{agent.name} {_door(agent)}" for agent in parts.agents())
    if parts.turns.tally.last is None:
        advice = "In Home Assistant: Settings > Devices & services > Add integration > Wyoming Protocol."
        return ConnectionStatus("Callers", "waiting", f"{where}. Nobody has asked since the start.", advice, "setup")
    return ConnectionStatus("Callers", "good", f"{where}.")


def _door(agent: PageAgent) -> str:
    if agent.uri == "off":
        return "answers the devices that are bound to it"
    port = urlsplit(agent.uri).port if agent.uri.startswith("tcp:") else None
    return f"listens on port {port}" if port is not None else f"listens on {agent.uri}"


def figures(parts: AdminParts) -> dict[str, object]:
    """The numbers of the day, in nano-dollars and milliseconds."""
    tally, budget, ledger = parts.turns.tally, parts.budgets().total, parts.ledger
    spent = ledger.spent()["all"] if ledger else None
    return {
        "turns": sum(tally.turns.values()),
        "turns_today": parts.turns.count(midnight(parts)) if parts.turns.days else None,
        "failures": tally.failures,
        "median_ms": statistics.median(tally.latencies) if tally.latencies else None,
        "p95_ms": sorted(tally.latencies)[int(len(tally.latencies) * 0.95)] if tally.latencies else None,
        "questions_today": spent.questions if spent else None,
        "cost_today": spent.day if spent else None,
        "cost_month": spent.month if spent else None,
        "forecast_month": forecast_month(ledger) if ledger else None,
        "budget_day": round(budget.day * NANO) if budget.day is not None else None,
        "budget_month": round(budget.month * NANO) if budget.month is not None else None,
    }


def midnight(parts: AdminParts) -> float:
    """When today began in the home, in seconds since 1970."""
    home = parts.mirror().home
    now = datetime.now(zone_of(home.config.time_zone if home else "UTC"))
    return now.replace(hour=0, minute=0, second=0, microsecond=0).timestamp()


async def show(request: web.Request) -> web.Response:
    """The overview; a first visit without a home or a key is led to the set-up."""
    parts = request.app[PARTS]
    return page(
        request,
        "overview.html",
        connections=connections(parts),
        figures=figures(parts),
        turns=parts.turns.latest(6),
        place_of=lambda turn: place_of(parts.mirror().home, turn),
        days=parts.turns.days,
        is_new=isinstance(parts.mirror(), FixedMirror) and not parts.settings().uses_any_model,
    )


async def status(request: web.Request) -> web.Response:
    """The same for a program."""
    parts = request.app[PARTS]
    return json({"connections": [asdict(each) for each in connections(parts)], **figures(parts)})


async def health(request: web.Request) -> web.Response:
    """Whether the program runs; how the home is does not matter to who would restart us."""
    return json({"status": "ok", "program": PROJECT})


async def metrics(request: web.Request) -> web.Response:
    """Counts for Prometheus."""
    parts = request.app[PARTS]
    text = "\n".join((*_of_turns(parts.turns.tally), *_of_home(parts), *_of_cost(parts), ""))
    return web.Response(body=text.encode(), headers={"Content-Type": "text/plain; version=0.0.4; charset=utf-8"})


def _of_turns(tally: Tally) -> list[str]:
    lines = ["# TYPE wyoming_openai_turns_total counter"]
    for (agent, engine), count in sorted(tally.turns.items()):
        lines.append(f'wyoming_openai_turns_total{{agent="{_label(agent)}",engine="{_label(engine)}"}} {count}')
    lines += ["# TYPE wyoming_openai_failed_turns_total counter", f"wyoming_openai_failed_turns_total {tally.failures}"]
    lines.append("# TYPE wyoming_openai_tokens_total counter")
    lines += [f'wyoming_openai_tokens_total{{kind="{kind}"}} {count}' for kind, count in sorted(tally.tokens.items())]
    lines += ["# TYPE wyoming_openai_turn_seconds_total counter", f"wyoming_openai_turn_seconds_total {tally.seconds}"]
    return lines


def _of_home(parts: AdminParts) -> list[str]:
    mirror = parts.mirror()
    home = mirror.home
    age = (datetime.now(UTC) - mirror.status.since).total_seconds()
    return [
        "# TYPE wyoming_openai_home_fresh gauge",
        f"wyoming_openai_home_fresh {int(mirror.fresh)}",
        "# TYPE wyoming_openai_home_phase_seconds gauge",
        f"wyoming_openai_home_phase_seconds {age:.0f}",
        "# TYPE wyoming_openai_entities gauge",
        f'wyoming_openai_entities{{exposed="true"}} {len(home.registries.exposed) if home else 0}',
        f'wyoming_openai_entities{{exposed="any"}} {len(home.states) if home else 0}',
    ]


def _of_cost(parts: AdminParts) -> list[str]:
    if parts.ledger is None:
        return []
    spent = parts.ledger.spent()["all"]
    lines = ["# TYPE wyoming_openai_cost_usd gauge"]
    for period, cost in (("day", spent.day), ("month", spent.month)):
        lines.append(f'wyoming_openai_cost_usd{{period="{period}"}} {cost / NANO:.9f}')
    return lines


def _label(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", " ")
