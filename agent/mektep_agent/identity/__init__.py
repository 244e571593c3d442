"""Who this computer is to its collector: key, token, and the assignment it was given. Never a hardware id.

`keys` alone needs the cryptography library; the daemon at rest does not load it.
"""
