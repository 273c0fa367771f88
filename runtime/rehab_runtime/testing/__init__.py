"""What tests of services stand on: real servers as fixtures."""
