"""A Kubeflow of one's own, on this machine: minikube or kind, kustomize and kubectl are driven, and never replaced."""
