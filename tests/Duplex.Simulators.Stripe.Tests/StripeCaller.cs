using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;

namespace Duplex.Simulators.Stripe.Tests;

/// <summary>Calls a simulator as a client does that writes its forms by hand.</summary>
internal sealed class StripeCaller : IDisposable
{
    private readonly HttpClient client;

    public StripeCaller(StripeSimulator simulator, string? key = null)
        : this(simulator.BaseAddress, key ?? simulator.ApiKey)
    {
    }

    public StripeCaller(Uri address, string key)
    {
        client = new HttpClient(new SocketsHttpHandler { UseProxy = false }) { BaseAddress = address };
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", key);
    }

    public Task<Answer> GetAsync(string path) => SendAsync(HttpMethod.Get, path);

    public Task<Answer> DeleteAsync(string path) => SendAsync(HttpMethod.Delete, path);

    public Task<Answer> PostAsync(string path, string form = "", string? key = null) =>
        SendAsync(HttpMethod.Post, path, form, key);

    /// <summary>Posts and returns the object's id; fails unless it was accepted.</summary>
    public async Task<string> CreateAsync(string path, string form)
    {
        var answer = await PostAsync(path, form);
        answer.Status.ShouldBe(200, answer.Body.ToJsonString());
        return answer.Text("id");
    }

    public async Task<Answer> SendAsync(HttpMethod method, string path, string? form = null, string? key = null)
    {
        using var message = new HttpRequestMessage(method, path.TrimStart('/'));
        if (form is not null)
        {
            message.Content = new StringContent(form, Encoding.UTF8, "application/x-www-form-urlencoded");
        }

        if (key is not null)
        {
            message.Headers.TryAddWithoutValidation("Idempotency-Key", key);
        }

        using var response = await client.SendAsync(message);
        var text = await response.Content.ReadAsStringAsync();
        var headers = response.Headers.ToDictionary(
            static header => header.Key,
            static header => string.Join(",", header.Value),
            StringComparer.OrdinalIgnoreCase);
        return new Answer((int)response.StatusCode, JsonNode.Parse(text)!.AsObject(), headers);
    }

    public void Dispose() => client.Dispose();
}

internal sealed record Answer(int Status, JsonObject Body, IReadOnlyDictionary<string, string> Headers)
{
    public JsonObject Error => Body["error"]!.AsObject();

    public JsonArray Data => Body["data"]!.AsArray();

    public string Text(string name) => Body[name]!.GetValue<string>();

    public string? Header(string name) => Headers.GetValueOrDefault(name);
}
