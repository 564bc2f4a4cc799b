"""One step of a workflow: install, run the command, and tell the runner what became of it."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from hatch_sign.values.errors import ConfigurationError, HatchSignError, UsageError
from hatch_sign_action.command_lines import command_lines
from hatch_sign_action.documents import NOTHING, Told, joined, read_document
from hatch_sign_action.events import refuse_strangers
from hatch_sign_action.inputs import Inputs, read_inputs, without_inputs
from hatch_sign_action.installing import choose, install
from hatch_sign_action.policies import load_policy
from hatch_sign_action.summary import summarize
from hatch_sign_action.workflow_commands import Log, is_output, list_of_paths, secrets_in, write_outputs

_VERDICTS = {"sign": "consistent", "verify": "trusted", "check": "trusted", "upload": "trusted"}
"""What it is called when the last command that ran ended well."""

_PROGRAM = ("-I", "-X", "utf8", "-m", "hatch_sign")
"""What a Python runs hatch-sign by, whatever the workspace and the environment have for it to find."""


@dataclass(slots=True)
class Result:
    """How far a step got: what signing said, what the last command said, and its exit code."""

    code: int
    verdict: str
    signed: Told = NOTHING
    told: Told = NOTHING
    report: str = ""
    problems: tuple[str, ...] = ()

    @property
    def holding(self) -> Told:
        """What names the files: signing knows where it wrote them."""
        return self.signed if self.signed.files else self.told


def main(environ: Mapping[str, str], *, root: Path) -> int:
    """Run the step that `environ` describes, with the action in `root`, and return its exit code."""
    log = Log(sys.stdout)
    show = True
    try:
        inputs = read_inputs(environ)
        show = inputs.show_summary
        for secret in secrets_in(environ, key=inputs.key):
            log.mask(secret)
        result = _run(inputs, Step(environ, root, log))
    except HatchSignError as error:
        problems = error.details if isinstance(error, ConfigurationError) and error.details else (str(error),)
        result = Result(error.exit_code, "failed", problems=problems)
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        result = Result(HatchSignError.exit_code, "failed", problems=(f"{where}{error.strerror}",))
    return tell(result, environ, log, command=environ.get("ACTION_INPUT_COMMAND", ""), show=show)


@dataclass(frozen=True, slots=True)
class Step:
    """The outer world of one step."""

    environ: Mapping[str, str]
    root: Path
    log: Log

    @property
    def temporary(self) -> Path:
        """A folder that the runner empties when the job ends. Raises UsageError where there is none to rely on."""
        folder = self.environ.get("RUNNER_TEMP", "")
        if not folder:
            message = "RUNNER_TEMP names no folder"
            raise UsageError(message, remedy="run this as a step of a workflow")
        return Path(folder)

    @property
    def workspace(self) -> Path:
        """Where the repository is checked out; relative paths begin there."""
        return Path(self.environ.get("GITHUB_WORKSPACE") or Path.cwd())

    @property
    def tag(self) -> str:
        """The whole name of the tag that the run is for; empty for another."""
        reference = self.environ.get("GITHUB_REF", "")
        return reference if reference.startswith("refs/tags/") else ""

    def run(self, command: Sequence[str], environ: Mapping[str, str]) -> int:
        """Run a program whose every line goes into the log."""
        return self.listen(command, environ, into=subprocess.STDOUT)

    def listen(self, command: Sequence[str], environ: Mapping[str, str], *, into: IO[bytes] | int) -> int:
        """Run a program. Its standard error goes into the log, its standard output `into` a file, or there as well."""
        aside = into is not subprocess.STDOUT
        try:
            with subprocess.Popen(  # noqa: S603 - our own programs; what users wrote are arguments, and no shell sees them
                [*command],
                env=dict(environ),
                cwd=self.workspace,
                stdin=subprocess.DEVNULL,
                stdout=into if aside else subprocess.PIPE,
                stderr=subprocess.PIPE if aside else subprocess.STDOUT,
            ) as process:
                for line in (process.stderr if aside else process.stdout) or ():
                    self.log.foreign(line.decode("utf-8", "backslashreplace"))
            return process.returncode
        finally:
            self.log.end_foreign()


def _run(inputs: Inputs, step: Step) -> Result:
    if inputs.command in {"sign", "upload"}:
        refuse_strangers(step.environ)
    environ = without_inputs(step.environ)
    folder = Path(tempfile.mkdtemp(prefix="hatch-sign-", dir=step.temporary))
    policy = ""
    if inputs.policy:
        policy = str(load_policy(inputs.policy, folder=folder / "policy", workspace=step.workspace, environ=environ))
    chosen = choose(inputs.plugins, root=step.root, uploads=inputs.command == "upload")
    python = install(chosen, folder=step.temporary / "hatch-sign-action", environ=environ, run=step.run)
    result = Result(0, "failed")
    for name, arguments in command_lines(inputs, policy=policy, tag=step.tag):
        _run_command(name, [str(python), *_PROGRAM, *arguments], step, folder=folder, result=result)
        if result.code:
            break
    return result


def _run_command(name: str, command: Sequence[str], step: Step, *, folder: Path, result: Result) -> None:
    """Run one command of hatch-sign and put what it said into `result`."""
    report = folder / f"{name}.json"
    with report.open("wb") as stream:
        result.code = step.listen(command, without_inputs(step.environ), into=stream)
    told = _read(report)
    result.report = str(report)
    result.told = told
    result.problems = told.problems if result.code else ()
    if name == "sign":
        result.signed = told
    result.verdict = _VERDICTS[name] if result.code == 0 else "rejected" if result.code == 1 else "failed"
    if result.code and not result.problems:
        result.problems = (f"hatch-sign {name} ended with exit code {result.code}",)


def _read(report: Path) -> Told:
    try:
        document: Any = json.loads(report.read_bytes())
    except ValueError:  # it ended before it had something to say, or was ended
        return NOTHING
    return read_document(document)


def _lists(holding: Told, log: Log) -> dict[str, str]:
    """Return the outputs that are paths; one that would be too large is empty, and the log says so."""
    lists = {"signatures": list_of_paths(holding.files), "bundle-paths": list_of_paths(holding.bundles)}
    for name, text in lists.items():
        if not is_output(text):
            message = f"the output {name} is empty: it would be larger than 1 MiB; the file that `report` names has it all"
            log.command("warning", message, title="hatch-sign")
            lists[name] = ""
    return lists


def tell(result: Result, environ: Mapping[str, str], log: Log, *, command: str, show: bool) -> int:
    """Write annotations, outputs and the summary; return the exit code."""
    code, problems, holding = result.code, [*result.problems], result.holding
    lists = {"signatures": "", "bundle-paths": ""}
    try:
        lists = _lists(holding, log)
    except HatchSignError as error:
        problems.append(str(error))
        code = code or error.exit_code
    verdict = result.verdict if code == result.code else "failed"
    outputs = {**lists, "verdict": verdict, "count": str(holding.count), "report": result.report}
    if environ.get("GITHUB_OUTPUT"):
        write_outputs(Path(environ["GITHUB_OUTPUT"]), outputs)
    if show and environ.get("GITHUB_STEP_SUMMARY"):
        text = summarize(command=command, verdict=verdict, rows=joined(result.signed, result.told), problems=problems)
        with Path(environ["GITHUB_STEP_SUMMARY"]).open("a", encoding="utf-8", newline="\n") as stream:
            stream.write(text)
    log.annotate(problems)
    log.line(f"hatch-sign: {verdict}")
    return code
