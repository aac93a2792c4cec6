#!/bin/sh
# Writes what a fleet must keep secret, once: secrets.sh FOLDER [MariaDB's host:port] [Redis's host:port]
#
#   environment       SECRET_KEY, DATABASE_URL, REDIS_URL: for systemd's EnvironmentFile, or ENV_FILE
#   mariadb-password  of the user blog
#   redis.conf        `requirepass`, to be included by Redis's own
#
# Files that are there stay as they are. Every host of a fleet gets the same `environment`. SECRETS_UMASK=022 lets every user of the
# machine read them, which in a volume of containers are those containers.
set -eu
umask "${SECRETS_UMASK:-077}"
folder=$1
mariadb=${2:-127.0.0.1:3306}
redis=${3:-127.0.0.1:6379}
[ ! -e "$folder/environment" ] || exit 0

random() { od -An -N "$1" -tx1 /dev/urandom | tr -d ' \n'; }
mariadb_password=$(random 24)
redis_password=$(random 24)
mkdir -p "$folder"
printf '%s' "$mariadb_password" >"$folder/mariadb-password"
printf 'requirepass %s\n' "$redis_password" >"$folder/redis.conf"
cat >"$folder/environment.part" <<END
SECRET_KEY=$(random 32)
DATABASE_URL=mysql://blog:$mariadb_password@$mariadb/blog
REDIS_URL=redis://:$redis_password@$redis/0
END
mv "$folder/environment.part" "$folder/environment"
