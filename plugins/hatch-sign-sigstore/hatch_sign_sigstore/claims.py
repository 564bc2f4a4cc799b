"""What a Fulcio certificate says of who signed (https://github.com/sigstore/fulcio/blob/main/docs/oid-info.md)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from hatch_sign.formats.asn1 import der_contents
from hatch_sign.values.errors import MalformedError
from hatch_sign.values.late_errors import late_errors

if TYPE_CHECKING:
    from collections.abc import Collection

    from cryptography.x509 import Certificate, GeneralName

_ARC = "1.3.6.1.4.1.57264.1"
_ISSUER, _OTHER_NAME, _ISSUER_V2 = f"{_ARC}.1", f"{_ARC}.7", f"{_ARC}.8"
_BUILD_SIGNER, _REPOSITORY, _BUILD_CONFIG = f"{_ARC}.9", f"{_ARC}.12", f"{_ARC}.18"
_UTF8_STRING = 0x0C


@dataclass(frozen=True, slots=True)
class Claims:
    """Who signed, and who vouches for that; of a build in a workflow, which one. What is not said is empty.

    `build_signer` is the workflow that ran the job, `build_config` the one that was started, both with ``@`` and what
    commit or reference they are of; they differ where one calls the other. `repository` is the address of the sources.
    """

    identity: str
    issuer: str
    build_signer: str = ""
    build_config: str = ""
    repository: str = ""

    @property
    def signer(self) -> str:
        """The identity and its issuer, as people read them."""
        return f"{self.identity} ({self.issuer})"


def read_claims(certificate: Certificate) -> Claims:
    """Return what `certificate` says.

    Raises MalformedError for one that names no identity or several, that names no issuer or two different ones, or in
    which something cannot be read.
    """
    try:
        return _read(certificate)
    except late_errors(UnicodeError) as error:
        message = f"the certificate is malformed: {error}"
        raise MalformedError(message) from None


def _read(certificate: Certificate) -> Claims:
    from cryptography import x509  # noqa: PLC0415 - 40 ms, which listing the plugin does without

    found = {extension.oid.dotted_string: extension.value for extension in certificate.extensions}
    raw = {oid: value.value for oid, value in found.items() if isinstance(value, x509.UnrecognizedExtension)}
    names = found.get(x509.SubjectAlternativeName.oid.dotted_string)
    identities = [_name(each) for each in names] if isinstance(names, x509.SubjectAlternativeName) else []
    # The second spelling of the issuer is DER, the first was the text alone; Fulcio writes both.
    issuers = {raw[_ISSUER].decode("utf-8")} if _ISSUER in raw else set()
    issuers |= {_text(raw[_ISSUER_V2])} if _ISSUER_V2 in raw else set()
    return Claims(
        identity=_only(identities, "identities"),
        issuer=_only(issuers, "issuers"),
        build_signer=_text(raw.get(_BUILD_SIGNER)),
        build_config=_text(raw.get(_BUILD_CONFIG)),
        repository=_text(raw.get(_REPOSITORY)),
    )


def _name(name: GeneralName) -> str:
    from cryptography import x509  # noqa: PLC0415 - as above

    if isinstance(name, x509.RFC822Name | x509.UniformResourceIdentifier):
        return name.value
    if isinstance(name, x509.OtherName) and name.type_id.dotted_string == _OTHER_NAME:
        return _text(name.value)
    message = f"an alternative name is a {type(name).__name__}"
    raise ValueError(message)


def _text(der: bytes | None) -> str:
    """Return the text in a UTF8String; empty for None. Raises ValueError for anything else."""
    if der is None:
        return ""
    if der[:1] != bytes([_UTF8_STRING]):
        message = "an extension is no UTF8String"
        raise ValueError(message)
    try:
        return der_contents(der).decode("utf-8")
    except IndexError:
        message = "an extension ends too early"
        raise ValueError(message) from None


def _only(values: Collection[str], what: str) -> str:
    (value,) = values if len(values) == 1 else ("",)
    if not value:
        message = f"it names {len(values)} {what}, expected one that is not empty"
        raise ValueError(message)
    return value
