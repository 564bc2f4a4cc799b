"""The client of AWS KMS, as boto3 makes it from its user's settings, with its own repetitions switched off."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hatch_sign.remote import NetworkLimits, ServiceCaller, missing_extra, pool_size
from hatch_sign_kms.aws.operations import METHODS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from hatch_sign.contract.backends import BackendContext
    from hatch_sign_kms.aws.reference import AwsReference

SERVICE = "AWS KMS"
LIMITS = NetworkLimits()
"""Of every connection but those that only look."""


@dataclass(frozen=True, slots=True)
class Connection:
    """A client and the way to ask through it; `sdk` is boto3's, which has no types of its own."""

    sdk: Any
    caller: ServiceCaller

    @property
    def plain_channel(self) -> bool:
        """Whether the service is asked without TLS: the endpoint may come from the environment or the profile."""
        return not str(self.sdk.meta.endpoint_url).startswith("https://")

    def ask(self, operation: str, arguments: Mapping[str, object], *, repeatable: bool = True) -> dict[str, Any]:
        """Return the answer to one call, such as ``Sign``; its permission is ``kms:`` and the same name."""
        method: Callable[..., dict[str, Any]] = getattr(self.sdk, METHODS[operation])
        return self.caller.call(lambda: method(**arguments), permission=f"kms:{operation}", repeatable=repeatable)

    def ask_for(
        self, operation: str, arguments: Mapping[str, object], member: str, *, repeatable: bool = True
    ) -> dict[str, Any]:
        """Return the structure `member` of an answer. Raises as `ask`, and for an answer without it."""
        value = self.ask(operation, arguments, repeatable=repeatable).get(member)
        if not isinstance(value, dict):
            self.caller.reject_answer(f"sent no {member}")
        return value


def import_boto3() -> Any:  # noqa: ANN401 - boto3 has no types
    """Return the package boto3. Raises PluginError where the extra is not installed."""
    try:
        import boto3  # noqa: PLC0415 - an extra, and 100 ms
    except ImportError:
        raise missing_extra(scheme="awskms:", package="boto3", requirement="hatch-sign-kms[aws]") from None
    return boto3


def make_session(reference: AwsReference, context: BackendContext, limits: NetworkLimits) -> Any:  # noqa: ANN401 - as above
    """Return boto3's session for the region that is meant. Raises PluginError without boto3, and what boto3 raises.

    It is a session of its own: boto3's default one is shared by the process, and not for threads. `limits` are those of
    its clients, among them the ones of STS and SSO by which boto3 comes by a credential.
    """
    boto3 = import_boto3()
    from botocore.config import Config  # noqa: PLC0415 - it comes with the extra
    from botocore.session import Session  # noqa: PLC0415 - as above

    core = Session()
    retries = {"mode": "standard", "total_max_attempts": 1}
    core.set_default_client_config(Config(connect_timeout=limits.connect, read_timeout=limits.read, retries=retries))
    # It reads AWS_DEFAULT_REGION itself; AWS_REGION is what the other SDKs and the command line know.
    region = reference.region or context.environ.get("AWS_REGION") or None
    return boto3.Session(region_name=region, botocore_session=core)


def make_caller(reference: AwsReference, context: BackendContext, limits: NetworkLimits | None = None) -> ServiceCaller:
    """Return the caller for what `reference` names; needs boto3."""
    from hatch_sign_kms.aws.translate import classify  # noqa: PLC0415 - it needs the extra

    return ServiceCaller(SERVICE, reference.text, classify, limits or LIMITS, stopped=lambda: context.stopped)


@contextmanager
def connect(reference: AwsReference, context: BackendContext, limits: NetworkLimits | None = None) -> Iterator[Connection]:
    """Lend a client for the service that `reference` names. Raises PluginError without boto3, CustodyError."""
    import_boto3()
    from botocore.config import Config  # noqa: PLC0415 - it comes with the extra

    caller = make_caller(reference, context, limits)
    config = Config(max_pool_connections=pool_size(context), user_agent_extra="hatch-sign")

    def make_client() -> Any:  # noqa: ANN401 - boto3 makes its clients from data, without types
        session = make_session(reference, context, caller.limits)
        return session.client("kms", endpoint_url=reference.endpoint, config=config)

    client = caller.call(make_client)
    try:
        yield Connection(client, caller)
    finally:
        client.close()
