"""numpy's wheel for Windows signed inside: beside packing what changed, and beside the script that teams write for it."""

from __future__ import annotations

import sys
import time
import zipfile
import zlib
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from tests.authority import code_signing_chain

from ..integration.cli.code_signing import certify
from ..peers.codesigning import corpus
from .measuring import hatch_sign, measure, report, run_once

if TYPE_CHECKING:
    from pathlib import Path

    from .conftest import Bench

KEY = "emulated:bench/contents"
ROUNDS = 3
SCRIPT = """\
import base64, csv, hashlib, io, pathlib, subprocess, sys, zipfile
source, target, folder, chain, key = sys.argv[1:]
with zipfile.ZipFile(source) as archive:
    archive.extractall(folder)
    members = archive.infolist()
for path in sorted(pathlib.Path(folder).rglob("*")):
    if path.suffix in {".pyd", ".dll"} and not path.name.startswith("msvcp140"):
        command = ["osslsigncode", "sign", "-certs", chain, "-key", key, "-h", "sha256", "-in", path, "-out", f"{path}.new"]
        subprocess.run(command, check=True, capture_output=True)
        pathlib.Path(f"{path}.new").replace(path)
record = next(member.filename for member in members if member.filename.endswith(".dist-info/RECORD"))
text = io.StringIO()
rows = csv.writer(text, lineterminator="\\n")
for member in members:
    if member.filename not in {record} and not member.is_dir():
        data = pathlib.Path(folder, member.filename).read_bytes()
        digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).decode().rstrip("=")
        rows.writerow([member.filename, f"sha256={digest}", len(data)])
rows.writerow([record, "", ""])
pathlib.Path(folder, record).write_text(text.getvalue())
with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
    for member in members:
        archive.write(pathlib.Path(folder, member.filename), member.filename)
"""
"""What a team writes: unpack, osslsigncode for each file, RECORD, pack everything again."""


def test_a_wheel_signed_inside(bench: Bench, tmp_path: Path) -> None:
    wheel = corpus.numpy_wheel()
    dist, chain = tmp_path / "dist", _certified(bench, tmp_path)
    theirs = code_signing_chain("rsa-3072").write(tmp_path, "theirs")
    (tmp_path / "script.py").write_text(SCRIPT)
    fresh = f"rm -rf {dist} {tmp_path}/unpacked && mkdir {dist} && cp {wheel} {dist}"
    ours = hatch_sign("sign", str(dist), "--contents", "--key", KEY, "--certificates", str(chain))
    script = [sys.executable, "script.py", wheel, dist / wheel.name, tmp_path / "unpacked", theirs.chain, theirs.key]
    commands = {
        "hatch-sign sign --contents": ["sh", "-c", f"{fresh} && {' '.join(ours)}"],
        "unpack, osslsigncode each, pack": ["sh", "-c", f"{fresh} && {' '.join(map(str, script))}"],
    }
    run_once(commands["hatch-sign sign --contents"], environ=bench.environ, folder=tmp_path)
    changed = _changed(wheel, dist / wheel.name)
    packing = min(_seconds_to_pack(changed) for _ in range(ROUNDS))
    best = measure(commands, rounds=ROUNDS, environ=bench.environ, folder=tmp_path)
    whole = best["hatch-sign sign --contents"].seconds
    start_up = min(run_once(hatch_sign("plugins"), environ=bench.environ, folder=tmp_path).seconds for _ in range(ROUNDS))
    size = sum(map(len, changed)) / (1 << 20)
    report(
        f"{wheel.name}: {len(changed)} members of {size:.0f} MiB signed; seconds, and as a ratio to packing them",
        [
            f"{'packing those members, two threads':36} {packing:6.2f}  {1:5.2f}",
            f"{'start-up alone (hatch-sign plugins)':36} {start_up:6.2f}  {start_up / packing:5.2f}",
            *(f"{name:36} {m.seconds:6.2f}  {m.seconds / packing:5.2f}  {m.mebibytes:5.0f} MiB" for name, m in best.items()),
            f"the script takes {best['unpack, osslsigncode each, pack'].seconds / whole:.2f} times as long as we do",
        ],
    )


def _certified(bench: Bench, folder: Path) -> Path:
    """Make a key for code signing, and return the file of its certificate."""
    run_once(hatch_sign("key", "generate", KEY, "--algorithm", "rsa-3072"), environ=bench.environ, folder=folder)
    run_once(hatch_sign("key", "export-public", KEY, "-o", "public.pem"), environ=bench.environ, folder=folder)
    certify(folder / "public.pem", folder)
    return folder / "chain.pem"


def _changed(before: Path, after: Path) -> list[bytes]:
    """Return what is in the signed wheel and was not in the other, the largest first."""
    with zipfile.ZipFile(before) as old, zipfile.ZipFile(after) as new:
        checksums = {member.filename: member.CRC for member in old.infolist()}
        changed = [new.read(member) for member in new.infolist() if checksums[member.filename] != member.CRC]
    return sorted(changed, key=len, reverse=True)


def _seconds_to_pack(contents: list[bytes]) -> float:
    def pack(content: bytes) -> int:
        deflater = zlib.compressobj(zlib.Z_DEFAULT_COMPRESSION, zlib.DEFLATED, -zlib.MAX_WBITS)
        return len(deflater.compress(content)) + len(deflater.flush())

    start = time.perf_counter()
    with ThreadPoolExecutor(2) as threads:
        list(threads.map(pack, contents))
    return time.perf_counter() - start
