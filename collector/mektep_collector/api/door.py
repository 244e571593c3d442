"""The door to the pages: who comes in by a session, by login and password, or as everyone does.

Tries are limited by login from one network, by login from anywhere, and by network: none of them shuts a person out for
long because somebody else guesses.
"""

import hashlib
import hmac
import logging
import math
from datetime import timedelta
from typing import Final

from mektep_collector.access.elsewhere import NotLetIn
from mektep_collector.access.visit import Entered, Refusal, Refused, Visitor
from mektep_collector.api.attempt_limit import AttemptLimit
from mektep_collector.api.entrance import cookie_name
from mektep_collector.api.networks import network_of
from mektep_collector.clock import TimeSource
from mektep_collector.registry.people import People
from mektep_collector.registry.sessions import Sessions

_LOG = logging.getLogger(__name__)
_FORM_LABEL: Final = b"mektep-meter/1/forms of this session"


class OpenDoor:
    """Everyone is let see everything, and nobody logs in."""

    def is_for_everyone(self) -> bool:
        """Nobody needs to log in."""
        return True

    def visitor(self, _token: str) -> Visitor | None:
        """Return a visitor like any other."""
        return Visitor()

    def enter(self, _login: str, _password: str, _code: str, _address: str) -> Entered | Refused:
        """Let nobody log in: there is nothing that they would not see."""
        return Refused(Refusal.WRONG)

    def elsewhere_name(self) -> str:
        """Return no name: nobody logs in."""
        return ""

    def leave(self, _token: str) -> None:
        """Nobody had come in."""

    def cookie_name(self, scheme: str) -> str:
        """Return the name of the session's cookie."""
        return cookie_name(scheme)


class PeopleDoor:
    """People log in. Safe for many threads; a login takes some tenths of a second."""

    def __init__(
        self,
        people: People,
        sessions: Sessions,
        time: TimeSource,
        idle: timedelta,
        lifetime: timedelta,
        elsewhere_name: str = "",
    ) -> None:
        self._people = people
        self._sessions = sessions
        self._idle = idle
        self._lifetime = lifetime
        self._elsewhere_name = elsewhere_name
        self._by_both = AttemptLimit(5, 60.0, time)
        self._by_login = AttemptLimit(50, 10.0, time)
        self._by_network = AttemptLimit(30, 5.0, time)

    def is_for_everyone(self) -> bool:
        """Everybody logs in."""
        return False

    def visitor(self, token: str) -> Visitor | None:
        """Return whose session a token is, None for nobody's. Raises RegistryAway."""
        person = self._sessions.find(token, self._idle)
        if person is None:
            return None
        key = hmac.digest(token.encode(), _FORM_LABEL, hashlib.sha256).hex()
        return Visitor(role=person.role, scope=person.scope, login=person.login, form_key=key)

    def enter(self, login: str, password: str, code: str, address: str) -> Entered | Refused:
        """Begin a session for who shows to be this person. Raises RegistryAway."""
        network, name = network_of(address), login.strip().lower()[:80]
        both = f"{name} {network}"
        # One that is refused here is not counted there: who guesses from one network shuts nobody out elsewhere.
        wait_s = self._by_both.wait_s(both) or self._by_network.wait_s(network) or self._by_login.wait_s(name)
        if wait_s:
            return Refused(Refusal.TOO_OFTEN, math.ceil(wait_s))
        person = self._people.recognise(login, password, code)
        if person is None:
            _LOG.warning("login_refused", extra={"network": network})
            return Refused(Refusal.WRONG)
        self._by_both.forget(both)
        return self._begin(person.login, network)

    def elsewhere_name(self) -> str:
        """Return the name of the identity provider by which people may log in too, empty for none."""
        return self._elsewhere_name

    def may_come_back(self, address: str) -> bool:
        """Count a return from the identity provider, and tell whether the network has not had too many tries."""
        return not self._by_network.wait_s(network_of(address))

    def enter_vouched(self, login: str, address: str) -> Entered | NotLetIn:
        """Begin a session for whom the identity provider vouches. Raises RegistryAway.

        Who was given a second factor here shows it here: the provider's word does not stand for it.
        """
        person = self._people.vouched(login)
        if person is None:
            return NotLetIn.UNKNOWN
        if person.has_second_factor:
            return NotLetIn.SECOND_FACTOR
        return self._begin(person.login, network_of(address))

    def turned_away(self, why: NotLetIn, reason: str, address: str) -> None:
        """Note that the identity provider's word let nobody in."""
        _LOG.warning("login_elsewhere_refused", extra={"why": why, "reason": reason, "network": network_of(address)})

    def _begin(self, login: str, network: str) -> Entered:
        _LOG.info("login", extra={"login": login, "network": network})
        return Entered(self._sessions.begin(login, self._lifetime), round(self._lifetime.total_seconds()))

    def leave(self, token: str) -> None:
        """End a session. Raises RegistryAway."""
        self._sessions.end(token)

    def cookie_name(self, scheme: str) -> str:
        """Return the name of the session's cookie."""
        return cookie_name(scheme)
