"""What Schemathesis is told beside its configuration."""
