"""How CMS names hashes and schemes, and which of them are of the closed table (RFC 5754, RFC 4056, RFC 5753)."""

from __future__ import annotations

from typing import Any

from hatch_sign.formats.asn1 import algos
from hatch_sign.values.algorithms import DIGEST_SIZES, Scheme
from hatch_sign.values.display import display
from hatch_sign.values.errors import MalformedError

_WITHOUT_HASH = {"rsassa_pkcs1v15": "rsa-pkcs1", "rsaes_pkcs1v15": "rsa-pkcs1", "rsa": "rsa-pkcs1", "ec": "ecdsa"}
"""Names that leave the hash to the digest algorithm beside them: RSA in nearly all signatures, ECDSA in a few."""

_FAMILIES = {"rsa": "rsa-pkcs1", "ecdsa": "ecdsa"}
_SCHEMES = {scheme.value: scheme for scheme in Scheme}


def read_digest_algorithm(value: Any, *, subject: str) -> str:  # noqa: ANN401 - asn1crypto has no types
    """Return the name of a hash of the closed table. Raises MalformedError for another."""
    name = value["algorithm"].native
    if name not in DIGEST_SIZES:
        message = f"{subject} is made with the hash {display(name)}, expected one of {', '.join(DIGEST_SIZES)}"
        raise MalformedError(message)
    return str(name)


def read_scheme(value: Any, hash_: str, *, subject: str) -> Scheme:  # noqa: ANN401 - as above
    """Return the scheme that a signature algorithm names, where it names no hash with `hash_`.

    Raises MalformedError for one outside the closed table, such as PSS with a salt of another length.
    """
    name = value["algorithm"].native
    if name == "rsassa_pss":
        return _read_pss(value["parameters"], subject)
    if name in _WITHOUT_HASH:
        return _SCHEMES[_WITHOUT_HASH[name], hash_]
    named_hash, _, family = str(name).partition("_")
    scheme = _SCHEMES.get((_FAMILIES.get(family, ""), named_hash))
    if scheme is None:
        message = f"{subject} is made with the algorithm {display(name)}, which is not supported"
        raise MalformedError(message)
    return scheme


def encode_digest_algorithm(hash_: str) -> Any:  # noqa: ANN401 - as above
    """Return ``AlgorithmIdentifier`` of a hash, without parameters (RFC 5754 §2)."""
    return algos.DigestAlgorithm({"algorithm": hash_})


def encode_scheme(scheme: Scheme) -> Any:  # noqa: ANN401 - as above
    """Return ``AlgorithmIdentifier`` of a scheme. RSA PKCS #1 v1.5 is named without the hash, as all verifiers read it."""
    if scheme.family == "rsa-pss":
        hash_ = {"algorithm": scheme.hash}
        parameters = {
            "hash_algorithm": hash_,
            "mask_gen_algorithm": {"algorithm": "mgf1", "parameters": hash_},
            "salt_length": DIGEST_SIZES[str(scheme.hash)],
        }
        return algos.SignedDigestAlgorithm({"algorithm": "rsassa_pss", "parameters": algos.RSASSAPSSParams(parameters)})
    if scheme.family == "rsa-pkcs1":
        return algos.SignedDigestAlgorithm({"algorithm": "rsassa_pkcs1v15"})
    return algos.SignedDigestAlgorithm({"algorithm": f"{scheme.hash}_ecdsa"})


def _read_pss(parameters: Any, subject: str) -> Scheme:  # noqa: ANN401 - as above
    hash_ = parameters["hash_algorithm"]["algorithm"].native
    mask = parameters["mask_gen_algorithm"]
    scheme = _SCHEMES.get(("rsa-pss", hash_))
    fits = (
        scheme is not None
        and mask["algorithm"].native == "mgf1"
        and mask["parameters"]["algorithm"].native == hash_
        and parameters["salt_length"].native == DIGEST_SIZES[hash_]
        and parameters["trailer_field"].native in {1, "trailer_field_bc"}
    )
    if scheme is None or not fits:
        message = f"{subject} is made with PSS of other parameters than one hash throughout and a salt as long as its digest"
        raise MalformedError(message)
    return scheme
