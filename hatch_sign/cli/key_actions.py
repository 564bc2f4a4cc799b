"""What ``hatch-sign key`` does."""

from __future__ import annotations

import hashlib
import secrets
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from hatch_sign.contract.backends import ImportsCertificates, KeyDescription, ListsKeys, MakesKeys
from hatch_sign.contract.references import parse_reference, without_query
from hatch_sign.custody.checked_signer import open_signer
from hatch_sign.custody.gated import unchained
from hatch_sign.storage.atomic import write_atomically
from hatch_sign.values.algorithms import KeyAlgorithm
from hatch_sign.values.certificates import describe_issuer, describe_subject
from hatch_sign.values.display import display
from hatch_sign.values.errors import KeyNotFoundError, UsageError, WrongSignatureError
from hatch_sign.values.public_keys import describe_key, encode_public_key, encode_public_key_pem

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Sequence

    from cryptography.x509 import Certificate

    from hatch_sign.cli.environment import Environment
    from hatch_sign.contract.backends import Backend
    from hatch_sign.custody.context import RunContext

_SCHEMA = "hatch-sign/keys/v1"
_PROOF_SIZE = 32


def generate(arguments: argparse.Namespace, environment: Environment) -> int:
    """Make a key."""
    backend, context = _open(arguments, environment)
    if not isinstance(backend, MakesKeys):
        _lacks(arguments.uri, backend, "make keys", "make it with the tools of the token or service")
    algorithm = KeyAlgorithm(arguments.algorithm)
    made = unchained(lambda: backend.generate_key(arguments.uri, algorithm, context), subject=_shown(arguments.uri))
    if arguments.json:
        environment.console.document(_document([made]))
    else:
        environment.console.line(f"made the key {display(made.reference)} ({describe_key(made.public_key)})")
    return 0


def list_(arguments: argparse.Namespace, environment: Environment) -> int:
    """List the keys that a reference selects."""
    backend, context = _open(arguments, environment)
    if not isinstance(backend, ListsKeys):
        _lacks(arguments.uri, backend, "list keys", "`hatch-sign key show` shows the one that a reference names")
    keys = unchained(lambda: backend.list_keys(arguments.uri, context), subject=_shown(arguments.uri))
    if arguments.json:
        environment.console.document(_document(keys))
    else:
        environment.console.table(("key", "kind", "kept", "certificate"), [_as_row(key) for key in keys])
    return 0


def show(arguments: argparse.Namespace, environment: Environment) -> int:
    """Show one key."""
    key = _describe(arguments.uri, *_open(arguments, environment))
    if arguments.json:
        environment.console.document(_document([key]))
    else:
        environment.console.table(("", ""), _as_details(key))
    return 0


def csr(arguments: argparse.Namespace, environment: Environment) -> int:
    """Write a certificate request."""
    from hatch_sign.custody.certificates import make_request  # noqa: PLC0415 - x509 costs 40 ms
    from hatch_sign.trust.names import parse_name  # noqa: PLC0415 - as above

    parse_name(arguments.subject)  # A misspelt one should cost no login.
    _check_output(arguments)
    backend, context = _open(arguments, environment)
    with open_signer(backend, arguments.uri, context) as signer:
        request = make_request(signer, arguments.subject)
    _write(arguments, environment, request)
    return 0


def import_certificate(arguments: argparse.Namespace, environment: Environment) -> int:
    """Store the certificate of a key, with its issuers."""
    from hatch_sign.custody.certificates import order_chain, parse_certificates  # noqa: PLC0415 - as above

    backend, context = _open(arguments, environment)
    if not isinstance(backend, ImportsCertificates):
        _lacks(arguments.uri, backend, "keep certificates", "name the file in the configuration: certificates = ...")
    certificates = parse_certificates(_read_certificates(arguments.file), subject=display(arguments.file))
    key = _describe(arguments.uri, backend, context)
    chain = order_chain(certificates, key.public_key, subject=display(arguments.file))
    unchained(lambda: backend.import_certificate(arguments.uri, chain, context), subject=_shown(arguments.uri))
    environment.console.line(f"stored {len(chain)} certificate{'s' * (len(chain) != 1)} with {display(key.reference)}")
    return 0


def export_public(arguments: argparse.Namespace, environment: Environment) -> int:
    """Write the public key."""
    _check_output(arguments)
    backend, context = _open(arguments, environment)
    key = _describe(arguments.uri, backend, context)
    if not key.proved:
        _prove(key, arguments.uri, backend, context)
    _write(arguments, environment, encode_public_key_pem(key.public_key))
    return 0


ACTIONS: dict[str, Callable[[argparse.Namespace, Environment], int]] = {
    "generate": generate,
    "list": list_,
    "show": show,
    "csr": csr,
    "import-certificate": import_certificate,
    "export-public": export_public,
}


def _open(arguments: argparse.Namespace, environment: Environment) -> tuple[Backend, RunContext]:
    backend = environment.registry.backend(parse_reference(arguments.uri).scheme)
    return backend, environment.context(spend_final_try=arguments.spend_final_try)


def _describe(uri: str, backend: Backend, context: RunContext) -> KeyDescription:
    """Return the one key of the reference: from a list where the backend has one, which often needs no login."""
    if not isinstance(backend, ListsKeys):
        return _describe_opened(uri, backend, context)
    keys = unchained(lambda: backend.list_keys(uri, context), subject=_shown(uri))
    if len(keys) == 1:
        return keys[0]
    found = ", ".join(display(key.reference) for key in keys) or "none"
    message = f"{_shown(uri)}: it must name one key, and selects {len(keys)}: {found}"
    raise KeyNotFoundError(message)


def _prove(key: KeyDescription, uri: str, backend: Backend, context: RunContext) -> None:
    """Have random bytes signed: a public key that others will trust must not be one that somebody put beside the private.

    Raises WrongSignatureError for a key that is not of this pair.
    """
    with open_signer(backend, uri, context) as signer:
        signer.sign(secrets.token_bytes(_PROOF_SIZE), signer.schemes[0])
        if signer.public_key != key.public_key:
            message = f"{_shown(uri)}: the token shows two public keys for it"
            raise WrongSignatureError(message, remedy="remove the one that does not belong to the private key")


def _describe_opened(uri: str, backend: Backend, context: RunContext) -> KeyDescription:
    with open_signer(backend, uri, context) as signer:
        key = signer.public_key
        return KeyDescription(
            reference=signer.reference,
            label="",
            id="",
            public_key=key,
            protection=signer.protection,
            certificates=tuple(signer.certificates),
        )


def _lacks(uri: str, backend: Backend, power: str, remedy: str) -> NoReturn:
    message = f"{_shown(uri)}: the backend {display(backend.name)} does not {power}"
    raise UsageError(message, remedy=remedy)


def _shown(uri: str) -> str:
    return display(without_query(uri))


def _read_certificates(path: str) -> bytes:
    from hatch_sign.custody.certificates import LARGEST_FILE  # noqa: PLC0415 - as above

    try:
        with Path(path).open("rb") as file:
            return file.read(LARGEST_FILE + 1)
    except OSError as error:
        message = f"{display(path)} cannot be read: {error.strerror or type(error).__name__}"
        raise UsageError(message, remedy="name the file that the certificate authority sent, in PEM or DER") from None


def _check_output(arguments: argparse.Namespace) -> None:
    """Refuse an output that cannot be, before it costs a login."""
    if not arguments.output:
        return
    path = Path(arguments.output)
    if not path.parent.is_dir():
        message = f"{display(arguments.output)} cannot be written: the folder {display(path.parent)} does not exist"
        raise UsageError(message, remedy="make it, or choose another file")
    if path.exists() and not arguments.overwrite:
        message = f"{display(arguments.output)}: it exists, and is not replaced"
        raise UsageError(message, remedy="choose another file, or repeat with --overwrite")


def _write(arguments: argparse.Namespace, environment: Environment, pem: bytes) -> None:
    if not arguments.output:
        environment.console.line(pem.decode("ascii").rstrip("\n"))
        return
    write_atomically(Path(arguments.output), pem)
    environment.console.note(f"wrote {display(arguments.output)}")


def _as_row(key: KeyDescription) -> tuple[str, str, str, str]:
    return key.reference, describe_key(key.public_key), key.protection.level.value, _name_leaf(key.certificates)


def _as_details(key: KeyDescription) -> list[tuple[str, str]]:
    details = [
        ("key", key.reference),
        ("kind", describe_key(key.public_key)),
        ("id", key.id),
        ("sha256", _fingerprint(key)),
        ("kept", f"{key.protection.level.value}: {key.protection.summary}"),
        *key.protection.claims.items(),
    ]
    certificates = [("certificate", _name_certificate(each)) for each in key.certificates]
    return [detail for detail in details + certificates if detail[1]]


def _name_leaf(certificates: Sequence[Certificate]) -> str:
    return _name_certificate(certificates[0]) if certificates else "no certificate"


def _name_certificate(certificate: Certificate) -> str:
    return f"{describe_subject(certificate)}, until {certificate.not_valid_after_utc:%Y-%m-%d}"


def _fingerprint(key: KeyDescription) -> str:
    return hashlib.sha256(encode_public_key(key.public_key)).hexdigest()


def _document(keys: Sequence[KeyDescription]) -> dict[str, object]:
    return {"schema": _SCHEMA, "keys": [_as_json(key) for key in keys]}


def _as_json(key: KeyDescription) -> dict[str, object]:
    return {
        "reference": key.reference,
        "label": key.label,
        "id": key.id,
        "algorithm": describe_key(key.public_key),
        "public-key": encode_public_key_pem(key.public_key).decode("ascii"),
        "sha256": _fingerprint(key),
        "protection": {
            "level": key.protection.level.value,
            "summary": key.protection.summary,
            "claims": dict(key.protection.claims),
        },
        "certificates": [_certificate_as_json(each) for each in key.certificates],
    }


def _certificate_as_json(certificate: Certificate) -> dict[str, str]:
    return {
        "subject": describe_subject(certificate),
        "issuer": describe_issuer(certificate),
        "not-after": certificate.not_valid_after_utc.isoformat(),
    }
