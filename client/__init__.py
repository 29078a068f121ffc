"""The users' side: a typed client of the HTTP API, and the check of a result against the chain.

It knows the API and the chain, and nothing of the service behind them.
"""
