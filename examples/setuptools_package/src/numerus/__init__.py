"""Roman numerals."""

_VALUES = (1000, 900, 500, 400, 100, 90, 50, 40, 10, 9, 5, 4, 1)
_LETTERS = ("M", "CM", "D", "CD", "C", "XC", "L", "XL", "X", "IX", "V", "IV", "I")


def roman(number: int) -> str:
    """Return a number from 1 to 3999 as Romans would have carved it."""
    carved = ""
    for value, letters in zip(_VALUES, _LETTERS, strict=True):
        carved += letters * (number // value)
        number %= value
    return carved
