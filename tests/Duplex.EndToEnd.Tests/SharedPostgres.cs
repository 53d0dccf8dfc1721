using Duplex.Simulators.Postgres;

namespace Duplex.EndToEnd.Tests;

/// <summary>One PostgreSQL for the tests of a class, which spills large transactions early.</summary>
public sealed class SharedPostgres : IAsyncLifetime
{
    private PrivatePostgres? _server;

    /// <summary>A bed with a database of its own on it.</summary>
    internal Task<Bed> BedAsync(string? data = null) =>
        Bed.CreateAsync(new BedOptions { Postgres = _server, Data = data });

    public async Task InitializeAsync()
    {
        if (PrivatePostgres.Unavailable is null)
        {
            _server = await PrivatePostgres.StartAsync(new PrivatePostgresOptions
            {
                Settings = new Dictionary<string, string>
                {
                    ["max_prepared_transactions"] = "10",
                    ["logical_decoding_work_mem"] = "64kB",
                },
            });
        }
    }

    public async Task DisposeAsync()
    {
        if (_server is not null)
        {
            await _server.DisposeAsync();
        }
    }
}
