"""What people read: text made safe, embeds, buttons. Knows neither the database nor processes."""
