"""One acquire and one release of a test: contexts around the calls of the pool, which log them."""

from typing import TYPE_CHECKING

from poolspec.invariants.marks import RELEASE_FAILED
from poolspec.vocabulary import EventKind, StatName
from poolspec.witness.account import Account
from poolspec.witness.calls import ACQUIRE, RELEASE, running

if TYPE_CHECKING:
    from poolspec.witness.witness import Witness

__tracebackhide__ = True  # a failure is shown where the test failed


class Acquiring:
    """An acquire that is under way: a context that ends when it is served or fails."""

    def __init__(self, witness: "Witness", account: Account) -> None:
        self._witness = witness
        self._account = account
        self._is_over = False

    def __enter__(self) -> "Acquiring":
        witness, account = self._witness, self._account
        self.call = witness.calls.begin(ACQUIRE, account.pool)
        witness.note(self.call, EventKind.CHECKOUT_STARTED)
        self._running = running(self.call)
        self._running.__enter__()
        return self

    def served(self, connection: int, left: str) -> None:
        """Log that the pool has handed out a connection, and what its last use left behind."""
        self._account.count(StatName.ACQUIRED)
        self._account.fails = False
        self._witness.note(self.call, EventKind.CHECKED_OUT, connection, left)
        self._end(served=True)

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        if not self._is_over:
            if error is not None:
                self._fail(error)
            self._end()

    def _fail(self, error: BaseException) -> None:
        self._witness.look_into(error)
        self._witness.failed(self._account, self.call, error)
        self._account.fail()
        self._witness.note(self.call, EventKind.CHECKOUT_FAILED, detail=type(error).__name__)

    def _end(self, *, served: bool = False) -> None:
        self._is_over = True
        self._running.__exit__(None, None, None)
        self._witness.calls.end(self.call, served=served)


class Releasing:
    """The end of a loan: a context around the call that releases the connection."""

    def __init__(self, witness: "Witness", account: Account, connection: int) -> None:
        self._witness = witness
        self._account = account
        self._connection = connection

    def __enter__(self) -> "Releasing":
        self._began = self._witness.log.now()
        self.call = self._witness.calls.begin(RELEASE, self._account.pool)
        self._witness.note(self.call, EventKind.CHECKED_IN, self._connection)
        self._account.count(StatName.RELEASED)
        self._account.release(1)
        self._running = running(self.call)
        self._running.__enter__()
        return self

    def refused(self) -> None:
        """Log that the pool refuses: the connection is still on loan."""
        self._account.count(StatName.RELEASED, -1)
        self._witness.note(self.call, EventKind.CHECKED_OUT, self._connection)

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        self._running.__exit__(None, None, None)
        self._account.release(-1)
        if error is not None:
            detail = type(error).__name__
            self._witness.note(self.call, RELEASE_FAILED, self._connection, detail)
        self._witness.released(self.call, self._connection, self._began)
        self._witness.calls.end(self.call)
