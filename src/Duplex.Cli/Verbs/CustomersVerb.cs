using System.CommandLine;
using Duplex.Client;
using Spectre.Console;

namespace Duplex.Cli.Verbs;

/// <summary>Customers of posted tables.</summary>
internal static class CustomersVerb
{
    private static readonly Argument<string> Customer = new("customer") { Description = "The customer." };

    public static Command Make(Terminal terminal) => new("customers", "Customers of posted tables, with their progress.")
    {
        Session.Attach(new Command("list", "Every customer."), terminal, ListAsync),
        Session.Attach(new Command("show", "One customer with its tables.") { Customer }, terminal, ShowAsync),
        Session.Attach(new Command("pause", "Pause a customer; its feed stays readable. Survives restarts.") { Customer }, terminal,
            static (session, cancellationToken) =>
                RunAsync(session, static (c, name, ct) => c.PauseCustomerAsync(name, ct), cancellationToken)),
        Session.Attach(new Command("resume", "Resume a paused or blocked customer.") { Customer }, terminal,
            static (session, cancellationToken) =>
                RunAsync(session, static (c, name, ct) => c.ResumeCustomerAsync(name, ct), cancellationToken)),
    };

    private static async Task<int> ListAsync(Session session, CancellationToken cancellationToken)
    {
        using var client = session.Connect();
        var customers = await client.CustomersAsync(cancellationToken).ConfigureAwait(false);
        session.Print(customers, console =>
        {
            var table = new Table().AddColumns("customer", "state", "tables", "behind", "records", "parked");
            foreach (var customer in customers.Items)
            {
                var progress = customer.Progress;
                table.AddRow(Markup.Escape(customer.Name), progress?.State ?? "", $"{customer.Tables.Count}",
                    $"{progress?.Behind}", $"{progress?.LastOffset}", $"{progress?.DeadLetters}");
            }

            console.Write(table);
        });
        return ExitCode.Done;
    }

    private static async Task<int> ShowAsync(Session session, CancellationToken cancellationToken)
    {
        using var client = session.Connect();
        var customer = await client.CustomerAsync(session.Get(Customer)!, cancellationToken).ConfigureAwait(false);
        session.Print(customer, console =>
        {
            console.Write(new Markup(Markup.Escape(
                $"{customer.Tenant}/{customer.Name} ({customer.Origin}): {customer.Progress?.State}, "
                + $"{customer.Progress?.Behind} behind, last record {customer.Progress?.LastOffset}\n")));
            MappingsVerb.Write(console, customer.Tables);
        });
        return ExitCode.Done;
    }

    private static async Task<int> RunAsync(
        Session session, Func<DuplexClient, string, CancellationToken, Task<CommandDocument>> command,
        CancellationToken cancellationToken)
    {
        using var client = session.Connect();
        var done = await command(client, session.Get(Customer)!, cancellationToken).ConfigureAwait(false);
        session.Print(done, console => console.Write(new Markup(Markup.Escape($"{done.Name}: {done.Done}\n"))));
        return ExitCode.Done;
    }
}
