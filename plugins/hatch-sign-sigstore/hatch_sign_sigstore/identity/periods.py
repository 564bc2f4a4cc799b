"""What of a trusted root was in use at an instant: sigstore-python asks that of timestamp authorities alone.

Periods are closed at both ends (``TimeRange`` of sigstore's protobuf-specs); who has none was always in use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sigstore.models import TrustedRoot

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime


def root_in_use(root: TrustedRoot, times: Sequence[datetime]) -> TrustedRoot:
    """Return `root` without the certificate authorities and logs that were not in use at each of `times`, which are aware.

    Where all of them were, that is `root` itself.
    """
    inner = root._inner  # noqa: SLF001 - nothing public tells when an authority or a log was in use
    authorities = [each for each in inner.certificate_authorities if _covers(each.valid_for, times)]
    logs, certificate_logs = (_logs_in_use(each, times) for each in (inner.tlogs, inner.ctlogs))
    if (authorities, logs, certificate_logs) == (inner.certificate_authorities, inner.tlogs, inner.ctlogs):
        return root
    kept = {"certificate_authorities": authorities, "tlogs": logs, "ctlogs": certificate_logs}
    return TrustedRoot(inner.model_copy(update=kept))


def _logs_in_use(logs: Iterable[Any], times: Sequence[datetime]) -> list[Any]:
    return [log for log in logs if _covers(log.public_key.valid_for, times)]


def _covers(period: Any, times: Sequence[datetime]) -> bool:  # noqa: ANN401 - of a package that belongs to sigstore alone
    if period is None:
        return True
    return all(period.start <= time and (period.end is None or time <= period.end) for time in times)
