"""What the functions use, recorded once for all tests here."""

from collections.abc import Iterator

import pytest
from moto.backends import get_backend

from tests.policies.functions import Functions
from tests.policies.scenario import Scenario

# moto keeps its state in its modules, and other tests of this process may have left some there.
SERVICES = ("dynamodb", "s3", "secretsmanager", "sqs")


@pytest.fixture(scope="package")
def played() -> Iterator[Scenario]:
    """The scenario, when it is over."""
    forget()
    with pytest.MonkeyPatch.context() as patch:
        scenario = Scenario(Functions(patch))
        scenario.play()
        yield scenario
    forget()


def forget() -> None:
    for service in SERVICES:
        get_backend(service).reset()
