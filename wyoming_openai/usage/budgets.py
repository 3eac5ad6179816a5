"""Budgets: money is reserved before a model call and settled after it, so that many callers at once overspend nothing.

with budgets.reserve(call) as reservation:          # raises BudgetSpent before anything is sent
    reservation.sent()                              # from here on it costs something
    async for event in model.stream(request):
        reservation.add_output(text)                     # what a caller who leaves has used so far
    reservation.settle(reply.usage)                 # what it really cost
"""

import asyncio
import re
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Mapping
from dataclasses import astuple, dataclass, field, replace
from datetime import date
from functools import partial
from types import TracebackType
from typing import Self

import orjson

from ..llm import BadCredentials, ModelBusy, ModelError, ModelRequest, QuotaExceeded, RequestRefused, UnknownModel
from ..llm.models import ModelSettings
from ..messages import AssistantMessage, CannotAnswer, Message, ToolResult, Usage, UserMessage, Utterance
from ..tokens import estimate
from .ledger import Ledger, LedgerFull, Spent
from .ledger_file import Entry, Outcome
from .prices import NANO, Price, Prices

MAX_NAME = 128
"""Characters of an id that are kept; ids are claims of the caller."""
MAX_CALLERS = 1000
MAX_TOKENS = 10**8
MOST = 16
"""Times what was expected that a server may say it counted: proxies add prompts of their own."""
MINUTE = 60.0

NOT_BILLED = (BadCredentials, ModelBusy, QuotaExceeded, UnknownModel, RequestRefused)
"""Refusals before the model began to think."""

_NOT_PRINTED = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class BudgetLimits:
    """The most that may be spent in a day and in a month of UTC, in US dollars; None is no limit."""

    day: float | None = None
    month: float | None = None


@dataclass(frozen=True, slots=True)
class BudgetSettings:
    """Who may spend how much. The small default is a thousand questions a day to the default model."""

    total: BudgetLimits = BudgetLimits(day=0.50, month=5.00)
    agent: BudgetLimits = BudgetLimits()
    """For each agent that has none of its own."""
    agents: Mapping[str, BudgetLimits] = field(default_factory=dict)
    device: BudgetLimits = BudgetLimits()
    """For each device that has none of its own; calls without a device count as one."""
    devices: Mapping[str, BudgetLimits] = field(default_factory=dict)
    questions_per_minute: int | None = None
    """For each address that is not trusted."""
    questions_per_day: int | None = None


@dataclass(frozen=True, slots=True)
class Call:
    """A request that is about to be sent to a model, and who wants it."""

    model: str
    price: Price
    input_tokens: int
    """At most: see `input_bound`."""
    max_output_tokens: int
    agent: str = ""
    device_id: str | None = None
    conversation_id: str | None = None
    caller: str = ""
    """The network address whose questions are counted; empty for who is trusted."""
    kind: str = ""
    """What the question came from: a satellite, a phone, the command line."""
    question: bool = True
    """False for the rounds with tools after the first."""
    likely_input: Callable[[], int] = field(default=lambda: MAX_TOKENS, compare=False)
    """Tokens that it probably has, for a call of which nobody tells the true number."""


class BudgetSpent(CannotAnswer):
    """The call was not sent."""

    def __init__(self, sentence: str, detail: str, device: str = "", *, passing: bool = False) -> None:
        super().__init__(sentence, detail)
        self.device = device
        """Whose question it was."""
        self.passing = passing
        """Whether calls in flight, or a minute, may change it."""


def input_bound(request: ModelRequest) -> int:
    """Tokens that a request does not exceed: half its bytes. Prose takes a quarter, lists of states a half.

    What a stranger says may be chosen to take more: no token is less than a byte.
    """
    return (_tool_bytes(request) + sum(_bytes(message) for message in request.messages)) // 2 + 8 * (
        len(request.messages) + len(request.tools)
    )


def _tool_bytes(request: ModelRequest) -> int:
    return sum(len(orjson.dumps([tool.name, tool.description, dict(tool.parameters)])) for tool in request.tools)


def _bytes(message: Message) -> int:
    match message:
        case AssistantMessage(text, tool_calls, native):
            called = sum(len(call.name) + _length(call.arguments) for call in tool_calls)
            return max(_length(text) + called, len(orjson.dumps(native, default=str)) if native else 0)
        case ToolResult():
            return _length(message.content)
        case UserMessage(text):
            return 2 * _length(text)
    return _length(message.text)


def likely_input(request: ModelRequest) -> int:
    """Tokens that a request probably has."""
    told = (message.content if isinstance(message, ToolResult) else message.text for message in request.messages)
    return _tool_bytes(request) // 4 + sum(estimate(text) + 4 for text in told)


def _length(text: str) -> int:
    return len(text.encode("utf-8", "replace"))


class Budgets:
    """Says no before money is spent that is not there. One for all agents; may be used by many threads."""

    def __init__(
        self,
        ledger: Ledger,
        settings: BudgetSettings | None = None,
        *,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._ledger = ledger
        self.settings = settings or BudgetSettings()
        """May be replaced at any time."""
        self._monotonic = monotonic
        self._asked: OrderedDict[str, deque[float]] = OrderedDict()
        self._told: OrderedDict[tuple[str, str], date] = OrderedDict()

    def reserve(self, call: Call) -> "Reservation":
        """Set aside the most that a call can cost, in one step for everybody. Raises `BudgetSpent`."""
        entry = Entry(
            agent=_name(call.agent),
            model=_name(call.model),
            device=_name(call.device_id),
            caller=_name(call.caller),
            kind=_name(call.kind),
            conversation=_name(call.conversation_id),
            question=call.question,
            input=call.input_tokens,
            output=call.max_output_tokens,
            cost_nano_usd=call.price.at_most(call.input_tokens, call.max_output_tokens),
            basis=call.price.source,
        )
        try:
            return Reservation(self._ledger, self._ledger.begin(entry, lambda spent: self._check(entry, spent)), call)
        except LedgerFull as full:
            raise BudgetSpent("apology", str(full), entry.device, passing=True) from full

    def _check(self, entry: Entry, spent: Mapping[str, Spent]) -> None:
        if entry.question and entry.caller:
            self._check_minute(entry)
            asked = spent[f"caller:{entry.caller}"].questions
            most = self.settings.questions_per_day
            if most is not None and asked >= most:
                raise BudgetSpent("budget_spent", f"{entry.caller} has asked {asked} questions today", entry.device)
        if entry.cost_nano_usd == 0:
            return
        for scope, limits in self._limits(entry).items():
            sums = spent[scope]
            for sentence, period, sum_, limit in (
                ("budget_spent", "day", sums.day, limits.day),
                ("budget_month_spent", "month", sums.month, limits.month),
            ):
                if limit is None or sum_ + entry.cost_nano_usd <= round(limit * NANO):
                    continue
                worst = usd(entry.cost_nano_usd)
                detail = f"{scope}: {usd(sum_)} of {limit} USD a {period} are spent, a call may cost {worst}"
                if sum_ - sums.held + entry.cost_nano_usd <= round(limit * NANO):
                    raise BudgetSpent("busy", f"{detail}; {usd(sums.held)} may come back", passing=True)
                raise BudgetSpent(sentence, detail, entry.device)

    def _limits(self, entry: Entry) -> dict[str, BudgetLimits]:
        settings = self.settings
        return {
            "all": settings.total,
            f"agent:{entry.agent}": settings.agents.get(entry.agent, settings.agent),
            f"device:{entry.device}": settings.devices.get(entry.device, settings.device),
        }

    def _check_minute(self, entry: Entry) -> None:
        most = self.settings.questions_per_minute
        if most is None:
            return
        now = self._monotonic()
        asked = self._asked.setdefault(entry.caller, deque(maxlen=most))
        self._asked.move_to_end(entry.caller)
        if len(self._asked) > MAX_CALLERS:
            self._asked.popitem(last=False)
        if len(asked) == most and (not most or now - asked[0] < MINUTE):
            raise BudgetSpent("busy", f"{entry.caller} asks over {most} questions a minute", passing=True)
        asked.append(now)

    def is_first_notice(self, spent: BudgetSpent) -> bool:
        """Whether the device was not told yet on this day, or in this month; from now on it was."""
        if spent.passing:
            return False
        today = self._ledger.today()
        since = today.replace(day=1) if spent.sentence_key == "budget_month_spent" else today
        key = (spent.sentence_key, spent.device)
        told = self._told.get(key) == since
        self._told[key] = since
        if len(self._told) > MAX_CALLERS:
            self._told.popitem(last=False)
        return not told


class Reservation:
    """Money that is set aside for one call. What leaves the `with` unsettled is settled by how it was left."""

    def __init__(self, ledger: Ledger, entry: Entry, call: Call) -> None:
        self._ledger = ledger
        self._entry = entry
        self._call = call
        self._price = call.price
        self._started = time.perf_counter()
        self._sent = False
        self._heard = 0
        self.cost_nano_usd = entry.cost_nano_usd
        """Nano-dollars: the worst case, and the true cost once it is settled."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._entry.outcome != "open":
            return
        if error is None or isinstance(error, asyncio.CancelledError | GeneratorExit):
            self.cancel()
        else:
            refused = isinstance(error, NOT_BILLED) or (isinstance(error, ModelError) and error.refused)
            self.fail(billed=self._heard > 0 or not refused)

    def sent(self) -> None:
        """Note that the request is out."""
        self._sent = True

    def add_output(self, text: str) -> None:
        """Note output as it arrives."""
        self._sent = True
        self._heard += estimate(text)

    def settle(self, usage: Usage) -> None:
        """The call is done; a server that does not count tokens is charged for what we sent and heard."""
        self._sent = True
        usage = self._plausible(usage)
        counted = usage.input_tokens or usage.output_tokens
        self._finish(usage if counted else self._so_far(), "done")

    def cancel(self) -> None:
        """Nobody waits any more: what was sent was read, and what was heard was written."""
        self._finish(self._so_far(), "cancelled")

    def fail(self, *, billed: bool = True) -> None:
        """The call failed; what a provider refuses it does not bill."""
        self._finish(self._so_far() if billed else Usage(), "failed")

    def _so_far(self) -> Usage:
        if not self._sent:
            return Usage()
        return Usage(min(self._entry.input, self._call.likely_input()), output_tokens=self._heard)

    def _plausible(self, usage: Usage) -> Usage:
        """No count of a server's may earn money, or spend all of it."""
        given, made = MOST * (self._entry.input + 1000), MOST * self._entry.output
        most = (given, given, made, made, given)
        return Usage(*(min(max(count, 0), limit) for count, limit in zip(astuple(usage), most, strict=True)))

    def _finish(self, usage: Usage, outcome: Outcome) -> None:
        if self._entry.outcome != "open":
            return
        exact = outcome == "done" or usage == Usage()
        self.cost_nano_usd = (
            self._price.of(usage) if exact else self._price.at_most(usage.input_tokens, usage.output_tokens)
        )
        self._entry = replace(
            self._entry,
            input=usage.input_tokens,
            cached=usage.cached_tokens,
            cache_write=usage.cache_write_tokens,
            output=usage.output_tokens,
            reasoning=usage.reasoning_tokens,
            cost_nano_usd=self.cost_nano_usd,
            latency=round((time.perf_counter() - self._started) * 1000),
            outcome=outcome,
        )
        self._ledger.finish(self._entry)


class AgentBudget:
    """What one agent's model calls are paid from."""

    def __init__(self, budgets: Budgets, prices: Prices, agent: str) -> None:
        self._budgets = budgets
        self._prices = prices
        self._agent = agent

    def reserve(
        self, settings: ModelSettings, request: ModelRequest, utterance: Utterance, kind: str, *, question: bool
    ) -> Reservation:
        """Set aside what a call of a model can cost. Raises `BudgetSpent`."""
        return self._budgets.reserve(
            Call(
                model=settings.model,
                price=self._prices.of(settings.model, settings.base_url),
                input_tokens=input_bound(request),
                max_output_tokens=settings.max_tokens,
                agent=self._agent,
                device_id=utterance.device_id,
                conversation_id=utterance.conversation_id,
                caller=utterance.caller or "",
                kind=kind,
                question=question,
                likely_input=partial(likely_input, request),
            )
        )

    def is_first_notice(self, spent: BudgetSpent) -> bool:
        """Whether whoever asked was not told yet; from now on they were."""
        return self._budgets.is_first_notice(spent)


def usd(nano: int) -> str:
    """Money for a log line."""
    return f"{nano / NANO:.6f}"


def _name(text: str | None) -> str:
    """An id as it is kept: printable and short."""
    return _NOT_PRINTED.sub("", text or "")[:MAX_NAME]
