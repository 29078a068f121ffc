"""The ports' implementations; errors of a service are translated here, at the boundary."""
