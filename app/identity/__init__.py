"""Who is there: people, teams, roles, sessions and tokens."""
