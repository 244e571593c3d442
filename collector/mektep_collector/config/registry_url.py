"""Where the registry's database is, with the password that a file holds."""

from urllib.parse import quote, urlsplit, urlunsplit

from mektep_collector.config.secret_file import read_secret
from mektep_collector.config.settings import Config


def registry_url(config: Config) -> str:
    """Return the address of the registry's database, password included; empty for the file in the data directory.

    Raises ConfigError when the password's file cannot be read.
    """
    password = read_secret("registry_password_file", config.registry_password_file)
    if not config.registry_url or not password:
        return config.registry_url
    parts = urlsplit(config.registry_url)
    user, _, rest = parts.netloc.rpartition("@")
    return urlunsplit(parts._replace(netloc=f"{user}:{quote(password, safe='')}@{rest}"))
