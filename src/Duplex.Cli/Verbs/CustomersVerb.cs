using System.CommandLine;
using Duplex.Client;
using Spectre.Console;

namespace Duplex.Cli.Verbs;

/// <summary>Customers of posted tables.</summary>
internal static class CustomersVerb
{
    private static readonly Argument<string> Customer = new("customer") { Description = "The customer." };

    private static readonly Argument<string> File = new("file") { Description = "The customer, YAML or JSON: tables, push and more." };

    private static readonly Argument<long> Offset = new("offset") { Description = "The record's offset in the feed." };

    private static readonly Option<string?> KeepFormer = new("--keep-former")
    {
        Description = "How long the former secret signs too. Default: 24h.",
    };

    public static Command Make(Terminal terminal) => new("customers", "Customers of posted tables, with their progress.")
    {
        Session.Attach(new Command("list", "Every customer."), terminal, ListAsync),
        Session.Attach(new Command("show", "One customer with its tables.") { Customer }, terminal, ShowAsync),
        Session.Attach(new Command("put", "Make a customer, or set its tables and where its feed is pushed to.") { Customer, File },
            terminal, PutAsync),
        Session.Attach(new Command("remove", "Remove a customer; its feed stays readable until retention removes it.") { Customer },
            terminal, static (session, cancellationToken) =>
                RunAsync(session, static (c, name, ct) => c.DeleteCustomerAsync(name, ct), cancellationToken)),
        Session.Attach(new Command("rotate-secret", "Replace the secret of its webhooks; the fresh one is read from standard input.")
        {
            Customer, KeepFormer,
        }, terminal, RotateAsync),
        Session.Attach(new Command("resend", "Push a record of its feed again.") { Customer, Offset }, terminal,
            static (session, cancellationToken) =>
                RunAsync(session, (c, name, ct) => c.ResendAsync(name, session.Get(Offset), ct), cancellationToken)),
        Session.Attach(new Command("pause", "Pause a customer; its feed stays readable. Survives restarts.") { Customer }, terminal,
            static (session, cancellationToken) =>
                RunAsync(session, static (c, name, ct) => c.PauseCustomerAsync(name, ct), cancellationToken)),
        Session.Attach(new Command("resume", "Resume a paused or blocked customer; enable its push.") { Customer }, terminal,
            static (session, cancellationToken) =>
                RunAsync(session, static (c, name, ct) => c.ResumeCustomerAsync(name, ct), cancellationToken)),
    };

    private static async Task<int> ListAsync(Session session, CancellationToken cancellationToken)
    {
        using var client = session.Connect();
        var customers = await client.CustomersAsync(cancellationToken).ConfigureAwait(false);
        session.Print(customers, console =>
        {
            var table = new Table().AddColumns("customer", "state", "tables", "behind", "records", "parked", "push");
            foreach (var customer in customers.Items)
            {
                var progress = customer.Progress;
                table.AddRow(Markup.Escape(customer.Name), progress?.State ?? "", $"{customer.Tables.Count}",
                    $"{progress?.Behind}", $"{progress?.LastOffset}", $"{progress?.DeadLetters}",
                    progress?.Push?.State ?? "");
            }

            console.Write(table);
        });
        return ExitCode.Done;
    }

    private static async Task<int> ShowAsync(Session session, CancellationToken cancellationToken)
    {
        using var client = session.Connect();
        var customer = await client.CustomerAsync(session.Get(Customer)!, cancellationToken).ConfigureAwait(false);
        session.Print(customer, console => Write(console, customer));
        return ExitCode.Done;
    }

    private static async Task<int> PutAsync(Session session, CancellationToken cancellationToken)
    {
        using var client = session.Connect();
        var text = await RegistryFile.ReadAsync(session.Get(File)!, cancellationToken).ConfigureAwait(false);
        var customer = await client.PutCustomerAsync(session.Get(Customer)!, text, cancellationToken).ConfigureAwait(false);
        session.Print(customer, console => Write(console, customer));
        return ExitCode.Done;
    }

    private static async Task<int> RotateAsync(Session session, CancellationToken cancellationToken)
    {
        var secret = await SecretsVerb.ReadValueAsync(session, "the fresh secret", "value",
            "echo whsec_$(openssl rand -base64 32) | duplex customers rotate-secret <customer>", cancellationToken).ConfigureAwait(false);
        return await RunAsync(session, (c, name, ct) =>
            c.RotatePushSecretAsync(name, new PushSecretRequest(secret, session.Get(KeepFormer)), ct), cancellationToken)
            .ConfigureAwait(false);
    }

    private static void Write(IAnsiConsole console, CustomerDocument customer)
    {
        console.Write(new Markup(Markup.Escape(
            $"{customer.Tenant}/{customer.Name} ({customer.Origin}): {customer.Progress?.State ?? "made"}, "
            + $"{customer.Progress?.Behind ?? 0} behind, last record {customer.Progress?.LastOffset ?? 0}\n")));
        if (customer.Push is { } push)
        {
            var progress = customer.Progress?.Push;
            console.Write(new Markup(Markup.Escape($"pushed to {push.Url ?? $"topic {push.Topic}"}: "
                + $"{progress?.State ?? "starting"}, up to record {progress?.Position ?? 0}, {progress?.Waiting ?? 0} waiting\n")));
            if (progress?.Error is { } error)
            {
                console.Write(new Markup(Markup.Escape($"  {error.Message} {error.Fix}\n")));
            }
        }

        MappingsVerb.Write(console, customer.Tables);
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
