using System.Globalization;
using System.Text.Json;

namespace Duplex.EndToEnd.Tests;

/// <summary>Compares every mapped field of every record of both sides.</summary>
internal static class Sides
{
    /// <summary>Waits until both sides are equal, one to one, and then that nothing moves any more.</summary>
    public static async Task ConvergeAsync(this Bed bed, int seconds = 180)
    {
        List<string> differences = [];
        try
        {
            await bed.UntilAsync(async () => (differences = await DifferencesAsync(bed)).Count == 0, "both sides are equal", seconds);
        }
        catch (TimeoutException e)
        {
            throw new TimeoutException(string.Join('\n', differences), e);
        }

        await bed.QuietAsync(seconds);
        (await DifferencesAsync(bed)).ShouldBeEmpty();
    }

    /// <summary>Rows without an equal customer and customers without an equal row.</summary>
    public static async Task<List<string>> DifferencesAsync(Bed bed)
    {
        var counts = new Dictionary<string, int>();
        var rows = await bed.QueryAsync("""
            select concat_ws('|', lower(email), coalesce(name, ''), coalesce(phone, ''), coalesce(plan, ''),
                (coalesce(balance_eur, 0) * 100)::bigint) from customers
            """);
        rows.ForEach(x => counts[x] = counts.GetValueOrDefault(x) + 1);
        bed.StripeCustomers().Select(Line).ToList().ForEach(x => counts[x] = counts.GetValueOrDefault(x) - 1);
        return [.. counts.Where(static p => p.Value != 0)
            .Select(static p => $"{(p.Value > 0 ? "PostgreSQL" : "Stripe")} {p.Key}").Order().Take(20)];
    }

    private static string Line(JsonElement c) => string.Join('|',
        Text(c, "email"), Text(c, "name"), Text(c, "phone"),
        c.GetProperty("metadata").TryGetProperty("plan", out var plan) ? plan.GetString() == "P" ? "pro" : "free" : "",
        c.GetProperty("balance").GetInt64().ToString(CultureInfo.InvariantCulture));

    /// <summary>A text member; empty when it is null or absent.</summary>
    public static string Text(JsonElement c, string name) =>
        c.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString()! : "";
}
