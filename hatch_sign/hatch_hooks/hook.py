"""The build hook ``sign``: what Hatch calls, in the order in which it does."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

from hatch_sign.building.guards import reason_to_abstain
from hatch_sign.hatch_hooks.voice import Voice

if TYPE_CHECKING:
    from hatch_sign.building.build import Build


class SignBuildHook(BuildHookInterface[Any]):
    """Signs each artifact once it is built, verifies it, and takes it away where that fails.

    What can be found wrong before the build is found in `initialize`, so that nobody waits for a compiler to be told.
    """

    PLUGIN_NAME = "sign"

    def clean(self, versions: list[str]) -> None:  # noqa: ARG002 - Hatch's signature; ours belong to no version
        """Remove the signatures whose artifacts Hatch has just removed."""
        for path in self._build.clean():
            self._voice.debug(f"removed {path.name}, whose artifact is gone")

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """End, with exit code 2, a build that could only fail later. No key is opened yet, and no PIN asked for."""
        if self._reason_to_abstain(Path(self.directory), version) is not None:
            return
        later = later_hooks(build_data.get("build_hooks", ()), self.PLUGIN_NAME)
        if later:
            names = " and ".join(f"`{name}`" for name in later)
            message = f"the build hook {names} runs after `{self.PLUGIN_NAME}`, and could change what was signed"
            remedy = f"keep `{self.PLUGIN_NAME}` the last hook table; hooks of one target run after those of all targets"
            self._voice.abort(f"{message}; {remedy}", 2)
        self._build.start()

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:  # noqa: ARG002 - Hatch's signature
        """Sign and verify what is at `artifact_path`, a file or a folder; end the build where that fails."""
        built = Path(artifact_path)
        reason = self._reason_to_abstain(built, version)
        if reason is not None:
            self._voice.warn(f"{built.name} is not signed: {reason}")
            return
        self._build.sign(built)

    @cached_property
    def _voice(self) -> Voice:
        return Voice(self.app)

    @cached_property
    def _build(self) -> Build:
        from hatch_sign.building.build import Build  # noqa: PLC0415 - a build that abstains does not need it

        return Build(Path(self.root), Path(self.directory), os.environ, self._voice)

    def _reason_to_abstain(self, output: Path, version: str) -> str | None:
        return reason_to_abstain(output, version=version, environ=os.environ, temporary=[Path(tempfile.gettempdir())])


def later_hooks(order: Sequence[str], own: str) -> tuple[str, ...]:
    """Return the build hooks that run after `own`, and so may change what it has signed."""
    return tuple(order[order.index(own) + 1 :]) if own in order else ()
