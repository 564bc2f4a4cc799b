"""A context that records what a backend asks of it, and what may be said of an error that a backend raises."""

# ruff: noqa: S101 - the assertions are what this module is for

from __future__ import annotations

import traceback
from typing import TYPE_CHECKING

from hatch_sign.values.errors import HatchSignError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from hatch_sign.contract.backends import BackendContext, SecretRequest


class ObservedContext:
    """Passes everything on to another context, and remembers it."""

    def __init__(self, context: BackendContext) -> None:
        """Observe `context`."""
        self._context = context
        self.asked: list[SecretRequest] = []
        self.rejections: list[SecretRequest] = []
        self.warnings: list[str] = []

    @property
    def environ(self) -> Mapping[str, str]:
        """The environment of the context that is observed."""
        return self._context.environ

    @property
    def max_concurrency(self) -> int:
        """The limit of the context that is observed."""
        return self._context.max_concurrency

    @property
    def stopped(self) -> bool:
        """Whether the context that is observed was told to stop."""
        return self._context.stopped

    def secret(self, request: SecretRequest) -> str:
        """Remember the request, and pass it on."""
        self.asked.append(request)
        return self._context.secret(request)

    def rejected(self, request: SecretRequest) -> None:
        """Remember the rejection, and pass it on."""
        self.rejections.append(request)
        self._context.rejected(request)

    def warn(self, message: str) -> None:
        """Remember the warning, and pass it on."""
        self.warnings.append(message)
        self._context.warn(message)

    @property
    def untouched(self) -> bool:
        """Whether the backend has asked, rejected and warned nothing."""
        return not (self.asked or self.rejections or self.warnings)


def assert_presentable(error: BaseException, secrets: Iterable[str]) -> None:
    """Assert that `error` is ours, on one line, without a chain that could hold a credential, and shows no secret."""
    assert isinstance(error, HatchSignError), f"{type(error).__name__} left the backend instead of a HatchSignError"
    assert error.__cause__ is None, f"raised from {type(error.__cause__).__name__}; raise it `from None`"
    hidden = error.__context__ is None or error.__suppress_context__
    assert hidden, f"raised while {type(error.__context__).__name__} was handled; raise it `from None`"
    assert "\n" not in str(error), "an error is one line"
    shown = "".join((str(error), repr(error), repr(error.args), *traceback.format_exception(error)))
    assert not any(secret and secret in shown for secret in secrets), "an error shows a secret"
