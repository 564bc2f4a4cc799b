"""The table `release`: patterns of files, and how a version stands in a tag."""

from __future__ import annotations

from pathlib import Path

import pytest

from hatch_sign.configuration.loading import Overrides, load_configuration
from hatch_sign.configuration.model import ReleaseSettings
from hatch_sign.registry import Registry
from hatch_sign.releasing.pre_push import encode_hook
from hatch_sign.releasing.tags import tags_of, version_in
from hatch_sign.values.errors import ConfigurationError


def load(folder: Path, text: str) -> ReleaseSettings:
    path = folder / "hatch-sign.toml"
    path.write_text(text)
    return load_configuration(path, directory=folder, environ={}, overrides=Overrides(), registry=Registry()).release


def test_nothing_is_said_by_default(tmp_path: Path) -> None:
    assert load(tmp_path, "") == ReleaseSettings((), "")


def test_what_is_said_is_kept(tmp_path: Path) -> None:
    settings = load(tmp_path, '[release]\nexpect = ["*.tar.gz", "*.whl"]\ntag = "app/v{version}"\n')
    assert settings == ReleaseSettings(("*.tar.gz", "*.whl"), "app/v{version}")


def test_projects_are_known_by_their_normalised_names(tmp_path: Path) -> None:
    settings = load(tmp_path, '[release]\nprojects = ["hatch-sign", "Hatch_Sign.KMS"]\n')
    assert settings.projects == ("hatch-sign", "hatch-sign-kms")


@pytest.mark.parametrize(
    "line",
    [
        *("projects = []", 'projects = ["-a"]', 'projects = ["a b"]', "projects = [3]", 'projects = ["a", "a"]'),
        *("tag = 3", 'tag = ""', 'tag = "v"', 'tag = "{version}-{version}"', 'tag = "{name}-{version}"'),
        *(
            'tag = "a b{version}"',
            'tag = "$x{version}"',
            'tag = "/{version}"',
            'tag = "{version}.lock"',
            'tag = "a..{version}"',
        ),
        *("expect = []", "expect = [3]", 'expect = "*.whl"', 'expect = ["*", "*"]', "release = 3", "wheels = 3"),
    ],
)
def test_a_mistake_names_its_place(line: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"hatch-sign\.toml:2: release\."):
        load(tmp_path, f"[release]\n{line}\n")


@pytest.mark.parametrize(
    ("tag", "configured", "version"),
    [
        ("v1.2", "", "1.2"),
        ("1.2", "", "1.2"),
        ("v1.2-rc1", "", "1.2rc1"),
        ("V1.2", "", None),
        ("vv1.2", "", None),
        ("app-v1.2", "app-{version}", None),
        ("1.2", "v{version}", None),
        ("app-1.2", "app-{version}", "1.2"),
        ("app-1.2+x.y", "app-{version}", "1.2+x.y"),
        ("r1.2e", "r{version}e", "1.2"),
        ("r", "r{version}r", None),
        ("app-", "app-{version}", None),
        ("docs", "", None),
        ("", "", None),
        ("v1.2\n", "", None),
        ("v" + "9" * 5000, "", None),
    ],
)
def test_the_version_in_a_tag(tag: str, configured: str, version: str | None) -> None:
    assert version_in(tag, configured) == version


def test_people_are_told_the_tags_that_a_version_may_have() -> None:
    assert tags_of("1.2", "") == "v1.2 or 1.2"
    assert tags_of("1.2", "app-{version}") == "app-1.2"


def test_the_script_is_for_the_tags_of_releases_only() -> None:
    assert "\n    refs/tags/v[0-9]* | refs/tags/[0-9]*) ;;\n" in encode_hook()
    assert "\n    refs/tags/app/v[0-9]*) ;;\n" in encode_hook(tag="app/v{version}")
