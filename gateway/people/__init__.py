"""People whom the owner knows: contacts, segments, templates."""
