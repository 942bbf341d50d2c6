"""The configuration of a pool: its target, its form, and its flaws."""

from enum import StrEnum


class Target(StrEnum):
    """The database that a configuration names."""

    RIGHT = "right"
    """The test's database, with the right user and password."""
    NO_DATABASE = "no_database"
    """The test's server; no database is named."""
    WRONG_PASSWORD = "wrong_password"
    """The server refuses the password."""
    UNKNOWN_DATABASE = "unknown_database"
    """The server has no such database."""
    UNKNOWN_HOST = "unknown_host"
    """The host's name has no address."""
    REFUSED = "refused"
    """The port is closed."""
    SILENT = "silent"
    """The port accepts every connection and never answers."""
    NAMED = "named"
    """The test's database, by a host name."""
    SECOND_ADDRESS = "second_address"
    """The host name has two addresses; the first accepts every connection and never answers."""
    THIRD_ADDRESS = "third_address"
    """The host name has three addresses: one is closed, one drops every packet, one is right."""
    TLS = "tls"
    """The test's database, over TLS; the configuration names the file of authorities."""
    TLS_CLIENT = "tls_client"
    """The same, and the server requires a client certificate, which the configuration names."""
    ACCOUNT_LOCKED = "account_locked"
    """The server has locked the account."""
    PASSWORD_EXPIRED = "password_expired"
    """The account's password has expired."""
    PLUGIN_MISSING = "plugin_missing"
    """The server has not loaded the account's authentication plugin."""


class Given(StrEnum):
    """The form of a configuration."""

    CONFIG = "config"
    """Options with values."""
    URL = "url"
    """One URL."""
    FILE = "file"
    """A configuration file."""
    ENVIRONMENT = "environment"
    """Environment variables: one names the file, and the file refers to others."""


class Flaw(StrEnum):
    """An error in the configuration of a pool."""

    MALFORMED = "malformed"
    """It is not well-formed."""
    MISSING = "missing"
    """A file or a variable is missing."""
    EMPTY = "empty"
    """It is empty."""
    UNREADABLE = "unreadable"
    """The file is not text."""
    GARBLED = "garbled"
    """It contains a control character."""
    FOREIGN = "foreign"
    """It is a valid configuration of something else."""
    UNNAMED = "unnamed"
    """The file has no database of this name."""
    MISSPELT = "misspelt"
    """The name of an option is misspelt."""
    UNKNOWN = "unknown"
    """An option has an unknown name, which resembles no other."""
    BAD_VALUE = "bad_value"
    """An option has an invalid value."""
    UNENCODED = "unencoded"
    """The password of a URL has reserved characters that are not encoded."""
    UNQUOTED = "unquoted"
    """A text without quotes reads as a number."""
    MISSHAPEN = "misshapen"
    """There is another value in place of the options."""
    NO_AUTHORITY = "no_authority"
    """The file of certificate authorities is missing."""


class Detail(StrEnum):
    """A part of a configuration that errors should name."""

    ADDRESS = "address"
    """Host and port, or the path of a socket."""
    USER = "user"
    DATABASE = "database"
