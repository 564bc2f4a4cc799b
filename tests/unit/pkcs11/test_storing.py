"""What is stored on a token, decided before anybody logs in."""

from __future__ import annotations

import pytest

from hatch_sign.custody.context import RunContext
from hatch_sign.values.errors import CustodyError, HatchSignError
from hatch_sign_pkcs11.storing import import_certificate
from tests.authority import Authority
from tests.certificate_damage import with_damaged_name

REFERENCE = "pkcs11:token=release;object=signing?module-path=/nowhere/module.so"


def test_a_certificate_with_a_name_that_cannot_be_read_costs_no_login() -> None:
    leaf = Authority("Root").holder("Signer").certificate
    context = RunContext({}, on_warning=pytest.fail)
    with pytest.raises(CustodyError, match="holds a name that is not well-formed, and cannot be stored"):
        import_certificate(REFERENCE, [with_damaged_name(leaf, "Signer")], context)
    with pytest.raises(HatchSignError, match=r"/nowhere/module\.so"):  # the names are right, and now it is the module's turn
        import_certificate(REFERENCE, [leaf], context)
