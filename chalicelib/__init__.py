"""The Zama Jobs API's functions: domain, use cases, adapters and the web's edge, wired in `container`."""
