"""Bugs in who may do what."""

from tests.deep.bug import Bug

BUGS_OF_ACCESS = (
    Bug(
        "a revoked client's tokens are taken",
        "chalicelib/use_cases/verify_token.py",
        "if verified.subjects & self._revoked():",
        "if {verified.token.token_id} & self._revoked():",
        "tests/unit/test_revoked_subjects.py",
    ),
    Bug(
        "a bound token opens the API to whoever has it",
        "chalicelib/use_cases/verify_token.py",
        "if scheme.lower() != verified.token.scheme.lower():",
        "if not scheme:",
        "tests/unit/test_authorizer.py",
    ),
    Bug(
        "a key signs before anyone can know it",
        "chalicelib/domain/key_ring.py",
        "now + LEAD if self.keys",
        "now if self.keys",
        "tests/unit/test_rotation.py",
    ),
    Bug(
        "a key is retired while its tokens live",
        "chalicelib/domain/key_ring.py",
        "+ TOKEN_LIFETIME + 2 * SKEW",
        "+ 2 * SKEW",
        "tests/unit/test_rotation.py",
    ),
    Bug(
        "a stale reader undoes a revocation",
        "chalicelib/adapters/dynamodb_actions.py",
        "        return put_if_absent(table, after, key=key)\n    return {\n",
        "        return put_if_absent(table, after, key=key)\n"
        "    before = {name: was for name, was in before.items() if was is not None}\n    return {\n",
        "tests/conformance/test_access.py",
    ),
    Bug(
        "an id is good again and again",
        "chalicelib/adapters/dynamodb_tallies.py",
        "OR used_until < :now",
        "OR used_until >= :now",
        "tests/conformance/test_tallies.py",
    ),
    Bug(
        "wrong credentials are not counted",
        "chalicelib/use_cases/authenticate_client.py",
        "            self.tallies.add(failures, now=now)\n",
        "",
        "tests/unit/test_failed_attempts.py",
    ),
    Bug(
        "a proof serves any token of its key",
        "chalicelib/use_cases/verify_proof.py",
        "if claims.ath != _hash(presented.access_token):",
        "if presented.access_token and not claims.ath:",
        "tests/unit/test_dpop.py",
    ),
    Bug(
        "an old secret outlives its overlap",
        "chalicelib/domain/client.py",
        "expires_at=min(each.expires_at or ends, ends)",
        "expires_at=each.expires_at",
        "tests/unit/test_client_authentication.py",
    ),
    Bug(
        "an act leaves no event",
        "chalicelib/adapters/dynamodb_identity.py",
        '    yield put_if_absent(AUDIT_EVENTS, _event_item(deed.event), key="log")\n',
        "",
        "tests/conformance/test_access.py",
    ),
    Bug(
        "a token of another tenant's client is revoked",
        "chalicelib/use_cases/revoke_token.py",
        "if theirs.client_id != client.client_id:",
        "if not theirs.client_id:",
        "tests/unit/test_revocation.py",
    ),
)
