"""What goes wrong between an app and the API, on demand."""
