"""One log: what is proposed to it, and what of its answers is believed."""

from __future__ import annotations

import base64
import copy
import json
import re
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from hatch_sign.contract import Evidence, WitnessRequest
from hatch_sign.formats.sigstore.log_entry import parse_log_entry
from hatch_sign.values.algorithms import KeyAlgorithm, Scheme
from hatch_sign.values.errors import WitnessError
from hatch_sign_sigstore.rekor import RekorLogs

from ...transparency_log import ENTRIES, Entry, b64, logging
from .asking import CONTEXT, attest, enveloped, refusal, seal, signed

if TYPE_CHECKING:
    from hatch_sign.testing.seals import KeySeal

KEYS = [
    (KeyAlgorithm.ECDSA_P256, Scheme.ECDSA_SHA256),
    (KeyAlgorithm.ECDSA_P384, Scheme.ECDSA_SHA384),
    (KeyAlgorithm.ECDSA_P384, Scheme.ECDSA_SHA256),
    (KeyAlgorithm.RSA_3072, Scheme.RSA_PKCS1_SHA256),
]


@pytest.mark.parametrize(("algorithm", "scheme"), KEYS, ids=lambda each: getattr(each, "label", None) or each.value)
@pytest.mark.parametrize("count", [0, 1, 2, 3, 6, 7, 100])
def test_a_signature_is_entered_and_proven(algorithm: KeyAlgorithm, scheme: Scheme, count: int) -> None:
    with logging() as log:
        log.grow(count)
        evidence = attest(log, signed(seal(algorithm, scheme)))
    entry = parse_log_entry(evidence.data)
    assert evidence.kind == "log-entry"
    assert entry["kindVersion"] == {"kind": "hashedrekord", "version": "0.0.1"}
    assert (entry["logIndex"], entry["inclusionProof"]["logIndex"]) == (str(1000 + count), str(count))
    assert entry["inclusionProof"]["treeSize"] == str(count + 1)
    assert base64.b64decode(entry["canonicalizedBody"]) == log.bodies[-1]


@pytest.mark.parametrize("algorithm", [KeyAlgorithm.ECDSA_P256, KeyAlgorithm.RSA_3072, KeyAlgorithm.ED25519])
def test_an_envelope_is_entered_and_proven(algorithm: KeyAlgorithm) -> None:
    with logging() as log:
        evidence = attest(log, enveloped(seal(algorithm, algorithm.schemes[0])))
    assert parse_log_entry(evidence.data)["kindVersion"] == {"kind": "dsse", "version": "0.0.1"}


@pytest.mark.parametrize("make", [signed, enveloped])
def test_what_was_entered_before_is_looked_up(make: Callable[[KeySeal], WitnessRequest]) -> None:
    request = make(seal())
    with logging() as log:
        first = parse_log_entry(attest(log, request).data)
        log.grow(5)
        second = parse_log_entry(attest(log, request).data)
    assert [asked.method for asked in log.service.requests] == ["POST", "POST", "GET"]
    assert first["canonicalizedBody"] == second["canonicalizedBody"]
    assert first["logIndex"] == second["logIndex"]
    assert second["inclusionProof"]["treeSize"] == "6"


def test_a_log_is_asked_where_it_is() -> None:
    with logging() as log:
        attest(log, signed(seal()))
    (asked,) = log.service.requests
    assert (asked.method, asked.path, asked.headers["content-type"]) == ("POST", ENTRIES, "application/json")


def _set(*path: str, value: object) -> Callable[[Entry], Entry]:
    """Return what puts `value`, or what it makes of the old one, in place of a member."""

    def change(entry: Entry) -> Entry:
        changed = copy.deepcopy(entry)
        table = changed
        for name in path[:-1]:
            table = table[name]
        table[path[-1]] = value(table[path[-1]]) if callable(value) else value
        return changed

    return change


def _flip(text: str) -> str:
    data = bytearray(base64.b64decode(text))
    data[-1] ^= 1
    return b64(bytes(data))


def _body(change: Callable[[dict[str, Any]], object]) -> Callable[[str], str]:
    def changed(text: str) -> str:
        body = json.loads(base64.b64decode(text))
        change(body)
        return b64(json.dumps(body).encode())

    return changed


PROOF = ("verification", "inclusionProof")
WRONG = {
    "promise": (_set("verification", "signedEntryTimestamp", value=_flip), "did not promise the entry"),
    "time": (_set("integratedTime", value=lambda at: at - 1), "did not promise the entry"),
    "index": (_set("logIndex", value=lambda index: index + 1), "did not promise the entry"),
    "time of another age": (_set("integratedTime", value=1_000_000_000), "when the log's key in the trusted root was not"),
    "no time": (_set("integratedTime", value=(1 << 63) - 1), "the entry's time is none"),
    "negative": (_set("integratedTime", value=-1), "integratedTime is not a whole number"),
    "foreign log": (_set("logID", value="ab" * 32), "is by a log that the trusted root does not name: abab"),
    "no hexadecimal": (_set("logID", value="no"), "logID is not hexadecimal"),
    "no proof": (_set(*PROOF, value=None), "inclusionProof is not an object"),
    "no checkpoint": (_set(*PROOF, "checkpoint", value=""), "is not a signed note"),
    "empty note": (_set(*PROOF, "checkpoint", value="\n\n\n\n\n"), "is not a signed note"),
    "size is no number": (_set(*PROOF, "checkpoint", value="a\nb\nAAAA\n\n"), "is not a signed note"),
    "unsigned checkpoint": (
        _set(*PROOF, "checkpoint", value=lambda note: note.partition("\n\n")[0] + "\n\n"),
        "checkpoint in the entry is not signed by the log",
    ),
    "changed checkpoint": (
        _set(*PROOF, "checkpoint", value=lambda note: note.replace("- 42", "- 43")),
        "checkpoint in the entry is not signed by the log",
    ),
    "long checkpoint": (_set(*PROOF, "checkpoint", value="x" * 70_000), "is not a signed note"),
    "foreign root": (_set(*PROOF, "rootHash", value="00" * 32), "is not in the tree of the log"),
    "another size": (_set(*PROOF, "treeSize", value=9), "is not in the tree of the log"),
    "another leaf": (_set(*PROOF, "logIndex", value=1), "is not in the tree of the log"),
    "beyond the tree": (_set(*PROOF, "logIndex", value=99), "is not in the tree of the log"),
    "a hash less": (_set(*PROOF, "hashes", value=lambda found: found[:-1]), "is not in the tree of the log"),
    "a hash more": (_set(*PROOF, "hashes", value=lambda found: [*found, found[0]]), "is not in the tree of the log"),
    "another hash": (_set(*PROOF, "hashes", value=lambda found: found[::-1]), "is not in the tree of the log"),
    "too many hashes": (_set(*PROOF, "hashes", value=["00" * 32] * 65), "has 65 items, expected at most 64"),
    "another digest": (
        _set("body", value=_body(lambda body: body["spec"]["data"]["hash"].update(value="00" * 32))),
        "is about a signature over something else",
    ),
    "another hash algorithm": (
        _set("body", value=_body(lambda body: body["spec"]["data"]["hash"].update(algorithm="sha512"))),
        "is about a signature over something else",
    ),
    "another signature": (
        _set("body", value=_body(lambda body: body["spec"]["signature"].update(content=b64(b"other")))),
        "is about another signature",
    ),
    "another kind": (_set("body", value=_body(lambda body: body.update(kind="rekord"))), "is not of the kind hashedrekord"),
    "another version": (_set("body", value=_body(lambda body: body.update(apiVersion="0.0.2"))), "is not of the kind"),
    "no key": (
        _set("body", value=_body(lambda body: body["spec"]["signature"]["publicKey"].update(content=b64(b"none")))),
        "the entry's key: not a PEM public key",
    ),
    "no body": (_set("body", value="%%%"), "the entry's body is not canonical base64"),
    "body of something else": (_set("body", value=b64(b"[]")), "the entry's body is not an object"),
}  # fmt: skip


@pytest.mark.parametrize(("wrong", "reason"), WRONG.values(), ids=WRONG)
def test_what_does_not_hold_is_not_believed(wrong: Callable[[Entry], Entry], reason: str) -> None:
    with logging() as log:
        log.grow(4)
        attest(log, signed(seal()))
        log.wrong = wrong
        found = refusal(log)
    assert re.match(r"answered wrongly: |gave an entry that does not hold: ", found)
    assert reason in found


@pytest.mark.parametrize("other", ["hashedrekord", "dsse"])
def test_an_entry_for_another_signature_is_not_believed(other: str) -> None:
    mine, kind = (enveloped(seal()), "dsse") if other == "dsse" else (signed(seal()), "hashedrekord")
    foreign = {
        "key": (enveloped if other == "dsse" else signed)(seal(which=1)),
        "content": enveloped(seal(), b"[]") if other == "dsse" else signed(seal(), b"another artifact"),
        "kind": signed(seal()) if other == "dsse" else enveloped(seal()),
    }
    with logging() as log:
        evidence = attest(log, mine)
        trusted = json.dumps(log.trusted_root()).encode()
        with RekorLogs().connect_under(log.url, trusted, CONTEXT) as witness:
            witness.check(mine, evidence)
            for what, request in foreign.items():
                asked_for = "hashedrekord" if kind == "dsse" else "dsse"
                reason = f"is not of the kind {asked_for}" if what == "kind" else "is about another signature"
                with pytest.raises(WitnessError, match=f"does not hold: the entry {reason}"):
                    witness.check({"kind": replace(mine, envelope=request.envelope)}.get(what, request), evidence)
            with pytest.raises(WitnessError, match="gives entries of a log, and this is none"):
                witness.check(mine, Evidence("timestamp", evidence.data))


def test_an_envelope_round_another_payload_is_not_believed() -> None:
    mine, other = enveloped(seal()), enveloped(seal(), b"[]")
    with logging() as log:
        evidence, trusted = attest(log, mine), json.dumps(log.trusted_root()).encode()
    opened = RekorLogs().connect_under(log.url, trusted, CONTEXT)
    with opened as witness, pytest.raises(WitnessError, match="is about a signature over something else"):
        witness.check(replace(mine, envelope=other.envelope), evidence)
