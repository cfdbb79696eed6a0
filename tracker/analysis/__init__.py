"""What is read off landmarks: head pose, eyes, expression."""
