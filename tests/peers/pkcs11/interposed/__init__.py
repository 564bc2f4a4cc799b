"""What the plugin makes of a token's answers: keys of SoftHSM, behind a module that can be told how to answer."""
