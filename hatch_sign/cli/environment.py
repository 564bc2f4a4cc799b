"""What every command is lent: the console, the environment, the clock, the registry, the configuration."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hatch_sign.cli.console import Console
    from hatch_sign.configuration.model import Configuration
    from hatch_sign.custody.context import RunContext
    from hatch_sign.registry import Registry


@dataclass
class Environment:
    """The outer world of one run. The clock is read here and nowhere deeper."""

    console: Console
    environ: Mapping[str, str]
    directory: Path = field(default_factory=Path.cwd)
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)

    @cached_property
    def registry(self) -> Registry:
        """The plugins that are installed."""
        from hatch_sign.contract.executables import allowed_executables  # noqa: PLC0415 - as below
        from hatch_sign.registry import Registry  # noqa: PLC0415 - commands that need no plugin do not pay for it

        return Registry(executables=allowed_executables(self.environ))

    def context(self, *, spend_final_try: bool = False) -> RunContext:
        """Return the context that lends secrets to backends; asks on a terminal only."""
        from hatch_sign.custody.context import RunContext  # noqa: PLC0415 - for commands that open a key only
        from hatch_sign.custody.terminal import terminal_prompt  # noqa: PLC0415 - as above

        return RunContext(
            self.environ,
            spend_final_try=spend_final_try,
            prompt=terminal_prompt(),
            on_warning=self.console.warn,
        )

    def load_configuration(self, arguments: argparse.Namespace, *, signs: bool = True) -> Configuration:
        """Load the configuration that `arguments` name, or the working directory's, with their overrides.

        The environment overrides what is signed and how; a command that does not sign is not swayed by it.
        """
        from hatch_sign.configuration.loading import Overrides, find_configuration, load_configuration  # noqa: PLC0415 - as above

        explicit = Path(arguments.config) if getattr(arguments, "config", None) else None
        return load_configuration(
            find_configuration(self.directory, explicit),
            directory=self.directory,
            environ=self.environ if signs else {},
            overrides=Overrides.from_arguments(arguments),
            registry=self.registry,
        )

    def load_policy(self, arguments: argparse.Namespace) -> Configuration | None:
        """Load the configuration that ``--policy`` names; None where it is not given."""
        if arguments.policy is None:
            return None
        return self.load_configuration(argparse.Namespace(config=arguments.policy), signs=False)
