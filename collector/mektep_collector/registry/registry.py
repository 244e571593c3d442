"""The registry as a whole: one database, one signing key, and the parts that work on them."""

from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path
from random import Random, SystemRandom

from sqlalchemy import URL, make_url

from mektep_collector.clock import SystemTime, TimeSource
from mektep_collector.registry.assignments import Assignments
from mektep_collector.registry.audit_seeds import AuditSeeds
from mektep_collector.registry.change_log import ChangeLog
from mektep_collector.registry.codes import Codes
from mektep_collector.registry.database import Database
from mektep_collector.registry.devices import Devices
from mektep_collector.registry.enrolment import Enrolment
from mektep_collector.registry.homes import Home, Homes
from mektep_collector.registry.people import People
from mektep_collector.registry.schools import Schools
from mektep_collector.registry.second_factor import SecondFactors
from mektep_collector.registry.senders import Senders
from mektep_collector.registry.sessions import Sessions
from mektep_collector.registry.signing_key import SigningKey, open_signing_key
from mektep_collector.registry.tokens import Tokens

DATABASE = Path("registry.sqlite")
KEY = Path("keys") / "collector.ed25519.pem"
TOKEN_OVERLAP = timedelta(hours=24)


class Registry:
    """Schools, devices, codes, tokens, assignments, people, the log of changes. Safe for many threads; `close` it."""

    def __init__(
        self, database: Database, key: SigningKey, time: TimeSource, random: Random, token_overlap: timedelta
    ) -> None:
        self._database = database
        self._key = key
        self.public_key = key.public_bytes
        self.changes = ChangeLog(database, key)
        self.schools = Schools(database, time, self.changes)
        self.devices = Devices(database, self.changes, time)
        self.codes = Codes(database, self.changes)
        self.enrolment = Enrolment(database, random, self.changes)
        self.tokens = Tokens(database, self.changes, time, token_overlap)
        self.senders = Senders(database, self.devices, self.tokens, time)
        self.assignments = Assignments(database, key)
        self.audit_seeds = AuditSeeds(key)
        self.people = People(database, self.changes, SecondFactors(key), time)
        self.sessions = Sessions(database, time)

    def homes(self, own: Home, time: TimeSource, known: Iterable[str]) -> Homes:
        """Return the homes of devices as the collector `own` sees them, once the others are told of it.

        It claims the `known` devices, which its journal has, where no other has. Raises RegistryAway.
        """
        homes = Homes(self._database, time, own)
        homes.announce()
        homes.claim(known)
        return homes

    def derived(self, label: bytes) -> bytes:
        """Return 32 secret bytes of a label, the same wherever this registry's key is; for one use alone."""
        return self._key.derived(label)

    def close(self) -> None:
        """Close the database. Further use is a bug."""
        self._database.close()


def open_registry(
    data_dir: Path,
    time: TimeSource | None = None,
    random: Random | None = None,
    *,
    url: str = "",
    token_overlap: timedelta = TOKEN_OVERLAP,
) -> Registry:
    """Open the registry in a data directory, and make there what is missing. The caller closes it.

    With `url` its tables are in that database, and the directory has the signing key alone. A device's earlier token is
    good for `token_overlap` from the first use of a newer one on. Raises KeyFileError when the signing key cannot be
    used, RegistryAway when the database cannot.
    """
    data_dir.mkdir(parents=True, exist_ok=True)
    key = open_signing_key(data_dir / KEY)
    database = Database(make_url(url) if url else URL.create("sqlite", database=str(data_dir / DATABASE)))
    try:
        database.migrate()
    except BaseException:
        database.close()
        raise
    return Registry(database, key, time or SystemTime(), random or SystemRandom(), token_overlap)
