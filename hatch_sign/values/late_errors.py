"""What cryptography raises for what is damaged: keys, names and extensions are read when they are asked for, not before."""

from __future__ import annotations

from functools import cache


@cache
def late_errors(*others: type[Exception]) -> tuple[type[Exception], ...]:
    """Return every class of them, and `others`, to stand in an ``except``: nothing is imported before something was raised.

    A certificate that could be loaded may still raise any of them, wherever something in it is asked for.
    """
    from cryptography import x509  # noqa: PLC0415 - 40 ms, once something was raised
    from cryptography.exceptions import UnsupportedAlgorithm  # noqa: PLC0415 - as above

    return (
        ValueError,
        TypeError,
        KeyError,
        UnsupportedAlgorithm,
        x509.DuplicateExtension,
        x509.UnsupportedGeneralNameType,
        x509.InvalidVersion,
        *others,
    )
