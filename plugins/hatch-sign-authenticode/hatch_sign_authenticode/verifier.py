"""Checks the signatures inside a PE file."""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO

from hatch_sign.contract.formats import Finding
from hatch_sign.values.errors import MalformedError, UnsupportedError
from hatch_sign.values.outcomes import Verdict
from hatch_sign_authenticode.pe import DOS_MARK, HEAD_SIZE, is_pe, parse_pe, read_signatures

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hatch_sign.values.public_keys import PublicKey


class AuthenticodeVerifier:
    """A :class:`~hatch_sign.contract.EmbeddedVerifier` of PE files."""

    def check(self, name: str, source: BinaryIO, keys: Sequence[PublicKey]) -> Finding:
        """Check every signature in `source`, those nested in others among them. Never raises.

        Each becomes facts, in the order of the file; one that is not over the file as it is rejects it. `keys` are not
        needed: an Authenticode signature brings its certificate.
        """
        del name, keys
        try:
            return _check(source)
        except MalformedError as error:
            return Finding(problem=Verdict.MALFORMED, detail=error.message)
        except UnsupportedError as error:  # there is no place for a signature, or none that would cover all that runs
            return Finding(problem=Verdict.UNSIGNED, detail=error.message)
        except OSError as error:
            return Finding(problem=Verdict.INDETERMINATE, detail=f"the file cannot be read: {error.strerror or error}")


def _check(source: BinaryIO) -> Finding:
    source.seek(0)
    if source.read(len(DOS_MARK)) != DOS_MARK:  # most files: no more of them may be at hand, nor needs to be read
        return Finding(problem=Verdict.NOT_APPLICABLE)
    source.seek(0)
    if not is_pe(source.read(HEAD_SIZE)):
        return Finding(problem=Verdict.NOT_APPLICABLE)
    pe = parse_pe(source)
    blobs = read_signatures(source, pe)
    if not blobs:
        return Finding(problem=Verdict.UNSIGNED)
    # 60 ms of imports, which files without signatures do without.
    from hatch_sign_authenticode.checking import check_signatures  # noqa: PLC0415 - as above
    from hatch_sign_authenticode.signatures import parse_signatures  # noqa: PLC0415 - as above

    return check_signatures(parse_signatures(blobs), source, pe)
