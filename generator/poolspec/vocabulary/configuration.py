"""How a pool is told where its database is, and what can be wrong with that."""

from enum import StrEnum


class Target(StrEnum):
    """Where a pool is told that its database is."""

    RIGHT = "right"
    """Where it is, with the right user and password."""
    NO_DATABASE = "no_database"
    """There, to no database: none is named."""
    WRONG_PASSWORD = "wrong_password"
    """The server refuses the password."""
    UNKNOWN_DATABASE = "unknown_database"
    """The server has no such database."""
    UNKNOWN_HOST = "unknown_host"
    """The host's name has no address."""
    REFUSED = "refused"
    """Nobody listens at the port."""
    SILENT = "silent"
    """Somebody listens at the port, takes every connection and never says a word."""


class Given(StrEnum):
    """How a pool is told where its database is."""

    CONFIG = "config"
    """By options, each with its value."""
    URL = "url"
    """By one URL that says it all."""
    FILE = "file"
    """By a configuration file."""
    ENVIRONMENT = "environment"
    """By variables of the environment: one names the file, and the file names others."""


class Flaw(StrEnum):
    """What is wrong with the configuration that a pool is given."""

    MALFORMED = "malformed"
    """It cannot be read, for it is not well-formed."""
    MISSING = "missing"
    """A file or a variable that it is about is not there."""
    EMPTY = "empty"
    """There is nothing in it."""
    UNREADABLE = "unreadable"
    """What should be a file of text is none."""
    GARBLED = "garbled"
    """There is a control character in it."""
    FOREIGN = "foreign"
    """It is a sound configuration of something else."""
    UNNAMED = "unnamed"
    """The file has no database of the name that is asked for."""
    MISSPELT = "misspelt"
    """The name of an option is misspelt."""
    UNKNOWN = "unknown"
    """There is an option of a name that is like none."""
    BAD_VALUE = "bad_value"
    """An option has a value that it cannot have."""
    UNENCODED = "unencoded"
    """A URL's password has signs that mean something there, and they were left as they are."""
    UNQUOTED = "unquoted"
    """A text reads as a number, for want of quotes."""
    MISSHAPEN = "misshapen"
    """Where options should be there is something else."""
    NO_AUTHORITY = "no_authority"
    """The file of authorities, by which the server's certificate is verified, is not there."""


class Detail(StrEnum):
    """A part of what a pool is told, as its errors should name it."""

    ADDRESS = "address"
    """Host and port, or the path of a socket."""
    USER = "user"
    DATABASE = "database"
