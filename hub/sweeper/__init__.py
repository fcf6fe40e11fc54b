"""The clock's process: ends what is over, twice a second, and keeps the extraction worker running."""
