"""A report as one HTML page that needs nothing else: no file, no address, no script."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from hatch_sign.reporting.drawing import draw_chain
from hatch_sign.reporting.markup import Markup, element, join, text, void
from hatch_sign.reporting.material import instant
from hatch_sign.reporting.style import STYLE, content_security_policy

if TYPE_CHECKING:
    from hatch_sign.reporting.model import ArtifactEntry, CertificateEntry, ChainEntry, Report, RuleEntry, SignatureEntry

_TITLE = "Verification report"
_NONE = Markup('<span class="soft">none</span>')

_EXIT_CODES = {0: "0: everything is verified", 1: "1: something is rejected"}


def encode_html(report: Report) -> bytes:
    """Return the page in UTF-8. Whatever is in `report`, its text cannot become markup."""
    head = element(
        "head",
        void("meta", charset="utf-8"),
        void("meta", http_equiv="Content-Security-Policy", content=content_security_policy()),
        void("meta", name="viewport", content="width=device-width, initial-scale=1"),
        void("meta", name="color-scheme", content="light dark"),
        void("meta", name="referrer", content="no-referrer"),
        element("title", f"{_TITLE}: {report.headline.lower()}"),
        element("style", Markup(STYLE)),
    )
    body = element(
        "body",
        element("header", *_header(report)),
        element("main", *_artifacts(report), *_chains(report), *_policy(report)),
        element("footer", *_footer()),
    )
    return f"<!DOCTYPE html>\n{element('html', head, body, lang='en')}\n".encode()


def _header(report: Report) -> Iterable[Markup]:
    about = report.circumstances
    yield element("h1", _TITLE)
    yield element("p", report.headline, class_=f"outcome {_mood(report.passed)}")
    yield _facts(
        ("Written", instant(about.written_at)),
        ("Judged as of", instant(about.judged_at)),
        ("Written by", f"hatch-sign {about.version}"),
        ("Exit code", _EXIT_CODES.get(about.exit_code, str(about.exit_code))),
    )


# --- artifacts --------------------------------------------------------------------------------------------------------


def _artifacts(report: Report) -> Iterable[Markup]:
    yield element("h2", "Artifacts")
    rows = [_artifact_row(artifact) for artifact in report.artifacts]
    yield _table("Artifacts", ("Artifact", "Result", "Size in bytes", "SHA-256"), rows)
    yield element("h2", "Signatures")
    for artifact in report.artifacts:
        yield element("h3", artifact.name)
        headers = ("Signature", "Verdict", "Signer", "Proven time", "Found")
        yield _table(f"Signatures of {artifact.name}", headers, [_signature_row(each) for each in artifact.signatures])


def _artifact_row(artifact: ArtifactEntry) -> Sequence[Markup]:
    result = _verdict("trusted" if artifact.passed else "rejected", good=artifact.passed)
    size = _NONE if artifact.size is None else text(f"{artifact.size:,}".replace(",", "\u202f"))
    digest = _NONE if artifact.sha256 is None else element("code", artifact.sha256)
    return (text(artifact.name), result, size, digest)


def _signature_row(signature: SignatureEntry) -> Sequence[Markup]:
    name = signature.signature if signature.signature == signature.format else f"{signature.signature} ({signature.format})"
    inside = (element("div", signature.member, class_="soft"),) if signature.member else ()
    found = [*filter(None, [signature.file, signature.detail]), *(f"warning: {each}" for each in signature.warnings)]
    if signature.claim and signature.claim not in signature.detail:
        found.append(f"claims: {signature.claim}")
    link = () if signature.chain is None else (_link(signature.chain),)
    return (
        join(name, *inside),
        _verdict(signature.verdict, good=signature.trusted) if signature.matters else text(signature.verdict),
        text(signature.signer) if signature.signer else _NONE,
        text(signature.time) if signature.time else _NONE,
        join(*(element("div", each) for each in found), *link),
    )


def _link(number: int) -> Markup:
    return element("div", element("a", f"Chain {number}", href=f"#chain-{number}"))


# --- chains -----------------------------------------------------------------------------------------------------------


def _chains(report: Report) -> Iterable[Markup]:
    yield element("h2", "Chains of trust")
    if not report.chains:
        yield element("p", "No signature could be read.")
    for chain in report.chains:
        yield element("section", *_chain(chain), id=f"chain-{chain.number}")


def _chain(chain: ChainEntry) -> Iterable[Markup]:
    yield element("h3", f"Chain {chain.number}: {chain.title}")
    details = [
        _facts(
            ("Key", join(f"{chain.key}, SHA-256 of its SubjectPublicKeyInfo ", element("code", chain.key_sha256))),
            ("Scheme", chain.scheme),
            ("Trust rule", chain.rule or "none is for such signatures"),
        )
    ]
    if chain.certificates:
        details += [
            element("h4", "Certificates"),
            _certificates(f"Certificates of chain {chain.number}", chain.certificates),
        ]
    for witness in chain.witnesses:
        details.append(element("h4", witness.kind.capitalize()))
        details.append(
            _facts(
                ("By", witness.by),
                ("Time", join(*(element("div", time) for time in witness.times)) if witness.times else _NONE),
                ("Believed", f"no: {witness.doubt}" if witness.doubt else "yes"),
            )
        )
        if witness.certificates:
            details.append(_certificates(f"Certificates of the {witness.kind}", witness.certificates))
    yield element("div", draw_chain(chain), element("div", *details), class_="chain")


def _certificates(caption: str, certificates: Sequence[CertificateEntry]) -> Markup:
    rows = [
        (element("span", each.role.capitalize(), class_="role"), _facts(*_certificate_facts(each))) for each in certificates
    ]
    return _table(caption, ("Role", "Certificate"), rows)


def _certificate_facts(certificate: CertificateEntry) -> Iterable[tuple[str, str]]:
    yield "Subject", certificate.subject
    yield "Issuer", certificate.issuer
    yield "Serial", element("code", certificate.serial)
    yield "Valid", f"{certificate.begins} to {certificate.ends}"
    yield "SHA-256", element("code", certificate.sha256)


# --- policy -----------------------------------------------------------------------------------------------------------


def _policy(report: Report) -> Iterable[Markup]:
    about, policy = report.circumstances, report.policy
    yield element("h2", "Policy")
    yield _facts(
        ("Configuration", about.policy_path or "none: the command line says whom to trust"),
        ("SHA-256 of the file", element("code", about.policy_sha256) if about.policy_sha256 else _NONE),
        ("Required of each artifact", ", ".join(policy.require)),
    )
    yield element("p", "Any one of these rules may vouch for a signature, as far as its settings allow.")
    for rule in policy.rules:
        yield from _rule(rule)
    if policy.timestamp_roots:
        yield element("h3", "Timestamp authorities that are believed")
        yield _certificates("Roots of timestamp authorities", policy.timestamp_roots)


def _rule(rule: RuleEntry) -> Iterable[Markup]:
    yield element("h3", rule.label)
    yield _facts(*((name, element("code", value)) for name, value in rule.settings))


def _footer() -> Iterable[Markup]:
    yield element(
        "p",
        "Names, subjects and claims are shown as files gave them; control and direction characters are written as ",
        element("code", r"\x1b"),
        " or ",
        element("code", r"\u202e"),
        ". What a statement claims is its signer's word. The verdicts are those of the moment above: certificates may be "
        "revoked later, and rules may end.",
    )


# --- parts ------------------------------------------------------------------------------------------------------------


def _facts(*pairs: tuple[str, str]) -> Markup:
    return element("dl", *(join(element("dt", name), element("dd", value)) for name, value in pairs))


def _table(caption: str, headers: Sequence[str], rows: Sequence[Sequence[str]]) -> Markup:
    """Return a table whose first column names its rows; on a phone each row becomes a block, its cells labelled.

    The roles say what the elements are, which browsers forget of tables that are laid out as blocks.
    """
    columns = [element("th", header, scope="col", role="columnheader") for header in headers]
    head = element("thead", element("tr", *columns, role="row"), role="rowgroup")
    body = element("tbody", *(_row(headers, row) for row in rows), role="rowgroup")
    return element("table", head, body, role="table", aria_label=caption)


def _row(headers: Sequence[str], cells: Sequence[str]) -> Markup:
    first = element("th", cells[0], scope="row", role="rowheader", data_label=headers[0])
    others = (element("td", cell, role="cell", data_label=label) for label, cell in zip(headers[1:], cells[1:], strict=True))
    return element("tr", first, *others, role="row")


def _verdict(word: str, *, good: bool) -> Markup:
    return element("span", word, class_=f"verdict {_mood(good)}")


def _mood(good: bool) -> str:  # noqa: FBT001 - the one thing that it is asked
    return "good" if good else "bad"
