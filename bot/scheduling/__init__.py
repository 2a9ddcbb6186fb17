"""Regular posts: rules and time zones, the slots that are due, and one post a slot across crashes."""
