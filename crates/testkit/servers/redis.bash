# Redis in its five shapes. None keeps anything: what is lost with a server is a case that tests want. Sourced by `servers`.
# shellcheck shell=bash

# How long a silent node may be before others act: short enough for a test, long enough for a busy machine.
readonly NODE_SILENT_MS=2000
readonly MASTER_NAME=headway
readonly CLUSTER_NODES=3 SLOTS=16384
readonly SENTINELS=3 QUORUM=2

start_redis() {
    start_process "$1" redis
    ADDRESS=redis://127.0.0.1:$(<"$1/ports")
}

start_redis_secure() {
    start_process "$1" redis_secure
    ADDRESS=rediss://127.0.0.1:$(<"$1/ports")
}

start_redis_cluster() {
    local node ports addresses=()
    for ((node = 1; node <= CLUSTER_NODES; node++)); do
        start_process "$1/node-$node" redis_node
        read -r -a ports <"$1/node-$node/ports"
        addresses+=("redis://127.0.0.1:${ports[0]}")
    done
    [[ -f $1/joined ]] || join_cluster "$1"
    await_answer "$1/node-1" cluster_answers
    ADDRESS=$(IFS=, && echo "${addresses[*]}")
}

start_redis_sentinel() {
    local number addresses=()
    start_process "$1/first" redis_replicated
    start_process "$1/second" redis_replicated
    for ((number = 1; number <= SENTINELS; number++)); do
        start_process "$1/sentinel-$number" redis_sentinel
        addresses+=("redis://127.0.0.1:$(<"$1/sentinel-$number/ports")")
    done
    for ((number = 1; number <= SENTINELS; number++)); do
        await_answer "$1/sentinel-$number" sentinel_knows_all
    done
    echo "$MASTER_NAME" >"$1/master-name"
    ADDRESS=$(IFS=, && echo "${addresses[*]}")
}

# --- Settings ---

redis_configure() {
    redis_prepare "$1" 1
    redis_settings "port ${PORTS[0]}" >"$1/redis.conf"
}

redis_secure_configure() {
    redis_prepare "$1" 1
    make_secrets "$1"
    redis_settings "port 0" "tls-port ${PORTS[0]}" "tls-cert-file server.pem" "tls-key-file server.key" "tls-ca-cert-file ca.pem" \
        "tls-auth-clients no" "user default off" "user $USER_NAME on >$USER_PASSWORD ~* &* +@all" >"$1/redis.conf"
}

redis_node_configure() {
    redis_prepare "$1" 2
    redis_settings "port ${PORTS[0]}" "cluster-enabled yes" "cluster-port ${PORTS[1]}" "cluster-config-file nodes.conf" \
        "cluster-node-timeout $NODE_SILENT_MS" >"$1/redis.conf"
}

# From the first start on the file belongs to the servers: they write into it who follows whom.
redis_replicated_configure() {
    redis_prepare "$1" 1
    [[ ! -f $1/redis.conf ]] || return 0
    redis_settings "port ${PORTS[0]}" "repl-diskless-sync-delay 0" "repl-ping-replica-period 1" >"$1/redis.conf"
    [[ $1 != */second ]] || echo "replicaof 127.0.0.1 $(<"${1%/*}/first/ports")" >>"$1/redis.conf"
}

redis_sentinel_configure() {
    redis_prepare "$1" 1
    COMMAND+=(--sentinel)
    [[ ! -f $1/redis.conf ]] || return 0
    cat >"$1/redis.conf" <<SETTINGS
bind 127.0.0.1
port ${PORTS[0]}
sentinel monitor $MASTER_NAME 127.0.0.1 $(<"${1%/*}/first/ports") $QUORUM
sentinel down-after-milliseconds $MASTER_NAME $NODE_SILENT_MS
sentinel failover-timeout $MASTER_NAME $((NODE_SILENT_MS * 5))
SETTINGS
}

redis_prepare() {
    need redis-server
    need redis-cli
    reserve_ports "$1" "$2"
    COMMAND=(redis-server redis.conf)
}

redis_settings() { say "bind 127.0.0.1" 'save ""' "appendonly no" "$@"; }

# --- Questions ---

# It has to be this process that answers, not another one on the same port.
redis_answers() { [[ $(ask_redis "$1" info server) == *process_id:"$(<"$1/pid")"$'\r'* ]]; }
redis_secure_answers() { redis_answers "$1"; }
redis_node_answers() { redis_answers "$1"; }
redis_replicated_answers() { redis_answers "$1"; }
redis_sentinel_answers() { redis_answers "$1"; }

ask_redis() {
    local folder=$1 ports options=()
    shift
    read -r -a ports <"$folder/ports"
    [[ ! -f $folder/ca.pem ]] || options=(--tls --cacert "$folder/ca.pem" --user "$USER_NAME")
    # A frozen server would keep us waiting for ever.
    REDISCLI_AUTH=${options[*]:+$USER_PASSWORD} timeout 2 redis-cli -h 127.0.0.1 -p "${ports[0]}" "${options[@]}" "$@" 2>/dev/null || true
}

# What `redis-cli --cluster create` does, without its pauses of whole seconds.
join_cluster() {
    local node ports first=$1/node-1
    for ((node = 1; node <= CLUSTER_NODES; node++)); do
        ask_redis "$1/node-$node" cluster addslotsrange $((SLOTS * (node - 1) / CLUSTER_NODES)) $((SLOTS * node / CLUSTER_NODES - 1)) >/dev/null
        ask_redis "$1/node-$node" cluster set-config-epoch "$node" >/dev/null
    done
    for ((node = 2; node <= CLUSTER_NODES; node++)); do
        read -r -a ports <"$1/node-$node/ports"
        ask_redis "$first" cluster meet 127.0.0.1 "${ports[0]}" "${ports[1]}" >/dev/null
    done
    await_answer "$first" cluster_answers
    touch "$1/joined"
}

# Asked of the first node, and true when all of them say so.
cluster_answers() {
    local node told
    for node in "${1%/*}"/node-*; do
        told=$(ask_redis "$node" cluster info)
        [[ $told == *cluster_state:ok* && $told == *cluster_known_nodes:$CLUSTER_NODES* && $told == *cluster_slots_ok:$SLOTS* ]] || return 1
    done
}

sentinel_knows_all() {
    [[ $(ask_redis "$1" sentinel ckquorum "$MASTER_NAME") == "OK $SENTINELS usable Sentinels"* ]] &&
        [[ $(ask_redis "$1" info sentinel) == *"status=ok,"*"slaves=1,sentinels=$SENTINELS"* ]]
}
