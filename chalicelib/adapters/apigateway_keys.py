"""A tenant's API keys in API Gateway, which its requests are metered by."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from chalicelib.adapters.dynamodb import translated
from chalicelib.domain.errors import Refused
from chalicelib.domain.metering_key import Use, metering_key, usage_plan
from chalicelib.domain.usage import DayRange

if TYPE_CHECKING:
    from mypy_boto3_apigateway import APIGatewayClient


class ApiGatewayMeteringKeys:
    """The `MeteringKeys` port."""

    def __init__(self, client: "APIGatewayClient") -> None:
        self._client = client

    def attach(self, tenant_id: str, *, plan: str) -> None:
        """See `ports.MeteringKeys.attach`."""
        with translated():
            plan_ids = self._plan_ids()
            for use in Use:
                name, plan_name = metering_key(tenant_id, use), usage_plan(plan, use)
                if plan_name not in plan_ids:
                    raise Refused(
                        f"The gateway has no usage plan {plan_name}: make it there, and run it again."
                    )
                self._attach(self._key(name), name, plan_id=plan_ids[plan_name])

    def submits(self, tenant_id: str, *, plan: str, days: DayRange) -> Sequence[int]:
        """See `ports.MeteringKeys.submits`. GetUsage: a pair of used and remaining requests a day."""
        with translated():
            key_id = self._found(metering_key(tenant_id, Use.SUBMIT))
            plan_id = self._plan_ids().get(usage_plan(plan, Use.SUBMIT))
            if key_id is None or plan_id is None:
                return [0] * len(days.days)
            told = self._client.get_usage(
                usagePlanId=plan_id,
                keyId=key_id,
                startDate=days.first.isoformat(),
                endDate=days.last.isoformat(),
            )
        # A key that was never used may be left out.
        pairs = told.get("items", {}).get(key_id) or [[0, 0]] * len(days.days)
        return [used for used, _remaining in pairs]

    def _plan_ids(self) -> Mapping[str, str]:
        return {each["name"]: each["id"] for each in self._client.get_usage_plans(limit=500)["items"]}

    def _key(self, value: str) -> str:
        """The key of this value, which is also its name, made if there is none."""
        return self._found(value) or self._client.create_api_key(name=value, value=value, enabled=True)["id"]

    def _found(self, value: str) -> str | None:
        found = self._client.get_api_keys(nameQuery=value, limit=500)["items"]
        return next((key["id"] for key in found if key["name"] == value), None)

    def _attach(self, key_id: str, name: str, *, plan_id: str) -> None:
        # Asked by name, for a plan may have more keys than one page of them.
        attached = self._client.get_usage_plan_keys(usagePlanId=plan_id, nameQuery=name, limit=500)["items"]
        if key_id not in [each["id"] for each in attached]:
            self._client.create_usage_plan_key(usagePlanId=plan_id, keyId=key_id, keyType="API_KEY")
