"""What the configuration says of a worker's key: SignServer itself tells it only with a signature."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hatch_sign.remote import KeyFacts
from hatch_sign.values.display import display
from hatch_sign.values.errors import ConfigurationError, MalformedError, UnsupportedError
from hatch_sign.values.public_keys import as_public_key, parse_public_key, schemes_of_key
from hatch_sign_services.chains import read_chain, read_pem_file

if TYPE_CHECKING:
    from hatch_sign.values.public_keys import PublicKey
    from hatch_sign_services.signserver.references import SignServerReference


def announced_facts(reference: SignServerReference) -> KeyFacts:
    """Return the key and the chain in the file that `reference` names.

    Which algorithm the worker has is known to it alone: RSA is PKCS#1 v1.5 unless the reference says ``padding=pss``, and a
    hash that the worker does not accept is refused by it. Raises ConfigurationError for a file that is not what it should
    be, UnsupportedError for an Ed25519 key: it signs no hashes, and SignServer is sent nothing else.
    """
    chain = read_chain(reference.certificate) if reference.certificate is not None else ()
    key = as_public_key(chain[0].public_key(), subject=reference.text) if chain else _read_key(str(reference.public_key))
    families = {"ecdsa", "rsa-pss" if reference.uses_pss else "rsa-pkcs1"}
    schemes = tuple(scheme for scheme in schemes_of_key(key) if scheme.family in families)
    if not schemes:
        message = f"{reference.text}: an Ed25519 key signs no hashes, and SignServer is sent nothing else"
        raise UnsupportedError(message, remedy="use a worker with an ECDSA or RSA key")
    return KeyFacts(key, schemes, certificates=chain)


def _read_key(path: str) -> PublicKey:
    try:
        return parse_public_key(read_pem_file(path), subject=display(path))
    except MalformedError as error:
        raise ConfigurationError(error.message, remedy=error.remedy) from None
