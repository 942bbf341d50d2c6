"""MariaDB and MySQL as private instances.

Making an empty data directory takes a second, and copying one a hundredth of a second. So one is
made for each user and server version, kept in the user's cache directory, and copied for each
instance. The MySQL branch follows MySQL's manual and has not been run with a MySQL server.

The administrator is `root` without a password. It can sign in over the unix socket only, which is
in a directory with access for its owner only. Over TCP only tenants can sign in.
"""

import fcntl
import os
import re
import shutil
import stat
import subprocess
import tempfile
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from poolspec.servers.base import Address, ServerError, ServerKind
from poolspec.servers.directory import shortage
from poolspec.servers.private import Program
from poolspec.servers.sql import FULL

ENVIRONMENT = "POOLSPEC_MARIADBD"
"""Environment variable: the path of the server binary; empty: use none."""

_NAMES = {ServerKind.MARIADB: "mariadbd", ServerKind.MYSQL: "mysqld"}
_PLACES = ("/usr/sbin", "/usr/local/sbin", "/usr/local/bin", "/usr/libexec")
_BREW = Path("/opt/homebrew/opt")
_TEMPLATE_SECONDS = 120
_TEMPLATE_FORMAT = 1
_NEEDED_BYTES = 40_000_000

# The files on disk depend on these options, so the template is made with them too.
_FILES = (
    "--innodb-log-file-size=4M",
    "--innodb-data-file-path=ibdata1:5M:autoextend",
    "--innodb-autoextend-increment=1",
)
_LEAN = (
    "--innodb-buffer-pool-size=16M",
    "--innodb-log-buffer-size=2M",
    "--innodb-temp-data-file-path=ibtmp1:4M:autoextend",
    "--innodb-buffer-pool-dump-at-shutdown=0",
    "--innodb-buffer-pool-load-at-startup=0",
    # 2 survives `kill -9` of the server, which 0 does not; only a power cut loses commits.
    "--innodb-flush-log-at-trx-commit=2",
    "--key-buffer-size=1M",
    "--skip-log-bin",
    "--skip-performance-schema",
    "--skip-name-resolve",
    "--max-connections=512",
    "--max-connect-errors=1000000",
    "--character-set-server=utf8mb4",
)
_MARIADB_ONLY = (
    "--aria-pagecache-buffer-size=1M",
    # A temporary directory need not survive a power cut, so nothing waits for the disk.
    "--debug-no-sync",
    "--innodb-flush-method=nosync",
)
_MYSQL_ONLY = ("--mysqlx=OFF",)
_ONLY_LOCAL_ROOT = """\
DROP DATABASE IF EXISTS sys;
DELETE FROM mysql.global_priv WHERE User = '' OR Host <> 'localhost';
"""


class UnusableError(ServerError):
    """An installed server cannot be prepared or run by this user on this machine."""


@dataclass(frozen=True)
class Mysqld(Program):
    """A MariaDB or MySQL server binary."""

    kind: ServerKind
    binary: Path
    capabilities = FULL
    needed = _NEEDED_BYTES

    def prepare(self, directory: Path) -> None:
        """Copy the empty data directory; raises UnusableError if it cannot be made."""
        try:
            empty = template(self)
        except OSError as error:
            raise UnusableError(
                f"The empty data directory of {self.binary} cannot be kept in "
                f"{error.filename or 'the cache'}: {error.strerror}. Free some space and "
                "allow writing there, or set XDG_CACHE_HOME to another directory."
            ) from None
        try:
            shutil.copytree(empty, directory / "data")
        except shutil.Error as error:  # has a reason for each file
            raise OSError(error.errno, str(error.args[0][0][2])) from None

    def account(self, directory: Path) -> tuple[str, str]:
        """Return the administrator, which signs in over the unix socket only."""
        return "root", ""

    def command(self, directory: Path, address: Address) -> list[str]:
        """Return the command line of a small server."""
        special = _MARIADB_ONLY if self.kind is ServerKind.MARIADB else _MYSQL_ONLY
        return [
            *self._base(directory / "data"),
            *special,
            *_LEAN,
            f"--socket={address.unix_socket}",
            f"--bind-address={address.host}",
            f"--port={address.port}",
            f"--tmpdir={directory}",
            f"--pid-file={directory / 'mysqld.pid'}",
            f"--log-error={directory / 'server.log'}",
        ]

    def version(self) -> str:
        """Return the output of the binary's `--version`; raises ServerError if it does not run."""
        return _version_of(self.binary).strip()

    def fill(self, data: Path) -> None:
        """Make an empty data directory; raises ServerError."""
        what = "make an empty data directory"
        if self.kind is ServerKind.MYSQL:
            run([*self._base(data), "--initialize-insecure"], what)
            return
        run([*self._installer(data)], what)
        run([*self._base(data), "--bootstrap"], what, statements=_ONLY_LOCAL_ROOT)

    def _installer(self, data: Path) -> Iterable[str]:
        script = shutil.which("mariadb-install-db", path=_search_path(self.binary.parent))
        if script is None:
            raise UnusableError(
                f"mariadb-install-db, which belongs to {self.binary}, was not found. "
                "Install the whole MariaDB server package."
            )
        _, *options = self._base(data)
        return (
            script,
            *options,
            "--auth-root-authentication-method=normal",
            "--skip-test-db",
            "--skip-name-resolve",
        )

    def _base(self, data: Path) -> list[str]:
        as_root = ["--user=root"] if os.geteuid() == 0 else []
        return [str(self.binary), "--no-defaults", f"--datadir={data}", *as_root, *_FILES]


def find_mysqld(kinds: Iterable[ServerKind] = tuple(_NAMES)) -> Mysqld | None:
    """Return this machine's server binary of one of these kinds; MariaDB is preferred."""
    named = os.environ.get(ENVIRONMENT)
    if named is not None:
        return _named(named, tuple(kinds))
    for kind in kinds:
        found = shutil.which(_NAMES[kind], path=_search_path())
        if found is not None:
            return Mysqld(_kind_of(Path(found), kind), Path(found).absolute())
    return None


def template(program: Mysqld) -> Path:
    """Return the empty data directory for this binary; make it if it does not exist."""
    version = re.sub(r"[^A-Za-z0-9.]+", "-", program.version())[-80:]
    place = _cache() / f"data-{_TEMPLATE_FORMAT}-{version}"
    if not place.is_dir():
        _cache().mkdir(parents=True, exist_ok=True)
        with (_cache() / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # two workers start at once; one of them makes it
            if not place.is_dir():
                _make_template(program, place)
    return place


def _version_of(binary: Path) -> str:
    """Return the output of `--version`; asks a binary again only after it has changed."""
    try:
        changed = binary.stat().st_mtime_ns
    except OSError:
        changed = 0
    return _ask_version(binary, changed)


@cache
def _ask_version(binary: Path, changed: int) -> str:
    return run([str(binary), "--no-defaults", "--version"], f"ask {binary}")


def run(command: list[str], what: str, statements: str = "") -> str:
    """Run a helper to its end and return its output; raises ServerError with the end of it."""
    try:
        done = subprocess.run(
            command, input=statements, capture_output=True, text=True, timeout=_TEMPLATE_SECONDS
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise UnusableError(
            f"Could not {what}: {error}. Check that the server is completely installed."
        ) from None
    if done.returncode != 0:
        tail = "\n".join((done.stdout + done.stderr).splitlines()[-15:])
        raise UnusableError(
            f"Could not {what} (status {done.returncode}). The end of its output:\n{tail}"
        )
    return done.stdout


def _make_template(program: Mysqld, place: Path) -> None:
    with tempfile.TemporaryDirectory(prefix="making-", dir=place.parent) as making:
        if found := shortage(Path(making), _NEEDED_BYTES):
            raise UnusableError(
                f"{found} for an empty data directory. Free some space, or set XDG_CACHE_HOME to "
                "another directory."
            )
        program.fill(Path(making) / "data")
        (Path(making) / "data").rename(place)


def _cache() -> Path:
    """Return the folder of the empty data directories.

    A user without a home that can be written, as in a container, has it in the directory for
    temporary files.
    """
    if given := os.environ.get("XDG_CACHE_HOME"):
        return Path(given) / "poolspec"
    with suppress(OSError, RuntimeError):  # RuntimeError: the user has no home
        own = Path.home() / ".cache" / "poolspec"
        own.mkdir(parents=True, exist_ok=True)
        if os.access(own, os.W_OK | os.X_OK):
            return own
    return _homeless_cache()


def _homeless_cache() -> Path:
    place = Path(tempfile.gettempdir()) / f"poolspec-cache-of-{os.getuid()}"
    place.mkdir(mode=0o700, exist_ok=True)
    found = place.lstat()
    if found.st_uid != os.getuid() or stat.S_IMODE(found.st_mode) != 0o700:
        raise UnusableError(
            f"{place} belongs to another user, or others have access to it. Remove it, or set "
            "XDG_CACHE_HOME to a directory that can be written."
        )
    return place


def _named(named: str, kinds: tuple[ServerKind, ...]) -> Mysqld | None:
    if not named:
        return None
    found = shutil.which(named, path=_search_path())
    if found is None:
        raise ServerError(
            f"{ENVIRONMENT} names {named!r}, which is not a program. Correct it, unset it, "
            "or set it to the empty string to use none."
        )
    kind = _kind_of(Path(found), ServerKind.MARIADB)
    return Mysqld(kind, Path(found).absolute()) if kind in kinds else None


def _kind_of(binary: Path, expected: ServerKind) -> ServerKind:
    # MariaDB installs itself as `mysqld`, too.
    said = _version_of(binary).lower()
    if "mariadb" in said:
        return ServerKind.MARIADB
    return ServerKind.MYSQL if "mysql" in said else expected


def _search_path(*first: Path) -> str:
    brew = sorted(_BREW.glob("*/bin")) if _BREW.is_dir() else []
    places = [str(place) for place in first] + [os.environ.get("PATH", "")]
    return os.pathsep.join([*places, *_PLACES, *(str(place) for place in brew)])
