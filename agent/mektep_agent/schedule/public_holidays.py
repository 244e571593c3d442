"""Public holidays of a country, computed once by a process of its own and kept in a file.

The `holidays` library costs 10 to 20 MB of memory when it is loaded, for a list of a few dates that changes once a
year. `python -m mektep_agent.schedule.public_holidays KZ 2026 2027` prints the table; the daemon keeps it.
"""

import asyncio
import os
import subprocess
import sys
from contextlib import suppress
from datetime import date

import msgspec

from mektep_agent.config.state_folder import StateFolder

_TIMEOUT_S = 120.0


class HolidayError(Exception):
    """The holidays could not be computed; the message says why."""


class HolidayTable(msgspec.Struct, frozen=True, kw_only=True):
    """The public holidays of `country` in these years."""

    country: str
    years: tuple[int, ...]
    dates: tuple[date, ...]


def load_table(folder: StateFolder, country: str, year: int) -> HolidayTable | None:
    """Return the table that is kept, or None where none covers `country` in `year` and the next."""
    try:
        table = msgspec.json.decode(folder.holidays.read_bytes(), type=HolidayTable)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError):  # it can be computed again
        return None
    return table if table.country == country and {year, year + 1} <= set(table.years) else None


async def compute_table(folder: StateFolder, country: str, year: int) -> HolidayTable:
    """Compute the table for the years around `year` in another process and keep it; raises HolidayError."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-P", "-m", "mektep_agent.schedule.public_holidays"),
        *(country, str(year - 1), str(year + 1)),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        start_new_session=os.name == "posix",
        creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
    )
    try:
        async with asyncio.timeout(_TIMEOUT_S):
            output, errors = await process.communicate()
    except TimeoutError:
        raise HolidayError(f"the holidays of {country} were not computed within {_TIMEOUT_S:g} s") from None
    finally:
        if process.returncode is None:
            with suppress(ProcessLookupError):
                process.kill()
    if process.returncode != 0:
        raise HolidayError(errors.decode("utf-8", "replace").strip()[-500:])
    table = msgspec.json.decode(output, type=HolidayTable)
    folder.write(folder.holidays, output)
    return table


def main(arguments: list[str]) -> int:
    """Print the table as JSON; return the exit code."""
    import holidays  # the library is for this process alone: the daemon imports this module and must not carry it

    country, first_year, last_year = arguments[0], int(arguments[1]), int(arguments[2])
    years = tuple(range(first_year, last_year + 1))
    try:
        found = holidays.country_holidays(country, years=years)
    except NotImplementedError:
        sys.stderr.write(f"no public holidays are known for the country {country!r}\n")
        return 1
    table = HolidayTable(country=country, years=years, dates=tuple(sorted(found)))
    sys.stdout.buffer.write(msgspec.json.encode(table))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
