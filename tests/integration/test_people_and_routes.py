"""Every route, tried by nobody, by each role, and with schools of own and foreign regions; and the way in and out."""

import re
from collections.abc import Generator, Iterable, Iterator, Mapping
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from zoneinfo import ZoneInfo

import httpx
import msgspec
import pyotp
import pytest
from fastapi.routing import APIRoute
from starlette.routing import BaseRoute

from mektep_collector.access.role import Role
from mektep_collector.access.scope import WHOLE_COUNTRY, Scope
from mektep_collector.api.assignment_content import MeasuringPoints
from mektep_collector.api.door import PeopleDoor
from mektep_collector.api.metrics import new_metrics
from mektep_collector.api.oidc.asking import Asking
from mektep_collector.api.oidc.attempt import Attempts
from mektep_collector.api.oidc.login import Client, OidcLogin
from mektep_collector.api.oidc.provider import Provider
from mektep_collector.api.oidc.routes import create_oidc_router
from mektep_collector.app import Parts, create_app, create_interface
from mektep_collector.cli.page_source import RegisterAndStore, learning_of
from mektep_collector.config import Config
from mektep_collector.journal.journal import Journal
from mektep_collector.registry.registry import Registry
from mektep_dashboards.pages import create_pages
from tests.support.memory_store import MemoryStore
from tests.support.school_table import EXAMPLE, registry_with
from tests.support.serving import serving
from tests.support.set_time import SetTime

OWN, FOREIGN = "0007", "0008"
OWN_REGION, FOREIGN_REGION = "KZ-61", "KZ-75"
FOREIGN_NAME = "A school of another region"
PASSWORD = "river lamp seven onion"
SOUTH = Scope(frozenset({OWN_REGION}))
PEOPLE: Mapping[str, tuple[Role, Scope]] = {
    **{f"{role.value}-of-south": (role, SOUTH) for role in Role if role is not Role.ADMINISTRATOR},
    **{f"{role.value}-of-all": (role, WHOLE_COUNTRY) for role in Role},
}
TEN_MINUTES_S = 600.0


class Kind(StrEnum):
    """What a route asks of who comes."""

    OPEN = "open to everyone"
    DEVICE = "for devices, by their token"
    ENROLMENT = "for newcomers, by their code"
    OPERATOR_TOKEN = "for this computer, and who has the operator's token"
    PAGE = "for people"
    SCHOOL = "for people, of one school"


ROUTES: Mapping[tuple[str, str], Kind] = {
    ("POST", "/v1/readings"): Kind.DEVICE,
    ("GET", "/v1/assignment"): Kind.DEVICE,
    ("POST", "/v1/tokens"): Kind.DEVICE,
    ("POST", "/v1/leases"): Kind.DEVICE,
    ("DELETE", "/v1/leases/{lease_id}"): Kind.DEVICE,
    ("POST", "/v1/enrolments"): Kind.ENROLMENT,
    ("GET", "/health/live"): Kind.OPEN,
    ("GET", "/health/ready"): Kind.OPEN,
    ("GET", "/metrics"): Kind.OPERATOR_TOKEN,
    ("GET", "/openapi.json"): Kind.OPEN,
    ("GET", "/docs"): Kind.OPEN,
    ("GET", "/docs/start.js"): Kind.OPEN,
    ("GET", "/docs/{name}"): Kind.OPEN,
    ("GET", "/static/{name}"): Kind.OPEN,
    ("GET", "/login"): Kind.OPEN,
    ("POST", "/login"): Kind.OPEN,
    ("GET", "/login/oidc"): Kind.OPEN,
    ("GET", "/login/oidc/callback"): Kind.OPEN,
    ("POST", "/logout"): Kind.PAGE,
    ("GET", "/"): Kind.PAGE,
    ("GET", "/schools/{school_id:path}"): Kind.SCHOOL,
}
"""Whoever adds a route says here what it asks for; these tests then try it."""
PAGES = [path for (method, path), kind in ROUTES.items() if kind is Kind.PAGE and method == "GET"]
SCHOOL_PAGES = [path for (_, path), kind in ROUTES.items() if kind is Kind.SCHOOL]


class Served:
    """An application with people, and what it is made of."""

    def __init__(self, parts: Parts, pages_door: PeopleDoor, address: str, registry: Registry, time: SetTime) -> None:
        self.parts = parts
        self.door = pages_door
        self.address = address
        self.registry = registry
        self.time = time

    def browser(self) -> httpx.Client:
        """Return a browser that keeps cookies and follows nothing by itself."""
        return httpx.Client(base_url=self.address, trust_env=False, timeout=20)

    def as_person(self, login: str) -> httpx.Client:
        """Return a browser that is in: by the session that logging in would have begun."""
        browser = self.browser()
        browser.cookies.set("mektep_session", self.registry.sessions.begin(login, timedelta(hours=12)))
        return browser


@pytest.fixture(scope="module")
def registry_and_time(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Registry, SetTime, Path]]:
    folder, time = tmp_path_factory.mktemp("registry"), SetTime()
    other = {**EXAMPLE, "school_id": FOREIGN, "name": FOREIGN_NAME, "region": FOREIGN_REGION}
    with registry_with(folder, time, EXAMPLE, other) as registry:
        for login, (role, scope) in PEOPLE.items():
            registry.people.add(login, role, scope, PASSWORD)
        yield registry, time, folder


@pytest.fixture
def site(registry_and_time: tuple[Registry, SetTime, Path], tmp_path: Path) -> Generator[Served, None, None]:
    registry, time, _ = registry_and_time
    journal = Journal(tmp_path / "journal")
    door = PeopleDoor(registry.people, registry.sessions, time, timedelta(hours=1), timedelta(hours=12))
    parts = Parts(
        config=Config(),
        registry=registry,
        journal=journal,
        points=MeasuringPoints(ndt7_url=None, echo_url=None),
        checks={},
        metrics=new_metrics(),
        time=time,
        door=door,
    )
    store = MemoryStore(lambda _school_id: ZoneInfo("Asia/Almaty"))
    pages = create_pages(RegisterAndStore(registry, store, time, learning_of(Config())), door)
    with serving(create_app(parts, [pages])) as (host, port):
        yield Served(parts, door, f"http://{host}:{port}", registry, time)
    journal.close()


def test_every_route_says_here_what_it_asks_for(site: Served) -> None:
    pages = create_pages(
        RegisterAndStore(site.registry, MemoryStore(lambda _: ZoneInfo("UTC")), site.time, learning_of(Config())),
        site.door,
    )
    interface = create_interface(msgspec.structs.replace(site.parts, metrics=new_metrics()))
    time, asking = site.time, Asking()
    client = Client(id="x", secret="x", redirect_url="x")
    provider = Provider("https://id.example.kz", asking, time)
    login = OidcLogin(client, provider, asking, Attempts(bytes(32), time), time)
    elsewhere = create_oidc_router(login, site.door)
    routes = [*_flat(interface.routes), *_flat(pages.routes), *_flat(elsewhere.routes)]
    assert {(method, route.path) for route in routes for method in route.methods or ()} == set(ROUTES)


def _flat(routes: Iterable[BaseRoute]) -> Iterator[APIRoute]:
    """Yield the routes, those of routers within routers too."""
    for route in routes:
        if isinstance(route, APIRoute):
            yield route
        else:
            yield from _flat(getattr(getattr(route, "original_router", None), "routes", ()))


@pytest.mark.parametrize(("method", "path"), [key for key, kind in ROUTES.items() if kind is Kind.DEVICE])
def test_no_person_does_what_devices_do(site: Served, method: str, path: str) -> None:
    for browser in (site.browser(), site.as_person("administrator-of-all")):
        with browser:
            assert browser.request(method, path, content=b"{}").status_code == 401


@pytest.mark.parametrize("path", [*PAGES, *SCHOOL_PAGES, "/anything-else"])
def test_nobody_sees_a_page_without_logging_in(site: Served, path: str) -> None:
    with site.browser() as browser:
        for cookie in ("", "x" * 43):
            browser.cookies.set("mektep_session", cookie)
            answer = browser.get(path.replace("{school_id:path}", OWN))
            assert (answer.status_code, answer.headers["location"].partition("?")[0]) == (303, "/login")
            assert FOREIGN_NAME not in answer.text


@pytest.mark.parametrize("login", PEOPLE)
@pytest.mark.parametrize("path", PAGES)
def test_a_page_shows_each_person_what_is_theirs(site: Served, path: str, login: str) -> None:
    with site.as_person(login) as browser:
        answer = browser.get(path)
        assert answer.status_code == 200
        assert EXAMPLE["name"] in answer.text
        assert (FOREIGN_NAME in answer.text) == PEOPLE[login][1].includes(FOREIGN_REGION)
        assert login in answer.text, "who looks is named"
        found = browser.get(path, params={"q": FOREIGN_NAME, "region": FOREIGN_REGION})
        assert (f"/schools/{FOREIGN}" in found.text) == PEOPLE[login][1].includes(FOREIGN_REGION)


@pytest.mark.parametrize("login", PEOPLE)
@pytest.mark.parametrize("path", SCHOOL_PAGES)
def test_a_school_of_another_region_is_unknown_like_one_that_is_not_there(site: Served, path: str, login: str) -> None:
    with site.as_person(login) as browser:
        own, foreign, missing = (
            browser.get(path.replace("{school_id:path}", school_id)) for school_id in (OWN, FOREIGN, "0009")
        )
        assert (own.status_code, missing.status_code) == (200, 404)
        if PEOPLE[login][1].includes(FOREIGN_REGION):
            assert foreign.status_code == 200
        else:
            assert foreign.status_code == 404
            assert foreign.text.replace(FOREIGN, "0009") == missing.text


def _form(browser: httpx.Client, path: str = "/login") -> dict[str, str]:
    """Open the form and return its hidden fields."""
    return dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', browser.get(path).text))


def _log_in(browser: httpx.Client, login: str, password: str = PASSWORD, **fields: str) -> httpx.Response:
    return browser.post("/login", data={**_form(browser), "login": login, "password": password, **fields})


def test_who_logs_in_comes_to_the_page_that_was_asked_for_and_leaves_by_the_button(site: Served) -> None:
    with site.browser() as browser:
        asked = browser.get(f"/schools/{OWN}?lang=en")
        fields = _form(browser, asked.headers["location"])
        answer = browser.post("/login", data={**fields, "login": "viewer-of-south", "password": PASSWORD})
        assert (answer.status_code, answer.headers["location"]) == (303, f"/schools/{OWN}?lang=en")
        cookie = next(each for each in answer.headers.get_list("set-cookie") if each.startswith("mektep_session="))
        assert "HttpOnly" in cookie
        assert "SameSite=lax" in cookie
        page = browser.get(answer.headers["location"])
        assert page.status_code == 200
        kept = browser.cookies["mektep_session"]
        key = re.findall(r'name="form_key" value="([^"]*)"', page.text)[0]
        assert browser.post("/logout", data={"form_key": "x"}).headers["location"] == "/"
        assert browser.get("/").status_code == 200, "another site's form logs nobody out"
        assert browser.post("/logout", data={"form_key": key}).headers["location"] == "/login"
        browser.cookies.set("mektep_session", kept)
        assert browser.get("/").status_code == 303, "the session is over, not only its cookie gone"


@pytest.mark.parametrize(
    "elsewhere", ["//evil.example", "https://evil.example", "/\\evil.example", "/\t/evil.example", "javascript:x", ""]
)
def test_logging_in_leads_to_no_other_site(site: Served, elsewhere: str) -> None:
    with site.browser() as browser:
        assert _log_in(browser, "viewer-of-all", next=elsewhere).headers["location"] == "/"


def test_every_refusal_reads_the_same(site: Served) -> None:
    site.registry.people.add("disabled-one", Role.VIEWER, WHOLE_COUNTRY, PASSWORD)
    site.registry.people.disable("disabled-one")
    site.registry.people.add("with-a-phone", Role.VIEWER, WHOLE_COUNTRY, PASSWORD)
    address = site.registry.people.set_second_factor("with-a-phone")
    said = set()
    for login, password in [
        ("viewer-of-all", "wrong"), ("nobody", PASSWORD), ("disabled-one", PASSWORD), ("with-a-phone", PASSWORD),
    ]:  # fmt: skip
        with site.browser() as browser:
            answer = _log_in(browser, login, password)
            assert answer.status_code == 401
            said.add(re.sub(r'value="[^"]*"', "", answer.text))
    assert len(said) == 1
    with site.browser() as browser:
        totp = pyotp.parse_uri(address)
        assert isinstance(totp, pyotp.TOTP)
        assert _log_in(browser, "with-a-phone", code=totp.at(site.time.now())).status_code == 303


def test_a_form_of_another_site_logs_nobody_in(site: Served) -> None:
    with site.browser() as browser:
        fields = _form(browser)
        told = {**fields, "login": "viewer-of-all", "password": PASSWORD}
        assert browser.post("/login", data=told, headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403
        assert browser.post("/login", data=told, headers={"Origin": "https://evil.example"}).status_code == 403
        assert browser.post("/login", data={**told, "form_key": "another"}).status_code == 403
        browser.cookies.clear()
        assert browser.post("/login", data=told).status_code == 403
        assert "mektep_session" not in browser.cookies


def test_who_guesses_has_to_wait_and_the_right_password_waits_with_them(site: Served) -> None:
    with site.browser() as browser:
        answers = [_log_in(browser, "operator-of-all", f"guess {number}").status_code for number in range(6)]
        assert answers == [401] * 5 + [429]
        refused = _log_in(browser, "operator-of-all")
        assert (refused.status_code, refused.headers["retry-after"]) == (429, "60")
        site.time.pass_s(TEN_MINUTES_S)
        assert _log_in(browser, "operator-of-all").status_code == 303


def test_a_form_that_is_too_long_or_no_form_is_refused(site: Served) -> None:
    with site.browser() as browser:
        _form(browser)
        for content in (b"a" * 20_000, b"\xff\xfe", b"&".join([b"a=b"] * 50), b""):
            assert browser.post("/login", content=content).status_code == 403


def test_over_tls_the_cookie_is_bound_to_this_host(site: Served) -> None:
    assert site.door.cookie_name("https").startswith("__Host-")
    assert site.door.cookie_name("http") == "mektep_session"
