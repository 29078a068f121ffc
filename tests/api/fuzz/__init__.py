"""Schemathesis against openapi.yml: every check, every phase, and two tenants that must not meet."""
