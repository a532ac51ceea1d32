# Apache Kafka: one node that is broker and controller. Sourced by `servers`.
# shellcheck shell=bash

readonly KAFKA=$INSTALLED/kafka

start_kafka() {
    start_process "$1" kafka
    ADDRESS=127.0.0.1:${PORTS[0]}
}

start_kafka_secure() {
    start_process "$1" kafka_secure
    ADDRESS=127.0.0.1:${PORTS[0]}
}

kafka_configure() {
    reserve_ports "$1" 2
    {
        kafka_settings "${PORTS[1]}"
        cat <<SETTINGS
listeners=CLIENTS://127.0.0.1:${PORTS[0]},CONTROLLER://127.0.0.1:${PORTS[1]}
advertised.listeners=CLIENTS://127.0.0.1:${PORTS[0]}
listener.security.protocol.map=CLIENTS:PLAINTEXT,CONTROLLER:PLAINTEXT
inter.broker.listener.name=CLIENTS
SETTINGS
    } >"$1/server.properties"
    kafka_prepare "$1"
}

# The third listener is for the broker's errands to itself. Everybody may do what an access list says, which is nothing; but for the
# user of the tests, and for the broker itself.
kafka_secure_configure() {
    local jaas=org.apache.kafka.common.security prefix=listener.name.clients
    reserve_ports "$1" 3
    make_secrets "$1"
    cat "$1/server.key" "$1/server.pem" >"$1/server.both.pem"
    {
        kafka_settings "${PORTS[1]}"
        cat <<SETTINGS
listeners=CLIENTS://127.0.0.1:${PORTS[0]},CONTROLLER://127.0.0.1:${PORTS[1]},ITSELF://127.0.0.1:${PORTS[2]}
advertised.listeners=CLIENTS://127.0.0.1:${PORTS[0]},ITSELF://127.0.0.1:${PORTS[2]}
listener.security.protocol.map=CLIENTS:SASL_SSL,CONTROLLER:PLAINTEXT,ITSELF:PLAINTEXT
inter.broker.listener.name=ITSELF
ssl.keystore.type=PEM
ssl.keystore.location=server.both.pem
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
super.users=User:$USER_NAME;User:ANONYMOUS
sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-512,OAUTHBEARER
$prefix.plain.sasl.jaas.config=$jaas.plain.PlainLoginModule required user_$USER_NAME="$USER_PASSWORD" user_$GUEST_NAME="$USER_PASSWORD";
$prefix.scram-sha-512.sasl.jaas.config=$jaas.scram.ScramLoginModule required;
$prefix.oauthbearer.sasl.jaas.config=$jaas.oauthbearer.OAuthBearerLoginModule required unsecuredLoginStringClaim_sub="$USER_NAME";
SETTINGS
    } >"$1/server.properties"
    kafka_prepare "$1"
}

# A broker as production has it, but small and quick: one replica of everything, no waiting for members that might still come, and
# retention that acts while a test looks. After a kill it waits until the session of its former self has ended.
kafka_settings() {
    cat <<SETTINGS
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:$1
controller.listener.names=CONTROLLER
log.dirs=data
offsets.topic.replication.factor=1
offsets.topic.num.partitions=8
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=8
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
broker.heartbeat.interval.ms=200
broker.session.timeout.ms=2000
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=1000
log.message.timestamp.type=LogAppendTime
log.retention.check.interval.ms=200
log.initial.task.delay.ms=200
auto.create.topics.enable=false
SETTINGS
}

# Every first start begins with a copy of the folder that was formatted when Kafka was installed: a second less each time.
kafka_prepare() {
    kafka_is_installed || fail "Apache Kafka is not here: run \`./dev servers install kafka\`, then repeat."
    need kcat
    if [[ ! -d $1/data ]]; then
        cp -r "$KAFKA/formatted" "$1/data.new"
        mv "$1/data.new" "$1/data"
    fi
    java_command "$KAFKA"
    COMMAND+=(-Xmx512m -cp "$KAFKA/libs/*" kafka.Kafka server.properties)
}

kafka_answers() {
    grep -qs 'Kafka Server started' "$1/log" && read -r -a PORTS <"$1/ports" &&
        kcat -b "127.0.0.1:${PORTS[0]}" -L -m 2 >/dev/null 2>&1
}

kafka_secure_answers() {
    grep -qs 'Kafka Server started' "$1/log" && read -r -a PORTS <"$1/ports" &&
        kcat -b "127.0.0.1:${PORTS[0]}" -L -m 2 -X security.protocol=SASL_SSL -X ssl.ca.location="$1/ca.pem" \
            -X sasl.mechanism=PLAIN -X sasl.username="$USER_NAME" -X sasl.password="$USER_PASSWORD" >/dev/null 2>&1
}
