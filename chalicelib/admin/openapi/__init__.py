"""openapi.yml, made of one source for each fact: `python -m chalicelib.admin openapi` prints it.

Prose, parameters and success answers are written by hand in `source.yml`; errors and the gateway's own
answers come from the catalogue, scopes and methods from the table of operations, schemas from the wire's
models, job inputs from the job types.
"""
