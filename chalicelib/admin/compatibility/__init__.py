"""Whether a client of the last release still works: today's specification against that release's copy.

`document` reads, `operations` and `schemas` compare, `rules` says what is breaking, `releases` knows the
copies and the accepted exceptions.
"""
