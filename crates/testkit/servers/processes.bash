# What runs: one folder for each process, with its `ports`, `pid` and `log`. Sourced by `servers`.
# A process works in its folder and never leaves it, and that is how it is known again: a pid alone may be somebody else's by now.
# shellcheck shell=bash

# Ours are below those that Linux hands out for outgoing connections (32768 and up), and above those of well-known services.
readonly PORT_MIN=20000 PORT_MAX=32000
# Kafka takes 2 s, and ten times as long when both cores are busy with a build.
readonly START_SECONDS_MAX=60
# Something that was killed a moment ago is gone by then; something that runs has answered.
readonly RUNNING_SECONDS_MAX=10
# A broker that is busy takes about 3 s to write everything down.
readonly STOP_SECONDS_MAX=15
readonly POLL_SECONDS=0.05
readonly WATCH_SECONDS=0.2
readonly LOG_LINES=30

# start_process FOLDER KIND: KIND_configure writes settings and says what to run (COMMAND), KIND_answers asks whether it is there.
start_process() {
    local folder=$1 kind=$2 deadline
    mkdir -p "$folder"
    deadline=$((SECONDS + RUNNING_SECONDS_MAX))
    while is_alive "$folder"; do
        ! "${kind}_answers" "$folder" || return 0
        ((SECONDS < deadline)) || fail "The process $(<"$folder/pid") in $folder runs and does not answer: stop it first."
        sleep "$POLL_SECONDS"
    done
    COMMAND=()
    "${kind}_configure" "$folder"
    launch "$folder" "${COMMAND[@]}"
    await_answer "$folder" "${kind}_answers"
}

# A session of its own, so that an interrupt on the terminal is not for it.
launch() (
    cd "$1" || exit
    [[ ! -f log ]] || mv log log.before
    setsid "${@:2}" </dev/null >log 2>&1 9>&- &
    echo "$!" >pid
)

await_answer() {
    local folder=$1 answers=$2 deadline=$((SECONDS + START_SECONDS_MAX))
    until "$answers" "$folder"; do
        is_alive "$folder" || fail_with_log "$folder" "ended before it answered"
        if ((SECONDS >= deadline)); then
            kill_process KILL "$folder"
            fail_with_log "$folder" "did not answer within $START_SECONDS_MAX seconds"
        fi
        sleep "$POLL_SECONDS"
    done
}

fail_with_log() {
    fail "What was started in $1 $2. Its last lines, from $1/log:" "$(tail -n "$LOG_LINES" "$1/log" | sed 's/^/  /')" \
        "If a port is taken, end who has it, or delete $1: then others are chosen. Otherwise mend what the lines say and repeat."
}

# Not when it is a zombie, or when the pid belongs to something else by now.
is_alive() { [[ -s $1/pid && /proc/$(<"$1/pid")/cwd -ef $1 ]]; }

all_alive() {
    local process any=1
    while read -r process; do
        is_alive "$process" || return 1
        any=0
    done < <(processes_of "$1")
    return "$any"
}

# The folders of a server's processes: its own, or those below it.
processes_of() {
    local pid
    for pid in "$1"/pid "$1"/*/pid; do
        [[ ! -f $pid ]] || dirname "$pid"
    done
}

# kill_process SIGNAL FOLDER: what it started goes with it.
kill_process() { kill "-$1" -- "-$(<"$2/pid")" 2>/dev/null || true; }

# stop_servers FOLDER NOW NAME...: all at once, so that the slowest decides how long it takes.
stop_servers() {
    local folder=$1 now=$2 name process processes=()
    for name in "${@:3}"; do
        rm -f "$folder/$name/address"
        while read -r process; do
            processes+=("$process")
        done < <(processes_of "$folder/$name")
    done
    if [[ -z $now ]]; then
        signal_living TERM "${processes[@]}"
        # Who was frozen hears it only when it goes on.
        signal_living CONT "${processes[@]}"
        ! await_end "${processes[@]}" || return 0
        say "Not all of them ended within $STOP_SECONDS_MAX seconds: killing the rest."
    fi
    signal_living KILL "${processes[@]}"
    await_end "${processes[@]}" || fail "Some processes in $folder survive even SIGKILL: see what they wait for, \`servers status $folder\`."
}

signal_living() {
    local process
    for process in "${@:2}"; do
        ! is_alive "$process" || kill_process "$1" "$process"
    done
}

await_end() {
    local process deadline=$((SECONDS + STOP_SECONDS_MAX))
    for process in "$@"; do
        while is_alive "$process"; do
            ((SECONDS < deadline)) || return 1
            sleep "$POLL_SECONDS"
        done
    done
}

# --- Ports ---

# reserve_ports FOLDER COUNT: into PORTS, those of the last time or new ones. A port belongs to a folder for as long as the folder is
# there, also while nothing runs: else somebody else's server could be where a client expects one that was only restarted.
reserve_ports() {
    local folder=$1 known=${TMPDIR:-/tmp}/headway-ports-$UID port
    PORTS=()
    if [[ -s $folder/ports ]]; then
        read -r -a PORTS <"$folder/ports"
        return
    fi
    mkdir -p "$known"
    exec 8>"$known/lock"
    flock --timeout "$LOCK_SECONDS_MAX" 8 || fail "Somebody holds $known/lock: see who (\`fuser $known/lock\`), then repeat."
    while ((${#PORTS[@]} < $2)); do
        port=$((PORT_MIN + SRANDOM % (PORT_MAX - PORT_MIN)))
        if [[ " ${PORTS[*]} " == *" $port "* ]] || belongs_to_somebody "$known/$port" "$port" || is_listened_to "$port"; then
            continue
        fi
        echo "$folder" >"$known/$port"
        PORTS+=("$port")
    done
    echo "${PORTS[*]}" >"$folder/ports"
    exec 8>&-
}

belongs_to_somebody() {
    local owner
    [[ -s $1 ]] && owner=$(<"$1") && [[ -s $owner/ports && " $(<"$owner/ports") " == *" $2 "* ]]
}

is_listened_to() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# --- The watcher ---

# Leaves a process behind that stops everything in the folder when its owner is gone; the latest owner counts.
watch_for() {
    local folder=$1 owner=$2 temporary=$3
    if is_alive "$folder/watcher" && [[ $(<"$folder/watcher/owner") == "$owner" ]]; then
        return
    fi
    stop_watching "$folder"
    mkdir -p "$folder/watcher"
    echo "$owner" >"$folder/watcher/owner"
    launch "$folder/watcher" "$HERE/servers" watch "$folder" "$owner" "$temporary"
}

stop_watching() {
    [[ -d $1/watcher ]] || return 0
    signal_living KILL "$1/watcher"
    await_end "$1/watcher" || fail "What watches over $1 does not end: $1/watcher/pid."
}
