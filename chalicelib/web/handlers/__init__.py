"""One function a route, a module a resource: reads the request, calls one use case, writes the answer."""
