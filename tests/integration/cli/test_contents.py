"""The binaries inside wheels, through the command line: signed, verified, refused, and killed at any instant."""

from __future__ import annotations

import json
import shutil
import signal
import sys
import zipfile
from pathlib import Path

import pytest

from ...unit.archives.wheels import NAME, contents_of, make_wheel
from ...unit.authenticode.images import ARM64, make_image
from .cli_project import Project, Ran, make_project
from .code_signing import KEY, configure
from .schemas import validate

INJECTOR = str(Path(__file__).with_name("fault_injection.py"))
IMAGES = {"app/a.pyd": make_image(), "app/b.dll": make_image(machine=ARM64, appended=b"behind"), "app/c.txt": b"text"}
HOOK = """\
[project]
name = "demo"
version = "1.0"
[tool.hatch.build.hooks.sign]
enable-by-default = false
"""
LIMIT = 150 << 10
"""KiB that a run may hold at once, with the plugin and what it needs."""
REPORT = "import pathlib; print([line for line in pathlib.Path('/proc/self/status').open() if line.startswith('VmHWM')])"
PROGRAM = f"import sys; from hatch_sign.cli import main; code = main(sys.argv[1:]); {REPORT}; sys.exit(code)"


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Project:
    project = make_project(tmp_path_factory.mktemp("contents"))
    configure(project)
    project.add(NAME, make_wheel(IMAGES))
    return project


@pytest.fixture
def project(prepared: Project, tmp_path: Path) -> Project:
    return prepared.copy(tmp_path / "project").unmeasured()


def test_signs_and_verifies_what_is_inside(project: Project) -> None:
    document = json.loads(project.succeed("sign", "dist", "--json").out)
    assert [(each["member"], each["format"], each["detail"]) for each in document["signatures"]] == [
        ("app/a.pyd", "authenticode", "signed"),
        ("app/b.dll", "authenticode", "signed"),
        (None, "sigstore", "signed"),
    ]
    verified = json.loads(project.succeed("verify", "dist", "--json").out)
    (artifact,) = verified["artifacts"]
    assert {(each["member"], each["verdict"]) for each in artifact["signatures"]} == {
        (None, "trusted"),
        ("app/a.pyd", "trusted"),
        ("app/b.dll", "trusted"),
    }
    assert project.succeed("verify", "dist").out.count(f"{NAME}/app/") == 2


def test_one_flag_signs_the_wheels_of_others(project: Project) -> None:
    """The configuration says nothing of contents: the flag takes their defaults."""
    text = (project.folder / "hatch-sign.toml").read_text()
    (project.folder / "hatch-sign.toml").write_text(text.replace("[contents]\nexclude = []\n", ""))
    assert "app/a.pyd" not in project.succeed("sign", f"dist/{NAME}").out
    assert contents_of(project.dist / NAME)["app/a.pyd"] == IMAGES["app/a.pyd"]
    planned = project.succeed("sign", "--contents", "--dry-run", "dist").out
    assert f"would sign what is inside {NAME} (*.pyd, *.dll, *.exe) with {KEY} as authenticode\n" in planned
    assert "app/a.pyd" in project.succeed("sign", "--contents", "--overwrite", f"dist/{NAME}").out
    assert contents_of(project.dist / NAME)["app/a.pyd"] != IMAGES["app/a.pyd"]


def test_the_build_hook_signs_inside(project: Project) -> None:
    build = f'[build-system]\nrequires = ["hatchling"]\nbuild-backend = "hatchling.build"\n{HOOK}'
    text = (project.folder / "hatch-sign.toml").read_text()
    tables = text.replace("[[", "[[tool.hatch-sign.").replace("\n[contents]", "\n[tool.hatch-sign.contents]")
    (project.folder / "pyproject.toml").write_text(f"{build}[tool.hatch-sign]\n{tables}")
    (project.folder / "hatch-sign.toml").unlink()
    (project.folder / "demo").mkdir()
    (project.folder / "demo" / "__init__.py").touch()
    (project.folder / "demo" / "a.dll").write_bytes(IMAGES["app/a.pyd"])
    shutil.rmtree(project.dist)
    enabled = {"HATCH_BUILD_HOOK_ENABLE_SIGN": "1", "HATCH_SIGN_ALLOW_DIRECTORY": str(project.folder)}
    built = project.run("build", "-t", "wheel", program=("-m", "hatchling"), **enabled)
    assert built.code == 0, built.output
    assert "demo/a.dll: authenticode is trusted" in built.output
    (wheel,) = project.dist.glob("*.whl")
    assert contents_of(wheel)["demo/a.dll"] != IMAGES["app/a.pyd"]


def test_a_plan_tells_what_is_inside_from_the_artifacts_themselves(project: Project) -> None:
    project.add("tool.exe", IMAGES["app/a.pyd"])
    document = json.loads(project.succeed("sign", "--dry-run", "--json", "dist").out)
    validate(document, "plan")
    assert [(each["artifacts"], each["format"], each["contents"]) for each in document["files"]] == [
        ([NAME], "authenticode", True),
        (["tool.exe"], "authenticode", False),
        ([NAME], "sigstore", False),
        (["tool.exe"], "sigstore", False),
    ]
    text = (project.folder / "hatch-sign.toml").read_text()
    (project.folder / "hatch-sign.toml").write_text(text.replace("exclude = []", 'exclude = ["b.*"]'))
    planned = project.succeed("sign", "--dry-run", "dist").out
    assert f"inside {NAME} (*.pyd, *.dll, *.exe, but not b.*) with" in planned
    assert f"would sign tool.exe with {KEY} as authenticode into {project.dist / 'tool.exe'}" in planned


def test_contents_with_a_key_of_their_own_are_not_signed_alone(project: Project) -> None:
    """The key of the artifacts may come from the environment: one that was forgotten must not go unnoticed."""
    text = (project.folder / "hatch-sign.toml").read_text()
    moved = text.replace(f'key = "{KEY}"\ncertificates = "chain.pem"\n', "")
    own = moved.replace("[contents]", f'[contents]\nkey = "{KEY}"\ncertificates = "chain.pem"')
    (project.folder / "hatch-sign.toml").write_text(own)
    message = project.fail(2, "sign", "dist")
    assert "no key is configured for the artifacts themselves: that of `contents` is for what is inside them" in message
    assert "HATCH_SIGN_KEY" in message
    assert contents_of(project.dist / NAME)["app/a.pyd"] == IMAGES["app/a.pyd"]
    signed = project.run("sign", "dist", HATCH_SIGN_KEY="emulated:test/release")
    assert "app/a.pyd" in signed.out
    assert "sigstore is untrusted" in signed.err, "only the key of the contents is"


def test_consumers_are_told_what_is_left_out(project: Project) -> None:
    text = (project.folder / "hatch-sign.toml").read_text()
    (project.folder / "hatch-sign.toml").write_text(text.replace("exclude = []", 'exclude = ["b.*"]'))
    assert "inside wheels (but not b.*)" in project.succeed("config", "check").out
    assert json.loads(project.succeed("config", "check", "--json").out)["contents"]["exclude"] == ["b.*"]
    project.succeed("sign", "dist")
    assert contents_of(project.dist / NAME)["app/b.dll"] == IMAGES["app/b.dll"]
    exported = project.succeed("trust", "export").out
    (project.folder / "consumer.toml").write_text(exported)
    project.succeed("verify", "--config", "consumer.toml", "dist")
    (project.folder / "consumer.toml").write_text(exported.replace('exclude = ["b.*"]', ""))
    assert "is rejected" in project.fail(1, "verify", "--config", "consumer.toml", "dist")


def test_it_is_not_clear_which_of_two_keys_is_meant(project: Project) -> None:
    tables = "".join(f'[[signature]]\nname = "{name}"\nkey = "{KEY}"\n' for name in ("one", "two"))
    (project.folder / "hatch-sign.toml").write_text(tables)
    assert "set `key` in [tool.hatch-sign.contents]" in project.fail(2, "sign", "--contents", "dist")


def test_a_key_that_windows_does_not_take_is_refused_before_anything_is_signed(project: Project) -> None:
    wheel = project.dist / NAME
    before = wheel.read_bytes()
    (project.folder / "hatch-sign.toml").write_text('key = "emulated:test/release"\n')
    message = project.fail(2, "sign", "--contents", "dist")
    assert "emulated:test/release" in message
    assert "RSA" in message
    assert (project.names(), wheel.read_bytes()) == ([NAME], before)


def test_a_wheel_with_a_wrong_record_is_untouched(project: Project) -> None:
    wheel = project.dist / NAME
    wheel.write_bytes(make_wheel(IMAGES, record=b"app/a.pyd,,\n"))
    before = wheel.read_bytes()
    assert f"{NAME}: the RECORD of the wheel is wrong" in project.fail(1, "sign", "dist")
    assert (project.names(), wheel.read_bytes()) == ([NAME], before)


def test_an_image_that_cannot_be_signed_is_named(project: Project) -> None:
    wheel = project.dist / NAME
    wheel.write_bytes(make_wheel({**IMAGES, "app/d.exe": make_image(directories=4)}))
    before = wheel.read_bytes()
    message = project.fail(2, "sign", "dist")
    assert f"{NAME}/app/d.exe" in message
    assert "exclude" in message
    assert (project.names(), wheel.read_bytes()) == ([NAME], before)


def test_a_changed_binary_is_refused_though_record_and_bundle_are_right(project: Project) -> None:
    project.succeed("sign", "dist")
    wheel = project.dist / NAME
    members = {name: data for name, data in contents_of(wheel).items() if ".dist-info/" not in name}
    changed = bytearray(members["app/a.pyd"])
    changed[600] ^= 1
    wheel.write_bytes(make_wheel({**members, "app/a.pyd": bytes(changed)}))
    assert "app/a.pyd: its hash-mismatch signature does not hold" in project.fail(1, "sign", "--overwrite", "dist")
    text = (project.folder / "hatch-sign.toml").read_text()
    (project.folder / "hatch-sign.toml").write_text(text.replace("[contents]", '[contents]\ninclude = ["*.dll"]'))
    project.succeed("sign", "--overwrite", "dist")
    (project.folder / "hatch-sign.toml").write_text(text)
    ran = project.run("verify", "dist")
    assert ran.code == 1
    assert "hash-mismatch" in ran.out


@pytest.mark.skipif(sys.platform == "win32", reason="signals of this kind are POSIX's")
def test_killed_at_any_instant_the_wheel_is_old_or_new(project: Project) -> None:
    wheel = project.dist / NAME
    old = wheel.read_bytes()
    unchanged, signed = contents_of(wheel), False
    for number in range(1, 100):
        shutil.rmtree(project.dist)
        project.add(NAME, old)
        ran = project.run("sign", "dist", program=(INJECTOR, str(number), "SIGKILL", str(project.dist)))
        if ran.code == 0:
            break
        assert ran.code == -signal.SIGKILL, ran.output
        found = contents_of(wheel)
        signed = found["app/a.pyd"] != unchanged["app/a.pyd"]
        assert signed == (found["app/b.dll"] != unchanged["app/b.dll"]), "of both binaries, or of none"
        if number % 5 == 0:
            project.succeed("sign", "dist")
            assert project.names() == [NAME, f"{NAME}.sigstore.json"], "what the killed run left is gone"
    assert number > 10, "the injector never struck"
    assert signed, "the last instants are after the wheel was put in its place"
    project.succeed("verify", "dist")


@pytest.mark.skipif(sys.platform != "linux", reason="the peak is read from /proc")
def test_a_large_member_passes_through_in_little_memory(project: Project) -> None:
    big = make_image(sections=(bytes(range(256)) * (400 << 10),))  # 100 MiB
    with zipfile.ZipFile(project.dist / "tool.pyz", "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        archive.writestr("__main__.py", "print()")
        archive.writestr("lib/big.dll", big)
    (project.dist / NAME).unlink()
    signed = project.run("sign", "dist", program=("-c", PROGRAM))
    assert signed.code == 0, signed.output
    assert peak(signed) < LIMIT
    verified = project.run("verify", "dist", program=("-c", PROGRAM))
    assert verified.code == 0, verified.output
    assert "lib/big.dll" in verified.out
    assert peak(verified) < LIMIT


def peak(ran: Ran) -> int:
    """Return the most memory that a program held at once, in KiB, as it printed it at its end."""
    return int(ran.out.rpartition("VmHWM:\\t")[2].partition("kB")[0])
