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
    from hatch_sign.configuration.model import ReleaseSettings

WHEEL = ".whl"
_IGNORED = frozenset({".gitignore"})
"""Hidden files that build front ends leave in the folder; no publisher takes them along."""


@dataclass(frozen=True, slots=True)
class Contents:
    """The artifacts in a folder: `own` are of the release, others are not.

    `release` is what is released, each name with the one version; empty where no one release could be told. `identities`
    are all that the files name.
    """

    release: tuple[Identity, ...]
    own: tuple[Artifact, ...]
    identities: tuple[Identity, ...]

    @property
    def version(self) -> str | None:
        """The version of all that is released."""
        return self.release[0][1] if self.release else None


def sort_out(artifacts: Sequence[Artifact], settings: ReleaseSettings, *, version: str | None) -> Contents:
    """Return which artifacts are of the release: by their names, or because a pattern of ``expect`` matches them.

    Of several releases in one folder, it is the one that has the tag's `version`, where there is just one.
    """
    declared = {artifact: _declared(artifact) for artifact in artifacts}
    identities = tuple(dict.fromkeys(identity for identity in declared.values() if identity is not None))
    release = _released(identities, settings.projects, version)

    def is_own(artifact: Artifact) -> bool:
        found = declared[artifact]
        return _is_matched(artifact, settings.expect) if found is None else not release or found in release

    return Contents(release, tuple(artifact for artifact in artifacts if is_own(artifact)), identities)


def _released(identities: Sequence[Identity], projects: Sequence[str], version: str | None) -> tuple[Identity, ...]:
    """Return the one release among what is there: of one project, or of those that are released together."""
    candidates = [each for each in identities if each[0] in projects] if projects else identities
    versions = {each[1] for each in candidates}
    if len(versions) > 1 and version in versions:
        candidates = [each for each in candidates if each[1] == version]
        versions = {version}
    is_one = len(versions) == 1 and (projects or len(candidates) == 1)
    return tuple(sorted(candidates)) if is_one else ()


def check_identity(contents: Contents, projects: Sequence[str]) -> Iterator[Check]:
    """Check that there is one release, of one name, or of all that are released together, and of one version."""
    missing = [name for name in projects if name not in dict(contents.release)]
    found = ", ".join(" ".join(each) for each in sorted(contents.release or contents.identities))
    if contents.release and not missing:
        yield ok("release", found)
    elif contents.release:
        remedy = "build it into the same folder, or correct `projects` under `release`"
        wanted = (f"{name} {contents.version}" for name in missing)
        yield from listed(failure("release", found, each, remedy) for each in wanted)
    elif contents.identities:
        expected = f"{', '.join(projects)}, in one version" if projects else "one name and one version"
        remedy = "empty the folder and build again, say which version is meant with --tag, or name all in `projects`"
        yield failure("release", found, expected, f"{remedy} under `release`")
    else:
        remedy = "build first, or name the folder with the wheels and the sdist"
        yield failure("release", "no wheel and no sdist", "one name and one version", remedy)


def check_complete(contents: Contents, expect: Sequence[str]) -> Iterator[Check]:
    """Check that each of the patterns is matched; without any, that each project has one sdist, and a wheel."""
    names = [artifact.name for artifact in contents.own]
    wheels = [name for name in names if name.endswith(WHEEL)]
    sdists = [a.name for a in contents.own if not a.name.endswith(WHEEL) and _declared(a) is not None]
    missing = [pattern for pattern in expect if not any(fnmatchcase(name, pattern) for name in names)]
    if not expect:
        missing = list(_lacking(contents))
    found = f"{_count(len(sdists), 'sdist')} and {_count(len(wheels), 'wheel')}"
    others = len(names) - len(sdists) - len(wheels)
    found += f" and {_count(others, 'other')}" if others else ""
    remedy = "build what is missing, or correct `expect` under `release`"
    if missing:
        yield from listed(failure("complete", found, pattern, remedy) for pattern in missing)
    else:
        yield ok("complete", found)


def _lacking(contents: Contents) -> Iterator[str]:
    """Yield what each project of the release should have and has not."""
    released = contents.release or contents.identities
    kinds = Counter((_declared(artifact), artifact.name.endswith(WHEEL)) for artifact in contents.own)
    for identity in released or (("", ""),):
        of_which = f" of {' '.join(identity)}" if len(released) > 1 else ""
        if kinds[identity, False] != 1:
            yield f"one sdist{of_which}"
        if not kinds[identity, True]:
            yield f"at least one wheel{of_which}"


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
