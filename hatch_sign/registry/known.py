"""Names that belong to the project's own distributions, so that no other may take them, and a missing one is named."""

from __future__ import annotations

KNOWN_PLUGINS = {
    "backend.emulated": "hatch-sign",
    "backend.pkcs11": "hatch-sign-pkcs11",
    "backend.awskms": "hatch-sign-kms",
    "backend.gcpkms": "hatch-sign-kms",
    "backend.azurekms": "hatch-sign-kms",
    "backend.hashivault": "hatch-sign-kms",
    "backend.openbao": "hatch-sign-kms",
    "backend.sigstore-kms": "hatch-sign-kms",
    "backend.signserver+https": "hatch-sign-services",
    "backend.artifact-signing": "hatch-sign-services",
    "bundle-signer.sigstore": "hatch-sign-sigstore",
    "format.sigstore": "hatch-sign",
    "format.statement": "hatch-sign",
    "format.checksums": "hatch-sign",
    "format.cms": "hatch-sign",
    "format.authenticode": "hatch-sign-authenticode",
    "format.pep740": "hatch-sign-sigstore",
    "trust.key": "hatch-sign",
    "trust.certificate": "hatch-sign",
    "trust.identity": "hatch-sign-sigstore",
    "witness.rfc3161": "hatch-sign",
    "witness.rekor": "hatch-sign-sigstore",
    "publisher.index": "hatch-sign",
    "publisher.github": "hatch-sign",
    "publisher.folder": "hatch-sign",
    "observer.audit": "hatch-sign",
}
"""Entry-point name of each part of the project, and the distribution that brings it."""


def how_to_install(distribution: str) -> str:
    """Return the remedy where a distribution of ours is missing: anybody may have registered its bare name on an index."""
    return f"install {distribution} from where hatch-sign came from"
