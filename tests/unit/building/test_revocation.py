"""The build hook judges by the project's own policy, and so asks what was revoked where that wants to know."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from hatch_sign.building.signing import prepare
from hatch_sign.registry import Registry
from hatch_sign.revocation.fetcher import RevocationFetcher
from tests.authority import Authority

CONFIGURATION = """\
key = "emulated:test/release"
[verify]
[[verify.trust]]
certificate-roots = "root.pem"
subject = "CN=signer"
"""


@pytest.mark.parametrize("mode", ["off", "prefer", "require"])
def test_a_policy_that_asks_gets_what_fetches(tmp_path: Path, mode: str) -> None:
    (tmp_path / "root.pem").write_bytes(Authority("Root").pem)
    (tmp_path / "hatch-sign.toml").write_text(f'{CONFIGURATION}revocation = "{mode}"\n')
    policy = prepare(tmp_path, tmp_path, {}, Registry(), datetime.now(UTC)).policy
    assert policy is not None
    assert isinstance(policy.revocations, RevocationFetcher) == (mode != "off")
    assert (policy.revocations is None) == (mode == "off")
