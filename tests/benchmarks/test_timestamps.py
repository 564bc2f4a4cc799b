"""40 artifacts timestamped by an authority that takes 200 ms for each reply, beside asking it by openssl and curl."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

import pytest

from hatch_sign.witnesses.rfc3161.pace import LANES
from tests.authority import chain_pem
from tests.integration.cli.cli_project import Project, make_project
from tests.unit.witnesses.stamping_server import StampingServer, stamping

from .measuring import hatch_sign, report, run_once

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ARTIFACTS = 40
DELAY = 0.2
"""Seconds that each reply takes longer."""
IDEAL = ARTIFACTS / LANES * DELAY

_IN_TURN = """\
set -e
for file in "$1"/*.bin; do
    openssl ts -query -data "$file" -sha256 -cert |
        curl --silent --show-error --fail -H 'Content-Type: application/timestamp-query' --data-binary @- "$2" > "$3/reply"
    openssl ts -verify -data "$file" -in "$3/reply" -CAfile "$3/tsa.pem" > "$3/verified"
done
"""


@pytest.fixture
def server() -> Iterator[StampingServer]:
    with stamping() as running:
        running.service.delay = DELAY
        yield running


@pytest.fixture
def project(tmp_path: Path, server: StampingServer) -> Project:
    project = make_project(tmp_path)
    (tmp_path / "tsa.pem").write_bytes(chain_pem(server.holder.root))
    text = (tmp_path / "hatch-sign.toml").read_text()
    (tmp_path / "hatch-sign.toml").write_text(text.replace("[verify]\n", '[verify]\ntimestamp-roots = "tsa.pem"\n'))
    for number in range(ARTIFACTS):
        project.add(f"{number:02}.bin", b"%d" % number)
    return project


def test_replies_overlap_as_far_as_they_may(project: Project, server: StampingServer) -> None:
    environ = {**project.environ, "PATH": os.environ["PATH"]}
    programs = {
        "signed alone": hatch_sign("sign", "dist", "--overwrite"),
        "signed and timestamped": hatch_sign("sign", "dist", "--overwrite", "--timestamp", server.url),
        "timestamped once more": hatch_sign("timestamp", "dist", "--renew", "--timestamp", server.url),
    }
    if shutil.which("curl"):
        programs["openssl and curl in turn"] = ["bash", "-c", _IN_TURN, "-", "dist", server.url, str(project.folder)]
    seconds = {name: run_once(program, environ=environ, folder=project.folder).seconds for name, program in programs.items()}
    assert server.count == ARTIFACTS * (len(programs) - 1)
    assert server.peak <= LANES
    more = seconds["signed and timestamped"] - seconds["signed alone"]
    in_turn = seconds.get("openssl and curl in turn")
    report(
        f"{ARTIFACTS} artifacts, an authority that takes {DELAY * 1000:.0f} ms, {LANES} requests at once",
        [
            *(f"{name:26} {taken:6.2f} s" for name, taken in seconds.items()),
            f"what timestamps add to signing, as a ratio to {IDEAL:.2f} s: {more / IDEAL:.2f}",
            *(
                [f"signed and timestamped, as a ratio to in turn: {seconds['signed and timestamped'] / in_turn:.2f}"]
                if in_turn
                else []
            ),
        ],
    )
