"""The EndpointSlice mirroring controller, for Services without a selector."""
