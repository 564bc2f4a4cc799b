"""One ``verify``, one table: what whoever signs with Sigstore makes, good and damaged, before us and before its peers.

Rows are makers, with either log, and what was done to the artifact, the bundle or the question; columns are our verdict, and
whether sigstore-python, @sigstore/verify and cosign accept. Ours is by the command line, in this process.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from sigstore.errors import Error
from sigstore.models import Bundle, TrustedRoot
from sigstore.verify import Verifier
from sigstore.verify.policy import Identity

from hatch_sign.cli import main

from ...integration.cli.cli_project import make_project
from .. import rigs
from ..loopback import LoopbackSigstore, loopback_sigstore
from .judges import Judge, cosign, sigstore_js
from .makers import MAKERS

OTHER_IDENTITY = "https://github.com/stranger/demo/.github/workflows/release.yml@refs/heads/main"
OTHER_ISSUER = "https://gitlab.com"
ARTIFACT = b"the artifact\n" * 100


def sigstore_python(instance: LoopbackSigstore, artifact: Path, bundle: Path) -> rigs.PeerResult:
    """Ask sigstore-python as a library, which spares a process for each row."""
    whom = Identity(identity=instance.identity, issuer=instance.issuer)
    try:
        verifier = Verifier(trusted_root=TrustedRoot.from_file(str(instance.trusted_root)))
        verifier.verify_artifact(artifact.read_bytes(), Bundle.from_json(with_zeros(bundle.read_bytes())), whom)
    except (Error, ValueError) as error:
        return rigs.PeerResult(accepted=False, output=str(error))
    return rigs.PeerResult(accepted=True, output="")


def with_zeros(bundle: bytes) -> bytes:
    """Return the bundle with the zeros that Go and JavaScript leave out, and without which sigstore-python reads none.

    In a log of one entry, its index is such a zero, and its path to the root is empty.
    """
    table = json.loads(bundle)
    for entry in table["verificationMaterial"]["tlogEntries"]:
        entry.setdefault("logIndex", "0")
        for name, nothing in (("logIndex", "0"), ("hashes", [])):
            entry["inclusionProof"].setdefault(name, nothing)
    return json.dumps(table).encode()


JUDGES: dict[str, Judge] = {"sigstore-python": sigstore_python, "sigstore-js": sigstore_js, "cosign": cosign}


@dataclass(frozen=True)
class Case:
    """What is put before everybody: an artifact, a bundle, and whom is asked for at which instance."""

    instance: LoopbackSigstore
    artifact: bytes
    bundle: dict[str, Any]


@pytest.fixture(scope="module")
def instances() -> Iterator[tuple[LoopbackSigstore, LoopbackSigstore]]:
    with loopback_sigstore() as one, loopback_sigstore() as other:
        yield one, other


@pytest.fixture(scope="module", params=[(name, version) for name in MAKERS for version in (1, 2)], ids=str)
def good(
    request: pytest.FixtureRequest,
    instances: tuple[LoopbackSigstore, LoopbackSigstore],
    tmp_path_factory: pytest.TempPathFactory,
) -> Case:
    """Return what one maker made with the log of one version."""
    name, version = request.param
    folder = tmp_path_factory.mktemp("made")
    artifact, bundle = folder / "artifact.bin", folder / "bundle.sigstore.json"
    artifact.write_bytes(ARTIFACT)
    MAKERS[name](instances[0], artifact, bundle, version)
    case = Case(instances[0], ARTIFACT, json.loads(bundle.read_bytes()))
    (entry,) = case.bundle["verificationMaterial"]["tlogEntries"]
    assert entry["kindVersion"]["version"] == f"0.0.{version}"
    return case


def changed(bundle: dict[str, Any], change: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
    copy: dict[str, Any] = json.loads(json.dumps(bundle))
    change(copy)
    return copy


def flip(table: dict[str, Any], name: str, at: int) -> None:
    data = bytearray(base64.b64decode(table[name]))
    data[at] ^= 1
    table[name] = base64.b64encode(data).decode()


def entry_of(bundle: dict[str, Any]) -> dict[str, Any]:
    entry: dict[str, Any] = bundle["verificationMaterial"]["tlogEntries"][0]
    return entry


def leaf_of(bundle: dict[str, Any]) -> dict[str, Any]:
    """Return where the certificate is: bundles of version 0.2 hold a chain."""
    material = bundle["verificationMaterial"]
    leaf: dict[str, Any] = material.get("certificate") or material["x509CertificateChain"]["certificates"][0]
    return leaf


def reworded(bundle: dict[str, Any]) -> None:
    """Let the checkpoint say another size of the log than it was signed with."""
    checkpoint = entry_of(bundle)["inclusionProof"]["checkpoint"]
    origin, _, rest = checkpoint["envelope"].partition("\n")
    checkpoint["envelope"] = f"{origin}\n77{rest[rest.index(chr(10)) :]}"


Doing = Callable[[Case, LoopbackSigstore], Case]

CASES: dict[str, tuple[Doing, str]] = {
    "as it was made": (lambda case, _: case, "trusted"),
    "another artifact": (lambda case, _: replace(case, artifact=ARTIFACT + b"!"), "hash-mismatch"),
    "signature flipped": (
        lambda case, _: replace(case, bundle=changed(case.bundle, lambda b: flip(b["messageSignature"], "signature", -1))),
        "untrusted",
    ),
    "another identity": (
        lambda case, _: replace(case, instance=replace(case.instance, identity=OTHER_IDENTITY)),
        "wrong-identity",
    ),
    "another issuer": (
        lambda case, _: replace(case, instance=replace(case.instance, issuer=OTHER_ISSUER)),
        "wrong-identity",
    ),
    "another trusted root": (lambda case, other: replace(case, instance=other), "untrusted"),
    "log entry removed": (
        lambda case, _: replace(
            case, bundle=changed(case.bundle, lambda b: b["verificationMaterial"].update(tlogEntries=[]))
        ),
        "untrusted",
    ),
    "log entry of another body": (
        lambda case, _: replace(case, bundle=changed(case.bundle, lambda b: flip(entry_of(b), "canonicalizedBody", -4))),
        "untrusted",
    ),
    "checkpoint reworded": (lambda case, _: replace(case, bundle=changed(case.bundle, reworded)), "untrusted"),
    "certificate flipped": (
        lambda case, _: replace(
            case,
            bundle=changed(case.bundle, lambda b: flip(leaf_of(b), "rawBytes", -1)),
        ),
        "untrusted",
    ),
}


def our_verdict(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    code = main(["verify", *arguments, "--json"])
    (artifact,) = json.loads(capsys.readouterr().out)["artifacts"]
    (signature,) = artifact["signatures"]
    assert code == (0 if signature["verdict"] == "trusted" else 1)
    verdict: str = signature["verdict"]
    return verdict


@pytest.mark.parametrize("name", CASES)
def test_a_row_of_the_table(  # noqa: PLR0917 - pytest hands them over by their names
    good: Case,
    instances: tuple[LoopbackSigstore, LoopbackSigstore],
    name: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    doing, expected = CASES[name]
    case = doing(good, instances[1])
    artifact, bundle = tmp_path / "artifact.bin", tmp_path / "artifact.bin.sigstore.json"
    artifact.write_bytes(case.artifact)
    bundle.write_text(json.dumps(case.bundle))
    monkeypatch.chdir(tmp_path)
    whom = ["--cert-identity", case.instance.identity, "--cert-oidc-issuer", case.instance.issuer]
    row = {"hatch-sign": our_verdict([*whom, "--trusted-root", str(case.instance.trusted_root), "artifact.bin"], capsys)}
    row |= {
        judge: "accepted" if ask(case.instance, artifact, bundle).accepted else "refused" for judge, ask in JUDGES.items()
    }
    accepted = "accepted" if expected == "trusted" else "refused"
    assert row == {"hatch-sign": expected, **dict.fromkeys(JUDGES, accepted)}


# --- signatures by keys, before the same command


@pytest.fixture(scope="module", params=["hatch-sign", "cosign"])
def by_key(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with an artifact, a bundle by a key, and the key in ``release.pub``."""
    folder = tmp_path_factory.mktemp("key")
    artifact, bundle = folder / "artifact.bin", folder / "artifact.bin.sigstore.json"
    if request.param == "hatch-sign":
        project = make_project(folder)
        artifact = project.add("artifact.bin", ARTIFACT)
        project.succeed("sign", "dist")
        (folder / "artifact.bin").write_bytes(ARTIFACT)
        bundle.write_bytes((project.dist / bundle.name).read_bytes())
        return folder
    artifact.write_bytes(ARTIFACT)
    # Without services, it makes a bundle of the signature alone.
    options = ["--key", "cosign.key", "--use-signing-config=false", "--tlog-upload=false", "--yes", "--bundle", bundle.name]
    for arguments in (["generate-key-pair"], ["sign-blob", *options, artifact.name]):
        made = rigs.run_cosign(*arguments, folder=folder)
        assert made.accepted, made.output
    (folder / "cosign.pub").rename(folder / "release.pub")
    return folder


def test_a_signature_by_a_key_is_one_of_the_key_alone(
    by_key: Path,
    instances: tuple[LoopbackSigstore, LoopbackSigstore],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for name in ("artifact.bin", "artifact.bin.sigstore.json", "release.pub"):
        (tmp_path / name).write_bytes((by_key / name).read_bytes())
    monkeypatch.chdir(tmp_path)
    trusted = instances[0]
    whom = [
        "--cert-identity",
        trusted.identity,
        "--cert-oidc-issuer",
        trusted.issuer,
        "--trusted-root",
        str(trusted.trusted_root),
    ]
    assert our_verdict(["--key", "release.pub", "artifact.bin"], capsys) == "trusted"
    assert our_verdict([*whom, "artifact.bin"], capsys) == "untrusted"
    assert our_verdict([*whom, "--key", "release.pub", "artifact.bin"], capsys) == "trusted"
    (tmp_path / "artifact.bin").write_bytes(ARTIFACT + b"!")
    assert our_verdict(["--key", "release.pub", "artifact.bin"], capsys) == "hash-mismatch"
