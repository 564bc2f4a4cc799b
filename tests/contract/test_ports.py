"""The ports hold what comes later: two keys in a release, a pool, a leaf that rotates, witnesses, other kinds of format."""

from __future__ import annotations

import subprocess
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from hatch_sign.artifacts.discovery import find_artifacts
from hatch_sign.artifacts.reading import read_digests
from hatch_sign.configuration.model import Configuration, SignatureSettings
from hatch_sign.custody.context import RunContext
from hatch_sign.signing.existing import Overwrite
from hatch_sign.signing.plan import plan_release
from hatch_sign.signing.run import SigningReport, sign_release
from hatch_sign.testing.observed import ObservedContext
from hatch_sign.values.artifacts import Subject
from hatch_sign.values.errors import CredentialRotatedError, SigningError, WitnessError
from hatch_sign.values.outcomes import Verdict
from hatch_sign.values.public_keys import describe_key, key_hint

from .sketch_plugins import sketch_registry
from .sketches.container_format import END, MAGIC
from .sketches.pooled_backend import PIN

if TYPE_CHECKING:
    from pathlib import Path

    from hatch_sign.contract import Finding
    from hatch_sign.registry import Registry
    from hatch_sign.values.public_keys import PublicKey

NOW = datetime(2026, 6, 1, tzinfo=UTC)


def observed_context() -> ObservedContext:
    return ObservedContext(RunContext({"HATCH_SIGN_PIN": PIN}, on_warning=list[str]().append))


def sign(
    folder: Path, *signatures: SignatureSettings, registry: Registry | None = None, context: ObservedContext | None = None
) -> SigningReport:
    """Sign every artifact in the folder through the whole of the core."""
    registry = registry or sketch_registry()
    configuration = Configuration(path=None, directory=folder, signatures=signatures, observers=())
    plan = plan_release(configuration, find_artifacts([folder], registry.formats().values()), registry)
    return sign_release(plan, registry=registry, context=context or observed_context(), now=NOW, overwrite=Overwrite.OTHER)


def find(registry: Registry, artifact: Path, sidecar: Path, *keys: PublicKey) -> Finding:
    """Return what the format's verifier finds in one sidecar, with no key trusted but `keys`."""
    verifier: Any = registry.format("sigstore").verifier()
    parsed = verifier.parse(sidecar.read_bytes())
    reading = read_digests(artifact, verifier.digests(parsed))
    subject = Subject(artifact.name, reading.identity.size, reading.digests)
    found: Finding = verifier.check(parsed, [subject], keys)[artifact.name]
    return found


@pytest.fixture
def release(tmp_path: Path) -> Path:
    for number in range(12):
        (tmp_path / f"tool-{number:02}.bin").write_bytes(b"artifact %d\n" % number)
    return tmp_path


def artifacts(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.bin"))


# --- two keys in one release ------------------------------------------------------------------------------------------


def test_two_keys_of_one_token_sign_one_release_after_one_login(release: Path) -> None:
    context = observed_context()
    elliptic = SignatureSettings(None, "pooled:ecdsa-p256")
    rsa = SignatureSettings("rsa", "pooled:rsa-3072", include=("tool-0*",))
    report = sign(release, elliptic, rsa, context=context)
    report.raise_failure()
    assert report.signing_calls == 12 + 10
    assert {request.label for request in context.asked} == {"pooled token"}
    registry = sketch_registry()
    for artifact in artifacts(release):
        by_elliptic = find(registry, artifact, artifact.with_name(artifact.name + ".sigstore.json"), *public_keys(registry))
        assert [describe_key(facts.public_key) for facts in by_elliptic.facts] == ["ecdsa-p256"]
    named = sorted(path.name for path in release.glob("*.rsa.sigstore.json"))
    assert named == [f"tool-{number:02}.bin.rsa.sigstore.json" for number in range(10)]
    for artifact in artifacts(release)[:10]:
        by_rsa = find(registry, artifact, artifact.with_name(artifact.name + ".rsa.sigstore.json"), *public_keys(registry))
        assert [describe_key(facts.public_key) for facts in by_rsa.facts] == ["rsa-3072"]


def test_one_key_does_not_stand_in_for_the_other(release: Path) -> None:
    sign(release, SignatureSettings(None, "pooled:ecdsa-p256"), SignatureSettings("rsa", "pooled:rsa-3072")).raise_failure()
    registry = sketch_registry()
    artifact = artifacts(release)[0]
    elliptic, rsa = public_keys(registry)
    assert (
        find(registry, artifact, artifact.with_name(artifact.name + ".rsa.sigstore.json"), elliptic).problem
        is Verdict.UNTRUSTED
    )
    assert find(registry, artifact, artifact.with_name(artifact.name + ".sigstore.json"), rsa).problem is Verdict.UNTRUSTED


def public_keys(registry: Registry) -> list[PublicKey]:
    backend = registry.backend("pooled")
    keys = []
    for kind in ("ecdsa-p256", "rsa-3072"):
        with backend.open(f"pooled:{kind}", observed_context()) as signer:
            keys.append(signer.public_key)
    return keys


def test_a_wrong_pin_is_tried_once_for_two_keys(release: Path) -> None:
    context = ObservedContext(RunContext({"HATCH_SIGN_PIN": "wrong"}, on_warning=list[str]().append))
    with pytest.raises(Exception, match="the PIN is wrong"):
        sign(
            release,
            SignatureSettings(None, "pooled:ecdsa-p256"),
            SignatureSettings("rsa", "pooled:rsa-3072"),
            context=context,
        )
    assert len(context.rejections) == 1
    assert [path.suffix for path in release.iterdir()] == [".bin"] * 12


# --- a leaf that rotates in the middle of a batch ---------------------------------------------------------------------


@pytest.mark.parametrize("in_bundle", [True, False], ids=["leaf in the bundle", "hint in the bundle"])
def test_every_sidecar_is_by_the_leaf_that_it_carries(release: Path, in_bundle: bool) -> None:  # noqa: FBT001 - a parameter
    registry = sketch_registry()
    options = {"sigstore": {"bundle-certificate": in_bundle}}
    report = sign(release, SignatureSettings(None, "rotating:ecdsa-p256", options=options), registry=registry)
    report.raise_failure()
    service = registry.backend("rotating")._service  # type: ignore[attr-defined] # the sketch's own
    leaves = list(service.leaves.values())
    keys = [leaf.public_key() for leaf in leaves]
    assert len(leaves) == 2, "the leaf should have changed once within the batch"
    used = set()
    for artifact in artifacts(release):
        sidecar = artifact.with_name(artifact.name + ".sigstore.json")
        (facts,) = find(registry, artifact, sidecar, *([] if in_bundle else keys)).facts
        used.add(keys.index(facts.public_key))
        if in_bundle:
            assert list(facts.certificates) == [leaves[keys.index(facts.public_key)]]
        else:
            verifier: Any = registry.format("sigstore").verifier()
            assert verifier.parse(sidecar.read_bytes()).bundle.hint == key_hint(facts.public_key)
    assert used == {0, 1}


def test_a_service_that_rotates_at_every_signature_is_given_up(release: Path) -> None:
    registry = sketch_registry()
    service = registry.backend("rotating")._service  # type: ignore[attr-defined] # as above
    service.turns = frozenset(range(1000))
    report = sign(release, SignatureSettings(None, "rotating:ecdsa-p256"), registry=registry)
    with pytest.raises(CredentialRotatedError, match="rotating"):
        report.raise_failure()
    assert report.outcomes == ()
    assert [path.suffix for path in release.iterdir()] == [".bin"] * 12


def test_a_leaf_that_rotates_while_it_embeds(tmp_path: Path) -> None:
    registry = sketch_registry()
    service = registry.backend("rotating")._service  # type: ignore[attr-defined] # as above
    service.turns = frozenset({1})
    box = boxed(tmp_path / "tool.box")
    sign(
        tmp_path, SignatureSettings(None, "rotating:rsa-3072", formats=("toy-container",)), registry=registry
    ).raise_failure()
    assert service.generation == 1
    (leaf,) = [leaf for (_, generation), leaf in service.leaves.items() if generation == 1]
    assert embedded(registry, box, leaf.public_key()).problem is None
    assert box.read_bytes().count(END) == 1


# --- witnesses --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("addresses", "kinds"),
    [(("toy:time",), (1, 0)), (("toy:log",), (0, 1)), (("toy:replay", "toy:time"), (1, 0)), ((), (0, 0))],
    ids=["timestamp", "log entry", "the next one where the first is wrong", "none"],
)
def test_what_witnesses_say_is_in_every_bundle(release: Path, addresses: tuple[str, ...], kinds: tuple[int, int]) -> None:
    registry = sketch_registry()
    sign(release, SignatureSettings(None, "pooled:ecdsa-p256", timestamp=addresses), registry=registry).raise_failure()
    evidence = set()
    for artifact in artifacts(release):
        (facts,) = find(
            registry, artifact, artifact.with_name(artifact.name + ".sigstore.json"), *public_keys(registry)
        ).facts
        assert (len(facts.timestamps), len(facts.log_entries)) == kinds
        evidence |= {*facts.timestamps, *facts.log_entries}
    assert len(evidence) == (12 if addresses else 0), "each signature has evidence of its own"


@pytest.mark.parametrize("optional", [False, True])
def test_a_format_that_leaves_the_timestamp_out_signs_only_where_it_may(release: Path, *, optional: bool) -> None:
    (release / "tool.toy").write_bytes(MAGIC + END)
    settings = SignatureSettings(
        None,
        "pooled:ecdsa-p256",
        formats=("toy-container",),
        include=("*.toy",),
        timestamp=("toy:time",),
        timestamp_optional=optional,
    )
    report = sign(release, settings)
    if optional:
        report.raise_failure()
        return
    with pytest.raises(SigningError, match=r"the signature \(toy-container\) lacks the timestamp that is configured"):
        report.raise_failure()
    assert (release / "tool.toy").read_bytes() == MAGIC + END


def test_replayed_evidence_is_never_written(release: Path) -> None:
    report = sign(release, SignatureSettings(None, "pooled:ecdsa-p256", timestamp=("toy:replay",)))
    with pytest.raises(WitnessError, match=r"the timestamp is (over another signature|not by this witness)"):
        report.raise_failure()
    assert [path.suffix for path in release.iterdir()] == [".bin"] * 12


# --- other kinds of format --------------------------------------------------------------------------------------------


def boxed(path: Path) -> Path:
    path.write_bytes(MAGIC + b"what is inside\n")
    return path


def embedded(registry: Registry, path: Path, *keys: PublicKey) -> Finding:
    verifier: Any = registry.format("toy-container").verifier()
    with path.open("rb") as stream:
        found: Finding = verifier.check(path.name, stream, keys)
    return found


def test_an_embedded_signature_comes_before_the_sidecar_that_covers_it(tmp_path: Path) -> None:
    """RSA for the container and P-256 for the bundle, as Authenticode and Sigstore will want it."""
    registry = sketch_registry()
    box, plain = boxed(tmp_path / "tool.box"), tmp_path / "plain.bin"
    plain.write_bytes(b"no container")
    inside = SignatureSettings("inside", "pooled:rsa-3072", formats=("toy-container",))
    report = sign(tmp_path, inside, SignatureSettings(None, "pooled:ecdsa-p256"), registry=registry)
    report.raise_failure()
    elliptic, rsa = public_keys(registry)
    assert embedded(registry, box, rsa).problem is None
    assert embedded(registry, box, elliptic).problem is Verdict.UNTRUSTED
    assert find(registry, box, tmp_path / "tool.box.sigstore.json", elliptic).problem is None
    verdicts = {(outcome.artifact, outcome.format): outcome.verdict for outcome in report.outcomes}
    assert verdicts == {
        ("tool.box", "toy-container"): Verdict.CONSISTENT,
        ("plain.bin", "toy-container"): Verdict.NOT_APPLICABLE,
        ("tool.box", "sigstore"): Verdict.CONSISTENT,
        ("plain.bin", "sigstore"): Verdict.CONSISTENT,
    }
    assert plain.read_bytes() == b"no container"
    box.write_bytes(box.read_bytes().replace(b"inside", b"beside"))
    assert embedded(registry, box, rsa).problem is Verdict.HASH_MISMATCH
    assert find(registry, box, tmp_path / "tool.box.sigstore.json", elliptic).problem is Verdict.HASH_MISMATCH


def test_aggregates_and_checksums_cover_what_was_embedded(tmp_path: Path) -> None:
    registry = sketch_registry()
    sdist, wheel = boxed(tmp_path / "demo-1.0.tar.gz"), tmp_path / "demo-1.0-py3-none-any.whl"
    wheel.write_bytes(b"a wheel, as far as this test goes")
    formats = ("toy-container", "sigstore", "checksums", "statement", "toy-release")
    report = sign(tmp_path, SignatureSettings(None, "pooled:ecdsa-p256", formats=formats), registry=registry)
    report.raise_failure()
    assert {path.name for path in tmp_path.iterdir()} == {
        sdist.name,
        wheel.name,
        f"{sdist.name}.sigstore.json",
        f"{wheel.name}.sigstore.json",
        "SHA256SUMS",
        "SHA256SUMS.sigstore.json",
        "demo-1.0.intoto.sigstore.json",
        "demo-1.0.toyrelease",
    }
    assert report.signing_calls == 6  # one each: inside, two bundles, the list, two aggregates
    verifier: Any = registry.format("toy-release").verifier()
    parsed = verifier.parse((tmp_path / "demo-1.0.toyrelease").read_bytes())
    for artifact in (sdist, wheel):
        subject = Subject(artifact.name, 0, read_digests(artifact, {"sha256"}).digests)
        assert verifier.check(parsed, [subject], public_keys(registry))[artifact.name].problem is None
        changed = Subject(artifact.name, 0, {"sha256": bytes(32)})
        assert verifier.check(parsed, [changed], public_keys(registry))[artifact.name].problem is Verdict.HASH_MISMATCH
    check = ["sha256sum", "--strict", "-c", "SHA256SUMS"]
    assert subprocess.run(check, cwd=tmp_path, capture_output=True, check=False).returncode == 0
    wheel.write_bytes(b"another wheel")
    assert subprocess.run(check, cwd=tmp_path, capture_output=True, check=False).returncode == 1


# --- a pool -----------------------------------------------------------------------------------------------------------


def test_a_pool_is_never_asked_for_more_sessions_than_it_has(release: Path) -> None:
    """The sketch raises when a fifth call comes; sixteen threads sign."""
    report = sign(release, *(SignatureSettings(f"s{number}", "pooled:rsa-3072") for number in range(3)))
    report.raise_failure()
    assert report.signing_calls == 36
