"""Where ``python -I action`` begins: finds the packages beside it, whatever the environment says of paths."""

from __future__ import annotations

import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(1, str(ROOT))
sys.dont_write_bytecode = True

from hatch_sign_action.running import main  # noqa: E402 - the path stands above

if __name__ == "__main__":
    sys.exit(main(os.environ, root=ROOT))
