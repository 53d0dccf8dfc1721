using Duplex.Connectors.Postgres.Catalog;
using Npgsql;

namespace Duplex.Connectors.Postgres.Preflight;

/// <summary>A publication as it stands.</summary>
/// <param name="Complete">Whether it publishes inserts, updates, deletes and truncates.</param>
/// <param name="ViaRoot">Whether changes of partitions come under their root's name.</param>
/// <param name="IsOwner">Whether the role may alter it.</param>
/// <param name="Tables">The tables that it holds.</param>
internal sealed record PublicationFacts(bool Complete, bool ViaRoot, bool IsOwner, IReadOnlySet<TableName> Tables)
{
    private const string Sql = """
        SELECT p.pubinsert AND p.pubupdate AND p.pubdelete AND p.pubtruncate, p.pubviaroot,
               pg_has_role(p.pubowner, 'USAGE') AND NOT p.puballtables,
               ARRAY(SELECT t.schemaname::text FROM pg_publication_tables t WHERE t.pubname = p.pubname
                     ORDER BY t.schemaname, t.tablename),
               ARRAY(SELECT t.tablename::text FROM pg_publication_tables t WHERE t.pubname = p.pubname
                     ORDER BY t.schemaname, t.tablename)
        FROM pg_publication p WHERE p.pubname = $1
        """;

    /// <summary>Reads them; null when there is no such publication.</summary>
    public static async Task<PublicationFacts?> ReadAsync(
        NpgsqlConnection connection, string name, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(Sql, connection) { Parameters = { new() { Value = name } } };
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        if (!await reader.ReadAsync(cancellationToken))
        {
            return null;
        }

        var schemas = reader.GetFieldValue<string[]>(3);
        var tables = reader.GetFieldValue<string[]>(4);
        return new PublicationFacts(
            reader.GetBoolean(0), reader.GetBoolean(1), reader.GetBoolean(2),
            schemas.Zip(tables, static (s, t) => new TableName(s, t)).ToHashSet());
    }
}
