"""What every backend behind a network shares: one policy for failures and retries, and the signer over a remote key.

A provider writes a :class:`RemoteKey` over its SDK, and a function that says what each of the SDK's exceptions means as
a :class:`Failure`. It asks its service through a :class:`ServiceCaller`, and lends the key by :func:`open_remote_key`.
"""

from hatch_sign.remote.calling import ServiceCaller
from hatch_sign.remote.certificates import untrusted_certificate
from hatch_sign.remote.encoding import encode_ecdsa_signature, parse_public_key_der, parse_public_key_pem
from hatch_sign.remote.extras import missing_extra
from hatch_sign.remote.failures import Failure, FailureKind, classify_status
from hatch_sign.remote.keeping import Exposure, service_protection
from hatch_sign.remote.keys import CONCURRENCY, KeyFacts, RemoteKey
from hatch_sign.remote.limits import QUICK, NetworkLimits
from hatch_sign.remote.proxies import proxy_login_wanted
from hatch_sign.remote.retrying import Timing, parse_retry_after
from hatch_sign.remote.signer import RemoteSigner, open_remote_key, pool_size

__all__ = [
    "CONCURRENCY",
    "QUICK",
    "Exposure",
    "Failure",
    "FailureKind",
    "KeyFacts",
    "NetworkLimits",
    "RemoteKey",
    "RemoteSigner",
    "ServiceCaller",
    "Timing",
    "classify_status",
    "encode_ecdsa_signature",
    "missing_extra",
    "open_remote_key",
    "parse_public_key_der",
    "parse_public_key_pem",
    "parse_retry_after",
    "pool_size",
    "proxy_login_wanted",
    "service_protection",
    "untrusted_certificate",
]
