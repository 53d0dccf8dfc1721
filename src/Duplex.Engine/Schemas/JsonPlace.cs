using System.Globalization;
using System.Text.Json;
using Duplex.Engine.Schemas.Values;

namespace Duplex.Engine.Schemas;

/// <summary>Where in a document a text that ends early leads.</summary>
internal static class JsonPlace
{
    private const int DepthMax = 10_000;
    private const int CharactersMax = 300;

    /// <summary>JSON pointer of the value that comes next after the text; as far as the text can be read.</summary>
    public static string At(ReadOnlySpan<byte> before)
    {
        var steps = Steps(before, out var isValueNext);
        return Join(steps, steps.Count - (isValueNext ? 0 : 1));
    }

    /// <summary>JSON pointer of a member of the object in which the text ends.</summary>
    public static string Member(ReadOnlySpan<byte> before, string name)
    {
        var steps = Steps(before, out _);
        if (steps.Count > 0)
            steps[^1] = name;
        return Join(steps, steps.Count);
    }

    private static List<string> Steps(ReadOnlySpan<byte> before, out bool isValueNext)
    {
        var reader = new Utf8JsonReader(before, isFinalBlock: false,
            new JsonReaderState(new JsonReaderOptions { MaxDepth = DepthMax }));
        List<string?> names = [];
        List<int> counts = [];
        isValueNext = true;
        try
        {
            while (reader.Read())
            {
                isValueNext = false;
                switch (reader.TokenType)
                {
                    case JsonTokenType.PropertyName:
                        names[^1] = StringText.Unescape(reader.ValueSpan);
                        isValueNext = true;
                        continue;
                    case JsonTokenType.StartObject or JsonTokenType.StartArray:
                        names.Add(reader.TokenType == JsonTokenType.StartObject ? "" : null);
                        counts.Add(0);
                        break;
                    case JsonTokenType.EndObject or JsonTokenType.EndArray:
                        names.RemoveAt(names.Count - 1);
                        counts.RemoveAt(counts.Count - 1);
                        Count(counts);
                        break;
                    default:
                        Count(counts);
                        break;
                }

                isValueNext = names.Count == 0 || names[^1] is null;
            }
        }
        catch (JsonException)
        {
            // What was read so far is the place.
        }

        List<string> steps = [];
        for (var i = 0; i < names.Count; i++)
            steps.Add(names[i] ?? counts[i].ToString(CultureInfo.InvariantCulture));
        return steps;
    }

    private static void Count(List<int> counts)
    {
        if (counts.Count > 0)
            counts[^1]++;
    }

    private static string Join(List<string> steps, int count)
    {
        var pointer = string.Concat(steps.Take(Math.Max(0, count)).Select(static s => "/" + JsonPointer.Escape(s)));
        return pointer.Length <= CharactersMax ? pointer : pointer[..CharactersMax] + "…";
    }
}
