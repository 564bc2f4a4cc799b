"""A certificate that lives for days: nothing is signed where nobody is to prove the time."""

from __future__ import annotations

from contextlib import contextmanager
from importlib.metadata import EntryPoint
from typing import TYPE_CHECKING

import pytest

from hatch_sign.configuration.model import SignatureSettings
from hatch_sign.contract import hookimpl
from hatch_sign.custody.checked_signer import open_signer
from hatch_sign.diagnosis.credentials import Expected, look_at_key
from hatch_sign.registry import Registry
from hatch_sign.registry.entries import Entry
from hatch_sign.values.errors import ConfigurationError

from .sketch_plugins import sketch_registry
from .sketches.rotating_backend import RotatingService, RotatingSigner
from .sketches.software_keys import algorithm_of
from .test_ports import NOW, observed_context, sign

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from hatch_sign.contract import Backend, BackendContext


class ShortLivedSigner(RotatingSigner):
    needs_timestamp = True


class ShortLivedBackend:
    """Opens ``short-lived:ALGORITHM``."""

    name = "short-lived"
    uri_schemes = ("short-lived",)

    @contextmanager
    def open(self, reference: str, context: BackendContext) -> Iterator[ShortLivedSigner]:
        del context
        yield ShortLivedSigner(RotatingService(), algorithm_of(reference))


class Plugin:
    @staticmethod
    @hookimpl
    def hatch_sign_register_backend() -> Backend:
        return ShortLivedBackend()


@pytest.fixture
def registry() -> Registry:
    point = EntryPoint("backend.short-lived", f"{__name__}:Plugin", "hatch_sign")
    return Registry([*sketch_registry().entries, Entry("backend", "short-lived", "sketches", "1.0", point)])


def test_without_an_authority_nothing_is_signed(registry: Registry, tmp_path: Path) -> None:
    (tmp_path / "tool.bin").write_bytes(b"artifact")
    with pytest.raises(ConfigurationError, match="lives for days, so that signatures need a timestamp; set `timestamp`"):
        sign(tmp_path, SignatureSettings(None, "short-lived:ecdsa-p256"), registry=registry)
    assert [path.name for path in tmp_path.iterdir()] == ["tool.bin"]


def test_a_timestamp_that_may_lack_is_none_to_rely_on(registry: Registry, tmp_path: Path) -> None:
    (tmp_path / "tool.bin").write_bytes(b"artifact")
    settings = SignatureSettings(None, "short-lived:ecdsa-p256", timestamp=("toy:time",), timestamp_optional=True)
    with pytest.raises(ConfigurationError, match="signatures need a timestamp; take `timestamp-optional` away"):
        sign(tmp_path, settings, registry=registry)
    assert [path.name for path in tmp_path.iterdir()] == ["tool.bin"]


def test_with_an_authority_it_signs(registry: Registry, tmp_path: Path) -> None:
    (tmp_path / "tool.bin").write_bytes(b"artifact")
    settings = SignatureSettings(None, "short-lived:ecdsa-p256", timestamp=("toy:time",))
    assert sign(tmp_path, settings, registry=registry).signing_calls == 1
    assert (tmp_path / "tool.bin.sigstore.json").exists()


def test_one_key_of_several_is_enough_to_refuse(registry: Registry, tmp_path: Path) -> None:
    (tmp_path / "tool.bin").write_bytes(b"artifact")
    lasting = SignatureSettings(None, "rotating:ecdsa-p256")
    timed = SignatureSettings("timed", "short-lived:ecdsa-p256", timestamp=("toy:time",))
    assert sign(tmp_path, lasting, timed, registry=registry).signing_calls == 2
    untimed = SignatureSettings("untimed", "short-lived:ecdsa-p256")
    with pytest.raises(ConfigurationError, match="short-lived:ecdsa-p256: its certificate lives for days"):
        sign(tmp_path, lasting, untimed, registry=registry)


@pytest.mark.parametrize(
    ("addresses", "status", "found"), [((), "failure", "need a timestamp"), (("toy:time",), "ok", "asked of toy:time")]
)
def test_doctor_sees_it_coming(registry: Registry, addresses: tuple[str, ...], status: str, found: str) -> None:
    settings = SignatureSettings(None, "short-lived:ecdsa-p256", timestamp=addresses)
    with open_signer(registry.backend("short-lived"), settings.key, observed_context()) as signer:
        checks = list(look_at_key(signer, Expected(NOW, (settings,)), registry))
    (symptom,) = [check.symptom for check in checks if check.symptom.subject == "timestamp"]
    assert symptom.status == status
    assert found in symptom.found
