"""One `ruff format` for all modules of a run.

Its settings are fixed here and the user's own are shut out, so that the same specs give the same
bytes in every project.
"""

import subprocess
import sys
from pathlib import Path

_COMMAND = (
    *(sys.executable, "-P", "-m", "ruff", "format"),
    *("--isolated", "--no-cache", "--no-respect-gitignore", "--quiet"),
    *("--config", "line-length = 100"),
    *("--config", "target-version = 'py311'"),
    *("--config", "format.quote-style = 'double'"),
    *("--config", "format.line-ending = 'lf'"),
)


class FormatError(Exception):
    """ruff could not be run, or refused the rendered text."""


def format_folder(folder: Path) -> None:
    """Format the modules of a folder in place.

    Raises FormatError with the output of ruff.
    """
    done = subprocess.run([*_COMMAND, "."], capture_output=True, text=True, check=False, cwd=folder)
    if done.returncode:
        raise FormatError(f"ruff format failed:\n{done.stderr.strip()}")
