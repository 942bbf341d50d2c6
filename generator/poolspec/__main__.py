"""`python -m poolspec`."""

import sys

from poolspec.cli import main

if __name__ == "__main__":
    sys.exit(main())
