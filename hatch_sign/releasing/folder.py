"""What lies in the folder: which release it is, whether that is all of it, and whether there is anything else."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING

from hatch_sign.artifacts.naming import DISTRIBUTIONS
from hatch_sign.artifacts.reading import open_artifact
from hatch_sign.releasing.checks import Check, failure, listed, ok, warning
from hatch_sign.values.errors import MalformedError

if TYPE_CHECKING:
    from hatch_sign.archives.distributions import Identity
    from hatch_sign.artifacts.discovery import Artifact

WHEEL = ".whl"
_IGNORED = frozenset({".gitignore"})
"""Hidden files that build front ends leave in the folder; no publisher takes them along."""


@dataclass(frozen=True, slots=True)
class Contents:
    """The artifacts in a folder: `own` are of the release, `others` are not. `identity` is None where they name several."""

    identity: Identity | None
    own: tuple[Artifact, ...]
    others: tuple[Artifact, ...]
    identities: tuple[Identity, ...]


def sort_out(artifacts: Sequence[Artifact], *, expect: Sequence[str], version: str | None) -> Contents:
    """Return which artifacts are of the release: by their names, or because a pattern of `expect` matches them.

    Of several releases in one folder, it is the one that has the tag's `version`, where there is just one.
    """
    declared = {artifact: _declared(artifact) for artifact in artifacts}
    counted = Counter(identity for identity in declared.values() if identity is not None)
    candidates = [each for each in counted if len(counted) == 1 or each[1] == version]
    identity = candidates[0] if len(candidates) == 1 else None

    def is_own(artifact: Artifact) -> bool:
        found = declared[artifact]
        return _is_matched(artifact, expect) if found is None else identity is None or found == identity

    own = tuple(artifact for artifact in artifacts if is_own(artifact))
    return Contents(identity, own, tuple(a for a in artifacts if a not in set(own)), tuple(counted))


def check_identity(contents: Contents) -> Check:
    """Check that there is one release, of one name and version."""
    if contents.identity is not None:
        return ok("release", " ".join(contents.identity))
    expected = "one name and one version"
    if not contents.identities:
        remedy = "build first, or name the folder with the wheels and the sdist"
        return failure("release", "no wheel and no sdist", expected, remedy)
    found = ", ".join(" ".join(each) for each in sorted(contents.identities))
    return failure("release", found, expected, "empty the folder and build again, or say which is meant with --tag")


def check_complete(contents: Contents, expect: Sequence[str]) -> Iterator[Check]:
    """Check that each of the patterns is matched; without any, that there are an sdist and a wheel."""
    names = [artifact.name for artifact in contents.own]
    wheels = [name for name in names if name.endswith(WHEEL)]
    sdists = [a.name for a in contents.own if not a.name.endswith(WHEEL) and _declared(a) is not None]
    missing = [pattern for pattern in expect if not any(fnmatchcase(name, pattern) for name in names)]
    if not expect:
        missing = [*([] if len(sdists) == 1 else ["one sdist"]), *([] if wheels else ["at least one wheel"])]
    found = f"{_count(len(sdists), 'sdist')} and {_count(len(wheels), 'wheel')}"
    others = len(names) - len(sdists) - len(wheels)
    found += f" and {_count(others, 'other')}" if others else ""
    remedy = "build what is missing, or correct `expect` under `release`"
    if missing:
        yield from listed(failure("complete", found, pattern, remedy) for pattern in missing)
    else:
        yield ok("complete", found)


def check_names(contents: Contents) -> Iterator[Check]:
    """Check that the metadata inside each wheel and sdist says what its file name says."""
    from hatch_sign.archives.distributions import check_name  # noqa: PLC0415 - loads packaging

    wrong = []
    vouched = 0
    for artifact in contents.own:
        if not artifact.name.endswith(DISTRIBUTIONS):
            continue
        try:
            with open_artifact(artifact.path) as stream:
                vouched += check_name(artifact.name, stream)
        except MalformedError as error:
            wrong.append(
                failure("names", f"{artifact.name}: {error.message}", "the same inside and outside", "build it again")
            )
    yield from listed(wrong)
    if not wrong:
        yield ok("names", f"{_count(vouched, 'file')} named as the metadata inside")


def check_nothing_else(folder: Path, contents: Contents, belonging: Iterable[Path]) -> Iterator[Check]:
    """Check that each file is an artifact of the release, or one of the signatures `belonging` to it."""
    known = {*(artifact.path for artifact in contents.own), *belonging}
    strays = [path for path in _files(folder) if path not in known and path.name not in _IGNORED]
    found = [_stray(path.relative_to(folder).as_posix()) for path in strays]
    yield from listed(sorted(found, key=lambda check: check.status))
    if not found:
        yield ok("nothing else", f"{_count(len(contents.own), 'artifact')} and their signatures")


def _stray(name: str) -> Check:
    if any(part.startswith(".") for part in name.split("/")):
        return warning("nothing else", name, "no hidden file", "remove it: no publisher takes it along")
    expected = "artifacts of this release and their signatures"
    return failure("nothing else", name, expected, "remove it, or name it in `expect` under `release`")


def _files(folder: Path) -> Iterator[Path]:
    for directory, folders, names in os.walk(folder):
        folders.sort()
        yield from (Path(directory, name) for name in sorted(names))


def _declared(artifact: Artifact) -> Identity | None:
    if not artifact.name.endswith(DISTRIBUTIONS):
        return None
    from hatch_sign.archives.distributions import declared_name  # noqa: PLC0415 - as above

    return declared_name(artifact.name)


def _is_matched(artifact: Artifact, expect: Iterable[str]) -> bool:
    return any(fnmatchcase(artifact.name, pattern) for pattern in expect)


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
