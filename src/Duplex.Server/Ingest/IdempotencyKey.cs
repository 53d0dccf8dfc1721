using Duplex.Engine.Ingest;

namespace Duplex.Server.Ingest;

/// <summary>The header by which a poster names its request, so that a repeat is known.</summary>
internal static class IdempotencyKey
{
    public const string Name = "Idempotency-Key";
    private const int CharactersMax = 255;

    /// <summary>The key, null if there is none; or what is wrong with it.</summary>
    public static IngestRefusal? Read(HttpRequest request, out string? key)
    {
        key = null;
        if (!request.Headers.TryGetValue(Name, out var values) || values.Count == 0)
        {
            return null;
        }

        key = values.ToString().Trim();
        return key.Length is > 0 and <= CharactersMax
            ? null
            : new IngestRefusal(IngestVerdict.Invalid, "ingest.invalid",
                $"{Name} must have 1 to {CharactersMax} characters", Name);
    }
}
