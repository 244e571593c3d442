"""How many files and connections the system lets this process have open."""

import importlib.util
import logging

_LOG = logging.getLogger(__name__)


def allow_files(count: int) -> int:
    """Ask for `count` open files at once; return how many the system grants. Fewer are said in the log."""
    if importlib.util.find_spec("resource") is None:  # Windows has no such limit
        return count
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    granted = count if hard == resource.RLIM_INFINITY else min(count, hard)
    if soft != resource.RLIM_INFINITY and soft < granted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (granted, hard))
    if granted < count:
        _LOG.warning("few_files_allowed", extra={"allowed": granted, "wanted": count})
    return granted
