"""The commands and their options.

A command is a row of `COMMANDS`: its name, its help, its options, and the function that runs it and
returns the exit code. The modules of a command are imported when it runs, so that `--help` answers
at once.
"""

import argparse
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from poolspec.cli import exporting, leftovers
from poolspec.cli.folder_options import add_places, add_specs
from poolspec.cli.run_options import add_layers, configure_run, run_tests
from poolspec.vocabulary import Capability, Layer, Level

EPILOG = """\
exit codes:
  0    success
  1    generated files are out of date, a test failed, an ended run has left something, or the
       pool became slower
  2    bad input: an invalid or unreadable spec, a missing path, an unknown option
  3    refused: a generated file was edited by hand, or cannot be read or written
  4    internal error of poolspec; no file was written
  5    the environment cannot run the tests: no server, no room, no rights
  130  interrupted by Ctrl-C or SIGINT; 143 by SIGTERM

`poolspec COMMAND --help` describes the options of a command.
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
        "paths", nargs="*", type=Path, metavar="PATH", help="spec file or folder (default: specs)"
    )
    parser.add_argument(
        "--schema-only",
        action="store_true",
        help="check by the published schemas alone; takes results files (*.json) too",
    )


def _validate(options: argparse.Namespace) -> int:
    from poolspec.cli import commands

    paths = options.paths or [Path("specs")]
    if options.schema_only:
        return commands.validate_by_schema(paths)
    return commands.validate(paths)


def _configure_gen(parser: argparse.ArgumentParser) -> None:
    how = parser.add_mutually_exclusive_group()
    how.add_argument(
        "--check",
        action="store_true",
        help="write nothing; if a file is out of date, show a diff and exit 1",
    )
    how.add_argument("--diff", action="store_true", help="write nothing; show a diff")
    how.add_argument("--force", action="store_true", help="overwrite files edited by hand")
    add_places(parser)


def _gen(options: argparse.Namespace) -> int:
    from poolspec.cli import commands

    mode = commands.Mode.WRITE
    for chosen in (commands.Mode.CHECK, commands.Mode.DIFF, commands.Mode.FORCE):
        if getattr(options, chosen.value):
            mode = chosen
    return commands.gen(commands.Places(options.specs, options.out, options.docs), mode)


def _configure_list(parser: argparse.ArgumentParser) -> None:
    add_specs(parser)
    add_layers(parser, "only tests of this layer")
    levels = [str(level) for level in Level]
    parser.add_argument("--level", choices=levels, help="only tests of this level")
    parser.add_argument("--covers", metavar="KEY", help="only tests that cover this requirement")
    parser.add_argument(
        "--needs",
        choices=[str(need) for need in Capability],
        metavar="CAPABILITY",
        help=f"only tests that need this capability: {', '.join(Capability)}",
    )
    parser.add_argument("--json", action="store_true", help="print JSON")


def _list(options: argparse.Namespace) -> int:
    from poolspec.cli import listing

    needs = Capability(options.needs) if options.needs else None
    level = Level(options.level) if options.level else None
    chosen = listing.Choice(frozenset(options.layer or Layer), options.covers, needs, level)
    return listing.list_tests(options.specs, chosen, as_json=options.json)


def _configure_schema(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "of",
        nargs="?",
        choices=["specs", "results", "baseline"],
        default="specs",
        help="whose schema: of spec files, results files or baselines (default: specs)",
    )
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--write", action="store_true", help="write the schema to the file")
    how.add_argument("--check", action="store_true", help="exit 1 if the file is out of date")
    parser.add_argument(
        "--file",
        type=Path,
        metavar="FILE",
        help="for --write and --check (default: poolspec-1.json, results-1.json or "
        "baseline-1.json in docs/schema)",
    )


def _schema(options: argparse.Namespace) -> int:
    from poolspec.cli import commands

    of = commands.Published(options.of)
    if options.write or options.check:
        file = options.file or Path("docs/schema") / commands.FILE_NAMES[of]
        return commands.keep_schema(of, file, check=options.check)
    return commands.print_schema(of)


COMMANDS = (
    Command(
        "validate",
        "check spec files and report all errors",
        _configure_validate,
        _validate,
    ),
    Command("gen", "generate test modules and coverage pages from specs", _configure_gen, _gen),
    Command(
        "run",
        "generate and run the tests, write a report",
        configure_run,
        run_tests,
    ),
    Command(
        "list",
        "list the tests that the specs describe",
        _configure_list,
        _list,
    ),
    Command(
        "leftovers",
        "list the processes, ports, directories, databases and users that ended runs left",
        leftovers.configure,
        leftovers.run,
    ),
    Command(
        "load",
        "export a load for Locust, to run it from many machines",
        exporting.configure,
        exporting.run,
    ),
    Command(
        "schema", "print the JSON Schema of specs, results or baselines", _configure_schema, _schema
    ),
)


class _Version(argparse.Action):
    """Prints the version, which is looked up only when asked for."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> NoReturn:
        """Print the version and exit."""
        from importlib.metadata import version

        print(f"poolspec {version('poolspec')}, Python {sys.version.split()[0]}")
        parser.exit()


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Return the options of a command line; `run` among them is the function of the command."""
    parser = _parser()
    options, unknown = parser.parse_known_args(arguments)
    if unknown:
        hint = "; arguments for pytest follow --" if options.run is run_tests else ""
        parser.error(f"unrecognized arguments: {' '.join(unknown)}{hint}")
    return options


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="poolspec",
        description="Generates and runs tests of connection pools from specs in YAML.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action=_Version, nargs=0, help="print the version and exit")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    for command in COMMANDS:
        description = f"{command.summary[0].upper()}{command.summary[1:]}."
        child = commands.add_parser(command.name, help=command.summary, description=description)
        command.configure(child)
        child.set_defaults(run=command.run)
    return parser
