"""Reading a result: its bytes when they are few, a link to them when they are many."""

from dataclasses import dataclass

from chalicelib.domain.errors import NoResult, ResultNotReady
from chalicelib.domain.job import JobRef, Result
from chalicelib.domain.payload import INLINE_BYTES, Link
from chalicelib.ports import Clock, Payloads
from chalicelib.use_cases.read_job import GetJob


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredResult:
    """The exact bytes that the commitment is about, or a link to them, with what it takes to check them."""

    ref: JobRef
    result: Result
    size_bytes: int
    content: bytes | None = None
    link: Link | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GetResult:
    """A result from the moment that it is stored, so from `confirming` on. A large one is not read here."""

    get_job: GetJob
    payloads: Payloads
    clock: Clock

    def __call__(self, ref: JobRef) -> StoredResult:
        """The result, or `ResultNotReady` or `NoResult` naming the state."""
        job = self.get_job(ref)
        result = job.result
        if result is None:
            refusal = NoResult if job.is_terminal else ResultNotReady
            raise refusal(f"The job is {job.status}; it has no result.")
        if result.size_bytes is not None and result.size_bytes > INLINE_BYTES:
            link = self.payloads.link(result.storage_key, now=self.clock.now())
            return StoredResult(ref=ref, result=result, size_bytes=result.size_bytes, link=link)
        content = self.payloads.get(result.storage_key)
        return StoredResult(ref=ref, result=result, size_bytes=len(content), content=content)
