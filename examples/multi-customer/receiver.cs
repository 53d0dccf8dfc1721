// A customer's endpoint: verifies each webhook after Standard Webhooks, takes each record once and prints it.
//   WEBHOOK_SECRET=whsec_… dotnet run receiver.cs -- 9001
#:sdk Microsoft.NET.Sdk.Web
#:property PublishAot=false

using System.Collections.Concurrent;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

if (args is not [var port] || Environment.GetEnvironmentVariable("WEBHOOK_SECRET") is not { } secret || !secret.StartsWith("whsec_"))
{
    Console.Error.WriteLine("WEBHOOK_SECRET=whsec_… dotnet run receiver.cs -- <port>");
    return 2;
}

// The key is what the base64 after whsec_ stands for, not the text.
var key = Convert.FromBase64String(secret["whsec_".Length..]);
var seen = new ConcurrentDictionary<string, bool>();
var builder = WebApplication.CreateSlimBuilder();
builder.Logging.ClearProviders();
builder.WebHost.UseUrls($"http://127.0.0.1:{port}");
var app = builder.Build();
app.MapPost("/hook", async (HttpRequest request) =>
{
    using var copy = new MemoryStream();
    await request.Body.CopyToAsync(copy);
    var body = copy.ToArray();
    var (id, timestamp, signatures) = (Header("webhook-id"), Header("webhook-timestamp"), Header("webhook-signature"));
    if (!IsRecent(timestamp) || !IsSigned(id, timestamp, body, signatures))
    {
        Console.WriteLine("Refused: not signed with this endpoint's secret.");
        return Results.Unauthorized();
    }

    // A record can come again, after an answer that got lost: it is told by its id.
    if (seen.TryAdd(id, true))
    {
        var webhook = JsonElement.Parse(body);
        var data = webhook.GetProperty("data");
        Console.WriteLine($"offset {data.GetProperty("offset")}  {webhook.GetProperty("type")}  {data.GetProperty("key").GetRawText()}  "
            + $"signed  {data.GetProperty("transformedData").GetRawText()}");
    }

    return Results.NoContent();

    string Header(string name) => request.Headers[name].ToString();
});
await app.RunAsync();
return 0;

// Old requests are refused, so that one who recorded a request cannot send it again.
static bool IsRecent(string timestamp) => long.TryParse(timestamp, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds)
    && Math.Abs(DateTimeOffset.UtcNow.ToUnixTimeSeconds() - seconds) <= 300;

// One of the signatures must be right: while a secret is replaced there are two.
bool IsSigned(string id, string timestamp, byte[] body, string signatures)
{
    byte[] signed = [.. Encoding.UTF8.GetBytes($"{id}.{timestamp}."), .. body];
    var wanted = Encoding.ASCII.GetBytes("v1," + Convert.ToBase64String(HMACSHA256.HashData(key, signed)));
    return signatures.Split(' ').Any(s => CryptographicOperations.FixedTimeEquals(Encoding.ASCII.GetBytes(s), wanted));
}
