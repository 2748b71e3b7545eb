"""Text that users type and read: literals, durations and dates, quantities, names."""
