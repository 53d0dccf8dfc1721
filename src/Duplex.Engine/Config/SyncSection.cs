using Duplex.Engine.Mapping;
using Duplex.Engine.State;
using Duplex.Sdk;

namespace Duplex.Engine.Config;

/// <summary>Reads <c>syncs:</c>.</summary>
internal static class SyncSection
{
    private const int BrakeDefault = 100;

    public static IReadOnlyDictionary<string, SyncModel> ReadAll(
        Section root, ConnectionSection connections, ConfigReport report, References references)
    {
        var models = new Dictionary<string, SyncModel>(StringComparer.Ordinal);
        var map = root.Map("syncs",
            IngestSection.IsIn(root.Node) ? null : "Add syncs: with at least one sync.");
        foreach (var (name, value) in map?.Members ?? [])
        {
            if (!ConfigNames.Check(name, "A sync", report)
                || root.Expect<MapNode>(value, name.Text, "a map") is not { } sync)
            {
                continue;
            }

            if (ReadOne(name, sync, connections, report, references) is { } model)
            {
                CheckAgainstOthers(model, models.Values, sync, report);
                models.Add(model.FullName, model);
            }
        }

        return models;
    }

    private static SyncModel? ReadOne(
        ScalarNode name, MapNode map, ConnectionSection connections, ConfigReport report, References references)
    {
        var section = new Section(map, $"The sync {name.Text}", report, references);
        var direction = section.Choice("direction", SyncDirection.TwoWay,
            ("two_way", SyncDirection.TwoWay), ("a_to_b", SyncDirection.AToB), ("b_to_a", SyncDirection.BToA));
        var (onDeleteA, onDeleteB, brake) = Deletes(section, report, references);
        var when = When(section, report, references);
        var a = ReadSide(section, Side.A, connections, report, references);
        var b = ReadSide(section, Side.B, connections, report, references);
        var conflict = ConflictSection.Read(section, report, references);
        var mapping = MappingSection.Rules(section, report);
        var match = MappingSection.Match(section, report);
        section.Close();
        if (a is null || b is null || !CheckSides(a.Value, b.Value, map, report))
        {
            return null;
        }

        var model = new SyncModel
        {
            Name = name.Text,
            Tenant = a.Value.Connection.Tenant,
            A = new SyncSideModel(a.Value.Connection, a.Value.Stream, onDeleteA, when.A),
            B = new SyncSideModel(b.Value.Connection, b.Value.Stream, onDeleteB, when.B),
            Direction = direction,
            Mapping = mapping,
            Match = match,
            Conflict = conflict.Default,
            ConflictByField = conflict.ByField,
            ConflictSkew = conflict.Skew,
            DeleteBrake = brake,
            Path = map.Pointer,
        };
        CheckMapping(model, report);
        if (direction == SyncDirection.TwoWay && match.Count == 0)
        {
            report.Add(FindingSeverity.Warning, "config.no_match", map,
                $"The sync {model.Name} has no match: records that exist on both sides are not paired, and each is made anew on the other.",
                "Add match: [ { a: email, b: email } ] with fields that identify a record, unless one side is empty.");
        }

        return model;
    }

    private static (ConnectionModel Connection, string Stream)? ReadSide(
        Section sync, Side side, ConnectionSection connections, ConfigReport report, References references)
    {
        var letter = side.Letter();
        if (sync.Map(letter, $"Add {letter}: {{ connection: …, stream: … }}") is not { } map)
        {
            return null;
        }

        var section = new Section(map, $"Side {letter}", report, references);
        var name = section.Text("connection", $"Add connection: with one of {string.Join(", ", connections.Names)}.");
        var stream = section.Text("stream", "Add stream: with the table or object type.");
        section.Close();
        if (name is null || stream is null)
        {
            return null;
        }

        if (!connections.Models.TryGetValue(name, out var connection))
        {
            if (!connections.Names.Contains(name))
            {
                report.Error("config.unknown_connection", map.Find("connection")!,
                    $"There is no connection {Section.Shown(name)}.", connections.Names.Count == 0
                        ? "Add it under connections:." : Spelling.Offer(name, connections.Names));
            }

            return null;
        }

        var streams = connection.Connector.Spec.Streams;
        if (streams.Count > 0 && !streams.Contains(stream))
        {
            report.Error("config.unknown_stream", map.Find("stream")!,
                $"The {connection.Connector.Spec.Name} connector has no stream {Section.Shown(stream)}.",
                Spelling.Offer(stream, streams));
            return null;
        }

        return (connection, stream);
    }

    private static bool CheckSides(
        (ConnectionModel Connection, string Stream) a, (ConnectionModel Connection, string Stream) b, MapNode map,
            ConfigReport report)
    {
        if (a.Connection.Tenant != b.Connection.Tenant)
        {
            report.Error("config.tenants", map,
                $"Connection {a.Connection.Name} belongs to tenant {a.Connection.Tenant} and {b.Connection.Name} to {b.Connection.Tenant}.",
                "A sync stays within one tenant: give both connections the same tenant.");
            return false;
        }

        if (a.Connection.Name == b.Connection.Name && a.Stream == b.Stream)
        {
            report.Error("config.same_stream", map, "Both sides are the same stream.",
                "Give b another connection or stream.");
            return false;
        }

        return true;
    }

    private static (DeletePolicy A, DeletePolicy B, int Brake) Deletes(Section sync, ConfigReport report,
        References references)
    {
        if (sync.Map("deletes") is not { } map)
        {
            return (DeletePolicy.Propagate, DeletePolicy.Propagate, BrakeDefault);
        }

        var section = new Section(map, "deletes", report, references);
        var result =
            (Policy(section, "a"), Policy(section, "b"), (int)section.Whole("brake", BrakeDefault, 0, 1_000_000));
        section.Close();
        return result;
    }

    private static DeletePolicy Policy(Section section, string name) => section.Choice(name, DeletePolicy.Propagate,
        ("propagate", DeletePolicy.Propagate), ("restore", DeletePolicy.Restore),
        ("unlink", DeletePolicy.Unlink), ("manual", DeletePolicy.Manual));

    private static (Predicate? A, Predicate? B) When(Section sync, ConfigReport report, References references)
    {
        if (sync.Map("when") is not { } map)
        {
            return (null, null);
        }

        var section = new Section(map, "when", report, references);
        var result = (ConditionSection.Read(section, "a", report), ConditionSection.Read(section, "b", report));
        section.Close();
        return result;
    }

    private static void CheckMapping(SyncModel model, ConfigReport report)
    {
        foreach (var finding in MappingCompiler.Check(model).Where(static f => f.Severity == FindingSeverity.Error))
        {
            report.Add(finding);
        }
    }

    private static void CheckAgainstOthers(SyncModel model, IEnumerable<SyncModel> others, MapNode map,
        ConfigReport report)
    {
        var twin = others.FirstOrDefault(o => (Key(o.A) == Key(model.A) && Key(o.B) == Key(model.B))
            || (Key(o.A) == Key(model.B) && Key(o.B) == Key(model.A)));
        if (twin is not null)
        {
            report.Error("config.duplicate_sync", map, $"The sync {twin.Name} pairs the same two streams.",
                "Put all rules into one sync.");
        }

        static (string, string) Key(SyncSideModel side) => (side.Connection.Name, side.Stream);
    }
}
