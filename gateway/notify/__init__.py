"""What others are told of: webhooks, the event stream, channels, alarms. All of it follows the events."""
