"""What Google says of how a version is kept.

``EXTERNAL`` says only who is asked for the signature: Google does not know how that manager keeps the key. Whether a version
was imported, the service tells apart from its public key, to whoever has the permission.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hatch_sign.remote import Exposure, service_protection
from hatch_sign_kms.google.answers import name_of
from hatch_sign_kms.google.translate import SERVICE

if TYPE_CHECKING:
    from google.cloud.kms_v1 import CryptoKeyVersion

    from hatch_sign.values.protection import Protection

_KEPT = {"SOFTWARE": "in software", "HSM": "in an HSM", "HSM_SINGLE_TENANT": "in a single-tenant HSM"}
_ELSEWHERE = {"EXTERNAL": "outside Google Cloud", "EXTERNAL_VPC": "outside Google Cloud, in a private network"}


def describe_keeping(level: str, version: CryptoKeyVersion | None, *, plain_channel: bool) -> Protection:
    """Return the protection of a version: `level` as its public key came with, and what else is known of it, if anything."""
    claims: dict[str, object] = {"protectionLevel": level}
    if version is not None:
        claims |= _read_claims(version)
    exposure = _find_exposure(level, version)
    remark = "that needs cloudkms.cryptoKeyVersions.get" if exposure is Exposure.ORIGIN_UNREAD else ""
    return service_protection(
        _KEPT.get(level) or _ELSEWHERE.get(level, "in a way that Google does not name"),
        claims,
        service=SERVICE,
        plain_channel=plain_channel,
        exposure=exposure,
        remark=remark,
    )


def _find_exposure(level: str, version: CryptoKeyVersion | None) -> Exposure | None:
    if level not in _KEPT:
        return Exposure.EXTERNAL if level in _ELSEWHERE else Exposure.UNSAID
    if version is None:
        return Exposure.ORIGIN_UNREAD
    return Exposure.IMPORTED if version.import_job else None


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
