"""Notes what each function asks of AWS, as the permissions that its role needs for it."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from botocore.model import OperationModel
from botocore.session import Session

from chalicelib.adapters.s3 import Links
from chalicelib.domain.payload import Link
from tests.policies.iam import Permission, Used
from tests.policies.translation import (
    UnknownCall,
    permission_for_absence,
    permission_for_link,
    permissions_for,
)

NOT_FOUND = 404


class Recorder:
    """Hears the calls of all clients of a session; what no function makes is a test's own and forgotten."""

    def __init__(self) -> None:
        self.unknown: list[str] = []
        self.methods: set[str] = set()
        self._used: dict[str, dict[Permission, set[str]]] = defaultdict(lambda: defaultdict(set))
        self._function: str | None = None

    @contextmanager
    def running(self, function: str) -> Iterator[None]:
        """Calls inside are the function's."""
        assert self._function is None, "one function runs at a time"
        self._function = function
        try:
            yield
        finally:
            self._function = None

    def used_by(self, function: str) -> Used:
        """All that the function has needed so far."""
        return self._used[function]

    def listen(self, session: Session) -> None:
        """To all clients that are made of the session from now on."""
        session.register("provide-client-params", self._called)
        session.register("after-call", self._answered)

    def asked(self, method: str) -> None:
        """A method of a port was asked for."""
        if self._function is not None:
            self.methods.add(method)

    def signed(self, method: str, path: str) -> None:
        """A link to `bucket/key` was made."""
        self._note(permission_for_link(method, path), f"a presigned {method}")

    def _called(
        self, params: Mapping[str, Any], model: OperationModel, context: dict[str, Any], **_: object
    ) -> None:
        context["asked"] = dict(params)  # botocore rewrites its own
        service, operation = model.service_model.service_name, model.name
        try:
            for permission in permissions_for(service, operation, params):
                self._note(permission, operation)
        except UnknownCall as unknown:
            if self._function is not None:
                self.unknown.append(f"{self._function} calls {unknown}")

    def _answered(
        self, http_response: Any, model: OperationModel, context: Mapping[str, Any], **_: object
    ) -> None:
        if model.service_model.service_name == "s3" and http_response.status_code == NOT_FOUND:
            self._note(permission_for_absence(model.name, context["asked"]), f"{model.name}, answered 404")

    def _note(self, permission: Permission, call: str) -> None:
        if self._function is not None:
            self._used[self._function][permission].add(call)


class RecordedLinks(Links):
    """Links as ever, and the recorder hears of each."""

    def __init__(self, links: Links, recorder: Recorder) -> None:
        self._links = links
        self._recorder = recorder

    def make(self, method: str, path: str, *, now: datetime, headers: Mapping[str, str]) -> Link:
        """See `Links.make`."""
        self._recorder.signed(method, path)
        return self._links.make(method, path, now=now, headers=headers)
