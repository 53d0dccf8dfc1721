using System.Globalization;
using Duplex.Simulators.Stripe.Faults;
using Duplex.Simulators.Stripe.Limits;

namespace Duplex.Simulators.Stripe;

/// <summary>Reads the program's arguments.</summary>
internal static class CommandLine
{
    public const string Usage = """
        Simulates a Stripe account on the loopback interface.

          --port N                  port, 12111 by default; 0 takes a free one
          --api-key KEY             secret key that may do everything (sk_test_duplex)
          --restricted-key KEY=A,B  restricted key with permissions such as customers:read (repeatable)
          --webhook-url URL         where events are posted
          --webhook-secret SECRET   signing secret of that address (repeatable)
          --webhook-concurrency N   webhooks sent at the same time (8)
          --webhook-retry MS        wait before a failed webhook is repeated; it doubles each time (1000)
          --webhook-retry-max MS    longest such wait (3600000)
          --unlimited               no rate limits
          --global-rate N           requests per second of the account (100)
          --operation-rate N        requests per second of each operation (25)
          --rate OPERATION=N        requests per second of one operation, such as "POST /v1/customers=5" (repeatable)
          --latency MS              time every request takes
          --search-lag MS           how far search is behind
          --fault KIND[:P][@OP]     a fault with its chance and operation, such as error_after:0.01@POST* (repeatable)
          --seed-customers N        customers made up at the start
          --seed N                  seed of ids and of chance; without it ids differ from run to run
          --data FOLDER             keeps the state across restarts
        """;

    /// <summary>The options and faults that the arguments ask for.</summary>
    /// <exception cref="FormatException">An argument is unknown, lacks its value, or has a wrong one.</exception>
    public static (StripeSimulatorOptions Options, IReadOnlyList<FaultRule> Faults) Parse(
        IReadOnlyList<string> arguments)
    {
        var options = new StripeSimulatorOptions { Port = 12111 };
        var faults = new List<FaultRule>();
        for (var i = 0; i < arguments.Count; i++)
        {
            var name = arguments[i];
            if (name == "--unlimited")
            {
                options = options with { Limits = StripeLimits.None };
                continue;
            }

            if (i + 1 == arguments.Count)
            {
                throw new FormatException($"{name} is unknown or lacks its value.");
            }

            var value = arguments[++i];
            if (name == "--fault")
            {
                faults.Add(Fault(value));
            }
            else
            {
                options = With(options, name, value);
            }
        }

        return (options, faults);
    }

    private static StripeSimulatorOptions With(StripeSimulatorOptions options, string name, string value) => name switch
    {
        "--port" => options with { Port = Whole(name, value) },
        "--api-key" => options with { ApiKey = value },
        "--restricted-key" => options with { RestrictedKeys = Restricted(options, value) },
        "--webhook-url" => options with { WebhookUrl = Address(name, value) },
        "--webhook-secret" => options with { WebhookSecrets = [.. options.WebhookSecrets, value] },
        "--webhook-concurrency" => options with { WebhookConcurrency = Math.Max(1, Whole(name, value)) },
        "--webhook-retry" => options with { WebhookRetryFirst = TimeSpan.FromMilliseconds(Whole(name, value)) },
        "--webhook-retry-max" => options with { WebhookRetryMax = TimeSpan.FromMilliseconds(Whole(name, value)) },
        "--global-rate" => options with { Limits = options.Limits with { GlobalPerSecond = Whole(name, value) } },
        "--operation-rate" => options with { Limits = options.Limits with { OperationPerSecond = Whole(name, value) } },
        "--rate" => options with { Limits = Rated(options.Limits, value) },
        "--latency" => options with { Latency = TimeSpan.FromMilliseconds(Whole(name, value)) },
        "--search-lag" => options with { SearchLag = TimeSpan.FromMilliseconds(Whole(name, value)) },
        "--seed-customers" => options with { SeedCustomers = Whole(name, value) },
        "--seed" => options with { Seed = Whole(name, value) },
        "--data" => options with { DataFolder = value },
        _ => throw new FormatException($"{name} is unknown."),
    };

    private static int Whole(string name, string value) =>
        int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            ? number
            : throw new FormatException($"{name} takes a whole number, not {value}.");

    private static Uri Address(string name, string value) =>
        Uri.TryCreate(value, UriKind.Absolute, out var address) && address.Scheme is "http" or "https"
            ? address
            : throw new FormatException($"{name} takes an http address, not {value}.");

    private static (string Left, string Right) Pair(string value)
    {
        var at = value.LastIndexOf('=');
        return at > 0 ? (value[..at], value[(at + 1)..]) : throw new FormatException($"{value} lacks its '='.");
    }

    private static Dictionary<string, IReadOnlyCollection<string>> Restricted(
        StripeSimulatorOptions options, string value)
    {
        var (key, permissions) = Pair(value);
        return new Dictionary<string, IReadOnlyCollection<string>>(options.RestrictedKeys)
        {
            [key] = permissions.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries),
        };
    }

    private static StripeLimits Rated(StripeLimits limits, string value)
    {
        var (operation, rate) = Pair(value);
        return limits with
        {
            PerOperation = new Dictionary<string, double>(limits.PerOperation) { [operation] = Whole("--rate", rate) },
        };
    }

    private static FaultRule Fault(string value)
    {
        var at = value.IndexOf('@');
        var operation = at < 0 ? null : value[(at + 1)..];
        var parts = (at < 0 ? value : value[..at]).Split(':');
        if (!Enum.TryParse<FaultKind>(parts[0].Replace("_", string.Empty), ignoreCase: true, out var kind)
            || !char.IsAsciiLetter(parts[0][0]))
        {
            throw new FormatException($"There is no fault called {parts[0]}.");
        }

        var probability = 1.0;
        if (parts.Length > 1
            && !double.TryParse(parts[1], NumberStyles.Float, CultureInfo.InvariantCulture, out probability))
        {
            throw new FormatException($"{parts[1]} is no probability.");
        }

        return new FaultRule { Kind = kind, Operation = operation, Probability = probability };
    }
}
