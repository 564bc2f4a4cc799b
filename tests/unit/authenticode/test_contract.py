"""The contract of formats over Authenticode."""

from __future__ import annotations

from typing import ClassVar

import hatch_sign_authenticode
from hatch_sign.testing.format_contract import FormatContract
from hatch_sign.values.algorithms import KeyAlgorithm

from .images import make_image


class TestAuthenticode(FormatContract):
    format = hatch_sign_authenticode.hatch_sign_register_format()
    plugin = "hatch_sign_authenticode"
    refused = frozenset(KeyAlgorithm) - {KeyAlgorithm.RSA_3072, KeyAlgorithm.RSA_4096}
    needs_certificate = True
    certificate_options: ClassVar = {}
    artifact = make_image()
    inapplicable = b"another kind of file"
    name = "example.exe"
