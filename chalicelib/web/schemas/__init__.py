"""The wire's shapes, as bounded models: what requests may be, and what answers are. The specification's
schemas are made of them.
"""
