"""Settings: %kf_config."""
