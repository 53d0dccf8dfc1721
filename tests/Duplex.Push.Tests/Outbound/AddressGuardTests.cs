using System.Net;
using System.Net.Sockets;
using Duplex.Engine.Outbound;
using Duplex.Sdk;

namespace Duplex.Push.Tests.Outbound;

public sealed class AddressGuardTests
{
    [Theory]
    [InlineData("http://127.0.0.1/")]
    [InlineData("http://2130706433/")]
    [InlineData("http://0x7f000001/")]
    [InlineData("http://0x7f.1/")]
    [InlineData("http://0177.0.0.1/")]
    [InlineData("http://017700000001/")]
    [InlineData("http://127.1/")]
    [InlineData("http://127.0.0.1./")]
    [InlineData("http://0/")]
    [InlineData("http://10.0.0.1:8080/")]
    [InlineData("https://[::1]/")]
    [InlineData("https://[::ffff:127.0.0.1]/")]
    [InlineData("https://[0:0:0:0:0:ffff:7f00:1]/")]
    [InlineData("https://[::ffff:7f00:1%251]/")]
    [InlineData("https://[fe80::1%25eth0]/")]
    [InlineData("https://[64:ff9b::7f00:1]/")]
    [InlineData("http://169.254.169.254/latest/meta-data")]
    [InlineData("http://0xA9FEA9FE/")]
    [InlineData("http://2852039166/")]
    [InlineData("http://127。0。0。1/")]
    public async Task Every_spelling_of_an_inner_address_is_refused_and_never_resolved_to_something_else(string url)
    {
        var names = new Names();
        var error = await RefusalAsync(url, names, new AddressPolicy());
        error.Code.ShouldBe(ErrorCode.ConfigInvalid);
        error.Message.ShouldContain("not on the public internet");
    }

    [Theory]
    [InlineData("http://１２７.0.0.1/")]
    [InlineData("http://①②⑦.0.0.1/")]
    public async Task Digits_of_other_scripts_reach_nothing(string url)
    {
        using var client = Client(new Names(), AddressPolicy.Allowing("127.0.0.0/8"));
        await Should.ThrowAsync<HttpRequestException>(() => client.GetAsync(new Uri(url)));
    }

    [Theory]
    [InlineData("file:///etc/passwd", "http or https")]
    [InlineData("ftp://example.test/", "http or https")]
    [InlineData("gopher://example.test/", "http or https")]
    [InlineData("unix:/var/run/docker.sock", "http or https")]
    [InlineData("https://user@example.test/", "user name")]
    [InlineData("https://user:secret@example.test/", "user name")]
    [InlineData("https://example.test:22/", "Port 22")]
    [InlineData("https://example.test:6379/", "Port 6379")]
    [InlineData("https://example.test:0/", "Port 0")]
    public void A_url_is_refused_for_what_it_says(string url, string why) =>
        Guard(new Names(), new AddressPolicy()).Check(new Uri(url)).ShouldNotBeNull().Message.ShouldContain(why);

    [Fact]
    public void A_refusal_does_not_repeat_a_password() =>
        Guard(new Names(), new AddressPolicy()).Check(new Uri("https://user:secret@example.test/")).ShouldNotBeNull()
            .ToString().ShouldNotContain("secret");

    [Theory]
    [InlineData("https://example.test/hook")]
    [InlineData("http://example.test:8080/hook")]
    [InlineData("https://1.1.1.1/")]
    [InlineData("https://[2606:4700::1111]/")]
    public void A_url_of_the_public_internet_is_not_refused(string url) =>
        Guard(new Names(), new AddressPolicy()).Check(new Uri(url)).ShouldBeNull();

    [Theory]
    [InlineData("127.0.0.1")]
    [InlineData("10.0.0.7")]
    [InlineData("169.254.169.254")]
    [InlineData("::1")]
    [InlineData("fd00::1")]
    [InlineData("::ffff:192.168.0.1")]
    [InlineData("64:ff9b::10.0.0.1")]
    public async Task A_name_that_resolves_to_an_inner_address_is_refused(string address)
    {
        var names = new Names(IPAddress.Parse(address));
        (await RefusalAsync("http://evil.test/", names, new AddressPolicy())).Message.ShouldContain("evil.test");
        names.Asked.ShouldBe(1);
    }

    [Fact]
    public async Task A_name_with_one_address_inside_is_refused_as_a_whole()
    {
        await using var server = new RawServer();
        var names = new Names([IPAddress.Loopback, IPAddress.Parse("10.0.0.1")]);
        var error = await RefusalAsync($"http://mixed.test:{server.Port}/", names, AddressPolicy.Allowing("127.0.0.1"));
        error.Message.ShouldContain("10.0.0.1");
        server.Accepted.ShouldBe(0);
    }

    [Fact]
    public async Task A_name_that_changes_between_connections_is_checked_at_each_and_resolved_once_for_each()
    {
        await using var server = new RawServer("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok");
        var names = new Names([IPAddress.Loopback], [IPAddress.Parse("127.0.0.2")], [IPAddress.Loopback]);
        using var client = Client(names, AddressPolicy.Allowing("127.0.0.1"));
        var url = new Uri($"http://turncoat.test:{server.Port}/");
        (await client.GetStringAsync(url)).ShouldBe("ok");
        names.Asked.ShouldBe(1);
        (await Should.ThrowAsync<SyncException>(() => client.GetStringAsync(url))).Error.Message
            .ShouldContain("127.0.0.2");
        names.Asked.ShouldBe(2);
        (await client.GetStringAsync(url)).ShouldBe("ok");
    }

    [Fact]
    public async Task An_allowed_host_and_port_is_reached_and_its_other_ports_are_not()
    {
        await using var server = new RawServer();
        await using var other = new RawServer();
        var policy = AddressPolicy.Allowing($"receiver.test:{server.Port}");
        using var client = Client(new Names(IPAddress.Loopback), policy);
        (await client.GetStringAsync(new Uri($"http://receiver.test:{server.Port}/"))).ShouldBe("ok");
        await Should.ThrowAsync<SyncException>(() => client.GetAsync(new Uri($"http://receiver.test:{other.Port}/")));
        other.Accepted.ShouldBe(0);
    }

    [Fact]
    public async Task The_second_address_is_dialled_when_the_first_does_not_answer()
    {
        await using var server = new RawServer();
        var names = new Names([IPAddress.Parse("127.0.0.77"), IPAddress.Loopback]);
        using var client = Client(names, AddressPolicy.Allowing("127.0.0.0/8"));
        (await client.GetStringAsync(new Uri($"http://two.test:{server.Port}/"))).ShouldBe("ok");
    }

    [Fact]
    public async Task A_redirect_is_an_answer_and_not_followed()
    {
        await using var inner = new RawServer();
        await using var server = new RawServer(
            $"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:{inner.Port}/\r\nContent-Length: 0\r\n\r\n");
        using var client = Client(new Names(IPAddress.Loopback), AddressPolicy.Allowing("127.0.0.1"));
        using var answer = await client.GetAsync(new Uri($"http://moved.test:{server.Port}/"));
        answer.StatusCode.ShouldBe(HttpStatusCode.Found);
        inner.Accepted.ShouldBe(0);
    }

    [Fact]
    public async Task An_answer_that_declares_too_many_bytes_is_refused()
    {
        await using var server = new RawServer("HTTP/1.1 200 OK\r\nContent-Length: 1001\r\n\r\n");
        var policy = AddressPolicy.Allowing("127.0.0.1") with { ResponseBytesMax = 1000 };
        using var client = Client(new Names(), policy);
        var e = await Should.ThrowAsync<HttpIOException>(() => client.GetStringAsync(server.Url));
        e.HttpRequestError.ShouldBe(HttpRequestError.ConfigurationLimitExceeded);
    }

    [Fact]
    public async Task An_answer_without_a_length_is_cut_at_the_limit()
    {
        var body = new string('x', 5000);
        await using var server = new RawServer($"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{body}");
        var policy = AddressPolicy.Allowing("127.0.0.1") with { ResponseBytesMax = 4999 };
        using var client = Client(new Names(), policy);
        var e = await Should.ThrowAsync<HttpRequestException>(() => client.GetStringAsync(server.Url));
        e.InnerException.ShouldBeOfType<HttpIOException>().HttpRequestError
            .ShouldBe(HttpRequestError.ConfigurationLimitExceeded);
        using var roomy = Client(new Names(), policy with { ResponseBytesMax = 5000 });
        (await roomy.GetStringAsync(server.Url)).ShouldBe(body);
    }

    [Fact]
    public async Task An_answer_whose_body_never_ends_is_given_up_in_time()
    {
        await using var server = new RawServer("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf", staysOpen: true);
        var clock = new SteppedClock();
        var policy = AddressPolicy.Allowing("127.0.0.1") with { Timeout = TimeSpan.FromSeconds(20) };
        using var client = new HttpClient(new AddressGuard(policy, clock).CreateHandler());
        using var answer = await client.GetAsync(server.Url, HttpCompletionOption.ResponseHeadersRead);
        var reading = answer.Content.ReadAsStringAsync();
        clock.Advance(TimeSpan.FromSeconds(19));
        reading.IsCompleted.ShouldBeFalse();
        clock.Advance(TimeSpan.FromSeconds(2));
        (await Xunit.Record.ExceptionAsync(() => reading)).ShouldBeOfType<TaskCanceledException>()
            .InnerException.ShouldBeOfType<TimeoutException>();
    }

    [Fact]
    public async Task Settings_of_the_caller_cannot_open_the_guard()
    {
        await using var server = new RawServer("HTTP/1.1 302 Found\r\nLocation: /again\r\nContent-Length: 0\r\n\r\n");
        var guard = Guard(new Names(IPAddress.Loopback), AddressPolicy.Allowing("127.0.0.1"));
        using var client = new HttpClient(guard.CreateHandler(static s =>
        {
            s.AllowAutoRedirect = true;
            s.UseProxy = true;
            s.Proxy = new WebProxy("http://127.0.0.9:1");
        }));
        using var answer = await client.GetAsync(new Uri($"http://plain.test:{server.Port}/"));
        answer.StatusCode.ShouldBe(HttpStatusCode.Found);
    }

    [Fact]
    public async Task A_request_cannot_leave_the_guard_by_a_protocol_that_dials_by_itself()
    {
        await using var server = new RawServer();
        using var client = Client(new Names(), AddressPolicy.Allowing("127.0.0.1"));
        using var request = new HttpRequestMessage(HttpMethod.Get, server.Url)
        {
            Version = HttpVersion.Version30,
            VersionPolicy = HttpVersionPolicy.RequestVersionOrHigher,
        };
        using var answer = await client.SendAsync(request);
        answer.StatusCode.ShouldBe(HttpStatusCode.OK);
        request.Version.ShouldBe(HttpVersion.Version20);
        request.VersionPolicy.ShouldBe(HttpVersionPolicy.RequestVersionOrLower);
        using var blocking = new HttpRequestMessage(HttpMethod.Get, server.Url);
        Should.Throw<NotSupportedException>(() => client.Send(blocking));
    }

    private static AddressGuard Guard(Names names, AddressPolicy policy) =>
        new(policy, TimeProvider.System, names.ResolveAsync);

    private static HttpClient Client(Names names, AddressPolicy policy) => new(Guard(names, policy).CreateHandler());

    private static async Task<SyncError> RefusalAsync(string url, Names names, AddressPolicy policy)
    {
        using var client = Client(names, policy);
        return (await Should.ThrowAsync<SyncException>(() => client.GetAsync(new Uri(url)))).Error;
    }

    /// <summary>A resolver that gives one answer after the other and repeats the last.</summary>
    private sealed class Names(params IPAddress[][] answers)
    {
        public Names(IPAddress address)
            : this([address])
        {
        }

        public int Asked { get; private set; }

        public Task<IPAddress[]> ResolveAsync(string host, CancellationToken cancellationToken)
        {
            if (answers.Length == 0)
            {
                throw new SocketException((int)SocketError.HostNotFound);
            }

            return Task.FromResult(answers[Math.Min(Asked++, answers.Length - 1)]);
        }
    }
}
