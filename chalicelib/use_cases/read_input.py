"""Reading a job's input for its run: as it was submitted, or as it was uploaded."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from pydantic import JsonValue, ValidationError

from chalicelib.domain.errors import DETAIL_CHARACTERS, FieldError, MalformedJson
from chalicelib.domain.job import Job
from chalicelib.job_types.contract import JobError, JobInput, JobType
from chalicelib.ports import Jobs, Uploads

# Nobody looked at an upload when its job was accepted; what fails a job is told in one sentence.
PLACES_NAMED = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadInput:
    """The typed input, whole and valid; an upload that is not fails its job (`JobError`)."""

    jobs: Jobs
    uploads: Uploads
    job_types: Mapping[str, JobType]
    parse: Callable[[bytes], JsonValue]

    def content(self, job: Job) -> bytes:
        """The bytes of the input, unread."""
        if job.uploaded_input is None:
            return self.jobs.input_of(job.ref)
        return self.uploads.read(job.uploaded_input)

    def parsed(self, job: Job, content: bytes) -> JobInput:
        """The input of the job, as its type wants it; asks nobody."""
        model = self.job_types[job.type].input_model
        if job.uploaded_input is None:
            return model.model_validate(self.parse(content))
        if hashlib.sha256(content).hexdigest() != job.uploaded_input.sha256:
            raise JobError("The upload no longer has the SHA-256 that it had when the job was submitted.")
        try:
            return model.model_validate(self.parse(content))
        except MalformedJson as error:
            raise JobError(f"The upload is not JSON as this API takes it: {error.detail}") from error
        except ValidationError as error:
            raise JobError(_places(error)) from error


def _places(error: ValidationError) -> str:
    """The first places that are wrong, as JSON Pointers, and how many more there are."""
    found = error.errors(include_url=False, include_context=False, include_input=False)
    places = (FieldError.at(each["loc"], each["msg"]) for each in found[:PLACES_NAMED])
    named = "; ".join(f"{place.pointer or 'the document'}: {place.detail}" for place in places)
    more = f"; and {len(found) - PLACES_NAMED} more" if len(found) > PLACES_NAMED else ""
    return f"The upload is not an input of this job type: {named}"[: DETAIL_CHARACTERS - len(more)] + more
