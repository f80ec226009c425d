//! From start to stop: probes, signals, kills, wrong settings.
