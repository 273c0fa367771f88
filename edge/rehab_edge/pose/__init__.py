"""Landmarks of pose models and sensors, as poses of the canonical skeleton."""

from rehab_edge.pose.conventions import BLAZEPOSE, KINECT, MOVENET, Convention, pose_of

__all__ = ["BLAZEPOSE", "KINECT", "MOVENET", "Convention", "pose_of"]
