"""28 programs signed inside: one run, beside osslsigncode for each file and jsign for all, by files and by SoftHSM."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.serialization import load_pem_public_key

from tests.authority import Authority, HolderFiles, chain_pem, code_signing_chain

from ..peers import rigs
from ..peers.codesigning import corpus, programs
from ..peers.pkcs11.tokens.softhsm import softhsm_token
from .measuring import Measured, hatch_sign, measure, report, run_once

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ..peers.pkcs11.tokens.real_token import RealToken
    from .conftest import Bench

FILES = 28
LARGEST = 4 << 20
"""Bytes of a file; few of the corpus are larger."""
ENGINES = Path("/usr/lib")
ROUNDS = 3


@dataclass(frozen=True)
class Certificates:
    """Files in PEM: the chain, leaf first, and its root."""

    chain: Path
    root: Path


@dataclass(frozen=True)
class Material:
    """Where the unsigned files are, and where each command puts signed ones."""

    unsigned: Path
    signed: Path

    def in_place(self, command: Sequence[str | Path]) -> list[str]:
        """Return a shell's command line that signs fresh copies."""
        fresh = f"rm -rf {self.signed} && cp -r {self.unsigned} {self.signed}"
        return ["sh", "-c", f"{fresh} && {shlex.join(map(str, command))}"]

    def one_by_one(self, command: Sequence[str | Path]) -> list[str]:
        """Return a loop over the files; `command` lacks its source and its target."""
        words = shlex.join(map(str, command))
        each = f'{words} -in "$file" -out {self.signed}/"$(basename "$file")"'
        return [
            "sh",
            "-c",
            f"rm -rf {self.signed} && mkdir {self.signed} && for file in {self.unsigned}/*; do {each} || exit 1; done",
        ]

    def names(self) -> list[str]:
        return [str(self.signed / path.name) for path in sorted(self.unsigned.iterdir())]


def test_many_files_in_one_run(bench: Bench, tmp_path: Path) -> None:
    material = _material(tmp_path)
    size = sum(path.stat().st_size for path in material.unsigned.iterdir()) / (1 << 20)
    by_files = _by_files(bench, material, tmp_path)
    with softhsm_token() as token:
        environ = {**bench.environ, **token.environ, "HSM_PIN": token.pin}
        by_token = _by_token(token, environ, material, tmp_path)
    _report(f"{FILES} PE files of {size:.0f} MiB, RSA-3072 in a file", by_files)
    _report(f"{FILES} PE files of {size:.0f} MiB, RSA-3072 in SoftHSM", by_token)


def _by_files(bench: Bench, material: Material, folder: Path) -> dict[str, Measured]:
    key = "emulated:bench/authenticode"
    ours = _certified(key, bench.environ, folder / "emulated")
    theirs = code_signing_chain("rsa-3072").write(folder, "theirs")
    commands = {
        "one run": material.in_place(_our_command(key, ours, str(material.signed))),
        "one run, one file": material.in_place(_our_command(key, ours, material.names()[0])),
        "osslsigncode, each file": material.one_by_one(
            ["osslsigncode", "sign", "-certs", theirs.chain, "-key", theirs.key, "-h", "sha256"]
        ),
        "jsign, one run": material.in_place(_jsign("PKCS12", theirs.pkcs12, "secret", material)),
    }
    best = measure(commands, rounds=ROUNDS, environ=bench.environ, folder=folder)
    _require_good(material, theirs)  # jsign's are what the last round left
    return best


def _by_token(token: RealToken, environ: Mapping[str, str], material: Material, folder: Path) -> dict[str, Measured]:
    key = token.reference("sign")
    ours = _certified(key, environ, folder / "token")
    run_once(hatch_sign("key", "import-certificate", key, str(ours.chain)), environ=environ, folder=folder)
    provider = folder / "provider"
    provider.write_text(f"name = softhsm\nlibrary = {token.module}\nslotListIndex = 0\n")
    commands = {
        "one run": material.in_place(_our_command(key, ours, str(material.signed))),
        "one run, one file": material.in_place(_our_command(key, ours, material.names()[0])),
        "jsign, one run": material.in_place(_jsign("PKCS11", provider, token.pin, material, "--alias", "sign")),
    }
    for engine in sorted(ENGINES.glob("*/engines-3/pkcs11.so")):  # Debian's libengine-pkcs11-openssl
        of_token: list[str | Path] = ["-pkcs11engine", engine, "-pkcs11module", token.module, "-pass", token.pin]
        which: list[str | Path] = ["-certs", ours.chain, "-key", f"pkcs11:token={token.label};object=sign", "-h", "sha256"]
        commands["osslsigncode, each file"] = material.one_by_one(["osslsigncode", "sign", *of_token, *which])
    best = measure(commands, rounds=ROUNDS, environ=environ, folder=folder)
    _require_good(material, ours)
    return best


def _our_command(key: str, files: Certificates | HolderFiles, path: str) -> list[str]:
    chosen = ("--key", key, "--certificates", str(files.chain), "--format", "authenticode")
    return hatch_sign("sign", path, *chosen)


def _jsign(store: str, keystore: Path, password: str, material: Material, *more: str) -> list[str | Path]:
    who: tuple[str | Path, ...] = ("--storetype", store, "--keystore", keystore, "--storepass", password, *more)
    return ["java", "-jar", rigs.require(rigs.Peer.JSIGN), "sign", *who, "--alg", "SHA-256", *material.names()]


def _material(folder: Path) -> Material:
    unsigned = folder / "unsigned"
    unsigned.mkdir()
    signed_already = {str(sample) for sample in corpus.vendor_signed()}
    samples = [sample for sample in corpus.pe_files() if str(sample) not in signed_already]
    contents = [content for sample in samples if len(content := sample.load()) <= LARGEST]
    for number, content in enumerate(sorted(contents, key=len, reverse=True)[: FILES * 2 : 2]):
        (unsigned / f"program-{number:02}.dll").write_bytes(content)
    return Material(unsigned, folder / "signed")


def _certified(key: str, environ: Mapping[str, str], folder: Path) -> Certificates:
    """Make an RSA key, and return the files of its certificates."""
    folder.mkdir()
    run_once(hatch_sign("key", "generate", key, "--algorithm", "rsa-3072"), environ=environ, folder=folder)
    run_once(hatch_sign("key", "export-public", key, "-o", "public.pem"), environ=environ, folder=folder)

    class PublicHalf:
        def public_key(self) -> object:
            return load_pem_public_key((folder / "public.pem").read_bytes())

    authority = Authority("Code Signing Intermediate", above=Authority(algorithm="rsa-2048"), algorithm="rsa-2048")
    files = Certificates(folder / "chain.pem", folder / "root.pem")
    files.chain.write_bytes(chain_pem(authority.issue("Example Code Signer", PublicHalf()), *authority.chain))
    files.root.write_bytes(chain_pem(authority.root))
    return files


def _require_good(material: Material, files: Certificates | HolderFiles) -> None:
    for name in material.names():
        programs.demand(programs.osslsigncode_verify(Path(name), files.root))


def _report(title: str, best: Mapping[str, Measured]) -> None:
    ours, alone = best["one run"], best["one run, one file"]
    lines = [
        f"{name:27} {each.seconds:6.2f} s, {each.seconds / ours.seconds:5.2f} times, {each.mebibytes:5.0f} MiB"
        for name, each in best.items()
    ]
    further = (ours.seconds - alone.seconds) / (FILES - 1)
    lines.append(f"{'each further file':27} {further * 1000:6.1f} ms, verified and synced to the disk")
    report(title, lines)
