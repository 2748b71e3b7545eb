"""Text that people type and read: literals, durations and dates, quantities, names."""
