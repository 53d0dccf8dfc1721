using System.CommandLine;
using Spectre.Console;

namespace Duplex.Cli.Verbs;

/// <summary>Schemas of what is taken, and of what customers are given.</summary>
internal static class SchemasVerb
{
    private static readonly Argument<string> TableName = new("table") { Description = "The table." };

    private static readonly Argument<string> File = new("file") { Description = "The JSON Schema." };

    private static readonly Option<string?> Customer = new("--customer")
    {
        Description = "The schema of what this customer is given. Default: of what is taken.",
    };

    private static readonly Option<int?> Version = new("--version") { Description = "A version; 0 is the file's. Default: the one in use." };

    private static readonly Option<bool> Incompatible = new("--incompatible")
    {
        Description = "Take it even if it refuses what the active version accepts.",
    };

    public static Command Make(Terminal terminal) => new("schemas", "Schemas of both ends, as versions.")
    {
        Session.Attach(new Command("list", "Every schema with the version that is in use."), terminal, ListAsync),
        Session.Attach(new Command("show", "A schema, and which customers it concerns.") { TableName, Customer, Version },
            terminal, ShowAsync),
        Session.Attach(new Command("versions", "Every version of a schema.") { TableName, Customer }, terminal, VersionsAsync),
        Session.Attach(new Command("put", "Set a schema; it is in use at once.") { TableName, File, Customer, Incompatible },
            terminal, PutAsync),
    };

    private static async Task<int> ListAsync(Session session, CancellationToken cancellationToken)
    {
        using var client = session.Connect();
        var schemas = await client.SchemasAsync(cancellationToken).ConfigureAwait(false);
        session.Print(schemas, console =>
        {
            var table = new Table().AddColumns("kind", "customer", "table", "in use");
            foreach (var schema in schemas.Items)
            {
                table.AddRow(schema.Kind, Markup.Escape(schema.Customer ?? ""), Markup.Escape(schema.Table),
                    RegistryFile.Word(schema.Active));
            }

            console.Write(table);
        });
        return ExitCode.Done;
    }

    private static async Task<int> ShowAsync(Session session, CancellationToken cancellationToken)
    {
        using var client = session.Connect();
        var (table, customer) = (session.Get(TableName)!, session.Get(Customer));
        var schema = await client.SchemaAsync(table, customer, session.Get(Version), cancellationToken).ConfigureAwait(false);
        var uses = await client.SchemaUsesAsync(table, customer, cancellationToken).ConfigureAwait(false);
        session.Print(schema, console =>
        {
            console.Write(new Text((schema.Document ?? "").TrimEnd() + "\n"));
            console.Write(new Text($"version {schema.Version} ({schema.Origin}){(schema.Active ? ", in use" : "")}; concerns "
                + $"{(uses.Customers.Count == 0 ? "no customer" : string.Join(", ", uses.Customers.Select(static u => u.Customer)))}"
                + $"{(uses.Schemas.Count == 0 ? "" : $"; the schemas of {string.Join(", ", uses.Schemas)} refer to it")}\n"));
        });
        return ExitCode.Done;
    }

    private static async Task<int> VersionsAsync(Session session, CancellationToken cancellationToken)
    {
        using var client = session.Connect();
        var versions = await client.SchemaVersionsAsync(session.Get(TableName)!, session.Get(Customer), cancellationToken)
            .ConfigureAwait(false);
        session.Print(versions, console => console.Write(RegistryFile.Table(versions.Items)));
        return ExitCode.Done;
    }

    private static async Task<int> PutAsync(Session session, CancellationToken cancellationToken)
    {
        using var client = session.Connect();
        var text = await RegistryFile.ReadAsync(session.Get(File)!, cancellationToken).ConfigureAwait(false);
        var put = await client.PutSchemaAsync(session.Get(TableName)!, session.Get(Customer), text,
            !session.Get(Incompatible), cancellationToken).ConfigureAwait(false);
        session.Print(put, console => console.Write(new Markup(Markup.Escape(
            RegistryFile.Word(put, $"{session.Get(Customer) ?? "internal"} {session.Get(TableName)}")))));
        return ExitCode.Done;
    }
}
