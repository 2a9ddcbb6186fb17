"""Regular posts: rules, the slots that are due, and exactly one post for each slot despite crashes."""
