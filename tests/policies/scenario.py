"""One run of the service that takes every branch in which a function calls AWS.

Each step is what some user or trigger does, and says what it must come to: a step that takes another branch
than it is here for fails by itself.
"""

import json

from chalicelib.adapters.s3 import CHECKPOINTS
from chalicelib.domain.chain_transaction import FINAL_DEPTH
from chalicelib.domain.client_secret import RANDOM_CHARACTERS, seal
from chalicelib.domain.entitlements import period_of
from chalicelib.domain.idempotency import KEPT_FOR
from chalicelib.domain.job import UNSEEN_AT_MOST, UNSENT_AFTER, JobRef, Status
from chalicelib.domain.key_ring import LEAD, ROTATED_EVERY, SKEW, TOKEN_LIFETIME
from chalicelib.domain.lease import LEASE, MAX_ATTEMPTS, lease
from chalicelib.domain.month import GRACE, SETTLED_AFTER, Month
from chalicelib.domain.payload import INLINE_BYTES, UPLOAD_LIFETIME
from chalicelib.ports import Change
from chalicelib.use_cases.attempt import STOPPING_SECONDS, STORING_SECONDS
from chalicelib.web import operations
from tests.policies.caller import GRANT, Caller
from tests.policies.functions import SIGNER, Functions
from tests.policies.seed import TENANT, seed

INPUT = {"seed": "0x" + "00" * 32, "rounds": 3}
JOB = {"type": "sha256.chain", "input": INPUT}
# So many leaves that their proofs are not sent within an answer.
LEAVES = {"leaf_encoding": ["uint256"], "leaves": [[str(n)] for n in range(500)], "proofs": True}

# As much as a run needs to come to its first checkpoint: it is asked to stop at once.
NO_TIME = STOPPING_SECONDS + STORING_SECONDS


class Scenario:
    """A tenant of the API, and the triggers of the functions that it does not call."""

    def __init__(self, functions: Functions) -> None:
        self.functions = functions
        self.caller = Caller(functions, seed(functions))

    def play(self) -> None:
        """Everything, in an order in which each step finds what it needs."""
        self.functions.fire("rotate_keys")
        self.anyone_reads_what_is_public()
        self.jobs_go_through()
        self.the_chain_makes_trouble()
        self.an_upload_becomes_a_job()
        self.a_job_goes_on()
        self.a_job_is_watched_and_canceled()
        self.a_key_is_used_again()
        self.an_answer_is_lost()
        self.jobs_fail()
        self.the_sweep_finds_what_was_left()
        self.a_client_proves_its_key()
        self.a_secret_is_wrong()
        self.a_token_is_revoked()
        self.a_month_is_closed()
        self.keys_follow_one_another()

    def anyone_reads_what_is_public(self) -> None:
        """Without a credential."""
        assert len(self.caller.call(operations.GET_KEYS)["keys"]) == 1
        self.caller.call(operations.GET_HEALTH)
        self.caller.call(operations.GET_PROBLEM, code="job_not_found")

    def jobs_go_through(self) -> None:
        """From the submit to the chain, a result by its link and one in the answer, usage and invoice."""
        large, small = self.caller.submit({"type": "merkle.root", "input": LEAVES}), self.caller.submit(JOB)
        self._run(large, small)
        result = self.caller.call(operations.GET_RESULT, job_id=large.job_id)
        assert result["size_bytes"] > INLINE_BYTES
        assert self.caller.call(operations.GET_RESULT, job_id=small.job_id)["content"]
        self._confirm(large, small)
        period = self.caller.call(operations.GET_USAGE)["entitlements"]["period"]
        assert self.caller.call(operations.GET_INVOICE, period=period)["lines"]

    def the_chain_makes_trouble(self) -> None:
        """A compact batch is replaced for more; what was final is gone, and so is a nonce that others had."""
        chain = self.functions.chain
        compact = self.caller.submit({**JOB, "confirmation": "compact"})
        self._run(compact)
        self.functions.wake("confirm_jobs", compact)
        chain.base_fee_wei *= 10
        self.functions.wake("confirm_jobs", compact)
        assert len(set(chain.broadcasts)) == 3
        assert self.caller.status_of(compact) == Status.CONFIRMING
        self._confirm(compact)
        proven = self.functions.adapters.jobs.get(compact)
        assert proven is not None
        assert proven.confirmation is not None
        assert proven.confirmation.inclusion
        chain.take_nonce(SIGNER)
        chain.mine(FINAL_DEPTH)
        after = self.caller.submit(JOB)
        self._run(after)
        self._confirm(after)
        chain.reorganise(4 * FINAL_DEPTH)
        for _ in range(4):
            self.functions.wake("confirm_jobs")
            chain.mine(FINAL_DEPTH)
        assert chain.next_nonce(SIGNER) == 4

    def an_upload_becomes_a_job(self) -> None:
        """Before it is sent there is nothing under its name, nor under that of the copy."""
        body = json.dumps(INPUT).encode()
        upload = self.caller.announce(body)
        job = {"type": "sha256.chain", "input_upload": upload["id"]}
        self.caller.submit(job, expect=409)
        self.caller.send(upload, body)
        self._run(self.caller.submit(job))
        self.functions.clock.advance(UPLOAD_LIFETIME.total_seconds() + 1)
        self._run(self.caller.submit(job))
        never_sent = self.caller.announce(body)
        self.functions.clock.advance(UPLOAD_LIFETIME.total_seconds() + 1)
        self.caller.submit({"type": "sha256.chain", "input_upload": never_sent["id"]}, expect=409)

    def a_job_goes_on(self) -> None:
        """From its checkpoint, and anew when that is gone; one that is canceled has cost its work so far."""
        long = {**JOB, "input": {**INPUT, "rounds": 2_000_000}}
        ref, adapters = self.caller.submit(long), self.functions.adapters
        for _ in range(2):
            self.functions.wake("run_job", ref, seconds=NO_TIME)
            assert self.caller.status_of(ref) == Status.RUNNING
        paused = adapters.jobs.get(ref)
        assert paused is not None
        assert paused.checkpoint is not None
        adapters.s3.delete_object(Bucket=CHECKPOINTS, Key=paused.checkpoint.storage_key)
        self._run(ref)
        canceled = self.caller.submit(long)
        for _ in range(20):
            self.functions.wake("run_job", canceled, seconds=NO_TIME)
        answer = self.caller.call(operations.CANCEL_JOB, job_id=canceled.job_id)
        assert answer["compute"]["used_units"]

    def a_job_is_watched_and_canceled(self) -> None:
        """Who waits takes a seat and gives it back."""
        ref = self.caller.submit(JOB)
        self.caller.call(operations.GET_JOB, job_id=ref.job_id, headers={"Prefer": "wait=1"})
        page = self.caller.call(operations.LIST_JOBS, query={"limit": "1"})
        self.caller.call(operations.LIST_JOBS, query={"limit": "1", "cursor": page["next_cursor"]})
        self.caller.call(operations.CANCEL_JOB, job_id=ref.job_id)
        self.caller.call(operations.LIST_JOB_TYPES)

    def a_key_is_used_again(self) -> None:
        """For the same job, for another, and for the same when its claim is over and it has ended."""
        ref = self.caller.submit(JOB, key="again")
        assert self.caller.submit(JOB, key="again") == ref
        self.caller.submit({**JOB, "input": {**INPUT, "rounds": 4}}, key="again", expect=422)
        self.caller.call(operations.CANCEL_JOB, job_id=ref.job_id)
        self.functions.clock.advance(KEPT_FOR.total_seconds() + 1)
        assert self.caller.submit(JOB, key="again") != ref

    def an_answer_is_lost(self) -> None:
        """The submit then reads the claim, to learn whether it was accepted."""
        with self.functions.wire.losing("TransactWriteItems"):
            ref = self.caller.submit(JOB)
        assert self.caller.status_of(ref) == Status.QUEUED

    def jobs_fail(self) -> None:
        """One by its upload, and one by its deadline; of those whose worker died only the first goes on."""
        upload = self.caller.announce(b"no JSON")
        self.caller.send(upload, b"no JSON")
        faulty = self.caller.submit({"type": "sha256.chain", "input_upload": upload["id"]})
        self._run(faulty, until=Status.FAILED)
        late = self.caller.submit({**JOB, "deadline_seconds": 60})
        self.functions.clock.advance(60)
        self._run(late, until=Status.FAILED)
        taken_over, given_up, swept = (self.caller.submit(JOB) for _ in range(3))
        self._lease(taken_over)
        self._run(taken_over)
        for ref in (given_up, swept):
            for _ in range(MAX_ATTEMPTS):
                self._lease(ref)
        self._run(given_up, until=Status.FAILED)
        self.functions.clock.advance(UNSENT_AFTER.total_seconds())
        self.functions.fire("sweep")
        assert self.caller.status_of(swept) == Status.FAILED

    def the_sweep_finds_what_was_left(self) -> None:
        """A job that nobody runs, and one that nobody confirms."""
        self._run(self.caller.submit(JOB))
        self.caller.submit(JOB)
        self.functions.clock.advance(UNSEEN_AT_MOST.total_seconds() + 1)
        self.functions.fire("sweep")

    def a_client_proves_its_key(self) -> None:
        """When it asks for a token, and when it uses that; a proof that was used is refused."""
        call = self.caller.bound_call(operations.LIST_JOB_TYPES, self.caller.bound_token())
        self.caller.gateway.send(call, expect=200)
        self.caller.gateway.send(call, expect=401)

    def a_secret_is_wrong(self) -> None:
        """In form it could be right, so the attempt is counted."""
        self.caller.post(operations.ISSUE_TOKEN, GRANT, secret=seal("a" * RANDOM_CHARACTERS), expect=401)

    def a_token_is_revoked(self) -> None:
        """By the client that it was issued to."""
        self.caller.post(operations.REVOKE_TOKEN, {"token": self.caller.token()})

    def a_month_is_closed(self) -> None:
        """Its invoice is issued, and the next time there is nothing to add to it."""
        clock, adapters = self.functions.clock, self.functions.adapters
        month = Month.named(period_of(adapters.clock.now()))
        clock.advance((month.end + GRACE + SETTLED_AFTER - adapters.clock.now()).total_seconds())
        self.functions.fire("close_period")
        self.functions.fire("close_period")
        assert len(adapters.invoices.issued(TENANT.tenant_id, month)) == 1

    def keys_follow_one_another(self) -> None:
        """The next is made, and once no live token is signed with the one before, that is dropped."""
        [first] = self.functions.adapters.rings.get().keys
        self.functions.clock.advance(ROTATED_EVERY.total_seconds())
        self.functions.fire("rotate_keys")
        self.functions.clock.advance((LEAD + TOKEN_LIFETIME + 2 * SKEW).total_seconds() + 1)
        self.functions.fire("rotate_keys")
        [last] = self.functions.adapters.rings.get().keys
        assert first != last

    def _confirm(self, *refs: JobRef) -> None:
        self.functions.wake("confirm_jobs", *refs)
        self.functions.chain.mine(FINAL_DEPTH)
        self.functions.wake("confirm_jobs")
        assert {self.caller.status_of(ref) for ref in refs} == {Status.SUCCEEDED}

    def _run(self, *refs: JobRef, until: Status = Status.CONFIRMING) -> None:
        """Each has had its turn after a few messages, of whichever jobs."""
        for ref in refs:
            while self.caller.status_of(ref) in (Status.QUEUED, Status.RUNNING):
                self.functions.wake("run_job", ref)
            assert self.caller.status_of(ref) == until

    def _lease(self, ref: JobRef) -> None:
        """As a worker does that is heard of no more."""
        adapters = self.functions.adapters
        found = adapters.jobs.get(ref)
        assert found is not None
        adapters.jobs.save([Change(found, lease(found, now=adapters.clock.now()))])
        self.functions.clock.advance(LEASE.total_seconds() + 1)
