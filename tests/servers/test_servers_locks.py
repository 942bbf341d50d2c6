"""Which connections wait for a row lock, by the text of the engine's monitor."""

from poolspec.servers.sql import BLOCKED

STATUS = """\
------------------------
LATEST DETECTED DEADLOCK
------------------------
*** (1) TRANSACTION:
TRANSACTION 40, ACTIVE 0 sec starting index read
LOCK WAIT 3 lock struct(s), heap size 1128, 2 row lock(s), undo log entries 1
MariaDB thread id 4, OS thread handle 1, query id 20 localhost root Updating
UPDATE t SET n = 1
------------
TRANSACTIONS
------------
---TRANSACTION 42, ACTIVE 2 sec starting index read
mysql tables in use 1, locked 1
LOCK WAIT 2 lock struct(s), heap size 1128, 1 row lock(s)
MariaDB thread id 8, OS thread handle 2, query id 25 localhost root Updating
UPDATE t SET n = 2
------- TRX HAS BEEN WAITING 2000 us FOR THIS LOCK TO BE GRANTED:
RECORD LOCKS space id 5 page no 3 n bits 8 index PRIMARY of table `t`
------------------
---TRANSACTION 41, ACTIVE 3 sec
2 lock struct(s), heap size 1128, 1 row lock(s), undo log entries 1
MySQL thread id 9, OS thread handle 3, query id 26 localhost root
SELECT '
LOCK WAIT 1 lock
MySQL thread id 77'
---TRANSACTION 43, not started
0 lock struct(s), heap size 1128, 0 row lock(s)
---TRANSACTION 44, ACTIVE 1 sec fetching rows
LOCK WAIT 2 lock struct(s), heap size 1128, 1 row lock(s)
MySQL thread id 10, OS thread handle 4, query id 27 localhost root updating
DELETE FROM t
"""


def test_only_transactions_that_wait_now_are_blocked() -> None:
    assert BLOCKED.findall(STATUS) == ["8", "10"]
