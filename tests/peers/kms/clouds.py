"""A service behind a proxy, and a project that signs with its key through the command line."""

from __future__ import annotations

import base64
import contextlib
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.integration.cli.cli_project import Project, Ran
from tests.peers.kms.aws import rig as aws
from tests.peers.kms.faults import Fault, Proxy, proxied
from tests.peers.kms.vault import rig as vault

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path


@dataclass(frozen=True)
class Cloud:
    """What the tests have to know of a service: how its calls are found, and how it says what it says.

    `prefix` and a name are a reference; `signing`, `reading` and `looking` are found in the requests that sign, that read
    the public key, and that read how the key is kept. `replies` are the service's own words for each trouble; `rotate`
    makes another key answer to a name from now on; `forge` puts another signature into a reply.
    """

    scheme: str
    prefix: str
    signing: str
    reading: str
    environ: Mapping[str, str]
    secrets: tuple[str, ...]
    replies: Mapping[str, Fault]
    rotate: Callable[[str], object]
    forge: Callable[[bytes], bytes]
    proxy: Proxy

    def reference(self, name: str) -> str:
        return self.prefix + name

    def meet(self, fault: Fault, *, matches: str | None = None, times: int = 1) -> None:
        """Let the next matching requests, those that sign unless it is said, run into a fault."""
        fault = Fault(**{**vars(fault), "matches": self.signing if matches is None else matches, "times": times})
        self.proxy.faults.append(fault)


@dataclass(frozen=True, slots=True)
class CloudProject(Project):
    """A project whose every output is held to show none of `secrets`."""

    secrets: tuple[str, ...] = ()

    def run(self, *arguments: str, program: Sequence[str] = ("-m", "hatch_sign"), **environ: str) -> Ran:
        ran = Project.run(self, *arguments, program=program, **environ)
        assert not [secret for secret in self.secrets if secret in ran.output], ran.output
        return ran

    def signed(self) -> list[str]:
        """Return the names of the sidecars that are there."""
        return sorted(path.name for path in self.dist.iterdir() if path.name.endswith(".json"))

    def unfinished(self) -> list[str]:
        """Return what is neither an artifact nor a sidecar."""
        return [
            path.name for path in self.dist.iterdir() if not re.fullmatch(r"tool-\d+\.bin(\.sigstore\.json)?", path.name)
        ]


def make_project(cloud: Cloud, folder: Path, *, artifacts: int = 1) -> CloudProject:
    """Return a folder with artifacts and the environment of the cloud's user."""
    project = CloudProject(folder, {**cloud.environ, "PATH": "", "HOME": str(folder)}, cloud.secrets)
    project.dist.mkdir()
    for number in range(artifacts):
        project.add(f"tool-{number}.bin", b"what is released, number %d" % number)
    return project


@contextlib.contextmanager
def aws_cloud(url: str, folder: Path) -> Iterator[Cloud]:
    """Lend MiniStack at `url` behind a proxy of its own."""

    def refusal(code: str, status: int = 400, **headers: str) -> Fault:
        body = json.dumps({"__type": code, "message": f"no: {aws.SECRET_KEY}"}).encode()
        return Fault(status=status, body=body, headers={"Content-Type": "application/x-amz-json-1.1", **headers})

    def rotate(name: str) -> None:
        _client(url).update_alias(
            AliasName=f"alias/{name}",
            TargetKeyId=_client(url).create_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")["KeyMetadata"]["KeyId"],
        )

    def forge(reply: bytes) -> bytes:
        answer = json.loads(reply)
        return json.dumps({**answer, "Signature": base64.b64encode(_FORGED).decode()}).encode()

    with proxied(url) as proxy:
        yield Cloud(
            scheme="awskms",
            prefix="awskms:///alias/",
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
            rotate=rotate,
            forge=forge,
            proxy=proxy,
        )


@contextlib.contextmanager
def vault_cloud(server: vault.Server, folder: Path) -> Iterator[Cloud]:
    """Lend OpenBao behind a proxy of its own."""

    def refusal(status: int, text: str = "", **headers: str) -> Fault:
        body = json.dumps({"errors": [text]} if text else {"errors": []}).encode()
        return Fault(status=status, body=body, headers={"Content-Type": "application/json", **headers})

    def forge(reply: bytes) -> bytes:
        answer = json.loads(reply)
        answer["data"]["signature"] = f"vault:v1:{base64.b64encode(_FORGED).decode()}"
        return json.dumps(answer).encode()

    with proxied(server.url) as proxy:
        yield Cloud(
            scheme="openbao",
            prefix="openbao://",
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
                "refused": refusal(403, "1 error occurred:\n\t* permission denied\n\n"),
            },
            rotate=lambda name: server.ask("POST", f"transit/keys/{name}/rotate"),
            forge=forge,
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


_FORGED = bytes.fromhex("3006020101020101")
"""The DER of a signature with r = s = 1: well-formed, and by nobody."""
