"""The API that `bench_gateway` deploys with plain boto3 on every gateway that has a control plane."""

from typing import Any

import boto3

API_KEY = "k" * 24
UNREACHED = 2_000_000_000
"""A rate, a burst and a quota that nothing here comes near, within the service's 32 bits."""
STAGE = "bench"
REGION = "us-east-1"


def aws_client(service: str, endpoint: str) -> Any:
    return boto3.client(
        service,
        endpoint_url=endpoint,
        region_name=REGION,
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )


def deploy_api(endpoint: str, *, mock: str, proxy: str, function_arn: str) -> str:
    """The base path of a new API with two methods that require the key, whose plan meters them."""
    gateway = aws_client("apigateway", endpoint)
    api_id: str = gateway.create_rest_api(name="bench")["id"]
    _put_method(gateway, api_id, mock, _MOCK)
    _put_method(
        gateway, api_id, proxy, {"type": "AWS_PROXY", "uri": f"{_INVOKES}/{function_arn}/invocations"}
    )
    gateway.create_deployment(restApiId=api_id, stageName=STAGE)
    _meter(gateway, api_id)
    return f"/_aws/execute-api/{api_id}/{STAGE}"


_INVOKES = f"arn:aws:apigateway:{REGION}:lambda:path/2015-03-31/functions"
_MOCK = {"type": "MOCK", "requestTemplates": {"application/json": '{"statusCode": 200}'}}


def _put_method(gateway: Any, api_id: str, path: str, integration: dict[str, Any]) -> None:
    root = next(
        each["id"] for each in gateway.get_resources(restApiId=api_id)["items"] if each["path"] == "/"
    )
    resource = gateway.create_resource(restApiId=api_id, parentId=root, pathPart=path.strip("/"))
    named = {"restApiId": api_id, "resourceId": resource["id"], "httpMethod": "GET"}
    gateway.put_method(**named, authorizationType="NONE", apiKeyRequired=True)
    gateway.put_integration(**named, integrationHttpMethod="POST", **integration)
    if integration["type"] == "MOCK":
        gateway.put_method_response(**named, statusCode="200")
        templates = {"application/json": '{"message":"hello"}'}
        gateway.put_integration_response(**named, statusCode="200", responseTemplates=templates)


def _meter(gateway: Any, api_id: str) -> None:
    plan = gateway.create_usage_plan(
        name="bench",
        apiStages=[{"apiId": api_id, "stage": STAGE}],
        throttle={"rateLimit": UNREACHED, "burstLimit": UNREACHED},
        quota={"limit": UNREACHED, "period": "DAY"},
    )
    key = gateway.create_api_key(name="bench", value=API_KEY, enabled=True)
    gateway.create_usage_plan_key(usagePlanId=plan["id"], keyId=key["id"], keyType="API_KEY")
