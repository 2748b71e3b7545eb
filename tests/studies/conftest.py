"""What the tests of studies share. The folder's helpers are importable by name from its tests."""

import sys
from pathlib import Path

HERE = Path(__file__).parent
for folder in (HERE, HERE / "katib", HERE.parent / "cluster"):
    sys.path.insert(0, str(folder))
