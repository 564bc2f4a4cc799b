"""Two wheels that are signed, and what may be wrong with them."""

from __future__ import annotations

from .cli_project import Project, make_wheel

FIRST, SECOND = "alpha-1.0-py3-none-any.whl", "beta-1.0-py3-none-any.whl"


def sign_two_wheels(project: Project) -> None:
    for name in ("alpha", "beta"):
        make_wheel(project, name)
    project.succeed("sign", "dist")


def unsigned(project: Project) -> None:
    for path in project.dist.glob("*.sigstore.json"):
        path.unlink()


def half_signed(project: Project) -> None:
    (project.dist / f"{SECOND}.sigstore.json").unlink()


def tampered(project: Project) -> None:
    with (project.dist / SECOND).open("ab") as stream:
        stream.write(b"\0")


def signed_by_a_stranger(project: Project) -> None:
    project.succeed("key", "generate", "emulated:test/another")
    (project.folder / "another.toml").write_text('key = "emulated:test/another"\nformats = ["sigstore"]\n')
    project.succeed("sign", f"dist/{SECOND}", "--overwrite", "--config", "another.toml")


SPOILS = (unsigned, half_signed, tampered, signed_by_a_stranger)
