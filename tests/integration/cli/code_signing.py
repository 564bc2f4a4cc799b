"""A project that signs by an RSA key with a certificate for code signing, inside wheels and outside."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.serialization import load_pem_public_key

from tests.authority import Authority, chain_pem

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from .cli_project import Project

KEY = "emulated:test/codesign"
CONFIGURATION = """\
key = "{key}"
certificates = "chain.pem"
formats = ["sigstore"]
[contents]
exclude = [{exclude}]
[[verify.trust]]
public-key = "codesign.pub"
formats = ["sigstore"]
[[verify.trust]]
certificate-roots = "root.pem"
subject = "{subject}"
formats = ["authenticode"]
"""


class PublicHalf:
    """What a certificate is issued to, where the private half is in a token."""

    def __init__(self, path: Path) -> None:
        self._key = load_pem_public_key(path.read_bytes())

    def public_key(self) -> object:
        return self._key


def certify(public: Path, folder: Path) -> str:
    """Write ``chain.pem`` and ``root.pem`` for the public key in a file, and return the subject of the certificate."""
    authority = Authority("Code Signing Root", algorithm="rsa-2048")
    leaf = authority.issue("Example Signer", PublicHalf(public))  # type: ignore[arg-type] # no private half is needed
    (folder / "chain.pem").write_bytes(chain_pem(leaf))
    (folder / "root.pem").write_bytes(authority.pem)
    return leaf.subject.rfc4514_string()


def configure(project: Project, *, exclude: Sequence[str] = ()) -> None:
    """Make a key for code signing with a certificate, and let the project sign and trust by it."""
    project.succeed("key", "generate", KEY, "--algorithm", "rsa-3072")
    project.succeed("key", "export-public", KEY, "-o", "codesign.pub")
    subject = certify(project.folder / "codesign.pub", project.folder)
    excluded = ", ".join(f'"{pattern}"' for pattern in exclude)
    text = CONFIGURATION.format(key=KEY, subject=subject, exclude=excluded)
    (project.folder / "hatch-sign.toml").write_text(text)
