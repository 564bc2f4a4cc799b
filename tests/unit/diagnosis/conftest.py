"""What every diagnosis works with, and a keyring that is nobody's."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from hatch_sign.custody.context import RunContext
from hatch_sign.diagnosis.checks import Examination
from hatch_sign.diagnosis.credentials import Expected
from hatch_sign.diagnosis.keys import Means, Warnings, examine_key

from ..custody.conftest import keyring_in_memory
from .backends import SECRET, Silent, registry_of

if TYPE_CHECKING:
    from hatch_sign.registry import Registry

__all__ = ["keyring_in_memory"]

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)

Examine = Callable[..., Examination]


@pytest.fixture
def examine() -> Examine:
    """Examine a key; whatever is found, it does not show the secret that these tests lend."""

    def examine(
        backend: type[Silent] | None = None,
        *,
        reference: str = "odd:key",
        environ: Mapping[str, str] | None = None,
        registry: Registry | None = None,
        expected: Expected | None = None,
        **how: Any,  # noqa: ANN401 - the settings of Means
    ) -> Examination:
        warnings = Warnings()
        context = RunContext(environ or {}, on_warning=warnings.add)
        registry = registry or registry_of(backend or Silent)
        found = examine_key(reference, expected or Expected(NOW), Means(registry, context, warnings, **how))
        assert SECRET not in str(found)
        assert len(SECRET) > 4
        assert str(len(SECRET)) not in {word for check in found.checks for word in check.symptom.found.split()}
        return found

    return examine
