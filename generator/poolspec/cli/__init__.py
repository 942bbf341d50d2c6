"""The command line.

A command is a row of `COMMANDS`: its name, what it does, its options, and the function that carries
it out and returns the exit code. What a command needs is imported when it runs, so that `--help`
answers at once. Errors go to stderr, in one place, and never as a traceback for bad input.
"""

import argparse
import gc
import os
import sys
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from poolspec.cli import exits
from poolspec.errors import SpecErrors
from poolspec.vocabulary import Capability, Layer

EPILOG = """\
exit codes:
  0    all is well
  1    something is out of date, or a test failed
  2    bad input: a spec is wrong, a path does not exist, an option is unknown
  3    refused: a file was edited by hand, or cannot be read or written
  4    a defect of poolspec itself; nothing was written
  130  interrupted
"""


@dataclass(frozen=True, slots=True)
class Command:
    """A subcommand."""

    name: str
    summary: str
    configure: Callable[[argparse.ArgumentParser], None]
    run: Callable[[argparse.Namespace], int]


def _configure_validate(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "paths", nargs="*", type=Path, metavar="PATH", help="spec files or folders (default: specs)"
    )


def _validate(options: argparse.Namespace) -> int:
    from poolspec.cli import commands

    return commands.validate(options.paths or [Path("specs")])


def _configure_gen(parser: argparse.ArgumentParser) -> None:
    how = parser.add_mutually_exclusive_group()
    how.add_argument(
        "--check", action="store_true", help="write nothing; show what is out of date, exit 1"
    )
    how.add_argument("--diff", action="store_true", help="write nothing; show what would change")
    how.add_argument("--force", action="store_true", help="overwrite files edited by hand")
    _configure_places(parser)


def _configure_places(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--specs", type=Path, default=Path("specs"), help="default: specs")
    parser.add_argument(
        "--out", type=Path, default=Path("generated_tests"), help="default: generated_tests"
    )
    parser.add_argument(
        "--docs",
        type=Path,
        default=Path("docs/coverage"),
        help="folder of the coverage pages (default: docs/coverage); if a folder `schema` lies "
        "beside it, the JSON Schema is kept there",
    )


def _gen(options: argparse.Namespace) -> int:
    from poolspec.cli import commands

    mode = commands.Mode.WRITE
    for chosen in (commands.Mode.CHECK, commands.Mode.DIFF, commands.Mode.FORCE):
        if getattr(options, chosen.value):
            mode = chosen
    return commands.gen(commands.Places(options.specs, options.out, options.docs), mode)


def _configure_list(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--specs", type=Path, default=Path("specs"), help="default: specs")
    parser.add_argument("--layer", type=Layer, choices=list(Layer), help="tests of this layer")
    parser.add_argument("--covers", metavar="KEY", help="tests that prove this requirement")
    parser.add_argument(
        "--needs",
        choices=[str(need) for need in Capability],
        metavar="CAP",
        help=f"tests that need this capability: {', '.join(Capability)}",
    )
    parser.add_argument("--json", action="store_true", help="as JSON")


def _list(options: argparse.Namespace) -> int:
    from poolspec.cli import listing

    needs = Capability(options.needs) if options.needs else None
    chosen = listing.Choice(options.layer, options.covers, needs)
    return listing.list_tests(options.specs, chosen, as_json=options.json)


def _configure_schema(parser: argparse.ArgumentParser) -> None:
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--write", action="store_true", help="write the file")
    how.add_argument("--check", action="store_true", help="exit 1 if the file is out of date")
    parser.add_argument(
        "--file",
        type=Path,
        default=Path("docs/schema/poolspec-1.json"),
        help="default: docs/schema/poolspec-1.json",
    )


def _schema(options: argparse.Namespace) -> int:
    from poolspec.cli import commands

    if options.write or options.check:
        return commands.keep_schema(options.file, check=options.check)
    return commands.print_schema()


def _configure_run(parser: argparse.ArgumentParser) -> None:
    _configure_places(parser)
    parser.add_argument("--build", type=Path, default=Path("build"), help="default: build")
    parser.add_argument(
        "--server",
        help="database to test on: auto, embedded, mariadb, mysql, or mysql://user:password@host/ "
        "(default: $POOLSPEC_SERVER or auto)",
    )
    parser.add_argument(
        "--pool",
        help="pool to test: a bundled adapter's name, or package.module:ADAPTER "
        "(default: $POOLSPEC_POOL or steadypool)",
    )
    parser.add_argument("-n", "--workers", default="auto", help="parallel workers (default: auto)")
    parser.add_argument("pytest", nargs="*", metavar="ARG", help="for pytest, after --")


def _run(options: argparse.Namespace) -> int:
    from poolspec.cli import commands, run

    places = commands.Places(options.specs, options.out, options.docs)
    how = (options.build, options.server, options.pool, options.workers, tuple(options.pytest))
    return run.run(run.Run(places, *how))


COMMANDS = (
    Command("validate", "check spec files", _configure_validate, _validate),
    Command("gen", "make test modules and coverage pages from the specs", _configure_gen, _gen),
    Command("run", "generate, run the tests, write a report with results", _configure_run, _run),
    Command("list", "list the tests that the specs describe", _configure_list, _list),
    Command("schema", "print the JSON Schema of spec files", _configure_schema, _schema),
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code."""
    options = _parsed(arguments)
    try:
        with _uncollected():
            code: int = options.run(options)
        sys.stdout.flush()
        return code
    except SpecErrors as error:
        return _complain(f"{error}\n\npoolspec: {error.amount()}", exits.BAD_INPUT)
    except exits.Stop as stop:
        return _complain(f"poolspec: {stop}", stop.code)
    except BrokenPipeError:
        # Whoever read our output has gone; there is nobody left to tell.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return exits.BROKEN_PIPE
    except KeyboardInterrupt:
        return _complain("poolspec: interrupted", exits.INTERRUPTED)
    except OSError as error:
        return _complain(f"poolspec: {exits.in_the_way(error)}", exits.REFUSED)
    except Exception:
        trace = traceback.format_exc()
        return _complain(f"{trace}poolspec: a defect of poolspec; please report it", exits.DEFECT)


@contextmanager
def _uncollected() -> Iterator[None]:
    """Do without the garbage collector: a suite makes many values, and all live to the end.

    To look for garbage among them over and over takes as long as to load them.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _complain(text: str, code: int) -> int:
    print(text, file=sys.stderr)
    return code


class _Version(argparse.Action):
    """Say which poolspec this is; found out only when asked."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> NoReturn:
        """Print it and end."""
        from importlib.metadata import version

        print(f"poolspec {version('poolspec')}, Python {sys.version.split()[0]}")
        parser.exit()


def _parsed(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = _parser()
    options, unknown = parser.parse_known_args(arguments)
    if unknown:
        hint = "; what is for pytest comes after --" if options.run is _run else ""
        parser.error(f"unrecognized arguments: {' '.join(unknown)}{hint}")
    return options


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="poolspec",
        description="Say, check and publish how a connection pool behaves.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action=_Version, nargs=0, help="say which poolspec this is")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    for command in COMMANDS:
        child = commands.add_parser(command.name, help=command.summary, description=command.summary)
        command.configure(child)
        child.set_defaults(run=command.run)
    return parser
