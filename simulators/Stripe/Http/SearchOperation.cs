using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Duplex.Simulators.Stripe.Schema;
using Duplex.Simulators.Stripe.Store;

namespace Duplex.Simulators.Stripe.Http;

/// <summary>
/// Search: clauses <c>field:'text'</c>, <c>field~'part'</c>, <c>created&gt;5</c>, <c>metadata['key']:'text'</c>,
/// negated by a minus, joined by <c>AND</c> or by <c>OR</c>. It sees what the index knows, which lags.
/// </summary>
internal static partial class SearchOperation
{
    private const int LimitDefault = 10;

    public static readonly ParamSet Params = new(
        new TextParam("query") { Required = true },
        new WholeParam("limit") { Least = 1, Most = 100 },
        Fields.Fixed("page"),
        Fields.Expand);

    public static ReadOnlyMemory<byte> Run(ObjectTable table, JsonObject given)
    {
        var accepts = Compile(Json.Text(given, "query")!);
        var limit = given["limit"] is null ? LimitDefault : (int)Json.Whole(given, "limit");
        var cursor = Json.Text(given, "page") is { } page ? Decode(table, page) : null;
        var found = new List<StoredObject>();
        foreach (var stored in table.Walk(cursor, newer: false, long.MaxValue))
        {
            if (stored.Indexed is not null && accepts(Json.Object(stored.Indexed)))
            {
                found.Add(stored);
                if (found.Count > limit)
                {
                    break;
                }
            }
        }

        var more = found.Count > limit;
        var data = string.Join(',', found.Take(limit).Select(static entry => Encoding.UTF8.GetString(entry.Indexed!)));
        var next = more ? $"\"{Convert.ToBase64String(Encoding.UTF8.GetBytes(found[limit - 1].Id))}\"" : "null";
        return Encoding.UTF8.GetBytes($$"""
            {"object":"search_result","data":[{{data}}],"has_more":{{(more ? "true" : "false")}},
            "next_page":{{next}},"url":"/v1/{{table.Resource.Path}}/search"}
            """);
    }

    private static StoredObject Decode(ObjectTable table, string page)
    {
        var bytes = new byte[page.Length];
        return Convert.TryFromBase64String(page, bytes, out var length)
            && table.Find(Encoding.UTF8.GetString(bytes, 0, length)) is { } stored
                ? stored
                : throw StripeException.Invalid(null, "Invalid page.", "page");
    }

    private static Func<JsonObject, bool> Compile(string query)
    {
        var clauses = new List<Func<JsonObject, bool>>();
        string? joint = null;
        for (var at = 0; at < query.Length;)
        {
            var match = Clause().Match(query, at);
            if (!match.Success || match.Index != at)
            {
                throw Malformed();
            }

            clauses.Add(ClauseOf(match));
            at += match.Length;
            if (at == query.Length)
            {
                break;
            }

            var word = Joint().Match(query, at);
            if (!word.Success || word.Index != at || (joint is not null && joint != word.Groups[1].Value))
            {
                throw Malformed();
            }

            joint = word.Groups[1].Value;
            at += word.Length;
        }

        return joint == "OR"
            ? value => clauses.Exists(clause => clause(value))
            : value => clauses.TrueForAll(clause => clause(value));
    }

    private static Func<JsonObject, bool> ClauseOf(Match match)
    {
        var field = match.Groups["field"].Value;
        var key = match.Groups["key"].Success ? Unquote(match.Groups["key"].Value) : null;
        var wanted = match.Groups["text"].Success ? Unquote(match.Groups["text"].Value) : match.Groups["number"].Value;
        var compare = match.Groups["compare"].Value;
        var negated = match.Groups["not"].Success;
        return value =>
        {
            var held = key is null ? value[field] : (value[field] as JsonObject)?[key];
            return Holds(Json.Leaf(held), compare, wanted) != negated;
        };
    }

    private static bool Holds(string? held, string compare, string wanted)
    {
        if (compare == ":" || compare == "~")
        {
            return wanted == "null" ? held is null
                : held is not null && (compare == ":"
                    ? held.Equals(wanted, StringComparison.OrdinalIgnoreCase)
                    : held.Contains(wanted, StringComparison.OrdinalIgnoreCase));
        }

        return decimal.TryParse(held, CultureInfo.InvariantCulture, out var left)
            && decimal.TryParse(wanted, CultureInfo.InvariantCulture, out var right)
            && compare switch
            {
                ">" => left > right,
                ">=" => left >= right,
                "<" => left < right,
                _ => left <= right,
            };
    }

    private static string Unquote(string text) => text.Replace("\\'", "'").Replace("\\\"", "\"");

    private static StripeException Malformed() => StripeException.Invalid(
        null, "We were unable to parse your search query. Try using the format `metadata[\"key\"]:\"value\"` to query "
        + "for metadata or key:\"value\" to query for other fields.", "query");

    [GeneratedRegex("""
        \s* (?<not>-)? (?<field>[a-z_]+)
        ( \[ (?: '(?<key>(?:\\.|[^'\\])*)' | "(?<key>(?:\\.|[^"\\])*)" ) \] )?
        (?<compare> >= | <= | [:~<>] )
        (?: '(?<text>(?:\\.|[^'\\])*)' | "(?<text>(?:\\.|[^"\\])*)" | (?<number>-?[0-9.]+|true|false|null) ) \s*
        """, RegexOptions.IgnorePatternWhitespace)]
    private static partial Regex Clause();

    [GeneratedRegex(@"\s*(AND|OR)\s+")]
    private static partial Regex Joint();
}
