"""How the token and revocation endpoints refuse: in the words of RFC 6749, not as problem documents."""

from enum import StrEnum


class TokenErrorCode(StrEnum):
    """The error codes of RFC 6749 §5.2 and RFC 9449 §5 that can arise here."""

    INVALID_REQUEST = "invalid_request"
    INVALID_CLIENT = "invalid_client"
    INVALID_GRANT = "invalid_grant"
    UNAUTHORIZED_CLIENT = "unauthorized_client"
    UNSUPPORTED_GRANT_TYPE = "unsupported_grant_type"
    INVALID_SCOPE = "invalid_scope"
    INVALID_DPOP_PROOF = "invalid_dpop_proof"


class TokenRefused(Exception):
    """Neither a token nor a revocation; `code` says why."""

    def __init__(self, code: TokenErrorCode, description: str) -> None:
        super().__init__(description)
        self.code = code
        self.description = description
