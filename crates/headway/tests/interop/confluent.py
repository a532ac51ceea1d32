"""confluent-kafka as producers and readers use it: `write HOW ...` writes the events of a file, `read ...` tells what a topic has."""

import base64
import datetime
import decimal
import json
import sys

from confluent_kafka import Consumer, Producer
from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroSerializer
from confluent_kafka.schema_registry.protobuf import ProtobufSerializer
from confluent_kafka.serialization import MessageField, SerializationContext
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory, timestamp_pb2

TYPES = descriptor_pb2.FieldDescriptorProto


def as_json(_registry, _schema):
    return lambda event, _context: json.dumps(event).encode()


def as_avro(registry, schema):
    def record(event, _context):
        at = datetime.datetime.fromisoformat(event["occurred_at"])
        return event | {"occurred_at": at, "basket": decimal.Decimal(str(event["basket"])).quantize(decimal.Decimal("0.01"))}

    return AvroSerializer(registry, schema, record)


def as_protobuf(registry, _schema):
    """The message of the `.proto` file, put together by hand, since nothing here compiles such files."""
    file = descriptor_pb2.FileDescriptorProto(name="order.proto", package="shop", syntax="proto3")
    file.dependency.append(timestamp_pb2.DESCRIPTOR.name)
    kind = file.enum_type.add(name="Kind")
    for number, name in enumerate(["placed", "ready"]):
        kind.value.add(name=name, number=number)
    message = file.message_type.add(name="Order")
    named = {
        "id": TYPES.TYPE_STRING,
        "source": TYPES.TYPE_STRING,
        "occurred_at": TYPES.TYPE_MESSAGE,
        "store_id": TYPES.TYPE_STRING,
        "kind": TYPES.TYPE_ENUM,
        "basket": TYPES.TYPE_DOUBLE,
    }
    of_type = {"occurred_at": ".google.protobuf.Timestamp", "kind": ".shop.Kind"}
    for number, (name, kind) in enumerate(named.items(), start=1):
        message.field.add(name=name, number=number, type=kind, label=TYPES.LABEL_OPTIONAL, type_name=of_type.get(name))
    pool = descriptor_pool.Default()
    pool.Add(file)
    order = message_factory.GetMessageClass(pool.FindMessageTypeByName("shop.Order"))
    to_bytes = ProtobufSerializer(order, registry)

    def serialize(event, context):
        record = order(**{name: event[name] for name in named if name != "occurred_at"})
        record.occurred_at.FromJsonString(event["occurred_at"])
        return to_bytes(record, context)

    return serialize


def write(how, brokers, registry, topic, events, schema):
    ways = {"json": as_json, "avro": as_avro, "protobuf": as_protobuf}
    serialize = ways[how](SchemaRegistryClient({"url": registry}), open(schema).read())
    # Every send shall have arrived once, in the transaction of a producer that others of its name replace.
    producer = Producer({"bootstrap.servers": brokers, "transactional.id": f"shop-{how}", "linger.ms": 0})
    producer.init_transactions(30)
    producer.begin_transaction()
    for line in open(events):
        event = json.loads(line)
        value = serialize(event, SerializationContext(topic, MessageField.VALUE))
        producer.produce(topic, key=event["store_id"], value=value)
    producer.commit_transaction(30)


def read(brokers, topic, count):
    settings = {"bootstrap.servers": brokers, "group.id": f"reads-{topic}", "auto.offset.reset": "earliest"}
    consumer = Consumer(settings | {"isolation.level": "read_committed", "enable.auto.commit": False})
    consumer.subscribe([topic])
    for _ in range(int(count)):
        message = consumer.poll(30)
        if message is None or message.error():
            sys.exit(f"{topic}: {message and message.error()}")
        headers = {name: value.decode() for name, value in message.headers() or []}
        value = base64.b64encode(message.value() or b"").decode()
        print(json.dumps({"key": (message.key() or b"").decode(), "value": value, "headers": headers}))
    consumer.close()


{"write": write, "read": read}[sys.argv[1]](*sys.argv[2:])
