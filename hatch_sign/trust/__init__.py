"""Who may vouch for an artifact: kinds of rules, and the policy that holds them together. Pure: no file, no clock."""
