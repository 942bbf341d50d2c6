"""The options of several commands that name folders."""

import argparse
from pathlib import Path


def add_places(parser: argparse.ArgumentParser) -> None:
    """Add the options that name the folders of specs, modules and pages."""
    add_specs(parser)
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


def add_specs(parser: argparse.ArgumentParser) -> None:
    """Add the option that names the folder of the specs."""
    parser.add_argument(
        "--specs",
        type=Path,
        metavar="FOLDER",
        default=Path("specs"),
        help="folder of the specs (default: specs)",
    )
