"""Whether a bundle was made as Sigstore demands, and when; by whom is for the rule to judge."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING

from rfc3161_client import VerificationError, VerifierBuilder, decode_timestamp_response
from sigstore.errors import CertValidationError, Error
from sigstore.hashes import Hashed
from sigstore.models import Bundle
from sigstore.verify import Verifier

from hatch_sign.formats.sigstore.bundle import Bundle as ParsedBundle
from hatch_sign.formats.sigstore.bundle import encode_bundle, parse_bundle
from hatch_sign.formats.sigstore.log_entry import parse_log_entry
from hatch_sign.values.certificates import complete_chain
from hatch_sign.values.display import display
from hatch_sign.values.errors import MalformedError
from hatch_sign_sigstore.identity.periods import root_in_use
from hatch_sign_sigstore.signing.quiet import silenced_logs

if TYPE_CHECKING:
    from cryptography.x509 import Certificate
    from sigstore.models import TrustedRoot

    from hatch_sign.contract import Facts

_SHA256_SIZE = 32
_LAST_SECOND = 253_402_300_799
"""The end of the year 9999, after which there are no dates."""


class _Anybody:
    """A policy that leaves it to the rule whose certificate it is; sigstore-python's own such policy warns of itself."""

    def verify(self, cert: Certificate) -> None:
        """Accept."""


@dataclass(frozen=True)
class Checker:
    """Checks bundles under one trusted root: the whole of each, and each once, however many artifacts it is over."""

    root: TrustedRoot

    def problem_of(self, facts: Facts) -> str:
        """Return why the bundle in `facts` is not to be believed, empty where it is.

        What is checked: the chain of the certificate at each time that is proven, its signed certificate timestamp, the
        inclusion, promise and checkpoint of the log entry, that the entry is of this very signature, and the signature over
        the digest or the envelope; and that each authority and log that has a part in it was in use at those times.
        """
        return self.problem_in(facts.bundle, facts.digest)

    def problem_in(self, bundle: bytes, digest: bytes) -> str:
        """Return the same of a bundle; `digest` is that of the artifact of a message signature, and else empty."""
        return _problem_of(self.root, bundle, digest)

    def times(self, facts: Facts) -> Sequence[datetime]:
        """Return the instants at which the log, and authorities of the trusted root, say that the signature was there.

        They are proven only where :meth:`problem_of` finds nothing.
        """
        return _times(facts, self.root)

    def issuers(self) -> Sequence[Certificate]:
        """Return the certificates of the certificate authorities."""
        return self.root.get_fulcio_certs()

    def chain_of(self, leaf: Certificate) -> tuple[Certificate, ...]:
        """Return a certificate of one of the authorities, and what leads from it to that one's root."""
        return tuple(complete_chain(leaf, self.issuers()))


@lru_cache(maxsize=8)  # one statement may be over a thousand artifacts, and is judged for each of them
def _problem_of(root: TrustedRoot, data: bytes, digest: bytes) -> str:
    try:
        # Written anew from what was parsed, so that nothing in the bundle can be read in another way here than there.
        parsed = parse_bundle(data)
        if missing := _missing(parsed, digest):
            return missing
        bundle = Bundle.from_json(encode_bundle(parsed))
    except MalformedError as error:
        return error.message
    except (Error, ValueError) as error:  # pydantic's errors are ValueErrors, and not all of them are wrapped
        return _reason(error)
    times = _times(parsed, root)
    in_use = root_in_use(root, times)
    problem = _problem_under(in_use, bundle, digest)
    if not problem or in_use is root:
        return problem
    at = " and ".join(time.isoformat(sep=" ", timespec="seconds") for time in times)
    ended = f"an authority or a log that vouches for it was not in use at {at}, says the trusted root"
    return _problem_under(root, bundle, digest) or ended


def _problem_under(root: TrustedRoot, bundle: Bundle, digest: bytes) -> str:
    try:
        with silenced_logs():
            _verify(Verifier(trusted_root=root), bundle, digest)
    except (Error, ValueError) as error:  # as above
        return _reason(error)
    return ""


def _verify(verifier: Verifier, bundle: Bundle, digest: bytes) -> None:
    if digest:
        verifier.verify_artifact(Hashed.model_validate({"algorithm": "SHA2_256", "digest": digest}), bundle, _Anybody())
    else:
        verifier.verify_dsse(bundle, _Anybody())


def _missing(bundle: ParsedBundle, digest: bytes) -> str:
    """Return what a bundle lacks that sigstore-python would tell of in the words of its data model."""
    if digest and len(digest) != _SHA256_SIZE:
        return f"it signs a digest of {len(digest)} bytes, expected SHA-256"
    if len(bundle.log_entries) != 1:
        return f"it has {len(bundle.log_entries)} entries of a transparency log, expected one"
    if "inclusionProof" not in parse_log_entry(bundle.log_entries[0]):
        return "the log entry has no proof of its inclusion"
    return ""


def _reason(error: Exception) -> str:
    """Return what is wrong on one line; pydantic's errors are many lines, of which the first says what it is about."""
    text = display(str(error.args[0] if error.args else type(error).__name__).strip().partition("\n")[0])
    if isinstance(error, CertValidationError):
        return f"the certificate leads to no authority of the trusted root, or was used when it was not good ({text})"
    return text


def _times(signed: Facts | ParsedBundle, root: TrustedRoot) -> list[datetime]:
    return sorted([*_log_times(signed), *_stamped_times(signed, root)])


def _log_times(signed: Facts | ParsedBundle) -> Iterator[datetime]:
    for data in signed.log_entries:
        entry = parse_log_entry(data)
        seconds = int(entry["integratedTime"])
        if seconds and "inclusionPromise" in entry:  # without the promise, nobody has signed the time
            yield datetime.fromtimestamp(min(seconds, _LAST_SECOND), UTC)


def _stamped_times(signed: Facts | ParsedBundle, root: TrustedRoot) -> Iterator[datetime]:
    for data in signed.timestamps:
        for authority in root.get_timestamp_authorities():
            with suppress(ValueError, VerificationError):  # sigstore-python says what is wrong with it
                time = _stamped_time(data, signed.signature, authority.certificates(allow_expired=True))
                end = authority.validity_period_end
                if authority.validity_period_start <= time and (end is None or time < end):
                    yield time


def _stamped_time(data: bytes, signature: bytes, chain: Sequence[Certificate]) -> datetime:
    """Return what a timestamp by the first of `chain` says. Raises ValueError, or VerificationError for one that is not."""
    stamp = decode_timestamp_response(data)
    leaf, *intermediates, authority = chain
    VerifierBuilder(tsa_certificate=leaf, intermediates=intermediates, roots=[authority]).build().verify_message(
        stamp, signature
    )
    return stamp.tst_info.gen_time
