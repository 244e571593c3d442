"""What the provider says of itself: its addresses and keys, asked for when they are needed and kept for an hour.

One asks while others wait. Where that failed, nobody asks again for some seconds, so that a provider that is away is
not asked by every visitor, and no visitor waits for long.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, Generic, TypeVar, cast

import msgspec
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from mektep_collector.api.oidc.asking import Asking, read_json
from mektep_collector.api.oidc.error import OidcError, away, wrong
from mektep_collector.clock import TimeSource
from mektep_collector.config.issuer import is_safe_address

_DISCOVERY: Final = "/.well-known/openid-configuration"
_KEPT_S: Final = 3_600.0
_RENEWED_AFTER_S: Final = 60.0
_NOT_ASKED_AGAIN_S: Final = 10.0
_PUBLIC_KINDS: Final = frozenset({"RSA", "EC"})
_MOST_KEYS: Final = 50
T = TypeVar("T")


class Description(msgspec.Struct, frozen=True):
    """A provider's addresses (OpenID Connect Discovery 1.0, section 3); what else it says is passed over."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    token_endpoint_auth_methods_supported: tuple[str, ...] = ("client_secret_basic",)
    code_challenge_methods_supported: tuple[str, ...] | None = None
    authorization_response_iss_parameter_supported: bool = False


class _Keys(msgspec.Struct, frozen=True):
    keys: tuple[dict[str, object], ...]


class _Kept(Generic[T]):
    """One thing that is asked for and kept."""

    def __init__(self, ask: Callable[[], Awaitable[T]], time: TimeSource) -> None:
        self._ask = ask
        self._time = time
        self._lock = asyncio.Lock()
        self._found: T | None = None
        self._found_at_s = 0.0
        self._failed: OidcError | None = None
        self._failed_at_s = 0.0

    async def get(self, kept_s: float = _KEPT_S) -> T:
        """Return it, asked for anew where it is older than `kept_s`. Raises OidcError."""
        async with self._lock:
            now_s = self._time.monotonic_s()
            if self._found is not None and now_s - self._found_at_s < kept_s:
                return self._found
            if self._failed is not None and now_s - self._failed_at_s < _NOT_ASKED_AGAIN_S:
                raise OidcError(self._failed.why, str(self._failed))
            try:
                self._found = await self._ask()
            except OidcError as error:
                self._failed, self._failed_at_s = error, self._time.monotonic_s()
                raise
            self._found_at_s, self._failed = self._time.monotonic_s(), None
            return self._found


class Provider:
    """An OpenID provider, known by its issuer. Each address that it gives is as protected as the issuer's has to be."""

    def __init__(self, issuer: str, asking: Asking, time: TimeSource) -> None:
        self.issuer = issuer
        self._asking = asking
        self._description = _Kept(self._ask_description, time)
        self._keys = _Kept(self._ask_keys, time)

    async def description(self) -> Description:
        """Return its addresses. Raises OidcError."""
        return await self._description.get()

    async def keys(self) -> KeySet:
        """Return its public keys. Raises OidcError."""
        return await self._keys.get()

    async def renewed_keys(self) -> KeySet:
        """Return its public keys, at most a minute old: it may have changed them. Raises OidcError."""
        return await self._keys.get(_RENEWED_AFTER_S)

    async def _ask_description(self) -> Description:
        url = self.issuer.rstrip("/") + _DISCOVERY
        found = await self._read(url, Description)
        if found.issuer != self.issuer:
            raise wrong(f"{url} is of the issuer {found.issuer[:200]!r}, and `oidc_issuer` is {self.issuer!r}")
        for address in (found.authorization_endpoint, found.token_endpoint, found.jwks_uri):
            if not is_safe_address(address) or (address.startswith("http:") and self.issuer.startswith("https:")):
                raise wrong(f"{url} names the address {address[:200]!r}, which is not protected by TLS")
        methods = found.code_challenge_methods_supported
        if methods is not None and "S256" not in methods:
            raise wrong(f"{url} does not offer PKCE with S256")
        return found

    async def _ask_keys(self) -> KeySet:
        url = (await self.description()).jwks_uri
        told = (await self._read(url, _Keys)).keys[:_MOST_KEYS]
        keys = []
        for one in told:
            if one.get("kty") in _PUBLIC_KINDS and one.get("use", "sig") == "sig":
                try:
                    keys += KeySet.import_key_set({"keys": [cast("dict[str, str | list[str]]", one)]}).keys
                except (JoseError, ValueError, TypeError):
                    continue  # one that cannot be read stands in no other's way
        if not keys:
            raise wrong(f"{url} holds no public key that signatures could be checked by")
        return KeySet(keys)

    async def _read(self, url: str, kind: type[T]) -> T:
        answer = await self._asking.get(url)
        if answer.status != 200:
            raise away(f"{url} answers with status {answer.status}")
        found = read_json(answer.body, kind)
        if found is None:
            raise away(f"{url} does not answer as OpenID providers do")
        return found
