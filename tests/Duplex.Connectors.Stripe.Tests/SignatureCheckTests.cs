using System.Text;
using Duplex.Connectors.Stripe.Webhooks;

namespace Duplex.Connectors.Stripe.Tests;

public sealed class SignatureCheckTests
{
    private const string Secret = "whsec_test_secret";
    private const long Now = 1_700_000_000;
    private static readonly byte[] Body = Encoding.UTF8.GetBytes("""{"id":"evt_test_webhook","object":"event"}""");

    [Fact]
    public void The_signature_is_an_HMAC_over_the_time_a_dot_and_the_body()
    {
        // printf '1492774577.{"id":"evt_1"}' | openssl dgst -sha256 -hmac whsec_test_secret
        var body = Encoding.UTF8.GetBytes("""{"id":"evt_1"}""");
        SignatureCheck.Sign(Secret, "1492774577", body)
            .ShouldBe("799c4ba7bb339f3c8601adfd112f0e477c930a268be1243d341abb8286501c2f");
    }

    [Theory]
    [InlineData(0)]
    [InlineData(300)]
    [InlineData(-300)]
    public void A_signed_body_within_the_tolerance_is_accepted(long age) =>
        Check().Refusal(Header(Now - age), Body).ShouldBeNull();

    [Theory]
    [InlineData(301)]
    [InlineData(-301)]
    [InlineData(86_400)]
    public void A_body_outside_the_tolerance_is_refused_in_both_directions(long age) =>
        Check().Refusal(Header(Now - age), Body).ShouldNotBeNull().ShouldContain("tolerance");

    [Fact]
    public void Any_changed_byte_is_refused()
    {
        for (var i = 0; i < Body.Length; i++)
        {
            var forged = Body.ToArray();
            forged[i] ^= 1;
            Check().Refusal(Header(Now), forged).ShouldNotBeNull();
        }
    }

    [Fact]
    public void A_changed_time_is_refused() =>
        Check().Refusal($"t={Now + 1},v1={SignatureCheck.Sign(Secret, $"{Now}", Body)}", Body).ShouldNotBeNull();

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("t=1700000000")]
    [InlineData("v1=00")]
    [InlineData("t=x,v1=0000000000000000000000000000000000000000000000000000000000000000")]
    [InlineData("t=99999999999999999999,v1=0000000000000000000000000000000000000000000000000000000000000000")]
    [InlineData("t=-1,v1=0000000000000000000000000000000000000000000000000000000000000000")]
    [InlineData("garbage")]
    public void A_header_that_says_nothing_is_refused(string? header) =>
        Check().Refusal(header, Body).ShouldNotBeNull();

    [Fact]
    public void The_old_scheme_alone_is_refused() =>
        Check().Refusal($"t={Now},v0={SignatureCheck.Sign(Secret, $"{Now}", Body)}", Body).ShouldNotBeNull();

    [Fact]
    public void During_a_rotation_either_secret_and_either_signature_will_do()
    {
        var check = Check("whsec_new", Secret);
        check.Refusal(Header(Now), Body).ShouldBeNull();
        check.Refusal($"t={Now},v1={new string('0', 64)},v1={SignatureCheck.Sign("whsec_new", $"{Now}", Body)},v0=1",
            Body)
            .ShouldBeNull();
        check.Refusal($"t={Now},v1={SignatureCheck.Sign("whsec_other", $"{Now}", Body)}", Body).ShouldNotBeNull();
    }

    [Fact]
    public void Without_a_secret_nothing_is_accepted() =>
        Check([]).Refusal($"t={Now},v1={SignatureCheck.Sign("", $"{Now}", Body)}", Body).ShouldNotBeNull();

    private static string Header(long stamp) => $"t={stamp},v1={SignatureCheck.Sign(Secret, $"{stamp}", Body)}";

    private static SignatureCheck Check(params string[] secrets) =>
        new(secrets, TimeSpan.FromMinutes(5), new SetClock(Now));

    private static SignatureCheck Check() => Check(Secret);
}
