"""TLS contexts, shared by all connections with the same files.

Without sharing, the drivers would read all of the system's certificates for each connection. A
shared context is used as long as its files stay the same, which costs a `stat` of each file for
each connect. After a change (a rewritten file, a replaced one, a symbolic link that points to
another) the next connect reads the files again.
"""

import ssl
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from steadypool._drivers.configuration import Config
from steadypool.errors import PoolConfigError

_LOCAL_HOSTS = ("localhost", "127.0.0.1", "::1")
_READS = 3
"""The number of attempts to read files that change meanwhile."""


class Files(NamedTuple):
    """The paths of the files of a context."""

    authorities: str | None = None
    certificate: str | None = None
    key: str | None = None


_Version = tuple[tuple[int, ...], ...]
_known: dict[Files, tuple[_Version, ssl.SSLContext]] = {}


def tls_context(config: Config) -> ssl.SSLContext | None:
    """Return the TLS context for connections to this database; None: plain text.

    Raises PoolConfigError.
    """
    if config.tls is False:
        return None
    local = config.unix_socket is not None or config.host in _LOCAL_HOSTS
    if local and not config.requires_tls:
        return None
    return context(Files(config.tls_ca, config.tls_cert, config.tls_key))


def context(files: Files) -> ssl.SSLContext:
    """Return a context by the files as they are now; without authorities it does not verify.

    Raises PoolConfigError, which names the file.
    """
    version = _version(files)
    known = _known.get(files)
    if known is not None and known[0] == version:
        return known[1]
    made, version = _read(files, version)
    _known[files] = version, made
    return made


def _read(files: Files, version: _Version) -> tuple[ssl.SSLContext, _Version]:
    """Read the files; read them again if they change meanwhile."""
    for _ in range(_READS):
        made, fault = _made(files)
        before, version = version, _version(files)
        if before == version:
            break
    if fault is not None:
        raise fault
    assert made is not None
    return made, version


def _made(files: Files) -> tuple[ssl.SSLContext | None, PoolConfigError | None]:
    """Return a new context, or why there is none."""
    try:
        made = ssl.create_default_context(cafile=files.authorities)
    except OSError as error:
        return None, PoolConfigError(f"tls_ca: no authorities in {files.authorities!r}: {error}")
    if files.authorities is None:
        made.check_hostname = False
        made.verify_mode = ssl.CERT_NONE
    try:
        if files.certificate is not None:
            made.load_cert_chain(files.certificate, files.key, lambda: _refuse_encrypted(files))
    except OSError as error:
        return None, PoolConfigError(f"{_broken(files, error)}: {error}")
    except PoolConfigError as error:
        return None, error
    return made, None


def _refuse_encrypted(files: Files) -> str:
    # Otherwise OpenSSL would ask for the password at the terminal.
    option, path = ("tls_key", files.key) if files.key else ("tls_cert", files.certificate)
    raise PoolConfigError(f"{option}: the key in {path!r} is encrypted: decrypt it")


def _broken(files: Files, error: OSError) -> str:
    """Return an error text that names the broken file: certificate, key, or both."""
    if "MISMATCH" in str(error):
        both = f"{files.certificate!r} and {files.key or files.certificate!r}"
        return f"tls_cert and tls_key: certificate and key do not belong together in {both}"
    with suppress(OSError):
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(files.certificate)
        option, path = ("tls_key", files.key) if files.key else ("tls_cert", files.certificate)
        return f"{option}: no private key in {path!r}"
    return f"tls_cert: no certificate in {files.certificate!r}"


def _version(files: Files) -> _Version:
    """Return values that change with the files; raises PoolConfigError if one is missing."""
    options = zip(("tls_ca", "tls_cert", "tls_key"), files, strict=True)
    return tuple(_stat(option, path) for option, path in options if path is not None)


def _stat(option: str, path: str) -> tuple[int, ...]:
    try:
        found = Path(path).stat()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", error)
        raise PoolConfigError(f"{option}: cannot read the file {path!r}: {reason}") from None
    return (found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)
