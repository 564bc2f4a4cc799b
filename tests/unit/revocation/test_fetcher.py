"""Fetching from a real server on the loopback, which does whatever a server can do wrong."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp

from hatch_sign.contract import Facts, Judgement, Material
from hatch_sign.remote.limits import NetworkLimits
from hatch_sign.remote.retrying import Timing
from hatch_sign.revocation import fetcher
from hatch_sign.revocation.fetcher import RevocationFetcher
from hatch_sign.trust.certificate import CertificateKind
from hatch_sign.values.algorithms import Scheme
from hatch_sign.values.outcomes import Verdict
from tests.authority import DAY, NOW, Authority, Holder, make_key
from tests.unit.services.https_server import Answer, Request, Service, serving

if TYPE_CHECKING:
    from hatch_sign.contract import RevocationSource

ROOT = Authority("Root")
PATIENT = NetworkLimits(connect=30.0, read=60.0, total=120.0, attempts=2, first_pause=0.001)
IMPATIENT = {"stall": replace(PATIENT, read=0.3, attempts=1), "drip": replace(PATIENT, total=0.5, attempts=1)}
"""Limits that end what a server does: a silence after the headers, or bytes that come one by one."""
SUBJECT = "CN=signer,O=Example Ltd,C=SI"


class Place:
    """A web server with a root above it, an issuer and a signer who names its lists, its responder, or both."""

    def __init__(self, service: Service) -> None:
        self.service = service
        self.service.respond = self._respond
        self.answers: dict[str, Answer] = {}
        self.issuer = Authority("Issuer", above=ROOT, crl_url=self.at("/root.crl"))
        self.put("/root.crl", ROOT.revocation_list())

    def at(self, path: str) -> str:
        return f"{self.service.origin}{path}"

    def put(self, path: str, body: bytes = b"", status: int = 200, fault: str = "", **headers: str) -> None:
        self.answers[path] = Answer(status, body, headers, fault)

    def signer(self, **urls: str) -> Holder:
        return self.issuer.holder("signer", **{key: self.at(path) for key, path in urls.items()})

    @property
    def asked(self) -> list[str]:
        return [request.path for request in self.service.requests]

    def _respond(self, request: Request) -> Answer:
        return self.answers.get(request.path, Answer(404))


@pytest.fixture
def place() -> Iterator[Place]:
    with serving(Service(lambda _: Answer(404)), None) as service:
        yield Place(service)


def judge(signer: Holder, source: RevocationSource | None, mode: str = "require") -> Judgement:
    table = {"certificate-roots": ROOT.pem.decode(), "subject": SUBJECT, "revocation": mode}
    rule = CertificateKind().parse(table, lambda name: pytest.fail(f"read {name}"))
    facts = Facts(signer.key.public_key(), Scheme.ECDSA_SHA256, b"checked by the format", signer.certificates)
    return rule.evaluate(Material("app-1.0.whl", "cms", facts, NOW, None, source))


def fetching(limits: NetworkLimits = PATIENT) -> RevocationFetcher:
    return RevocationFetcher(limits=limits)


def assert_unknown(signer: Holder, reason: str, limits: NetworkLimits = PATIENT) -> None:
    """Assert that nothing usable came, that the reason is told, and that a rule which only prefers warns of it."""
    judged = judge(signer, fetching(limits))
    assert judged.verdict is Verdict.INDETERMINATE
    assert reason in judged.detail
    assert "secret" not in judged.detail
    lenient = judge(signer, fetching(limits), "prefer")
    assert lenient.verdict is Verdict.TRUSTED
    assert reason in lenient.warnings[0]


# --- what goes well -------------------------------------------------------------------------------------------------


def test_the_list_that_a_certificate_names_is_fetched(place: Place) -> None:
    place.put("/issuer.crl", place.issuer.revocation_list())
    signer = place.signer(crl_url="/issuer.crl")
    assert judge(signer, fetching()).verdict is Verdict.TRUSTED
    assert sorted(place.asked) == ["/issuer.crl", "/root.crl"]
    place.put("/issuer.crl", place.issuer.revocation_list({signer.certificate: (NOW - DAY, None)}))
    assert judge(signer, fetching()).verdict is Verdict.REVOKED


def test_each_address_is_asked_once_in_a_run(place: Place) -> None:
    place.put("/issuer.crl", place.issuer.revocation_list())
    source = fetching()
    for _ in range(3):
        assert judge(place.signer(crl_url="/issuer.crl"), source).verdict is Verdict.TRUSTED
        assert judge(place.signer(crl_url="/missing.crl"), source).verdict is Verdict.INDETERMINATE
    assert sorted(place.asked) == ["/issuer.crl", "/missing.crl", "/root.crl"]


def test_a_responder_is_asked_before_any_list(place: Place) -> None:
    signer = place.signer(ocsp_url="/ocsp", crl_url="/issuer.crl")
    place.put("/ocsp", place.issuer.ocsp_response(signer.certificate))
    assert judge(signer, fetching()).verdict is Verdict.TRUSTED
    (question,) = (request for request in place.service.requests if request.path == "/ocsp")
    assert (question.method, question.headers["content-type"]) == ("POST", "application/ocsp-request")
    assert ocsp.load_der_ocsp_request(question.body).serial_number == signer.certificate.serial_number
    assert "/issuer.crl" not in place.asked
    place.put("/ocsp", place.issuer.ocsp_response(signer.certificate, status="revoked"))
    assert judge(signer, fetching()).verdict is Verdict.REVOKED


@pytest.mark.parametrize("answer", [Answer(500), Answer(200, b"<html>"), Answer(404)])
def test_where_a_responder_fails_the_list_is_fetched(place: Place, answer: Answer) -> None:
    place.answers["/ocsp"] = answer
    place.put("/issuer.crl", place.issuer.revocation_list())
    assert judge(place.signer(ocsp_url="/ocsp", crl_url="/issuer.crl"), fetching()).verdict is Verdict.TRUSTED
    place.put("/issuer.crl", status=404)
    assert judge(place.signer(ocsp_url="/ocsp", crl_url="/issuer.crl"), fetching()).verdict is Verdict.INDETERMINATE


def test_the_next_address_is_asked_where_one_gives_nothing(place: Place) -> None:
    names = [x509.UniformResourceIdentifier(place.at(path)) for path in ("/gone.crl", "/issuer.crl", "/third.crl")]
    points = x509.CRLDistributionPoints([x509.DistributionPoint(names, None, None, None)])
    signer = place.issuer.holder("signer", extensions=[(points, False)])
    place.put("/issuer.crl", place.issuer.revocation_list())
    assert judge(signer, fetching()).verdict is Verdict.TRUSTED
    assert "/third.crl" not in place.asked


def test_a_redirect_is_followed_and_a_circle_is_not(place: Place) -> None:
    place.put("/moved.crl", status=301, Location="/issuer.crl")
    place.put("/issuer.crl", place.issuer.revocation_list())
    assert judge(place.signer(crl_url="/moved.crl"), fetching()).verdict is Verdict.TRUSTED
    place.put("/circle.crl", status=302, Location="/circle.crl")
    assert_unknown(place.signer(crl_url="/circle.crl"), "redirects in circles, or too often")


def test_a_rule_that_does_not_ask_makes_nobody_fetch(place: Place) -> None:
    assert judge(place.signer(crl_url="/issuer.crl"), fetching(), "off").verdict is Verdict.TRUSTED
    assert place.asked == []


# --- what goes wrong ------------------------------------------------------------------------------------------------


def test_a_server_without_the_list(place: Place) -> None:
    assert_unknown(place.signer(crl_url="/issuer.crl"), f"{place.at('/issuer.crl')} has nothing there")


def test_a_query_is_not_shown(place: Place) -> None:
    assert_unknown(place.signer(crl_url="/issuer.crl?token=secret"), f"{place.at('/issuer.crl')} has nothing there")


def test_a_server_that_cannot_be_reached(place: Place) -> None:
    with serving(Service(lambda _: Answer(404)), None) as other:
        address = f"{other.origin}/issuer.crl"
    signer = place.issuer.holder("signer", crl_url=address)
    assert_unknown(signer, f"{address} refused the connection")


@pytest.mark.parametrize("fault", IMPATIENT)
def test_a_server_that_takes_too_long(place: Place, fault: str) -> None:
    """The list of the root alone is asked for, so that nothing else has to be quick."""
    place.put("/root.crl", ROOT.revocation_list(), fault=fault)
    signer = ROOT.holder("signer", crl_url=place.at("/root.crl"))
    assert_unknown(signer, f"{place.at('/root.crl')} did not answer in time", IMPATIENT[fault])


@pytest.mark.parametrize("fault", ["vanish", "cut"])
def test_a_server_that_hangs_up(place: Place, fault: str) -> None:
    place.put("/issuer.crl", place.issuer.revocation_list(), fault=fault)
    assert_unknown(place.signer(crl_url="/issuer.crl"), "cut the connection")


def test_what_is_too_large_is_not_read(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    signer = place.signer(ocsp_url="/ocsp", crl_url="/issuer.crl")
    body = place.issuer.revocation_list()
    place.put("/issuer.crl", body)
    place.put("/ocsp", b"0" * (fetcher.LARGEST_ANSWER + 1))
    # The root's list is fetched as well; the ECDSA signatures of the two differ by a byte or two in length.
    monkeypatch.setattr(fetcher, "LARGEST_LIST", len(body) + 8)
    assert judge(signer, fetching()).verdict is Verdict.TRUSTED
    monkeypatch.setattr(fetcher, "LARGEST_LIST", len(body) - 1)
    assert_unknown(signer, f"sent more than {len(body) - 1} bytes")
    assert_unknown(signer, f"sent more than {fetcher.LARGEST_ANSWER} bytes")


@pytest.mark.parametrize("body", [b"", b"<html>no</html>", b"\x30\x00", b"\x30\x84\xff\xff\xff\xff"])
def test_what_is_no_list(place: Place, body: bytes) -> None:
    place.put("/issuer.crl", body)
    assert_unknown(place.signer(crl_url="/issuer.crl"), "neither a revocation list nor an OCSP answer, or is damaged")


def test_a_list_that_another_signed(place: Place) -> None:
    place.put("/issuer.crl", place.issuer.revocation_list(key=make_key("ecdsa-p256")))
    assert_unknown(place.signer(crl_url="/issuer.crl"), "has a wrong signature")


def test_a_list_of_another_issuer(place: Place) -> None:
    place.put("/issuer.crl", ROOT.revocation_list())
    assert_unknown(place.signer(crl_url="/issuer.crl"), "an answer is about another certificate")


def test_a_list_that_is_out_of_date(place: Place) -> None:
    place.put("/issuer.crl", place.issuer.revocation_list(this_update=NOW - 9 * DAY, next_update=NOW - DAY))
    assert_unknown(place.signer(crl_url="/issuer.crl"), "is out of date since")


def test_a_responder_that_says_to_come_later(place: Place) -> None:
    later = ocsp.OCSPResponseBuilder.build_unsuccessful(ocsp.OCSPResponseStatus.TRY_LATER)
    place.put("/ocsp", later.public_bytes(Encoding.DER))
    assert_unknown(place.signer(ocsp_url="/ocsp"), "is a failure (try_later)")


def test_a_certificate_that_names_no_address(place: Place) -> None:
    assert_unknown(place.signer(), "it names no address that can be asked")


def test_all_questions_together_have_a_limit(place: Place) -> None:
    place.put("/issuer.crl", place.issuer.revocation_list())
    instants = iter([0.0, 0.0])
    timing = Timing(clock=lambda: next(instants, 91.0))
    source = RevocationFetcher(limits=replace(PATIENT, total=1000.0), timing=timing)
    judged = judge(place.signer(crl_url="/issuer.crl"), source)
    assert judged.verdict is Verdict.INDETERMINATE
    assert "was not asked: all together took more than 90 s" in judged.detail


def test_ctrl_c_ends_all_questions(place: Place) -> None:
    def interrupted() -> float:
        raise KeyboardInterrupt

    source = RevocationFetcher(timing=Timing(clock=interrupted))
    with pytest.raises(KeyboardInterrupt):
        judge(place.signer(crl_url="/issuer.crl"), source)
    assert place.asked == []


def test_all_certificates_of_a_chain_are_asked_about_at_once(place: Place) -> None:
    """Each answer waits until the other question is there: one after the other, neither would ever come."""
    place.put("/issuer.crl", place.issuer.revocation_list())
    together = threading.Barrier(2, timeout=120)

    def respond(request: Request) -> Answer:
        try:
            together.wait()
        except threading.BrokenBarrierError:
            return Answer(404)
        return place.answers[request.path]

    place.service.respond = respond
    assert judge(place.signer(crl_url="/issuer.crl"), fetching()).verdict is Verdict.TRUSTED
