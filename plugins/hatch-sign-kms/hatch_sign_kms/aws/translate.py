"""What the exceptions of boto3 mean. Their texts are looked at, never shown."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from botocore import exceptions as sdk

from hatch_sign.remote import (
    Failure,
    FailureKind,
    classify_status,
    parse_retry_after,
    proxy_login_wanted,
    untrusted_certificate,
)
from hatch_sign_kms.aws.operations import METHODS

if TYPE_CHECKING:
    from collections.abc import Mapping

_THROTTLED, _UNAVAILABLE = FailureKind.THROTTLED, FailureKind.UNAVAILABLE
_REFUSED, _UNAUTHENTICATED = FailureKind.REFUSED, FailureKind.UNAUTHENTICATED
_NO_CREDENTIAL, _MISSING = FailureKind.NO_CREDENTIAL, FailureKind.MISSING
_INVALID, _MALFORMED = FailureKind.INVALID, FailureKind.MALFORMED

_LOG_IN = "check AWS_PROFILE and the credentials, for instance by `aws sts get-caller-identity`"
_ROLE = "check the role's ARN and its trust policy: who may assume it, and for which audience and subject of a token"
_CLOCK = "check the secret access key, and the clock of this machine"

CODES: Mapping[str, tuple[FailureKind, str, str]] = {
    "Throttling": (_THROTTLED, "", ""),
    "ThrottlingException": (_THROTTLED, "", ""),
    "TooManyRequestsException": (_THROTTLED, "", ""),
    "RequestLimitExceeded": (_THROTTLED, "", ""),
    "DependencyTimeoutException": (_UNAVAILABLE, "", ""),
    "InternalFailure": (_UNAVAILABLE, "", ""),
    "KMSInternalException": (_UNAVAILABLE, "", ""),
    "KeyUnavailableException": (_UNAVAILABLE, "cannot reach the key at the moment", ""),
    "RequestTimeout": (_UNAVAILABLE, "", ""),
    "ServiceUnavailable": (_UNAVAILABLE, "", ""),
    "ServiceUnavailableException": (_UNAVAILABLE, "", ""),
    "AccessDenied": (_REFUSED, "", ""),
    "AccessDeniedException": (_REFUSED, "", ""),
    "NotAuthorized": (_REFUSED, "", ""),
    "OptInRequired": (_REFUSED, "is not enabled for this account", "enable AWS KMS, or the region, for the account"),
    "ExpiredToken": (_UNAUTHENTICATED, "", _LOG_IN),
    "ExpiredTokenException": (_UNAUTHENTICATED, "", _LOG_IN),
    "IDPCommunicationError": (_UNAVAILABLE, "", ""),
    "IncompleteSignature": (_UNAUTHENTICATED, "", _CLOCK),
    "InvalidClientTokenId": (_UNAUTHENTICATED, "", _LOG_IN),
    "InvalidSignatureException": (_UNAUTHENTICATED, "", _CLOCK),
    "MissingAuthenticationToken": (_UNAUTHENTICATED, "", _LOG_IN),
    "MissingAuthenticationTokenException": (_UNAUTHENTICATED, "", _LOG_IN),
    "RequestExpired": (_UNAUTHENTICATED, "", _CLOCK),
    "SignatureDoesNotMatch": (_UNAUTHENTICATED, "", _CLOCK),
    "UnrecognizedClientException": (_UNAUTHENTICATED, "", _LOG_IN),
    "NotFoundException": (_MISSING, "", ""),
    "AlreadyExistsException": (_INVALID, "has such an alias already", "choose another alias: a key is never replaced"),
    "DisabledException": (_INVALID, "says that the key is disabled", "enable it, or sign with another"),
    "InvalidAliasNameException": (_INVALID, "does not take such an alias", "use letters, digits, slashes, _ and -"),
    "InvalidArnException": (_INVALID, "does not take such an ARN", "check the reference, and that its region is meant"),
    "InvalidGrantTokenException": (_INVALID, "", ""),
    "InvalidIdentityToken": (_UNAUTHENTICATED, "", _ROLE),
    "InvalidKeyUsageException": (_INVALID, "says that the key is not for signing by this algorithm", ""),
    "KMSInvalidStateException": (
        _INVALID,
        "says that the key is in no state to be used: pending deletion or import, or disabled",
        "see `aws kms describe-key`",
    ),
    "LimitExceededException": (_INVALID, "has no room for another key: a quota is reached", "ask for a higher quota"),
    "MalformedPolicyDocumentException": (_INVALID, "", ""),
    "UnsupportedOperationException": (_INVALID, "does not offer this for such a key, or in this region", ""),
    "ValidationException": (_INVALID, "does not take the request as it is", "check the kind of the key"),
}
"""What each error code of the service means, with a phrase and an advice where those of the kind say too little."""

EXCEPTIONS: tuple[tuple[type[Exception], FailureKind, str, str], ...] = (
    (sdk.NoCredentialsError, _NO_CREDENTIAL, "", "set AWS_PROFILE, or AWS_ACCESS_KEY_ID and its peers, or use a role"),
    (sdk.PartialCredentialsError, _NO_CREDENTIAL, "needs a credential, and only a part was found", _LOG_IN),
    (sdk.ProfileNotFound, _NO_CREDENTIAL, "needs a credential, and the profile does not exist", "check AWS_PROFILE"),
    (sdk.NoRegionError, _INVALID, "needs a region, and none is set", "set AWS_REGION, or name the key by its ARN"),
    (sdk.InvalidRegionError, _INVALID, "has no such region", "check AWS_REGION"),
    (sdk.ConfigParseError, _INVALID, "has a configuration file that cannot be read", "check AWS_CONFIG_FILE"),
    (sdk.CredentialRetrievalError, _UNAUTHENTICATED, "could not be logged in to", _LOG_IN),
    (sdk.TokenRetrievalError, _UNAUTHENTICATED, "could not be logged in to", "run `aws sso login`"),
    (sdk.SSOError, _UNAUTHENTICATED, "could not be logged in to", "run `aws sso login`"),
    (sdk.LoginError, _UNAUTHENTICATED, "could not be logged in to", "run `aws login`"),
    (sdk.ProxyConnectionError, _UNAVAILABLE, "could not be reached: the proxy failed", "check HTTPS_PROXY and NO_PROXY"),
    (sdk.HTTPClientError, _UNAVAILABLE, "", ""),
    (sdk.ConnectionError, _UNAVAILABLE, "", ""),
    (sdk.IncompleteReadError, _UNAVAILABLE, "", ""),
    (sdk.ParamValidationError, _INVALID, "", ""),
)
"""What each exception that is none of the service means; the first that fits."""


def classify(error: Exception) -> Failure | None:
    """Return what `error` means, by the service's own code where it has one; None for an exception that is not boto3's."""
    if isinstance(error, sdk.ClientError):
        answer = _classify_answer(error.response)
        return answer if error.operation_name in METHODS else _as_login(answer)
    untrusted = untrusted_certificate(error, remedy="name the authority's file in AWS_CA_BUNDLE")
    if untrusted is not None:
        return untrusted
    if (login := proxy_login_wanted(error)) is not None:
        return login
    for kind_of_error, kind, found, remedy in EXCEPTIONS:
        if isinstance(error, kind_of_error):
            return Failure(kind, found=found, remedy=remedy)
    return Failure(_MALFORMED) if _raised_by_parser(error) else None


def _as_login(answer: Failure) -> Failure:
    """Return the failure of a call that boto3 makes for a credential, of STS for instance: it says nothing of the key."""
    if answer.kind.passes or answer.kind is _MALFORMED:
        return replace(answer, found="could not be logged in to: the token service did not answer, or failed")
    remedy = _ROLE if answer.kind in {_REFUSED, _INVALID} else answer.remedy or _LOG_IN
    return replace(answer, kind=_UNAUTHENTICATED, found="could not be logged in to", remedy=remedy)


def _raised_by_parser(error: Exception) -> bool:
    """Return whether the SDK stumbled over an answer: on another shape than it expects, by whatever Python raises then."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return trace is not None and trace.tb_frame.f_globals.get("__name__") == "botocore.parsers"


def _classify_answer(response: Mapping[str, Any]) -> Failure:
    metadata = response.get("ResponseMetadata", {})
    retry_after = parse_retry_after(metadata.get("HTTPHeaders", {}).get("retry-after"), now=datetime.now(UTC))
    code = str(response.get("Error", {}).get("Code", ""))
    if code not in CODES:
        status = metadata.get("HTTPStatusCode")
        return classify_status(status if isinstance(status, int) else 0, retry_after=retry_after)
    kind, found, remedy = CODES[code]
    return Failure(kind, code, found, remedy, retry_after)
