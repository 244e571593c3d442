"""The datagrams of the UDP echo: what an agent must send for the measuring server to answer.

A probe begins with `ECHO_MAGIC`; what follows is the agent's own (a nonce, a number, padding). The server sends a probe
back unchanged to where it came from, and drops everything else unanswered: an answer is never larger than its
question, so nobody gains by sending questions in another's name.
"""

ECHO_MAGIC = b"MKTPECH1"
"""First bytes of every probe; the digit is the version of this form."""

ECHO_MIN_BYTES = 32
"""Least length of a probe: magic, a nonce of 16 bytes, a number of 8 bytes. A shorter datagram is dropped."""

ECHO_MAX_BYTES = 1_500
"""Most length of a probe; a longer datagram is dropped. Above about 1,450 it may cross the link in two pieces."""
