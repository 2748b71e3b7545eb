"""Clients of servers: HTTP, gRPC, Kubernetes, port-forwards, object stores."""
