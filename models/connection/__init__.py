"""The way into the database: address, driver, transactions, and errors in one clear line."""
