"""kafka-python, which has no C in it, as producers and readers use it: `write ...` writes the events of a file, `read ...` tells what a topic has."""

import base64
import json
import sys

from kafka import KafkaConsumer, KafkaProducer


def write(brokers, topic, events):
    producer = KafkaProducer(bootstrap_servers=brokers, acks="all")
    sent = []
    for line in open(events):
        sent.append(producer.send(topic, key=json.loads(line)["store_id"].encode(), value=line.strip().encode()))
    producer.flush(30)
    for one in sent:
        one.get(0)
    producer.close()


def read(brokers, topic, count):
    consumer = KafkaConsumer(
        topic,
        bootstrap_servers=brokers,
        auto_offset_reset="earliest",
        isolation_level="read_committed",
        consumer_timeout_ms=30_000,
    )
    left = int(count)
    for message in consumer:
        headers = {name: value.decode() for name, value in message.headers}
        value = base64.b64encode(message.value or b"").decode()
        print(json.dumps({"key": (message.key or b"").decode(), "value": value, "headers": headers}))
        left -= 1
        if left == 0:
            break
    consumer.close()


{"write": write, "read": read}[sys.argv[1]](*sys.argv[2:])
