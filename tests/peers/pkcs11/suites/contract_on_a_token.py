"""The contract of a backend over one real token; ``test_contract.py`` runs it once for each, in a process of its own."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING

import pytest

from hatch_sign.contract.backends import Backend, BackendContext, ImportsCertificates, KeyDescription, ListsKeys, MakesKeys
from hatch_sign.custody.checked_signer import open_signer
from hatch_sign.custody.context import MAX_CONCURRENCY, RunContext
from hatch_sign.testing.backend_contract import BackendContract
from hatch_sign.testing.observed import assert_presentable
from hatch_sign.values.algorithms import KeyAlgorithm
from hatch_sign.values.errors import CustodyError, UnsupportedError
from hatch_sign_pkcs11 import Pkcs11Backend

from .given_token import WRONG_PIN, given_token

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hatch_sign.contract.backends import Signer

TOKEN = given_token()
_NUMBERS = count()


@pytest.fixture(scope="module")
def made() -> Mapping[KeyAlgorithm, str]:
    """Make one key of each kind, as slowly as the token makes them."""
    references = {algorithm: TOKEN.reference(algorithm.value) for algorithm in TOKEN.algorithms}
    for algorithm, reference in references.items():
        Pkcs11Backend().generate_key(reference, algorithm, TOKEN.context())
    return references


class TestToken(BackendContract):
    """All that the contract asks, and what the rig says of its token."""

    algorithms = TOKEN.algorithms
    secrets = (TOKEN.pin, TOKEN.so_pin, WRONG_PIN)
    shows_keys_without_login = False

    @pytest.fixture
    def backend(self) -> Backend:
        return Pkcs11Backend()

    @pytest.fixture
    def context(self) -> RunContext:
        return TOKEN.context()

    @pytest.fixture
    def wrong_context(self) -> RunContext:
        return TOKEN.context(WRONG_PIN)

    @pytest.fixture
    def references(self, made: Mapping[KeyAlgorithm, str]) -> Mapping[KeyAlgorithm, str]:
        return made

    @pytest.fixture
    def new_reference(self) -> str:
        return TOKEN.reference(f"new-{next(_NUMBERS)}")

    def test_it_has_every_optional_power(self, backend: Backend) -> None:
        assert isinstance(backend, MakesKeys)
        assert isinstance(backend, ListsKeys)
        assert isinstance(backend, ImportsCertificates)

    def test_it_signs_by_all_schemes_but_those_that_the_token_lacks(self, signer: Signer, algorithm: KeyAlgorithm) -> None:
        assert set(signer.schemes) == set(algorithm.schemes) - TOKEN.lacks

    def test_it_takes_threads_where_the_module_does(self, signer: Signer) -> None:
        assert signer.concurrency == (MAX_CONCURRENCY if TOKEN.takes_threads else 1)

    def test_kinds_of_key_that_the_token_lacks_are_refused(
        self, backend: Backend, context: BackendContext, new_reference: str
    ) -> None:
        assert isinstance(backend, MakesKeys)
        for lacking in set(KeyAlgorithm) - {*TOKEN.algorithms, *TOKEN.unusable}:
            with pytest.raises(UnsupportedError) as caught:
                backend.generate_key(new_reference, lacking, context)
            assert_presentable(caught.value, self.secrets)
            assert caught.value.remedy

    def test_keys_that_the_token_makes_and_cannot_use_are_one_clear_error(
        self, backend: Backend, context: BackendContext, new_reference: str
    ) -> None:
        assert isinstance(backend, MakesKeys)
        for unusable in TOKEN.unusable:
            with pytest.raises(CustodyError) as caught:
                sign_with(backend, backend.generate_key(new_reference, unusable, context), context)
            assert_presentable(caught.value, self.secrets)


def sign_with(backend: Backend, key: KeyDescription, context: BackendContext) -> bytes:
    with open_signer(backend, key.reference, context) as signer:
        return signer.sign(b"what is released", signer.schemes[0])
