import pytest
from hypothesis import given
from hypothesis import strategies as st

from mektep_agent.engines.ndt7.target import Scheme, Target, TargetError, parse_target

LOCAL = "өлшеу.example".encode("idna").decode()


@pytest.mark.parametrize(
    ("text", "target", "authority"),
    [
        ("ws://ndt.example:8081", Target(scheme=Scheme.WS, host="ndt.example", port=8081), "ndt.example:8081"),
        ("WSS://NDT.example/", Target(scheme=Scheme.WSS, host="ndt.example", port=443), "ndt.example"),
        ("ws://192.0.2.1", Target(scheme=Scheme.WS, host="192.0.2.1", port=80), "192.0.2.1"),
        ("ws://[::1]:9", Target(scheme=Scheme.WS, host="::1", port=9), "[::1]:9"),
        ("ws://өлшеу.example", Target(scheme=Scheme.WS, host=LOCAL, port=80), LOCAL),
        (
            "wss://ndt.example/ndt/v7/upload?access_token=a.b&index=0",
            Target(scheme=Scheme.WSS, host="ndt.example", port=443, query=(("access_token", "a.b"), ("index", "0"))),
            "ndt.example",
        ),
    ],
)
def test_an_address_is_taken_apart(text: str, target: Target, authority: str) -> None:
    found = parse_target(text)
    assert found == target
    assert found.authority == authority


@pytest.mark.parametrize(
    "text",
    [
        "", "ndt.example", "ndt.example:8081", "http://ndt.example", "ws://", "ws://:80", "ws://h:0", "ws://h:99999",
        "ws://h:x", "ws://user@h", "ws://user:pw@h", "ws://h#f", "ws://h/other", "ws://h/ndt/v7/ping", "ws://[::1",
        "ws://a b", "ws://h\r\nX: y", "ws://h/?a=1&a=2", "ws://" + "x" * 300, "ws://" + "х" * 70,
    ],
)  # fmt: skip
def test_what_is_no_servers_address_is_refused_with_what_one_looks_like(text: str) -> None:
    with pytest.raises(TargetError, match="wss://host"):
        parse_target(text)


@given(st.text(max_size=60))
def test_any_text_is_a_target_or_refused(text: str) -> None:
    for whole in (text, "ws://" + text):
        try:
            found = parse_target(whole)
        except TargetError:
            continue
        assert found.authority.isascii()
        assert found.authority.isprintable()
