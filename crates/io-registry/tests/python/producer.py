"""Writes records with Confluent's serializers, one a line: the bytes in base64, a blank, and the JSON that they should become."""

import base64
import datetime
import decimal
import json
import random
import sys
import uuid

from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroSerializer
from confluent_kafka.schema_registry.protobuf import ProtobufSerializer
from confluent_kafka.serialization import MessageField, SerializationContext
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory, timestamp_pb2, wrappers_pb2

ROUNDS = 200
UTC = datetime.timezone.utc
chance = random.Random(20261121)
registry = SchemaRegistryClient({"url": sys.argv[1]})
prefix = sys.argv[2]


def tell(record, expected):
    print(base64.b64encode(record).decode(), json.dumps(expected))


def context(topic):
    return SerializationContext(f"{prefix}-{topic}", MessageField.VALUE)


def text():
    return "".join(chance.choice("ab \"\\\n\tä漢🛵\u0000") for _ in range(chance.randrange(12)))


# --- Avro ---

AVRO = """{"type": "record", "name": "Order", "namespace": "shop", "fields": [
    {"name": "id", "type": "string"},
    {"name": "at", "type": {"type": "long", "logicalType": "timestamp-micros"}},
    {"name": "basket", "type": ["null", {"type": "bytes", "logicalType": "decimal", "precision": 38, "scale": 4}]},
    {"name": "tax", "type": {"type": "fixed", "size": 12, "name": "Tax", "logicalType": "decimal", "precision": 20, "scale": 2}},
    {"name": "lat", "type": "double"},
    {"name": "small", "type": "float"},
    {"name": "number", "type": "long"},
    {"name": "items", "type": ["null", "int", "string"], "default": null},
    {"name": "kind", "type": {"type": "enum", "name": "Kind", "symbols": ["placed", "ready"]}},
    {"name": "day", "type": {"type": "int", "logicalType": "date"}},
    {"name": "key", "type": {"type": "string", "logicalType": "uuid"}},
    {"name": "mark", "type": "bytes"},
    {"name": "lines", "type": {"type": "array", "items": "long"}},
    {"name": "names", "type": {"type": "map", "values": ["null", "string"]}},
    {"name": "next", "type": ["null", "Order"], "default": null}
]}"""


def order(depth):
    """An order, and what it should become."""
    ms = chance.randrange(0, 4_000_000_000_000)
    basket = decimal.Decimal(chance.randrange(-(10**11), 10**11)).scaleb(-4)
    tax = decimal.Decimal(chance.randrange(-(10**9), 10**9)).scaleb(-2)
    small = chance.randrange(-1000, 1000) / 8
    day = datetime.date(1970, 1, 1) + datetime.timedelta(days=chance.randrange(-100_000, 100_000))
    key, mark = uuid.UUID(int=chance.getrandbits(128)), chance.randbytes(chance.randrange(20))
    plain = {
        "id": text(),
        "lat": chance.choice([0.0, 52.52, 13.405, chance.uniform(-180, 180), 1e300, 5e-324]),
        "number": chance.choice([0, -1, 2**63 - 1, -(2**63), chance.getrandbits(40)]),
        "items": chance.choice([None, 3, "three"]),
        "kind": chance.choice(["placed", "ready"]),
        "lines": [chance.getrandbits(30) for _ in range(chance.randrange(4))],
        "names": {text(): chance.choice([None, text()]) for _ in range(chance.randrange(3))},
    }
    inner = order(depth - 1) if depth > 0 and chance.random() < 0.5 else (None, None)
    has_basket = chance.random() < 0.8
    at = datetime.datetime.fromtimestamp(0, UTC) + datetime.timedelta(milliseconds=ms, microseconds=chance.randrange(1000))
    written = plain | {"at": at, "basket": basket if has_basket else None, "tax": tax, "small": small, "day": day, "key": key}
    expected = plain | {
        "at": ms,
        "basket": float(basket) if has_basket else None,
        "tax": float(tax),
        "small": small,
        "day": day.isoformat(),
        "key": str(key),
    }
    expected["mark"] = base64.b64encode(mark).decode()
    return written | {"mark": mark, "next": inner[0]}, expected | {"next": inner[1]}


def avro():
    serializer = AvroSerializer(registry, AVRO)
    for _ in range(ROUNDS):
        written, expected = order(3)
        tell(serializer(written, context("avro")), expected)


# --- Protobuf ---

TYPES = descriptor_pb2.FieldDescriptorProto


def field(name, number, kind, **more):
    return TYPES(name=name, number=number, type=kind, label=more.pop("label", TYPES.LABEL_OPTIONAL), **more)


def messages():
    """The message classes of a file that is put together by hand, since nothing here compiles `.proto` files."""
    file = descriptor_pb2.FileDescriptorProto(name=f"{prefix}.proto", package="shop", syntax="proto3")
    file.dependency.extend([timestamp_pb2.DESCRIPTOR.name, wrappers_pb2.DESCRIPTOR.name])
    kind = file.enum_type.add(name="Kind")
    for number, name in enumerate(["unset", "placed", "ready"]):
        kind.value.add(name=name, number=number)
    message = file.message_type.add(name="Order")
    place = message.nested_type.add(name="Place")
    place.field.append(field("floor", 1, TYPES.TYPE_SINT32))
    message.oneof_decl.add(name="way")
    message.oneof_decl.add(name="_items")
    message.field.extend(
        [
            field("id", 1, TYPES.TYPE_STRING),
            field("at", 2, TYPES.TYPE_MESSAGE, type_name=".google.protobuf.Timestamp"),
            field("basket", 3, TYPES.TYPE_DOUBLE),
            field("lat", 4, TYPES.TYPE_DOUBLE),
            field("number", 5, TYPES.TYPE_INT64),
            field("large", 6, TYPES.TYPE_FIXED64),
            field("kind", 7, TYPES.TYPE_ENUM, type_name=".shop.Kind"),
            field("pickup", 8, TYPES.TYPE_STRING, oneof_index=0),
            field("place", 9, TYPES.TYPE_MESSAGE, type_name=".shop.Order.Place", oneof_index=0),
            field("items", 10, TYPES.TYPE_INT32, oneof_index=1, proto3_optional=True),
            field("lines", 11, TYPES.TYPE_SINT64, label=TYPES.LABEL_REPEATED),
            field("rating", 12, TYPES.TYPE_MESSAGE, type_name=".google.protobuf.Int64Value"),
            field("small", 13, TYPES.TYPE_FLOAT),
        ]
    )
    rider = file.message_type.add(name="Rider")
    rider.field.append(field("rider_id", 1, TYPES.TYPE_STRING))
    inner = rider.nested_type.add(name="Shift")
    inner.field.append(field("hours", 1, TYPES.TYPE_UINT32))
    pool = descriptor_pool.Default()
    pool.Add(file)
    names = ["shop.Order", "shop.Rider", "shop.Rider.Shift"]
    return [message_factory.GetMessageClass(pool.FindMessageTypeByName(name)) for name in names]


def protobuf():
    orders, riders, shifts = messages()
    to_orders = ProtobufSerializer(orders, registry)
    for _ in range(ROUNDS):
        ms = chance.randrange(0, 4_000_000_000_000)
        expected = {
            "id": text(),
            "basket": chance.uniform(0, 100),
            "lat": chance.choice([0.0, -52.52]),
            "number": chance.choice([0, 2**63 - 1, -(2**63)]),
            "large": chance.choice([0, 2**64 - 1]),
            "kind": chance.choice(["unset", "placed", "ready"]),
            "small": chance.randrange(-1000, 1000) / 8,
        }
        message = orders(**expected)
        message.at.FromMilliseconds(ms)
        expected["at"] = message.at.ToJsonString()
        if chance.random() < 0.5:
            message.items = expected["items"] = chance.choice([0, 3])
        match chance.randrange(3):
            case 0:
                message.pickup = expected["pickup"] = chance.choice(["", "door"])
            case 1:
                message.place.floor = chance.choice([0, -3])
                message.place.SetInParent()
                expected["place"] = {"floor": message.place.floor}
        lines = [chance.randrange(-(2**40), 2**40) for _ in range(chance.randrange(3))]
        if lines:
            message.lines.extend(lines)
            expected["lines"] = lines
        if chance.random() < 0.5:
            message.rating.value = expected["rating"] = chance.choice([0, 2**60])
            message.rating.SetInParent()
        tell(to_orders(message, context("protobuf")), expected)
    to_riders = ProtobufSerializer(riders, registry)
    to_shifts = ProtobufSerializer(shifts, registry)
    for number in range(ROUNDS // 2):
        tell(to_riders(riders(rider_id=f"r{number}"), context("riders")), {"rider_id": f"r{number}"})
        tell(to_shifts(shifts(hours=number), context("shifts")), {"hours": number})


avro()
protobuf()
