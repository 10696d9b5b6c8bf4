"""``python -m bayesmlm`` is the command ``bayesmlm``."""

import sys

from bayesmlm.cli import main

if __name__ == "__main__":
    sys.exit(main())
