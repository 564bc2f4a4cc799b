"""MiniStack and OpenBao, each behind a proxy that does to replies what networks and overloaded services do."""

from __future__ import annotations

import base64
import contextlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.peers.kms.aws import rig as aws
from tests.peers.kms.clouds import FORGED, Cloud
from tests.peers.kms.faults import Fault, Proxy, proxied
from tests.peers.kms.vault import rig as vault

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

ALWAYS = 10_000


@dataclass
class ProxiedCloud(Cloud):
    """`signing` and `reading` are found in the requests that sign and that read the public key.

    `replies` are the service's own words for each trouble; `forged` puts another signature into a reply, `rotated` makes
    another key answer to a name. `address` is the variable that names the service's address.
    """

    signing: str
    reading: str
    address: str
    replies: Mapping[str, Fault]
    forged: Callable[[bytes], bytes]
    rotated: Callable[[str], object]
    proxy: Proxy

    def meet(self, fault: Fault, *, matches: str | None = None, times: int = 1) -> Fault:
        """Let the next matching requests, those that sign unless it is said, run into a fault."""
        fault = Fault(**{**vars(fault), "matches": self.signing if matches is None else matches, "times": times})
        self.proxy.faults.append(fault)
        return fault

    def reset(self) -> None:
        self.proxy.faults.clear()
        self.proxy.requests.clear()
        self.proxy.delay, self.proxy.most_at_once = 0.0, 0

    def fail(self, trouble: str, times: int) -> None:
        self.meet(self.replies[trouble], times=times)
        if trouble == "expired" and "expired, asked who it is" in self.replies:
            self.meet(self.replies["expired, asked who it is"], matches="lookup-self", times=times)

    def deny(self) -> None:
        self.meet(self.replies["refused"], times=ALWAYS)

    def deny_reading(self) -> None:
        self.meet(self.replies["refused"], matches=self.reading, times=ALWAYS)

    def forge(self) -> None:
        self.meet(Fault(alter=self.forged), times=ALWAYS)

    def rotate(self, name: str) -> None:
        self.rotated(name)

    def before_signing(self, hook: Callable[[], None]) -> None:
        self.meet(Fault("pass", meanwhile=hook), times=ALWAYS)

    def end_after(self, signatures: int) -> None:
        self.meet(Fault("pass"), times=signatures)
        self.meet(Fault("reset"), times=ALWAYS)

    def slow_down(self, seconds: float) -> None:
        self.proxy.delay = seconds

    def signatures(self) -> int:
        return self.proxy.count(self.signing)

    def most_at_once(self) -> int:
        return self.proxy.most_at_once


@contextlib.contextmanager
def aws_cloud(url: str, folder: Path) -> Iterator[ProxiedCloud]:
    """Lend MiniStack at `url` behind a proxy of its own."""

    def refusal(code: str, status: int = 400, **headers: str) -> Fault:
        body = json.dumps({"__type": code, "message": f"no: {aws.SECRET_KEY}"}).encode()
        return Fault(status=status, body=body, headers={"Content-Type": "application/x-amz-json-1.1", **headers})

    def rotate(name: str) -> None:
        _client(url).update_alias(
            AliasName=f"alias/{name}",
            TargetKeyId=_client(url).create_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")["KeyMetadata"]["KeyId"],
        )

    def forged(reply: bytes) -> bytes:
        answer = json.loads(reply)
        return json.dumps({**answer, "Signature": base64.b64encode(FORGED).decode()}).encode()

    with proxied(url) as proxy:
        yield ProxiedCloud(
            scheme="awskms",
            prefix="awskms:///alias/",
            whole="awskms:///",
            permission="kms:Sign",
            reading_permission="kms:GetPublicKey",
            protection=("software", "origin", "AWS_KMS"),  # over a plain channel, nobody vouches for anything
            diagnosis=("boto3",),
            credentials=("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"),
            alone={},
            without_credential="needs a credential, and none was found; set AWS_PROFILE",
            address="AWS_ENDPOINT_URL_KMS",
            signing="TrentService.Sign",
            reading="TrentService.GetPublicKey",
            environ=aws.settings(proxy.url, folder),
            secrets=(aws.ACCESS_KEY, aws.SECRET_KEY, aws.SESSION_TOKEN),
            replies={
                "throttled": refusal("ThrottlingException"),
                "throttled, waiting": refusal("ThrottlingException", **{"Retry-After": "1"}),
                "failed": refusal("KMSInternalException", 500),
                "unavailable": Fault(status=503, body=b"<html>upstream</html>"),
                "refused": refusal("AccessDeniedException"),
                "expired": refusal("ExpiredTokenException"),
            },
            rotated=rotate,
            forged=forged,
            proxy=proxy,
        )


@contextlib.contextmanager
def vault_cloud(server: vault.Server, folder: Path) -> Iterator[ProxiedCloud]:
    """Lend OpenBao behind a proxy of its own."""

    def refusal(status: int, text: str = "", **headers: str) -> Fault:
        body = json.dumps({"errors": [text]} if text else {"errors": []}).encode()
        return Fault(status=status, body=body, headers={"Content-Type": "application/json", **headers})

    def forged(reply: bytes) -> bytes:
        answer = json.loads(reply)
        answer["data"]["signature"] = f"vault:v1:{base64.b64encode(FORGED).decode()}"
        return json.dumps(answer).encode()

    with proxied(server.url) as proxy:
        yield ProxiedCloud(
            scheme="openbao",
            prefix="openbao://",
            whole="openbao://",
            permission="update on transit/sign/p256",
            reading_permission="read on transit/keys/p256",
            protection=("software", "exportable", "false"),  # as above
            diagnosis=("hvac", "127.0.0.1:"),
            credentials=("BAO_TOKEN",),
            alone={},
            without_credential=r"no source holds it \(pin-source, BAO_TOKEN\).*; set BAO_TOKEN",
            address="BAO_ADDR",
            signing="/v1/transit/sign/",
            reading="/v1/transit/keys/",
            environ=vault.settings(proxy.url, folder),
            secrets=(vault.ROOT_TOKEN,),
            replies={
                "throttled": refusal(429, f"request path {vault.ROOT_TOKEN}: rate limit quota exceeded"),
                "throttled, waiting": refusal(429, "rate limit quota exceeded", **{"Retry-After": "1"}),
                "failed": refusal(500, f"internal error: {vault.ROOT_TOKEN}"),
                "unavailable": refusal(503, "Vault is sealed"),
                "expired": refusal(403, "permission denied"),
                "expired, asked who it is": refusal(403, "permission denied"),
                "refused": refusal(403, "1 error occurred:\n\t* permission denied\n\n"),
            },
            rotated=lambda name: server.ask("POST", f"transit/keys/{name}/rotate"),
            forged=forged,
            proxy=proxy,
        )


def _client(url: str) -> Any:  # noqa: ANN401 - boto3 has no types
    """Return boto3's client for the service itself, past any proxy."""
    import boto3  # noqa: PLC0415 - for the tests of one service only

    return boto3.client(
        "kms",
        endpoint_url=url,
        region_name="eu-central-1",
        aws_access_key_id=aws.ACCESS_KEY,
        aws_secret_access_key=aws.SECRET_KEY,
    )
