using System.Text.Json;
using Duplex.Sdk;

namespace Duplex.Engine.Ingest;

/// <summary>The spellings of operations: upper case as schemas name them, any case, and Debezium's letters.</summary>
internal static class Operations
{
    private static readonly (string Spelling, ChangeOperation Operation)[] Spellings =
    [
        ("INSERT", ChangeOperation.Create), ("UPDATE", ChangeOperation.Update), ("DELETE", ChangeOperation.Delete),
        ("CREATE", ChangeOperation.Create), ("READ", ChangeOperation.Read),
        ("C", ChangeOperation.Create), ("U", ChangeOperation.Update), ("D", ChangeOperation.Delete),
        ("R", ChangeOperation.Read),
    ];

    /// <summary>The operation that a posted text names, and whether it is spelled as schemas spell it; null if none is
    /// meant.</summary>
    public static ChangeOperation? Read(JsonElement posted, out bool isCanonical)
    {
        isCanonical = true;
        if (posted.ValueKind != JsonValueKind.String)
        {
            return null;
        }

        if (posted.ValueEquals("INSERT"u8))
        {
            return ChangeOperation.Create;
        }

        if (posted.ValueEquals("UPDATE"u8))
        {
            return ChangeOperation.Update;
        }

        if (posted.ValueEquals("DELETE"u8))
        {
            return ChangeOperation.Delete;
        }

        isCanonical = false;
        var text = posted.GetString()!;
        foreach (var (spelling, operation) in Spellings)
        {
            if (string.Equals(text, spelling, StringComparison.OrdinalIgnoreCase))
            {
                return operation;
            }
        }

        return null;
    }

    /// <summary>How schemas spell it. A record that was read is there, so it counts as inserted.</summary>
    public static ReadOnlySpan<byte> Canonical(ChangeOperation operation) => operation switch
    {
        ChangeOperation.Update => "UPDATE"u8,
        ChangeOperation.Delete => "DELETE"u8,
        _ => "INSERT"u8,
    };
}
