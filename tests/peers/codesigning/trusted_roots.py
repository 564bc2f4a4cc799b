"""What clients of Sigstore have to be told of a timestamp authority of ours."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.serialization import Encoding

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

    from tests.authority import Holder


def trusted_root(stamper: Holder) -> bytes:
    """Return a trusted root (JSON) that knows the authority of `stamper`, for all the time of its own certificate."""
    start = stamper.certificates[0].not_valid_before_utc

    def encoded(certificate: Certificate) -> dict[str, str]:
        return {"rawBytes": base64.b64encode(certificate.public_bytes(Encoding.DER)).decode()}

    authority = {
        "subject": {"organization": "Example Ltd", "commonName": "Stamper"},
        "uri": "https://stamper.example",
        "certChain": {"certificates": [encoded(each) for each in (*stamper.certificates, stamper.root)]},
        "validFor": {"start": f"{start:%Y-%m-%dT%H:%M:%SZ}"},
    }
    document = {
        "mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
        "tlogs": [],
        "certificateAuthorities": [],
        "ctlogs": [],
        "timestampAuthorities": [authority],
    }
    return json.dumps(document).encode()
