"""Everything that a model's server can do wrong, on the wire, and what it is called afterwards."""

from dataclasses import replace

from tests.fakes.openai_api import Api, Broken, HangUp, Raw, Say, Script, Silence, error, say, sse
from wyoming_openai.llm import (
    BadCredentials,
    ModelBusy,
    ModelError,
    ModelUnreachable,
    NoAnswer,
    QuotaExceeded,
    RequestRefused,
    TooSlow,
    UnknownModel,
)

_HTML = b"<html><head><title>Please log in</title></head></html>"
_SAID = say("It is on. ", "The door ", "is shut.")
HEARD = "It is on. The door "
"""What was said before a fault that comes late."""


def _refusals() -> dict[str, tuple[Script, type[ModelError]]]:
    return {
        "400": (error(400, "Invalid request.", type="invalid_request_error"), RequestRefused),
        "400 context": (error(400, "Your input is too long.", code="context_length_exceeded"), RequestRefused),
        "401": (error(401, code="invalid_api_key"), BadCredentials),
        "403": (error(403, "Country not supported"), BadCredentials),
        "404": (error(404, "The model `a-model` does not exist", code="model_not_found"), UnknownModel),
        "408": (error(408, "Request timed out."), ModelUnreachable),
        "409": (error(409, "Conflict."), ModelUnreachable),
        "413": (error(413, "Request too large."), RequestRefused),
        "422": (error(422, "Unprocessable entity."), RequestRefused),
        "429": (error(429, "Slow down", code="rate_limit_exceeded"), ModelBusy),
        "quota": (error(429, type="insufficient_quota", code="insufficient_quota"), QuotaExceeded),
        "500": (error(500), ModelUnreachable),
        "502 html": (Raw([_HTML], 502, "text/html"), ModelUnreachable),
        "503": (error(503), ModelUnreachable),
        "529": (error(529, type="overloaded"), ModelUnreachable),
    }


def _broken(api: Api, after: int) -> dict[str, tuple[Script, type[ModelError]]]:
    """What goes wrong after some pieces of text."""
    begun = Broken(_SAID, after)
    failed = {"type": "response.failed", "response": {"error": {"code": "server_error", "message": "Sorry"}}}
    shape = {"type": "response.output_text.delta", "delta": 7} if api == "responses" else {"choices": [{"delta": 7}]}
    return {
        "cut": (replace(begun, end="reset"), ModelUnreachable),
        "cut without an end": (replace(begun, end="cut"), ModelUnreachable),
        "cut politely": (begun, ModelUnreachable),
        "stalled": (replace(begun, end="stall"), TooSlow),
        "stalled with comments": (replace(begun, end="comments"), TooSlow),
        "bad JSON": (replace(begun, then=b'data: {"cho\n\n'), ModelUnreachable),
        "bad shape": (replace(begun, then=sse(shape)), ModelUnreachable),
        "bad UTF-8": (replace(begun, then=b"data: \xff\xfe\xc3\x28\n\n"), ModelUnreachable),
        "an error inside": (replace(begun, then={"code": "server_error", "message": "Sorry"}), ModelUnreachable),
        "one endless line": (replace(begun, then=b"data: " + b"x" * 400_000), ModelUnreachable),
        **({"failed": (replace(begun, then=sse(failed)), ModelUnreachable)} if api == "responses" else {}),
    }


def before_the_first_word(api: Api) -> dict[str, tuple[Script, type[ModelError]]]:
    """Faults that leave all the time to ask somebody else."""
    return {
        **_refusals(),
        **_broken(api, 0),
        "hung up": (HangUp(), ModelUnreachable),
        "silence": (Silence(), TooSlow),
        "empty": (say(), NoAnswer),
        "only a thought": (say(thought="Hm."), NoAnswer),
        "no text": (Raw([b'data: {"choices": []}\n\n', b"data: [DONE]\n\n"]), ModelUnreachable),
        "no stream": (Raw([b'{"id": "1", "choices": [], "output": []}'], 200, "application/json"), ModelUnreachable),
        "a login page": (Raw([_HTML], 200, "text/html"), ModelUnreachable),
    }


def after_a_word(api: Api) -> dict[str, tuple[Script, type[ModelError]]]:
    """Faults that come when somebody has already heard something."""
    return _broken(api, 2)


def endless(api: Api) -> Say:
    """An answer of a megabyte."""
    return say(*["The light is on. " * 60] * 1000)
