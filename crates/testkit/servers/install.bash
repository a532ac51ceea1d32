# What has to be there before a server can start. Sourced by `servers`.
# Debian packages where a command is missing; what Maven Central has goes below .headway/servers, each in a folder that appears when it
# is complete. Versions are in pom.xml.
# shellcheck shell=bash

# install_servers NAME...
install_servers() {
    local names=" $* "
    mkdir -p "$INSTALLED"
    hold "$INSTALLED"
    install_packages "$names"
    [[ $names != *" kafka"* ]] || install_kafka
    [[ $names != *" registry "* ]] || install_registry
    [[ $names != *" python "* ]] || install_python
    [[ $names != *" models "* ]] || install_models
    say "Everything is here for: $*."
}

install_packages() {
    local packages=()
    [[ $1 != *" redis"* ]] || { has redis-server && has redis-cli; } || packages+=(redis-server)
    [[ $1 != *-secure* ]] || has openssl || packages+=(openssl)
    [[ $1 != *" kafka"* ]] || has kcat || packages+=(kcat)
    if [[ $1 == *" kafka"* || $1 == *" registry "* ]]; then
        java_works || packages+=(default-jre-headless)
    fi
    # Tests have a producer in Java, which is run from its source.
    [[ $1 != *" kafka"* ]] || java_compiles || packages+=(default-jdk-headless)
    if { [[ $1 == *" kafka"* ]] && ! kafka_is_installed; } || { [[ $1 == *" registry "* ]] && ! registry_is_installed; }; then
        has mvn || packages+=(maven)
    fi
    if { [[ $1 == *" python "* ]] && ! python_is_installed; } || { [[ $1 == *" models "* ]] && ! models_are_installed; }; then
        python_makes_environments || packages+=(python3-venv)
    fi
    ((${#packages[@]} == 0)) || install_debian "up to three minutes and 500 MB, most of it Java" "${packages[@]}"
    [[ ! " ${packages[*]} " =~ " default-jre" ]] || java_works ||
        fail "This system's Java is $(java -version 2>&1 | head -n 1): install version $JAVA_MIN or newer, then repeat."
}

install_kafka() {
    local new=$KAFKA.new
    ! kafka_is_installed || return 0
    say "Fetching Apache Kafka $(version_of kafka) by Maven (half a minute, 90 MB; Maven keeps a copy below ~/.m2)."
    rm -rf "$new" "$KAFKA"
    mkdir -p "$new"
    fetch kafka copy-dependencies "$new/libs"
    format_kafka "$new"
    version_of kafka >"$new/version"
    mv "$new" "$KAFKA"
    (archive_classes "$KAFKA" kafka) || { rm "$KAFKA/version" && exit 1; }
}

# What a broker finds in its folder when it starts for the first time, with the user that secure ones know.
format_kafka() {
    say "log.dirs=$1/formatted" "process.roles=broker,controller" "node.id=1" "controller.quorum.voters=1@127.0.0.1:1" \
        "listeners=CONTROLLER://127.0.0.1:1,PLAINTEXT://127.0.0.1:2" "controller.listener.names=CONTROLLER" >"$1/format.properties"
    java -cp "$1/libs/*" kafka.tools.StorageTool format --config "$1/format.properties" --cluster-id headway-tests-00000-AA \
        --add-scram "SCRAM-SHA-512=[name=\"$USER_NAME\",password=\"$USER_PASSWORD\"]" >"$1/format.log" 2>&1 ||
        fail "Kafka could not format a folder:" "$(tail -n 5 "$1/format.log")"
}

install_registry() {
    ! registry_is_installed || return 0
    say "Fetching Apicurio Registry $(version_of registry) by Maven (a minute, 200 MB; Maven keeps a copy below ~/.m2)."
    rm -rf "$REGISTRY" "$REGISTRY.new"
    mkdir -p "$REGISTRY.new"
    fetch registry unpack "$REGISTRY.new"
    version_of registry >"$REGISTRY.new/version"
    mv "$REGISTRY.new" "$REGISTRY"
    (archive_classes "$REGISTRY" registry) || { rm "$REGISTRY/version" && exit 1; }
}

# fetch EXECUTION GOAL FOLDER, as pom.xml describes it.
fetch() {
    local log=$INSTALLED/maven.log
    mvn --batch-mode --strict-checksums -f "$HERE/pom.xml" -Dfolder="$3" "dependency:$2@$1" >"$log" 2>&1 ||
        fail "Maven could not fetch it:" "$(grep -F '[ERROR]' "$log" | head -n 5)" \
            "What is missing is usually the network, or a mirror in ~/.m2/settings.xml. The rest is in $log. Then repeat."
}

# Another version than pom.xml names counts as none.
kafka_is_installed() { [[ $(cat "$KAFKA/version" 2>/dev/null) == "$(version_of kafka)" ]]; }
registry_is_installed() { [[ $(cat "$REGISTRY/version" 2>/dev/null) == "$(version_of registry)" ]]; }

version_of() { sed -n "s/.*<$1\.version>\(.*\)<.*/\1/p" "$HERE/pom.xml"; }

has() { command -v "$1" >/dev/null; }

need() { has "$1" || fail "\`$1\` is missing: run \`./dev servers install\`, then repeat."; }
