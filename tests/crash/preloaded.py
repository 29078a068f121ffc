"""What the process that the dying ones are forked from has done before: read the models of AWS's services.

To read them takes a quarter of a second of a processor, more than all else that most of these children do.
"""

from tests.conformance.real_ports import client, payloads, tables, uploads

NOBODY = "http://127.0.0.1:9"  # nobody is asked

tables(NOBODY)
payloads(NOBODY)
uploads(NOBODY)
client("sqs", endpoint=NOBODY)
