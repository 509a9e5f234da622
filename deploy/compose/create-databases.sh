#!/bin/sh
# Runs once, on an empty data folder: a database and a role of its own for each service.
set -eu

create() {
  psql --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" --set ON_ERROR_STOP=1 \
    --set name="opea_$1" --set password="$2" <<'SQL'
create role :"name" login password :'password';
create database :"name" owner :"name";
revoke all on database :"name" from public;
SQL
  psql --username "$POSTGRES_USER" --dbname "opea_$1" --set ON_ERROR_STOP=1 \
    --command 'create extension vector'
}

create auth "$OPEA_AUTH_POSTGRES_PASSWORD"
create registry "$OPEA_REGISTRY_POSTGRES_PASSWORD"
create feature "$OPEA_FEATURE_POSTGRES_PASSWORD"
create analytics "$OPEA_ANALYTICS_POSTGRES_PASSWORD"
create inference "$OPEA_INFERENCE_POSTGRES_PASSWORD"
