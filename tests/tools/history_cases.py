"""Questions about the past of the recorded home, and what the answer must say: worked out by hand."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Case:
    """A question, how a model asks the tool for it, and what the result says."""

    question: str
    arguments: dict[str, Any]
    says: tuple[str, ...]
    needs_present: bool = False
    """The answer comes from the state now, which a Home Assistant with copied rows does not have."""

    def __str__(self) -> str:
        return self.question


def case(question: str, *says: str, needs_present: bool = False, **arguments: Any) -> Case:
    return Case(question, arguments, says, needs_present)


DOOR = {"name": "Front Door"}
OUTSIDE = {"name": "Outside Temperature"}

CASES = [
    # When?
    case(
        "When was the front door last opened?",
        "last became open at Mon 26 Oct 2026 14:30, and has been since (30 min)",
        **DOOR, period="today", measure="last", state="open",
    ),
    case(
        "When was it last closed?",
        "last became closed at Mon 26 Oct 2026 12:20, for 2 h 10 min, then open from Mon 26 Oct 2026 14:30",
        **DOOR, period="today", measure="last", state="closed",
    ),
    case(
        "When was it first opened today?",
        "first became open at 07:12:05 (for 1 min 30 s)",
        "it was already open when that began",
        **DOOR, period="today", measure="first", state="open",
    ),
    case(
        "When was it last opened on Saturday?",
        "last became open at Sat 24 Oct 2026 22:00, for 30 min, then closed",
        **DOOR, period="saturday", measure="last", state="open",
    ),
    case(
        "When was it last opened yesterday?",
        "last became open at Sun 25 Oct 2026 23:50, and still was when that ended (10 min)",
        **DOOR, period="yesterday", measure="last", state="open",
    ),
    case(
        "When was it last opened before today's breakfast?",
        "not in that period; before it, last became open at Sun 25 Oct 2026 23:50, for 30 min, then closed",
        **DOOR, period="2026-10-26T00:30/2026-10-26T07:00", measure="last", state="open",
    ),
    case(
        "When was the blind opened?",
        "not in that period; before it, last became open at Sun 18 Oct 2026 07:00, and has been since (8 d 9 h)",
        name="Living Room Blind", period="today", measure="last", state="open",
    ),
    case(
        "When was the blind last closed?",
        "closed since at least Sun 18 Oct 2026 06:00 until Sun 18 Oct 2026 07:00, not since",
        name="Living Room Blind", period="ever", measure="last", state="closed",
    ),
    case(
        "When did Anna come home?",
        "last became home at Mon 26 Oct 2026 14:00, and has been since (1 h)",
        name="Anna", period="today", measure="last", state="home",
    ),
    case(
        "When did Anna leave?",
        "last became away at Mon 26 Oct 2026 07:45, for 6 h 15 min, then home from Mon 26 Oct 2026 14:00",
        name="Anna", period="today", measure="last", state="away",
    ),
    case(
        "When did the state of the television last change?",
        "last changed from paused to off at Sun 25 Oct 2026 19:30",
        name="Television", period="today", measure="last",
    ),
    case(
        "When was it last over 15 degrees outside?",
        "last became >15 at Sun 25 Oct 2026 15:00, for 5 h, then 12.0 °C from Sun 25 Oct 2026 21:00",
        **OUTSIDE, period="today", measure="last", state=">15",
    ),
    case(
        "Has the garage ever been opened by the lock's account?",
        "not jammed since at least Mon 26 Oct 2026 09:00 (nothing older was found)",
        name="Garage Lock", period="ever", measure="last", state="jammed",
    ),
    case(
        "When did the doorbell ring last?",
        "last fired at Mon 26 Oct 2026 10:45",
        name="Doorbell", period="today", measure="last",
    ),
    case(
        "When did the night light automation last run?",
        "last run at Mon 26 Oct 2026 06:45",
        name="Night Light", period="today", measure="last",
    ),
    # How long?
    case(
        "How long was the front door open yesterday?",
        "open for 1 h 25 min in all, of 25 h",
        **DOOR, period="yesterday", measure="duration", state="open",
    ),
    case(
        "How long has it been open today?",
        "open for 1 h 6 min 30 s in all, of 15 h; not known (unavailable) for 5 min",
        **DOOR, period="today", measure="duration", state="open",
    ),
    case(
        "How long was it open at the weekend?",
        "open for 1 h 55 min in all, of 2 d 1 h",
        **DOOR, period="2026-10-24/2026-10-25", measure="duration", state="open",
    ),
    case(
        "How long was it open in the hour that came twice?",
        "open for 35 min in all, of 2 h",
        **DOOR, period="2026-10-25T02:00+02:00/2026-10-25T03:00+01:00", measure="duration", state="open",
    ),
    case(
        "How long was the attic window open on 29 March?",
        "open for 1 h in all, of 23 h",
        name="Attic Window", period="2026-03-29", measure="duration", state="open",
    ),
    case(
        "How long has the blind been open this week?",
        "open for 15 h in all, of 15 h",
        name="Living Room Blind", period="this_week", measure="duration", state="open",
    ),
    case(
        "How long was the television on yesterday?",
        "on for 1 h 30 min in all, of 25 h",
        name="Television", period="yesterday", measure="duration", state="on",
    ),
    case(
        "How long did it play yesterday?",
        "off for 23 h 30 min; playing for 1 h; paused for 30 min; of 25 h",
        name="Television", period="yesterday", measure="duration",
    ),
    case(
        "How long did the heating really heat today?",
        "heating for 1 h 30 min in all, of 15 h",
        name="Living Room Heating", period="today", measure="duration", state="heating",
    ),
    case(
        "How long was the heating on today?",
        "on for 13 h in all, of 15 h",
        name="Living Room Heating", period="today", measure="duration", state="on",
    ),
    case(
        "How long was Anna away today?",
        "away for 6 h 15 min in all, of 15 h",
        name="Anna", period="today", measure="duration", state="away",
    ),
    case(
        "How long was Anna at work today?",
        "Work for 4 h 45 min in all, of 15 h",
        name="Anna", period="today", measure="duration", state="Work",
    ),
    case(
        "For how long was it warmer than ten degrees yesterday?",
        ">10 for 8 h in all, of 25 h; not known (unavailable) for 1 h",
        **OUTSIDE, period="yesterday", measure="duration", state=">10",
    ),
    case(
        "How long was the garage unlocked today?",
        "unlocked for 5 min in all, of 15 h",
        "recorded only since 09:00; nothing is known before",
        name="Garage Lock", period="today", measure="duration", state="unlocked",
    ),
    case(
        "How long has the hall light been on today?",
        "on for 5 h in all, of 15 h",
        "recorded only since 10:00",
        needs_present=True,
        name="Hall Light", period="today", measure="duration", state="on",
    ),
    # How often?
    case(
        "How often was the front door opened yesterday?",
        "became open 3 times: 01:30 (for 45 min); 02:40 CET (for 30 min); 23:50 (until the end)",
        **DOOR, period="yesterday", measure="count", state="open",
    ),
    case(
        "How often was it opened today?",
        "became open 3 times: 07:12:05 (for 1 min 30 s); 12:00 (for 20 min); 14:30 (until the end)",
        "it was already open when that began",
        **DOOR, period="today", measure="count", state="open",
    ),
    case(
        "How often was the front door opened this month?",
        "became open 7 times",
        "recorded only since Tue 20 Oct 2026 08:00",
        **DOOR, period="this_month", measure="count", state="open",
    ),
    case(
        "How often did the pump start today?",
        "became on once: 03:00 (for 1 h)",
        name="Pump", period="today", measure="count", state="on",
    ),
    case(
        "How often was the garage unlocked today?",
        "became unlocked once: 10:00 (for 5 min)",
        name="Garage Lock", period="today", measure="count", state="unlocked",
    ),
    case(
        "How often did the doorbell ring today?",
        "fired 2 times: 09:30; 10:45",
        name="Doorbell", period="today", measure="count",
    ),
    case(
        "How often did the night light automation run today?",
        "run 2 times: 06:15; 06:45",
        name="Night Light", period="today", measure="count",
    ),
    case(
        "How often did it get warmer than ten degrees yesterday?",
        "became >10 once: 15:00",
        **OUTSIDE, period="yesterday", measure="count", state=">10",
    ),
    case(
        "How often was the blind opened last week?",
        "became open 0 times",
        "it was already open when that began",
        name="Living Room Blind", period="last_week", measure="count", state="open",
    ),
    # How much?
    case(
        "How cold did it get yesterday?",
        "lowest 4 °C at 06:00",
        "known for 24 h of 25 h",
        **OUTSIDE, period="yesterday", measure="min",
    ),
    case("How warm did it get yesterday?", "highest 16 °C at 15:00", **OUTSIDE, period="yesterday", measure="max"),
    case("How warm was it on average yesterday?", "mean 9.25 °C", **OUTSIDE, period="yesterday", measure="mean"),
    case("How cold was it last night?", "lowest 2.5 °C at 05:00", **OUTSIDE, period="today", measure="min"),
    case("And on average today?", "mean 7.27 °C", **OUTSIDE, period="today", measure="mean"),
    case(
        "What was it like outside in the last 24 hours?",
        "lowest 2.5 °C at Mon 26 Oct 2026 05:00",
        "highest 16 °C at the beginning (Sun 25 Oct 2026 15:00)",
        "mean 9.78 °C",
        **OUTSIDE, period="last_24_hours",
    ),
    case(
        "What was the mean on the day the clocks went forward?",
        "mean 9.2 °C",
        **OUTSIDE, period="2026-03-29", measure="mean",
    ),
    case(
        "What was the coldest moment of last year?",
        "lowest -12.3 °C at Wed 15 Jan 2025 06:00 or within the hour after",
        **OUTSIDE, period="2025", measure="min",
    ),
    case(
        "How cold did it get in the living room today?",
        "lowest 18 °C at 06:00",
        name="Living Room Heating", period="today", measure="min",
    ),
    case(
        "How much energy did the house use yesterday?",
        "sum 5.2 kWh",
        name="House Energy", period="yesterday", measure="sum",
    ),
    case("And today?", "sum 2.55 kWh", name="House Energy", period="today", measure="sum"),
    case(
        "Day by day?",
        "Sun 25 Oct 2026: 5.2 kWh",
        "Mon 26 Oct 2026: 2.55 kWh",
        name="House Energy", period="2026-10-25/2026-10-26", measure="list",
    ),
    case(
        "How much did the sun give last month?",
        "sum 105 kWh",
        name="Solar Yield", period="last_month", measure="sum",
    ),
    case(
        "How much has it given this month?",
        "sum 76.5 kWh",
        name="Solar Yield", period="this_month", measure="sum",
    ),
    case(
        "How much energy did the washer use today?",
        "sum 3.5 kWh (added up from the power)",
        name="Washer Power", period="today", measure="sum",
    ),
    case("How many visits were there today?", "sum 7 visits", name="Visits", period="today", measure="sum"),
    case(
        "How many yesterday?",
        "sum 4 visits",
        "recorded only since 08:00",
        name="Visits", period="yesterday", measure="sum",
    ),
    # What was it then?
    case(
        "How warm was it at ten yesterday?",
        "at Sun 25 Oct 2026 10:00: 4.0 °C",
        **OUTSIDE, period="2026-10-25T10:00", measure="at",
    ),
    case(
        "Was the door open at ten past two in the night, summer time?",
        "at Sun 25 Oct 2026 02:10 CEST: open",
        **DOOR, period="2026-10-25T02:10:00+02:00", measure="at",
    ),
    case(
        "And an hour later, at ten past two winter time?",
        "at Sun 25 Oct 2026 02:10 CET: closed",
        **DOOR, period="2026-10-25T02:10:00+01:00", measure="at",
    ),
    case(
        "What happened at the door this morning?",
        "00:00 open; 00:20 closed; 07:12:05 open; 07:13:35 closed",
        **DOOR, period="2026-10-26T00:00/2026-10-26T09:00", measure="list",
    ),
    # Nothing known
    case(
        "How cold was the freezer yesterday?",
        "no number is recorded",
        name="Freezer", period="yesterday", measure="max",
    ),
    case(
        "How warm was it in 2020?",
        "no number is recorded",
        **OUTSIDE, period="2020", measure="mean",
    ),
    case(
        "How often was the door opened in September?",
        "nothing is recorded",
        **DOOR, period="2026-09", measure="count", state="open",
    ),
]  # fmt: skip
