"""Identity tokens, right or wrong in one way; nobody's signature is on them."""

from __future__ import annotations

import base64
import json
import time

ISSUER = "https://issuer.example"


def make_token(**claims: object) -> str:
    """Return a JWT that is valid for an hour, with claims replaced, or left out where they are None."""
    now = int(time.time())
    usual = {"iss": ISSUER, "aud": "sigstore", "sub": "release", "iat": now - 5, "nbf": now - 5, "exp": now + 3600}
    content = {name: value for name, value in (usual | claims).items() if value is not None}
    parts = ({"alg": "HS256", "typ": "JWT"}, content)
    return ".".join(
        [*(_segment(json.dumps(part).encode()) for part in parts), _segment(b"no signature at all, of 32 bytes")]
    )


def _segment(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()
