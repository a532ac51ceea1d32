# Certificates for the servers behind TLS: an authority for each folder, known to nobody else. Sourced by `servers`.
# shellcheck shell=bash

# The user that secure servers know, and one that Kafka knows by the same password and grants nothing. Not a secret: they are on loopback and hold nothing.
readonly USER_NAME=headway GUEST_NAME=guest USER_PASSWORD=headway-of-the-tests
# A folder may be used for a long time.
readonly VALID_DAYS=3650

# make_secrets FOLDER: `ca.pem` for clients, `server.pem` and `server.key` for the server, `user` and `password`.
make_secrets() {
    local folder=$1 key=(-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days "$VALID_DAYS")
    echo "$USER_NAME" >"$folder/user"
    echo "$USER_PASSWORD" >"$folder/password"
    [[ ! -s $folder/server.pem ]] || return 0
    need openssl
    {
        openssl req -x509 "${key[@]}" -subj "/CN=Headway test authority" -keyout "$folder/ca.key" -out "$folder/ca.pem" &&
            openssl req -x509 "${key[@]}" -subj "/CN=localhost" -addext "subjectAltName=DNS:localhost,IP:127.0.0.1" \
                -addext "basicConstraints=critical,CA:FALSE" -CA "$folder/ca.pem" -CAkey "$folder/ca.key" \
                -keyout "$folder/server.key" -out "$folder/server.pem.new"
    } 2>"$folder/openssl.log" ||
        fail "openssl (3.0 or newer is needed, this is $(openssl version)) made no certificate:" "$(tail -n 5 "$folder/openssl.log")"
    mv "$folder/server.pem.new" "$folder/server.pem"
}
