"""What a call means: arguments to a request, a response to a model or an error."""
