"""Why the journal cannot do what it was asked.

Tree of errors::

    JournalError            opening, reading or writing failed; the message says where and what to do
        JournalBusyError    too many batches wait to be written; the same batch may come again after a pause
"""


class JournalError(Exception):
    """The journal could not be opened, read or written. What was accepted before stays accepted."""


class JournalBusyError(JournalError):
    """More batches wait than the disk takes in time; nothing of this one was kept."""
