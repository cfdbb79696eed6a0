"""Does an id stay with its person, and with nobody else?"""
