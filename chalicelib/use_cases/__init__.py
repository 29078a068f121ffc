"""One use case a module; each speaks to ports only and names its atomic phases in order."""
