"""The second step of signing in: an authenticator app, passkeys and recovery codes, kept by allauth."""
