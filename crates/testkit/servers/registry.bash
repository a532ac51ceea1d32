# A schema registry that speaks Confluent's API: Apicurio Registry, with its tables in a file. Sourced by `servers`.
# shellcheck shell=bash

readonly REGISTRY=$INSTALLED/registry
readonly REGISTRY_API=/apis/ccompat/v7

start_registry() {
    start_process "$1" registry
    ADDRESS=http://127.0.0.1:${PORTS[0]}$REGISTRY_API
}

registry_configure() {
    registry_is_installed || fail "The schema registry is not here: run \`./dev servers install registry\`, then repeat."
    reserve_ports "$1" 1
    java_command "$REGISTRY"
    # Without the delay, what was answered is in the file when the process is killed.
    COMMAND+=(-Xmx256m -Dquarkus.http.host=127.0.0.1 -Dquarkus.http.port="${PORTS[0]}"
        -Dquarkus.datasource.jdbc.url="jdbc:h2:file:./data/registry;WRITE_DELAY=0" -jar "$REGISTRY"/*-runner.jar)
}

registry_answers() {
    grep -qs 'Listening on' "$1/log" && read -r -a PORTS <"$1/ports" && http_answers "${PORTS[0]}" "$REGISTRY_API/subjects"
}

http_answers() (
    exec 3<>"/dev/tcp/127.0.0.1/$1" || exit 1
    printf 'GET %s HTTP/1.0\r\n\r\n' "$2" >&3
    read -r -t 2 line <&3 && [[ $line == *" 200 "* ]]
) 2>/dev/null
