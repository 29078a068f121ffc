"""`python -m tests.api.fuzz`: a run against the stack of `make up`."""

import json
import sys

from tests.api.fuzz.command import fuzz
from tests.api.fuzz.stack import tenant_of
from tests.stack_process import REPOSITORY

description = json.loads((REPOSITORY / ".local/stack.json").read_text())
acme, initech = tenant_of(description, "acme"), tenant_of(description, "initech")
sys.exit(fuzz(description["api"]["base_url"], acme, initech, *sys.argv[1:], stdout=None).status)
