"""Opening the server's ports: the same number on every address, IPv4 and IPv6 each with a socket of its own.

Separate sockets keep an IPv4 client's address an IPv4 address in what the server reports.
"""

import errno
import socket
from contextlib import ExitStack

from mektep_collector.measure.settings import ANY_FREE_PORT, MeasureError

_EVERYWHERE = ("0.0.0.0", "::")  # noqa: S104 (schools measure to this server)
_BACKLOG_COUNT = 256
_NO_SUCH_FAMILY = {errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL}


def open_ports(bind: tuple[str, ...], port: int, kind: socket.SocketKind) -> list[socket.socket]:
    """Return one bound socket an address (listening, for TCP), all on one port; raises MeasureError.

    Without addresses it takes all of IPv4, and all of IPv6 where this computer has it. The caller closes the sockets.
    """
    with ExitStack() as opened:
        sockets: list[socket.socket] = []
        for address in bind or _EVERYWHERE:
            number = sockets[0].getsockname()[1] if sockets and port == ANY_FREE_PORT else port
            try:
                sockets.append(opened.enter_context(_open(address, number, kind)))
            except OSError as error:
                if not bind and ":" in address and sockets and error.errno in _NO_SUCH_FAMILY:
                    continue
                protocol = "TCP" if kind is socket.SOCK_STREAM else "UDP"
                raise MeasureError(
                    f"{protocol} port {number} of {address} cannot be opened: {error.strerror or error}; "
                    "choose another port or address, or stop the program that holds it"
                ) from error
        opened.pop_all()
        return sockets


def _open(address: str, port: int, kind: socket.SocketKind) -> socket.socket:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    opened = socket.socket(family, kind)
    try:
        if family == socket.AF_INET6:
            opened.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        if kind is socket.SOCK_STREAM:
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        opened.bind((address, port))
        if kind is socket.SOCK_STREAM:
            opened.listen(_BACKLOG_COUNT)
        opened.setblocking(False)
    except OSError:
        opened.close()
        raise
    return opened


def choose_congestion_control(listener: socket.socket, wanted: str | None) -> str:
    """Set what drives the connections that `listener` will accept, and return its name; raises MeasureError.

    BBR is taken where the system has it: it does not mistake a lossy radio link for a full one. Without BBR the
    system's own default stays; another algorithm that was asked for by name must be there.
    """
    if not hasattr(socket, "TCP_CONGESTION"):
        if wanted is not None:
            raise MeasureError("this system does not let a program choose the congestion control; leave the choice out")
        return "unknown"
    try:
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, (wanted or "bbr").encode("ascii"))
    except (OSError, UnicodeEncodeError) as error:
        if wanted is not None:
            raise MeasureError(
                f"this system has no congestion control `{wanted}`; it has those that "
                "`sysctl net.ipv4.tcp_available_congestion_control` names"
            ) from error
    return listener.getsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, 16).rstrip(b"\0").decode("ascii")
