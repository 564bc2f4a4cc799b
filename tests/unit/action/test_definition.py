"""`action.yml` hands every input to the program, and no value ever becomes part of a script."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from hatch_sign_action.inputs import _TAKEN_BY, _TAKEN_BY_ALL

ROOT = Path(__file__).resolve().parents[3]
TEXT = (ROOT / "action.yml").read_text(encoding="utf-8")


def test_every_input_reaches_the_program_through_its_environment() -> None:
    declared = re.findall(r"^  ([a-z-]+):$", TEXT.partition("\ninputs:")[2].partition("\noutputs:")[0], re.MULTILINE)
    assert sorted(declared) == sorted({*_TAKEN_BY, *_TAKEN_BY_ALL})
    handed = re.findall(r"^        (ACTION_INPUT_[A-Z_]+): \$\{\{ inputs\.([a-z-]+) \}\}$", TEXT, re.MULTILINE)
    assert handed == [(f"ACTION_INPUT_{name.upper().replace('-', '_')}", name) for name in declared]


def test_the_script_has_no_expression() -> None:
    script = TEXT.partition("      run: |\n")[2]
    assert script
    assert "${{" not in script
    used = re.findall(r"\$\{\{(.*?)\}\}", TEXT)
    assert used
    assert all(re.fullmatch(r" (?:inputs\.[a-z-]+|steps\.run\.outputs\.[a-z-]+) ", each) for each in used)


def test_nothing_is_fetched_from_elsewhere() -> None:
    assert "uses:" not in TEXT


def test_the_projects_own_pull_requests_from_forks_and_bots_do_not_ask_for_a_signature() -> None:
    job = (ROOT / ".github/workflows/ci.yml").read_text(encoding="utf-8").partition("\n  action:\n")[2]
    assert "command: sign" in job
    (condition,) = re.findall(r"^    if: >-\n((?:      .*\n)+)", job.partition("steps:")[0], re.MULTILINE)
    own = "github.event.pull_request.head.repo.full_name == github.repository"
    by_a_person = "github.event.pull_request.user.type == 'User'"
    assert " ".join(condition.split()) == f"github.event_name != 'pull_request' || ({own} && {by_a_person})"


def test_the_program_needs_no_installed_package() -> None:
    program = (
        f"import sys; sys.path[:0] = [{str(ROOT / 'action')!r}, {str(ROOT)!r}]; sys.dont_write_bytecode = True\n"
        "import hatch_sign_action.running\n"
        "print([name for name, module in sys.modules.items() if 'site-packages' in (getattr(module, '__file__', '') or '')])"
    )
    done = subprocess.run([sys.executable, "-I", "-S", "-c", program], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "[]\n", "")
