"""Timestamps for bundles that are finished: nothing else in the file is touched."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hatch_sign.formats.sigstore.bundle import MAX_EVIDENCE, parse_bundle
from hatch_sign.formats.strict_json import encode_base64, encode_json, parse_json
from hatch_sign.values.errors import MalformedError

if TYPE_CHECKING:
    from collections.abc import Sequence


class StampsBundles:
    """What makes a producer of bundles one that :class:`~hatch_sign.contract.TakesTimestamps`."""

    def signature(self, data: bytes) -> bytes:
        """Return the raw signature of the bundle, over which its timestamps are. Raises MalformedError."""
        return parse_bundle(data).signature

    def with_timestamps(self, data: bytes, timestamps: Sequence[bytes]) -> bytes:
        """Return the bundle, of whatever version, with these timestamps (DER of TimeStampResp) and no others.

        Raises MalformedError, also for more timestamps than a bundle takes.
        """
        parse_bundle(data)
        if len(timestamps) > MAX_EVIDENCE:
            message = f"a bundle takes at most {MAX_EVIDENCE} timestamps, and {len(timestamps)} were given"
            raise MalformedError(message)
        table = parse_json(data, subject="the bundle")
        stamps = [{"signedTimestamp": encode_base64(timestamp)} for timestamp in timestamps]
        table["verificationMaterial"]["timestampVerificationData"] = {"rfc3161Timestamps": stamps}
        return encode_json(table)
