from __future__ import annotations

import io
from collections.abc import Sequence

import pytest

from hatch_sign.contract import TakesTimestampsInside
from hatch_sign.formats.cms.encoding import replace_unsigned
from hatch_sign.formats.rfc3161 import parse_timestamp, token_of
from hatch_sign.values.errors import MalformedError, WitnessError
from hatch_sign_authenticode.producer import AuthenticodeProducer
from hatch_sign_authenticode.structures import NESTED_SIGNATURE
from tests.formats.stamps import Stamp

from .signing import IMAGE, Crafted, check, sign, with_signatures

PRODUCER = AuthenticodeProducer()
NESTED = with_signatures(
    replace_unsigned(Crafted().encode(), {NESTED_SIGNATURE: [Crafted().encode()]}, subject="the signature")
)


class Choosing:
    """Remembers what it was asked, and answers with a new timestamp, or with `answer`."""

    def __init__(self, answer: Sequence[bytes] | None = None) -> None:
        self.asked: list[tuple[bytes, Sequence[bytes]]] = []
        self.answer = answer

    def __call__(self, signature: bytes, present: Sequence[bytes]) -> Sequence[bytes]:
        self.asked.append((signature, present))
        return (*present, Stamp(nonce=len(present)).reply(signature)) if self.answer is None else self.answer


def stamped(image: bytes, choose: Choosing) -> bytes:
    target = io.BytesIO()
    assert PRODUCER.embed_timestamps(io.BytesIO(image), target, choose)
    return target.getvalue()


def test_the_power_is_known_by_its_protocol() -> None:
    assert isinstance(PRODUCER, TakesTimestampsInside)


def test_a_signature_gets_the_timestamp_that_was_chosen_for_it() -> None:
    image, choosing = sign(), Choosing()
    (before,) = check(image).facts
    (after,) = check(stamped(image, choosing)).facts
    assert choosing.asked == [(before.signature, ())]
    assert after.signature == before.signature
    assert parse_timestamp(after.timestamps[0]).vouches_for(after.signature)


def test_every_nested_signature_gets_its_own() -> None:
    choosing = Choosing()
    facts = check(stamped(NESTED, choosing)).facts
    assert len(facts) == len(choosing.asked) == 2
    assert all(parse_timestamp(each.timestamps[0]).vouches_for(each.signature) for each in facts)


def test_another_timestamp_is_added_and_the_older_one_is_shown() -> None:
    once, choosing = stamped(sign(), Choosing()), Choosing()
    (before,) = check(once).facts
    (after,) = check(stamped(once, choosing)).facts
    assert choosing.asked == [(before.signature, before.timestamps)]
    assert set(before.timestamps) < set(after.timestamps)


def test_one_timestamp_is_not_held_twice() -> None:
    (facts,) = check(stamped(sign(), Choosing())).facts
    assert check(stamped(sign(), Choosing([*facts.timestamps, *facts.timestamps]))).facts[0].timestamps == facts.timestamps


def test_nothing_changes_where_the_present_ones_are_chosen() -> None:
    once = stamped(sign(), Choosing())
    (facts,) = check(once).facts
    assert stamped(once, Choosing(facts.timestamps)) == once
    assert stamped(sign(), Choosing(())) == sign()


def test_all_timestamps_can_be_taken_away() -> None:
    assert stamped(stamped(sign(), Choosing()), Choosing(())) == sign()


@pytest.mark.parametrize("data", [b"another kind of file", IMAGE])
def test_there_is_nothing_to_stamp_without_a_signature(data: bytes) -> None:
    choosing, target = Choosing(), io.BytesIO()
    assert PRODUCER.embed_timestamps(io.BytesIO(data), target, choosing) is False
    assert (choosing.asked, target.getvalue()) == ([], b"")


def test_what_is_malformed_is_not_stamped() -> None:
    with pytest.raises(MalformedError, match="the signature is not well-formed"):
        stamped(with_signatures(b"\x30\x03\x02\x01\x07"), Choosing())
    with pytest.raises(MalformedError, match="the timestamp is not"):
        stamped(sign(), Choosing([b"garbage"]))


def test_what_choosing_raises_goes_through() -> None:
    class Failing(Choosing):
        def __call__(self, signature: bytes, present: Sequence[bytes]) -> Sequence[bytes]:
            del signature, present
            message = "no authority answers"
            raise WitnessError(message)

    with pytest.raises(WitnessError, match="no authority answers"):
        stamped(sign(), Failing())


def test_a_token_is_taken_out_of_its_reply() -> None:
    reply = Stamp().reply(check(sign()).facts[0].signature)
    assert check(stamped(sign(), Choosing([reply]))).facts[0].timestamps == (token_of(reply),)
