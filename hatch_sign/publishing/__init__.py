"""Publishing a release: copied, verified, then sent from the copy to each destination. Holds no key and signs nothing."""
