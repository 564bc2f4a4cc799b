"""How CMS names hashes and schemes, and which of them are of the closed table (RFC 5754, RFC 4056, RFC 5753)."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from itertools import product
from typing import Any

from hatch_sign.formats.asn1 import algos, core, encode_der
from hatch_sign.values.algorithms import DIGEST_SIZES, Scheme
from hatch_sign.values.display import display
from hatch_sign.values.errors import MalformedError

_WITHOUT_HASH = {"rsassa_pkcs1v15": "rsa-pkcs1", "rsaes_pkcs1v15": "rsa-pkcs1", "rsa": "rsa-pkcs1", "ec": "ecdsa"}
"""Names that leave the hash to the digest algorithm beside them: RSA in nearly all signatures, ECDSA in a few."""

_FAMILIES = {"rsa": "rsa-pkcs1", "ecdsa": "ecdsa"}
_NULL = b"\x05\x00"
_SEQUENCE, _FIRST_FIELD = 0x30, 0xA0
_SCHEMES = {scheme.value: scheme for scheme in Scheme}


def read_digest_algorithm(value: Any, *, subject: str) -> str:  # noqa: ANN401 - asn1crypto has no types
    """Return the name of a hash of the closed table. Raises MalformedError for another."""
    name = value["algorithm"].native
    if name not in DIGEST_SIZES:
        message = f"{subject} is made with the hash {display(name)}, expected one of {', '.join(DIGEST_SIZES)}"
        raise MalformedError(message)
    _require_no_parameters(value, subject)
    return str(name)


def read_scheme(value: Any, hash_: str, *, subject: str) -> Scheme:  # noqa: ANN401 - as above
    """Return the scheme that a signature algorithm names, over attributes that hold a digest by `hash_`.

    Raises MalformedError for one outside the closed table, such as PSS with a salt of another length, and for one of another
    hash: both are to be the same (RFC 5652 §5.4), and some verifiers take the one, some the other.
    """
    name = value["algorithm"].native
    scheme = _read_pss(value["parameters"], subject) if name == "rsassa_pss" else _read_plain(value, name, hash_, subject)
    if scheme.hash != hash_:
        message = f"{subject} is made with {scheme.label} and a digest by {hash_}, expected one hash throughout"
        raise MalformedError(message)
    return scheme


def encode_digest_algorithm(hash_: str) -> Any:  # noqa: ANN401 - as above
    """Return ``AlgorithmIdentifier`` of a hash, with NULL for parameters: all readers take that (RFC 5754 §2)."""
    return algos.DigestAlgorithm({"algorithm": hash_})


def encode_scheme(scheme: Scheme) -> Any:  # noqa: ANN401 - as above
    """Return ``AlgorithmIdentifier`` of a scheme. RSA PKCS #1 v1.5 is named without the hash, as all verifiers read it."""
    if scheme.family == "rsa-pss":
        parameters = algos.RSASSAPSSParams.load(_pss_parameters(str(scheme.hash)))
        return algos.SignedDigestAlgorithm({"algorithm": "rsassa_pss", "parameters": parameters})
    if scheme.family == "rsa-pkcs1":
        return algos.SignedDigestAlgorithm({"algorithm": "rsassa_pkcs1v15"})
    return algos.SignedDigestAlgorithm({"algorithm": f"{scheme.hash}_ecdsa"})


def _read_plain(value: Any, name: str, hash_: str, subject: str) -> Scheme:  # noqa: ANN401 - as above
    named_hash, _, family = str(name).partition("_")
    key = (_WITHOUT_HASH[name], hash_) if name in _WITHOUT_HASH else (_FAMILIES.get(family, ""), named_hash)
    if key not in _SCHEMES:
        message = f"{subject} is made with the algorithm {display(name)}, which is not supported"
        raise MalformedError(message)
    _require_no_parameters(value, subject)
    return _SCHEMES[key]


def _require_no_parameters(value: Any, subject: str) -> None:  # noqa: ANN401 - as above
    if value["parameters"].dump() not in {b"", _NULL}:
        message = f"{subject} is made with {display(value['algorithm'].native)} and parameters, expected none"
        raise MalformedError(message)


def _read_pss(parameters: Any, subject: str) -> Scheme:  # noqa: ANN401 - as above
    scheme = _pss_schemes().get(parameters.dump())
    if scheme is None:
        message = f"{subject} is made with PSS of other parameters than one hash throughout and a salt as long as its digest"
        raise MalformedError(message)
    return scheme


@cache
def _pss_schemes() -> Mapping[bytes, Scheme]:
    """Return the schemes by the encodings of their parameters: hashes are named with NULL or without (RFC 4055 §2.1)."""
    schemes = {str(scheme.hash): scheme for scheme in Scheme if scheme.family == "rsa-pss"}
    spellings = list(product([_NULL, b""], repeat=2))
    return {_pss_parameters(hash_, *nulls): scheme for hash_, scheme in schemes.items() for nulls in spellings}


def _pss_parameters(hash_: str, hash_null: bytes = _NULL, mask_null: bytes = _NULL) -> bytes:
    """Return ``RSASSA-PSS-params`` with all that is not its default: SHA-1 and a salt of 20 bytes (RFC 4055 §3.1)."""
    number = algos.DigestAlgorithmId(hash_).dump()
    mask = encode_der(_SEQUENCE, algos.MaskGenAlgorithmId("mgf1").dump() + encode_der(_SEQUENCE, number + mask_null))
    fields = [encode_der(_SEQUENCE, number + hash_null), mask, core.Integer(DIGEST_SIZES[hash_]).dump()]
    return encode_der(_SEQUENCE, b"".join(encode_der(_FIRST_FIELD + at, field) for at, field in enumerate(fields)))
