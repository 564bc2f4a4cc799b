"""RFC 3161: what is asked of a timestamp authority, what it answers, and what its tokens prove. Bytes in, bytes out."""

from hatch_sign.formats.rfc3161.reply import Reply, parse_reply, token_of
from hatch_sign.formats.rfc3161.request import encode_request
from hatch_sign.formats.rfc3161.structures import LARGEST
from hatch_sign.formats.rfc3161.token import TST_INFO, Timestamp, parse_timestamp

__all__ = ["LARGEST", "TST_INFO", "Reply", "Timestamp", "encode_request", "parse_reply", "parse_timestamp", "token_of"]
