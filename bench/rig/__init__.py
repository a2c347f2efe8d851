"""What the measurements share: processes, PostgreSQL, the proxies, pgbench, tables."""
