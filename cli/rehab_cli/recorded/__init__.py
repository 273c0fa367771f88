"""Recorded human movement: repetitions of real people, measured and sent as events.

It reads UI-PRMD's Kinect recordings, measures ranges of motion and tempo, and sends the sessions
through the SDK to a suite that runs. docs/recorded-movement.md says what the figures mean.
"""
