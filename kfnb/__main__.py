"""``python -m kfnb``: the command ``kfnb``."""

import sys

from kfnb.cli import main

sys.exit(main())
