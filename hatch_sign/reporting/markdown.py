"""A report as Markdown, for places that show it: release notes, job summaries, reviews (GitHub Flavored Markdown)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from hatch_sign.reporting.material import instant
from hatch_sign.values.display import display

if TYPE_CHECKING:
    from hatch_sign.reporting.model import ChainEntry, Report, SignatureEntry

_NONE = "-"

_SPECIAL = {"`": "\\x60", "|": "\\x7c"}
"""What could end a code span or a cell, and the escapes by which ``display()`` would show it."""


def code(value: object) -> str:
    """Return `value` as a code span of one line, in which nothing is markup, a mention or an address.

    It also fits into a cell of a table. Nothing becomes a dash.
    """
    shown = "".join(_SPECIAL.get(character, character) for character in display(value)).strip()
    return f"`{shown}`" if shown else _NONE


def encode_markdown(report: Report) -> bytes:
    """Return the report in UTF-8. Text that came from files stands in code spans."""
    return ("\n".join(_lines(report)) + "\n").encode()


def _lines(report: Report) -> Iterator[str]:
    about = report.circumstances
    yield from ("# Verification report", "", f"**{report.headline}.** Exit code {about.exit_code}.", "")
    yield f"Written {instant(about.written_at)} by hatch-sign {about.version}; judged as of {instant(about.judged_at)}."
    yield from _artifacts(report)
    yield from ("", "## Chains of trust")
    for chain in report.chains:
        yield from _chain(chain)
    yield from _policy(report)


def _artifacts(report: Report) -> Iterator[str]:
    yield from ("", "## Artifacts", "")
    rows = [
        (
            code(artifact.name),
            "trusted" if artifact.passed else "**rejected**",
            _NONE if artifact.size is None else str(artifact.size),
            code(artifact.sha256 or ""),
        )
        for artifact in report.artifacts
    ]
    yield from _table(("artifact", "result", "bytes", "SHA-256"), rows)
    yield from ("", "## Signatures", "")
    signatures = [_signature(each) for artifact in report.artifacts for each in artifact.signatures]
    yield from _table(("artifact", "signature", "verdict", "signer", "proven time", "chain", "found"), signatures)


def _signature(signature: SignatureEntry) -> Sequence[str]:
    found = [*filter(None, [signature.file, signature.detail]), *(f"warning: {each}" for each in signature.warnings)]
    if signature.claim and signature.claim not in signature.detail:
        found.append(f"claims: {signature.claim}")
    return (
        code(f"{signature.artifact}/{signature.member}" if signature.member else signature.artifact),
        code(signature.signature),
        signature.verdict if signature.trusted or not signature.matters else f"**{signature.verdict}**",
        code(signature.signer),
        signature.time or _NONE,
        str(signature.chain or _NONE),
        "<br>".join(code(each) for each in found) or _NONE,
    )


def _chain(chain: ChainEntry) -> Iterator[str]:
    yield from ("", f"### Chain {chain.number}: {code(chain.title)}", "")
    for number, node in enumerate(chain.nodes, start=1):
        how = f"{node.how}: " if node.how else ""
        yield f"{number}. {how}**{node.title}** " + ", ".join(code(line) for line in node.lines)
    certificates = [*chain.certificates, *(each for witness in chain.witnesses for each in witness.certificates)]
    if certificates:
        yield ""
        rows = [
            (each.role, code(each.subject), code(each.issuer), code(each.serial), each.begins, each.ends, code(each.sha256))
            for each in certificates
        ]
        yield from _table(("role", "subject", "issuer", "serial", "from", "until", "SHA-256"), rows)


def _policy(report: Report) -> Iterator[str]:
    about, policy = report.circumstances, report.policy
    yield from ("", "## Policy", "")
    yield f"- Configuration: {code(about.policy_path or 'none: the command line says whom to trust')}"
    if about.policy_sha256:
        yield f"- its SHA-256: {code(about.policy_sha256)}"
    yield f"- Required of each artifact: {', '.join(code(name) for name in policy.require)}"
    for rule in policy.rules:
        yield from ("", f"### {code(rule.label)}", "")
        for name, value in rule.settings:
            yield f"- {name}: {code(value)}"
    if policy.timestamp_roots:
        yield from ("", "### Timestamp authorities that are believed", "")
        for root in policy.timestamp_roots:
            yield f"- {code(root.subject)}, until {root.ends}, SHA-256 {code(root.sha256)}"


def _table(headers: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(headers)} |"
    yield f"|{' --- |' * len(headers)}"
    for row in rows:
        yield f"| {' | '.join(row)} |"
