"""The errors of hatch-sign.

::

    HatchSignError                      exit code
    ├── UsageError                      2   the command line asks for something that cannot be
    ├── ConfigurationError              2   every mistake of one configuration, together
    ├── PluginError                     2   a plugin is missing, broken, or breaks the contract
    ├── CustodyError                    3   the token, the key, or the service that keeps it
    │   ├── KeyNotFoundError            3
    │   ├── TokenLockedError            3
    │   ├── SecretRejectedError         3   a wrong PIN, or one that may not be tried again
    │   ├── SecretUnavailableError      3   no source gave a PIN
    │   ├── WrongSignatureError         3   what came back is not a signature by this key
    │   └── CredentialRotatedError      3   the service signed with another certificate than announced
    ├── WitnessError                    3   a timestamp authority or a log failed, or answered wrongly
    ├── PublishError                    3   an index or another place to publish to failed or refused
    ├── SigningError                    3   an artifact changed, a disk is full, an output exists
    ├── UnsupportedError                2   the key, or the file, cannot do what the format wants
    ├── MalformedError                  1   bytes that are not what they claim to be
    └── RejectedError                   1   well-formed, and not to be trusted

A message says what was found and what was expected, on one line; ``remedy`` says what to do next. Neither ever holds a
secret. Exit codes: 0 done and verified, 1 rejected, 2 misuse or configuration, 3 backend, token, disk or network.
"""

from __future__ import annotations

from collections.abc import Sequence

INTERRUPTED = 130
"""Exit code after Ctrl-C, as shells give it."""


class HatchSignError(Exception):
    """Base of every error that hatch-sign raises on purpose."""

    exit_code = 3

    def __init__(self, message: str, *, remedy: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy

    def __str__(self) -> str:
        """Return the message and its remedy on one line."""
        return f"{self.message}; {self.remedy}" if self.remedy else self.message

    @property
    def details(self) -> tuple[str, ...]:
        """What belongs below that line, a line each: several mistakes of one configuration; else nothing."""
        return ()


class UsageError(HatchSignError):
    """The command line asks for something that cannot be."""

    exit_code = 2


class ConfigurationError(HatchSignError):
    """One configuration is wrong; ``problems`` holds every mistake found in it, a line each."""

    exit_code = 2

    def __init__(self, message: str, *, problems: Sequence[str] = (), remedy: str = "") -> None:
        super().__init__(message, remedy=remedy)
        self.problems = tuple(problems)

    def __str__(self) -> str:
        """Return one line; a single problem stands in it, and several are left to be listed below it."""
        if len(self.problems) != 1:
            return super().__str__()
        return "; ".join(filter(None, [f"{self.message}: {self.problems[0]}", self.remedy]))

    @property
    def details(self) -> tuple[str, ...]:
        """The problems, where they are several."""
        return self.problems if len(self.problems) > 1 else ()


class PluginError(HatchSignError):
    """A plugin is missing, cannot be imported, or breaks the contract; the message names its distribution."""

    exit_code = 2


class CustodyError(HatchSignError):
    """The token, the key, or the service that keeps the key failed or refused."""


class KeyNotFoundError(CustodyError):
    """No key, or more than one, answers to the reference; the message lists what is there."""


class TokenLockedError(CustodyError):
    """The PIN is locked after too many wrong tries."""


class SecretRejectedError(CustodyError):
    """The PIN or token was wrong, or may not be tried (again) in this run."""


class SecretUnavailableError(CustodyError):
    """None of the sources of a PIN or token held one."""


class WrongSignatureError(CustodyError):
    """What the backend returned does not verify under the key that it announced."""


class CredentialRotatedError(CustodyError):
    """The service signed with another certificate than the signer announced; the signer now announces the new one."""


class WitnessError(HatchSignError):
    """A timestamp authority or a log failed, or what it answered does not vouch for the signature."""


class PublishError(HatchSignError):
    """A place to publish to could not be reached, failed, or refused; what was published before stays there."""


class SigningError(HatchSignError):
    """A signature could not be made or written; nothing new was left in place of what was there."""


class UnsupportedError(HatchSignError):
    """The key, or the file to sign, cannot do what the format, or the configuration, asks of it."""

    exit_code = 2


class MalformedError(HatchSignError):
    """Bytes are not what they claim to be. Not the same as well-formed and unverified."""

    exit_code = 1


class RejectedError(HatchSignError):
    """Everything was read, and it is not to be trusted."""

    exit_code = 1
