"""What a real Home Assistant 2026.11 answered to several hundred templates."""

import json
from pathlib import Path
from typing import Any

import pytest

from wyoming_openai.hass.home import Home
from wyoming_openai.template import answer_line

BATTERY = Path(__file__).parent / "battery"


def _cases() -> list[Any]:
    return [
        pytest.param(case, id=f"{path.stem}.{case['name']}")
        for path in sorted(BATTERY.glob("*.json"))
        for case in json.loads(path.read_text(encoding="utf-8"))
    ]


@pytest.mark.usefixtures("machine_in_utc")
@pytest.mark.parametrize("case", _cases())
def test_template_answers_as_in_home_assistant(case: dict[str, Any], home: Home) -> None:
    answer = answer_line(case, home)
    if "remote" in case:
        assert answer.keys() == {"fallback"}
    elif "error" in case:  # the words are Python's, and differ between its versions
        assert answer.keys() == {"error"}
    else:
        assert answer.get("text") == case["text"]
        if "result" in case:
            # as JSON: 1, 1.0 and true differ
            assert json.dumps(answer["result"], sort_keys=True) == json.dumps(case["result"], sort_keys=True)
