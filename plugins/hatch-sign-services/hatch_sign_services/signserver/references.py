"""References to workers of SignServer."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import quote, unquote

from hatch_sign.contract.references import parse_reference
from hatch_sign.values.display import display
from hatch_sign.values.errors import ConfigurationError

_PATH = re.compile(
    r"//(?P<host>[A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(?P<port>:[0-9]{1,5})?"
    r"(?P<base>(?:/[A-Za-z0-9._~-]+){0,8})/workers/(?P<worker>[^/?#]+)\Z"
)
_LARGEST_PORT = 65535


@dataclass(frozen=True, slots=True)
class SignServerReference:
    """A worker, taken apart.

    `origin` is ``https://HOST[:PORT]``, `process` the path that signs. `certificate` or `public_key` is the file that says
    which key the worker has. `text` stands for the reference in messages.
    """

    origin: str
    process: str
    certificate: str | None
    public_key: str | None
    uses_pss: bool
    pin_source: str | None
    text: str


def parse_signserver_reference(reference: str) -> SignServerReference:
    """Take `reference` apart. Raises ConfigurationError."""
    parsed = parse_reference(reference)
    parsed.require_known("certificate", "public-key", "padding")
    text, found = display(parsed.name), _PATH.match(parsed.path)
    if found is None or int((found["port"] or ":0")[1:]) > _LARGEST_PORT:
        message = f"{text}: not of the form signserver+https://HOST[:PORT]/signserver/workers/NAME"
        raise ConfigurationError(message)
    if ("certificate" in parsed.query) == ("public-key" in parsed.query):
        message = f"{text}: it must name the worker's key by one of `certificate` and `public-key`"
        raise ConfigurationError(
            message, remedy="add ?certificate=FILE, the PEM of the worker's certificate and its issuers"
        )
    padding = parsed.query.get("padding", "pkcs1")
    if padding not in {"pkcs1", "pss"}:
        message = f"{text}: its padding is neither pkcs1 nor pss"
        raise ConfigurationError(message, remedy="pss is for workers with SIGNATUREALGORITHM=NONEwithRSAandMGF1")
    return SignServerReference(
        origin=f"https://{found['host']}{found['port'] or ''}",
        process=f"{found['base']}/rest/v1/workers/{quote(unquote(found['worker']), safe='')}/process",
        certificate=parsed.query.get("certificate"),
        public_key=parsed.query.get("public-key"),
        uses_pss=padding == "pss",
        pin_source=parsed.pin_source,
        text=text,
    )
