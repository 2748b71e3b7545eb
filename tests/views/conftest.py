"""The folder's helpers (widget_samples, widget_pages) are importable by name from its tests."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
