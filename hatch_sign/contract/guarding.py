"""Calls of what plugins bring: what they raise that is not ours becomes one error, which says whose it is."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from hatch_sign.values.display import display
from hatch_sign.values.errors import HatchSignError, PluginError

if TYPE_CHECKING:
    from hatch_sign.contract.formats import Format

T = TypeVar("T")


def guarded(format_: Format, subject: str, call: Callable[[], T]) -> T:
    """Return what `call`, of the format, returns for the file `subject`.

    Errors of ours and those of the system pass. Raises PluginError, naming the format, for every other exception.
    """
    try:
        return call()
    except (HatchSignError, OSError):
        raise
    except ModuleNotFoundError as error:
        raise missing_module(error, needed_by=f"format {format_.name}") from None
    except Exception as error:
        # The text of a foreign exception may hold a credential; its name does not.
        message = f"{display(subject)}: format {format_.name} failed: {type(error).__name__}"
        raise PluginError(message, remedy="report it to the author of the format") from error


def missing_module(error: ModuleNotFoundError, *, needed_by: str) -> PluginError:
    """Return the error of an installation that lacks a package: nothing is said by it of the file that was looked at."""
    name = display((error.name or "").partition(".")[0])
    message = f"{needed_by} needs the module {name}, which is not installed"
    return PluginError(message, remedy="install all that hatch-sign, or the plugin, depends on")
