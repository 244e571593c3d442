"""The device behind a request: its bearer token (RFC 6750), and what is answered when the token opens nothing."""

from collections.abc import Generator
from contextlib import contextmanager
from typing import Protocol

from starlette.requests import Request

from mektep_collector.api.problems import ProblemError, unavailable
from mektep_collector.registry.error import RegistryAway, SenderRevoked, SenderUnknown
from mektep_collector.registry.records import Device
from mektep_wire import ProblemKind

ENROL_ANEW = "enrol this computer anew with a join code from the operator; keep the readings meanwhile"


class Senders(Protocol):
    """Who may send."""

    def authenticate(self, token: str) -> Device:
        """Return the device that a bearer token belongs to.

        Raises SenderUnknown for a token that opens nothing and SenderRevoked for a device that may send no more.
        Answers from memory, or from a local file within milliseconds.
        """
        ...


def sender_of(request: Request, senders: Senders) -> Device:
    """Return the device that sends `request`; raises ProblemError."""
    token = token_of(request)
    with refused_senders():
        return senders.authenticate(token)


def token_of(request: Request) -> str:
    """Return the token that `request` bears, whatever it opens; raises ProblemError where there is none."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise _unauthorised("the request bears no token")
    return token.strip()


@contextmanager
def refused_senders() -> Generator[None, None, None]:
    """Raise the registry's refusals of a sender within the block as ProblemError."""
    try:
        yield
    except SenderRevoked as error:
        raise ProblemError(ProblemKind.DEVICE_REVOKED, str(error), advice=ENROL_ANEW) from None
    except RegistryAway as error:
        raise unavailable(str(error)) from None
    except SenderUnknown as error:
        raise _unauthorised(str(error)) from None


def _unauthorised(detail: str) -> ProblemError:
    return ProblemError(ProblemKind.UNAUTHORISED, detail, advice=ENROL_ANEW, headers={"WWW-Authenticate": "Bearer"})
