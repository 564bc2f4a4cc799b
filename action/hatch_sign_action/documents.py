"""What the documents of ``--json`` say, as rows that a summary shows and an output counts."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

_HOMES = {
    "emulated": "emulated token, in software",
    "pkcs11": "PKCS#11 token",
    "awskms": "AWS KMS",
    "gcpkms": "Google Cloud KMS",
    "azurekms": "Azure Key Vault",
    "hashivault": "Vault",
    "openbao": "OpenBao",
    "signserver+https": "SignServer",
    "artifact-signing": "Azure Artifact Signing",
    "sigstore": "made for this run, certified for its identity",
}
"""Where the key behind a reference lives, by the reference's scheme."""

_BUNDLE = ".sigstore.json"


@dataclass(frozen=True, slots=True)
class Row:
    """One signature, as a release manager reads it. Text from files is raw."""

    artifact: str
    sha256: str
    format: str
    key: str
    signer: str
    certificate: str
    time: str
    verdict: str
    detail: str


@dataclass(frozen=True, slots=True)
class Told:
    """What the document of one command says; `files` are the files that hold signatures."""

    rows: tuple[Row, ...]
    files: tuple[str, ...]
    problems: tuple[str, ...]

    @property
    def bundles(self) -> tuple[str, ...]:
        """Those of the files that are Sigstore bundles."""
        return tuple(file for file in self.files if file.endswith(_BUNDLE))

    @property
    def count(self) -> int:
        """How many signatures there are: rows that say that one is missing, or has no place, are none."""
        return sum(row.verdict not in {"unsigned", "not-applicable"} for row in self.rows)


NOTHING = Told((), (), ())


def read_document(document: Mapping[str, Any]) -> Told:
    """Return what a document says, whichever command printed it: what signing planned, or what verification found."""
    if document.get("schema") == "hatch-sign/error/v1":
        return Told((), (), (document["error"], *document["problems"]))
    if document.get("schema") == "hatch-sign/signing/v1":
        return _of_signing(document)
    if document.get("schema") == "hatch-sign/release-check/v1":
        return replace(_of_verification(document), problems=tuple(_failures(document["checks"])))
    return _of_verification(document)


def joined(signed: Told, verified: Told) -> tuple[Row, ...]:
    """Return the rows of what was verified, with the keys that signing knows; those of signing where there are no others."""
    keys = {(row.artifact, row.format): row.key for row in signed.rows}
    rows = tuple(replace(row, key=row.key or keys.get((row.artifact, row.format), "")) for row in verified.rows)
    return rows or signed.rows


def _of_signing(document: Mapping[str, Any]) -> Told:
    digests = {each["name"]: _digest(each["path"]) for each in document["artifacts"]}
    keys = {(name, file["format"]): file["key"] for file in document["files"] for name in file["artifacts"]}
    rows = tuple(
        _row(signature, digests.get(signature["artifact"], ""), keys.get((signature["artifact"], signature["format"]), ""))
        for signature in document["signatures"]
    )
    files = (file["file"] for file in document["files"])
    return Told(rows, _present(files), tuple(document["errors"]))


def _of_verification(document: Mapping[str, Any]) -> Told:
    rows, files, problems = [], [], list(document.get("errors", ()))
    for artifact in document.get("artifacts", ()):
        # That of the bytes that were verified, where it is told.
        digest = artifact.get("sha256") or _digest(artifact["path"])
        rows += [_row(signature, digest, "") for signature in artifact["signatures"]]
        files += [file for signature in artifact["signatures"] for file in signature["files"]]
        if not artifact["passed"]:
            reasons = sorted({_reason(signature) for signature in artifact["signatures"]} - {""})
            problems.append(f"{artifact['name']} is rejected: {'; '.join(reasons) or 'nothing vouches for it'}")
    return Told(tuple(rows), _present(files), tuple(problems))


def _failures(checks: Iterable[Mapping[str, str]]) -> Iterator[str]:
    """Yield what keeps a release from leaving; a check of a rejected artifact says which it is, and why."""
    for check in checks:
        if check["status"] == "failure":
            expected = f", expected {check['expected']}" if check["expected"] else ""
            remedy = f"; {check['remedy']}" if check["remedy"] else ""
            yield f"{check['subject']}: {check['found']}{expected}{remedy}"


def _reason(signature: Mapping[str, Any]) -> str:
    if signature["verdict"] in {"trusted", "not-applicable"}:
        return ""
    detail = f" ({signature['detail']})" if signature["detail"] else ""
    return f"{signature['signature']}: {signature['verdict']}{detail}"


def _row(signature: Mapping[str, Any], digest: str, key: str) -> Row:
    member = signature["member"]
    return Row(
        artifact=signature["artifact"] if member is None else f"{signature['artifact']}/{member}",
        sha256=digest,
        format=signature["format"],
        key=f"{key} ({_home(key)})" if key else "",
        signer=signature["signer"] or "",
        certificate=_certificate(signature.get("certificate")),
        time=signature["time"] or "",
        verdict=signature["verdict"],
        detail=signature["detail"],
    )


def _certificate(certificate: Mapping[str, Any] | None) -> str:
    """Return whose certificate it is and the day on which it ends, in UTC; nothing where there is none."""
    if certificate is None:
        return ""
    day = certificate["ends"][:10] if certificate["ends"] else "an unknown day"
    return f"{certificate['subject']}, until {day}"


def _home(key: str) -> str:
    return _HOMES.get(key.partition(":")[0].lower(), "a plugin's")


def _digest(path: str) -> str:
    try:
        with Path(path).open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError:
        return ""


def _present(files: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(file for file in files if Path(file).is_file()))
