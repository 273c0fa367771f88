"""What runs on the device: landmarks in, repetitions out, measured, scored and sent when it can.

It reads poses from a camera, a video or a recording, and knows no server: what it sees goes to the
suite through the SDK, when there is a network.
"""
