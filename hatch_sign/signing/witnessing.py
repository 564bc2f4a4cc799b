"""The witnesses of a run: timestamp authorities, asked in order until one answers."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hatch_sign.values.errors import WitnessError

if TYPE_CHECKING:
    from hatch_sign.contract import BackendContext, Evidence, Witness, WitnessRequest
    from hatch_sign.contract.witnesses import EvidenceKind
    from hatch_sign.registry import Registry


@dataclass(frozen=True, slots=True)
class FirstThatAnswers:
    """Several witnesses of one kind as one: the next is asked where one fails or answers wrongly."""

    witnesses: Sequence[Witness]

    @property
    def kind(self) -> EvidenceKind:
        """The kind that they share."""
        return self.witnesses[0].kind

    def attest(self, request: WitnessRequest) -> Evidence:
        """Return the first evidence that holds. Raises WitnessError naming what each of them did."""
        failures = []
        for witness in self.witnesses:
            try:
                evidence = witness.attest(request)
                witness.check(request, evidence)
            except WitnessError as error:
                failures.append(error.message)
            except Exception as error:  # noqa: BLE001 - one that breaks the contract must not keep the next from being asked
                failures.append(type(error).__name__)
            else:
                return evidence
        message = "no witness vouched for the signature: " + "; ".join(failures)
        raise WitnessError(message)

    def check(self, request: WitnessRequest, evidence: Evidence) -> None:
        """Raise WitnessError unless one of them stands by the evidence."""
        for witness in self.witnesses:
            try:
                witness.check(request, evidence)
            except WitnessError:
                continue
            return
        message = "the evidence is not by any of the configured witnesses"
        raise WitnessError(message)


def open_timestamping(
    addresses: Sequence[str], registry: Registry, context: BackendContext, stack: ExitStack
) -> tuple[Witness, ...]:
    """Return the timestamp authorities at `addresses` as one witness, closed with `stack`; none without addresses."""
    if not addresses:
        return ()
    provider = registry.witness("rfc3161")
    return (FirstThatAnswers([stack.enter_context(provider.connect(address, context)) for address in addresses]),)
