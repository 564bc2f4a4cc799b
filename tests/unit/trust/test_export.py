"""The file for consumers says in TOML exactly what it was given."""

from __future__ import annotations

import tomllib
from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hatch_sign.trust.export import encode_trust_file
from hatch_sign.trust.pem import public_blocks
from hatch_sign.values.public_keys import encode_public_key_pem

from .authorities import issue, p256

PEM = encode_public_key_pem(p256().public_key()).decode()

_texts = st.text(st.characters(codec="utf-8"))
_earliest, _latest = datetime(1000, 1, 1), datetime(9000, 1, 1)  # noqa: DTZ001 - hypothesis adds the time zone
_zones = st.sampled_from([UTC, timezone(timedelta(hours=2)), timezone(-timedelta(hours=9, minutes=30))])
_instants = st.datetimes(_earliest, _latest, timezones=_zones)
_scalars = _texts | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.just(PEM) | _instants
_tables = st.dictionaries(_texts, _scalars | st.lists(_texts), max_size=4)


@given(st.lists(_tables, min_size=1, max_size=3), st.lists(_texts, min_size=1, max_size=3))
def test_whatever_is_written_is_read_back(rules: list[dict[str, object]], require: list[str]) -> None:
    text = encode_trust_file(rules, require=require, timestamp_roots=PEM)
    document = tomllib.loads(text)
    assert document == {"verify": {"require": require, "timestamp-roots": PEM, "trust": rules}}


def test_pem_is_written_as_people_know_it() -> None:
    text = encode_trust_file([{"public-key": PEM}], require=["sigstore"])
    assert f"public-key = '''\n{PEM}'''\n" in text
    odd = PEM.replace("\n-----END", "'''\nx = 1\n-----END")
    assert tomllib.loads(encode_trust_file([{"public-key": odd}], require=["a"]))["verify"]["trust"] == [{"public-key": odd}]


def test_dates_are_dates() -> None:
    assert "ends = 2027-12-31\n" in encode_trust_file([{"ends": date(2027, 12, 31)}], require=["a"])


def test_a_value_that_toml_lacks_is_refused() -> None:
    with pytest.raises(TypeError, match="a NoneType cannot stand in a trust file"):
        encode_trust_file([{"a": None}], require=["a"])


def test_only_public_blocks_are_taken_from_a_file() -> None:
    holder = issue("a", None)
    secret = "-----BEGIN PRIVATE KEY-----\nMAAA\n-----END PRIVATE KEY-----\n"  # noqa: S105 - it is no key
    data = f"Bag Attributes\n  secret: 1\n{secret}{holder.pem}trailing\n{PEM}".replace("\n", "\r\n")
    assert public_blocks(data.encode()) == holder.pem + PEM
    assert public_blocks(b"nothing") == ""
