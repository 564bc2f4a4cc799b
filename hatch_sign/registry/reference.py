"""The scheme of a key reference, which picks the backend."""

from __future__ import annotations

import re

from hatch_sign.values.errors import ConfigurationError

_SCHEME = re.compile(r"([a-z][a-z0-9+.-]*):", re.ASCII)


def scheme_of(reference: str) -> str:
    """Return the scheme of a key reference, in lower case as RFC 3986 §3.1 has it.

    Raises ConfigurationError, without quoting the reference, for a text that has none: it might be a secret.
    """
    matched = _SCHEME.match(reference[:64].lower())
    if matched is None:
        message = "the key reference has no scheme"
        remedy = "write it as `emulated:TOKEN/KEY`, `pkcs11:token=NAME;object=NAME`, `awskms:///alias/NAME` …"
        raise ConfigurationError(message, remedy=remedy)
    return matched[1]
