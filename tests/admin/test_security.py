"""Strangers stay out, other sites change nothing, and every answer says what a browser may do with it."""

import asyncio

import pytest

from tests.admin.conftest import Browser
from wyoming_openai.admin import Access, AdminParts, RefusesToListen, create_app, gate, hash_password
from wyoming_openai.admin.security import GUESSES, MAX_SESSIONS, PAUSE, Guesses, Hosts, Sessions, fits, is_same_origin

PASSWORD = "correct horse"
PAGES = ["/", "/try", "/prompt", "/home", "/conversations", "/usage", "/options", "/setup"]


@pytest.fixture(scope="module")
def hashed() -> str:
    return hash_password(PASSWORD)


def test_a_password_is_kept_as_a_salted_hash(hashed: str) -> None:
    assert PASSWORD not in hashed
    assert hashed != hash_password(PASSWORD)
    assert fits(PASSWORD, hashed)
    assert not fits("correct horsf", hashed)


def test_a_short_password_is_refused() -> None:
    with pytest.raises(ValueError, match="8 to 256"):
        hash_password("short")


@pytest.mark.parametrize("uri", ["http://0.0.0.0:8099", "http://192.168.1.5:8099", "http://[::]:8099", "http://pi:80"])
def test_it_listens_for_others_only_with_a_password(uri: str, parts: AdminParts, hashed: str) -> None:
    with pytest.raises(RefusesToListen, match="password"):
        create_app(parts, uri)
    create_app(AdminParts(parts.agents, parts.mirror, parts.settings, parts.turns, access=Access(hashed)), uri)


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1:8099", "[::1]:8099", "192.168.1.5", "PI", "pi.example"])
def test_own_names_and_addresses_are_known(host: str) -> None:
    assert Hosts("pi", ["pi.example"]).know(host)


@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example", "a@localhost", "", "[", "localhost/x"])
def test_a_bent_name_is_not_known(host: str) -> None:
    assert not Hosts("127.0.0.1").know(host)


async def test_a_strange_host_gets_nothing(browser: Browser) -> None:
    status, text = await browser.get("/", headers={"Host": "evil.example"})
    assert status == 421
    assert "Connections" not in text


@pytest.mark.parametrize(
    ("site", "origin", "same"),
    [
        ("same-origin", None, True),
        ("cross-site", "http://home:8099", False),
        ("same-site", None, False),
        (None, "http://home:8099", True),
        (None, "http://home:9000", False),
        (None, "null", False),
        (None, None, True),
    ],
)
def test_the_origin_of_a_change(site: str | None, origin: str | None, same: bool) -> None:
    assert is_same_origin(site, origin, "home:8099") is same


@pytest.mark.parametrize("path", ["/options", "/conversations/delete", "/prompt", "/setup/home", "/logout"])
async def test_a_change_without_the_token_is_refused(browser: Browser, path: str) -> None:
    await browser.get("/")
    async with browser.client.post(path, data={"name": "Other"}) as response:
        assert response.status == 403
    async with browser.client.post(path, data={"name": "Other", "token": "0" * 64}) as response:
        assert response.status == 403


async def test_a_change_from_another_site_is_refused_even_with_the_token(browser: Browser) -> None:
    headers = {"X-Token": await browser.token(), "Origin": "http://evil.example"}
    async with browser.client.post("/conversations/delete", headers=headers) as response:
        assert response.status == 403


async def test_the_token_of_another_session_is_refused(browser: Browser) -> None:
    other = Sessions()
    token = other.token(other.open(known=True))
    await browser.get("/")
    async with browser.client.post("/conversations/delete", headers={"X-Token": token}) as response:
        assert response.status == 403


@pytest.mark.parametrize("path", [*PAGES, "/nowhere", "/api/nowhere", "/static/app.js", "/healthz"])
async def test_every_answer_tells_the_browser_what_it_may(browser: Browser, path: str) -> None:
    async with browser.client.get(path) as response:
        policy = response.headers["Content-Security-Policy"]
        assert policy.startswith("default-src 'none'")
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        assert response.headers["Cache-Control"] == "no-store"
        assert response.headers["Referrer-Policy"] == "no-referrer"
        assert "Server" not in response.headers


async def test_the_cookie_is_for_this_site_and_no_script(browser: Browser) -> None:
    async with browser.client.get("/") as response:
        cookie = response.headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie


async def test_a_large_body_is_refused(browser: Browser) -> None:
    status, _ = await browser.send("POST", "/api/prompt/preview", data=b"x" * 70_000)
    assert status == 413


async def test_without_the_password_only_the_login_is_seen(open_page, parts: AdminParts, hashed: str) -> None:
    browser = await open_page(parts, access=Access(hashed))
    for path in PAGES:
        assert (await browser.get(path))[0] == 303
    assert (await browser.get("/api/status"))[0] == 401
    assert (await browser.get("/metrics"))[0] == 303
    assert (await browser.get("/healthz"))[0] == 200
    status, text = await browser.get("/login")
    assert status == 200
    assert "Conversations" not in text


async def test_the_password_opens_the_page_and_logging_out_closes_it(open_page, parts: AdminParts, hashed: str) -> None:
    browser = await open_page(parts, access=Access(hashed))
    token = await login_token(browser)
    async with browser.client.post("/login", data={"token": token, "password": "wrong one"}) as response:
        assert response.status == 403
    async with browser.client.post("/login", data={"token": token, "password": PASSWORD}) as response:
        assert response.status == 200
    assert (await browser.get("/options"))[0] == 200
    await browser.post("/logout")
    assert (await browser.get("/options"))[0] == 303


async def login_token(browser: Browser) -> str:
    _, text = await browser.get("/login")
    return text.partition('name="token" content="')[2].partition('"')[0]


async def test_a_program_shows_the_password_as_a_bearer_token(open_page, parts: AdminParts, hashed: str) -> None:
    browser = await open_page(parts, access=Access(hashed))
    assert (await browser.get("/api/status", headers={"Authorization": f"Bearer {PASSWORD}"}))[0] == 200
    async with browser.client.delete("/api/turns", headers={"Authorization": f"Bearer {PASSWORD}"}) as response:
        assert response.status == 200
    assert (await browser.get("/api/status", headers={"Authorization": "Bearer no"}))[0] == 401


async def test_after_five_wrong_passwords_the_right_one_waits_too(open_page, parts: AdminParts, hashed: str) -> None:
    browser = await open_page(parts, access=Access(hashed))
    wrong = [browser.get("/api/status", headers={"Authorization": f"Bearer {n}"}) for n in range(GUESSES * 2)]
    statuses = [status for status, _ in await asyncio.gather(*wrong)]
    assert statuses.count(401) == GUESSES
    assert (await browser.get("/api/status", headers={"Authorization": f"Bearer {PASSWORD}"}))[0] == 429


def test_a_minute_after_wrong_passwords_one_may_try_again() -> None:
    now = 0.0
    guesses = Guesses(lambda: now)
    for _ in range(GUESSES):
        guesses.begin("peer")
    assert guesses.wait("peer") == PAUSE
    assert guesses.wait("another") == 0
    now = PAUSE
    assert guesses.wait("peer") == 0
    guesses.begin("peer")
    assert guesses.wait("peer") == 0


async def test_nobody_but_the_supervisor_vouches_for_somebody(open_page, parts: AdminParts) -> None:
    browser = await open_page(parts, access=Access(ingress=True))
    headers = {"X-Ingress-Path": "/api/hassio_ingress/x", "X-Remote-User-Id": "owner"}
    assert (await browser.get("/", headers=headers))[0] == 403


async def test_home_assistants_ingress_shows_the_page_in_its_frame(
    open_page, parts: AdminParts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gate, "INGRESS_PEER", "127.0.0.1")  # as if we were asked by the Supervisor
    browser = await open_page(parts, access=Access(ingress=True))
    headers = {"X-Ingress-Path": "/api/hassio_ingress/x", "Host": "my-home.example"}
    async with browser.client.get("/", headers=headers) as response:
        assert response.status == 200
        assert 'href="/api/hassio_ingress/x/options"' in await response.text()
        assert "frame-ancestors 'self'" in response.headers["Content-Security-Policy"]
        assert "Path=/api/hassio_ingress/x" in response.headers["Set-Cookie"]
    headers["X-Ingress-Path"] = '/"><script>'
    _, text = await browser.get("/", headers=headers)
    assert 'href="/options"' in text


async def test_who_only_reads_numbers_pushes_out_no_browser(browser: Browser) -> None:
    token = await browser.token()
    for _ in range(MAX_SESSIONS + 1):
        async with browser.client.get("/metrics", headers={"Cookie": ""}):
            pass
    assert await browser.token() == token
