"""Logging in by an identity provider, made of the settings. Its library is an extra, so it is imported only here."""

from contextlib import AsyncExitStack

from fastapi import APIRouter

from mektep_collector.access.elsewhere import COME_BACK
from mektep_collector.api.door import PeopleDoor
from mektep_collector.clock import TimeSource
from mektep_collector.config import Config, ConfigError
from mektep_collector.config.secret_file import read_secret
from mektep_collector.registry.registry import Registry

try:
    from mektep_collector.api.oidc.asking import Asking
    from mektep_collector.api.oidc.attempt import LABEL, Attempts
    from mektep_collector.api.oidc.login import Client, OidcLogin
    from mektep_collector.api.oidc.provider import Provider
    from mektep_collector.api.oidc.routes import create_oidc_router
except ModuleNotFoundError as error:
    raise ConfigError(
        f"`oidc_issuer` needs {error.name}, which is not installed: pip install 'mektep-meter[collector,oidc]'"
    ) from error


def oidc_pages(
    config: Config, public: str, door: PeopleDoor, registry: Registry, time: TimeSource, opened: AsyncExitStack
) -> APIRouter:
    """Return the routes by which people log in through the provider; `opened` closes what they need.

    The provider is asked nothing before somebody comes. Raises ConfigError.
    """
    secret = read_secret("oidc_client_secret_file", config.oidc_client_secret_file)
    asking = Asking()
    opened.push_async_callback(asking.close)
    client = Client(id=config.oidc_client_id, secret=secret, redirect_url=public + COME_BACK)
    provider = Provider(config.oidc_issuer, asking, time)
    login = OidcLogin(client, provider, asking, Attempts(registry.derived(LABEL), time), time)
    return create_oidc_router(login, door)
