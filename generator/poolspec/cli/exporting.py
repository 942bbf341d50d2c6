"""`poolspec load export`: a load of a spec as a Locust file."""

import argparse
import sys
from pathlib import Path

from poolspec.cli.folder_options import add_specs


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("action", choices=["export"], help="write a load as a Locust file")
    parser.add_argument(
        "load",
        metavar="SPEC[.TEST[.LOAD]]",
        help="the load to export; TEST and LOAD may be left out if there is only one",
    )
    add_specs(parser)
    parser.add_argument(
        "--out", type=Path, metavar="FILE", help="write to this file (default: print)"
    )


def run(options: argparse.Namespace) -> int:
    """Export the load, and return the exit code."""
    from poolspec.cli import exits
    from poolspec.cli.loading import load, root_of
    from poolspec.rendering.locust import Exported, ExportError, loads_of, locust_file

    specs = load([options.specs], list, root_of(options.specs)).made
    every: list[Exported] = [found for spec in specs for found in loads_of(spec)]
    wanted = f"{options.load}."
    chosen = [one for one in every if f"{one.name}.".startswith(wanted)]
    if len(chosen) != 1:
        names = [one.name for one in chosen or every]
        which = "several loads match" if chosen else "no load matches"
        text = f"{which} {options.load!r}; choose one of: {', '.join(names)}"
        raise exits.Stop(text, exits.BAD_INPUT)
    try:
        text = locust_file(chosen[0])
    except ExportError as error:
        raise exits.Stop(str(error), exits.BAD_INPUT) from None
    if options.out:
        options.out.write_text(text, encoding="utf-8")
        print(f"{options.out}: {chosen[0].name}")
    else:
        sys.stdout.write(text)
    return exits.OK
