using Duplex.Sdk;

namespace Duplex.Engine.Config;

/// <summary>Feeds in DynamoDB instead of the data directory.</summary>
/// <param name="Region">The region; null for the machine's own.</param>
/// <param name="Endpoint">Another address than the region's.</param>
/// <param name="TablePrefix">What the names of the tables begin with.</param>
/// <param name="AccessKey">The access key; null for the machine's own credentials.</param>
/// <param name="SecretKey">The secret key that belongs to it.</param>
public sealed record DynamoDbFeedModel(
    string? Region, Uri? Endpoint, string TablePrefix, string? AccessKey, string? SecretKey)
{
    /// <summary>Without the keys, for logs.</summary>
    public override string ToString() => $"DynamoDB {Region} {Endpoint} {TablePrefix}";
}

/// <summary>Reads <c>feed:</c>.</summary>
internal static class FeedSection
{
    private const int PrefixLengthMax = 200;

    public static DynamoDbFeedModel? Read(Section root, ConfigReport report, References references)
    {
        if (root.Map("feed") is not { } map)
        {
            return null;
        }

        var feed = new Section(map, "feed", report, references);
        var dynamo = feed.Map("dynamodb", "Write feed: { dynamodb: { region: eu-central-1 } }, or leave feed out.");
        feed.Close();
        return dynamo is null ? null : Read(new Section(dynamo, "feed.dynamodb", report, references), report);
    }

    private static DynamoDbFeedModel Read(Section section, ConfigReport report)
    {
        var region = section.Text("region");
        var prefix = section.Text("table_prefix") ?? "duplex_";
        if (prefix.Length > PrefixLengthMax
            || !prefix.All(static c => char.IsAsciiLetterOrDigit(c) || c is '_' or '-' or '.'))
        {
            report.Error("config.bad_value", section.Any("table_prefix")!,
                $"table_prefix must be up to {PrefixLengthMax} letters, digits, dots, dashes and underscores.",
                "For example duplex_.");
        }

        Uri? endpoint = null;
        if (section.Text("endpoint") is { } text
            && !(Uri.TryCreate(text, UriKind.Absolute, out endpoint) && endpoint.Scheme is "http" or "https"))
        {
            report.Error("config.bad_value", section.Any("endpoint")!, "endpoint must be an http or https address.",
                "For example http://127.0.0.1:4567, or leave it out for the region's own.");
        }

        var access = section.Text("access_key");
        var secret = section.Text("secret_key");
        if (access is null != secret is null)
        {
            report.Error("config.missing", section.Node, "access_key and secret_key belong together.",
                "Give both, or none for the credentials that the machine has.");
        }

        section.Close();
        return new DynamoDbFeedModel(region, endpoint, prefix, access, secret);
    }
}
