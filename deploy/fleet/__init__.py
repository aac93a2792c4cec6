"""A whole fleet on one machine, from Debian's packages and without root.

`make fleet`, `fleet-status`, `fleet-reload` and `fleet-stop` call it (python -m deploy.fleet start, …). What runs,
and what the parts are told, stands in table.toml. Everything the fleet writes is in var/fleet: data, a log for each
part, secrets. A supervisor starts again whatever ends, a second later, as systemd does with Restart=always.

FLEET_DIR names another folder than var/fleet, FLEET_PORT the address (8080; the parts take ports above it), FLEET_HOSTS
how many hosts (2). Port and hosts are remembered in the folder's `env`; any setting of .env.example may be added there.
"""
