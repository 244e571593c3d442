"""What the registry refuses.

RegistryError
├── RegistryAway          its database cannot be used at the moment
├── SchoolUnknown         no school has this id
├── DeviceUnknown         no device has this id
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


class KeyFileError(RegistryError):
    """The collector's signing key cannot be used."""


class SenderError(RegistryError):
    """A token lets nobody in."""


class SenderUnknown(SenderError):
    """It is no token of ours, or one that was replaced."""


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
