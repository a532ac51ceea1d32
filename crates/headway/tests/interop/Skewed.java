import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.Future;
import java.util.ArrayList;
import java.util.regex.Pattern;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.Partitioner;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.Cluster;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.utils.Utils;

/** A producer that puts every record one partition beside the one that everybody else would choose. */
public final class Skewed {
    private static final Pattern STORE = Pattern.compile("\"store_id\":\"([^\"]*)\"");

    public static final class Beside implements Partitioner {
        @Override
        public int partition(String topic, Object key, byte[] keyBytes, Object value, byte[] valueBytes, Cluster cluster) {
            return (Utils.toPositive(Utils.murmur2(keyBytes)) + 1) % cluster.partitionCountForTopic(topic);
        }

        @Override
        public void close() {}

        @Override
        public void configure(Map<String, ?> settings) {}
    }

    /** Brokers, a topic, and a file with an event on each line. */
    public static void main(String[] arguments) throws Exception {
        Map<String, Object> settings =
                Map.of("bootstrap.servers", arguments[0], "partitioner.class", Beside.class, "acks", "all", "linger.ms", 0);
        var sent = new ArrayList<Future<RecordMetadata>>();
        try (var producer = new KafkaProducer<>(settings, new ByteArraySerializer(), new ByteArraySerializer())) {
            for (String line : Files.readAllLines(Path.of(arguments[2]))) {
                var store = STORE.matcher(line);
                if (!store.find()) {
                    throw new IllegalArgumentException("an event without a store: " + line);
                }
                sent.add(producer.send(new ProducerRecord<>(arguments[1], store.group(1).getBytes(), line.getBytes())));
            }
        }
        for (Future<RecordMetadata> one : sent) {
            one.get();
        }
    }
}
