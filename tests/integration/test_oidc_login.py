"""Logging in by an OpenID provider: who comes in, who does not, and what is said when it goes wrong."""

import hmac
import json
import logging
import re
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from shutil import copytree
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit
from zoneinfo import ZoneInfo

import httpx
import pytest
from fastapi import Response
from fastapi.responses import JSONResponse
from joserfc import jws
from joserfc.jwk import ECKey, OctKey, RSAKey

from mektep_collector.access.elsewhere import COME_BACK, SET_OUT, WHY, NotLetIn
from mektep_collector.access.role import Role
from mektep_collector.access.scope import WHOLE_COUNTRY
from mektep_collector.api.oidc.routes import attempt_cookie
from mektep_collector.cli.page_source import RegisterAndStore, learning_of
from mektep_collector.config import Config
from mektep_collector.registry.registry import Registry
from mektep_dashboards.pages import create_pages
from tests.support.memory_store import MemoryStore
from tests.support.oidc_site import OidcSite, oidc_site, people_door
from tests.support.openid_provider import (
    CLIENT_ID,
    CLIENT_SECRET,
    OpenIdProvider,
    endless,
    log_in_there,
    nested,
    new_key,
    openid_provider,
    redirecting,
)
from tests.support.school_table import EXAMPLE, registry_with
from tests.support.set_time import SetTime

LOGIN, PASSWORD = "aigerim@edu.example", "river lamp seven onion"
TOKEN_PATH, KEYS_PATH, DISCOVERY_PATH = "/token", "/keys", "/.well-known/openid-configuration"


@pytest.fixture
def time() -> SetTime:
    return SetTime()


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a registry's folder with one person in it."""
    folder = tmp_path_factory.mktemp("registry")
    with registry_with(folder, SetTime(), EXAMPLE) as opened:
        opened.people.add(LOGIN, Role.VIEWER, WHOLE_COUNTRY, None)
    return folder


@pytest.fixture
def registry(filled: Path, tmp_path: Path, time: SetTime) -> Iterator[Registry]:
    with registry_with(copytree(filled, tmp_path / "registry"), time) as opened:
        yield opened


@pytest.fixture
def provider(time: SetTime) -> Iterator[OpenIdProvider]:
    with openid_provider(time) as running:
        yield running


Open = Callable[..., OidcSite]


@pytest.fixture
def open_site(registry: Registry, time: SetTime) -> Iterator[Open]:
    """Open sites; each is closed at the end."""
    with ExitStack() as opened:

        def open_one(issuer: str, patience_s: float = 20.0, secret: str = CLIENT_SECRET) -> OidcSite:
            door = people_door(registry, time)
            store = MemoryStore(lambda _: ZoneInfo("Asia/Almaty"))
            pages = create_pages(RegisterAndStore(registry, store, time, learning_of(Config())), door)
            return opened.enter_context(oidc_site(registry, time, issuer, door, [pages], patience_s, secret))

        yield open_one


@pytest.fixture
def site(open_site: Open, provider: OpenIdProvider) -> OidcSite:
    return open_site(provider.issuer)


def _set_out(browser: httpx.Client, **asked: str) -> str:
    """Set out, and return the provider's address that the browser is led to."""
    answer = browser.get(SET_OUT, params=asked)
    assert answer.status_code == 303
    return answer.headers["location"]


def _way(browser: httpx.Client, **asked: str) -> httpx.Response:
    """Go the whole way, and return the collector's answer to who comes back."""
    return browser.get(log_in_there(browser, _set_out(browser, **asked)))


def _why(answer: httpx.Response) -> NotLetIn:
    """Return why nobody was let in, as the login page is told."""
    assert answer.status_code == 303
    assert not [cookie for cookie in answer.headers.get_list("set-cookie") if cookie.startswith("mektep_session=")]
    place = urlsplit(answer.headers["location"])
    assert (place.netloc, place.path) == ("", "/login")
    return NotLetIn(parse_qs(place.query)[WHY][0])


def _cookie(answer: httpx.Response, name: str) -> str:
    return next(cookie for cookie in answer.headers.get_list("set-cookie") if cookie.startswith(f"{name}="))


def test_whom_the_provider_vouches_for_comes_in_to_the_page_that_was_asked_for(
    site: OidcSite, registry: Registry
) -> None:
    with site.browser() as browser:
        asked = browser.get("/schools/0007?lang=en")
        page = browser.get(asked.headers["location"])
        (link,) = re.findall(rf'href="({SET_OUT}[^"]*)"', page.text)
        assert "Bilim ID" in page.text
        answer = browser.get(log_in_there(browser, browser.get(link).headers["location"]))
        assert (answer.status_code, answer.headers["location"]) == (303, "/schools/0007?lang=en")
        cookie = _cookie(answer, "mektep_session").lower()
        assert all(rule in cookie for rule in ("httponly", "samesite=lax", "path=/;"))
        shown = browser.get("/schools/0007?lang=en")
        assert (shown.status_code, LOGIN in shown.text) == (200, True)
        key = re.findall(r'name="form_key" value="([^"]*)"', shown.text)[0]
        kept = browser.cookies["mektep_session"]
        assert browser.post("/logout", data={"form_key": key}).headers["location"] == "/login"
        browser.cookies.set("mektep_session", kept)
        assert browser.get("/").status_code == 303, "the session is one like any other, and ended"
    with site.browser() as browser:
        _way(browser)
        assert browser.get("/").status_code == 200
        registry.people.disable(LOGIN)
        assert browser.get("/").status_code == 303, "who is disabled is out at once"


def test_setting_out_keeps_the_secrets_in_this_browser_alone(site: OidcSite, provider: OpenIdProvider) -> None:
    with site.browser() as browser:
        answers = [browser.get(SET_OUT) for _ in range(2)]
        for answer in answers:
            cookie = _cookie(answer, "mektep_oidc").lower()
            assert all(rule in cookie for rule in ("httponly", "samesite=lax", f"path={SET_OUT}", "max-age=600"))
            assert answer.headers["cache-control"] == "no-store"
        asked = [parse_qs(urlsplit(answer.headers["location"]).query) for answer in answers]
        assert {name: asked[0][name] for name in ("client_id", "redirect_uri", "code_challenge_method")} == {
            "client_id": [CLIENT_ID], "redirect_uri": [site.address + COME_BACK], "code_challenge_method": ["S256"],
        }  # fmt: skip
        for name in ("state", "nonce", "code_challenge"):
            assert len(asked[0][name][0]) == 43, "256 bits"
            assert asked[0][name] != asked[1][name], "fresh each time"
        assert "code_verifier" not in asked[0]
        assert asked[0]["state"][0] not in _cookie(answers[0], "mektep_oidc"), "sealed, not only signed"
        assert answers[0].headers["location"].startswith(f"{provider.issuer}/authorize?")


def test_the_answer_is_good_once_even_where_the_browser_kept_its_cookie(site: OidcSite) -> None:
    with site.browser() as browser:
        back = log_in_there(browser, _set_out(browser))
        kept = browser.cookies["mektep_oidc"]
        assert browser.get(back).headers["location"] == "/"
        assert "mektep_oidc" not in browser.cookies
        assert _why(browser.get(back)) is NotLetIn.STALE
        browser.cookies.set("mektep_oidc", kept, domain="127.0.0.1", path=SET_OUT)
        assert _why(browser.get(back)) is NotLetIn.STALE


def test_an_answer_in_another_browser_lets_nobody_in(site: OidcSite) -> None:
    with site.browser() as browser, site.browser() as other:
        back = log_in_there(browser, _set_out(browser))
        assert _why(other.get(back)) is NotLetIn.STALE
        _set_out(other)
        assert _why(other.get(back)) is NotLetIn.STALE, "it is no answer to what that browser asked"
    with site.browser() as browser, site.browser() as other:
        code = parse_qs(urlsplit(log_in_there(browser, _set_out(browser))).query)["code"][0]
        own = urlsplit(log_in_there(other, _set_out(other)))
        stolen = urlencode({**{name: value[0] for name, value in parse_qs(own.query).items()}, "code": code})
        assert _why(other.get(f"{own.path}?{stolen}")) is NotLetIn.PROVIDER_WRONG, "the code is bound by PKCE"


@pytest.mark.parametrize("kept", ["", "x", "AAAA", "A" * 200, "A" * 9_000, "ü"])
def test_a_cookie_that_was_made_up_is_none(site: OidcSite, kept: str) -> None:
    with site.browser() as browser:
        back = log_in_there(browser, _set_out(browser))
        browser.cookies.clear()
        headers = [(b"Cookie", f"mektep_oidc={kept}".encode())]
        assert _why(browser.get(back, headers=headers)) is NotLetIn.STALE


def test_who_takes_longer_than_ten_minutes_begins_again(site: OidcSite, time: SetTime) -> None:
    with site.browser() as browser:
        back = log_in_there(browser, _set_out(browser))
        time.pass_s(600.0)
        assert _why(browser.get(back)) is NotLetIn.STALE


@pytest.mark.parametrize(
    "elsewhere",
    [
        "//evil.example",
        "https://evil.example",
        "/\\evil.example",
        "/\t/evil.example",
        "javascript:x",
        "/" + "x" * 2_000,
    ],
)
def test_the_way_leads_to_no_other_site(site: OidcSite, elsewhere: str) -> None:
    with site.browser() as browser:
        assert _way(browser, next=elsewhere).headers["location"] == "/"


@pytest.mark.parametrize(
    "claims",
    [
        {"nonce": "another"},
        {"nonce": None},
        {"aud": "another"},
        {"aud": [CLIENT_ID, "another"]},
        {"aud": [CLIENT_ID, "another"], "azp": "another"},
        {"aud": "another", "azp": CLIENT_ID},
        {"aud": ["another"], "azp": CLIENT_ID},
        {"aud": None},
        {"iss": "https://evil.example"},
        {"iss": None},
        {"exp": 1},
        {"exp": None},
        {"exp": "soon"},
        {"iat": None},
        {"sub": None},
        {"nbf": 99_999_999_999},
        {"at_hash": "another"},
    ],
    ids=str,
)
def test_a_token_that_is_not_for_this_request_lets_nobody_in(
    site: OidcSite, provider: OpenIdProvider, claims: dict[str, Any]
) -> None:
    provider.claims |= claims
    with site.browser() as browser:
        assert _why(_way(browser)) is NotLetIn.PROVIDER_WRONG


def test_a_token_for_several_clients_is_taken_where_it_was_issued_to_this_one(
    site: OidcSite, provider: OpenIdProvider
) -> None:
    provider.claims |= {"aud": [CLIENT_ID, "another"], "azp": CLIENT_ID}
    with site.browser() as browser:
        assert _way(browser).headers["location"] == "/"


def test_a_token_that_ended_lets_nobody_in(site: OidcSite, provider: OpenIdProvider, time: SetTime) -> None:
    now = int(time.now().timestamp())
    with site.browser() as browser:
        provider.claims["exp"] = now - 59
        assert _way(browser).headers["location"] == "/", "clocks may differ by a minute"
        provider.claims["exp"] = now - 61
        assert _why(_way(browser)) is NotLetIn.PROVIDER_WRONG


def _foreign(provider: OpenIdProvider) -> None:
    provider.key = RSAKey.generate_key(2048, {"kid": "first"})


def _unknown(provider: OpenIdProvider) -> None:
    provider.key = new_key("second")


def _shared(provider: OpenIdProvider) -> None:
    """The client's secret, which a client that mixes the kinds up would check by."""
    provider.algorithm = "HS256"
    provider.key = OctKey.import_key(CLIENT_SECRET, {"kid": "first"})


@pytest.mark.parametrize("signed", [_foreign, _unknown, _shared])
def test_a_token_that_is_not_signed_by_the_provider_lets_nobody_in(
    site: OidcSite, provider: OpenIdProvider, signed: Callable[[OpenIdProvider], None]
) -> None:
    signed(provider)
    with site.browser() as browser:
        assert _why(_way(browser)) is NotLetIn.PROVIDER_WRONG


@pytest.mark.parametrize(
    "token",
    [
        "",
        "x",
        "x.y.z",
        "eyJhbGciOiJub25lIn0.e30.",
        "W10.W10.x",
        "." * 1_000,
        f"{urlsafe_b64encode(b'{' + b'[' * 60_000).decode()}.e30.x",
    ],
    ids=["empty", "a letter", "three", "alg none", "lists", "dots", "nested"],
)
def test_what_is_no_token_lets_nobody_in(site: OidcSite, provider: OpenIdProvider, token: str) -> None:
    provider.answers[TOKEN_PATH] = lambda: JSONResponse({"id_token": token, "access_token": "x"})
    with site.browser() as browser:
        assert _why(_way(browser)) is NotLetIn.PROVIDER_WRONG


def _unsigned(head: str, body: str, _pem: bytes) -> str:
    return f"{head}.{body}."


def _without(_head: str, body: str, _pem: bytes) -> str:
    return f"{_text({'alg': 'none'})}.{body}."


def _by_the_published_key(_head: str, body: str, pem: bytes) -> str:
    """The public key's text as the secret of a signature that needs one."""
    signed = f"{_text({'alg': 'HS256', 'kid': 'first'})}.{body}"
    return f"{signed}.{urlsafe_b64encode(hmac.digest(pem, signed.encode(), 'sha256')).decode().rstrip('=')}"


def _text(header: dict[str, str]) -> str:
    return urlsafe_b64encode(json.dumps(header).encode()).decode().rstrip("=")


@pytest.mark.parametrize("forged", [_unsigned, _without, _by_the_published_key])
def test_a_token_whose_words_are_right_and_whose_signature_is_none_lets_nobody_in(
    site: OidcSite, provider: OpenIdProvider, forged: Callable[[str, str, bytes], str]
) -> None:
    with site.browser() as browser:
        back = log_in_there(browser, _set_out(browser))
        (asked,) = provider.codes.values()
        head, body, _ = provider.id_token(asked["nonce"]).split(".")
        token = forged(head, body, provider.published[0].as_pem(private=False))
        provider.answers[TOKEN_PATH] = lambda: JSONResponse({"id_token": token})
        assert _why(browser.get(back)) is NotLetIn.PROVIDER_WRONG


def test_a_signed_token_that_is_nested_too_deep_ends_the_way(site: OidcSite, provider: OpenIdProvider) -> None:
    nested_token = jws.serialize_compact({"alg": "RS256", "kid": "first"}, b'{"x": ' + b"[" * 60_000, provider.key)
    provider.answers[TOKEN_PATH] = lambda: JSONResponse({"id_token": nested_token})
    with site.browser() as browser:
        assert _why(_way(browser)) is NotLetIn.PROVIDER_WRONG


def test_a_key_that_the_provider_changed_is_asked_for(site: OidcSite, provider: OpenIdProvider, time: SetTime) -> None:
    with site.browser() as browser:
        assert _way(browser).headers["location"] == "/"
        provider.key = new_key("second")
        provider.published = [provider.key]
        assert _why(_way(browser)) is NotLetIn.PROVIDER_WRONG, "keys are not asked for more than once a minute"
        time.pass_s(61.0)
        assert _way(browser).headers["location"] == "/"
        assert provider.asked.count(KEYS_PATH) == 2
        assert provider.asked.count(DISCOVERY_PATH) == 1


def test_a_provider_may_sign_by_an_elliptic_curve_and_have_keys_of_other_kinds(
    site: OidcSite, provider: OpenIdProvider
) -> None:
    curve = ECKey.generate_key("P-256", {"kid": "curve"})
    provider.key, provider.algorithm = curve, "ES256"
    keys = [{"kty": "new-kind", "kid": "x"}, {"kty": "RSA", "n": 1}, curve.as_dict(private=False)]
    provider.answers[KEYS_PATH] = lambda: JSONResponse({"keys": keys})
    with site.browser() as browser:
        assert _way(browser).headers["location"] == "/"


@pytest.mark.parametrize(
    "claims",
    [
        {"email_verified": False},
        {"email_verified": None},
        {"email_verified": "true"},
        {"email_verified": 1},
        {"email": None},
        {"email": ["aigerim@edu.example"]},
        {"email": "aigerim"},
        {"email": "aigeri\u1e3f@edu.example"},
    ],
    ids=ascii,
)
def test_an_address_that_the_provider_has_not_verified_is_nobodys(
    site: OidcSite, provider: OpenIdProvider, claims: dict[str, Any]
) -> None:
    provider.claims |= claims
    with site.browser() as browser:
        assert _why(_way(browser)) is NotLetIn.UNVERIFIED


def test_a_letter_that_becomes_an_ascii_one_in_lower_case_takes_nobodys_place(
    site: OidcSite, provider: OpenIdProvider, registry: Registry
) -> None:
    registry.people.add("kairat@edu.example", Role.ADMINISTRATOR, WHOLE_COUNTRY, None)
    provider.claims["email"] = "\u212aairat@edu.example"
    assert str(provider.claims["email"]).lower() == "kairat@edu.example"
    with site.browser() as browser:
        assert _why(_way(browser)) is NotLetIn.UNVERIFIED


def test_upper_and_lower_case_are_the_same(site: OidcSite, provider: OpenIdProvider) -> None:
    provider.claims["email"] = "Aigerim@EDU.example"
    with site.browser() as browser:
        assert _way(browser).headers["location"] == "/"


def test_who_is_not_in_the_register_or_disabled_is_not_let_in_and_nobody_is_added(
    site: OidcSite, provider: OpenIdProvider, registry: Registry
) -> None:
    with site.browser() as browser:
        provider.claims["email"] = "stranger@edu.example"
        assert _why(_way(browser)) is NotLetIn.UNKNOWN
        provider.claims["email"] = LOGIN
        registry.people.disable(LOGIN)
        assert _why(_way(browser)) is NotLetIn.UNKNOWN
    assert [person.login for person in registry.people.all()] == [LOGIN]


def test_a_second_factor_is_still_asked_for(site: OidcSite, registry: Registry) -> None:
    registry.people.set_password(LOGIN, PASSWORD)
    with site.browser() as browser:
        assert _way(browser).headers["location"] == "/", "a password beside stands in nobody's way"
        registry.people.set_second_factor(LOGIN)
        assert _why(_way(browser)) is NotLetIn.SECOND_FACTOR


@pytest.mark.parametrize("password", ["", PASSWORD, "x"])
def test_who_has_no_password_cannot_log_in_with_one(site: OidcSite, password: str) -> None:
    with site.browser() as browser:
        hidden = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', browser.get("/login").text))
        answer = browser.post("/login", data={**hidden, "login": LOGIN, "password": password})
        assert answer.status_code == 401


def test_a_no_of_the_provider_is_said(site: OidcSite, provider: OpenIdProvider) -> None:
    for told, why in (("access_denied", NotLetIn.DECLINED), ("temporarily_unavailable", NotLetIn.PROVIDER_AWAY)):
        with site.browser() as browser:
            state = parse_qs(urlsplit(_set_out(browser, next="/schools/0007")).query)["state"][0]
            asked = {"error": told, "state": state, "iss": provider.issuer}
            answer = browser.get(COME_BACK, params=asked)
            assert _why(answer) is why
            assert parse_qs(urlsplit(answer.headers["location"]).query)["next"] == ["/schools/0007"]


@pytest.mark.parametrize("change", [{"iss": "https://evil.example"}, {"iss": ""}, {"code": ""}, {"code": "x" * 5_000}])
def test_an_answer_of_another_issuer_or_without_a_code_asks_the_provider_nothing(
    site: OidcSite, provider: OpenIdProvider, change: dict[str, str]
) -> None:
    with site.browser() as browser:
        back = urlsplit(log_in_there(browser, _set_out(browser)))
        told = {name: value[0] for name, value in parse_qs(back.query).items()} | change
        _why(browser.get(f"{back.path}?{urlencode(told)}"))
        assert TOKEN_PATH not in provider.asked


def test_an_answer_that_says_something_twice_is_none(site: OidcSite) -> None:
    with site.browser() as browser:
        back = log_in_there(browser, _set_out(browser))
        assert _why(browser.get(f"{back}&code=another")) is NotLetIn.STALE


def test_who_comes_back_too_often_waits(site: OidcSite, time: SetTime) -> None:
    with site.browser() as browser:
        whys = [_why(browser.get(COME_BACK, params={"state": "x", "code": "x"})) for _ in range(31)]
        assert whys == [NotLetIn.STALE] * 30 + [NotLetIn.TOO_OFTEN]
        back = log_in_there(browser, _set_out(browser))
        assert _why(browser.get(back)) is NotLetIn.TOO_OFTEN
        time.pass_s(60.0)
        assert _way(browser).headers["location"] == "/"


def test_a_provider_that_is_down_is_said_and_not_asked_by_every_visitor(
    open_site: Open, provider: OpenIdProvider, time: SetTime
) -> None:
    with open_site("http://127.0.0.1:9").browser() as browser:
        assert _why(browser.get(SET_OUT)) is NotLetIn.PROVIDER_AWAY
    provider.answers[DISCOVERY_PATH] = lambda: Response(status_code=503)
    with open_site(provider.issuer).browser() as browser:
        for _ in range(3):
            assert _why(browser.get(SET_OUT)) is NotLetIn.PROVIDER_AWAY
        assert provider.asked == [DISCOVERY_PATH]
        provider.answers.clear()
        time.pass_s(11.0)
        assert _way(browser).headers["location"] == "/"


@pytest.mark.parametrize("path", [DISCOVERY_PATH, KEYS_PATH, TOKEN_PATH])
@pytest.mark.parametrize("answer", [endless, nested, redirecting, lambda: Response(b"\xff{"), lambda: Response("[]")])
def test_an_answer_that_is_too_slow_too_long_or_none_ends_the_way(
    open_site: Open, provider: OpenIdProvider, path: str, answer: Callable[[], Response]
) -> None:
    provider.answers[path] = answer
    patience_s = 0.5 if answer is endless else 20.0
    with open_site(provider.issuer, patience_s=patience_s).browser() as browser:
        gone = browser.get(SET_OUT)
        if path != DISCOVERY_PATH:
            gone = browser.get(log_in_there(browser, gone.headers["location"]))
        assert _why(gone) in {NotLetIn.PROVIDER_AWAY, NotLetIn.PROVIDER_WRONG}
        assert browser.get("/login").status_code == 200


@pytest.mark.parametrize("path", [DISCOVERY_PATH, KEYS_PATH, TOKEN_PATH])
def test_an_answer_is_read_to_128_kib(open_site: Open, provider: OpenIdProvider, path: str) -> None:
    for count, comes_in in ((120_000, True), (132_000, False)):
        provider.padding_count = {path: count}
        with open_site(provider.issuer).browser() as browser:
            gone = browser.get(SET_OUT)
            if urlsplit(gone.headers["location"]).path == "/authorize":
                gone = browser.get(log_in_there(browser, gone.headers["location"]))
            if comes_in:
                assert gone.headers["location"] == "/"
            else:
                assert _why(gone) is NotLetIn.PROVIDER_AWAY


def test_a_compressed_answer_is_not_opened(site: OidcSite, provider: OpenIdProvider) -> None:
    provider.answers[DISCOVERY_PATH] = lambda: Response(b"\x1f\x8b", headers={"Content-Encoding": "gzip"})
    with site.browser() as browser:
        assert _why(browser.get(SET_OUT)) is NotLetIn.PROVIDER_AWAY


@pytest.mark.parametrize(
    "description",
    [
        {"issuer": "https://evil.example"},
        {"token_endpoint": "http://evil.example/token"},
        {"authorization_endpoint": "javascript:alert(1)"},
        {"jwks_uri": "file:///etc/passwd"},
        {"code_challenge_methods_supported": ["plain"]},
    ],
    ids=str,
)
def test_a_provider_that_says_what_cannot_be_is_not_asked_further(
    site: OidcSite, provider: OpenIdProvider, description: dict[str, Any]
) -> None:
    provider.description |= description
    with site.browser() as browser:
        assert _why(browser.get(SET_OUT)) is NotLetIn.PROVIDER_WRONG
    assert provider.asked == [DISCOVERY_PATH]


def test_a_wrong_secret_is_told_to_the_operator_and_nothing_secret_is(
    open_site: Open, provider: OpenIdProvider, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG, "mektep_collector"):
        with open_site(provider.issuer, secret="another").browser() as browser:
            assert _why(_way(browser)) is NotLetIn.PROVIDER_WRONG
        assert "invalid_client" in str([vars(record) for record in caplog.records])
        with open_site(provider.issuer).browser() as browser:
            _way(browser)
            provider.claims["aud"] = "another"
            _way(browser)
    logged = str([vars(record) for record in caplog.records])
    assert "InvalidClaimError aud" in logged
    assert len(provider.issued) == 7, "three codes, and twice two tokens"
    for secret in (*provider.issued, CLIENT_SECRET, "secret words"):
        assert secret not in logged


@pytest.mark.parametrize("language", ["kk", "ru", "en"])
def test_the_login_page_says_in_each_language_what_went_wrong(site: OidcSite, language: str) -> None:
    said = set()
    with site.browser() as browser:
        for why in NotLetIn:
            page = browser.get("/login", params={WHY: why.value, "lang": language})
            said |= set(re.findall(r'role="alert">([^<]+)<', page.text))
        made_up = browser.get("/login", params={WHY: "<b>call 8 800</b>", "lang": language}).text
    assert len(said) == len(NotLetIn)
    assert 'role="alert"' not in made_up
    assert "8 800" not in made_up.partition("<main")[2]


def test_over_tls_no_plain_page_can_set_the_cookie_of_the_way() -> None:
    assert attempt_cookie("https") == "__Secure-mektep_oidc"
    assert attempt_cookie("http") == "mektep_oidc"
