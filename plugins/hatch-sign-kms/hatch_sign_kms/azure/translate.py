"""What each exception of Azure's libraries means; their texts are never shown, for they may repeat a credential."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from hatch_sign.remote import (
    Failure,
    FailureKind,
    classify_status,
    parse_retry_after,
    proxy_login_wanted,
    untrusted_certificate,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from azure.core.exceptions import ClientAuthenticationError, HttpResponseError

LOGIN = "log in: az login, AZURE_CLIENT_ID and its peers, workload identity, or a managed identity"
_TRUST = "for a proxy or a private authority, set REQUESTS_CA_BUNDLE"
_DIRECTORY_ERROR = "AADSTS"
"""How every refusal of Microsoft Entra ID begins: there was a credential, and it was not accepted."""


def classify(error: Exception) -> Failure | None:
    """Return what `error` means, None for what is no exception of Azure's."""
    from azure.core import exceptions as azure  # noqa: PLC0415 - with the SDK only

    if isinstance(error, azure.ClientAuthenticationError) and error.response is None:
        return _classify_login(error)
    if isinstance(error, azure.IncompleteReadError):
        return Failure(FailureKind.UNAVAILABLE, found="broke off in the middle of an answer")
    if isinstance(error, azure.DecodeError):
        return Failure(FailureKind.MALFORMED)
    if isinstance(error, azure.HttpResponseError):
        return _classify_answer(error)
    if isinstance(error, azure.ServiceRequestError | azure.ServiceResponseError):
        return _classify_connection(error)
    # So the SDK speaks of a challenge for another domain, and stumbles over answers of another shape.
    stumbled = isinstance(error, ValueError | TypeError | KeyError | AttributeError)
    return Failure(FailureKind.MALFORMED) if stumbled else None


def _classify_login(error: ClientAuthenticationError) -> Failure:
    if _DIRECTORY_ERROR in str(error.message):
        return Failure(FailureKind.UNAUTHENTICATED, remedy=LOGIN)
    return Failure(FailureKind.NO_CREDENTIAL, found="needs a credential, and none was found that works", remedy=LOGIN)


def _classify_connection(error: Exception) -> Failure:
    behind = getattr(error, "inner_exception", None) or error
    untrusted = untrusted_certificate(behind, remedy=f"check the address; {_TRUST}")
    return untrusted or proxy_login_wanted(behind) or Failure(FailureKind.UNAVAILABLE)


def _classify_answer(error: HttpResponseError) -> Failure:
    status = error.status_code or 0
    code, inner = _error_codes(error)
    if code in _ANSWERS or inner in _ANSWERS:
        found, remedy = _ANSWERS[inner if inner in _ANSWERS else code]
        return Failure(FailureKind.INVALID, inner or code, found, remedy)
    failure = classify_status(status, retry_after=_retry_after(error))
    remedy = LOGIN if failure.kind is FailureKind.UNAUTHENTICATED else failure.remedy
    return replace(failure, code=inner or code or failure.code, remedy=remedy)


_FIREWALL = ("does not let this machine in", "allow its address in the vault's firewall, or use a private endpoint")
_ANSWERS: Mapping[str, tuple[str, str]] = {
    "KeyDisabled": ("cannot use the key: it is disabled", "enable it, or name another version"),
    "KeyExpired": ("cannot use the key: it has expired", "rotate it, or set a later end"),
    "KeyNotYetValid": ("cannot use the key: it is not valid yet", "check its activation date"),
    "KeyOperationForbidden": ("does not let this key sign", "allow the operation `sign` on the key"),
    "ForbiddenByFirewall": _FIREWALL,
    "ForbiddenByConnection": _FIREWALL,
    "ObjectIsDeletedButRecoverable": (
        "keeps a deleted key of this name",
        "recover or purge it first, or choose another name",
    ),
    "ObjectIsBeingDeleted": ("is deleting a key of this name", "wait, or choose another name"),
}
"""What the service's own codes say more precisely than the status does."""


def _error_codes(error: HttpResponseError) -> tuple[str, str]:
    """Return the code of the answer and the one inside it, as far as it has them."""
    described = error.error
    code = described.code if described is not None else None
    inner = described.innererror if described is not None else None
    inner_code = inner.get("code") if isinstance(inner, dict) else None
    return _as_text(code), _as_text(inner_code)


def _as_text(code: object) -> str:
    return code if isinstance(code, str) else ""


def _retry_after(error: HttpResponseError) -> float | None:
    headers = getattr(error.response, "headers", {})
    return parse_retry_after(headers.get("Retry-After"), now=datetime.now(UTC))
