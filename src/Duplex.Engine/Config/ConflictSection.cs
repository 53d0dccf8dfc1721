namespace Duplex.Engine.Config;

/// <summary>Reads <c>conflict:</c>: one word, or a default with exceptions.</summary>
internal sealed record ConflictSection(
    ConflictPolicy Default, IReadOnlyDictionary<string, ConflictPolicy> ByField, TimeSpan Skew)
{
    private static readonly (string Word, ConflictPolicy Value)[] Words =
    [
        ("a", ConflictPolicy.A), ("b", ConflictPolicy.B), ("latest", ConflictPolicy.Latest),
            ("manual", ConflictPolicy.Manual),
    ];

    public static ConflictSection Read(Section sync, ConfigReport report, References references)
    {
        var byField = new Dictionary<string, ConflictPolicy>(StringComparer.Ordinal);
        if (sync.Any("conflict") is ScalarNode)
        {
            return new ConflictSection(sync.Choice("conflict", ConflictPolicy.Latest, Words), byField, TimeSpan.Zero);
        }

        if (sync.Map("conflict") is not { } map)
        {
            return new ConflictSection(ConflictPolicy.Latest, byField, TimeSpan.Zero);
        }

        var section = new Section(map, "conflict", report, references);
        var result = new ConflictSection(
            section.Choice("default", ConflictPolicy.Latest, Words), byField,
                section.Duration("skew", TimeSpan.Zero, zero: true));
        if (section.Map("fields") is { } fields)
        {
            var members = new Section(fields, "fields", report, references);
            foreach (var (name, _) in fields.Members)
            {
                byField[name.Text] = members.Choice(name.Text, ConflictPolicy.Latest, Words);
            }
        }

        section.Close();
        return result;
    }
}
