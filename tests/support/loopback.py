"""Which addresses of its own this machine has: in some containers there is no IPv6."""

import socket


def loopbacks() -> list[str]:
    """Return 127.0.0.1, and ::1 where a socket can be bound to it."""
    try:
        with socket.create_server(("::1", 0), family=socket.AF_INET6):
            return ["127.0.0.1", "::1"]
    except OSError:
        return ["127.0.0.1"]
