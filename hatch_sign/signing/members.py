"""One file inside an artifact: signed by every format that fits it, or left as it is, and why."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from hatch_sign.signing.work import embed_signature, is_embedded_stamped, look_inside
from hatch_sign.values.display import display
from hatch_sign.values.errors import HatchSignError, MalformedError, RejectedError, UnsupportedError
from hatch_sign.values.outcomes import Outcome, Verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from datetime import datetime
    from typing import BinaryIO

    from hatch_sign.configuration.model import ContentsSettings
    from hatch_sign.contract import Finding
    from hatch_sign.signing.work import Inside, Workbench

_LEFT_ALONE = frozenset({Verdict.UNTRUSTED})
"""Problems of a signature that is somebody else's: nothing says that it is wrong."""
_BROKEN = frozenset({Verdict.HASH_MISMATCH, Verdict.MALFORMED, Verdict.INDETERMINATE})
"""Problems of a signature that nobody should ship, nor hide under another one."""


@dataclass(frozen=True, slots=True)
class Fate:
    """What became of a file under one format; `time` is the instant that a timestamp proves (aware, UTC)."""

    bench: Workbench
    verdict: Verdict
    detail: str
    time: datetime | None = None

    def outcome(self, artifact: str, member: str | None) -> Outcome:
        """Return it as the outcome of one member, or of the artifact itself."""
        return Outcome(
            artifact=artifact,
            signature=self.bench.settings.name or self.bench.format.name,
            format=self.bench.format.name,
            verdict=self.verdict,
            detail=self.detail,
            member=member,
            signer=self.bench.signer_name if self.verdict is Verdict.CONSISTENT else None,
            time=self.time,
        )


@dataclass(frozen=True, slots=True)
class MemberSigner:
    """Signs files inside artifacts by the formats of `benches`, one after the other.

    `anew` signs again what is signed by this key already, and as it would be now; `make_target` makes an empty file for
    each signature, `proven` returns the instant that its timestamps prove.
    """

    benches: Sequence[Workbench]
    contents: ContentsSettings
    anew: bool
    make_target: Callable[[], BinaryIO]
    proven: Callable[[Iterable[Finding]], datetime | None]

    def sign(self, artifact: str, member: str | None, source: BinaryIO) -> tuple[BinaryIO | None, list[Fate]]:
        """Return the signed file, None where nothing changed, and what became of it under each format that fits it.

        Raises HatchSignError naming the member, among others for a signature that is there and does not hold.
        """
        fates: list[Fate] = []
        signed: BinaryIO | None = None
        for bench in self.benches:
            target = self._signed_by(bench, artifact, member, signed or source, fates)
            if target is not None and signed is not None:
                signed.close()
            signed = target or signed
        return signed, fates

    def _signed_by(
        self, bench: Workbench, artifact: str, member: str | None, source: BinaryIO, fates: list[Fate]
    ) -> BinaryIO | None:
        """Return what `bench` makes of the file, and add what became of it, unless the format has no say in such files."""
        where = artifact if member is None else f"{artifact}/{member}"
        inside = look_inside(bench, where, source)
        if inside.finding.problem is Verdict.NOT_APPLICABLE:
            return None
        if inside.is_current and not self.anew:
            fates.append(Fate(bench, Verdict.CONSISTENT, "already signed by this key"))
            return None
        if left := self._reason_to_leave(inside, where):
            fates.append(Fate(bench, Verdict.NOT_APPLICABLE, left))
            return None
        target = self.make_target()
        try:
            source.seek(0)
            embedded = embed_signature(bench, artifact, source, target, member=member)
        except BaseException as error:
            target.close()
            if isinstance(error, (MalformedError, UnsupportedError)):
                raise _naming(where, error) from None
            raise
        if embedded is None:
            target.close()
            return None
        detail = "signed" if is_embedded_stamped(bench, embedded) else "signed, without a timestamp"
        fates.append(Fate(bench, Verdict.CONSISTENT, detail, self.proven([embedded])))
        return target

    def _reason_to_leave(self, inside: Inside, where: str) -> str:
        """Return why the file is left alone, empty where it is not. Raises RejectedError for a signature that is broken."""
        finding = inside.finding
        if self.contents.replace_signatures or inside.is_ours:
            return ""
        if finding.problem in _BROKEN:
            is_of_signature = finding.facts or finding.problem is Verdict.HASH_MISMATCH  # else it may be of the file itself
            found = display(finding.problem.value)
            what = f": its {found} signature does not hold" if is_of_signature else f" is {found}"
            message = f"{display(where)}{what}: {display(finding.detail)}"
            remedy = "take the file from its maker again, `exclude` it, or set `replace-signatures`"
            raise RejectedError(message, remedy=remedy)
        if finding.facts:
            return f"left: signed by {inside.signers}"
        return f"left: signed by somebody else: {finding.detail}" if finding.problem in _LEFT_ALONE else ""


def _naming(where: str, error: HatchSignError) -> HatchSignError:
    error.message = f"{display(where)}: {error.message}"
    error.remedy = error.remedy or "mend the file, or `exclude` it in [tool.hatch-sign.contents]"
    return error
