"""What a tenant and an operator do, with secrets, to a stack that a person runs; and what is left of it."""

import base64
import hashlib
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import httpx
from click.testing import Result
from typer.testing import CliRunner

from chalicelib.adapters.dynamodb import to_attributes
from chalicelib.adapters.dynamodb_items import key_of
from chalicelib.admin.__main__ import app as administration
from chalicelib.domain import wake_up
from chalicelib.domain.client_secret import RANDOM_CHARACTERS, seal
from chalicelib.domain.job import JobRef
from chalicelib.domain.key_ring import ROTATED_EVERY
from chalicelib.use_cases.client_assertion import ASSERTION_TYPE
from emulation.environment import edge_client
from tests.policies.caller import GRANT
from tests.policies.scenario import JOB, LEAVES
from tests.proofs import PUBLIC_KEY, assertion, proof
from tests.security.hearing import ANSWERS, collect_stored, link_secrets, private_key, token_secrets
from tests.security.leaks import Secret, Sinks
from tests.stack_process import StackProcess
from tests.waiting import until

PRINTED = "printed"
DESCRIPTION = "stack.json"
FILES = ("access.log", "chain.log", "functions.log", "printed.txt", "stack.log")
TOKEN, REVOKE = "/v1/oauth/token", "/v1/oauth/revoke"
# Of a path, which an answer's `instance` gives back to who sent it.
MISPLACED = seal("M1splacedInAPath".ljust(RANDOM_CHARACTERS, "m"))
BROKEN = f"cli_{'0' * 26}"
MISFIT = b'{"no": "input of any job"}'
PATIENCE_SECONDS = 30


class Visit:
    """What a tenant and an operator do to a stack; everything that they are told is kept."""

    def __init__(self, stack: StackProcess) -> None:
        self.sinks = Sinks()
        self.secrets = [Secret("misplaced secret", MISPLACED.encode(), frozenset({ANSWERS}))]
        self.state_dir = stack.state_dir
        self._stack = stack
        self._described = stack.ready()
        self._base_url = self._described["api"]["base_url"]
        self._http = httpx.Client(
            base_url=self._base_url, timeout=PATIENCE_SECONDS, event_hooks={"response": [self._hear]}
        )
        [self._acme] = [each for each in self._described["tenants"] if each["name"] == "acme"]
        for tenant in self._described["tenants"]:
            secret = tenant["client_secret"].encode()
            self.secrets.append(Secret(f"secret of {tenant['name']}", secret, frozenset({DESCRIPTION})))
        self._basic = (self._acme["client_id"], self._acme["client_secret"])

    def make(self) -> None:
        """All of it, and then what is left."""
        with self._http:
            self._make()
        self.collect()

    def _make(self) -> None:
        self._remember_keys()
        self.jobs_go_through()
        self.clients_are_administered()
        self.secrets_are_misplaced()
        self.nobody_expects_what_happens()
        self.keys_follow_one_another()
        self.the_tenant_is_suspended()

    def jobs_go_through(self) -> None:
        """To the chain, one with its result behind a link; and one whose upload is none."""
        small, large = self._submit(JOB), self._submit({"type": "merkle.root", "input": LEAVES})
        body = {"size_bytes": len(MISFIT), "sha256": hashlib.sha256(MISFIT).hexdigest()}
        upload = self._call("POST", "/v1/uploads", json=body).json()
        httpx.put(upload["url"], headers=upload["signed_headers"], content=MISFIT).raise_for_status()
        misfit = self._submit({"type": "sha256.chain", "input_upload": upload["id"]})
        self._wait_for(small, "succeeded")
        self._wait_for(large, "succeeded")
        self._wait_for(misfit, "failed")
        assert "X-Amz-Signature" in self._call("GET", f"/v1/jobs/{large}/result").text
        for path in ("/v1/jobs", "/v1/usage", "/v1/job-types"):
            self._call("GET", path)

    def clients_are_administered(self) -> None:
        """Two secrets live, a client with a key of its own, and one that is added and revoked."""
        rotated = self._administer("client", "rotate", self._acme["client_id"])
        self._basic = (self._acme["client_id"], rotated["client_secret"])
        added = self._administer("client", "add", "--tenant", "acme")
        self._administer("client", "revoke", added["client_id"])
        self._http.post(TOKEN, data=GRANT, auth=(added["client_id"], added["client_secret"]))
        file = self.state_dir.with_name("key.json")
        file.write_text(json.dumps(PUBLIC_KEY))
        keyed = self._administer("client", "add", "--tenant", "acme", "--public-key", str(file), "--dpop")
        self._prove(keyed["client_id"])

    def secrets_are_misplaced(self) -> None:
        """In a header, a query, a form, a path; and a character is wrong."""
        secret, token = self._basic[1], self._token()
        encoded = base64.b64encode(secret.encode()).decode()
        almost = seal(secret[4:46] + ("0" if secret[46] != "0" else "1"))
        for wrong in (almost, secret[:-1]):
            assert self._http.post(TOKEN, data=GRANT, auth=(self._basic[0], wrong)).status_code == 401
        for header in (f"Basic {secret}", f"Basic {encoded}", f"Bearer {secret}", token, token[:-3]):
            headers = {"Authorization": header, "User-Agent": secret, "Referer": token}
            assert self._http.post(TOKEN, data=GRANT, headers=headers).status_code == 401
            assert self._http.get("/v1/jobs", headers=headers).status_code == 401
        self._http.post(TOKEN, data={**GRANT, "client_secret": secret})
        self._http.post(f"{TOKEN}?client_secret={secret}", data=GRANT, auth=self._basic)
        self._http.get(f"/v1/jobs?access_token={token}")
        self._call("GET", f"/v1/jobs?cursor={secret}")
        self._call("POST", "/v1/jobs", json={**JOB, "type": secret}, headers={"Idempotency-Key": token})
        self._call("POST", "/v1/jobs", content=f'{{"{secret}": ', headers={"Idempotency-Key": secret})
        for path in ("/v1/jobs/", "/v1/problems/", "/v1/", "/"):
            assert self._call("GET", f"{path}{MISPLACED}").status_code == 404
        self._http.post(REVOKE, data={"token": token}, auth=self._basic)

    def nobody_expects_what_happens(self) -> None:
        """Rows that are no client's and no job's, and messages that are none."""
        queues, client = self._aws("sqs"), {"client_id": BROKEN}
        self._store("clients", client, tenant_id=self._basic[1])
        assert self._http.post(TOKEN, data=GRANT, auth=(BROKEN, self._basic[1])).status_code == 500
        self._delete("clients", client)
        for name in ("jobs-run", "jobs-confirm"):
            url = queues.get_queue_url(QueueName=name)["QueueUrl"]
            queues.send_message(QueueUrl=url, MessageBody=json.dumps({"jobs": [[self._basic[1]]]}))
        self._until_logged("functions", "message dropped", times=2)
        job = JobRef(self._acme["tenant_id"], f"job_{'0' * 26}")
        self._store("jobs", key_of(job), status=self._basic[1])
        wake_up_url = queues.get_queue_url(QueueName="jobs-run")["QueueUrl"]
        queues.send_message(QueueUrl=wake_up_url, MessageBody=wake_up.encode([job]))
        self._until_logged("stack", "jobs-run: run_job: Failed")
        self._delete("jobs", key_of(job))

    def keys_follow_one_another(self) -> None:
        """By the schedule, and because one is known; tokens of both are told nowhere."""
        later = {"advance_seconds": ROTATED_EVERY.total_seconds() + 1}
        httpx.post(self._described["clock_url"], json=later).raise_for_status()
        self._until_logged("functions", '"token keys"')
        self._remember_keys()
        self._token()
        self._administer("keys", "rotate", "--compromised")
        self._remember_keys()
        self._token()

    def the_tenant_is_suspended(self) -> None:
        """Its secret opens nothing more; what was done is shown."""
        self._administer("tenant", "suspend", "acme")
        self._administer("client", "list", "--tenant", "acme")
        for command in (["keys", "list"], ["tenant", "list"], ["audit"]):
            self.sinks.add(PRINTED, self._run(*command).output)
        assert self._http.post(TOKEN, data=GRANT, auth=self._basic).status_code == 400

    def collect(self) -> None:
        """What is in the stack's folder and services now."""
        for name in (*FILES, DESCRIPTION):
            self.sinks.add(name, (self.state_dir / name).read_bytes())
        collect_stored(self.sinks, self._aws)

    def _hear(self, answer: httpx.Response) -> None:
        answer.read()
        if answer.request.url.path.endswith(TOKEN) and answer.status_code == httpx.codes.OK:
            self.secrets += token_secrets("access token", answer.json()["access_token"])
        else:
            self.sinks.add(ANSWERS, f"{answer.status_code} {answer.headers.raw} {answer.text}")
        self.secrets += link_secrets(answer.text)

    def _token(self) -> str:
        return str(self._http.post(TOKEN, data=GRANT, auth=self._basic).json()["access_token"])

    def _call(self, method: str, path: str, *, headers: dict[str, str] | None = None, **more: Any) -> Any:
        headers = {"Content-Type": "application/json", **(headers or {})}
        headers["Authorization"] = f"Bearer {self._token()}"
        return self._http.request(method, path, headers=headers, **more)

    def _submit(self, document: object) -> str:
        key = str(len(self.secrets))  # each call has a token of its own
        answer = self._call("POST", "/v1/jobs", json=document, headers={"Idempotency-Key": key})
        return str(answer.json()["id"])

    def _wait_for(self, job_id: str, status: str) -> None:
        headers = {"Authorization": f"Bearer {self._token()}", "Prefer": "wait=1"}
        until(
            lambda: self._http.get(f"/v1/jobs/{job_id}", headers=headers).json()["status"] == status,
            within_seconds=PATIENCE_SECONDS,
            what=f"{job_id} {status}",
        )

    def _store(self, table: str, key: Mapping[str, object], **content: str) -> None:
        """A row that nobody can read, for a moment."""
        self._aws("dynamodb").put_item(TableName=table, Item=to_attributes({**key, **content}))

    def _delete(self, table: str, key: Mapping[str, object]) -> None:
        self._aws("dynamodb").delete_item(TableName=table, Key=to_attributes(key))

    def _prove(self, client_id: str) -> None:
        """A token for an assertion, bound to a key, and a request with it."""
        now = self._now()
        url = f"{self._base_url}{TOKEN}"
        signed = assertion(client_id, audience=self._base_url, now=now)
        proofs = [proof("POST", url, now=now)]
        form = {**GRANT, "client_assertion_type": ASSERTION_TYPE, "client_assertion": signed}
        token = self._http.post(TOKEN, data=form, headers={"DPoP": proofs[0]}).json()["access_token"]
        proofs.append(proof("GET", f"{self._base_url}/v1/jobs", now=now, access_token=token))
        headers = {"Authorization": f"DPoP {token}", "DPoP": proofs[1]}
        answers = [self._http.get("/v1/jobs", headers=headers).status_code for _ in range(2)]
        assert answers == [200, 401]
        self.secrets += token_secrets("client assertion", signed)
        for each in proofs:
            self.secrets += token_secrets("DPoP proof", each)

    def _administer(self, *arguments: str) -> Any:
        """What the command says; the one secret that it may show is none of the rest."""
        ran = self._run(*arguments, "--json")
        document = json.loads(ran.stdout)
        if secret := document.pop("client_secret", None):
            self.secrets.append(Secret("client secret", secret.encode()))
        self.sinks.add(PRINTED, json.dumps(document) + ran.stderr)
        return {**document, "client_secret": secret}

    def _run(self, *arguments: str) -> Result:
        ran = CliRunner().invoke(administration, arguments, env=self._described["environment"])
        assert ran.exit_code == 0, ran.output
        return ran

    def _remember_keys(self) -> None:
        """The private ones, as they are kept now."""
        keeper = self._aws("secretsmanager")
        for each in keeper.list_secrets(MaxResults=100)["SecretList"]:
            kept = keeper.get_secret_value(SecretId=each["Name"])["SecretString"]
            self.secrets.append(Secret(each["Name"], private_key(kept)))

    def _now(self) -> float:
        return datetime.fromisoformat(httpx.get(self._described["clock_url"]).json()["now"]).timestamp()

    def _until_logged(self, name: str, text: str, *, times: int = 1) -> None:
        until(
            lambda: self._stack.logged(name).count(text) >= times,
            within_seconds=PATIENCE_SECONDS,
            what=f"{text} in {name}.log",
        )

    def _aws(self, service: str) -> Any:
        return edge_client(service, self._described["edge_url"])
