"""What the body of a `with` raises when a spec tells it to."""


class BodyError(Exception):
    """An ordinary exception that a test raises on purpose."""


class BodyInterrupt(BaseException):
    """An exception that no `except Exception` catches, as Ctrl-C is one."""
