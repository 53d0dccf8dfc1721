namespace Duplex.Cli.Demo;

/// <summary>The customers that the demo begins with.</summary>
internal static class Seeds
{
    private static readonly string[] Names =
    [
        "Ada Lovelace", "Alan Turing", "Barbara Liskov", "Carl Gauss", "Dorothy Vaughan", "Edsger Dijkstra",
            "Emmy Noether",
        "Frances Allen", "Hedy Lamarr", "Joan Clarke", "John Backus", "Katherine Johnson", "Leonhard Euler",
            "Margaret Hamilton",
        "Marie Curie", "Niklaus Wirth", "Radia Perlman", "Sophie Wilson", "Tony Hoare", "Ursula Martin",
    ];

    private static readonly string[] Cities = ["London", "Wien", "Zürich", "København", "Łódź"];

    /// <summary>All of them, in the shop's terms.</summary>
    public static IReadOnlyList<Customer> Customers { get; } =
    [
        .. Names.Select(static (name, i) => new Customer(
            name, $"{name.Split(' ')[0]}.{name.Split(' ')[1]}@example.org".ToLowerInvariant(), i % 3 == 0
                ? "pro" : "free",
            12.5m * i, Cities[i % Cities.Length])),
    ];

    /// <summary>Those that the billing side knows before Duplex runs.</summary>
    public static IReadOnlyList<Customer> Known { get; } = [.. Customers.Take(5)];
}

/// <summary>A customer of the shop.</summary>
internal sealed record Customer(string Name, string Email, string Plan, decimal BalanceEur, string City)
{
    public (string Name, string Value)[] ForStripe() =>
    [
        ("name", Name), ("email", Email), ("metadata[plan]", Plan == "pro" ? "P" : "F"),
        ("balance", ((long)(BalanceEur * 100)).ToString(System.Globalization.CultureInfo.InvariantCulture)),
        ("address[city]", City),
    ];
}
