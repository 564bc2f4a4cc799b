"""A token with three keys, made once; each test gets a copy of its file."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from hatch_sign.backends.emulated import EmulatedBackend
from hatch_sign.backends.emulated.tokens import create_token, describe_token
from hatch_sign.custody.context import RunContext
from hatch_sign.values.algorithms import KeyAlgorithm

if TYPE_CHECKING:
    from pathlib import Path

PIN, SO_PIN, WRONG = "31-right", "99-officer", "27-wrong"


@dataclass
class Token:
    """A token of the test's own; its warnings are collected."""

    home: Path
    warnings: list[str] = field(default_factory=list)
    backend: EmulatedBackend = field(default_factory=EmulatedBackend)

    @property
    def path(self) -> Path:
        return self.home / "tokens" / "release.token"

    def environ(self, pin: str | None = PIN, so_pin: str | None = SO_PIN) -> dict[str, str]:
        environ = {"HATCH_SIGN_HOME": str(self.home), "HATCH_SIGN_PIN": pin, "HATCH_SIGN_SO_PIN": so_pin}
        return {name: value for name, value in environ.items() if value is not None}

    def context(self, pin: str | None = PIN, so_pin: str | None = SO_PIN, *, spend_final_try: bool = False) -> RunContext:
        return RunContext(self.environ(pin, so_pin), on_warning=self.warnings.append, spend_final_try=spend_final_try)

    @property
    def tries(self) -> tuple[int, int]:
        state = describe_token("release", self.environ())
        return state.pin_tries, state.so_pin_tries


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    token = Token(tmp_path_factory.mktemp("made"))
    create_token("release", pin=PIN, so_pin=SO_PIN, environ=token.environ())
    for label in ("one", "two"):
        token.backend.generate_key(f"emulated:release/{label}", KeyAlgorithm.ECDSA_P256, token.context())
    token.backend.generate_key("emulated:release/ed", KeyAlgorithm.ED25519, token.context())
    return token.path.read_bytes()


@pytest.fixture
def token(tmp_path: Path, made: bytes) -> Token:
    copied = Token(tmp_path)
    copied.path.parent.mkdir(mode=0o700)
    copied.path.touch(mode=0o600)
    copied.path.write_bytes(made)
    return copied
