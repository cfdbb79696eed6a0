"""What goes out while it happens: protocols of avatars, OSC, WebSocket, a virtual camera, rerun."""
