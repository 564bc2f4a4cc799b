"""What Google says of how a version is kept, at the level that this is worth.

``HSM`` is Google's word that the key was made in certified hardware and stays there, unless it was imported. ``EXTERNAL``
says only who is asked for the signature: Google does not know how that manager keeps the key, so that nobody vouches for
hardware.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hatch_sign.remote import hardware_kept, software_kept
from hatch_sign_kms.google.answers import name_of

if TYPE_CHECKING:
    from google.cloud.kms_v1 import CryptoKeyVersion

    from hatch_sign.values.protection import Protection

_HARDWARE = {"HSM": "an HSM of Google Cloud", "HSM_SINGLE_TENANT": "a single-tenant HSM of Google Cloud"}
_ELSEWHERE = {
    "SOFTWARE": "in the software of Google Cloud KMS, which does not export it",
    "EXTERNAL": "by an external key manager, of which Google says no more",
    "EXTERNAL_VPC": "by an external key manager in a private network, of which Google says no more",
}


def describe_keeping(level: str, version: CryptoKeyVersion | None, *, authenticated: bool) -> Protection:
    """Return the protection of a version: `level` as its public key came with, and what else is known of it, if anything.

    Where nobody was `authenticated`, it need not be Google who says so.
    """
    claims: dict[str, object] = {"protectionLevel": level}
    if version is not None:
        claims |= _read_claims(version)
    if not authenticated:
        return software_kept("said by whatever listens on this machine, over a plain channel", claims)
    place = _HARDWARE.get(level)
    if place is None:
        return software_kept(f"kept {_ELSEWHERE.get(level, 'in a way that Google does not name')}", claims)
    if version is None:
        missing = "whether it was imported is told with the permission cloudkms.cryptoKeyVersions.get only"
        return software_kept(f"kept in {place}; {missing}", claims)
    if version.import_job:
        return software_kept(f"kept in {place}, and imported from outside", claims)
    return hardware_kept(f"made and kept in {place}", claims)


def _read_claims(version: CryptoKeyVersion) -> dict[str, object]:
    return {
        "version": version.name.rpartition("/")[2],
        "algorithm": name_of(version.algorithm),
        "state": name_of(version.state),
        "generateTime": version.generate_time.isoformat() if version.generate_time else None,
        "importJob": version.import_job,
        "importTime": version.import_time.isoformat() if version.import_time else None,
        "reimportEligible": version.reimport_eligible or None,
        "attestation": name_of(version.attestation.format_) if version.attestation.content else None,
    }
