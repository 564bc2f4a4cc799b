"""Keys of both services with time that passes only when somebody sleeps, for failures that are repeated."""

from __future__ import annotations

import ssl
from contextlib import contextmanager
from types import SimpleNamespace
from typing import TYPE_CHECKING

from hatch_sign.remote import NetworkLimits, ServiceCaller
from hatch_sign_services.artifact_signing import translate as artifact_signing_errors
from hatch_sign_services.artifact_signing.key import ArtifactSigningKey
from hatch_sign_services.artifact_signing.references import parse_artifact_signing_reference
from hatch_sign_services.artifact_signing.tokens import Tokens
from hatch_sign_services.client import HttpsClient
from hatch_sign_services.signserver import translate as signserver_errors
from hatch_sign_services.signserver.key import SignServerKey
from hatch_sign_services.signserver.login import basic_login, client_tls
from hatch_sign_services.signserver.references import parse_signserver_reference

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.unit.remote.services import Time

    from .conftest import ArtifactSigningRig, SignServerRig

LIMITS = NetworkLimits(connect=60.0, read=60.0, total=60.0, attempts=3)
IMPATIENT = NetworkLimits(connect=60.0, read=1.0, total=60.0, attempts=2)


@contextmanager
def signserver_key(
    rig: SignServerRig, time: Time, *, limits: NetworkLimits = LIMITS, reference: str | None = None, **environ: str
) -> Iterator[SignServerKey]:
    parsed, context = parse_signserver_reference(reference or rig.reference()), rig.context(**environ)
    tls = client_tls(parsed, context, password_is_basic=False)
    client = HttpsClient(parsed.origin, tls, context.environ, connections=8, limits=limits)
    caller = ServiceCaller("SignServer", parsed.text, signserver_errors.classify, limits, time.timing)
    key = SignServerKey(parsed, client, caller, basic_login(parsed, context), context)
    key.describe()
    yield key
    client.close()


@contextmanager
def artifact_signing_key(
    rig: ArtifactSigningRig, time: Time, *, limits: NetworkLimits = LIMITS
) -> Iterator[ArtifactSigningKey]:
    parsed = parse_artifact_signing_reference(rig.reference)
    client = HttpsClient(rig.service.origin, ssl.create_default_context(), {}, connections=8, limits=limits)
    caller = ServiceCaller("Artifact Signing", parsed.text, artifact_signing_errors.classify, limits, time.timing)
    token = SimpleNamespace(token=rig.fake.token, expires_on=4_102_444_800)
    yield ArtifactSigningKey(parsed, client, caller, Tokens(SimpleNamespace(get_token=lambda _scope: token)))
    client.close()
