"""Open every key of a plan once, and lay out what each format under it needs."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from datetime import datetime
from typing import TYPE_CHECKING

from hatch_sign.contract.kinds import signing_producer
from hatch_sign.custody.checked_signer import open_signer
from hatch_sign.signing.credentials import (
    Credential,
    choose_scheme,
    current_credential,
    require_protection,
    require_strength,
    require_timestamp,
)
from hatch_sign.signing.witnessing import open_timestamping
from hatch_sign.signing.work import Workbench
from hatch_sign.values.display import display
from hatch_sign.values.outcomes import SOON

if TYPE_CHECKING:
    from hatch_sign.configuration.model import Configuration
    from hatch_sign.contract import BackendContext
    from hatch_sign.custody.checked_signer import CheckedSigner
    from hatch_sign.registry import Registry
    from hatch_sign.signing.plan import PlannedFile, SigningPlan


class Benches:
    """The workbench of each planned file: one for each signature and format of the plan that signs."""

    def __init__(
        self, plan: SigningPlan, registry: Registry, context: BackendContext, now: datetime, stack: ExitStack
    ) -> None:
        self._configuration: Configuration = plan.configuration
        self._release = plan.release
        self._context = context
        self._now = now
        self._observers = registry.observers(plan.configuration.observers)
        self._signers: Mapping[str, CheckedSigner] = {
            reference: stack.enter_context(open_signer(registry.backend_of(reference), reference, context))
            for reference in plan.references
        }
        timestamps = {file.settings.timestamp for file in plan.files}
        self._witnesses = {urls: open_timestamping(urls, registry, context, stack) for urls in timestamps}
        self._benches = {
            (file.settings.name, file.format.name): self._lay_out(file)
            for file in plan.files
            if file.format.kind != "manifest"
        }

    @property
    def calls(self) -> int:
        """How many signing calls the keys were given."""
        return sum(signer.calls for signer in self._signers.values())

    def of(self, file: PlannedFile) -> Workbench:
        """Return the workbench of a planned file that is signed."""
        return self._benches[file.settings.name, file.format.name]

    def _warn_of_end(self, reference: str, credential: Credential) -> None:
        for certificate in credential.certificates[:1]:
            end = certificate.not_valid_after_utc
            if end - self._now <= SOON:
                self._context.warn(f"{display(reference)}: its certificate ends at {end.isoformat(sep=' ')}")

    def _lay_out(self, file: PlannedFile) -> Workbench:
        settings, signer, producer = file.settings, self._signers[file.settings.key], signing_producer(file.format)
        require_strength(signer)
        require_timestamp(signer, settings.timestamp)
        # A chain for another key is an error before anything is signed, and one that ends soon is told of in time.
        self._warn_of_end(signer.reference, current_credential(signer, settings.certificates))
        audit_file = self._configuration.audit_file
        return Workbench(
            format=file.format,
            settings=settings,
            signer=signer,
            scheme=choose_scheme(file.format.name, producer.schemes(signer.public_key), signer),
            protection=require_protection(signer, self._configuration.minimum_protection).level.value,
            producer=producer,
            verifier=file.format.verifier(),
            witnesses=self._witnesses[settings.timestamp],
            release=self._release,
            now=self._now,
            observers=self._observers,
            environ=self._context.environ,
            observer_settings={"audit-file": str(audit_file)} if audit_file else {},
        )
