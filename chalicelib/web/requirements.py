"""What an operation asks of a request before its handler is called."""

from dataclasses import dataclass

from chalicelib.domain.errors import FieldError, InvalidProof, InvalidRequest
from chalicelib.ports import Clock
from chalicelib.use_cases.verify_proof import Presented, VerifyProof
from chalicelib.web import deprecation
from chalicelib.web.auth import credential_of
from chalicelib.web.deprecation import OperationRemoved
from chalicelib.web.http import Request
from chalicelib.web.operations import Operation


@dataclass(frozen=True, slots=True)
class Requirements:
    """No handler sees a request that its operation does not allow: sunset, proof, scope, parameters."""

    clock: Clock
    verify_proof: VerifyProof

    def check(self, operation: Operation, request: Request) -> None:
        """Nothing, or the `DomainError` of the first that is not met."""
        if operation.deprecation and deprecation.is_sunset(operation.deprecation, self.clock.now()):
            raise OperationRemoved(
                "This operation is past its sunset; `Link` says why, and what to use instead."
            )
        if operation.scope is not None:
            self._check_credential(request)
            request.require(operation.scope)
        # An operation with parameters tells of the unknown ones together with what is wrong in the known.
        if operation.query == () and (wrong := request.wrong_parameters(())):
            raise InvalidRequest(wrong)

    def _check_credential(self, request: Request) -> None:
        """There is one, and with a bound token one proof of the key that it is bound to (RFC 9449 §7.1)."""
        authorization = request.headers.get("authorization", ())
        if len(authorization) > 1:  # RFC 6750 §3.1; the gateway looked at the last
            raise InvalidRequest((FieldError.at(("header", "Authorization"), "Send one credential."),))
        if request.caller is None or request.caller.thumbprint is None:
            return
        proofs = request.headers.get("dpop", ())
        if len(proofs) != 1:
            raise InvalidProof("Send one DPoP header: a proof for this request.")
        presented = Presented(
            method=request.method,
            url=request.url,
            access_token=credential_of(authorization[0]).token,
            thumbprint=request.caller.thumbprint,
        )
        self.verify_proof(proofs[0], presented)
