"""Users, databases, and the rights of users on databases.

They are stored in one small file that each change replaces as a whole, so that it survives `kill
-9`. Passwords are stored as hashes.
"""

import json
import re
from pathlib import Path

from poolspec.servers.engine.faults import Code, SqlError
from poolspec.servers.engine.wire import password_hash

ADMIN = "root"
LOCKED = "ACCOUNT LOCK"
EXPIRED = "PASSWORD EXPIRE"
_BARS = {
    LOCKED: (Code.ACCOUNT_LOCKED, "Access denied, this account is locked"),
    EXPIRED: (Code.PASSWORD_EXPIRED, "Your password has expired"),
}
_NAME = re.compile(r"[A-Za-z0-9_$-]{1,64}")


class Accounts:
    """Users and databases of this server."""

    def __init__(self, directory: Path, admin_password: str) -> None:
        self._directory = directory
        self._file = directory / "accounts.json"
        self._hashes = {ADMIN: password_hash(admin_password)}
        self._grants: dict[str, set[str]] = {}
        self._limits: dict[str, int] = {}
        self._barred: dict[str, str] = {}
        """By user: a word of `_BARS`, or the plugin that is not loaded."""
        if self._file.exists():
            self._load()

    def stored_hash(self, user: str) -> bytes | None:
        """Return the stored hash of the user's password, or None for an unknown user."""
        return self._hashes.get(user)

    def databases(self, user: str) -> list[str]:
        """Return the databases the user may use."""
        there = sorted(path.stem for path in self._directory.glob("*.sqlite"))
        return [name for name in there if self._may(user, name)]

    def open_database(self, user: str, name: str) -> Path:
        """Return a database's file; raises SqlError if there is none or the user has no right."""
        self._check(user, name)
        path = self._path(name)
        if not path.exists():
            raise SqlError(Code.UNKNOWN_DATABASE, f"Unknown database '{name}'")
        return path

    def create_database(self, name: str, *, if_missing: bool) -> None:
        """Make an empty database."""
        path = self._path(name)
        if not path.exists():
            path.touch(mode=0o600)
        elif not if_missing:
            raise SqlError(Code.DATABASE_EXISTS, f"Can't create database '{name}'; it exists")

    def drop_database(self, user: str, name: str, *, if_exists: bool) -> None:
        """Remove the files of one of the user's databases; rights to it stay."""
        self._check(user, name)
        path = self._path(name)
        if not path.exists() and not if_exists:
            raise SqlError(Code.UNKNOWN_DATABASE, f"Can't drop database '{name}'; unknown database")
        for suffix in ("", "-wal", "-shm"):
            path.with_name(path.name + suffix).unlink(missing_ok=True)

    def limit(self, user: str) -> int | None:
        """Return the number of connections that a user may have; None: any number."""
        return self._limits.get(user)

    def limit_user(self, user: str, limit: int) -> None:
        """Set the number of connections that a user may have; 0: any number."""
        if user not in self._hashes:
            raise SqlError(Code.USER_EXISTS, f"Operation ALTER USER failed for '{user}'")
        self._limits.pop(user, None)
        if limit:
            self._limits[user] = limit
        self._save()

    def create_user(self, user: str, password: str) -> None:
        """Add a user, without rights on any database."""
        if user in self._hashes:
            raise SqlError(Code.USER_EXISTS, f"Operation CREATE USER failed for '{user}'")
        self._hashes[user] = password_hash(password)
        self._save()

    def change_password(self, user: str, password: str) -> None:
        """Give a user another password; its open sessions stay."""
        if user not in self._hashes:
            raise SqlError(Code.USER_EXISTS, f"Operation ALTER USER failed for '{user}'")
        self._hashes[user] = password_hash(password)
        self._save()

    def grant(self, user: str, database: str) -> None:
        """Grant a user a database."""
        if user not in self._hashes:
            raise SqlError(Code.USER_EXISTS, f"Operation GRANT failed for '{user}'")
        self._grants.setdefault(user, set()).add(database)
        self._save()

    def bar(self, user: str, how: str) -> None:
        """Let an account exist and refuse its sign-ins, until it is dropped."""
        if user not in self._hashes:
            raise SqlError(Code.USER_EXISTS, f"Operation ALTER USER failed for '{user}'")
        self._barred[user] = how
        self._save()

    def refusal(self, user: str) -> SqlError | None:
        """Return why an account may not sign in."""
        how = self._barred.get(user)
        if how is None:
            return None
        if how in _BARS:
            return SqlError(*_BARS[how])
        return SqlError(Code.PLUGIN_NOT_LOADED, f"Plugin '{how}' is not loaded")

    def drop_user(self, user: str, *, if_exists: bool) -> None:
        """Remove a user; its open sessions stay."""
        if user == ADMIN or (user not in self._hashes and not if_exists):
            raise SqlError(Code.USER_EXISTS, f"Operation DROP USER failed for '{user}'")
        self._hashes.pop(user, None)
        self._grants.pop(user, None)
        self._limits.pop(user, None)
        self._barred.pop(user, None)
        self._save()

    def _check(self, user: str, database: str) -> None:
        if not self._may(user, database):
            raise SqlError(
                Code.DATABASE_DENIED, f"Access denied for user '{user}' to database '{database}'"
            )

    def _may(self, user: str, database: str) -> bool:
        return user == ADMIN or database in self._grants.get(user, ())

    def _path(self, name: str) -> Path:
        if not _NAME.fullmatch(name):
            raise SqlError(Code.UNKNOWN_DATABASE, f"Incorrect database name '{name}'")
        return self._directory / f"{name}.sqlite"

    def _save(self) -> None:
        state = {
            "hashes": {user: known.hex() for user, known in self._hashes.items() if user != ADMIN},
            "grants": {user: sorted(names) for user, names in self._grants.items()},
            "limits": self._limits,
            "barred": self._barred,
        }
        fresh = self._file.with_suffix(".new")
        fresh.write_text(json.dumps(state))
        fresh.replace(self._file)

    def _load(self) -> None:
        state = json.loads(self._file.read_text())
        self._hashes |= {user: bytes.fromhex(known) for user, known in state["hashes"].items()}
        self._grants = {user: set(names) for user, names in state["grants"].items()}
        self._limits = state["limits"]
        self._barred = state["barred"]
