"""What the conformance tests share: the modules of ``wired/``, found beside this file."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parent))
