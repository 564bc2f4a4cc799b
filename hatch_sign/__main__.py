"""``python -m hatch_sign``."""

import sys

from hatch_sign.cli import main

sys.exit(main())
