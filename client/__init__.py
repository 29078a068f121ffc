"""The users' side: a typed client of the HTTP API, the check of a result against the chain, a command line.

It knows the API and the chain, and nothing of the service behind them. The command line (`client.cli`) is
made of the typed client (`client.jobs`) as any program would use it.
"""
