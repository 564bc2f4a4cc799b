"""Open every key and prove every identity of a plan once, and lay out what each format under it needs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from datetime import datetime
from typing import TYPE_CHECKING

from hatch_sign.contract.kinds import signing_producer
from hatch_sign.custody.bundle_signer import open_bundle_signer
from hatch_sign.custody.checked_signer import open_signer
from hatch_sign.signing.bundle_work import BundleBench
from hatch_sign.signing.circumstances import Circumstances
from hatch_sign.signing.credentials import (
    Credential,
    choose_scheme,
    current_credential,
    require_protection,
    require_strength,
    require_timestamp,
    wanted_schemes,
)
from hatch_sign.signing.identities import bundling_producer, unused_settings
from hatch_sign.signing.logs import Logs
from hatch_sign.signing.witnessing import Timestamping
from hatch_sign.signing.work import Workbench
from hatch_sign.values.display import display
from hatch_sign.values.outcomes import SOON

if TYPE_CHECKING:
    from hatch_sign.configuration.model import Configuration, SignatureSettings
    from hatch_sign.contract import BackendContext, Finding, Format, Witness
    from hatch_sign.custody.bundle_signer import CheckedBundleSigner
    from hatch_sign.custody.checked_signer import CheckedSigner
    from hatch_sign.registry import Registry
    from hatch_sign.signing.detached import Bench
    from hatch_sign.signing.plan import SigningPlan
    from hatch_sign.signing.planned import PlannedContents, PlannedFile


class Benches:
    """The workbench of each planned file: one for each signature and format of the plan that signs."""

    def __init__(
        self, plan: SigningPlan, registry: Registry, context: BackendContext, now: datetime, stack: ExitStack
    ) -> None:
        self._configuration: Configuration = plan.configuration
        self._context = context
        self._circumstances = Circumstances(
            release=plan.release,
            provenance=plan.provenance,
            now=now,
            observers=registry.observers(plan.configuration.observers),
            environ=context.environ,
            observer_settings=_observer_settings(plan.configuration),
        )
        self._identities: Mapping[str, CheckedBundleSigner] = {
            reference: stack.enter_context(open_bundle_signer(registry.bundle_backend_of(reference), reference, context))
            for reference in plan.references
            if registry.signs_bundles(reference)
        }
        self._signers: Mapping[str, CheckedSigner] = {
            reference: stack.enter_context(open_signer(registry.backend_of(reference), reference, context))
            for reference in plan.references
            if reference not in self._identities
        }
        self._timestamping = Timestamping(plan.configuration, registry, context, stack)
        self._logs = Logs(plan.configuration, registry, context, stack)
        self._keyed: dict[tuple[SignatureSettings, str], Workbench] = {}
        self._bundling: dict[tuple[SignatureSettings, str], BundleBench] = {}
        for settings, format_ in plan.signatures:
            if settings.key in self._identities:
                self._bundling[settings, format_.name] = self._lay_out_bundling(settings, format_)
            else:
                self._keyed[settings, format_.name] = self._lay_out(settings, format_)

    @property
    def calls(self) -> int:
        """How many signing calls the keys and the identities were given."""
        by_keys = sum(signer.calls for signer in self._signers.values())
        return by_keys + sum(signer.calls for signer in self._identities.values())

    def of(self, file: PlannedFile) -> Bench:
        """Return the bench of a planned file that is signed."""
        return self._bundling.get((file.settings, file.format.name)) or self.keyed(file)

    def keyed(self, file: PlannedFile) -> Workbench:
        """Return the workbench of a planned file that is signed by a key, as all are that are signed inside."""
        return self._keyed[file.settings, file.format.name]

    def inside(self, planned: PlannedContents) -> tuple[Workbench, ...]:
        """Return the workbenches of what is signed inside an artifact, one for each format, in their order."""
        return tuple(self._keyed[planned.settings, format_.name] for format_ in planned.formats)

    def proven(self, findings: Iterable[Finding]) -> datetime | None:
        """Return the instant that the timestamps in what was signed prove; None where no roots are configured."""
        return self._timestamping.proven(findings)

    def _warn_of_end(self, reference: str, credential: Credential) -> None:
        for certificate in credential.certificates[:1]:
            end = certificate.not_valid_after_utc
            if end - self._circumstances.now <= SOON:
                self._context.warn(f"{display(reference)}: its certificate ends at {end.isoformat(sep=' ')}")

    def _lay_out(self, settings: SignatureSettings, format_: Format) -> Workbench:
        signer, producer = self._signers[settings.key], signing_producer(format_)
        require_strength(signer)
        require_timestamp(signer, settings.timestamp, optional=settings.timestamp_optional)
        # A chain for another key is an error before anything is signed, and one that ends soon is told of in time.
        self._warn_of_end(signer.reference, current_credential(signer, settings.certificates))
        options = settings.options.get(format_.name, {})
        return Workbench(
            format=format_,
            settings=settings,
            signer=signer,
            scheme=choose_scheme(format_.name, wanted_schemes(producer, signer, options), signer),
            protection=self._protection(signer),
            producer=producer,
            verifier=format_.verifier(),
            witnesses=self._witnesses(settings, format_),
            circumstances=self._circumstances,
        )

    def _witnesses(self, settings: SignatureSettings, format_: Format) -> tuple[Witness, ...]:
        stamping = self._timestamping.witnesses(settings.timestamp, optional=settings.timestamp_optional)
        return (*stamping, *self._logs.witnesses(settings.log)) if format_.carries_log_entries else stamping

    def _lay_out_bundling(self, settings: SignatureSettings, format_: Format) -> BundleBench:
        signer = self._identities[settings.key]
        if unused := unused_settings(settings):
            self._context.warn(unused)
        return BundleBench(
            format=format_,
            settings=settings,
            signer=signer,
            protection=self._protection(signer),
            producer=bundling_producer(format_, settings.key),
            verifier=format_.verifier(),
            circumstances=self._circumstances,
        )

    def _protection(self, signer: CheckedSigner | CheckedBundleSigner) -> str:
        return require_protection(signer, self._configuration.minimum_protection).level.value


def _observer_settings(configuration: Configuration) -> Mapping[str, str]:
    return {"audit-file": str(configuration.audit_file)} if configuration.audit_file else {}
