"""The engines that measure throughput, by name: one line an engine, and what each one's server address stands for."""

from pathlib import Path
from urllib.parse import urlsplit

from mektep_agent.clock import TimeSource
from mektep_agent.engines import iperf3, librespeed, ndt7, speedtest
from mektep_agent.engines.engine import ThroughputEngine
from mektep_agent.engines.udp_echo import DEFAULT_PORT
from mektep_agent.probes.table import Targets
from mektep_wire import EngineName

THROUGHPUT_ENGINES = (EngineName.NDT7, EngineName.LIBRESPEED, EngineName.SPEEDTEST, EngineName.IPERF3)
_PUBLIC_PATH = "tcp://www.speedtest.net:443"


def build_throughput_engine(
    name: EngineName, time: TimeSource, consent: speedtest.Consent, authorities: Path | None = None
) -> ThroughputEngine:
    """Return the engine of that name; raises ValueError for one that does not measure throughput."""
    if name is EngineName.NDT7:
        return ndt7.Ndt7Engine(ndt7.Ndt7Settings(authorities=authorities), time)
    if name is EngineName.LIBRESPEED:
        return librespeed.LibrespeedEngine(librespeed.LibrespeedSettings(authorities=authorities), time)
    if name is EngineName.SPEEDTEST:
        return speedtest.SpeedtestEngine(speedtest.SpeedtestSettings(consent=consent), time)
    if name is EngineName.IPERF3:
        return iperf3.Iperf3Engine(iperf3.Iperf3Settings(), time)
    known = ", ".join(engine.value for engine in THROUGHPUT_ENGINES)
    raise ValueError(f"`{name.value}` does not measure throughput; these do: {known}")


def targets_for(name: EngineName, server: str, echo: str | None = None) -> Targets:
    """Return where the probes measure to when that engine tests `server`; raises ValueError that says how one reads."""
    path = server
    if name is EngineName.NDT7:
        host = ndt7.parse_target(server).host
    elif name is EngineName.LIBRESPEED:
        host = librespeed.parse_target(server).host
    elif name is EngineName.IPERF3:
        place = iperf3.parse_target(server)
        host, path = place.host, f"tcp://{_bracketed(place.host)}:{place.port}"
    else:
        mini_url = speedtest.parse_target(server).mini_url
        path = mini_url or _PUBLIC_PATH
        host = urlsplit(path).hostname or ""
    return Targets(throughput=server, echo=echo or f"udp://{_bracketed(host)}:{DEFAULT_PORT}", path=path)


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host
