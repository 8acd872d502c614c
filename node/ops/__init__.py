"""What operators take as it is: containers, a systemd unit, a dashboard, a hive client."""
