"""Which ``sigstore-kms-NAME`` executables may be run: the environment says so, for a project writes its configuration.

hatch-sign reads the permission from no file. It protects whoever signs what others built, and nobody who runs the build:
that is code of the project, and Hatch sets the variables that it names (``[tool.hatch.envs.hatch-build.env-vars]``).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

ALLOW_VARIABLE = "HATCH_SIGN_ALLOW_KMS"
"""The environment variable that names them, with commas between several."""

EXECUTABLES = "sigstore-kms"
"""The entry point ``backend.sigstore-kms`` is the backend that runs them; no reference has it for a scheme."""

_NAME = re.compile(r"[a-z0-9-]+\Z")


def allowed_executables(environ: Mapping[str, str]) -> frozenset[str]:
    """Return the names that `environ` allows, without the spaces around them.

    What is no name, made of a-z, 0-9 and ``-``, allows nothing.
    """
    names = (name.strip(" ") for name in environ.get(ALLOW_VARIABLE, "").split(","))
    return frozenset(name for name in names if _NAME.match(name))
