"""Prints the document."""

from tests.gateway.specification.document import document

print(document())
