"""An artifact passes through in pieces: how large it is does not matter to the memory."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from .cli_project import Project, Ran, make_project

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the peak is read from /proc")

GIBIBYTE = 1 << 30
LIMIT = 120 << 10
"""KiB that a run may hold at once: the interpreter, the cryptography, and pieces of the artifact."""

# What getrusage says begins with the memory of whoever started the process; VmHWM begins with the program.
REPORT = "import pathlib; print([line for line in pathlib.Path('/proc/self/status').open() if line.startswith('VmHWM')])"
PROGRAM = f"import sys; from hatch_sign.cli import main; code = main(sys.argv[1:]); {REPORT}; sys.exit(code)"
WASTEFUL = f"import sys; from pathlib import Path; held = Path(sys.argv[1]).read_bytes(); {REPORT}"


def peak(ran: Ran) -> int:
    """Return the most memory that a program held at once, in KiB, as it printed it at its end."""
    (found,) = re.findall(r"VmHWM:\\t *([0-9]+) kB", ran.out)
    return int(found)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    return make_project(tmp_path_factory.mktemp("memory"))


def add_sparse(project: Project, name: str, size: int) -> Path:
    """Add a file of zeros that takes no room on the disk."""
    path = project.add(name, b"")
    with path.open("rb+") as file:
        file.truncate(size)
    return path


def test_a_file_of_a_gibibyte_is_signed_and_verified_in_little_memory(project: Project) -> None:
    artifact = add_sparse(project, "large.bin", GIBIBYTE)
    signed = project.run("sign", "dist/large.bin", program=("-c", PROGRAM))
    assert (signed.code, project.names()) == (0, ["large.bin", "large.bin.sigstore.json"]), signed.output
    assert peak(signed) < LIMIT
    verified = project.run("verify", "dist/large.bin", program=("-c", PROGRAM))
    assert verified.code == 0, verified.output
    assert "trusted" in verified.out
    assert peak(verified) < LIMIT
    with artifact.open("rb+") as file:
        file.seek(-1, 2)
        file.write(b"x")
    refused = project.run("verify", "dist/large.bin", program=("-c", PROGRAM))
    assert refused.code == 1
    assert "hash-mismatch" in refused.out
    assert peak(refused) < LIMIT


def test_a_program_that_holds_its_file_is_found(project: Project) -> None:
    """The measure itself: what reads a file of the limit's size at once is over the limit."""
    add_sparse(project, "held.bin", LIMIT << 10)
    assert peak(project.run("dist/held.bin", program=("-c", WASTEFUL))) > LIMIT
