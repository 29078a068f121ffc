"""The demo: the product shown end to end with real data, over HTTP, with the users' own client."""
