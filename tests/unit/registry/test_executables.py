"""A scheme that no plugin has is an executable's, where the environment says so, and nowhere else."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from hatch_sign.contract.executables import allowed_executables
from hatch_sign.registry import Registry
from hatch_sign.registry.entries import Entry, installed_entries
from hatch_sign.registry.known import KNOWN_PLUGINS
from hatch_sign.values.errors import PluginError

from .distributions import BACKEND, write_distribution

if TYPE_CHECKING:
    from pathlib import Path

RUNNER = BACKEND.replace('"example"', '"sigstore-kms"')


@pytest.fixture
def entries(site: Path) -> list[Entry]:
    """Install a runner of executables, without whatever else this environment has for one, and a plugin."""
    write_distribution(site, "hatch-sign-kms-runner", entry_points={"backend.sigstore-kms": "{module}"}, source=RUNNER)
    write_distribution(site, "example-plugin", entry_points={"backend.example": "{module}"}, source=BACKEND)
    ours = [entry for entry in installed_entries() if entry.name != "sigstore-kms" or "runner" in entry.distribution]
    return [_owned(entry) if entry.name == "sigstore-kms" else entry for entry in ours]


def _owned(entry: Entry) -> Entry:
    return Entry(entry.kind, entry.name, KNOWN_PLUGINS["backend.sigstore-kms"], entry.version, entry.point)


@pytest.mark.parametrize(
    ("value", "names"),
    [
        (None, set()),
        ("", set()),
        ("my-hsm", {"my-hsm"}),
        ("my-hsm,ovh2", {"my-hsm", "ovh2"}),
        ("my-hsm, ovh", {"my-hsm", "ovh"}),
        ("My-HSM", set()),
        ("*", set()),
        ("../evil,a/b,a.b,a\n", set()),
    ],
)
def test_the_environment_names_what_may_be_run(value: str | None, names: set[str]) -> None:
    assert allowed_executables({} if value is None else {"HATCH_SIGN_ALLOW_KMS": value}) == names


def test_an_allowed_scheme_is_an_executables(entries: list[Entry]) -> None:
    registry = Registry(entries, executables={"my-hsm"})
    assert registry.backend_of("my-hsm://key").uri_schemes == ("sigstore-kms",)
    assert registry.backend_entry("my-hsm").name == "sigstore-kms"


def test_a_scheme_that_is_not_allowed_is_unknown(entries: list[Entry]) -> None:
    registry = Registry(entries, executables={"my-hsm"})
    with pytest.raises(PluginError, match="no backend named 'other' is installed") as caught:
        registry.backend_of("other://key")
    assert "HATCH_SIGN_ALLOW_KMS=other would allow the executable sigstore-kms-other" in caught.value.remedy
    assert "hatch_sign_kms_runner" not in sys.modules


def test_a_plugin_keeps_its_scheme(entries: list[Entry]) -> None:
    assert Registry(entries, executables={"example"}).backend("example").name == "example"


@pytest.mark.parametrize("name", [name for name in KNOWN_PLUGINS if name.startswith("backend.")])
def test_a_scheme_of_ours_is_never_an_executables(entries: list[Entry], name: str) -> None:
    scheme = name.removeprefix("backend.")
    left = [entry for entry in entries if entry.name != scheme]
    with pytest.raises(PluginError, match=f"install {KNOWN_PLUGINS[name]} from where hatch-sign came from$"):
        Registry(left, executables={scheme}).backend(scheme)


def test_where_executables_cannot_be_run_the_plugin_is_named(entries: list[Entry]) -> None:
    left = [entry for entry in entries if entry.name != "sigstore-kms"]
    with pytest.raises(PluginError, match="no backend named 'sigstore-kms' is installed; install hatch-sign-kms"):
        Registry(left, executables={"my-hsm"}).backend("my-hsm")
