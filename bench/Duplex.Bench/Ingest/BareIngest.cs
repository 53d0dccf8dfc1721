using System.Buffers;
using System.IO.Pipelines;
using System.Net;
using Duplex.Storage.Embedded.Sqlite;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;

namespace Duplex.Bench.Ingest;

/// <summary>The least that takes a body and answers when it is on disk: Kestrel, and one thread that commits whatever
/// bodies wait to one table of SQLite. Nothing is looked at.</summary>
internal sealed class BareIngest : IAsyncDisposable
{
    private static readonly byte[] Answer =
        """{"status":"published","topic":"users","message":"Data sent to Kafka successfully"}"""u8.ToArray();

    private readonly WebApplication _app;
    private readonly Database _database;
    private readonly Thread _thread;
    private List<(byte[] Body, TaskCompletionSource Done)> _waiting = [];
    private bool _stopping;

    private BareIngest(string directory)
    {
        _database = Database.OpenWriter(Path.Combine(directory, "bare.db"), 8192, 8 << 20, 0);
        _database.Execute("CREATE TABLE entry (id INTEGER PRIMARY KEY, data BLOB NOT NULL)");
        _thread = new Thread(Commit) { IsBackground = true };
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Listen(IPAddress.Loopback, 0, listen => listen.Protocols = HttpProtocols.Http1);
        });
        _app = builder.Build();
        _app.Run(ReceiveAsync);
    }

    public Uri Address => new(
        _app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First());

    public static async Task<BareIngest> StartAsync(string directory)
    {
        Directory.CreateDirectory(directory);
        var bare = new BareIngest(directory);
        bare._thread.Start();
        await bare._app.StartAsync();
        return bare;
    }

    public async ValueTask DisposeAsync()
    {
        await _app.DisposeAsync();
        lock (_thread)
        {
            _stopping = true;
            Monitor.Pulse(_thread);
        }

        _thread.Join();
        _database.Dispose();
    }

    private async Task ReceiveAsync(HttpContext context)
    {
        var reader = context.Request.BodyReader;
        ReadResult read;
        while (!(read = await reader.ReadAsync()).IsCompleted && read.Buffer.Length < context.Request.ContentLength)
            reader.AdvanceTo(read.Buffer.Start, read.Buffer.End);
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        byte[] body = read.Buffer.ToArray();
        reader.AdvanceTo(read.Buffer.End);
        lock (_thread)
        {
            _waiting.Add((body, done));
            if (_waiting.Count == 1)
                Monitor.Pulse(_thread);
        }

        await done.Task;
        context.Response.ContentLength = Answer.Length;
        context.Response.ContentType = "application/json";
        await context.Response.BodyWriter.WriteAsync(Answer);
    }

    private void Commit()
    {
        List<(byte[] Body, TaskCompletionSource Done)> group = [];
        while (true)
        {
            lock (_thread)
            {
                while (_waiting.Count == 0 && !_stopping)
                    Monitor.Wait(_thread);
                if (_waiting.Count == 0)
                    return;
                (group, _waiting) = (_waiting, group);
            }

            _database.Begin();
            foreach (var (body, _) in group)
                _database.Prepared("INSERT INTO entry (data) VALUES (?1)").Bind(1, body.AsSpan()).Run();
            _database.Commit();
            foreach (var (_, done) in group)
                done.SetResult();
            group.Clear();
            if (_database.WalPages > 16_384)
                _database.Query("PRAGMA wal_checkpoint(RESTART)");
        }
    }
}
