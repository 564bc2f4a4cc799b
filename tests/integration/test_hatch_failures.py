"""A build whose signing fails ends in one line, with the error's exit code, and leaves nothing that looks like a release."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from .projects import Project

WHEEL = "slugline-1.0.0-py3-none-any.whl"

_OBSERVER = """\
import hatch_sign.contract
from hatch_sign.values.errors import RejectedError


@hatch_sign.contract.hookimpl
def {hook}(record):
    raise {raised}
"""


_FORMAT = """\
import hatch_sign.contract


def producer():
    raise {raised}


@hatch_sign.contract.hookimpl
def hatch_sign_register_format():
    return hatch_sign.contract.Format("faulty", "sidecar", ".faulty", verifier=producer, producer=producer)
"""


def install(project: Project, entry_point: str, source: str) -> dict[str, str]:
    """Install a plugin, and return the environment in which it is found."""
    site = project.root.parent / "site"
    metadata = site / "faulty-1.0.dist-info"
    metadata.mkdir(parents=True)
    (site / "faulty.py").write_text(source)
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: faulty\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text(f"[hatch_sign]\n{entry_point} = faulty\n")
    return {"PYTHONPATH": str(site)}


def observe(project: Project, raised: str, *, hook: str = "hatch_sign_before_sign") -> dict[str, str]:
    """Install an observer that raises, and list it in the configuration."""
    project.configure('formats = ["sigstore"]', 'formats = ["sigstore"]\nobservers = ["faulty"]')
    return install(project, "observer.faulty", _OBSERVER.format(hook=hook, raised=raised))


def lock(project: Project) -> None:
    """Spend the tries of the token."""
    for _ in range(4):
        project.sign("sign", "pyproject.toml", "--spend-final-try", "--overwrite", HATCH_SIGN_PIN="wrong")


def assert_withdrawn(project: Project, output: str) -> None:
    """Nothing of the wheel is in ``dist``, it is in the quarantine, and one line says so."""
    assert project.built() == set()
    assert (project.quarantine / WHEEL).is_file()
    (line,) = [line for line in output.splitlines() if "error" in line]
    assert line.startswith(f"hatch-sign: error: {WHEEL} is not signed: ")
    assert line.endswith(f"; moved to {project.quarantine}")
    assert "Traceback" not in output


def test_a_wrong_pin(project: Project) -> None:
    done = project.hatchling("-t", "wheel", HATCH_SIGN_PIN="wrong-pin-1234")
    assert done.code == 3
    assert_withdrawn(project, done.output)
    assert "wrong-pin-1234" not in done.output


def test_no_pin_and_nobody_to_ask(project: Project) -> None:
    del project.environ["HATCH_SIGN_PIN"]
    done = project.hatchling("-t", "wheel")
    assert done.code == 3
    assert_withdrawn(project, done.output)
    assert "HATCH_SIGN_PIN" in done.output


def test_a_locked_token(project: Project) -> None:
    lock(project)
    done = project.hatchling("-t", "wheel")
    assert done.code == 3
    assert_withdrawn(project, done.output)
    assert "locked" in done.output


@pytest.mark.parametrize("hook", ["hatch_sign_before_sign", "hatch_sign_after_sign"])
def test_a_veto(project: Project, hook: str) -> None:
    found = observe(project, 'RejectedError("not on a Friday", remedy="wait")', hook=hook)
    done = project.hatchling("-t", "wheel", **found)
    assert done.code == 1
    assert_withdrawn(project, done.output)
    assert "not on a Friday; wait" in done.output


def test_an_interruption(project: Project) -> None:
    done = project.hatchling("-t", "wheel", **observe(project, "KeyboardInterrupt"))
    assert done.code == 130
    assert_withdrawn(project, done.output)
    assert "is not signed: interrupted" in done.output


@pytest.mark.parametrize(
    ("raised", "found"),
    [
        ('TypeError("hunt" + "er2")', "an error in hatch-sign or in a plugin: TypeError; moved"),
        ('OSError(28, "No space left on device", "/dist")', "/dist: No space left on device; moved"),
    ],
)
def test_a_fault_in_a_plugin(project: Project, raised: str, found: str) -> None:
    project.configure('formats = ["sigstore"]', 'formats = ["sigstore", "faulty"]')
    environ = install(project, "format.faulty", _FORMAT.format(raised=raised))
    done = project.hatchling("-t", "wheel", **environ, HATCH_VERBOSE="1")
    assert done.code == 3
    assert_withdrawn(project, done.output)
    assert found in done.output
    assert "hunter2" not in done.output, "the text of a foreign exception may be a secret"


def test_a_key_that_the_project_itself_does_not_trust(project: Project) -> None:
    assert project.sign("key", "generate", "emulated:slugline/other").code == 0
    project.configure("emulated:slugline/release", "emulated:slugline/other")
    done = project.hatchling("-t", "wheel")
    assert done.code == 1
    assert_withdrawn(project, done.output)
    assert "the project's own policy rejects it: sigstore is untrusted" in done.output


def test_a_rule_that_has_ended(project: Project) -> None:
    project.configure('public-key = "release.pub"', 'not-after = 2020-01-01\npublic-key = "release.pub"')
    done = project.hatchling("-t", "wheel")
    assert done.code == 1
    assert_withdrawn(project, done.output)
    assert "sigstore is expired" in done.output


@pytest.mark.parametrize("name", [f"{WHEEL}.other.sigstore.json", "slugline-1.0.0.intoto.sigstore.json"])
def test_a_damaged_signature_beside_the_artifact(project: Project, name: str) -> None:
    project.dist.mkdir()
    (project.dist / name).write_text("{")
    done = project.hatchling("-t", "wheel")
    assert done.code == 1
    assert WHEEL not in project.built()
    assert "is malformed" in done.output
    assert "take away what is malformed" in done.output


def test_older_signatures_go_with_the_artifact(project: Project) -> None:
    project.configure('formats = ["sigstore"]', 'formats = ["sigstore", "statement", "checksums"]')
    assert project.hatchling().code == 0
    assert project.sign("sign", "dist").code == 0
    project.change_source()
    done = project.hatchling("-t", "wheel", HATCH_SIGN_PIN="wrong")
    assert done.code == 3
    assert project.built() == {"slugline-1.0.0.tar.gz", "slugline-1.0.0.tar.gz.sigstore.json"}


def test_what_was_withdrawn_does_not_get_into_the_next_sdist(project: Project) -> None:
    (project.root / ".gitignore").unlink()
    assert project.hatchling("-t", "wheel", HATCH_SIGN_PIN="wrong").code == 3
    assert project.quarantine.exists()
    assert project.hatchling("-t", "sdist").code == 0
    shutil.unpack_archive(project.artifact(".tar.gz"), project.root.parent / "unpacked", filter="data")
    assert not list((project.root.parent / "unpacked").rglob("*.whl"))


def test_a_later_hook_is_refused_before_anything_is_built(project: Project) -> None:
    later = '[tool.hatch.build.targets.wheel.hooks.version]\npath = "src/slugline/version.py"\n'
    project.configure("[tool.hatch.envs.hatch-build.env-vars]", f"{later}\n[tool.hatch.envs.hatch-build.env-vars]")
    done = project.hatchling("-t", "wheel")
    assert done.code == 2
    assert "the build hook `version` runs after `sign`" in done.output
    assert "keep `sign` the last hook table" in done.output
    assert project.built() == set()
    assert "Traceback" not in done.output
    assert project.hatchling("-t", "sdist").code == 0, "the hook is not in the way of other targets"


def test_mistakes_in_the_configuration_are_all_said_before_anything_is_built(project: Project) -> None:
    project.configure('formats = ["sigstore"]', 'formats = ["sigstor"]\ntimestmp = []')
    done = project.hatchling("-t", "wheel")
    assert done.code == 2
    assert project.built() == set()
    assert "sigstor" in done.output
    assert "timestmp" in done.output
    assert "Traceback" not in done.output


def test_formats_that_no_build_can_make_are_refused(project: Project) -> None:
    project.configure('formats = ["sigstore"]', 'formats = ["statement"]')
    project.configure('require = ["sigstore"]', 'require = ["statement"]')
    done = project.hatchling("-t", "wheel")
    assert done.code == 2
    assert "a build can make none of the configured formats (statement)" in done.output
    assert project.built() == set()


def test_a_missing_key_is_said_before_anything_is_built(project: Project) -> None:
    project.configure('key = "emulated:slugline/release"\nformats = ["sigstore"]', "")
    done = project.hatchling("-t", "wheel")
    assert done.code == 2
    assert "no key is configured" in done.output
    assert project.built() == set()
    assert project.hatchling("-t", "wheel", HATCH_SIGN_KEY="emulated:slugline/release").code == 0


def test_a_missing_chain_is_said_before_anything_is_built(project: Project) -> None:
    project.configure('formats = ["sigstore"]', 'formats = ["sigstore"]\ncertificates = "chain.pem"')
    done = project.hatchling("-t", "wheel")
    assert done.code == 2
    assert "chain.pem does not exist" in done.output
    assert project.built() == set()


def test_an_unwritable_quarantine_is_no_way_out(project: Project) -> None:
    (project.root / ".hatch-sign").write_text("in the way")
    done = project.hatchling("-t", "wheel", HATCH_SIGN_PIN="wrong")
    assert done.code == 3
    assert project.built() == set()
    assert f"removed {Path('dist', WHEEL)}" in done.output.replace(f"{project.root}/", "")
