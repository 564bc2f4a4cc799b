"""Contract suites that plugins run over their own backends; pytest is the only thing they need beside hatch-sign."""

import pytest

pytest.register_assert_rewrite("hatch_sign.testing.backend_contract", "hatch_sign.testing.observed")
