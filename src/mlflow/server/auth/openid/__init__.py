"""Signing in by OpenID Connect: a provider says who somebody is, and this server what they may."""
