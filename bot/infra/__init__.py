"""What every part of the bot uses: settings, paths, files, logs, health, child processes, the connection."""
