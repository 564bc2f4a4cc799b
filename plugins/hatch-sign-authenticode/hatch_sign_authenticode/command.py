"""``hatch-sign-authenticode``: look at the signatures in a PE file, take them out, put them in, or remove them.

Signing and verifying are ``hatch-sign sign`` and ``hatch-sign verify``. Exit codes: 0 done; 1 there is no signature, or one
that is not over the file; 2 misuse; 3 a disk failed.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

from hatch_sign.values.display import display, display_json
from hatch_sign.values.errors import INTERRUPTED, HatchSignError, MalformedError, RejectedError, UsageError
from hatch_sign_authenticode.files import open_file, replace_file

_PROGRAM = "hatch-sign-authenticode"


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code."""
    arguments = _parser().parse_args(argv)
    try:
        return int(arguments.run(arguments))
    except HatchSignError as error:
        sys.stderr.write(f"{_PROGRAM}: error: {error}\n")
        return error.exit_code
    except KeyboardInterrupt:
        return INTERRUPTED


def show(arguments: argparse.Namespace) -> int:
    """Print what each signature says; 1 unless there is one, and all are over the file."""
    from hatch_sign_authenticode.describing import describe_file  # noqa: PLC0415 - after the arguments were found right

    with _open_pe(arguments.file) as stream:
        described = describe_file(stream)
    if arguments.json:
        table = [{"holds": each.holds, "lines": [list(line) for line in each.lines]} for each in described]
        sys.stdout.write(display_json({"file": str(arguments.file), "signatures": table}) + "\n")
    else:
        sys.stdout.write(f"{display(arguments.file)}: {_count(len(described))}\n")
        for each in described:
            sys.stdout.writelines(f"  {heading + ':':<13}{display(text)}\n" for heading, text in each.lines)
    return 0 if described and all(each.holds for each in described) else 1


def extract(arguments: argparse.Namespace) -> int:
    """Write the signature (PKCS #7 in DER, with those nested in it) into a file."""
    from hatch_sign_authenticode.pe import parse_pe, read_signatures  # noqa: PLC0415 - as above

    with _open_pe(arguments.file) as stream:
        signatures = read_signatures(stream, parse_pe(stream))
    _require_signed(arguments.file, signatures)
    replace_file(arguments.signature, lambda target: target.write(signatures[0]))
    return 0


def attach(arguments: argparse.Namespace) -> int:
    """Put a signature into the file, in place of those there or nested in the first; one that is not over it is refused."""
    from hatch_sign_authenticode.embedding import add_signature, require_room  # noqa: PLC0415 - as above
    from hatch_sign_authenticode.pe import parse_pe, read_signatures, write_signatures  # noqa: PLC0415 - as above

    added = _read_signature(arguments.signature)

    def write(target: BinaryIO) -> None:
        with _open_pe(arguments.file) as stream:  # closed before it is replaced, as Windows wants it
            pe = parse_pe(stream)
            present = read_signatures(stream, pe) if arguments.nested else ()
            require_room(present)
            write_signatures(stream, target, pe, add_signature(present, added))
        _require_good(target, arguments)

    replace_file(arguments.output or arguments.file, write)
    return 0


def remove(arguments: argparse.Namespace) -> int:
    """Take all signatures out of the file."""
    from hatch_sign_authenticode.pe import parse_pe, write_signatures  # noqa: PLC0415 - as above

    def write(target: BinaryIO) -> None:
        with _open_pe(arguments.file) as stream:
            pe = parse_pe(stream)
            _require_signed(arguments.file, pe.table or ())
            write_signatures(stream, target, pe, [])

    replace_file(arguments.output or arguments.file, write)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog=_PROGRAM, description="The Authenticode signatures in a PE file.")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    shown = _add(commands, show, "print what each signature says and whether it is over the file, trusting nobody")
    shown.add_argument("--json", action="store_true", help="print one JSON document")
    extracted = _add(commands, extract, "write the signature (PKCS #7, DER) into a file of its own")
    extracted.add_argument("signature", metavar="SIGNATURE", type=Path, help="where to")
    attached = _add(commands, attach, "put a signature into the file that it was made over")
    attached.add_argument("signature", metavar="SIGNATURE", type=Path, help="the signature (PKCS #7, DER)")
    attached.add_argument("--nested", action="store_true", help="keep those that are there, and nest it in the first")
    for changing in (attached, _add(commands, remove, "take all signatures out of the file")):
        changing.add_argument("-o", "--output", metavar="FILE", type=Path, help="write here, and leave the file as it is")
    return parser


def _add(commands: argparse._SubParsersAction[argparse.ArgumentParser], run: object, text: str) -> argparse.ArgumentParser:
    name: str = run.__name__  # type: ignore[attr-defined] # a function
    parser = commands.add_parser(name, help=text, description=f"{text[0].upper()}{text[1:]}.")
    parser.set_defaults(run=run)
    parser.add_argument("file", metavar="FILE", type=Path, help="an .exe, .dll, .pyd, .sys, or another PE file")
    return parser


def _open_pe(path: Path) -> BinaryIO:
    from hatch_sign_authenticode.pe import HEAD_SIZE, is_pe  # noqa: PLC0415 - as above

    stream = open_file(path)
    if not is_pe(stream.read(HEAD_SIZE)):
        stream.close()
        message = f"{display(path)} is no PE file"
        raise UsageError(message, remedy="give an .exe, .dll, .pyd or .sys for Windows")
    stream.seek(0)
    return stream


def _read_signature(path: Path) -> bytes:
    from hatch_sign.formats.cms.parsing import MAX_SIZE  # noqa: PLC0415 - as above
    from hatch_sign_authenticode.signatures import parse_signatures  # noqa: PLC0415 - as above

    with open_file(path) as stream:
        data = stream.read(MAX_SIZE + 1)
    try:
        parse_signatures([data])
    except MalformedError as error:
        message = f"{display(path)}: {error.message}"
        raise MalformedError(message, remedy="give what `extract` writes: PKCS #7 in DER") from None
    return data


def _require_signed(path: Path, found: Sequence[object]) -> None:
    if not found:
        message = f"{display(path)} holds no signature"
        raise RejectedError(message)


def _require_good(written: BinaryIO, arguments: argparse.Namespace) -> None:
    from hatch_sign_authenticode.verifier import AuthenticodeVerifier  # noqa: PLC0415 - as above

    finding = AuthenticodeVerifier().check(arguments.file.name, written, [])
    if finding.problem is not None:
        detail = f"{finding.problem.value}: {finding.detail}" if finding.detail else finding.problem.value
        message = f"{display(arguments.signature)} does not belong into {display(arguments.file)}: {display(detail)}"
        raise RejectedError(message, remedy="nothing was written")


def _count(number: int) -> str:
    return f"{number} signature{'' if number == 1 else 's'}" if number else "unsigned"
