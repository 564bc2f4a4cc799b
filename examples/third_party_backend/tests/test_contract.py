import pytest
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, PrivateFormat
from hatch_sign_example_backend import FileBackend

from hatch_sign.custody.context import RunContext
from hatch_sign.testing.backend_contract import BackendContract
from hatch_sign.testing.seals import private_key


class TestFileKeys(BackendContract):
    secrets = ("correct horse", "battery staple")
    backend = pytest.fixture(lambda _self: FileBackend())
    context = pytest.fixture(lambda _self: RunContext({"HATCH_SIGN_PIN": "correct horse"}, on_warning=print))
    wrong_context = pytest.fixture(lambda _self: RunContext({"HATCH_SIGN_PIN": "battery staple"}, on_warning=print))

    @pytest.fixture(scope="class")
    @classmethod
    def references(cls, tmp_path_factory):
        folder, locked = tmp_path_factory.mktemp("keys"), BestAvailableEncryption(b"correct horse")
        for kind in cls.algorithms:
            (folder / kind.value).write_bytes(private_key(kind).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, locked))
        return {kind: f"filekey:{folder}/{kind.value}" for kind in cls.algorithms}
