"""Stands in for an app's administration: makes no tenant, and says where it would."""

import json
import os

tenant = {
    "tenant_id": os.environ["GREETING"],
    "name": "acme",
    "plan": "free",
    "client_id": "me",
    "client_secret": "s3cret",
}
print(json.dumps({"tenants": [tenant]}))
