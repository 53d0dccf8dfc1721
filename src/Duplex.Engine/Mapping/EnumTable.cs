using System.Text.Json;
using Duplex.Engine.Config;
using Duplex.Engine.Mapping.Lenses;
using Duplex.Sdk;

namespace Duplex.Engine.Mapping;

/// <summary>Reads the argument of the <c>enum</c> lens.</summary>
internal static class EnumTable
{
    private const int EntriesMax = 2000;

    public static Lens? Make(LensRequest request)
    {
        const string example = "For example enum: { free: F, pro: P }";
        if (request.Argument.ValueKind != JsonValueKind.Object)
        {
            return request.Fail("enum needs a table from A's values to B's.", example);
        }

        var right = request.B.Paths.Count == 1 ? request.B.Kind : FieldKind.Any;
        var pairs = new List<(JsonElement A, JsonElement B)>();
        var otherwise = default(JsonElement?);
        var pass = false;
        foreach (var member in request.Argument.EnumerateObject())
        {
            if (member.Value.ValueKind is JsonValueKind.Object or JsonValueKind.Array or JsonValueKind.Null)
            {
                return request.Fail($"The entry {Section.Shown(member.Name)} of the table is not a single value.",
                    example);
            }

            if (member.Name != "*")
            {
                pairs.Add((LensCatalog.Fit(JsonText.String(member.Name), request.Left),
                    LensCatalog.Fit(member.Value, right)));
            }
            else if (member.Value.ValueKind == JsonValueKind.String && member.Value.ValueEquals("*"u8))
            {
                pass = true;
            }
            else
            {
                otherwise = LensCatalog.Fit(member.Value, right);
            }
        }

        if (pairs.Count is 0 or > EntriesMax)
        {
            return request.Fail($"The table must have from 1 to {EntriesMax} entries.", example);
        }

        var kind = right != FieldKind.Any ? right
            : pairs.TrueForAll(static p => p.B.ValueKind == JsonValueKind.String) ? FieldKind.Text : FieldKind.Any;
        return new EnumLens([.. pairs], otherwise, pass, request.Left, kind);
    }
}
