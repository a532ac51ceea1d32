# How Java is run for the servers written in it. Sourced by `servers`.
# shellcheck shell=bash

# Kafka 4 needs it.
readonly JAVA_MIN=17
# Tests start servers often and use them little: a collector without threads of its own, and no second compiler, cost half the time.
# And no performance data: Java leaves its folder for a moment to tidy them up, and its folder is what we know it by.
readonly JAVA_FOR_TESTS=(-XX:+UseSerialGC -XX:TieredStopAtLevel=1 -XX:-UsePerfData)

# java_command FOLDER: into COMMAND, how Java is called for what is installed there; the caller adds what it shall run.
java_command() {
    local options=()
    need java
    COMMAND=(java "${JAVA_FOR_TESTS[@]}")
    # Another Java than the one that made the archive goes without it, in silence.
    [[ ! -s $1/classes.jsa ]] || COMMAND+=(-XX:SharedArchiveFile="$1/classes.jsa" -Xlog:cds=off -Xlog:cds+dynamic=off)
    read -r -a options <<<"${HEADWAY_JAVA_OPTIONS:-}"
    COMMAND+=("${options[@]}")
}

# archive_classes FOLDER KIND: runs it once, and Java writes all classes into one file when it ends. A start costs half from then on.
archive_classes() {
    local trial=$1/trial
    HEADWAY_JAVA_OPTIONS="-XX:ArchiveClassesAtExit=$1/classes.jsa" start_process "$trial" "$2"
    kill_process TERM "$trial"
    await_end "$trial" || fail "It did not end after its first start: see $trial/log, then repeat."
    [[ -s $1/classes.jsa ]] || say "Java made no archive of its classes: it starts more slowly, and works all the same."
    rm -rf "$trial"
}

# Whether this Java runs a program from its source.
java_compiles() { java --list-modules 2>/dev/null | grep -q '^jdk\.compiler@'; }

java_works() {
    local version
    version=$(java -version 2>&1 | sed -n 's/.*version "\([0-9]*\).*/\1/p') && [[ -n $version ]] && ((version >= JAVA_MIN))
}
