"""An app whose import never ends, for the test does not answer."""

import os
import socket

connection = socket.create_connection(("127.0.0.1", int(os.environ["PORT"])))
connection.sendall(b"importing\n")
connection.recv(1)
