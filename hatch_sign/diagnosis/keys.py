"""One key or identity, from its reference to a signature: each step needs the one before, and the first failure ends it."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from hatch_sign.contract.backends import Diagnoses, ListsKeys, SecretRequest
from hatch_sign.contract.references import parse_reference, without_query
from hatch_sign.custody.bundle_signer import open_bundle_signer
from hatch_sign.custody.checked_signer import open_signer
from hatch_sign.diagnosis.backends import ask_backend
from hatch_sign.diagnosis.checks import KEY_FAILED, Check, Examination, attempt, ok, warning
from hatch_sign.diagnosis.credentials import look_at_key
from hatch_sign.diagnosis.identities import look_at_identity
from hatch_sign.diagnosis.listing import find_listed
from hatch_sign.diagnosis.secrets import NoSecrets, look_for_secret
from hatch_sign.diagnosis.signatures import try_signature
from hatch_sign.values.display import display
from hatch_sign.values.errors import ConfigurationError, HatchSignError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from hatch_sign.contract.backends import Backend
    from hatch_sign.contract.bundle_signers import BundleBackend
    from hatch_sign.custody.context import RunContext
    from hatch_sign.diagnosis.credentials import Expected
    from hatch_sign.registry import Registry
    from hatch_sign.registry.entries import Entry

_MORE = "--log-in tries the PIN or credential, --test-signature signs something as well"


@dataclass
class Warnings:
    """What backends warn of while they are looked at, until it is made into checks."""

    texts: list[str] = field(default_factory=list)

    def add(self, text: str) -> None:
        """Take one warning."""
        self.texts.append(text)

    def take(self) -> Iterator[Check]:
        """Yield what came since the last time."""
        while self.texts:
            yield warning("backend", self.texts.pop(0))


@dataclass(frozen=True)
class Means:
    """What a diagnosis works with, and how far it may go.

    `context` lends secrets, where the key is opened and nowhere else, and must hand its warnings to `warnings`. `log_in`
    opens the key, which tries its PIN; `test_signature` signs something, too. `can_ask` says whether somebody sits at a
    terminal.
    """

    registry: Registry
    context: RunContext
    warnings: Warnings
    log_in: bool = False
    test_signature: bool = False
    can_ask: bool = False

    @property
    def opens(self) -> bool:
        """Whether keys are opened."""
        return self.log_in or self.test_signature


def examine_key(reference: str, expected: Expected, means: Means) -> Examination:
    """Return what is found on the way to the key. Never raises for what it meets there."""
    return _KeyExaminer(reference, expected, means).run()


class _KeyExaminer:
    _entry: Entry
    _backend: Backend | BundleBackend

    def __init__(self, reference: str, expected: Expected, means: Means) -> None:
        self._reference, self._expected, self._means = reference, expected, means
        self._about = "key"  # until the reference is known to hold no secret
        self._goes_on = True
        self._lacks_secret = False
        self._keyed: Backend | None = None
        self._bundling: BundleBackend | None = None

    def run(self) -> Examination:
        checks: list[Check] = []
        steps: tuple[tuple[str, Callable[[], Iterable[Check]]], ...] = (
            ("reference", self._read_reference),
            ("plugin", self._load_plugin),
            ("backend", self._ask_backend),
            ("login", self._log_in) if self._means.opens else ("key", self._look_from_outside),
        )
        for subject, step in steps:
            found, ended = attempt(subject, step, about=self._about)
            checks += [*found, *self._means.warnings.take()]
            if not ended or not self._goes_on:
                break
        return Examination(self._about, tuple(checks))

    def _read_reference(self) -> Iterator[Check]:
        parsed = parse_reference(self._reference)
        self._about = display(without_query(self._reference))
        settings = f"; it sets {display(', '.join(parsed.query))}" if parsed.query else ""
        yield ok("reference", f"well-formed, without a PIN{settings}")

    def _load_plugin(self) -> Iterator[Check]:
        registry = self._means.registry
        self._entry = registry.opener_entry(self._reference)
        if registry.signs_bundles(self._reference):
            self._backend = self._bundling = registry.bundle_backend_of(self._reference)
        else:
            self._backend = self._keyed = registry.backend_of(self._reference)
        yield ok("plugin", self._entry.title)

    def _ask_backend(self) -> Iterator[Check]:
        environ, on_warning = self._means.context.environ, self._means.warnings.add
        if not isinstance(self._backend, Diagnoses):
            if not self._means.opens:
                yield warning("backend", "it says nothing of itself without a login", "repeat with --log-in to see more")
            return
        for step in ask_backend(self._backend, self._reference, entry=self._entry, environ=environ, on_warning=on_warning):
            if isinstance(step, SecretRequest):
                yield from self._look_for_secret(step)
            else:
                self._goes_on = step.status != "failure"
                yield Check(step, 0 if self._goes_on else KEY_FAILED)

    def _look_for_secret(self, request: SecretRequest) -> Iterator[Check]:
        for check in look_for_secret(request, self._means.context.environ, can_ask=self._means.can_ask):
            # Without it the key is not opened; what can be seen from outside is still looked at.
            self._lacks_secret |= check.symptom.status == "failure"
            yield check

    def _log_in(self) -> Iterator[Check]:
        if self._lacks_secret:
            yield from self._look_from_outside()
            return
        if self._keyed is not None:
            yield from self._open_key(self._keyed)
        elif self._bundling is not None:
            yield from self._prove_identity(self._bundling)

    def _open_key(self, backend: Backend) -> Iterator[Check]:
        with open_signer(backend, self._reference, self._means.context) as signer:
            calls = "one call at a time" if signer.concurrency == 1 else f"{signer.concurrency} calls at once"
            yield ok("login", f"the key is open; the backend takes {calls}")
            look = partial(look_at_key, signer, self._expected, self._means.registry)
            found, ended = attempt("key", look, about=self._about)
            yield from found
            if self._means.test_signature and ended:
                yield from attempt("signature", partial(try_signature, signer), about=self._about)[0]

    def _prove_identity(self, backend: BundleBackend) -> Iterator[Check]:
        with open_bundle_signer(backend, self._reference, self._means.context) as signer:
            yield ok("login", "the identity is proven, and certified")
            look = partial(look_at_identity, signer, self._expected, self._means.registry)
            yield from attempt("identity", look, about=self._about)[0]
            if self._means.test_signature:
                yield ok("signature", "not tried: a log would hold it for good", "sign something that may be seen")

    def _look_from_outside(self) -> Iterator[Check]:
        if isinstance(self._backend, ListsKeys):
            yield from self._look_at_listed(self._backend)
        if not self._means.opens and isinstance(self._backend, Diagnoses):
            yield ok("login", "not tried", _MORE)

    def _look_at_listed(self, backend: ListsKeys) -> Iterator[Check]:
        context = NoSecrets(self._means.context.environ, on_warning=self._means.warnings.add)
        try:
            signer = find_listed(backend, self._reference, context, about=self._about)
        except ConfigurationError:
            raise
        except HatchSignError as error:
            # Many a token shows its keys to nobody before a login, and a service may let them be used but not listed.
            if context.asked and isinstance(self._backend, Diagnoses):
                return  # What can be seen before a login, it has said.
            if context.asked:
                yield ok("public key", "listed after a login only", "repeat with --log-in to see it")
            else:
                yield warning(
                    "key", f"it cannot be listed: {error.message}", error.remedy or "repeat with --log-in to see it"
                )
            return
        yield from look_at_key(signer, self._expected, self._means.registry, is_open=False)
