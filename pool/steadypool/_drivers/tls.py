"""TLS contexts, shared by all connections with the same settings.

Without sharing, the drivers would read all of the system's certificates for each connection.
"""

import ssl
from functools import cache

from steadypool._drivers.configuration import Config
from steadypool.errors import PoolConfigError

_LOCAL_HOSTS = ("localhost", "127.0.0.1", "::1")


@cache
def context(authorities: str | None) -> ssl.SSLContext:
    """Return a context that verifies against these authorities; without any it does not verify.

    Raises PoolConfigError.
    """
    try:
        made = ssl.create_default_context(cafile=authorities)
    except OSError as error:
        raise PoolConfigError(f"tls_ca: no authorities in {authorities!r}: {error}") from None
    if authorities is None:
        made.check_hostname = False
        made.verify_mode = ssl.CERT_NONE
    return made


def tls_context(config: Config) -> ssl.SSLContext | None:
    """Return the TLS context for connections to this database; None: plain text.

    Raises PoolConfigError.
    """
    if config.tls is False:
        return None
    local = config.unix_socket is not None or config.host in _LOCAL_HOSTS
    if local and not (config.tls or config.tls_ca):
        return None
    return context(config.tls_ca)
