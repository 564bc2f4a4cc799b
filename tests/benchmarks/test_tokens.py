"""1,000 artifacts signed by a token: one login, beside a login for each, `pkcs11-tool` in a loop, and the token itself."""

from __future__ import annotations

import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from ..peers.pkcs11.interposer import build_interposer, interposed_token
from .measuring import hatch_sign, measure, report, run_once

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .conftest import Bench

ARTIFACTS = 1000
SIZE = 10_240
IN_A_LOOP = 20
"""Artifacts that the slow ways sign; their time is counted as if they had signed all."""

RAW = """
import hashlib, os, sys, threading, time
from concurrent.futures import ThreadPoolExecutor
from hatch_sign.custody.context import RunContext
from hatch_sign.values.algorithms import Scheme
from hatch_sign_pkcs11 import Pkcs11Backend
reference, scheme, sessions, count = sys.argv[1], Scheme((sys.argv[2], "sha256")), int(sys.argv[3]), int(sys.argv[4])
context = RunContext(os.environ, on_warning=print, max_concurrency=sessions)
digests = [hashlib.sha256(b"%d" % number).digest() for number in range(count)]
with Pkcs11Backend().open(reference, context) as signer, ThreadPoolExecutor(sessions) as pool:
    list(pool.map(lambda digest: signer.sign_digest(digest, scheme), digests[:50]))
    start = time.perf_counter()
    list(pool.map(lambda digest: signer.sign_digest(digest, scheme), digests))
    print(count / (time.perf_counter() - start))
"""
"""Signatures a second by the plugin alone: nothing read, checked or written."""


def test_a_batch_by_a_token(bench: Bench, tmp_path: Path) -> None:
    dist = tmp_path / "dist"
    dist.mkdir()
    for number in range(ARTIFACTS):
        (dist / f"artifact-{number:04}.bin").write_bytes(number.to_bytes(2, "big") * (SIZE // 2))
    with interposed_token(build_interposer(tmp_path)) as token:
        environ = {**bench.environ, **token.environ}
        for key in ("ecdsa-p256", "rsa-3072"):
            run_once(
                hatch_sign("key", "generate", token.reference(key), "--algorithm", key), environ=environ, folder=tmp_path
            )
            token.forget_calls()
            ours = hatch_sign("sign", str(dist), "--key", token.reference(key))
            fresh = ["sh", "-c", f"rm -f {shlex.quote(str(dist))}/*.json && {shlex.join(ours)}"]
            run_once(fresh, environ=environ, folder=bench.folder)
            calls = token.calls()
            assert (calls["C_Login"], calls["C_Sign"]) == (1, ARTIFACTS)
            few = sorted(str(path) for path in dist.iterdir() if path.suffix == ".bin")[:IN_A_LOOP]
            commands = {
                "one run": fresh,
                "a login each": [
                    "sh",
                    "-c",
                    " && ".join(shlex.join([*ours[:4], name, *ours[5:], "--overwrite"]) for name in few),
                ],
            }
            if key.startswith("ecdsa"):  # OpenSC 0.23's tool gets no RSA signature from SoftHSM 2.6.1 (CKR_GENERAL_ERROR)
                commands["pkcs11-tool"] = ["sh", "-c", _pkcs11_tool(token.module, few, tmp_path)]
            best = measure(commands, rounds=2, environ=environ, folder=bench.folder)
            rates = {
                sessions: _raw_rate(token.reference(key), key, sessions, environ, tmp_path) for sessions in (1, 2, 4, 8)
            }
            whole = ARTIFACTS / best["one run"].seconds
            slow = ARTIFACTS / IN_A_LOOP
            report(
                f"{ARTIFACTS} artifacts of {SIZE} bytes, {key}, one login, {ARTIFACTS} C_Sign",
                [
                    f"one run                     {best['one run'].seconds:7.2f} s, {whole:7.0f} artifacts a second",
                    *(
                        f"{name:27} {best[name].seconds * slow / best['one run'].seconds:7.1f} times as long"
                        for name in commands
                        if name != "one run"
                    ),
                    *(f"the token, {n} session{'s' * (n > 1)}         {rates[n]:7.0f} signatures a second" for n in rates),
                    f"one run / the token         {whole / rates[1]:7.2f} of one session",
                    f"one run / the token         {whole / max(rates.values()):7.2f} of the best",
                ],
            )
    shutil.rmtree(dist)


def _pkcs11_tool(module: Path, names: list[str], folder: Path) -> str:
    """Return a loop over `names` in which openssl hashes and pkcs11-tool has the digest signed."""
    digest = str(folder / "digest")
    words = ["pkcs11-tool", "--module", str(module), "--token-label", "release", "--login", "--pin", "env:HATCH_SIGN_PIN"]
    words += [
        "--sign",
        "--mechanism",
        "ECDSA",
        "--label",
        "ecdsa-p256",
        "--input-file",
        digest,
        "--output-file",
        f"{digest}.sig",
    ]
    hashing = ["openssl", "dgst", "-sha256", "-binary", "-out", digest]
    return " && ".join(f"{shlex.join([*hashing, name])} && {shlex.join(words)}" for name in names)


def _raw_rate(reference: str, key: str, sessions: int, environ: Mapping[str, str], folder: Path) -> float:
    family = "ecdsa" if key.startswith("ecdsa") else "rsa-pkcs1"
    command = [sys.executable, "-c", RAW, reference, family, str(sessions), str(ARTIFACTS)]
    done = subprocess.run(command, env=environ, cwd=folder, capture_output=True, text=True, check=True)
    return float(done.stdout.split()[-1])
