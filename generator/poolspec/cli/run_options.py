"""The options of `poolspec run`."""

import argparse
from pathlib import Path

from poolspec.cli.folder_options import add_places
from poolspec.vocabulary import Layer, Level, layers


def configure_run(parser: argparse.ArgumentParser) -> None:
    """Add the options of `poolspec run`."""
    add_places(parser)
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
    add_layers(parser, "run this layer only")
    parser.add_argument(
        "--save-baseline",
        type=Path,
        metavar="FILE",
        help="after the tests, measure the performance layer in rounds and save the figures",
    )
    parser.add_argument(
        "--against",
        type=Path,
        metavar="FILE",
        help="after the tests, measure the performance layer and compare it with a saved baseline; "
        "exit 1 if the pool became slower",
    )
    parser.add_argument(
        "-n", "--workers", metavar="N", default="auto", help="number of workers (default: auto)"
    )
    parser.add_argument("pytest", nargs="*", metavar="ARG", help="arguments for pytest, after --")


def add_layers(parser: argparse.ArgumentParser, what: str) -> None:
    """Add the option that chooses layers."""
    parser.add_argument(
        "--layer",
        type=_layers,
        action="extend",
        metavar="LAYER",
        help=f"{what}: {', '.join(Layer)}; can be repeated, or a list: unit,chaos",
    )


def _layers(words: str) -> list[Layer]:
    try:
        return layers(words)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def run_tests(options: argparse.Namespace) -> int:
    """Run the command and return its exit code."""
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
    plan = run.Run(places, *how)
    if not (options.save_baseline or options.against):
        return run.run(plan)
    from poolspec.cli.regression import Keeping, run_and_compare

    return run_and_compare(plan, Keeping(options.save_baseline, options.against))
