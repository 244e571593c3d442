"""What the registry refuses.

RegistryError
├── RegistryAway          its database cannot be used at the moment
├── SchoolUnknown         no school has this id
├── DeviceUnknown         no device has this id
├── NothingLeftBehind     a device uses the only good token it has
├── RenewalError          a request for a new token gives none
│   ├── RequestStale      it was made too long ago, or ahead of time
│   └── RequestReplayed   a token was given for it before
├── OriginsMixed          a school would have measured and simulated readings
├── PersonError           people cannot be changed so
│   ├── PersonUnknown     nobody has this login
│   ├── PersonExists      somebody has it already
│   ├── PersonRefused     a login, role or region that cannot be
│   └── PasswordRefused   a password that is guessed soon
├── KeyFileError          the collector's signing key cannot be used
├── SenderError           a token lets nobody in
│   ├── SenderUnknown     it is no token of ours, or an ended one
│   └── SenderRevoked     its device was revoked
└── EnrolmentError        a code lets nobody in
    ├── ProofWrong        the key's possession is not shown
    ├── CodeUnknown       no such code, a wrong secret, or too many wrong tries
    ├── CodeExpired       the code's time is over
    ├── CodeSpent         another computer has used it
    └── EnrolledRevoked   this computer had used it, and its device was revoked since
"""

from mektep_wire import Origin


class RegistryError(Exception):
    """Anything that the registry refuses; the message says what and what to do."""


class RegistryAway(RegistryError):
    """The registry's database is locked or out of reach; nothing was changed, and the same may be asked again."""


class SchoolUnknown(RegistryError):
    """No school has this id."""

    def __init__(self, school_id: str) -> None:
        super().__init__(f"no school has the id {school_id!r}; `mektep-collector schools list` shows those there are")
        self.school_id = school_id


class DeviceUnknown(RegistryError):
    """No device has this id."""

    def __init__(self, device_id: str) -> None:
        super().__init__(f"no device has the id {device_id!r}; `mektep-collector devices` shows those there are")
        self.device_id = device_id


class NothingLeftBehind(RegistryError):
    """A device uses the only good token it has: there is no other to end."""

    def __init__(self, device_id: str) -> None:
        super().__init__(
            f"device {device_id} has left no token behind; ask for a new one (`devices renew-token {device_id}`), and "
            "wait until `devices` shows that the device uses it"
        )


class RenewalError(RegistryError):
    """A request for a new token gives none."""


class RequestStale(RenewalError):
    """The request was made too long ago, or ahead of time."""


class RequestReplayed(RenewalError):
    """A token was given for this request before."""


class OriginsMixed(RegistryError):
    """A school would have computers that measure and simulated ones."""

    def __init__(self, school_id: str, origin: Origin) -> None:
        has = Origin.SIMULATED if origin is Origin.MEASURED else Origin.MEASURED
        super().__init__(
            f"school {school_id!r} has codes for computers whose readings are {has.value}, so it takes none for "
            f"{origin.value} ones; register the school under another id"
        )


class PersonError(RegistryError):
    """People cannot be changed so."""


class PersonUnknown(PersonError):
    """Nobody has this login."""

    def __init__(self, login: str) -> None:
        super().__init__(f"nobody has the login {login!r}; `mektep-collector people list` shows those there are")


class PersonExists(PersonError):
    """Somebody has this login already."""

    def __init__(self, login: str) -> None:
        super().__init__(f"{login} is there already; `mektep-collector people role` changes role and regions")


class PersonRefused(PersonError):
    """A login, role or region that cannot be."""


class PasswordRefused(PersonError):
    """A password that is guessed soon."""


class KeyFileError(RegistryError):
    """The collector's signing key cannot be used."""


class SenderError(RegistryError):
    """A token lets nobody in."""


class SenderUnknown(SenderError):
    """It is no token of ours, or one that has ended."""


class SenderRevoked(SenderError):
    """The token's device was revoked."""


class EnrolmentError(RegistryError):
    """A code lets nobody in."""


class ProofWrong(EnrolmentError):
    """The request does not show that the key is held by who asks."""


class CodeUnknown(EnrolmentError):
    """No such code, a wrong secret, or too many wrong tries: which of them is not told."""


class CodeExpired(EnrolmentError):
    """The code's time is over."""


class CodeSpent(EnrolmentError):
    """Another computer has used the code."""


class EnrolledRevoked(EnrolmentError):
    """This computer has used the code, and its device was revoked since."""
