"""``hatch publish -p sign``: what is published is verified first, under the project's own policy."""

from __future__ import annotations

import os
import traceback
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hatch.publish.plugin.interface import PublisherInterface

from hatch_sign.hatch_hooks.voice import Voice
from hatch_sign.hatch_hooks.wishes import Wishes, read_wishes
from hatch_sign.values.display import display
from hatch_sign.values.errors import INTERRUPTED, HatchSignError, UsageError

if TYPE_CHECKING:
    from hatch_sign.configuration.model import Configuration
    from hatch_sign.publishing.reports import PublishingReport
    from hatch_sign.publishing.run import Publishing
    from hatch_sign.registry import Registry

_FOR_ITS_OWN = {
    "repo": "-o repository-url=ADDRESS, or -o repository=NAME for a name in .pypirc",
    "user": "-o username=NAME",
    "auth": "TWINE_PASSWORD in the environment, .pypirc or keyring",
    "ca_cert": "-o cert=FILE",
    "client_cert": "-o client-cert=FILE",
    "client_key": "-o client-cert=FILE, a file with the certificate and the key",
}
"""Options that Hatch hands to its own publisher alone, and what to write for ours."""


class SignPublisher(PublisherInterface):
    """Publishes what is signed to every configured place, and sends nothing where anything is not trusted."""

    PLUGIN_NAME = "sign"

    def publish(self, artifacts: list[str], options: dict[str, Any]) -> None:
        """Verify `artifacts`, by default all in ``dist``, then send them; end the command where that fails."""
        voice = Voice(self.app)
        try:
            refuse_lost_options()
            report = self._publish(artifacts, options, voice)
        except HatchSignError as error:
            for detail in error.details:
                voice.detail(detail)
            voice.abort(str(error), error.exit_code)
        except KeyboardInterrupt:
            voice.abort("interrupted; what is published stays so, run again for the rest", INTERRUPTED)
        except OSError as error:
            where = f"{display(error.filename)}: " if error.filename else ""
            voice.abort(f"{where}{error.strerror or type(error).__name__}", HatchSignError.exit_code)
        except (Exception, SystemExit) as error:  # noqa: BLE001 - the text of a foreign one may hold a credential
            voice.debug("".join(traceback.format_tb(error.__traceback__)))
            voice.abort(f"an error in hatch-sign or in a plugin: {type(error).__name__}", HatchSignError.exit_code)
        for failure in report.failures:
            for line in (str(failure), *failure.details):
                voice.detail(line)
        if report.exit_code:
            voice.abort("nothing was published" if not report.passed else "not all is published", report.exit_code)

    def _publish(self, artifacts: list[str], options: Mapping[str, Any], voice: Voice) -> PublishingReport:
        from hatch_sign.hatch_hooks.hearing import Hearing  # noqa: PLC0415 - Hatch imports this to list what there is
        from hatch_sign.publishing.run import publish_release  # noqa: PLC0415 - as above

        root = Path(self.root)
        wishes = read_wishes(self.project_config, options, root=root, directory=Path.cwd())
        publishing = _publishing(wishes, root, voice, prompts=not options.get("no_prompt"))
        voice.note(f"trust from {display(publishing.judging.path)}")
        hearing = Hearing(voice)
        report = publish_release(artifacts or [root / "dist"], publishing, hearing)
        if wishes.dry_run:
            hearing.foretell(report)
        return report


def refuse_lost_options() -> None:
    """Raise UsageError for an option that Hatch keeps to itself: to pass it over could publish to the wrong index."""
    import click  # noqa: PLC0415 - Hatch's command line, which is there where this runs

    context = click.get_current_context(silent=True)
    given = context.params if context is not None else {}
    for name, instead in _FOR_ITS_OWN.items():
        if given.get(name):
            message = f"--{name.replace('_', '-')}, or HATCH_INDEX_{name.upper()}, is for Hatch's own publisher alone"
            raise UsageError(message, remedy=f"leave it out and use {instead}")


def _publishing(wishes: Wishes, root: Path, voice: Voice, *, prompts: bool) -> Publishing:
    from hatch_sign.contract.executables import allowed_executables  # noqa: PLC0415 - as above
    from hatch_sign.custody.context import RunContext  # noqa: PLC0415 - as above
    from hatch_sign.custody.terminal import terminal_prompt  # noqa: PLC0415 - as above
    from hatch_sign.publishing.run import Publishing  # noqa: PLC0415 - as above
    from hatch_sign.publishing.targets import choose_targets  # noqa: PLC0415 - as above
    from hatch_sign.registry import Registry  # noqa: PLC0415 - as above
    from hatch_sign.revocation.asking import open_revocations  # noqa: PLC0415 - as above

    registry = Registry(executables=allowed_executables(os.environ))
    configuration = _load(root, wishes.config, registry)
    trust = _load(root, wishes.policy, registry) if wishes.policy is not None else None
    quiet: dict[str, Any] = {} if prompts else {"non-interactive": True}
    targets = choose_targets(
        configuration, registry, wanted=wishes.to, options=wishes.settings, for_index=quiet, directory=Path.cwd()
    )
    return Publishing(
        configuration=configuration,
        registry=registry,
        context=RunContext(os.environ, prompt=terminal_prompt() if prompts else None, on_warning=voice.warn),
        targets=targets,
        now=datetime.now(UTC),
        trust=trust,
        named=wishes.config is not None,
        revocations=open_revocations(asked=(trust or configuration).verify.asks_for_revocations, offline=wishes.offline),
        dry_run=wishes.dry_run,
    )


def _load(root: Path, explicit: Path | None, registry: Registry) -> Configuration:
    from hatch_sign.configuration.loading import Overrides, find_configuration, load_configuration  # noqa: PLC0415 - as above

    path = find_configuration(root, explicit)
    # Nothing in the environment changes what is trusted, and nothing is signed here.
    return load_configuration(path, directory=root, environ={}, overrides=Overrides(), registry=registry)
