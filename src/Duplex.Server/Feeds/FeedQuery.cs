using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using Duplex.Sdk;
using Duplex.Server.Problems;

namespace Duplex.Server.Feeds;

/// <summary>A request for records of a feed.</summary>
/// <param name="Offset">The offset to read after; null to resume, or to begin with the first record.</param>
/// <param name="Limit">The most records of a page.</param>
/// <param name="Table">The only table to read; null for all.</param>
/// <param name="Wait">How long to wait for a record where there is none.</param>
/// <param name="Consumer">Whose stored position is meant; null for none.</param>
/// <param name="Acknowledge">Whether what is sent counts as dealt with.</param>
internal sealed record FeedQuery(
    long? Offset, int Limit, string? Table, TimeSpan Wait, string? Consumer, bool Acknowledge)
{
    public const int LimitMax = 1_000;
    private const int LimitDefault = 50;
    private const int NameLengthMax = 200;
    private static readonly TimeSpan WaitMax = TimeSpan.FromSeconds(30);

    public static bool TryRead(
        FeedParameters given, IHeaderDictionary headers, [NotNullWhen(true)] out FeedQuery? query,
        [NotNullWhen(false)] out Refusal? refusal)
    {
        query = null;
        refusal = null;
        long? offset = null;
        // A browser's event source repeats the address that it was given, and tells by this header how far it got.
        var (text, name) = headers["Last-Event-ID"].ToString() is { Length: > 0 } last
            ? (last, "Last-Event-ID")
            : (given.Offset, "offset");
        if (text is not null && !TryNumber(text, 0, long.MaxValue - 1, out offset))
        {
            refusal = Bad(name, text, "Give the whole number of the last record that you have; 0 for none.");
        }

        long? limit = LimitDefault;
        if (given.Limit is not null && !TryNumber(given.Limit, 1, LimitMax, out limit))
        {
            refusal ??= Bad("limit", given.Limit, $"Give a whole number from 1 to {LimitMax}.");
        }

        if (given.Table is { Length: 0 or > NameLengthMax })
        {
            refusal ??= Bad("table", given.Table, "Give the name of a table, or leave it out for all.");
        }

        if (!TryWait(given.Wait, out var wait))
        {
            refusal ??= Bad("wait", given.Wait!, "Give seconds or a duration up to 30s, such as wait=20s.");
        }

        if (given.Consumer is not null && !IsConsumer(given.Consumer))
        {
            refusal ??= BadConsumer(given.Consumer);
        }

        var acknowledge = given.Ack == "true";
        if (given.Ack is not (null or "true" or "false"))
        {
            refusal ??= Bad("ack", given.Ack, "Give true or false.");
        }
        else if (acknowledge && given.Consumer is null)
        {
            refusal ??= Refusal.BadRequest("request.bad_value", "ack", "ack=true says nothing without a consumer.",
                "Add consumer=<name>: whose position is stored.");
        }

        if (refusal is not null)
        {
            return false;
        }

        query = new FeedQuery(offset, (int)limit!.Value, given.Table, wait, given.Consumer, acknowledge);
        return true;
    }

    /// <summary>Whether a consumer may have this name.</summary>
    public static bool IsConsumer(string name) => name.Length is > 0 and <= NameLengthMax
        && name.All(static c => char.IsAsciiLetterOrDigit(c) || c is '.' or '_' or '-');

    public static Refusal BadConsumer(string name) => Bad("consumer", name,
        "Name consumers with letters, digits, dots, dashes and underscores.");

    private static Refusal Bad(string name, string value, string fix) =>
        Refusal.BadRequest("request.bad_value", name, $"{name} is {Shown(value)}.", fix);

    private static string Shown(string value) =>
        value.Length == 0 ? "empty" : value.Length <= 50 ? value : $"{value.AsSpan(0, 50)}…";

    private static bool TryNumber(string text, long least, long most, out long? number)
    {
        number = long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var read)
            && read >= least && read <= most ? read : null;
        return number is not null;
    }

    private static bool TryWait(string? text, out TimeSpan wait)
    {
        wait = TimeSpan.Zero;
        if (text is null)
        {
            return true;
        }

        if (TryNumber(text, 0, (long)WaitMax.TotalSeconds, out var seconds))
        {
            wait = TimeSpan.FromSeconds(seconds!.Value);
            return true;
        }

        return Durations.TryParse(text, out wait) && wait <= WaitMax;
    }
}
