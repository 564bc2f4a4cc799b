"""The hook ``hatch-sign-release``: what is about to leave under a tag is a complete, signed and verified release."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence

_TAGS = "refs/tags/"
_COMMIT = "PRE_COMMIT_TO_REF"
"""What pre-commit says is pushed under that name: the object itself."""
_PUSHED = ("PRE_COMMIT_REMOTE_BRANCH", "PRE_COMMIT_LOCAL_BRANCH")
"""What pre-commit says is pushed, there and here; not set where the hook is run by hand. Of several it names one."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run ``hatch-sign release check`` with the arguments of the hook, and return its exit code.

    While something else than a tag of a release is pushed there is nothing to check. Run by hand, it looks for the tag at
    the commit, unless ``--tag`` names one.
    """
    given = list(sys.argv[1:] if argv is None else argv)
    if "-h" in given or "--help" in given:
        return _check(given)
    tag = _tag_of(os.environ)
    if tag is None:
        return _check(given)
    if not tag or not _is_release(tag, given):
        return 0
    if not _is_checked_out(os.environ):
        from hatch_sign.values.display import display  # noqa: PLC0415 - where there is something to say only

        sys.stderr.write(f"hatch-sign-release: error: {display(tag)} is not the commit that is checked out; ")
        sys.stderr.write("check it out, build, sign, and push again\n")
        return 1
    return _check([*given, "--tag", tag])


def _tag_of(environ: Mapping[str, str]) -> str | None:
    """Return the tag that is pushed, empty where it is none; None where nothing is pushed."""
    pushed = [environ[name] for name in _PUSHED if name in environ]
    if not pushed:
        return None
    return next((each.removeprefix(_TAGS) for each in pushed if each.startswith(_TAGS)), "")


def _is_checked_out(environ: Mapping[str, str]) -> bool:
    """Return whether what is pushed is the commit at hand, whatever the tag of that name is here; True without its id."""
    from pathlib import Path  # noqa: PLC0415 - for a tag that is pushed only

    from hatch_sign.provenance.git import open_git  # noqa: PLC0415 - as above

    pushed = environ.get(_COMMIT)
    git = open_git(Path.cwd(), environ) if pushed else None
    if git is None:  # without git, the check of the release says so
        return True
    commits = [git.ask("rev-parse", "--verify", "--end-of-options", f"{each}^{{commit}}") for each in (pushed, "HEAD")]
    return commits[0] is not None and commits[0] == commits[1]


def _is_release(tag: str, given: Sequence[str]) -> bool:
    """Return whether the tag has a version where the configuration says; a configuration that is wrong is told of later."""
    from pathlib import Path  # noqa: PLC0415 - for a tag that is pushed only

    from hatch_sign.cli.commands import build_parser  # noqa: PLC0415 - as above
    from hatch_sign.configuration.loading import Overrides, find_configuration, load_configuration  # noqa: PLC0415 - as above
    from hatch_sign.registry import Registry  # noqa: PLC0415 - as above
    from hatch_sign.releasing.tags import version_in  # noqa: PLC0415 - as above
    from hatch_sign.values.errors import HatchSignError  # noqa: PLC0415 - as above

    arguments = build_parser(["release"]).parse_args(["release", "check", *given])
    directory, named = Path.cwd(), Path(arguments.config) if arguments.config else None
    try:
        path = find_configuration(directory, named)
        configuration = load_configuration(path, directory=directory, environ={}, overrides=Overrides(), registry=Registry())
    except HatchSignError:
        return True
    return version_in(tag, configuration.release.tag) is not None


def _check(arguments: Sequence[str]) -> int:
    from hatch_sign.cli import main as hatch_sign  # noqa: PLC0415 - where there is something to check only

    return hatch_sign(["release", "check", *arguments])


if __name__ == "__main__":
    sys.exit(main())
