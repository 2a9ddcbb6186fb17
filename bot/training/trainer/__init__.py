"""The trainer process, its folder, and the watchdog that ends it when it hangs."""
