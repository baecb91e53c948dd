"""`python -m turnup`."""

import sys

from turnup.cli import main

if __name__ == "__main__":
    sys.exit(main())
