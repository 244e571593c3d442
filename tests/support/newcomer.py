"""A computer that wants to become a device of a school."""

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from mektep_wire import EnrolmentRequest, Platform, Purpose, signing_input


class Newcomer:
    """A computer with a key of its own."""

    def __init__(self, seed: int = 1) -> None:
        self.key = Ed25519PrivateKey.from_private_bytes(seed.to_bytes(32, "big"))
        self.public_key = self.key.public_key().public_bytes_raw()

    def request(self, code: str, *, proof_code: str | None = None) -> EnrolmentRequest:
        """Return its request with a code; `proof_code` is what it signs instead, for a proof that is wrong."""
        return EnrolmentRequest(
            code=code,
            public_key=self.public_key,
            proof=self.key.sign(signing_input(Purpose.ENROLMENT, (proof_code or code).encode())),
            agent_version="0.1.0",
            platform=Platform.LINUX,
        )
