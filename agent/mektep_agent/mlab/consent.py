"""Consent to M-Lab's data policy: without it there is no way to build what asks M-Lab for a server.

M-Lab publishes the public address and the result of every test, in the public domain, and wants informed consent before
the first one (its Acceptable Use Policy; privacy policy: https://www.measurementlab.net/privacy/).
"""

import msgspec

from mektep_agent.config.settings import MlabDataPolicy


class Consent(msgspec.Struct, frozen=True):
    """That someone who may decide for this school has accepted M-Lab's data policy.

    Raises ValueError for anything but an acceptance.
    """

    given: MlabDataPolicy

    def __post_init__(self) -> None:
        """Refuse to be built without an acceptance."""
        if self.given is not MlabDataPolicy.ACCEPTED:
            raise ValueError(
                "M-Lab publishes the public address and the result of every test; "
                "set `mlab_data_policy` to `accepted` to agree to that for this school"
            )
