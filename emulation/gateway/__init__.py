"""The local API Gateway: data plane, and what moto's control plane lacks."""
