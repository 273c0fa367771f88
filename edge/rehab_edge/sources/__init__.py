"""Where poses come from: recordings, videos, cameras."""
