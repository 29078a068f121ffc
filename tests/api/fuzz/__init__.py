"""Schemathesis against openapi.yml: every check of its own and ours, every phase, and two tenants.

By hand, on a stack that runs (`make up`): `make fuzz`, or `make fuzz ARGS='--max-examples 500'`; every option
of `schemathesis run` will do. It calls as `acme` and looks whether `initech` gets to see anything of it.
"""
