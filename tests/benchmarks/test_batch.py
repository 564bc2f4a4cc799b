"""200 artifacts in one run, beside `openssl dgst -sign` in a loop and `sigstore sign` on loopback services."""

from __future__ import annotations

import shlex
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from ..peers import loopback, rigs
from .measuring import hatch_sign, measure, report

if TYPE_CHECKING:
    from .conftest import Bench

ARTIFACTS = 200
SIZE = 4096


def test_a_batch_beside_openssl_and_sigstore(bench: Bench) -> None:
    program = rigs.require("sigstore-python")
    dist = bench.folder / "batch"
    dist.mkdir()
    for number in range(ARTIFACTS):
        (dist / f"artifact-{number:03}.bin").write_bytes(number.to_bytes(2, "big") * (SIZE // 2))
    names = [str(path) for path in sorted(dist.iterdir())]
    openssl = _openssl_loop(bench.folder, names)
    with loopback.loopback_sigstore() as services:
        commands = {
            "hatch-sign sign": hatch_sign("sign", str(dist), "--overwrite"),
            "openssl dgst -sign, in a loop": ["sh", "-c", openssl],
            "sigstore sign, keyless": _sigstore(program, services, names, bench.folder),
            "hatch-sign verify": hatch_sign("verify", str(dist)),
        }
        best = measure(commands, rounds=2, environ=bench.environ, folder=bench.folder)
    ours = best["hatch-sign sign"].seconds
    report(
        f"{ARTIFACTS} artifacts of {SIZE} bytes, P-256: seconds, and as a ratio to `hatch-sign sign`",
        [f"{name:32} {measured.seconds:7.2f}  {measured.seconds / ours:5.2f}" for name, measured in best.items()],
    )
    shutil.rmtree(dist)


def _openssl_loop(folder: Path, names: list[str]) -> str:
    key = folder / "openssl.pem"
    make = f"openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out {shlex.quote(str(key))} 2>/dev/null"
    sign = f'openssl dgst -sha256 -sign {shlex.quote(str(key))} -out "$f.sig" "$f" && rm "$f.sig"'
    return f"{make}; for f in {' '.join(map(shlex.quote, names))}; do {sign} || exit 1; done"


def _sigstore(program: Path, services: loopback.LoopbackSigstore, names: list[str], folder: Path) -> list[str]:
    out = folder / "keyless"
    out.mkdir()
    return [
        str(program),
        "--trust-config",
        str(services.trust_config),
        "sign",
        "--rekor-version",
        "1",
        "--identity-token",
        services.identity_token,
        "--overwrite",
        "--output-directory",
        str(out),
        *names,
    ]
