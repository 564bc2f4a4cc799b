"""SoftHSM: a token in files, each time with a store of its own."""

from __future__ import annotations

import contextlib
import os
import subprocess
from typing import TYPE_CHECKING

from hatch_sign.values.algorithms import KeyAlgorithm

from .processes import rig_folder
from .real_token import LABEL, PIN, SO_PIN, RealToken, TokenName, require_token

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ALGORITHMS = tuple(KeyAlgorithm)


@contextlib.contextmanager
def softhsm_token() -> Iterator[RealToken]:
    """Make a token in a folder of its own. It makes all six kinds of key and takes threads."""
    module = require_token(TokenName.SOFTHSM)
    with rig_folder() as folder:
        yield RealToken(
            TokenName.SOFTHSM,
            folder,
            module,
            algorithms=ALGORITHMS,
            takes_threads=True,
            environ=initialise_softhsm(folder),
        )


def initialise_softhsm(folder: Path) -> dict[str, str]:
    """Make a store with one token in `folder`, and return the variables by which SoftHSM finds it."""
    (folder / "tokens").mkdir()
    configuration = folder / "softhsm2.conf"
    configuration.write_text(f"directories.tokendir = {folder}/tokens\nobjectstore.backend = file\nlog.level = ERROR\n")
    environ = {"SOFTHSM2_CONF": str(configuration)}
    command = ["softhsm2-util", "--init-token", "--free", "--label", LABEL, "--so-pin", SO_PIN, "--pin", PIN]
    subprocess.run(command, env=os.environ | environ, check=True, capture_output=True)
    return environ
