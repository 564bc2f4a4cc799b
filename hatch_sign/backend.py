"""The build backend that signs: it wraps the one that builds, whichever that is (PEP 517, PEP 660).

::

    [build-system]
    requires = ["setuptools>=77", "hatch-sign"]
    build-backend = "hatch_sign.backend"

    [tool.hatch-sign.build]
    backend = "setuptools.build_meta"
    requires = ["hatch-sign-pkcs11"]        # only for builds that sign

It signs only where ``HATCH_SIGN_BUILD=1`` is in the environment: a build backend travels in the sdist, and runs on the
machine of everybody who installs from that. Without the variable, each hook is the wrapped backend's own, and nothing that
signs is imported; they install hatch-sign all the same, which ``hatch-sign sign dist`` after the build would spare them.
What the wrapped backend does not have, this one does not have either, as front ends ask by attribute.
"""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hatch_sign.building.voice import PlainVoice
from hatch_sign.building.wrapped import WrappedBackend, import_wrapped, load_wrapped
from hatch_sign.values.display import display
from hatch_sign.values.errors import ConfigurationError, HatchSignError

if TYPE_CHECKING:
    from hatch_sign.building.hooks import SigningHooks

ENABLE_VARIABLE = "HATCH_SIGN_BUILD"
"""``1`` or ``true`` makes builds sign; ``0``, ``false`` and nothing leave everything to the wrapped backend."""

_REQUIRES = frozenset({"get_requires_for_build_sdist", "get_requires_for_build_wheel"})


def __getattr__(name: str) -> Any:  # noqa: ANN401 - a hook, or the class of an exception
    """Return a hook of the wrapped backend, made to sign where that is asked for. Raises AttributeError for others."""
    if name.startswith("_"):
        message = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(message)
    try:
        signs = is_enabled(os.environ.get(ENABLE_VARIABLE, ""))
        wrapped, backend = _wrapped()
    except HatchSignError as error:
        PlainVoice(os.environ).abort(str(error), error.exit_code)
    if not signs:
        return getattr(backend, name)
    signing = _signing(wrapped)
    if name in _REQUIRES:  # an optional hook, and one that ours needs
        return signing.requiring(getattr(backend, name, _nothing))
    hook = getattr(backend, name)
    return signing.around(name, hook)


def is_enabled(value: str) -> bool:
    """Return whether the value of the variable asks for signatures. Raises ConfigurationError for one that says neither."""
    known = {"": False, "0": False, "false": False, "1": True, "true": True}
    if value.strip().lower() not in known:
        message = f"{ENABLE_VARIABLE} is '{display(value)}', expected 1 or 0"
        raise ConfigurationError(message, remedy="set it to 1 to sign what is built, or unset it")
    return known[value.strip().lower()]


@cache
def _wrapped() -> tuple[WrappedBackend, Any]:
    root = Path.cwd()  # front ends call every hook in the folder of the source
    wrapped = load_wrapped(root)
    return wrapped, import_wrapped(wrapped, root)


@cache
def _signing(wrapped: WrappedBackend) -> SigningHooks:
    from hatch_sign.building.hooks import SigningHooks  # noqa: PLC0415 - builds that do not sign must not pay for it

    return SigningHooks(Path.cwd(), wrapped.requires, os.environ)


def _nothing(_config_settings: object = None) -> list[str]:
    return []
