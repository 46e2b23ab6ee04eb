"""What the servers share: the HTTP parser, bounded bodies, host names."""
