"""HTTP in, HTTP out: wire formats, problems and credentials; it knows use cases, never adapters."""
