using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using Duplex.Simulators;

namespace Duplex.EndToEnd.Tests;

/// <summary><c>examples/multi-customer</c>, followed as its README says.</summary>
public sealed partial class ExampleTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(10);
    private static readonly string Root = FindRoot();

    [Fact]
    public async Task The_readme_followed_line_by_line_shows_every_record_polled_and_pushed_signed_and_in_order()
    {
        var (start, further) = Readme();
        await using var example = new Example(start);
        await example.SaysAsync("Ctrl-C ends it.");
        var a = await example.FeedAsync("customer-a");
        var b = await example.FeedAsync("customer-b");
        a.Select(Table).ShouldBe(["users", "users", "tickets", "users"], ignoreOrder: true);
        b.Select(Table).ShouldBe(["users", "users", "tickets", "orders", "users"], ignoreOrder: true);
        ShouldBePushed(example, "customer-a", a);
        ShouldBePushed(example, "customer-b", b);

        foreach (var command in further)
        {
            await example.RunAsync(command);
        }

        var bob = (await example.FeedAsync("customer-a"))[^1];
        bob.GetProperty("transformedData").GetProperty("fullName").GetString().ShouldBe("Bob");
        await example.SaysAsync($"customer-a  {Line(bob)}");
        (await example.ForgeAsync()).ShouldBe(HttpStatusCode.Unauthorized);
        await example.SaysAsync("customer-a  Refused");
        (await example.EndAsync()).ShouldBeTrue("what the example started goes on after its end");
    }

    /// <summary>Each record of the feed was pushed once, and those of one key in its order; those of different keys go in
    /// parallel.</summary>
    private static void ShouldBePushed(Example example, string customer, IReadOnlyList<JsonElement> feed)
    {
        var pushed = example.Pushed(customer).ToList();
        pushed.ShouldBe(feed.Select(Line), ignoreOrder: true, example.Said);
        foreach (var key in feed.GroupBy(static r => $"{Table(r)} {r.GetProperty("key").GetRawText()}"))
        {
            var lines = key.Select(Line).ToList();
            pushed.Where(lines.Contains).ShouldBe(lines, example.Said);
        }
    }

    private static string? Table(JsonElement record) => record.GetProperty("table").GetString();

    /// <summary>What the receiver prints of a record, which it does when the signature is right.</summary>
    private static string Line(JsonElement record)
    {
        var verb = record.GetProperty("operation").GetString() switch
        {
            "INSERT" => "created",
            "UPDATE" => "updated",
            _ => "deleted",
        };
        return $"offset {record.GetProperty("offset")}  {Table(record)}.{verb}  {record.GetProperty("key").GetRawText()}  "
            + $"signed  {record.GetProperty("transformedData").GetRawText()}";
    }

    private static (string Start, IReadOnlyList<string> Further) Readme()
    {
        var text = File.ReadAllText(Path.Combine(Root, "examples/multi-customer/README.md"));
        var commands = ShellBlock().Matches(text).SelectMany(static m => m.Groups[1].Value.Trim().Split('\n')).ToList();
        commands.Count.ShouldBe(3);
        return (commands[0], commands[1..]);
    }

    private static string FindRoot()
    {
        var folder = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(folder, "Duplex.slnx")))
        {
            folder = Path.GetDirectoryName(folder)!;
        }

        return folder;
    }

    [GeneratedRegex("```sh\n(.*?)```", RegexOptions.Singleline)]
    private static partial Regex ShellBlock();

    /// <summary>The example while it runs, on free ports.</summary>
    private sealed class Example : IAsyncDisposable
    {
        private readonly HttpClient _http = new();
        private readonly StringBuilder _said = new();
        private readonly Process _process;
        private readonly int[] _ports = [.. Enumerable.Range(0, 4).Select(static _ => FreePort.Take())];

        public Example(string command)
        {
            var start = new ProcessStartInfo("bash", ["-c", $"exec {command}"])
            {
                WorkingDirectory = Root,
                RedirectStandardError = true,
                RedirectStandardOutput = true,
            };
            string[] names = ["EXAMPLE_PORT", "EXAMPLE_CONTROL_PORT", "CUSTOMER_A_PORT", "CUSTOMER_B_PORT"];
            foreach (var (name, port) in names.Zip(_ports))
            {
                start.Environment[name] = port.ToString(CultureInfo.InvariantCulture);
            }

            _process = Process.Start(start)!;
            _process.OutputDataReceived += (_, line) => Hear(line.Data);
            _process.ErrorDataReceived += (_, line) => Hear(line.Data);
            _process.BeginOutputReadLine();
            _process.BeginErrorReadLine();
        }

        public string Said
        {
            get
            {
                lock (_said)
                {
                    return _said.ToString();
                }
            }
        }

        public async Task SaysAsync(string words)
        {
            using var deadline = new CancellationTokenSource(Patience);
            using var tick = new PeriodicTimer(TimeSpan.FromMilliseconds(50));
            while (!Said.Contains(words, StringComparison.Ordinal))
            {
                (deadline.IsCancellationRequested || _process.HasExited).ShouldBeFalse($"It never said '{words}':\n{Said}");
                await tick.WaitForNextTickAsync();
            }
        }

        public async Task<IReadOnlyList<JsonElement>> FeedAsync(string customer) =>
            [.. JsonElement.Parse(await _http.GetStringAsync(Address(0, $"feed/{customer}?limit=1000")))
                .GetProperty("records").EnumerateArray()];

        /// <summary>What it printed of the customer's endpoint.</summary>
        public IEnumerable<string> Pushed(string customer) => Said.Split('\n')
            .SkipWhile(l => !l.Contains($"the endpoint of {customer} received", StringComparison.Ordinal)).Skip(1)
            .TakeWhile(static l => l.StartsWith("offset ", StringComparison.Ordinal));

        /// <summary>Runs a command of the README against the port that this example has.</summary>
        public async Task RunAsync(string command)
        {
            command.ShouldContain("127.0.0.1:3000");
            using var process = Process.Start("bash", ["-ec", command.Replace(
                "127.0.0.1:3000", $"127.0.0.1:{_ports[0].ToString(CultureInfo.InvariantCulture)}", StringComparison.Ordinal)]);
            await process.WaitForExitAsync();
            process.ExitCode.ShouldBe(0);
        }

        /// <summary>Sends customer A's endpoint a webhook that somebody else has signed.</summary>
        public async Task<HttpStatusCode> ForgeAsync()
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, Address(2, "hook")) { Content = new StringContent("{}") };
            request.Headers.Add("webhook-id", "forged");
            request.Headers.Add("webhook-timestamp", DateTimeOffset.UtcNow.ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture));
            request.Headers.Add("webhook-signature", $"v1,{Convert.ToBase64String(new byte[32])}");
            using var answer = await _http.SendAsync(request);
            return answer.StatusCode;
        }

        /// <summary>Ends it as Ctrl-C does; whether nothing of it answers any more.</summary>
        public async Task<bool> EndAsync()
        {
            using var kill = Process.Start(
                "bash", ["-c", $"kill -TERM {_process.Id.ToString(CultureInfo.InvariantCulture)}"]);
            using var deadline = new CancellationTokenSource(TimeSpan.FromMinutes(3));
            await _process.WaitForExitAsync(deadline.Token);
            return _ports.All(IsFree);
        }

        public async ValueTask DisposeAsync()
        {
            if (!_process.HasExited)
            {
                await EndAsync();
            }

            _process.Dispose();
            _http.Dispose();
        }

        private Uri Address(int port, string path) =>
            new(string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{_ports[port]}/{path}"));

        private static bool IsFree(int port)
        {
            try
            {
                using var listener = new TcpListener(IPAddress.Loopback, port);
                listener.Start();
                return true;
            }
            catch (SocketException)
            {
                return false;
            }
        }

        private void Hear(string? line)
        {
            if (line is not null)
            {
                lock (_said)
                {
                    _said.Append(line).Append('\n');
                }
            }
        }
    }
}
