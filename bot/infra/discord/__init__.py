"""The connection to Discord, the command tree's registration, and what Discord's errors mean."""
