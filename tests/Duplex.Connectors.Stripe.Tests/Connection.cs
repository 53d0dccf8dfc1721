using Microsoft.Extensions.Logging.Abstractions;

namespace Duplex.Connectors.Stripe.Tests;

/// <summary>Makes the context of a connection as the engine does: by way of the spec.</summary>
internal static class Connection
{
    public const string WebhookSecret = "whsec_c2VjcmV0";

    public static ConnectorContext To(
        Uri address, Dictionary<string, object>? settings = null, IRateBudget? budget = null, TimeProvider? clock =
            null)
    {
        var raw = new Dictionary<string, object>(StringComparer.Ordinal)
        {
            ["api_key"] = "sk_test_123",
            ["base_url"] = address.ToString(),
            ["webhook_secret"] = WebhookSecret,
            ["poll_interval"] = "50ms",
            ["requests_per_second"] = "0",
            ["requests_per_operation"] = "0",
        };
        foreach (var (name, value) in settings ?? [])
        {
            raw[name] = value;
        }

        var findings = new List<Finding>();
        var context = new ConnectorContext
        {
            Tenant = "acme",
            Connection = "billing",
            Installation = "aaaaaaaa",
            Settings = ConnectionSettings.Read(new StripeConnector().Spec, raw, "/connections/billing", findings),
            Budget = budget ?? new RecordedBudget(),
            Clock = clock ?? TimeProvider.System,
            Loggers = NullLoggerFactory.Instance,
        };
        if (findings.Count > 0)
        {
            throw new InvalidOperationException(string.Join(", ", findings));
        }

        return context;
    }

    /// <summary>The same connection, whose requests a script answers.</summary>
    public static ConnectorContext To(
        ScriptedStripe stripe, Dictionary<string, object>? settings = null, IRateBudget? budget =
            null, TimeProvider? clock = null) =>
        To(new Uri("http://127.0.0.1:9"), settings, budget, clock) with { HttpHandler = () => stripe };

    public static string NewKey() => OriginMarks.Make("aaaaaaaa", $"{Guid.NewGuid():N}");

    public static WriteRequest Create(string stream, string fields, string? key = null) => new()
    {
        Stream = stream,
        Operation = WriteOperation.Create,
        Fields = Record.FromJson(fields),
        IdempotencyKey = key ?? NewKey(),
    };

    public static WriteRequest Update(string stream, RecordKey id, string fields, string? key = null) => new()
    {
        Stream = stream,
        Operation = WriteOperation.Update,
        Key = id,
        Fields = Record.FromJson(fields),
        IdempotencyKey = key ?? NewKey(),
    };

    public static WriteRequest Delete(string stream, RecordKey id, string? key = null) => new()
    {
        Stream = stream,
        Operation = WriteOperation.Delete,
        Key = id,
        IdempotencyKey = key ?? NewKey(),
    };

    public static async Task<WriteOutcome> WriteAsync(this IRecordSink sink, WriteRequest request) =>
        (await sink.WriteAsync([request], CancellationToken.None)).ShouldHaveSingleItem();
}
