"""50 artifacts signed by one identity, beside sigstore-python and pypi-attestations, on the same Sigstore of the tests.

The command line of pypi-attestations knows the public instances alone: what it does is done here by its Python interface, in
a program of its own, one distribution after the other as it does.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from tests.peers.loopback import loopback_sigstore
from tests.peers.sigstore.keyless import identity_at

from .measuring import hatch_sign, report, run_once

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

ARTIFACTS = 50
ROUNDS = 3

_ATTEST = """
import os, sys
from pathlib import Path
from pypi_attestations import Attestation, Distribution
from sigstore.models import ClientTrustConfig
from sigstore.oidc import IdentityToken
from sigstore.sign import SigningContext

config = ClientTrustConfig.from_json(Path(sys.argv[1]).read_text())
config.force_tlog_version = 1
with SigningContext.from_trust_config(config).signer(IdentityToken(os.environ["SIGSTORE_ID_TOKEN"])) as signer:
    for name in sys.argv[2:]:
        attestation = Attestation.sign(signer, Distribution.from_file(Path(name)))
        Path(name + ".publish.attestation").write_text(attestation.model_dump_json())
"""


def test_fifty_artifacts_by_one_identity(tmp_path: Path) -> None:
    names = [f"dist/demo{number}-1.0.tar.gz" for number in range(ARTIFACTS)]
    (tmp_path / "dist").mkdir()
    for name in names:
        (tmp_path / name).write_bytes(os.urandom(100_000))
    with loopback_sigstore() as instance:
        environ = {**os.environ, "HOME": str(tmp_path), "SIGSTORE_ID_TOKEN": instance.identity_token}
        trust = str(instance.trust_config)
        bundles = ("--trust-config", trust, "sign", "--identity-token", instance.identity_token, "--overwrite")
        commands: dict[str, Sequence[str]] = {}
        for version in (1, 2):
            key = identity_at(instance, rekor_version=version)
            commands[f"hatch-sign, bundles, Rekor {version}"] = hatch_sign("sign", "dist", "--key", key)
            sigstore = [sys.executable, "-m", "sigstore", *bundles, "--rekor-version", str(version), *names]
            commands[f"sigstore-python, Rekor {version}"] = sigstore
        commands["hatch-sign, attestations"] = hatch_sign(
            "sign", "dist", "--key", identity_at(instance), "--format", "pep740"
        )
        commands["pypi-attestations"] = [sys.executable, "-c", _ATTEST, trust, *names]
        best: dict[str, float] = {}
        for _ in range(ROUNDS):
            for name, command in commands.items():
                seconds = run_once(command, environ=environ, folder=tmp_path).seconds
                best[name] = min(seconds, best.get(name, seconds))
                made = [path for path in (tmp_path / "dist").iterdir() if not path.name.endswith(".gz")]
                assert len(made) == ARTIFACTS
                for path in made:
                    path.unlink()
    pairs = [
        *((f"hatch-sign, bundles, Rekor {version}", f"sigstore-python, Rekor {version}") for version in (1, 2)),
        ("hatch-sign, attestations", "pypi-attestations"),
    ]
    report(
        f"{ARTIFACTS} artifacts by one identity, best of {ROUNDS}",
        [
            *(f"{name:30} {seconds:6.2f} s" for name, seconds in best.items()),
            *(f"{ours} / {theirs}: {best[ours] / best[theirs]:.2f}" for ours, theirs in pairs),
        ],
    )
