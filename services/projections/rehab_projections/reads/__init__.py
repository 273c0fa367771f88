"""gRPC in, one module per read model: message to question, pure fold, answer to message."""
