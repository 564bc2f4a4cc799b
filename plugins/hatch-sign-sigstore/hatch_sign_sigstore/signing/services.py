"""The services of an instance as sigstore-python asks them: within limits, repeated where it helps, our errors raised."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar, cast
from urllib.parse import urlsplit

from sigstore.sign import SigningContext

from hatch_sign.remote import ServiceCaller
from hatch_sign.remote.http import shown_address
from hatch_sign.values.display import display
from hatch_sign.values.errors import ConfigurationError, CustodyError, WitnessError
from hatch_sign_sigstore.signing.reference import is_secure
from hatch_sign_sigstore.signing.translate import classify, classify_fulcio, entered_before

if TYPE_CHECKING:
    from cryptography.x509 import Certificate
    from sigstore.models import SigningConfig, TrustedRoot

    from hatch_sign.contract import LogVersion
    from hatch_sign.remote import NetworkLimits
    from hatch_sign_sigstore.signing.instance import Instance
    from hatch_sign_sigstore.signing.patience import Patience

T = TypeVar("T")


class Services:
    """Everything that a signature needs of an instance, behind the one signing context of a run."""

    def __init__(
        self, instance: Instance, *, name: str, limits: NetworkLimits, patience: Patience, stopped: Callable[[], bool]
    ) -> None:
        """Ask nobody yet. Raises ConfigurationError where the token would go through a plain channel."""
        self._instance = instance
        self._name, self._limits, self._patience, self._stopped = name, limits, patience, stopped
        self._chosen = threading.local()
        self._logs: dict[LogVersion, Any] = {"any": _first_log(instance.services)}
        fulcio = instance.services.get_fulcio()
        if not is_secure(fulcio.url):
            message = f"{name}: the instance has its certificate authority at {shown_address(fulcio.url)}, expected https"
            raise ConfigurationError(message, remedy="the identity token goes there, and must not be read on the way")
        self._fulcio = _Fulcio(fulcio, self._asking("Fulcio", fulcio.url, classify_fulcio))
        self._authorities = [
            _Authority(each, _witnessed(self._asking("the timestamp authority", each.url)))
            for each in instance.services.get_tsas()
        ]
        # What is asked for of these is what the context asks of the clients that the instance makes for it.
        self.context = SigningContext(
            fulcio=cast("Any", self._fulcio),
            rekor=cast("Any", _Log(self._log)),
            trusted_root=instance.root,
            tsa_clients=cast("Any", _Authorities(self._authorities, self._version)),
        )

    @property
    def root(self) -> TrustedRoot:
        """What vouches for the services."""
        return self._instance.root

    @property
    def certificate(self) -> Certificate:
        """The certificate that Fulcio issued last."""
        return self._fulcio.certificates[-1]

    @contextmanager
    def logging_to(self, version: LogVersion) -> Iterator[None]:
        """Enter what this thread signs meanwhile in a log of this version.

        Raises ConfigurationError for an instance without one.
        """
        if version not in self._logs:
            self._logs[version] = _first_log(self._instance.services_of_v1())
        self._chosen.version = version
        try:
            yield
        finally:
            self._chosen.version = "any"

    def _version(self) -> LogVersion:
        version: LogVersion = getattr(self._chosen, "version", "any")
        return version

    def _log(self) -> tuple[Any, _Asking]:
        log = self._logs[self._version()]
        return log, _witnessed(self._asking("Rekor", log.url))

    def _asking(self, service: str, url: str, classify_: Callable[[Exception], Any] = classify) -> _Asking:
        where = display(urlsplit(url).hostname or "")
        caller = ServiceCaller(f"{service} ({where})", self._name, classify_, self._limits, stopped=self._stopped)
        return lambda operation: caller.call(lambda: self._patience.call(operation))


_Asking = Callable[[Callable[[], Any]], Any]
"""Asks a service: within limits, and with errors of ours."""


def _witnessed(ask: _Asking) -> _Asking:
    """Return what asks alike, and whose failures are those of a witness."""

    def asking(operation: Callable[[], T]) -> T:
        try:
            result: T = ask(operation)
        except CustodyError as error:
            failure = WitnessError(error.message, remedy=error.remedy)
        else:
            return result
        raise failure

    return asking


def _first_log(services: SigningConfig) -> Any:  # noqa: ANN401 - a type of sigstore-python that is not public
    return services.get_tlogs()[0]


class _Fulcio:
    """The certificate authority; keeps what it issued."""

    def __init__(self, inner: Any, ask: _Asking) -> None:  # noqa: ANN401 - as above
        self._inner, self._ask = inner, ask
        self.certificates: list[Certificate] = []

    @property
    def signing_cert(self) -> _Fulcio:
        return self

    def post(self, request: Any, identity: Any) -> Any:  # noqa: ANN401 - as above
        return self._ask(lambda: self._issued(request, identity))

    def _issued(self, request: Any, identity: Any) -> Any:  # noqa: ANN401 - as above
        response = self._inner.signing_cert.post(request, identity)
        if response.cert.public_key() != request.public_key():
            message = "a certificate for another key"
            raise ValueError(message)
        self.certificates.append(response.cert)
        return response


class _Log:
    """The transparency log that the calling thread has chosen; what else it can do, its client does."""

    def __init__(self, choose: Callable[[], tuple[Any, _Asking]]) -> None:
        self._choose = choose

    def create_entry(self, request: Any) -> Any:  # noqa: ANN401 - as above
        log, ask = self._choose()
        return ask(lambda: _entered(log, request))

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - as above
        return getattr(self._choose()[0], name)


def _entered(log: Any, request: Any) -> Any:  # noqa: ANN401 - as above
    try:
        return log.create_entry(request)
    except Exception as error:
        uuid = entered_before(error)
        if uuid is None or not hasattr(log, "log"):
            raise
    # An earlier attempt was entered, and its answer lost: the entry is asked for, and nothing is entered twice.
    return log.log.entries.get(uuid=uuid)


class _Authority:
    """A timestamp authority that must answer: without a time, what a log of version 2 enters cannot be verified."""

    def __init__(self, inner: Any, ask: _Asking) -> None:  # noqa: ANN401 - as above
        self._inner, self._ask = inner, ask

    def request_timestamp(self, signature: bytes) -> Any:  # noqa: ANN401 - as above
        return self._ask(lambda: self._inner.request_timestamp(signature))


class _Authorities:
    """The timestamp authorities; none where a log of version 1 is asked for, which says the time itself."""

    def __init__(self, authorities: list[_Authority], version: Callable[[], LogVersion]) -> None:
        self._authorities, self._version = authorities, version

    def __iter__(self) -> Iterator[_Authority]:
        return iter(() if self._version() == "v1" else self._authorities)
