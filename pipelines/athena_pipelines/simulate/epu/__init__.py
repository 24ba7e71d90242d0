"""Writing what EPU writes: XML of sessions, atlases and images, and their previews."""
