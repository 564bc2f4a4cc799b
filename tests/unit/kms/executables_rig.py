"""Puts the executable of these tests into a folder, as an installer would, and makes keys for it."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

import cryptography
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from hatch_sign.custody.context import RunContext
from hatch_sign.testing.seals import private_key
from hatch_sign.values.algorithms import KeyAlgorithm

PROGRAM = Path(__file__).parent / "programs" / "local_keys.py"
TOKEN = "open sesame"  # noqa: S105 - the credential of the tests' own program


@dataclass(frozen=True)
class Rig:
    """A folder on PATH with ``sigstore-kms-localkeys``, and one with keys."""

    folder: Path

    @property
    def bin(self) -> Path:
        return self.folder / "bin"

    def environ(self, **more: str) -> dict[str, str]:
        return {"PATH": str(self.bin), "HATCH_SIGN_ALLOW_KMS": "localkeys", "LOCAL_KEYS_TOKEN": TOKEN, **more}

    def context(self, **more: str) -> RunContext:
        # Each call is a process: four at once show what eight do.
        return RunContext(self.environ(**more), on_warning=print, max_concurrency=4)

    def reference(self, algorithm: KeyAlgorithm = KeyAlgorithm.ECDSA_P256) -> str:
        path = self.folder / f"{algorithm.value}.pem"
        if not path.exists():
            key = private_key(algorithm)
            path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        return f"localkeys://{path}"


def install(folder: Path, *, into: Path | None = None) -> Rig:
    """Install the executable; `into` is the folder in place of the rig's own."""
    target = into or folder / "bin"
    target.mkdir(exist_ok=True)
    program = target / "sigstore-kms-localkeys"
    # Without `site`, which takes longer than all the rest where many distributions are installed for development.
    found = f"import sys; sys.path.append({str(Path(cryptography.__file__).parents[1])!r})"
    program.write_text(f"#!{sys.executable} -SE\n{found}\n{PROGRAM.read_text('utf-8')}", "utf-8")
    program.chmod(0o755)
    return Rig(folder)
