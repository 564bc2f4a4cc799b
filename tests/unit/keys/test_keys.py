"""Any key by its reference, for a program that lends keys to others."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from hatch_sign.backends.emulated.tokens import create_token
from hatch_sign.keys import Keys
from hatch_sign.values.algorithms import KeyAlgorithm, Scheme
from hatch_sign.values.errors import (
    ConfigurationError,
    CustodyError,
    PluginError,
    SecretRejectedError,
    UnsupportedError,
)
from hatch_sign.values.public_keys import verify_message

from ..registry.distributions import BACKEND, write_distribution

if TYPE_CHECKING:
    from pathlib import Path

PIN = "31-right"
KEY = "emulated:release/lent"


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    environ = {"HATCH_SIGN_HOME": str(tmp_path), "HATCH_SIGN_PIN": PIN}
    create_token("release", pin=PIN, so_pin="99-officer", environ=environ)
    return environ


def test_a_key_is_made_opened_and_closed(environ: dict[str, str]) -> None:
    keys = Keys(environ, on_warning=list[str]().append)
    assert KeyAlgorithm.ECDSA_P256 in keys.algorithms(KEY)
    public_key = keys.generate(KEY, KeyAlgorithm.ECDSA_P256)
    with keys.open(KEY) as signer:
        signature = signer.sign(b"message", Scheme.ECDSA_SHA256)
    assert verify_message(public_key, signature, b"message", Scheme.ECDSA_SHA256)
    assert not verify_message(public_key, signature, b"another", Scheme.ECDSA_SHA256)
    with pytest.raises(CustodyError, match="the key was closed"):
        signer.sign(b"message", Scheme.ECDSA_SHA256)
    with pytest.raises(CustodyError, match="already"):
        keys.generate(KEY, KeyAlgorithm.ECDSA_P256)


def test_a_wrong_pin_is_tried_once_whichever_key_needs_it(environ: dict[str, str]) -> None:
    Keys(environ, on_warning=list[str]().append).generate(KEY, KeyAlgorithm.ECDSA_P256)
    keys = Keys({**environ, "HATCH_SIGN_PIN": "wrong-pin"}, on_warning=list[str]().append)
    with pytest.raises(SecretRejectedError) as first, keys.open(KEY):
        pass
    with pytest.raises(SecretRejectedError, match="refused earlier in this run") as second:
        keys.generate("emulated:release/other", KeyAlgorithm.ECDSA_P256)
    assert not [each for each in (first, second) if "wrong-pin" in str(each.value)]


def test_a_backend_without_the_power_makes_no_keys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_distribution(tmp_path, "opens-only", entry_points={"backend.example": "{module}"}, source=BACKEND)
    monkeypatch.syspath_prepend(str(tmp_path))
    keys = Keys({}, on_warning=pytest.fail)
    assert keys.algorithms("example:key") == ()
    with pytest.raises(UnsupportedError, match="example:key: the backend example does not make keys"):
        keys.generate("example:key?pin-source=env:X", KeyAlgorithm.ECDSA_P256)


def test_an_executable_is_no_backend_even_where_it_is_allowed() -> None:
    keys = Keys({"HATCH_SIGN_ALLOW_KMS": "localkeys"}, on_warning=pytest.fail)
    with pytest.raises(PluginError, match="no backend named 'localkeys' is installed"):
        keys.open("localkeys://key")
    with pytest.raises(ConfigurationError, match="not of the form SCHEME:PATH"):
        keys.open("nothing")
