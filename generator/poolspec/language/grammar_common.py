"""Keys that several steps have."""

from poolspec.spec.common import FAILURE, SECONDS, TEXTS, TIMED
from poolspec.spec.fields import Key

TIMEOUT = Key("timeout", SECONDS, "how long to wait at most", "2s", default="the pool's timeout")
FAILS = Key("fails", FAILURE, "the step must fail in this way", "timeout", default="it succeeds")
SAYS = Key("says", TEXTS, "parts of what the error must say", "waiting=1", default="anything")
TOOK = Key("took", TIMED, "how long it takes, each time", '"1s ± 5%"', default="any time")
