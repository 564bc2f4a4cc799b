"""Readers of hostile wheels and sdists: what they say of themselves inside. Pure, on streams."""
