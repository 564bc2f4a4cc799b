"""Finding and loading: what the file says becomes values, with every path absolute."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from hatch_sign.configuration.loading import Overrides, find_configuration, load_configuration
from hatch_sign.configuration.model import Configuration, ContentsSettings
from hatch_sign.configuration.source import LARGEST
from hatch_sign.contract import Format
from hatch_sign.registry import Registry
from hatch_sign.registry.entries import installed_entries
from hatch_sign.values.errors import ConfigurationError
from hatch_sign.values.protection import ProtectionLevel

Load = Callable[..., Configuration]
Problems = Callable[..., tuple[str, ...]]

WHOLE = """\
[project]
name = "app"

[tool.hatch-sign]
key = "emulated:release"
certificates = "chain.pem"
formats = ["sigstore", "statement"]
include = ["*.whl"]
timestamp = ["https://tsa.example/a", "http://tsa.example/b"]
bundle-certificate = true
output-directory = "dist"
observers = []
audit-file = "/var/log/audit.jsonl"
minimum-protection = "self-asserted"

[tool.hatch-sign.verify]
require = ["sigstore"]
timestamp-roots = "tsa.pem"

[[tool.hatch-sign.verify.trust]]
public-key = "release.pub"
formats = ["sigstore"]
artifacts = ["*.whl"]
not-before = 2026-01-01
not-after = 2027-12-31

[[tool.hatch-sign.verify.trust]]
certificate-roots = "roots.pem"
subject = "CN=Example Ltd,O=Example Ltd,C=SI"
not-after = 2027-12-31T10:00:00+02:00
"""


def test_the_whole_of_a_configuration_becomes_values(load: Load, tmp_path: Path) -> None:
    found = load(WHOLE, name="pyproject.toml", directory=Path("/elsewhere"))
    signature = found.signatures[0]
    assert (found.path, found.directory) == (tmp_path / "pyproject.toml", tmp_path)
    assert (signature.name, signature.key) == (None, "emulated:release")
    assert signature.certificates == tmp_path / "chain.pem"
    assert signature.formats == ("sigstore", "statement")
    assert signature.include == ("*.whl",)
    assert signature.timestamp == ("https://tsa.example/a", "http://tsa.example/b")
    assert signature.options["sigstore"] == {"bundle-certificate": True}
    assert found.output_directory == tmp_path / "dist"
    assert found.observers == ()
    assert found.audit_file == Path("/var/log/audit.jsonl")
    assert found.minimum_protection is ProtectionLevel.SELF_ASSERTED


def test_trust_rules_keep_their_own_table_apart_from_their_scope(load: Load, tmp_path: Path) -> None:
    verify = load(WHOLE, name="pyproject.toml").verify
    key, certificate = verify.trust
    assert verify.require == ("sigstore",)
    assert verify.timestamp_roots == tmp_path / "tsa.pem"
    assert (key.kind, key.table) == ("key", {"public-key": "release.pub"})
    assert key.label == "verify.trust[0] (public-key release.pub)"
    assert (key.formats, key.artifacts) == (("sigstore",), ("*.whl",))
    assert certificate.kind == "certificate"
    assert (certificate.formats, certificate.artifacts, certificate.not_before) == (None, None, None)


def test_a_date_begins_and_ends_with_its_day_in_utc(load: Load) -> None:
    key, certificate = load(WHOLE, name="pyproject.toml").verify.trust
    assert key.not_before == datetime(2026, 1, 1, tzinfo=UTC)
    assert key.not_after == datetime(2027, 12, 31, 23, 59, 59, 999999, tzinfo=UTC)
    assert certificate.not_after == datetime(2027, 12, 31, 8, tzinfo=UTC)


def test_defaults(load: Load) -> None:
    found = load('key = "emulated:release"')
    signature = found.signatures[0]
    assert (signature.formats, signature.include, signature.timestamp) == (("sigstore",), ("*",), ())
    assert (signature.certificates, signature.options) == (None, {})
    assert (found.contents, found.output_directory, found.audit_file, found.minimum_protection) == (None, None, None, None)
    assert found.observers == ("audit",)
    assert found.verify.require == ("sigstore",)
    assert found.verify.trust == ()


def test_what_is_signed_is_required_unless_something_else_is(load: Load) -> None:
    assert load('formats = ["sigstore", "statement"]').verify.require == ("sigstore", "statement")
    tables = '[[signature]]\nkey = "emulated:a"\n[[signature]]\nkey = "emulated:b"\nformats = ["statement"]'
    assert load(tables).verify.require == ("sigstore", "statement")


def test_several_signatures(load: Load) -> None:
    found = load(
        """
        [[signature]]
        name = "main"
        key = "emulated:release/p256"
        bundle-certificate = false
        [[signature]]
        name = "windows"
        key = "emulated:release/rsa"
        formats = ["sigstore", "statement"]
        include = ["*.exe"]
        [verify]
        require = ["main", "statement"]
        """,
    )
    assert [signature.name for signature in found.signatures] == ["main", "windows"]
    assert found.signatures[0].options == {"sigstore": {"bundle-certificate": False}}
    assert found.signatures[1].key == "emulated:release/rsa"
    assert found.verify.require == ("main", "statement")


def test_a_consumer_needs_no_key(load: Load) -> None:
    found = load('[verify]\nrequire = ["sigstore", "windows"]\nsignatures = ["windows"]')
    assert found.signatures == ()
    assert found.verify.signatures == ("windows",)


def test_without_a_file_the_command_line_is_the_configuration(tmp_path: Path, registry: Registry) -> None:
    overrides = Overrides(key="emulated:release", formats=("statement",))
    found = load_configuration(None, directory=tmp_path, environ={}, overrides=overrides, registry=registry)
    assert (found.path, found.directory) == (None, tmp_path)
    assert (found.signatures[0].key, found.signatures[0].formats) == ("emulated:release", ("statement",))
    assert found.verify.require == ("sigstore",)


def test_contents_without_their_format_name_what_would_bring_it(problems: Problems) -> None:
    without = Registry([entry for entry in installed_entries() if entry.name != "authenticode"])
    (problem,) = problems('key = "emulated:a"\n[contents]', plugins=without)
    assert "contents.formats[0]" in problem
    assert "install hatch-sign-authenticode" in problem


def test_contents_take_only_formats_that_write_into_files(problems: Problems) -> None:
    (problem,) = problems('key = "emulated:a"\n[contents]\nformats = ["sigstore"]')
    assert problem.startswith("hatch-sign.toml:3: contents.formats: names sigstore")


class WithAuthenticode(Registry):
    """What is installed, and a format that writes into files."""

    def format(self, name: str) -> Format:
        if name == "authenticode":
            return Format(name, "embedded", "", verifier=Registry, producer=Registry)  # type: ignore[arg-type] # never called
        return super().format(name)


def test_contents_default_to_the_key_above(tmp_path: Path) -> None:
    path = tmp_path / "hatch-sign.toml"
    path.write_text('key = "emulated:a"\n[contents]\ninclude = ["*.so"]')
    options = {"directory": tmp_path, "environ": {"HATCH_SIGN_KEY": "emulated:b"}, "overrides": Overrides()}
    found = load_configuration(path, registry=WithAuthenticode(), **options)
    assert found.contents == ContentsSettings(("authenticode",), ("*.so",), "emulated:b")
    path.write_text('key = "emulated:a"\n[contents]\nkey = "emulated:c"')
    found = load_configuration(path, registry=WithAuthenticode(), **options)
    assert found.contents == ContentsSettings(("authenticode",), ("*.pyd", "*.dll", "*.exe"), "emulated:c")


# --- finding -----------------------------------------------------------------------------------------------------------


def test_finds_the_table_in_pyproject_then_the_file_of_its_own(tmp_path: Path) -> None:
    assert find_configuration(tmp_path, None) is None
    (tmp_path / "hatch-sign.toml").write_text('key = "emulated:a"')
    assert find_configuration(tmp_path, None) == tmp_path / "hatch-sign.toml"
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "app"')
    assert find_configuration(tmp_path, None) == tmp_path / "hatch-sign.toml"
    (tmp_path / "hatch-sign.toml").write_text("# moved\n")
    (tmp_path / "pyproject.toml").write_text('[tool.hatch-sign]\nkey = "emulated:a"')
    assert find_configuration(tmp_path, None) == tmp_path / "pyproject.toml"


def test_two_configurations_are_a_mistake_that_names_both(tmp_path: Path) -> None:
    (tmp_path / "hatch-sign.toml").write_text('key = "emulated:a"')
    (tmp_path / "pyproject.toml").write_text('[tool.hatch-sign]\nkey = "emulated:a"')
    with pytest.raises(ConfigurationError, match=r"pyproject\.toml holds .*hatch-sign\.toml holds"):
        find_configuration(tmp_path, None)
    named = find_configuration(tmp_path, Path("hatch-sign.toml"))
    assert named == tmp_path / "hatch-sign.toml"


def test_a_folder_above_is_not_searched(tmp_path: Path) -> None:
    (tmp_path / "hatch-sign.toml").write_text('key = "emulated:a"')
    (tmp_path / "below").mkdir()
    assert find_configuration(tmp_path / "below", None) is None


def test_a_broken_project_file_is_not_passed_over(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool.hatch-sign\n")
    with pytest.raises(ConfigurationError) as caught:
        find_configuration(tmp_path, None)
    assert caught.value.problems[0].startswith("pyproject.toml:1: it is not TOML")


# --- reading -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b'key = "a"\nkey = "b"\n', "hatch-sign.toml:2: it is not TOML"),
        (b"\xff\xfe", "hatch-sign.toml: it is not UTF-8"),
        (b"x = " + b"[" * 5000 + b"]" * 5000, "hatch-sign.toml: its values are nested too deeply"),
        (b"x = " + b"9" * 5000, "hatch-sign.toml: it is not TOML"),
    ],
)
def test_what_is_no_toml_is_told_with_its_line(data: bytes, reason: str, tmp_path: Path, registry: Registry) -> None:
    path = tmp_path / "hatch-sign.toml"
    path.write_bytes(data)
    with pytest.raises(ConfigurationError) as caught:
        load_configuration(path, directory=tmp_path, environ={}, overrides=Overrides(), registry=registry)
    assert caught.value.problems[0].startswith(reason)


def _load_named(path: Path, registry: Registry) -> Configuration:
    return load_configuration(path, directory=path.parent, environ={}, overrides=Overrides(), registry=registry)


def test_a_big_file_is_refused(tmp_path: Path, registry: Registry) -> None:
    path = tmp_path / "hatch-sign.toml"
    path.write_bytes(b"#" * LARGEST)
    assert _load_named(path, registry).signatures == ()
    path.write_bytes(b"#" * (LARGEST + 1))
    with pytest.raises(ConfigurationError, match="larger than 1048576 bytes"):
        _load_named(path, registry)


def test_a_file_that_is_not_there_is_named(tmp_path: Path, registry: Registry) -> None:
    with pytest.raises(ConfigurationError, match=r"absent\.toml cannot be read: No such file"):
        _load_named(tmp_path / "absent.toml", registry)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="the system has no named pipes")
def test_a_pipe_is_refused_rather_than_waited_for(tmp_path: Path, registry: Registry) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(ConfigurationError, match="not a regular file"):
        _load_named(tmp_path / "pipe", registry)


def test_a_named_project_file_must_hold_the_table(tmp_path: Path, registry: Registry) -> None:
    path = tmp_path / "pyproject.toml"
    path.write_text("[project]\nname = 'x'")
    with pytest.raises(ConfigurationError, match=r"holds no table \[tool\.hatch-sign\]"):
        _load_named(path, registry)
    path.write_text("[tool]\nhatch-sign = 3")
    with pytest.raises(ConfigurationError) as caught:
        _load_named(path, registry)
    assert caught.value.problems == ("pyproject.toml: tool.hatch-sign is not a table",)


@pytest.mark.parametrize(
    ("name", "text", "problem"),
    [
        (
            "hatch-sign.toml",
            '# mine\n[tool.hatch-sign]\nkey = "emulated:a"',
            "hatch-sign.toml:2: [tool.hatch-sign] is for pyproject.toml; its keys belong at the top of this file",
        ),
        (
            "hatch-sign.toml",
            "[tool.hatch_sign.verify]\nrequire = ['sigstore']",
            "hatch-sign.toml: [tool.hatch_sign] is for pyproject.toml; its keys belong at the top of this file",
        ),
        (
            "pyproject.toml",
            '[project]\nname = "app"\n[tool.hatch_sign]\nkey = "emulated:a"',
            "pyproject.toml:3: [tool.hatch_sign] is spelled with a hyphen: [tool.hatch-sign]",
        ),
        (
            "pyproject.toml",
            '[tool.hatch-sign]\nkey = "emulated:a"\n[tool.hatch_sign.verify]\nrequire = ["cms"]',
            "pyproject.toml: [tool.hatch_sign] is spelled with a hyphen: [tool.hatch-sign]",
        ),
    ],
)
def test_a_table_in_the_wrong_place_is_found_and_named(name: str, text: str, problem: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(ConfigurationError) as caught:
        find_configuration(tmp_path, None)
    assert caught.value.problems == (problem,)


def test_other_tools_tables_are_left_to_them(tmp_path: Path, registry: Registry) -> None:
    path = tmp_path / "pyproject.toml"
    path.write_text("[tool.hatch-sign]\n[tool.ruff]\nline-length = 125\n[tool.hatch]\n")
    assert _load_named(path, registry).signatures == ()
    path.write_text("[tool.hatch]\n")
    assert find_configuration(tmp_path, None) is None
