"""The way to the provider and back, without any HTTP of the collector's own."""

from collections.abc import Mapping
from typing import Final

import msgspec
from authlib.oauth2.auth import ClientAuth
from authlib.oauth2.client import OAuth2Client
from authlib.oauth2.rfc6749.parameters import prepare_token_request

from mektep_collector.access.elsewhere import NotLetIn
from mektep_collector.api.oidc.asking import Answer, Asking, read_json
from mektep_collector.api.oidc.attempt import Attempt, Attempts
from mektep_collector.api.oidc.error import OidcError, away, wrong
from mektep_collector.api.oidc.id_token import Expected, KeyAbsentError, verified_mail
from mektep_collector.api.oidc.provider import Description, Provider
from mektep_collector.clock import TimeSource

_SCOPE: Final = "openid email"
_LONGEST_CODE: Final = 4_096
_FORM: Final = {"Content-Type": "application/x-www-form-urlencoded"}
_METHODS: Final = ("client_secret_basic", "client_secret_post")
_TOKEN_ERRORS: Final = frozenset(
    {"invalid_request", "invalid_client", "invalid_grant", "unauthorized_client", "unsupported_grant_type"}
)
"""RFC 6749, section 5.2: what else a provider may say there is not logged."""
_AWAY: Final = frozenset({"server_error", "temporarily_unavailable"})


class Client(msgspec.Struct, frozen=True, kw_only=True):
    """What the provider knows of the collector."""

    id: str
    secret: str
    redirect_url: str


class _Tokens(msgspec.Struct, frozen=True):
    id_token: str
    access_token: str = ""


class _Refusal(msgspec.Struct, frozen=True):
    error: str = ""


class OidcLogin:
    """Leads to the provider, and finds out who came back."""

    def __init__(
        self, client: Client, provider: Provider, asking: Asking, attempts: Attempts, time: TimeSource
    ) -> None:
        self._client = client
        self._provider = provider
        self._asking = asking
        self._attempts = attempts
        self._time = time

    async def set_out(self, next_: str) -> tuple[str, str]:
        """Return where the browser goes, and what it keeps for the way back. Raises OidcError."""
        description = await self._provider.description()
        attempt, kept = self._attempts.new(next_)
        asking = OAuth2Client(
            None,
            client_id=self._client.id,
            scope=_SCOPE,
            redirect_uri=self._client.redirect_url,
            code_challenge_method="S256",
        )
        url, _ = asking.create_authorization_url(
            description.authorization_endpoint,
            state=attempt.state,
            code_verifier=attempt.verifier,
            nonce=attempt.nonce,
        )
        return str(url), kept

    def take_back(self, kept: str, told: Mapping[str, str]) -> Attempt:
        """Return the attempt that an answer is to, once: another answer to it is refused. Raises OidcError."""
        return self._attempts.take_back(kept, told.get("state", ""))

    async def who(self, attempt: Attempt, told: Mapping[str, str]) -> str:
        """Return the verified e-mail address of who comes back with the provider's answer. Raises OidcError."""
        description = await self._provider.description()
        _check_answer(description, told)
        tokens = await self._exchange(description, attempt, told["code"])
        expected = Expected(issuer=self._provider.issuer, client_id=self._client.id, nonce=attempt.nonce)
        now = self._time.now()
        try:
            return verified_mail(tokens.id_token, tokens.access_token, await self._provider.keys(), expected, now)
        except KeyAbsentError:
            pass
        try:
            keys = await self._provider.renewed_keys()
            return verified_mail(tokens.id_token, tokens.access_token, keys, expected, now)
        except KeyAbsentError:
            raise wrong("the ID token is signed by no key of the provider's") from None

    async def _exchange(self, description: Description, attempt: Attempt, code: str) -> _Tokens:
        offered = description.token_endpoint_auth_methods_supported
        method = next((one for one in _METHODS if one in offered), None)
        if method is None:
            raise wrong(f"{description.token_endpoint} takes the client's secret in no way that is known here")
        url, body = (
            description.token_endpoint,
            prepare_token_request(
                "authorization_code", code=code, redirect_uri=self._client.redirect_url, code_verifier=attempt.verifier
            ),
        )
        auth = ClientAuth(self._client.id, self._client.secret, method)
        url, headers, body = auth.prepare("POST", url, dict(_FORM), body)
        answer = await self._asking.post(url, headers, body.encode() if isinstance(body, str) else body)
        if answer.status != 200:
            raise _refused(description.token_endpoint, answer)
        tokens = read_json(answer.body, _Tokens)
        if tokens is None:
            raise away(f"{description.token_endpoint} does not answer as OpenID providers do")
        return tokens


def _check_answer(description: Description, told: Mapping[str, str]) -> None:
    """Refuse an answer that says no, is not the provider's (RFC 9207), or has no code."""
    named = told.get("iss")
    if named != description.issuer and (named or description.authorization_response_iss_parameter_supported):
        raise wrong("the answer that the browser brings is of another issuer")
    error = told.get("error", "")
    if error in _AWAY:
        raise away(f"the provider says {error}")
    if error:
        raise OidcError(NotLetIn.DECLINED, "the person or the provider said no")
    if not 0 < len(told.get("code", "")) <= _LONGEST_CODE:
        raise OidcError(NotLetIn.STALE, "the answer that the browser brings has no code")


def _refused(url: str, answer: Answer) -> OidcError:
    if answer.status >= 500 or answer.status == 429:
        return away(f"{url} answers with status {answer.status}")
    refusal = read_json(answer.body, _Refusal)
    said = refusal.error if refusal is not None else ""
    return wrong(f"{url} answers with status {answer.status}" + (f", {said}" if said in _TOKEN_ERRORS else ""))
