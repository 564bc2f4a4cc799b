"""A plugin that is missing, doubled or broken is one error that names its distribution, and breaks no other plugin."""

from __future__ import annotations

import sys
from importlib.metadata import PathDistribution
from typing import TYPE_CHECKING

import pytest

from hatch_sign.registry import Registry
from hatch_sign.registry.entries import installed_entries
from hatch_sign.values.errors import PluginError

from .distributions import BACKEND, write_distribution

if TYPE_CHECKING:
    from pathlib import Path

REGISTER = "from hatch_sign.contract import hookimpl\n\n@hookimpl\ndef hatch_sign_register_"

# What the module holds, and what the error must say beside the name of the distribution.
BROKEN = {
    "import error": ("import a_module_that_is_not_there", "cannot be imported: ModuleNotFoundError"),
    "syntax error": ("def (:", "cannot be imported: SyntaxError"),
    "raises on import": ("raise RuntimeError('no licence')", "cannot be imported: RuntimeError: no licence"),
    "misspelt hook": (BACKEND.replace("register_backend", "register_bakend"), "unknown hook 'hatch_sign_register_bakend'"),
    "wrong signature": (BACKEND.replace("register_backend()", "register_backend(colour)"), "colour"),
    "no hook": ("", "it does not implement hatch_sign_register_backend"),
    "hook raises": (REGISTER + "backend():\n    raise ValueError('full moon')", "raised ValueError: full moon"),
    "returns nothing": (REGISTER + "backend():\n    return None", "returned nothing"),
    "wrong scheme": (BACKEND.replace('("example",)', '("other",)'), "its backend opens other, not example"),
    "lacks open": (BACKEND.replace("def open", "def opened"), "a Backend, lacks open"),
    "lacks all": (REGISTER + "backend():\n    return object()", "object, lacks name, uri_schemes, open"),
    "wrong call": (BACKEND.replace("reference, context", "reference"), "expected open(reference, context)"),
    "schemes are text": (BACKEND.replace('("example",)', '"example"'), "its uri_schemes are one text"),
    "exits on import": ("raise SystemExit(0)", "cannot be imported: SystemExit"),
    "property raises": (
        BACKEND.replace('    uri_schemes = ("example",)', "    @property\n    def uri_schemes(self):\n        return 1 / 0"),
        "what it registers raised ZeroDivisionError",
    ),
    "many lines": ("raise RuntimeError('one\\ntwo')", "cannot be imported: RuntimeError: one\\x0atwo"),
}


def install_example(site: Path, name: str = "example-plugin", source: str = BACKEND) -> str:
    return write_distribution(site, name, entry_points={"backend.example": "{module}"}, source=source)


def test_a_good_plugin_is_found_by_the_scheme_of_a_reference(site: Path) -> None:
    install_example(site)
    registry = Registry()
    assert registry.backend("example").uri_schemes == ("example",)
    assert registry.backend_of("EXAMPLE:somewhere") is registry.backend("example")


def test_who_declares_a_plugin_is_read_once_for_all_that_it_brings(monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []
    read_text = PathDistribution.read_text

    def note(distribution: PathDistribution, filename: str) -> str | None:
        if filename == "METADATA":
            read.append(str(distribution.locate_file("")) + distribution._normalized_name)  # type: ignore[attr-defined] # kept from the types
        return read_text(distribution, filename)

    monkeypatch.setattr(PathDistribution, "read_text", note)
    entries = installed_entries()
    assert len(read) == len(set(read)) < len(entries)


def test_only_the_plugin_that_is_asked_for_is_imported(site: Path) -> None:
    module = install_example(site)
    registry = Registry()
    registry.backend("emulated")
    assert module not in sys.modules
    registry.backend("example")
    assert module in sys.modules


@pytest.mark.parametrize("fault", BROKEN)
def test_a_broken_plugin_is_one_error_that_names_its_distribution(site: Path, fault: str) -> None:
    source, reason = BROKEN[fault]
    install_example(site, source=source)
    with pytest.raises(PluginError) as caught:
        Registry().backend("example")
    assert "example-plugin" in caught.value.message
    assert "1.0" in caught.value.message
    assert reason in caught.value.message
    assert "example-plugin" in caught.value.remedy
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("fault", BROKEN)
def test_a_broken_plugin_breaks_no_other(site: Path, fault: str) -> None:
    install_example(site, source=BROKEN[fault][0])
    good = BACKEND.replace('"example"', '"good"')
    write_distribution(site, "good-plugin", entry_points={"backend.good": "{module}"}, source=good)
    registry = Registry()
    assert registry.backend("good").name == "good"
    assert registry.format("sigstore").suffix == ".sigstore.json"
    problems = {row.distribution for row in registry.inventory() if row.problem}
    assert problems == {"example-plugin"}


def test_a_plugin_that_nobody_installed_is_named(site: Path) -> None:
    del site
    with pytest.raises(PluginError, match=r"no backend named 'nowhere' is installed; `hatch-sign plugins` lists"):
        Registry().backend("nowhere")


def test_a_plugin_of_ours_that_is_not_installed_is_named_with_its_distribution(site: Path) -> None:
    del site
    others = [entry for entry in installed_entries() if entry.distribution != "hatch-sign-sigstore"]
    with pytest.raises(PluginError, match="no format named 'pep740' is installed; install hatch-sign-sigstore"):
        Registry(others).format("pep740")


def test_two_plugins_of_one_name_are_refused_with_both_named(site: Path) -> None:
    install_example(site)
    install_example(site, name="impostor")
    with pytest.raises(PluginError, match=r"registered by example-plugin 1\.0 and impostor 1\.0; expected one distribution"):
        Registry().backend("example")


@pytest.mark.parametrize(
    "point", ["backend.pkcs11", "bundle-signer.sigstore", "format.pep740", "trust.identity", "witness.rfc3161"]
)
def test_a_reserved_name_is_refused_to_others(site: Path, point: str) -> None:
    write_distribution(site, "impostor", entry_points={point: "{module}"}, source=BACKEND)
    # As if the impostor were alone: beside the owner it would be refused for being the second of the name.
    kind, _, name = point.partition(".")
    ask = {"backend": "backend", "format": "format", "witness": "witness"}.get(kind)
    registry = Registry([entry for entry in Registry().entries if entry.distribution == "impostor"])
    rows = registry.inventory()
    assert ["registered by impostor, but the name is reserved for hatch-sign" in row.problem for row in rows] == [True]
    if ask is not None:
        with pytest.raises(PluginError, match=f"{point} is registered by impostor, but the name is reserved"):
            getattr(registry, ask)(name)
    else:
        assert name not in registry.trust_kinds()


def test_a_name_of_the_core_is_refused_to_others(site: Path) -> None:
    source = BACKEND.replace('"example"', '"emulated"')
    write_distribution(site, "impostor", entry_points={"backend.emulated": "{module}"}, source=source)
    with pytest.raises(PluginError, match="impostor"):
        Registry().backend("emulated")


def test_the_same_distribution_seen_twice_is_one(site: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install_example(site)
    again = tmp_path / "again"
    install_example(again)
    monkeypatch.syspath_prepend(str(again))
    assert Registry().backend("example").name == "example"


FORMAT = """\
from hatch_sign.contract import Format, hookimpl


@hookimpl
def hatch_sign_register_format():
    return Format(name={name!r}, kind={kind!r}, suffix={suffix!r}, verifier=dict, producer=dict)
"""


@pytest.mark.parametrize(
    ("name", "kind", "suffix", "reason"),
    [
        ("other", "sidecar", ".x", "it registers 'other' under the name 'toy'"),
        ("toy", "envelope", ".x", "its kind is 'envelope', expected one of sidecar"),
        ("toy", "sidecar", "", "its suffix is ''"),
        ("toy", "embedded", ".x", "its suffix is '.x'"),
        ("toy", "sidecar", ".whl", "its suffix .whl is that of artifacts"),
        ("toy", "sidecar", ".gz", "its suffix .gz is that of artifacts"),
        ("toy", "aggregate", "l", "its suffix l is that of artifacts"),
        ("toy", "sidecar", "-none-any.whl", "its suffix -none-any.whl is that of artifacts"),
        ("toy", "manifest", "demo-1.0.tar.gz", "its suffix demo-1.0.tar.gz is that of artifacts"),
        ("toy", "sidecar", ".json", "its suffix .json is that of artifacts"),
    ],
)
def test_a_format_that_contradicts_itself_is_refused(site: Path, name: str, kind: str, suffix: str, reason: str) -> None:
    source = FORMAT.format(name=name, kind=kind, suffix=suffix)
    write_distribution(site, "toy-format", entry_points={"format.toy": "{module}"}, source=source)
    registry = Registry()
    with pytest.raises(PluginError) as caught:
        registry.format("toy")
    assert "toy-format 1.0" in caught.value.message
    assert reason in caught.value.message
    assert "toy" not in registry.formats()
    assert "sigstore" in registry.formats()


def test_a_good_format_is_offered(site: Path) -> None:
    source = FORMAT.format(name="toy", kind="sidecar", suffix=".toy")
    write_distribution(site, "toy-format", entry_points={"format.toy": "{module}"}, source=source)
    assert Registry().formats()["toy"].suffix == ".toy"


OBSERVER = (
    "from hatch_sign.contract import hookimpl\n\n@hookimpl\ndef hatch_sign_{hook}:\n    raise {error}('not on a Friday')\n"
)


@pytest.mark.parametrize(
    ("hook", "reason"),
    [("befor_sign(record)", "unknown hook 'hatch_sign_befor_sign'"), ("before_sign(recor)", "recor")],
)
def test_a_broken_observer_is_refused_when_it_is_listed(site: Path, hook: str, reason: str) -> None:
    source = OBSERVER.format(hook=hook, error="ValueError")
    write_distribution(site, "friday", entry_points={"observer.friday": "{module}"}, source=source)
    registry = Registry()
    registry.observers(["audit"])
    with pytest.raises(PluginError) as caught:
        registry.observers(["audit", "friday"])
    assert "friday 1.0" in caught.value.message
    assert reason in caught.value.message


def test_an_observer_vetoes_by_raising_anything(site: Path) -> None:
    source = OBSERVER.format(hook="after_verify(outcome)", error="ZeroDivisionError")
    write_distribution(site, "friday", entry_points={"observer.friday": "{module}"}, source=source)
    observers = Registry().observers(["friday", "friday"])
    with pytest.raises(PluginError, match="an observer failed in hatch_sign_after_verify: ZeroDivisionError; see"):
        observers.after_verify(None)  # type: ignore[arg-type] # the observer does not look at it
