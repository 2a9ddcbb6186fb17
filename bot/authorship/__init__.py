"""Did the bot write this text? Read from a message, drawn again, compared, and told to one person."""
