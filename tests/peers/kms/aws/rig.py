"""MiniStack, which answers as AWS KMS does, and the settings by which an AWS user reaches it."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from tests.peers.kms.programs import Program, running, script
from tests.ports import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ACCESS_KEY = "AKIAHATCHSIGNTESTS00"
SECRET_KEY = "aws-secret-of-the-tests"  # noqa: S105 - MiniStack takes any; no output may show it
SESSION_TOKEN = "aws-session-of-the-tests"  # noqa: S105 - as above


@contextlib.contextmanager
def ministack(folder: Path) -> Iterator[Program]:
    """Run it on a free port until the block ends, with nothing but KMS."""
    port = free_port()
    environ = {
        "BIND_HOST": "127.0.0.1",
        "GATEWAY_PORT": str(port),
        "IOT_MTLS_ENABLED": "0",
        "SERVICES": "kms",
        "TMPDIR": str(folder),
    }
    with running([script("ministack")], port=port, folder=folder, path="/", environ=environ) as program:
        yield program


def settings(url: str, folder: Path) -> dict[str, str]:
    """Return the environment of an AWS user whose service is at `url`, and nothing of whoever runs the tests."""
    return {
        "AWS_ACCESS_KEY_ID": ACCESS_KEY,
        "AWS_CONFIG_FILE": str(folder / "no-config"),
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_ENDPOINT_URL_KMS": url,
        "AWS_REGION": "eu-central-1",
        "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
        "AWS_SESSION_TOKEN": SESSION_TOKEN,
        "AWS_SHARED_CREDENTIALS_FILE": str(folder / "no-credentials"),
        "NO_PROXY": "127.0.0.1,localhost",
        "no_proxy": "127.0.0.1,localhost",
    }
