"""The example of a third party's backend: small, installed as a distribution of its own, and a backend like any other."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "third_party_backend"
ROOT = EXAMPLE.parents[1]
PASSPHRASE = "a passphrase of the test"  # noqa: S105 - it protects nothing

CONFIGURATION = """\
key = "filekey:keys/release.pem"

[[verify.trust]]
public-key = "release.pub"
"""


@dataclass(frozen=True)
class Installation:
    """A copy of the example, and the folder that pip installed it into."""

    project: Path
    site: Path

    def run(self, folder: Path, *command: str, secret: str | None = PASSPHRASE) -> subprocess.CompletedProcess[str]:
        """Run a module of Python where the example is installed."""
        path = os.pathsep.join(filter(None, [str(self.site), os.environ.get("PYTHONPATH", "")]))
        environ = os.environ | {"PYTHONPATH": path} | ({"HATCH_SIGN_PIN": secret} if secret else {})
        program = [sys.executable, "-m", *command]
        return subprocess.run(program, cwd=folder, env=environ, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    folder = tmp_path_factory.mktemp("third-party")
    project, site = folder / "project", folder / "site"
    shutil.copytree(EXAMPLE, project, ignore=shutil.ignore_patterns("__pycache__", ".*_cache"))
    options = ["--quiet", "--no-deps", "--no-build-isolation", "--no-index", "--no-cache-dir", "--target", str(site)]
    subprocess.run([sys.executable, "-m", "pip", "install", *options, str(project)], check=True, capture_output=True)
    shutil.rmtree(project / "hatch_sign_example_backend")  # the tests are to find the installed one
    return Installation(project, site)


@pytest.fixture
def release(tmp_path: Path) -> Path:
    """Return a folder with an artifact, an encrypted key that openssl made, and the configuration that trusts it."""
    (tmp_path / "keys").mkdir()
    (tmp_path / "dist").mkdir()
    (tmp_path / "dist" / "tool.bin").write_bytes(b"what is released\n")
    (tmp_path / "hatch-sign.toml").write_text(CONFIGURATION)
    for arguments in (
        ["genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-aes-256-cbc", "-out", "keys/release.pem"],
        ["pkey", "-in", "keys/release.pem", "-pubout", "-out", "release.pub"],
    ):
        password = "-pass" if arguments[0] == "genpkey" else "-passin"
        command = ["openssl", *arguments, password, f"pass:{PASSPHRASE}"]
        subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)
    return tmp_path


def test_it_is_small() -> None:
    assert sum(len(path.read_text("utf-8").splitlines()) for path in EXAMPLE.rglob("*.py")) <= 100


def test_it_imports_public_names_only() -> None:
    source = next(EXAMPLE.glob("hatch_sign_*/__init__.py")).read_text("utf-8")
    ours = {line.split()[1] for line in source.splitlines() if line.startswith("from hatch_sign")}
    assert ours
    assert {name.split(".")[1] for name in ours} <= {"contract", "values"}


def test_it_passes_the_contract_suite(installed: Installation) -> None:
    # The largest keys go the way of the others, and to read them anew for each test takes most of the time.
    options = ["-W", "error", "-k", "not rsa-4096"]
    done = installed.run(installed.project, "pytest", "-q", "-p", "no:cacheprovider", "-c", "pyproject.toml", *options)
    assert done.returncode == 0, done.stdout
    assert " passed" in done.stdout
    assert "skipped" not in done.stdout


def test_a_broken_copy_does_not_pass(installed: Installation, tmp_path: Path) -> None:
    broken = Installation(tmp_path / "project", tmp_path / "site")
    shutil.copytree(installed.project, broken.project)
    shutil.copytree(installed.site, broken.site)
    module = broken.site / "hatch_sign_example_backend" / "__init__.py"
    source = module.read_text("utf-8")
    assert source.count("context.rejected(request)") == 1
    module.write_text(source.replace("context.rejected(request)", "pass"))
    done = broken.run(broken.project, "pytest", "-q", "-p", "no:cacheprovider", "-c", "pyproject.toml", "-k", "secret")
    assert done.returncode == 1
    assert "test_a_wrong_secret_is_tried_once" in done.stdout


def test_it_is_listed(installed: Installation, tmp_path: Path) -> None:
    done = installed.run(tmp_path, "hatch_sign", "plugins")
    assert "backend.filekey  hatch-sign-example-backend 1.0  opens filekey:" in done.stdout


def test_what_it_signs_is_verified(installed: Installation, release: Path) -> None:
    signed = installed.run(release, "hatch_sign", "sign", "dist")
    assert signed.returncode == 0, signed.stderr
    verified = installed.run(release, "hatch_sign", "verify", "dist", secret=None)
    assert verified.returncode == 0, verified.stderr
    assert "trusted" in verified.stdout


def test_what_was_changed_afterwards_is_refused(installed: Installation, release: Path) -> None:
    assert installed.run(release, "hatch_sign", "sign", "dist").returncode == 0
    (release / "dist" / "tool.bin").write_bytes(b"what was not released\n")
    refused = installed.run(release, "hatch_sign", "verify", "dist", secret=None)
    assert refused.returncode == 1
    assert "hash-mismatch" in refused.stdout


def test_a_wrong_passphrase_signs_nothing(installed: Installation, release: Path) -> None:
    done = installed.run(release, "hatch_sign", "sign", "dist", secret="a wrong one")  # noqa: S106 - as above
    assert done.returncode == 3
    assert "filekey:keys/release.pem: this passphrase does not decrypt it" in done.stderr
    assert "a wrong one" not in done.stderr + done.stdout
    assert [path.name for path in (release / "dist").iterdir()] == ["tool.bin"]


def test_verifying_needs_no_plugin(installed: Installation, release: Path) -> None:
    assert installed.run(release, "hatch_sign", "sign", "dist").returncode == 0
    without = Installation(installed.project, release / "nothing-here")
    assert without.run(release, "hatch_sign", "verify", "dist", secret=None).returncode == 0
    refused = without.run(release, "hatch_sign", "sign", "dist", "--overwrite")
    assert refused.returncode == 2
    assert "no backend named 'filekey' is installed" in refused.stderr
