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

from poolspec.cli import leftovers
from poolspec.vocabulary import Capability, Layer, Level, layers

EPILOG = """\
exit codes:
  0    success
  1    generated files are out of date, a test failed, or an ended run has left something
  2    bad input: an invalid or unreadable spec, a missing path, an unknown option
  3    refused: a generated file was edited by hand, or cannot be read or written
  4    internal error of poolspec; no file was written
  5    the environment cannot run the tests: no server, no room, no rights
  130  interrupted

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
    _configure_places(parser)


def _configure_places(parser: argparse.ArgumentParser) -> None:
    _add_specs(parser)
    parser.add_argument(
        "--out",
        type=Path,
        metavar="FOLDER",
        default=Path("generated_tests"),
        help="folder of the test modules (default: generated_tests)",
    )
    parser.add_argument(
        "--docs",
        type=Path,
        metavar="FOLDER",
        default=Path("docs/coverage"),
        help="folder of the coverage pages (default: docs/coverage). If a folder `schema` exists "
        "next to it, the JSON Schema is written there",
    )


def _add_specs(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--specs",
        type=Path,
        metavar="FOLDER",
        default=Path("specs"),
        help="folder of the specs (default: specs)",
    )


def _gen(options: argparse.Namespace) -> int:
    from poolspec.cli import commands

    mode = commands.Mode.WRITE
    for chosen in (commands.Mode.CHECK, commands.Mode.DIFF, commands.Mode.FORCE):
        if getattr(options, chosen.value):
            mode = chosen
    return commands.gen(commands.Places(options.specs, options.out, options.docs), mode)


def _configure_list(parser: argparse.ArgumentParser) -> None:
    _add_specs(parser)
    parser.add_argument("--layer", type=Layer, choices=list(Layer), help="only tests of this layer")
    parser.add_argument("--level", type=Level, choices=list(Level), help="only tests of this level")
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
    chosen = listing.Choice(options.layer, options.covers, needs, options.level)
    return listing.list_tests(options.specs, chosen, as_json=options.json)


def _configure_schema(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "of",
        nargs="?",
        choices=["specs", "results"],
        default="specs",
        help="whose schema: spec files or results files (default: specs)",
    )
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--write", action="store_true", help="write the schema to the file")
    how.add_argument("--check", action="store_true", help="exit 1 if the file is out of date")
    parser.add_argument(
        "--file",
        type=Path,
        metavar="FILE",
        help="for --write and --check (default: poolspec-1.json or results-1.json in docs/schema)",
    )


def _schema(options: argparse.Namespace) -> int:
    from poolspec.cli import commands

    of = commands.Published(options.of)
    if options.write or options.check:
        file = options.file or Path("docs/schema") / commands.FILE_NAMES[of]
        return commands.keep_schema(of, file, check=options.check)
    return commands.print_schema(of)


def _configure_run(parser: argparse.ArgumentParser) -> None:
    _configure_places(parser)
    parser.add_argument(
        "--build",
        type=Path,
        metavar="FOLDER",
        default=Path("build"),
        help="folder of the report and the results (default: build)",
    )
    parser.add_argument(
        "--server",
        help="database server: auto, embedded, mariadb, mysql, or mysql://user:password@host/ "
        "(default: $POOLSPEC_SERVER or auto)",
    )
    parser.add_argument(
        "--pool",
        help="pool under test: the name of a bundled adapter, or package.module:ADAPTER "
        "(default: $POOLSPEC_POOL or steadypool)",
    )
    parser.add_argument(
        "--ports",
        metavar="FIRST-LAST",
        help="ports on 127.0.0.1 that servers and web applications of the tests may take "
        "(default: $POOLSPEC_PORTS or 20000-32767)",
    )
    parser.add_argument(
        "--fail-on",
        choices=[str(level) for level in Level],
        help="least binding level of a failed test that fails the run (default: must, or may if "
        "the pool's adapter keeps all levels)",
    )
    parser.add_argument(
        "--layer",
        type=_layers,
        action="extend",
        metavar="LAYER",
        help=f"only this layer: {', '.join(Layer)}; can be repeated, or a list: unit,chaos",
    )
    parser.add_argument(
        "-n", "--workers", metavar="N", default="auto", help="number of workers (default: auto)"
    )
    parser.add_argument("pytest", nargs="*", metavar="ARG", help="arguments for pytest, after --")


def _layers(words: str) -> list[Layer]:
    try:
        return layers(words)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _run(options: argparse.Namespace) -> int:
    from poolspec.cli import commands, run

    places = commands.Places(options.specs, options.out, options.docs)
    chosen = run.Chosen(
        options.server,
        options.pool,
        options.ports,
        options.fail_on,
        tuple(dict.fromkeys(options.layer or ())),
    )
    how = (options.build, chosen, options.workers, tuple(options.pytest))
    return run.run(run.Run(places, *how))


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
        _configure_run,
        _run,
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
    Command("schema", "print the JSON Schema of specs or results", _configure_schema, _schema),
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
        hint = "; arguments for pytest follow --" if options.run is _run else ""
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
