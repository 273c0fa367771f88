"""Landmarks of a picture by a pose model that the user brings."""
