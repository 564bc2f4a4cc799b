"""The settings of a trust rule that say whether revocation is asked for, and which lists and answers are at hand."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from cryptography.x509 import load_der_x509_crl
from cryptography.x509.ocsp import load_der_ocsp_response

from hatch_sign.trust.pem import decode_pem, encode_pem, read_pem
from hatch_sign.trust.revocation import RevocationCheck
from hatch_sign.values.display import display
from hatch_sign.values.errors import ConfigurationError, MalformedError
from hatch_sign.values.late_errors import late_errors

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cryptography.x509 import Certificate

MODE, LISTS, ANSWERS = "revocation", "revocation-lists", "revocation-responses"

OFF, PREFER, REQUIRE = MODES = ("off", "prefer", "require")
"""Whether it is asked for at all, and if so, whether a certificate of which it cannot be found out is refused."""

_LABELS = {LISTS: "X509 CRL", ANSWERS: "OCSP RESPONSE"}
"""How PEM calls them. The first is of RFC 7468 §6; nobody defines the second, and OpenSSL writes answers in DER alone."""

_LOADERS: Mapping[str, Callable[[bytes], object]] = MappingProxyType(
    {LISTS: load_der_x509_crl, ANSWERS: load_der_ocsp_response}
)
_MOST_FILES = 64
"""Of one setting: each is weighed for each certificate of a chain."""


def parse_revocation(
    table: Mapping[str, Any], read: Callable[[str], bytes], delegates: Sequence[Certificate]
) -> RevocationCheck | None:
    """Return what the settings of a rule ask for; None where they ask for nothing.

    Raises ConfigurationError, and MalformedError for a file that holds no list or answer. What a file says is not judged
    here: an old list is one that does not count.
    """
    mode = table.get(MODE, OFF)
    if mode not in MODES:
        message = f"`{MODE}` is '{display(mode)}', expected `off`, `prefer` or `require`"
        raise ConfigurationError(message, remedy="`require` refuses what cannot be found out, `prefer` only warns of it")
    given = [key for key in (LISTS, ANSWERS) if key in table]
    if mode == OFF:
        if given:
            message = f"`{given[0]}` is given, and `{MODE}` is off: nobody would read it"
            raise ConfigurationError(message, remedy=f'write `{MODE} = "require"`, or leave `{given[0]}` out')
        return None
    files = tuple(der for key in given for value in _names(table[key], key) for der in _read(value, key, read))
    return RevocationCheck(required=mode == REQUIRE, files=files, delegates=tuple(delegates))


def revocation_pem(data: bytes) -> str:
    """Return a revocation list or OCSP answer in DER as PEM; empty for what is neither."""
    for key, load in _LOADERS.items():
        try:
            load(data)
        except late_errors():
            continue
        return encode_pem(data, _LABELS[key])
    return ""


def _names(value: Sequence[Any], key: str) -> Sequence[str]:
    if not all(isinstance(each, str) for each in value) or not 0 < len(value) <= _MOST_FILES:
        message = f"`{key}` is not an array of 1 to {_MOST_FILES} names of files, or of PEM"
        raise ConfigurationError(message)
    return value


def _read(value: str, key: str, read: Callable[[str], bytes]) -> Iterator[bytes]:
    subject, data = read_pem(value, key, read)
    try:
        for der in decode_pem(data, _LABELS[key]):
            _LOADERS[key](der)
            yield der
    except late_errors():
        message = f"{subject}: holds no {_LABELS[key]} in DER or PEM, or a damaged one"
        raise MalformedError(message, remedy=f"give what `openssl` calls a {_LABELS[key].removeprefix('X509 ')}") from None
