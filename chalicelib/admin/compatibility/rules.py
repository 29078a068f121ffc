"""What "breaking" means: each rule is one sentence of the versioning policy, and nothing else is breaking."""

from dataclasses import dataclass
from enum import StrEnum


class Rule(StrEnum):
    """A kind of change that a client of the last release may not survive."""

    sentence: str

    def __new__(cls, name: str, sentence: str) -> "Rule":
        rule = str.__new__(cls, name)
        rule._value_ = name
        rule.sentence = sentence
        return rule

    OPERATION_REMOVED = "operation-removed", "A path, or a method of one, goes."
    OPERATION_RENAMED = "operation-renamed", "An `operationId` changes: generated clients are named by it."
    CREDENTIAL_ADDED = "credential-added", "An operation needs a credential or a scope that it did not."
    SUCCESS_CHANGED = (
        "success-changed",
        "A 2xx or 3xx status goes or comes; only 304, the answer to a client's own condition, may come.",
    )
    ERROR_REMOVED = (
        "error-removed",
        "A 4xx status goes: what it told would be told otherwise. (A new error passes: an unknown status is "
        "its class's x00, RFC 9110 §15. A 5xx may go: nobody waits for one.)",
    )
    PROBLEM_REMOVED = "problem-removed", "A problem's code goes from the examples of a 4xx answer."
    PROBLEM_CHANGED = (
        "problem-changed",
        "A problem's `title` or `retryable` changes in an example of a 4xx answer.",
    )
    MEDIA_TYPE_REMOVED = "media-type-removed", "A media type of a request or an answer goes."
    HEADER_REMOVED = "header-removed", "A header of an answer goes, or is no longer `required`."
    ANSWER_FIELD_REMOVED = (
        "answer-field-removed",
        "A field of an answer goes, or may be absent where it was `required`. (A new field passes: clients "
        "ignore what they do not know.)",
    )
    REQUEST_PART_REMOVED = (
        "request-part-removed",
        "A parameter, body or field of a request goes: what is unknown is refused.",
    )
    REQUEST_PART_REQUIRED = (
        "request-part-required",
        "A parameter, body or field of a request becomes required, or comes as a required one.",
    )
    REQUEST_CLOSED = "request-closed", "An object of a request takes no more fields than those named."
    DEFAULT_CHANGED = "default-changed", "The default of a part of a request changes or goes."
    TYPE = "type", "A type narrows in a request or widens in an answer."
    NULL = "null", "A request may no longer have null, or an answer now may."
    ENUM = (
        "enum",
        "A request's value goes, or an answer's comes. (It may come where `x-open-enum: true` stands beside "
        "`enum`: there clients take what they do not know.)",
    )
    BOUND = "bound", "A bound tightens in a request or loosens in an answer."
    CONSTRAINT = (
        "constraint",
        "A pattern, format or other constraint changes, comes in a request, or goes from an answer.",
    )
    ALTERNATIVE = "alternative", "A request's `oneOf` or `anyOf` alternative goes, or an answer's comes."
    VERSION = "version", "The document differs, and its `info.version` is not higher."


@dataclass(frozen=True, slots=True)
class Breaking:
    """One breaking change: the rule, the place, and what was and is there."""

    rule: Rule
    where: str
    detail: str

    def __str__(self) -> str:
        return f"{self.rule}: {self.where}: {self.detail}"


def rules_list() -> str:
    """The rules as a list of Markdown, which releases/README.md shows between `<!-- breaking -->` markers."""
    return "\n".join(f"- `{rule}`: {rule.sentence}" for rule in Rule)
