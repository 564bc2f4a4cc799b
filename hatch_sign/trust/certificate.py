"""The trust rule ``certificate``: whoever a certification authority calls by one name may vouch. Cheap to import."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from hatch_sign.contract import TrustKind, hookimpl
from hatch_sign.values.errors import ConfigurationError

if TYPE_CHECKING:
    from hatch_sign.trust.certificate_rule import CertificateRule

ROOTS, INTERMEDIATES = "certificate-roots", "certificate-intermediates"


@hookimpl
def hatch_sign_register_trust() -> TrustKind:
    """Register the kind of rule that names roots and a subject."""
    return CertificateKind()


class CertificateKind:
    """Rules with ``certificate-roots`` and ``subject``.

    Roots, and ``certificate-intermediates`` that signatures do not bring along, are PEM files or PEM. The subject is a
    whole distinguished name (RFC 4514). ``extended-key-usage`` is ``code-signing`` unless it is another dotted number.
    ``revocation`` is ``off``, ``prefer`` or ``require``; ``revocation-lists`` and ``revocation-responses`` are files, DER
    or PEM, that are asked before anything is fetched.
    """

    name = "certificate"
    selector = frozenset({ROOTS})
    settings: Mapping[str, type] = MappingProxyType(
        {
            ROOTS: str,
            INTERMEDIATES: str,
            "subject": str,
            "extended-key-usage": str,
            "minimum-rsa-bits": int,
            "revocation": str,
            "revocation-lists": list,
            "revocation-responses": list,
        },
    )

    def parse(self, table: Mapping[str, Any], read: Callable[[str], bytes]) -> CertificateRule:
        """Return the rule. Raises ConfigurationError, or MalformedError for files that hold no certificates."""
        from hatch_sign.trust.certificate_rule import CertificateRule, parse_usage  # noqa: PLC0415 - 60 ms of imports
        from hatch_sign.trust.names import parse_name  # noqa: PLC0415 - as above
        from hatch_sign.trust.pem import parse_certificates, read_pem  # noqa: PLC0415 - as above
        from hatch_sign.trust.revocation_settings import parse_revocation  # noqa: PLC0415 - as above
        from hatch_sign.trust.strength import minimum_rsa_bits  # noqa: PLC0415 - as above

        if "subject" not in table:
            message = "lacks `subject`: without it, the roots would vouch for everybody whom they certify"
            remedy = "write the signer's whole name, such as `CN=Example Ltd,O=Example Ltd,C=SI`"
            raise ConfigurationError(message, remedy=remedy)

        def certificates(key: str) -> tuple[Any, ...]:
            subject, data = read_pem(table[key], key, read)
            return parse_certificates(data, subject)

        intermediates = certificates(INTERMEDIATES) if INTERMEDIATES in table else ()
        return CertificateRule(
            roots=certificates(ROOTS),
            subject=parse_name(table["subject"]),
            usage=parse_usage(table.get("extended-key-usage", "code-signing")),
            smallest_rsa=minimum_rsa_bits(table),
            intermediates=intermediates,
            revocation=parse_revocation(table, read, intermediates),
        )
