"""What the gateway answers by itself, and what it makes of an integration's answer."""

from tests.gateway.specification.statements import Section, chosen, documented, inferred, observed

_INTERNAL = '`{"message": "Internal server error"}` (with a space, 36 bytes), InternalServerErrorException'

RESPONSES = Section(
    "Responses of the gateway's own: type, status, body, `x-amzn-ErrorType`",
    (
        observed(
            "responses.missing-authentication-token",
            'MISSING_AUTHENTICATION_TOKEN: 403, `{"message":"Missing Authentication Token"}`, '
            "MissingAuthenticationTokenException",
        ),
        observed(
            "responses.invalid-api-key", 'INVALID_API_KEY: 403, `{"message":"Forbidden"}`, ForbiddenException'
        ),
        observed(
            "responses.unauthorized", 'UNAUTHORIZED: 401, `{"message":"Unauthorized"}`, UnauthorizedException'
        ),
        observed(
            "responses.access-denied",
            'ACCESS_DENIED: 403, `{"Message":"User is not authorized to access this resource"}` '
            "(with a capital M), AccessDeniedException",
        ),
        observed(
            "responses.authorizer-failure",
            'AUTHORIZER_FAILURE: 500, `{"message":null}`, AuthorizerConfigurationException',
        ),
        observed(
            "responses.authorizer-configuration-error",
            'AUTHORIZER_CONFIGURATION_ERROR: 500, `{"message":null}`, AuthorizerConfigurationException',
        ),
        observed(
            "responses.throttled",
            'THROTTLED: 429, `{"message":"Too Many Requests"}`, TooManyRequestsException',
        ),
        observed(
            "responses.quota-exceeded",
            'QUOTA_EXCEEDED: 429, `{"message":"Limit Exceeded"}`, LimitExceededException',
        ),
        observed(
            "responses.bad-request-body",
            'BAD_REQUEST_BODY: 400, `{"message":"Invalid request body"}`, BadRequestException',
        ),
        observed(
            "responses.bad-request-parameters",
            'BAD_REQUEST_PARAMETERS: 400, `{"message":"Missing required request parameters: [q1]"}`, '
            "BadRequestException",
        ),
        observed(
            "responses.unsupported-media-type",
            'UNSUPPORTED_MEDIA_TYPE: 415, `{"message":"Unsupported Media Type"}`, BadRequestException',
        ),
        observed("responses.api-configuration-error", f"API_CONFIGURATION_ERROR: 500, {_INTERNAL}"),
        observed(
            "responses.failed-proxy", f"DEFAULT_5XX, for a proxy that fails or is malformed: 502, {_INTERNAL}"
        ),
        inferred(
            "responses.integration-timeout",
            'INTEGRATION_TIMEOUT: 504, `{"message":"Endpoint request timed out"}`, none',
        ),
        inferred(
            "responses.integration-failure",
            'INTEGRATION_FAILURE: 504, `{"message":"Network error communicating with endpoint"}`, none',
        ),
        inferred(
            "responses.request-too-large",
            'REQUEST_TOO_LARGE: 413, `{"message":"Request Too Long"}`, none',
        ),
        observed(
            "responses.no-such-stage",
            'An API or a stage that is not there: 403, `{"message":"Forbidden"}`, ForbiddenException',
        ),
    ),
)

HEADERS = Section(
    "Headers",
    (
        observed("headers.identified", "Every answer has `x-amzn-RequestId` and `x-amz-apigw-id`."),
        observed("headers.content-type", "An answer of the gateway's own is `application/json`."),
        observed("headers.none-of-limits", "It has no `Retry-After` and no header about limits."),
        documented(
            "headers.remapped",
            "Some headers of an integration's answer are renamed: `x-amzn-Remapped-WWW-Authenticate`.",
        ),
        documented("headers.real-one", "A gateway response can set the header that would be renamed."),
    ),
)

CUSTOMISATION = Section(
    "Gateway responses that an API customises",
    (
        documented("custom.status", "A type's status is the one that the API sets."),
        documented("custom.header-literal", "A header is set to a literal."),
        documented("custom.header-request", "A header is set to a header or parameter of the request."),
        documented(
            "custom.template", "A body template has its `$context` variables replaced, and no Velocity."
        ),
        documented("custom.message-string", "`$context.error.messageString` is the message with its quotes."),
        documented("custom.own-type", "Each type is customised by its own name."),
        documented("custom.default-4xx", "DEFAULT_4XX customises each type of a status below 500."),
        documented("custom.default-5xx", "DEFAULT_5XX customises each type of a status from 500 on."),
        documented("custom.specific-wins", "A customised type is not touched by a customised default."),
        documented("custom.default-keeps-status", "A default without a status keeps each type's own."),
    ),
)

LIMITS = Section(
    "Limits of size and time",
    (
        documented("limits.payload", "A body has at most 10 MB."),
        documented("limits.head", "The request line and the headers' values have at most 10,240 bytes."),
        inferred("limits.event", "A body that makes an event beyond Lambda's 6 MB is too large, too."),
        documented(
            "limits.timeout-range", "An integration's time-out is from 50 ms to 29 s; another is refused."
        ),
        documented("limits.timeout", "An integration that takes longer than its time-out is answered 504."),
        chosen(
            "limits.answer",
            "A backend's answer beyond 10 MB is answered 500.",
            where="http_integration.RESPONSE_LIMIT_BYTES",
        ),
        chosen(
            "limits.pattern",
            "A body on which a model's pattern backtracks for longer than a second is refused with 400.",
            where="patterns.MATCH_SECONDS",
        ),
        chosen(
            "limits.method-arn",
            "The path in the method's ARN is the routed one: decoded, but for slashes in a segment.",
            where="routing.canonical",
        ),
    ),
)

ACCESS_LOG = Section(
    "Variables of the access log",
    (
        documented("log.request-id", "`$context.requestId` is the id that the answer names."),
        documented("log.api-key-id", "`$context.identity.apiKeyId` is the id of the key."),
        documented("log.error-message", "`$context.error.message` is the gateway's own message."),
        documented("log.response-type", "`$context.error.responseType` is the type of the gateway's answer."),
        documented("log.validation-error", "`$context.error.validationErrorString` says what was not valid."),
        documented(
            "log.authorizer", "`$context.authorizer.*` is the authorizer's context, and how it fared."
        ),
        documented("log.integration", "`$context.integration.*` tells how the integration fared."),
        documented("log.status", "`$context.status` is the status of the answer."),
        documented("log.latency", "`$context.responseLatency` is in milliseconds."),
    ),
)
