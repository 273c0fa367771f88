"""The protocol of a device's stream and the rules at the door, without sockets."""
