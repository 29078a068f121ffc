"""`jobs`: the API for people and scripts.

stdout has the data alone; whatever else there is to say is said on stderr, and the exit code sums it up.
"""
