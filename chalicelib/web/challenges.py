"""How an answer asks for a credential: in the words of RFC 6750 for Bearer, and of RFC 9449 for DPoP."""

from chalicelib.domain.access_token import Scheme
from chalicelib.use_cases.verify_proof import ALGORITHMS

REALM = 'realm="zama-jobs"'


def challenge(scheme: Scheme, *, error: str | None = None, scope: str | None = None) -> str:
    """That of one scheme, with what was wrong.

    >>> challenge(Scheme.BEARER, error="insufficient_scope", scope="jobs:read")
    'Bearer realm="zama-jobs", error="insufficient_scope", scope="jobs:read"'
    >>> challenge(Scheme.DPOP)
    'DPoP realm="zama-jobs", algs="ES256"'
    """
    told = (
        f'error="{error}"' if error else None,
        f'scope="{scope}"' if scope else None,
        f'algs="{" ".join(ALGORITHMS)}"' if scheme is Scheme.DPOP else None,
    )
    return ", ".join((f"{scheme} {REALM}", *(each for each in told if each)))


def either(*, error: str | None = None) -> str:
    """Those of both schemes, for the gateway's own answers, which cannot know which was tried."""
    return ", ".join(challenge(scheme, error=error) for scheme in Scheme)
