"""A run of the core that an identity signs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

import pytest

from hatch_sign.artifacts.discovery import find_artifacts
from hatch_sign.configuration.model import Configuration, ContentsSettings, SignatureSettings
from hatch_sign.custody.context import RunContext
from hatch_sign.formats.dsse import Envelope
from hatch_sign.formats.sigstore.bundle import parse_bundle
from hatch_sign.signing.existing import Overwrite
from hatch_sign.signing.plan import plan_release
from hatch_sign.signing.run import SigningReport, sign_release
from hatch_sign.values.errors import HatchSignError, PluginError, RejectedError, SigningError, UnsupportedError, UsageError
from hatch_sign.values.protection import ProtectionLevel

from .stand_in import IDENTITY, ISSUER, REFERENCE, StandIn, registry_with

NOW = datetime(2026, 6, 1, tzinfo=UTC)
SETTINGS = SignatureSettings(None, REFERENCE, ("sigstore",))
FILES = {"demo-1.0.tar.gz": b"an sdist", "notes.bin": b"notes"}


@pytest.fixture
def dist(tmp_path: Path) -> Path:
    folder = tmp_path / "dist"
    folder.mkdir()
    for name, data in FILES.items():
        (folder / name).write_bytes(data)
    return folder


def sign(
    folder: Path,
    stand_in: StandIn,
    settings: SignatureSettings = SETTINGS,
    *,
    contents: ContentsSettings | None = None,
    minimum_protection: ProtectionLevel | None = None,
    overwrite: Overwrite = Overwrite.REFUSE,
    warnings: list[str] | None = None,
) -> SigningReport:
    registry = registry_with(stand_in)
    configuration = Configuration(
        path=None,
        directory=folder,
        signatures=(settings,),
        contents=contents,
        minimum_protection=minimum_protection,
        observers=("audit",),
        audit_file=folder.parent / "audit.jsonl",
    )
    context = RunContext({}, on_warning=(pytest.fail if warnings is None else warnings.append))
    plan = plan_release(configuration, find_artifacts([folder], registry.formats().values()), registry)
    return sign_release(plan, registry=registry, context=context, now=NOW, overwrite=overwrite)


def audited(folder: Path) -> list[Mapping[str, str]]:
    return [json.loads(line) for line in (folder.parent / "audit.jsonl").read_text().splitlines()]


def files_in(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_an_identity_signs_sidecars_checksums_and_a_statement(dist: Path) -> None:
    (dist / "notes.bin").unlink()
    stand_in = StandIn()
    report = sign(dist, stand_in, replace(SETTINGS, formats=("sigstore", "checksums", "statement")))
    report.raise_failure()
    assert sorted(files_in(dist)) == [
        "SHA256SUMS",
        "SHA256SUMS.sigstore.json",
        "demo-1.0.intoto.sigstore.json",
        "demo-1.0.tar.gz",
        "demo-1.0.tar.gz.sigstore.json",
    ]
    assert (stand_in.opened, stand_in.signed, report.signing_calls, stand_in.logs) == (1, 3, 3, ["any"])
    assert isinstance(parse_bundle((dist / "demo-1.0.intoto.sigstore.json").read_bytes()).content, Envelope)
    assert {outcome.verdict.value for outcome in report.outcomes} == {"consistent"}
    assert report.outcomes[0].signer == f"standin:release as {IDENTITY} ({ISSUER})"


def test_records_name_the_identity_and_no_query(dist: Path) -> None:
    sign(dist, StandIn())
    lines = audited(dist)
    assert {(line["key"], line["credential"], line["protection"], line["verdict"]) for line in lines} == {
        ("standin:release", f"{IDENTITY} ({ISSUER})", "software", "consistent")
    }
    digests = {line["artifact"]: line["digest"] for line in lines}
    assert digests == {name: f"sha256:{sha256(data).hexdigest()}" for name, data in FILES.items()}


def test_an_artifact_that_is_made_to_be_signed_is_put_in_a_statement(dist: Path) -> None:
    data = b"DSSEv1 28 application/vnd.in-toto+json 2 {}"
    for name in FILES:
        (dist / name).write_bytes(data)
    sign(dist, StandIn()).raise_failure()
    for name in FILES:
        assert isinstance(parse_bundle((dist / f"{name}.sigstore.json").read_bytes()).content, Envelope)


def test_another_run_of_the_same_identity_leaves_its_files_alone(dist: Path) -> None:
    sign(dist, StandIn())
    before, again = files_in(dist), StandIn()
    report = sign(dist, again)
    assert (files_in(dist), again.signed) == (before, 0)
    assert {outcome.detail for outcome in report.outcomes} == {"already signed by this identity"}


@pytest.mark.parametrize("other", ["another artifact", "another identity"])
def test_what_is_not_by_the_identity_is_refused_or_replaced(dist: Path, other: str) -> None:
    sign(dist, StandIn(identity="https://example.org/former" if other == "another identity" else IDENTITY))
    if other == "another artifact":
        (dist / "notes.bin").write_bytes(b"other notes")
    before = files_in(dist)
    with pytest.raises(UsageError, match="there already, and not a signature of these bytes"):
        sign(dist, StandIn())
    assert files_in(dist) == before
    stand_in = StandIn()
    sign(dist, stand_in, overwrite=Overwrite.OTHER).raise_failure()
    assert stand_in.signed == (1 if other == "another artifact" else 2)


@pytest.mark.parametrize(
    ("mistake", "error", "message"),
    [
        ("signs something else", SigningError, r"what was just made \(sigstore\) does not verify as signed by"),
        ("names somebody else", SigningError, r"what was just made \(sigstore\) does not verify as signed by"),
        (
            "brings the certificate of another key",
            SigningError,
            r"what was just made \(sigstore\) does not verify as signed by",
        ),
        ("answers with no bytes", PluginError, "it answered with a NoneType in place of a bundle"),
    ],
)
def test_a_signer_that_errs_leaves_no_file(dist: Path, mistake: str, error: type[HatchSignError], message: str) -> None:
    before = files_in(dist)
    with pytest.raises(error, match=message):
        sign(dist, StandIn(mistake=mistake)).raise_failure()
    assert files_in(dist) == before
    assert not (dist.parent / "audit.jsonl").exists()


def test_what_was_done_before_a_failure_stays_and_is_not_done_again(dist: Path) -> None:
    failing = StandIn(concurrency=1, fails_for=frozenset({sha256(FILES["notes.bin"]).digest()}))
    with pytest.raises(HatchSignError, match="the stand-in fails; let it be; 1 artifact is signed, run again for the rest"):
        sign(dist, failing).raise_failure()
    assert "notes.bin.sigstore.json" not in files_in(dist)
    stand_in = StandIn()
    sign(dist, stand_in).raise_failure()
    assert stand_in.signed == 1


def test_no_more_calls_at_once_than_the_signer_takes(dist: Path) -> None:
    for number in range(20):
        (dist / f"{number}.bin").write_bytes(b"%d" % number)
    stand_in = StandIn(concurrency=1)
    sign(dist, stand_in).raise_failure()
    assert (stand_in.signed, stand_in.most_at_once) == (22, 1)


@pytest.mark.parametrize(
    ("settings", "contents", "message"),
    [
        (replace(SETTINGS, formats=("cms",)), None, "format cms needs a key, and standin:release is an identity"),
        (SETTINGS, ContentsSettings(("authenticode",), ("*.exe",), REFERENCE), "format authenticode needs a key"),
    ],
)
def test_a_format_that_is_no_bundle_is_refused_before_any_login(
    dist: Path, settings: SignatureSettings, contents: ContentsSettings | None, message: str
) -> None:
    (dist / "demo.exe").write_bytes(b"MZ")
    stand_in = StandIn()
    with pytest.raises(UnsupportedError, match=message):
        sign(dist, stand_in, settings, contents=contents)
    assert stand_in.opened == 0


@pytest.mark.parametrize(
    ("formats", "refused"),
    [(("sigstore", "pep740"), "notes.bin"), (("sigstore", "pep740", "checksums"), "SHA256SUMS")],
)
def test_what_a_format_does_not_take_is_refused_before_anything_is_logged(
    dist: Path, formats: tuple[str, ...], refused: str
) -> None:
    if refused not in FILES:
        (dist / "notes.bin").unlink()
    before, stand_in = files_in(dist), StandIn()
    with pytest.raises(UnsupportedError, match=rf"{refused} is neither a wheel nor an sdist.*signature\]\] of its own"):
        sign(dist, stand_in, replace(SETTINGS, formats=formats))
    assert (stand_in.opened, stand_in.signed, files_in(dist)) == (0, 0, before)


def test_settings_for_keys_are_told_of_and_not_used(dist: Path) -> None:
    warnings: list[str] = []
    settings = replace(SETTINGS, certificates=dist / "none.pem", timestamp=("http://127.0.0.1:9",))
    sign(dist, StandIn(), settings, warnings=warnings).raise_failure()
    (warning,) = warnings
    assert warning.startswith("`certificates` and `timestamp` not used for standin:release")


def test_a_key_in_memory_is_not_enough_where_more_is_demanded(dist: Path) -> None:
    stand_in = StandIn()
    with pytest.raises(RejectedError, match=r"standin:release: its protection is software .*, expected at least attested"):
        sign(dist, stand_in, minimum_protection=ProtectionLevel.ATTESTED)
    assert stand_in.signed == 0
    sign(dist, StandIn(level=ProtectionLevel.ATTESTED), minimum_protection=ProtectionLevel.ATTESTED).raise_failure()
