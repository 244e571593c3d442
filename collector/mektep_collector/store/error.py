"""Why a store cannot do what it was asked."""


class StoreError(Exception):
    """A store could not be opened, read or written; the message says where and what to do. The journal is unharmed."""
