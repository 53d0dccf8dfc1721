using Confluent.Kafka;
using Duplex.Sdk;
using ErrorCode = Duplex.Sdk.ErrorCode;
using KafkaCode = Confluent.Kafka.ErrorCode;

namespace Duplex.Kafka.Clients;

/// <summary>Kafka's failures in Duplex's words.</summary>
internal static class Faults
{
    /// <summary>The brokers do not answer, or not as they should: it is tried again by itself.</summary>
    public static SyncError Unavailable(string what, Error cause) => new(ErrorCode.StorageUnavailable,
        $"{what}: Kafka answers {cause.Reason} ({cause.Code}).",
        Suggestion: Suggestion(cause.Code));

    /// <summary>Another process took the log over.</summary>
    public static SyncError Fenced(string log) => new(ErrorCode.StorageFenced,
        $"Another process took over the change log {log}.",
        Suggestion: "Run one Duplex per log.kafka.prefix; stop this one or the other.");

    /// <summary>Whether the error says that a newer producer has the transactional id, or that its transaction was
    /// given up.</summary>
    public static bool MayBeFenced(Error error) => error.IsFatal
        || error.Code is KafkaCode.Local_Fenced or KafkaCode.InvalidProducerEpoch or KafkaCode.InvalidProducerIdMapping;

    /// <summary>Whether a read failed because the offset is no longer there.</summary>
    public static bool IsRemoved(Error error) =>
        error.Code is KafkaCode.OffsetOutOfRange or KafkaCode.Local_AutoOffsetReset;

    private static string Suggestion(KafkaCode code) => code switch
    {
        KafkaCode.SaslAuthenticationFailed or KafkaCode.Local_Authentication =>
            "Check log.kafka's user name and password.",
        KafkaCode.TopicAuthorizationFailed or KafkaCode.GroupAuthorizationFailed
            or KafkaCode.ClusterAuthorizationFailed or KafkaCode.TransactionalIdAuthorizationFailed =>
            "Grant the user the topics, groups and the transactional id that begin with log.kafka.prefix.",
        _ => "It goes on by itself once the brokers of log.kafka.bootstrap can be reached.",
    };
}
