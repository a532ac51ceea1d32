# What other producers and consumers are written with: clients of Kafka and Confluent's serializers, in a virtual environment.
# Sourced by `servers`.
# shellcheck shell=bash

readonly PYTHON=$INSTALLED/python
# One client on librdkafka, with serializers and what they need for Avro, Protobuf and the registry; and one that is Python alone.
readonly PYTHON_PACKAGES=("confluent-kafka[avro,protobuf,schemaregistry]==2.16.0" "kafka-python==3.0.12")

install_python() {
    ! python_is_installed || return 0
    say "Fetching ${PYTHON_PACKAGES[*]} by pip (a minute, 20 MB)."
    rm -rf "$PYTHON"
    # An environment knows its own path, so it is made where it stays, and named complete at the end.
    python3 -m venv "$PYTHON"
    "$PYTHON/bin/pip" install --quiet --disable-pip-version-check "${PYTHON_PACKAGES[@]}" >"$INSTALLED/pip.log" 2>&1 ||
        fail "pip could not fetch it:" "$(tail -n 5 "$INSTALLED/pip.log")" "What is missing is usually the network. Then repeat."
    echo "${PYTHON_PACKAGES[*]}" >"$PYTHON/version"
}

# Other versions than the ones above count as none.
python_is_installed() { [[ $(cat "$PYTHON/version" 2>/dev/null) == "${PYTHON_PACKAGES[*]}" ]]; }

python_makes_environments() { has python3 && python3 -c 'import ensurepip, venv' 2>/dev/null; }
