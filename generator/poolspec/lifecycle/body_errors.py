"""Errors that the body of a block raises because its spec says so."""


class BodyError(Exception):
    """An ordinary exception that a test raises on purpose."""


class BodyInterrupt(BaseException):
    """An exception that no `except Exception` catches, like Ctrl-C's."""
