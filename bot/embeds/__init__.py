"""Cards: what people read as embeds. They know neither the database nor processes."""
