"""What Vigil remembers: PostgreSQL, spoken to in the words of the domain."""
