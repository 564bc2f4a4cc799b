"""What must never be signed as it stands: bytes that mean something else to whoever else trusts the key.

A bare signature over a file does not say what it is for, and one key may serve all formats. CMS and Authenticode sign a
SET of attributes (RFC 5652 §5.4), DSSE signs a text that begins with its name: a signature over a file that is either would
be one over whatever is written in it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hatch_sign.values.artifacts import Subject

_SET, _SEQUENCE = 0x31, 0x30
_LONG_LENGTH = 0x80
_ENVELOPE = b"DSSEv1 "


def is_to_be_signed(subject: Subject) -> bool:
    """Return whether the whole artifact could be what CMS or DSSE sign in place of something else."""
    return subject.head.startswith(_ENVELOPE) or _is_set_of_sequences(subject)


def _is_set_of_sequences(subject: Subject) -> bool:
    head = subject.head
    if len(head) < 3 or head[0] != _SET:  # noqa: PLR2004 - tag, length, and the tag of what is inside
        return False
    count = head[1] & ~_LONG_LENGTH if head[1] & _LONG_LENGTH else 0
    size = int.from_bytes(head[2 : 2 + count], "big") if count else head[1]
    begins = 2 + count
    return begins + size == subject.size and head[begins : begins + 1] == bytes([_SEQUENCE])
