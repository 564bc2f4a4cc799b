"""Reports in which every text that may have come from a file is one and the same, and what parsers see in a page."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from html.parser import HTMLParser

from hatch_sign.reporting.model import (
    ArtifactEntry,
    CertificateEntry,
    ChainEntry,
    Circumstances,
    Node,
    NodeKind,
    PolicyEntry,
    Report,
    RuleEntry,
    SignatureEntry,
    WitnessEntry,
)

INSTANT = datetime(2026, 7, 1, 12, 30, 15, tzinfo=UTC)
WRITTEN = "2026-07-01 12:30:15 UTC"

HOSTILE = [
    '"><script>alert(1)</script>',
    "'><img src=x onerror=a()>",
    "</style></title></svg><b>",
    "--><!-- ]]><a href=//x>",
    "\x1b[31m\u202eabc\x00\r\n# x",
    "&lt;script&#62;&amp;quot;",
    "a`b``| c | d \\| e\\",
    "<https://x.example> [a](b)",
    "![x](y) @someone #1 www.a.b",
    "\ud800\udfff\U000e0041",
]
"""Short enough to stand on one line of a drawing, in whatever way they are written there."""

KINDS: tuple[NodeKind, ...] = ("artifact", "signature", "key", "certificate", "root", "rule", "refusal", "witness")


def report_saying(text: str) -> Report:
    """Return a report with something of everything, that says `text` wherever a report may repeat what a file says."""
    certificate = CertificateEntry("signer", text, text, text, WRITTEN, WRITTEN, text)
    witness = WitnessEntry("timestamp", text, (WRITTEN,), text, (certificate,))
    signature = SignatureEntry(
        artifact=text,
        member=text,
        signature=text,
        format="cms",
        verdict="untrusted",
        trusted=False,
        matters=True,
        signer=text,
        time=WRITTEN,
        file=text,
        detail=text + "1",
        claim=text + "2",
        warnings=(text,),
        chain=1,
    )
    chain = ChainEntry(
        number=1,
        trusted=False,
        title=text,
        key=text,
        key_sha256=text,
        scheme=text,
        rule=text,
        nodes=tuple(Node(kind, "Step", (text, text), how="leads to") for kind in KINDS),
        certificates=(certificate,),
        witnesses=(witness,),
    )
    return Report(
        circumstances=Circumstances("1.0", INSTANT, INSTANT, 1, policy_path=text, policy_sha256=text),
        passed=False,
        headline="The artifact is rejected",
        artifacts=(ArtifactEntry(text, passed=False, size=12345, sha256=text, signatures=(signature,)),),
        chains=(chain,),
        policy=PolicyEntry((text,), (RuleEntry(text, (("subject", text),)),), (certificate,)),
    )


def bare_report() -> Report:
    """Return a report of an artifact with nothing but a signature that could not be read, judged without a file."""
    full = report_saying("plain")
    (artifact,) = full.artifacts
    signature = replace(artifact.signatures[0], signer="", time="", file="", detail="", claim="", warnings=(), chain=None)
    return replace(
        full,
        circumstances=replace(full.circumstances, policy_path=None, policy_sha256=None),
        artifacts=(replace(artifact, size=None, sha256=None, signatures=(replace(signature, member="", matters=False),)),),
        chains=(),
        policy=replace(full.policy, timestamp_roots=()),
    )


def bare_chain() -> Report:
    """Return a report with a chain of a bare key, and a witness that nothing is known of."""
    full = report_saying("plain")
    (chain,) = full.chains
    witness = replace(chain.witnesses[0], times=(), doubt="", certificates=())
    return replace(full, chains=(replace(chain, rule="", certificates=(), witnesses=(witness,)),))


class Page(HTMLParser):
    """What a parser makes of a page: its elements with the names of their attributes, and its text."""

    def __init__(self, data: bytes) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, tuple[str, ...]]] = []
        self.values: dict[tuple[str, str], set[str]] = {}
        self.odd: list[str] = []
        self.texts: list[str] = []
        self.feed(data.decode())
        self.close()

    @property
    def text(self) -> str:
        return " ".join(self.texts)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, tuple(name for name, _ in attrs)))
        for name, value in attrs:
            self.values.setdefault((tag, name), set()).add(value or "")

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    def handle_comment(self, data: str) -> None:
        self.odd.append(data)

    def handle_pi(self, data: str) -> None:
        self.odd.append(data)

    def unknown_decl(self, data: str) -> None:
        self.odd.append(data)
