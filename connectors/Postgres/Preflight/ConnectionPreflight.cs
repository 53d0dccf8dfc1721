using Duplex.Connectors.Postgres.Capture;
using Duplex.Connectors.Postgres.Catalog;
using Duplex.Connectors.Postgres.Outbox;
using Duplex.Connectors.Postgres.Sink;
using Duplex.Sdk;
using Npgsql;

namespace Duplex.Connectors.Postgres.Preflight;

/// <summary>Checks one connection for all that its syncs want of it.</summary>
internal static class ConnectionPreflight
{
    /// <summary>Connects and collects the findings; that nobody answers is a finding too.</summary>
    public static async Task<IReadOnlyList<Finding>> CheckAsync(
        ConnectorContext context, IReadOnlyList<StreamUse> uses, CancellationToken cancellationToken)
    {
        var options = CaptureOptions.From(context);
        var findings = new List<Finding>();
        try
        {
            await using var connection = await options.Sql.OpenConnectionAsync(cancellationToken);
            var read = uses.Where(static u => u.Reads).Select(static u => u.Stream).Distinct().ToArray();
            if (read.Length > 0 && context.Settings.Get(PostgresSettings.Capture) == PostgresSettings.CaptureWal)
            {
                findings.AddRange(await CapturePreflight.CheckAsync(connection, options, read, cancellationToken));
            }
            else if (read.Length > 0)
            {
                var found = new FindingList(context.Connection);
                await OutboxPreflight.CheckAsync(connection, found, read, cancellationToken);
                findings.AddRange(found.Findings);
            }

            findings.AddRange(await CheckWritesAsync(connection, options, uses, cancellationToken));
        }
        catch (Exception e) when (e is NpgsqlException or TimeoutException or IOException)
        {
            var error = SourceFailures.Translate(e, context.Connection).Error;
            findings.Add(
                new Finding(FindingSeverity.Error, ErrorCodes.Dotted(error.Code), $"/connections/{context.Connection}",
                $"{error.Message} {error.Detail}", error.Suggestion));
        }

        return findings;
    }

    private static async Task<IReadOnlyList<Finding>> CheckWritesAsync(
        NpgsqlConnection connection, CaptureOptions options, IReadOnlyList<StreamUse> uses,
            CancellationToken cancellationToken)
    {
        var found = new FindingList(options.Connection);
        var server = await ServerFacts.ReadAsync(connection, cancellationToken);
        if (uses.Any(static u => u.Writes) && server.IsStandby)
        {
            found.Error("read_only", "The server is a standby and takes no writes.", "Set host to the primary.");
        }

        foreach (var use in uses.Where(static u => u.Writes))
        {
            var name = TableName.Parse(use.Stream);
            var table = await TableFacts.ReadAsync(connection, name, cancellationToken);
            if (table is null)
            {
                found.Error("no_table", $"There is no table {use.Stream} in database {server.Database}.",
                    "Check the spelling: names are case-sensitive, and a name without a schema is in public.");
                continue;
            }

            CheckWrites(found, use, name, table, server);
        }

        await SinkPreflight.CheckAsync(
            connection, found, [.. uses.Where(static u => u.Writes).Select(static u => u.Stream).Distinct()],
                cancellationToken);
        return found.Findings;
    }

    private static void CheckWrites(FindingList found, StreamUse use, TableName name, TableFacts table,
        ServerFacts server)
    {
        if (table.Kind is not ("r" or "p") || name.IsSystem)
        {
            found.Error("not_a_table", $"{use.Stream} is not a table that rows can be written to by key.",
                "Name a table.");
            return;
        }

        if (table.PrimaryKey.Count == 0 && table.IdentityIndex.Count == 0)
        {
            found.Error("no_key", $"{use.Stream} has no primary key, so its rows cannot be told apart.",
                $"ALTER TABLE {name.Sql} ADD PRIMARY KEY (…);");
        }

        (string Word, bool Has)[] privileges =
        [
            ("SELECT", table.MaySelect), ("INSERT", table.MayInsert), ("UPDATE", table.MayUpdate),
            ("DELETE", table.MayDelete || !use.Deletes),
        ];
        var missing = privileges.Where(static p => !p.Has).Select(static p => p.Word).ToArray();
        if (missing.Length > 0)
        {
            found.Error("write_privilege", $"Role {server.Role} lacks {string.Join(", ", missing)} on {use.Stream}.",
                $"GRANT {string.Join(", ", missing)} ON {name.Sql} TO {TableName.Quote(server.Role)};");
        }
    }
}
