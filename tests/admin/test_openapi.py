"""The description of the API names every path that there is, and no other; answers have the fields it promises."""

from typing import Any

import orjson
import pytest

from tests.admin.conftest import Browser
from tests.fakes.model import ScriptedModel, say
from wyoming_openai.admin import AdminParts, create_app
from wyoming_openai.admin.rendering import HERE

SPEC = orjson.loads((HERE / "openapi.json").read_bytes())
READS = ["/api/status", "/api/prompt", "/api/home/areas", "/api/home/entities", "/api/home/why", "/api/turns"]
READS += ["/api/turns/1", "/api/usage", "/api/options", "/api/session"]


def test_it_describes_every_path_of_the_api(parts: AdminParts) -> None:
    described = {(path, method) for path, methods in SPEC["paths"].items() for method in methods}
    served = {
        (resource.canonical, route.method.lower())
        for resource in create_app(parts).router.resources()
        for route in resource
        if route.method != "HEAD"
        and (resource.canonical.startswith("/api/") or resource.canonical in ("/healthz", "/metrics", "/usage.csv"))
    }
    assert described == served


@pytest.mark.parametrize("path", READS)
async def test_an_answer_has_what_is_promised(browser: Browser, model: ScriptedModel, path: str) -> None:
    model.will(say("Fine."))
    await browser.send("POST", "/api/ask", json={"text": "How are you?"})
    _, text = await browser.get(path, params={"text": "Which lights are on?"} if path.endswith("why") else {})
    operation = SPEC["paths"][path.replace("/1", "/{id}")]["get"]
    fits(orjson.loads(text), operation["responses"]["200"]["content"]["application/json"]["schema"])


def fits(value: Any, schema: dict[str, Any]) -> None:
    """The value has all fields that the schema requires, and no others."""
    if "$ref" in schema:
        schema = SPEC["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    if schema.get("type") == "object":
        assert value.keys() >= set(schema["required"])
        assert "additionalProperties" in schema or value.keys() <= schema["properties"].keys()
        for name, part in schema["properties"].items():
            fits(value[name], part)
    elif schema.get("type") == "array":
        for each in value:
            fits(each, schema["items"])
    elif schema.get("type") == "string":
        assert isinstance(value, str)
