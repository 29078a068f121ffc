"""A tenant's API keys in API Gateway, which its requests are metered by."""

from typing import TYPE_CHECKING

from chalicelib.adapters.dynamodb import translated
from chalicelib.domain.errors import Refused
from chalicelib.domain.metering_key import Use, metering_key, usage_plan

if TYPE_CHECKING:
    from mypy_boto3_apigateway import APIGatewayClient


class ApiGatewayMeteringKeys:
    """The `MeteringKeys` port."""

    def __init__(self, client: "APIGatewayClient") -> None:
        self._client = client

    def attach(self, tenant_id: str, *, plan: str) -> None:
        """See `ports.MeteringKeys.attach`."""
        with translated():
            plan_ids = {each["name"]: each["id"] for each in self._client.get_usage_plans(limit=500)["items"]}
            for use in Use:
                name, plan_name = metering_key(tenant_id, use), usage_plan(plan, use)
                if plan_name not in plan_ids:
                    raise Refused(
                        f"The gateway has no usage plan {plan_name}: make it there, and run it again."
                    )
                self._attach(self._key(name), name, plan_id=plan_ids[plan_name])

    def _key(self, value: str) -> str:
        """The key of this value, which is also its name, made if there is none."""
        found = self._client.get_api_keys(nameQuery=value, limit=500)["items"]
        for key in found:
            if key["name"] == value:
                return key["id"]
        return self._client.create_api_key(name=value, value=value, enabled=True)["id"]

    def _attach(self, key_id: str, name: str, *, plan_id: str) -> None:
        # Asked by name, for a plan may have more keys than one page of them.
        attached = self._client.get_usage_plan_keys(usagePlanId=plan_id, nameQuery=name, limit=500)["items"]
        if key_id not in [each["id"] for each in attached]:
            self._client.create_usage_plan_key(usagePlanId=plan_id, keyId=key_id, keyType="API_KEY")
