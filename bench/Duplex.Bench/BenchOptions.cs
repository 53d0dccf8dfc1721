using System.Globalization;

namespace Duplex.Bench;

/// <summary>What the command line asks for.</summary>
internal sealed record BenchOptions
{
    public const string Usage = """
        bench [capture] [latency] [delivery] [log] [feed] [map] [schemas] [ingest]
              [--rows N] [--rounds N] [--seconds N] [--rate N] [--json FILE] [--data DIR]

          capture    PostgreSQL's log into the change log, beside pg_recvlogical into a file
          latency    commit in PostgreSQL until the request is at the sink, at a steady rate
          delivery   a backlog of creates into the unlimited simulator, beside a bare HttpClient loop; resident memory
          log        the change log on Kafka, beside the embedded one: batches, single changes, reading
          feed       a log full of changes into a customer's feed, beside an append of the same bytes
          map        a change's row into a customer's checked record, beside reading and writing it
          schemas    a record of ten fields through its schema, beside looking at each field
          ingest     one posted event a request, beside bare Kestrel and SQLite
        Without a name all of them run. Figures go to standard output, and as JSON to FILE.
        """;

    public IReadOnlyList<string> Names { get; init; } = ["capture", "latency", "delivery", "log", "feed", "map", "schemas", "ingest"];

    /// <summary>Rows per round of <c>capture</c>; records of <c>delivery</c> are a tenth of it.</summary>
    public int Rows { get; init; } = 500_000;

    public int Rounds { get; init; } = 3;

    /// <summary>How long <c>latency</c> lasts.</summary>
    public int Seconds { get; init; } = 20;

    /// <summary>Commits per second of <c>latency</c>.</summary>
    public int Rate { get; init; } = 1000;

    public string? JsonFile { get; init; }

    /// <summary>Where servers and stores put their files. A disk, not memory, or the figures say nothing.</summary>
    public string DataDirectory { get; init; } = Path.GetTempPath();

    /// <summary>Reads the command line; null when it makes no sense.</summary>
    public static BenchOptions? Parse(string[] arguments)
    {
        var options = new BenchOptions();
        List<string> names = [];
        for (int i = 0; i < arguments.Length; i++)
        {
            if (!arguments[i].StartsWith("--", StringComparison.Ordinal))
            {
                if (!options.Names.Contains(arguments[i]))
                    return null;
                names.Add(arguments[i]);
                continue;
            }

            string? value = i + 1 < arguments.Length ? arguments[++i] : null;
            if (value is null || options.With(arguments[i - 1], value) is not { } next)
                return null;
            options = next;
        }

        return names.Count == 0 ? options : options with { Names = names };
    }

    private BenchOptions? With(string name, string value)
    {
        bool isNumber = int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out int number)
            && number > 0;
        return name switch
        {
            "--rows" when isNumber => this with { Rows = number },
            "--rounds" when isNumber => this with { Rounds = number },
            "--seconds" when isNumber => this with { Seconds = number },
            "--rate" when isNumber => this with { Rate = number },
            "--json" => this with { JsonFile = Path.GetFullPath(value) },
            "--data" => this with { DataDirectory = Path.GetFullPath(value) },
            _ => null,
        };
    }
}
