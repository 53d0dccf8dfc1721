namespace Duplex.Engine.Config;

/// <summary>Reads <c>retention:</c>.</summary>
internal static class RetentionSection
{
    public static RetentionModel Read(Section root, ConfigReport report, References references)
    {
        var fallback = new RetentionModel();
        if (root.Map("retention") is not { } map)
        {
            return fallback;
        }

        var section = new Section(map, "retention", report, references);
        var model = new RetentionModel
        {
            LogAge = section.Duration("log_age", fallback.LogAge),
            LogBytes = section.Size("log_bytes", fallback.LogBytes, 1 << 20, 1L << 50),
            TimelineAge = section.Duration("timeline_age", fallback.TimelineAge),
            TimelineRows = section.Whole("timeline_rows", fallback.TimelineRows, 1, 1_000_000_000),
            TombstoneAge = section.Duration("tombstone_age", fallback.TombstoneAge),
        };
        section.Close();
        return model;
    }
}
