"""Contract suites that plugins run over their own backends and formats; they need pytest and nothing else."""

import pytest

pytest.register_assert_rewrite(
    "hatch_sign.testing.backend_contract",
    "hatch_sign.testing.format_contract",
    "hatch_sign.testing.observed",
)
