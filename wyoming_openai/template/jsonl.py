"""One line of `render --jsonl`: a template in, its result, its error or the reason to ask Home Assistant out."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from ..hass.home import Home
from .compiled import compile_template
from .errors import NeedsHomeAssistant, TemplateError, UnknownFunction
from .native import jsonable


def answer_line(line: Mapping[str, Any], home: Home) -> dict[str, Any]:
    """`{"template", "variables"?, "now"?}` → `{"result", "text"}`, `{"error"}` or `{"fallback"}`.

    A home in a file has no integrations that could add functions: an unknown one is the error that it is.
    """
    try:
        now = datetime.fromisoformat(line["now"]) if line.get("now") else None
        template = compile_template(line["template"])
        value, text = template.render_native(home, line.get("variables"), now=now)
    except UnknownFunction as error:
        return {"error": str(error)}
    except NeedsHomeAssistant as error:
        return {"fallback": str(error)}
    except TemplateError as error:
        return {"error": str(error)}
    return {"result": jsonable(value, text), "text": text}
