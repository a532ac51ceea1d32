# What other producers write with: Confluent's serializers, in a virtual environment. Sourced by `servers`.
# shellcheck shell=bash

readonly PYTHON=$INSTALLED/python
# The serializers, and what they need for Avro, Protobuf and the registry.
readonly PYTHON_PACKAGE="confluent-kafka[avro,protobuf,schemaregistry]==2.16.0"

install_python() {
    ! python_is_installed || return 0
    say "Fetching $PYTHON_PACKAGE by pip (a minute, 20 MB)."
    rm -rf "$PYTHON"
    # An environment knows its own path, so it is made where it stays, and named complete at the end.
    python3 -m venv "$PYTHON"
    "$PYTHON/bin/pip" install --quiet --disable-pip-version-check "$PYTHON_PACKAGE" >"$INSTALLED/pip.log" 2>&1 ||
        fail "pip could not fetch it:" "$(tail -n 5 "$INSTALLED/pip.log")" "What is missing is usually the network. Then repeat."
    echo "$PYTHON_PACKAGE" >"$PYTHON/version"
}

# Another version than the one above counts as none.
python_is_installed() { [[ $(cat "$PYTHON/version" 2>/dev/null) == "$PYTHON_PACKAGE" ]]; }

python_makes_environments() { has python3 && python3 -c 'import ensurepip, venv' 2>/dev/null; }
