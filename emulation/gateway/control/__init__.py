"""The control plane's operations, one module a kind of resource, over moto's models.

A handler takes the `State` and a `Call` that fits the service's published model, checks all it has to check,
and only then changes anything; it returns the answer's body. What is patched is copied, patched and put back.
"""
