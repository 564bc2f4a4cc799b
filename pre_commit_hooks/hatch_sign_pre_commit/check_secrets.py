"""The hook ``hatch-sign-secrets``: no private key, PIN, keystore or token among the files that are committed."""

from __future__ import annotations

import argparse
import io
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePath
from typing import TYPE_CHECKING

from hatch_sign_pre_commit.allowing import DEFAULT_FILE, Allowed, AllowListError, load_allow_list
from hatch_sign_pre_commit.looking import LARGEST, find_secrets, open_regular

if TYPE_CHECKING:
    from hatch_sign_pre_commit.found import Found

_REMEDIES = {
    "private-key": "take it out, and make another in a token or a key service: this one was on a disk",
    "keystore": "take it out, and replace the keys in it where it was pushed",
    "token-file": "take it out, and keep it in HATCH_SIGN_HOME, outside of the repository",
    "pin": "take it out, change it where it was pushed, and give it by pin-source=env:NAME, a keyring or the environment",
    "password": "take it out, change it where it was pushed, and give it by the environment or a keyring",
    "access-token": "take it out, revoke it, and give another by the environment or a keyring",
}


def main(argv: Sequence[str] | None = None) -> int:
    """Look at the files that are named; return 0 where there is nothing to find, 1 where there is, 2 for misuse."""
    parser = argparse.ArgumentParser(prog="hatch-sign-secrets", description=__doc__, allow_abbrev=False)
    parser.add_argument("files", metavar="FILE", nargs="*")
    allow_list = f"what may be there, and why; default: {DEFAULT_FILE}"
    parser.add_argument("--allow-list", metavar="FILE", default=DEFAULT_FILE, help=allow_list)
    arguments = parser.parse_args(argv)
    for stream in (sys.stdout, sys.stderr):  # a file's name may hold what the encoding of the machine cannot
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        allowed = load_allow_list(Path(arguments.allow_list))
    except AllowListError as error:
        sys.stderr.write(f"hatch-sign-secrets: error: {_shown(str(error))}\n")
        return 2
    lines = [line for name in arguments.files for line in _look(name, allowed)]
    for line in lines:
        sys.stdout.write(f"{line}\n")
    if lines:
        hint = f"what is no secret is told in {DEFAULT_FILE}: [[allow]] with path, kinds and reason"
        sys.stderr.write(f"hatch-sign-secrets: found {len(lines)}; {hint}\n")
    return 1 if lines else 0


def _look(name: str, allowed: Sequence[Allowed]) -> Iterator[str]:
    """Yield a line for each secret in a file; the secret is in none."""
    path = PurePath(name).as_posix()
    try:
        stream = open_regular(Path(name))
        if stream is None:
            return
        with stream:
            for line, found in find_secrets(stream, path):
                if not any(entry.covers(path, found) for entry in allowed):
                    yield _line(path, line, found)
            if os.fstat(stream.fileno()).st_size > LARGEST:
                told = f"only its first {LARGEST} bytes were looked at; look at the rest yourself"
                sys.stderr.write(f"hatch-sign-secrets: warning: {_shown(path)}: {told}\n")
    except OSError as error:
        yield f"{_shown(path)}: it cannot be read: {error.strerror}; make it readable, and run this again"


def _line(path: str, line: int, found: Found) -> str:
    return f"{_shown(path)}:{line}: {found.kind}: {found.what}; {_REMEDIES[found.kind]}"


def _shown(text: str) -> str:
    from hatch_sign.values.display import display  # noqa: PLC0415 - where there is something to say only

    return display(text)


if __name__ == "__main__":
    sys.exit(main())
