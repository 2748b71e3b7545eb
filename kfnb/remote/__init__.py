"""What kfnb asks of servers: HTTP, gRPC, Kubernetes, port-forwards, objects in stores."""
