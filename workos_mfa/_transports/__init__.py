"""How a request gets to the server: configuration, connections, deadlines, retries."""
