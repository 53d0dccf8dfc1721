using Duplex.Conformance;
using Xunit;

namespace Duplex.Kafka.Tests;

[Collection(KafkaCollection.Name)]
public sealed class KafkaChangeLogConformance(KafkaBroker broker) : ChangeLogConformance(new KafkaLogBed(broker));

[Collection(KafkaCollection.Name)]
public sealed class KafkaLogRetentionConformance(KafkaBroker broker)
    : LogRetentionConformance(new KafkaLogBed(broker));

[Collection(KafkaCollection.Name)]
public sealed class KafkaLogShareConformance(KafkaBroker broker) : LogShareConformance(new KafkaLogBed(broker));
