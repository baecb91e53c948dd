"""Fallout: steps that need a person, the answers that a person may give, and what comes of them."""
