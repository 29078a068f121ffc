"""The rules of the service, as pure values and functions; nothing here knows what lies outside."""
