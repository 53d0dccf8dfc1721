namespace Duplex.Engine.Config;

/// <summary>Reads <c>start: { offsets: [ { table: users, partition: 0, offset: 17 } ] }</c>.</summary>
internal sealed class StartOffsets(ConfigReport report, References references)
{
    private const int PartitionMax = 4095;

    public FeedStart Read(MapNode map)
    {
        var section = new Section(map, "start", report, references);
        var offsets = new Dictionary<(string, int), long>();
        foreach (var item in section.List("offsets", "Write start: { offsets: [ { table: users, partition: 0, offset: 17 } ] }.")
            ?.Items ?? [])
        {
            if (section.Expect<MapNode>(item, "An offset", "a map") is { } entry)
            {
                var one = new Section(entry, "An offset", report, references);
                var table = one.Text("table", "Name the table.");
                var partition = (int)one.Whole("partition", 0, 0, PartitionMax);
                var offset = one.Whole("offset", -1, 0, long.MaxValue);
                one.Close();
                if (offset < 0 && entry.Find("offset") is null)
                {
                    report.Error("config.missing", entry, "An offset has no offset.", "Add offset: with the place to begin at.");
                }

                if (table is not null && !offsets.TryAdd((table, partition), offset))
                {
                    report.Error("config.bad_value", entry, $"Partition {partition} of {table} is given twice.", "Remove one.");
                }
            }
        }

        section.Close();
        return new FeedStart(FeedStartKind.Offsets) { Offsets = offsets };
    }
}
