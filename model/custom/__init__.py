"""Controllers, events and resources that users bring along: objects, requests, declarations."""
