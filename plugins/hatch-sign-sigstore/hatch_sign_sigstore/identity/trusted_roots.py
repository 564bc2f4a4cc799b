"""The authorities and logs of a Sigstore instance: from a file, or as the installed sigstore has them, from no network."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from sigstore.models import ClientTrustConfig
from sigstore.verify import Verifier

from hatch_sign.formats.strict_json import as_object, encode_json_text, parse_json
from hatch_sign.values.display import display
from hatch_sign.values.errors import ConfigurationError, MalformedError
from hatch_sign_sigstore.identity.public_instances import PUBLIC_INSTANCES, read_trusted_root

if TYPE_CHECKING:
    from collections.abc import Callable

    from sigstore.models import TrustedRoot

_CLIENT_TRUST = "application/vnd.dev.sigstore.clienttrustconfig.v0.1+json"
_NO_SERVICES = {
    "mediaType": "application/vnd.dev.sigstore.signingconfig.v0.2+json",
    "caUrls": [],
    "oidcUrls": [],
    "rekorTlogUrls": [],
    "rekorTlogConfig": {"selector": "ANY"},
    "tsaUrls": [],
    "tsaConfig": {"selector": "ANY"},
}
"""Where to sign, which a verifier need not know; sigstore-python reads a trusted root from bytes beside it only."""


def load_trusted_root(value: str, read: Callable[[str], bytes]) -> TrustedRoot:
    """Return the trusted root that a setting means: ``production``, ``staging``, a file that `read` reads, or JSON itself.

    The JSON is a trusted root (``trustedroot+json;version=0.1``) or a client trust configuration, of which the trusted root
    is taken. Raises ConfigurationError where there is none, MalformedError for a file that is none.
    """
    if value in PUBLIC_INSTANCES:
        return _load_public(value)
    is_inline = value.lstrip().startswith("{")
    subject, data = ("`trusted-root`", value.encode()) if is_inline else (display(value), read(value))
    return parse_trusted_root(data, subject)


def parse_trusted_root(data: bytes, subject: str) -> TrustedRoot:
    """Return the trusted root in JSON. Raises MalformedError, naming `subject`."""
    table = as_object(parse_json(data, subject=subject), at=subject)
    if table.get("mediaType") == _CLIENT_TRUST:
        table = as_object(table.get("trustedRoot"), at=f"{subject}: trustedRoot")
    document = {"mediaType": _CLIENT_TRUST, "trustedRoot": table, "signingConfig": _NO_SERVICES}
    try:
        root = ClientTrustConfig.from_json(encode_json_text(document).decode("ascii")).trusted_root
        Verifier(trusted_root=root)  # what is in it is read late, and a file that is wrong should be told of at once
        root.get_timestamp_authorities()
    except Exception as error:  # pydantic's, cryptography's and Sigstore's own: all of them mean the same  # noqa: BLE001
        message = f"{subject} is no trusted root of Sigstore: {type(error).__name__}"
        remedy = "give the `trusted_root.json`, or the client trust configuration, of the instance that signed"
        raise MalformedError(message, remedy=remedy) from None
    return root


def _load_public(name: str) -> TrustedRoot:
    try:
        return parse_trusted_root(read_trusted_root(name, datetime.now(UTC)), name)
    except (OSError, ImportError, MalformedError) as error:  # another sigstore may keep it elsewhere
        message = f"`trusted-root` is {name}, which the installed sigstore does not bring along: {type(error).__name__}"
        raise ConfigurationError(message, remedy="name a file in `trusted-root`") from None
