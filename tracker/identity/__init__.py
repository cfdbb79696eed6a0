"""Which face is whose: association by place and appearance."""
