import pytest

from mektep_collector.cli.addresses import check_exposure, measuring_points, public_url
from mektep_collector.config import Config, ConfigError, PlainHttp
from mektep_collector.measure.settings import Ready
from mektep_wire import ProbeName


def ready(tls_port: int | None = None) -> Ready:
    return Ready(
        ndt7_port=81, ndt7_tls_port=tls_port, echo_port=82, metrics_port=83, addresses=(), congestion_control="bbr"
    )


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.9", "::1", "localhost"])
def test_plain_http_stays_on_this_computer(host: str) -> None:
    check_exposure(Config(host=host))


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.0.0.1", "collector.example"])  # noqa: S104 (what is refused)
def test_plain_http_elsewhere_must_be_wanted(host: str) -> None:
    with pytest.raises(ConfigError, match="in the clear"):
        check_exposure(Config(host=host))
    check_exposure(Config(host=host, plain_http=PlainHttp.ANYWHERE))
    check_exposure(Config(host=host, tls_cert="a", tls_key="b"))


def test_how_the_collector_is_reached() -> None:
    assert public_url(Config(), 5) == "http://127.0.0.1:5"
    assert public_url(Config(host="::1"), 5) == "http://[::1]:5"
    assert public_url(Config(tls_cert="a", tls_key="b"), 5) == "https://127.0.0.1:5"
    assert public_url(Config(public_url="https://a.kz/"), 5) == "https://a.kz"
    with pytest.raises(ConfigError, match="`public_url`"):
        public_url(Config(host="::"), 5)


def test_where_schools_measure_to() -> None:
    own = measuring_points(Config(), ready(), "https://a.kz")
    assert (own.ndt7_url, own.echo_url) == ("ws://a.kz:81", "udp://a.kz:82")
    assert measuring_points(Config(), ready(84), "https://a.kz").ndt7_url == "wss://a.kz:84"
    six = measuring_points(Config(measure_host="2001:db8::1"), ready(), "https://a.kz")
    assert (six.ndt7_url, six.echo_url) == ("ws://[2001:db8::1]:81", "udp://[2001:db8::1]:82")
    foreign = measuring_points(Config(ndt7_url="wss://m.kz", echo_url="udp://m.kz:7"), None, "https://a.kz")
    assert (foreign.ndt7_url, foreign.echo_url) == ("wss://m.kz", "udp://m.kz:7")
    none = measuring_points(Config(platforms=()), None, "https://a.kz")
    assert list(none.targets()) == []


def test_devices_are_handed_the_operators_platforms_with_name_and_text() -> None:
    config = Config(platforms=("Kundelik=https://kundelik.kz/ Күнделік", "Other=https://other.kz/"))
    targets = measuring_points(config, None, "https://a.kz").targets()
    assert [(target.probe, target.address, target.name, target.expected_text) for target in targets] == [
        (ProbeName.PLATFORM, "https://kundelik.kz/", "Kundelik", "Күнделік"),
        (ProbeName.PLATFORM, "https://other.kz/", "Other", None),
    ]
