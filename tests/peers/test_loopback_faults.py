"""Proves the faults of the loopback Sigstore: each is what it says, touches one service, and ends with its block."""

from __future__ import annotations

import http.client
import json
import urllib.parse
from typing import TYPE_CHECKING

import pytest

from . import loopback, loopback_faults
from .loopback_faults import Service

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .loopback import LoopbackSigstore
    from .loopback_faults import Fault

PATHS = {
    Service.FULCIO: ("POST", "/api/v2/signingCert"),
    Service.REKOR_V1: ("POST", "/api/v1/log/entries"),
    Service.REKOR_V2: ("POST", "/api/v2/log/entries"),
    Service.TSA: ("POST", "/api/v1/timestamp"),
    Service.TUF: ("GET", "/timestamp.json"),
}
QUESTIONS = ("/timestamp.json", "/1.root.json")


@pytest.fixture(scope="module")
def instance() -> Iterator[LoopbackSigstore]:
    with loopback.loopback_sigstore() as running:
        yield running


def ask(instance: LoopbackSigstore, method: str, path: str, *, limit: float = 60.0) -> tuple[int, bytes]:
    """Return the status and the body."""
    address = urllib.parse.urlsplit(instance.url)
    connection = http.client.HTTPConnection(str(address.hostname), address.port, timeout=limit)
    try:
        connection.request(method, path, b"" if method == "POST" else None)
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


def root(instance: LoopbackSigstore) -> bytes:
    status, body = ask(instance, "GET", "/timestamp.json")
    assert status == 200
    return body


@pytest.mark.parametrize("service", Service)
def test_a_fault_touches_its_service_alone_and_ends(instance: LoopbackSigstore, service: Service) -> None:
    healthy = {other: ask(instance, *PATHS[other])[0] for other in Service}
    with instance.fault(service, loopback_faults.refuse(418, {"message": "a teapot"})):
        answers = {other: ask(instance, *PATHS[other]) for other in Service}
    assert answers[service] == (418, b'{"message":"a teapot"}')
    assert {other: status for other, (status, _) in answers.items()} == healthy | {service: 418}
    assert ask(instance, *PATHS[service])[0] == healthy[service]


def test_requests_are_counted_for_each_service(instance: LoopbackSigstore) -> None:
    before = instance.requests()
    ask(instance, *PATHS[Service.TSA])
    with instance.fault(Service.TSA, loopback_faults.refuse()):
        ask(instance, *PATHS[Service.TSA])
    assert instance.requests() == before | {Service.TSA: before[Service.TSA] + 2}


def test_a_fault_for_so_many_requests(instance: LoopbackSigstore) -> None:
    with instance.fault(Service.TUF, loopback_faults.refuse(503, "later", headers={"Retry-After": "0"}, times=2)):
        answers = [ask(instance, *PATHS[Service.TUF]) for _ in range(3)]
    assert [status for status, _ in answers] == [503, 503, 200]
    assert answers[0][1] == b"later"


def test_a_service_that_is_down_resets(instance: LoopbackSigstore) -> None:
    with instance.fault(Service.TUF, loopback_faults.down()), pytest.raises(ConnectionResetError):
        root(instance)


def test_a_cut_answer_is_shorter_than_announced(instance: LoopbackSigstore) -> None:
    whole = root(instance)
    with instance.fault(Service.TUF, loopback_faults.cut()), pytest.raises(http.client.IncompleteRead) as caught:
        root(instance)
    assert caught.value.partial == whole[: len(whole) // 2]


@pytest.mark.parametrize("fault", [loopback_faults.slow(), loopback_faults.slow(30)], ids=["an hour", "half a minute"])
def test_a_slow_service_keeps_one_waiting(instance: LoopbackSigstore, fault: Fault) -> None:
    with instance.fault(Service.TUF, fault), pytest.raises(TimeoutError):
        ask(instance, *PATHS[Service.TUF], limit=0.2)


def test_a_slow_service_answers_rightly(instance: LoopbackSigstore) -> None:
    with instance.fault(Service.TUF, loopback_faults.slow(0.01)):
        late = root(instance)
    assert late == root(instance)


def test_garbage_has_the_status_of_a_good_answer(instance: LoopbackSigstore) -> None:
    with instance.fault(Service.TUF, loopback_faults.garbage()):
        body = root(instance)
    with pytest.raises(ValueError, match=r"codec|Expecting"):
        json.loads(body)
    with instance.fault(Service.TUF, loopback_faults.garbage("{}")):
        assert root(instance) == b"{}"


def test_a_replay_answers_the_question_before(instance: LoopbackSigstore) -> None:
    first, second = (ask(instance, "GET", question) for question in QUESTIONS)
    assert first != second
    with instance.fault(Service.TUF, loopback_faults.replay()):
        assert ask(instance, "GET", QUESTIONS[0]) == second


@pytest.mark.parametrize("fault", [loopback_faults.trickle(), loopback_faults.flood()], ids=["trickle", "flood"])
def test_an_answer_that_never_ends(instance: LoopbackSigstore, fault: Fault) -> None:
    address = urllib.parse.urlsplit(instance.url)
    connection = http.client.HTTPConnection(str(address.hostname), address.port, timeout=60)
    with instance.fault(Service.TUF, fault):
        connection.request("GET", "/timestamp.json")
        response = connection.getresponse()
        assert response.status == 200
        assert response.getheader("Content-Length") is None
        assert response.read(5) == b"     "
        connection.close()
    assert b"signed" in root(instance)


@pytest.mark.parametrize("service", [service for service in Service if service is not Service.TUF])
def test_a_configuration_of_a_service_that_is_not_there(instance: LoopbackSigstore, service: Service) -> None:
    changed = loopback_faults.unreachable(instance.trust_config, service).read_text()
    assert changed.count("http://127.0.0.1:9") == 1
    assert "http://127.0.0.1:9" not in instance.trust_config.read_text()


def test_a_configuration_with_the_roots_of_another(instance: LoopbackSigstore) -> None:
    with loopback.loopback_sigstore() as other:
        mixed = json.loads(loopback_faults.distrusted(instance.trust_config, other.trusted_root).read_text())
        assert mixed["trustedRoot"] == json.loads(other.trusted_root.read_text())
    assert mixed["signingConfig"] == json.loads(instance.trust_config.read_text())["signingConfig"]
