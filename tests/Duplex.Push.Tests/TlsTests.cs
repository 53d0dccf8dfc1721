using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Duplex.Conformance;
using Duplex.Engine.Feeds;
using Duplex.Sdk;

namespace Duplex.Push.Tests;

/// <summary>Endpoints behind TLS.</summary>
public sealed class TlsTests
{
    [Fact]
    public async Task An_endpoint_whose_certificate_nobody_vouches_for_gets_nothing_and_the_record_says_why()
    {
        using var authority = Authority("nobody");
        using var certificate = Signed(authority, "127.0.0.1");
        await using var receiver = await StartAsync(certificate);
        await using var bed = await PushBed.OpenAsync();
        await bed.AppendAsync("k");
        bed.Start(PushBed.ModelOf(receiver.Url) with { Retry = [] });
        await Eventually.BecomesAsync(() => bed.Status.GivenUp == 1);
        var record = await bed.RecordAsync(1);
        record.Status.ShouldBe(FeedStatus.Failed);
        record.Error!.ShouldStartWith("TLS failed: ");
        receiver.Arrivals.ShouldBeEmpty();
    }

    [Fact]
    public async Task One_whose_authority_is_named_gets_them()
    {
        using var authority = Authority("ours");
        using var certificate = Signed(authority, "127.0.0.1");
        await using var receiver = await StartAsync(certificate);
        await using var bed = await PushBed.OpenAsync();
        await bed.AppendAsync("k");
        bed.Start(PushBed.ModelOf(receiver.Url) with { Authorities = authority.ExportCertificatePem() });
        await bed.DeliveredAsync(1);
        receiver.Arrivals.Single().IsSignedWith(PushBed.Secret).ShouldBeTrue();
    }

    [Theory]
    [InlineData("another", "127.0.0.1")]
    [InlineData("ours", "example.org")]
    public async Task Another_authority_or_another_name_will_not_do(string named, string host)
    {
        using var authority = Authority("ours");
        using var other = named == "ours" ? null : Authority(named);
        using var certificate = Signed(authority, host);
        await using var receiver = await StartAsync(certificate);
        await using var bed = await PushBed.OpenAsync();
        await bed.AppendAsync("k");
        bed.Start(PushBed.ModelOf(receiver.Url) with
        {
            Retry = [], Authorities = (other ?? authority).ExportCertificatePem(),
        });
        await Eventually.BecomesAsync(() => bed.Status.GivenUp == 1);
        (await bed.RecordAsync(1)).Error!.ShouldStartWith("TLS failed: ");
        receiver.Arrivals.ShouldBeEmpty();
    }

    [Theory]
    [InlineData("")]
    [InlineData("ca.pem")]
    [InlineData("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----")]
    public void What_holds_no_certificate_is_a_fault(string pem)
    {
        var fault = (PushBed.ModelOf(new Uri("https://example.org/")) with { Authorities = pem }).Faults().ShouldHaveSingleItem();
        (fault.Code, fault.Path).ShouldBe((ErrorCode.ConfigInvalid, "ca"));
    }

    private static Task<Receiver> StartAsync(X509Certificate2 certificate) =>
        Receiver.StartAsync(static (_, _) => Task.CompletedTask, certificate);

    private static X509Certificate2 Authority(string name)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, false));
        return request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(30));
    }

    private static X509Certificate2 Signed(X509Certificate2 authority, string host)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={host}", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        if (IPAddress.TryParse(host, out var address))
        {
            names.AddIpAddress(address);
        }
        else
        {
            names.AddDnsName(host);
        }

        request.CertificateExtensions.Add(names.Build());
        using var signed = request.Create(authority, DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(20),
            RandomNumberGenerator.GetBytes(8));
        using var whole = signed.CopyWithPrivateKey(key);
        return X509CertificateLoader.LoadPkcs12(whole.Export(X509ContentType.Pkcs12), null);
    }
}
