"""The command line.

`arguments` has the commands and their options. All errors are written to stderr here; bad input
never causes a traceback.
"""

import gc
import os
import sys
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from poolspec.cli import exits
from poolspec.cli.arguments import parse
from poolspec.errors import SpecErrors


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code."""
    options = parse(arguments)
    try:
        with _uncollected():
            code: int = options.run(options)
        sys.stdout.flush()
        return code
    except SpecErrors as error:
        return _fail(f"{error}\n\npoolspec: {error.amount()}", exits.BAD_INPUT)
    except exits.Stop as stop:
        return _fail(f"poolspec: {stop}", stop.code)
    except exits.Signalled as signalled:
        return _fail("poolspec: interrupted", signalled.code)
    except BrokenPipeError:
        # The reader of our output has exited, so there is nowhere to report this.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return exits.BROKEN_PIPE
    except KeyboardInterrupt:
        return _fail("poolspec: interrupted", exits.INTERRUPTED)
    except OSError as error:
        return _fail(f"poolspec: {exits.in_the_way(error)}", exits.REFUSED)
    except Exception:
        trace = traceback.format_exc()
        return _fail(f"{trace}poolspec: internal error; please report it", exits.DEFECT)


@contextmanager
def _uncollected() -> Iterator[None]:
    """Switch off the garbage collector: the many values of a suite all live to the end.

    Repeated garbage collection over them takes as long as loading them.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _fail(text: str, code: int) -> int:
    print(text, file=sys.stderr)
    return code
