import pytest

from mektep_collector.measure.echo import is_probe
from mektep_wire.echo import ECHO_MAGIC, ECHO_MAX_BYTES, ECHO_MIN_BYTES


@pytest.mark.parametrize(
    ("datagram", "answered"),
    [
        (ECHO_MAGIC + bytes(ECHO_MIN_BYTES - 8), True),
        (ECHO_MAGIC + bytes(ECHO_MAX_BYTES - 8), True),
        (ECHO_MAGIC + bytes(ECHO_MIN_BYTES - 9), False),
        (ECHO_MAGIC + bytes(ECHO_MAX_BYTES - 7), False),
        (b"MKTPECH2" + bytes(56), False),
        (b"", False),
    ],
)
def test_only_a_probe_of_ours_is_answered(datagram: bytes, answered: bool) -> None:
    assert is_probe(datagram) is answered
