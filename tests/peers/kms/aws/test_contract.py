"""The backend contract over MiniStack, with all six kinds of key."""

from __future__ import annotations

import os
from functools import cache
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest
from botocore.loaders import JSONFileLoader

from hatch_sign.custody.context import RunContext
from hatch_sign.testing.backend_contract import BackendContract
from hatch_sign.values.algorithms import KeyAlgorithm
from hatch_sign_kms.aws import AwsBackend
from tests.peers.kms.aws.rig import ACCESS_KEY, SECRET_KEY, SESSION_TOKEN, ministack, settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping


def _read_once(load: Callable[[JSONFileLoader, str], object]) -> Callable[[JSONFileLoader, str], object]:
    loader = JSONFileLoader()
    read = cache(lambda path: load(loader, path))
    return lambda _self, path: read(path)


@pytest.fixture(scope="module")
def environ(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapping[str, str]]:
    folder = tmp_path_factory.mktemp("ministack")
    with ministack(folder) as service, pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("AWS_")]:
            patch.delenv(name)
        for name, value in settings(service.url, folder).items():
            patch.setenv(name, value)  # boto3 reads the environment of the process
        # Each key that is opened makes a client, which reads files of megabytes anew.
        patch.setattr(JSONFileLoader, "load_file", _read_once(JSONFileLoader.load_file))
        yield dict(os.environ)


@pytest.fixture(scope="module")
def made(environ: Mapping[str, str]) -> Mapping[KeyAlgorithm, str]:
    context = RunContext(environ, on_warning=pytest.fail)
    references = {algorithm: f"awskms:///alias/contract/{algorithm.value}" for algorithm in KeyAlgorithm}
    for algorithm, reference in references.items():
        AwsBackend().generate_key(reference, algorithm, context)
    return references


class TestAwsKms(BackendContract):
    """No warning is heard, and nobody is asked for a secret: credentials are boto3's business."""

    secrets = (ACCESS_KEY, SECRET_KEY, SESSION_TOKEN)
    asks_for_secret = False
    backend = pytest.fixture(lambda _self: AwsBackend())

    @pytest.fixture
    def context(self, environ: Mapping[str, str]) -> RunContext:
        return RunContext(environ, on_warning=pytest.fail)

    @pytest.fixture
    def references(self, made: Mapping[KeyAlgorithm, str]) -> Mapping[KeyAlgorithm, str]:
        return made

    @pytest.fixture
    def new_reference(self) -> str:
        return f"awskms:///alias/new-{uuid4()}"
