"""The MFA API's routes: a request to a response."""
