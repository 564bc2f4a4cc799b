"""Runs over archives with toy containers inside, for the tests of signing and of verifying."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from hatch_sign.artifacts.discovery import find_artifacts
from hatch_sign.configuration.model import Configuration, ContentsSettings, SignatureSettings
from hatch_sign.custody.context import RunContext
from hatch_sign.signing.existing import Overwrite
from hatch_sign.signing.plan import plan_release
from hatch_sign.signing.run import SigningReport, sign_release

from ...contract.sketch_plugins import sketch_registry
from ...contract.sketches.container_format import END, MAGIC
from ...contract.sketches.pooled_backend import PIN

if TYPE_CHECKING:
    from pathlib import Path

    from hatch_sign.registry import Registry

NOW = datetime(2026, 6, 1, tzinfo=UTC)
KEY, OTHER_KEY = "pooled:ecdsa-p256", "pooled:rsa-3072"
BOXES = ContentsSettings(("toy-container",), ("*.box",), KEY)
TOP = SignatureSettings(None, KEY)
MEMBERS = {
    "app/__init__.py": b"print('hello')\n" * 50,
    "app/one.box": MAGIC + b"first" * 500_000,
    "app/one_again.box": MAGIC + b"first" * 500_000,
    "app/deep/two.BOX": MAGIC + b"second",
    "app/not.box": b"no box at all",
}
SIGNED = ("app/one.box", "app/one_again.box", "app/deep/two.BOX")


def context(warnings: list[str]) -> RunContext:
    return RunContext({"HATCH_SIGN_PIN": PIN}, on_warning=warnings.append)


def sign(
    folder: Path,
    contents: ContentsSettings | None = BOXES,
    *signatures: SignatureSettings,
    overwrite: Overwrite = Overwrite.OTHER,
    registry: Registry | None = None,
    observers: tuple[str, ...] = (),
    output_directory: Path | None = None,
    warnings: list[str] | None = None,
) -> SigningReport:
    """Sign every artifact in the folder, what is inside first."""
    registry = registry or sketch_registry()
    configuration = Configuration(
        path=None,
        directory=folder,
        signatures=signatures or (TOP,),
        contents=contents,
        observers=observers,
        output_directory=output_directory,
        audit_file=folder.parent / "audit.jsonl",
    )
    plan = plan_release(configuration, find_artifacts([folder], registry.formats().values()), registry)
    told = context([] if warnings is None else warnings)
    return sign_release(plan, registry=registry, context=told, now=NOW, overwrite=overwrite)


def is_signed(data: bytes) -> bool:
    return data.startswith(MAGIC) and data.endswith(END)
