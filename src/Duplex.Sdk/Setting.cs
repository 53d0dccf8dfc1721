using System.Globalization;

namespace Duplex.Sdk;

/// <summary>
/// One setting of a connection: its name, what it may hold and what it means. Connectors declare them as static fields
/// and read them by <see cref="ConnectionSettings.Get{T}"/>, so that a name is written once.
/// </summary>
public abstract record Setting(string Name, string Doc)
{
    /// <summary>Must be given.</summary>
    public bool Required { get; init; }

    /// <summary>Never shown, never logged, write-only through the API.</summary>
    public bool Secret { get; init; }

    /// <summary>An example for the reference page and for error messages.</summary>
    public string? Example { get; init; }

    /// <summary>The type as people read it: <c>text</c>, <c>integer</c>, <c>boolean</c>, <c>duration</c>, <c>list</c>,
    /// <c>map</c> or the choices.</summary>
    public abstract string TypeName { get; }

    /// <summary>The default as text, or null when there is none.</summary>
    public abstract string? DefaultText { get; }

    /// <summary>Reads a configured value: a string, a list of strings or a string-to-string map.</summary>
    /// <returns>The typed value, or null with the reason why it is refused.</returns>
    public abstract object? Read(object raw, out string? problem);

    /// <summary>Text.</summary>
    public static Setting<string> Text(string name, string doc, string? fallback = null) =>
        new(name, doc, "text", fallback, static raw => (raw as string, raw is string ? null : "must be text"));

    /// <summary>A whole number within bounds, both included.</summary>
    public static Setting<int> Integer(string name, string doc, int fallback, int min, int max) =>
        new(name, doc, "integer", fallback, raw =>
            int.TryParse(raw as string, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var n)
            && n >= min && n <= max
                ? (n, null)
                : (0, $"must be a whole number from {min} to {max}"));

    /// <summary>True or false.</summary>
    public static Setting<bool> Boolean(string name, string doc, bool fallback) =>
        new(name, doc, "boolean", fallback, static raw =>
            bool.TryParse(raw as string, out var b) ? (b, null) : (false, "must be true or false"));

    /// <summary>A length of time: <c>500ms</c>, <c>10s</c>, <c>5m</c>, <c>2h</c>, <c>7d</c>.</summary>
    public static Setting<TimeSpan> Duration(string name, string doc, TimeSpan fallback) =>
        new(name, doc, "duration", fallback, static raw =>
            Durations.TryParse(raw as string, out var d)
                ? (d, null) : (default, "must be a duration such as 500ms, 10s, 5m, 2h or 7d"));

    /// <summary>One of a few words.</summary>
    public static Setting<string> Choice(string name, string doc, string fallback, params string[] choices) =>
        new(name, doc, string.Join(" | ", choices), fallback, raw =>
            choices.Contains(raw as string)
                ? ((string)raw, null) : (null, $"must be one of {string.Join(", ", choices)}"));

    /// <summary>A list of texts.</summary>
    public static Setting<IReadOnlyList<string>> List(string name, string doc) =>
        new(name, doc, "list", [], static raw => raw switch
        {
            IReadOnlyList<string> list => (list, null),
            string one => ([one], null),
            _ => (null, "must be a list of texts"),
        });

    /// <summary>A map from text to text.</summary>
    public static Setting<IReadOnlyDictionary<string, string>> Map(string name, string doc) =>
        new(name, doc, "map", new Dictionary<string, string>(), static raw => raw switch
        {
            IReadOnlyDictionary<string, string> map => (map, null),
            _ => (null, "must be a map"),
        });
}

/// <summary>A setting that reads as a <typeparamref name="T"/>.</summary>
public sealed record Setting<T>(
    string Name,
    string Doc,
    string Type,
    T? Fallback,
    Func<object, (T? Value, string? Problem)> Reader) : Setting(Name, Doc)
{
    /// <inheritdoc/>
    public override string TypeName => Type;

    /// <inheritdoc/>
    public override string? DefaultText => Fallback switch
    {
        null => null,
        TimeSpan span => Durations.Format(span),
        bool flag => flag ? "true" : "false",
        IEnumerable<string> or IEnumerable<KeyValuePair<string, string>> => null,
        IFormattable number => number.ToString(null, CultureInfo.InvariantCulture),
        _ => Fallback.ToString(),
    };

    /// <inheritdoc/>
    public override object? Read(object raw, out string? problem)
    {
        var (value, why) = Reader(raw);
        problem = why;
        return why is null ? value : null;
    }
}
