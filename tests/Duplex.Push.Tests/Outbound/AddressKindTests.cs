using System.Net;
using Duplex.Engine.Outbound;

namespace Duplex.Push.Tests.Outbound;

public sealed class AddressKindTests
{
    [Theory]
    [InlineData("0.0.0.0", "unspecified")]
    [InlineData("0.1.2.3", "unspecified")]
    [InlineData("10.0.0.0", "private")]
    [InlineData("10.255.255.255", "private")]
    [InlineData("100.64.0.0", "carrier-grade NAT")]
    [InlineData("100.127.255.255", "carrier-grade NAT")]
    [InlineData("127.0.0.1", "loopback")]
    [InlineData("127.255.255.254", "loopback")]
    [InlineData("169.254.1.1", "link-local")]
    [InlineData("172.16.0.0", "private")]
    [InlineData("172.31.255.255", "private")]
    [InlineData("192.0.0.8", "reserved for protocols")]
    [InlineData("192.0.2.1", "documentation")]
    [InlineData("192.88.99.1", "6to4 relay")]
    [InlineData("192.168.0.1", "private")]
    [InlineData("198.18.0.1", "benchmarking")]
    [InlineData("198.19.255.255", "benchmarking")]
    [InlineData("198.51.100.7", "documentation")]
    [InlineData("203.0.113.7", "documentation")]
    [InlineData("224.0.0.1", "multicast")]
    [InlineData("239.255.255.255", "multicast")]
    [InlineData("240.0.0.1", "reserved")]
    [InlineData("255.255.255.255", "reserved")]
    [InlineData("::", "unspecified")]
    [InlineData("::1", "loopback")]
    [InlineData("::2", "IPv4-compatible")]
    [InlineData("::127.0.0.1", "IPv4-compatible")]
    [InlineData("::ffff:0:127.0.0.1", "IPv4-translated")]
    [InlineData("64:ff9b:1::7f00:1", "local NAT64")]
    [InlineData("100::1", "discard")]
    [InlineData("2001::1", "Teredo tunnel")]
    [InlineData("2001:2::1", "reserved for protocols")]
    [InlineData("2001:20::1", "reserved for protocols")]
    [InlineData("2001:db8::1", "documentation")]
    [InlineData("3fff::1", "documentation")]
    [InlineData("5f00::1", "segment routing")]
    [InlineData("fc00::1", "unique-local")]
    [InlineData("fdff:ffff::1", "unique-local")]
    [InlineData("fe80::1", "link-local")]
    [InlineData("febf::1", "link-local")]
    [InlineData("fec0::1", "site-local")]
    [InlineData("ff02::1", "multicast")]
    [InlineData("1::1", "reserved")]
    [InlineData("4000::1", "reserved")]
    [InlineData("fe00::1", "reserved")]
    public void An_address_that_is_not_on_the_public_internet_is_refused_by_its_kind(string address, string kind) =>
        AddressKind.Refusal(IPAddress.Parse(address)).ShouldBe(kind);

    [Theory]
    [InlineData("::ffff:127.0.0.1", "loopback")]
    [InlineData("::ffff:7f00:1", "loopback")]
    [InlineData("::ffff:10.0.0.1", "private")]
    [InlineData("64:ff9b::127.0.0.1", "loopback, embedded as 127.0.0.1")]
    [InlineData("64:ff9b::a00:1", "private, embedded as 10.0.0.1")]
    [InlineData("2002:7f00:1::1", "loopback, embedded as 127.0.0.1")]
    [InlineData("2002:c0a8:101::", "private, embedded as 192.168.1.1")]
    [InlineData("2600::5efe:10.1.2.3", "private, embedded as 10.1.2.3")]
    [InlineData("2600::200:5efe:192.168.1.1", "private, embedded as 192.168.1.1")]
    [InlineData("2600::1%3", "bound to an interface")]
    [InlineData("fe80::1%1", "bound to an interface")]
    [InlineData("::1%1", "bound to an interface")]
    public void An_address_in_the_dress_of_another_is_refused(string address, string kind) =>
        AddressKind.Refusal(IPAddress.Parse(address)).ShouldBe(kind);

    [Theory]
    [InlineData("169.254.169.254")]
    [InlineData("169.254.170.2")]
    [InlineData("100.100.100.200")]
    [InlineData("168.63.129.16")]
    [InlineData("fd00:ec2::254")]
    [InlineData("::ffff:169.254.169.254")]
    [InlineData("64:ff9b::169.254.169.254")]
    [InlineData("2002:a9fe:a9fe::1")]
    public void A_metadata_service_is_refused_as_such(string address) =>
        AddressKind.Refusal(IPAddress.Parse(address)).ShouldBe("metadata service");

    [Theory]
    [InlineData("1.1.1.1")]
    [InlineData("9.255.255.255")]
    [InlineData("11.0.0.0")]
    [InlineData("100.63.255.255")]
    [InlineData("100.128.0.0")]
    [InlineData("128.0.0.0")]
    [InlineData("169.253.255.255")]
    [InlineData("172.15.255.255")]
    [InlineData("172.32.0.0")]
    [InlineData("192.0.1.0")]
    [InlineData("223.255.255.255")]
    [InlineData("2606:4700::1111")]
    [InlineData("2a00:1450::1")]
    [InlineData("::ffff:8.8.8.8")]
    [InlineData("64:ff9b::8.8.8.8")]
    [InlineData("2002:808:808::1")]
    public void An_address_of_the_public_internet_passes(string address) =>
        AddressKind.Refusal(IPAddress.Parse(address)).ShouldBeNull();

    [Theory]
    [InlineData("10.1.0.0/16", "any.test", 443, "10.1.2.3", true)]
    [InlineData("10.1.0.0/16", "any.test", 443, "10.2.2.3", false)]
    [InlineData("10.1.2.3", "any.test", 443, "10.1.2.3", true)]
    [InlineData("10.1.2.3:8080", "any.test", 8080, "10.1.2.3", true)]
    [InlineData("10.1.2.3:8080", "any.test", 8081, "10.1.2.3", false)]
    [InlineData("::1", "any.test", 443, "::1", true)]
    [InlineData("[::1]:8080", "any.test", 8080, "::1", true)]
    [InlineData("[::1]:8080", "any.test", 8081, "::1", false)]
    [InlineData("Receiver.internal:8080", "receiver.internal", 8080, "10.9.9.9", true)]
    [InlineData("receiver.internal:8080", "receiver.internal", 8081, "10.9.9.9", false)]
    [InlineData("receiver.internal:8080", "other.internal", 8080, "10.9.9.9", false)]
    [InlineData("0.0.0.0/0", "any.test", 443, "192.168.1.1", true)]
    [InlineData("0.0.0.0/0", "any.test", 443, "169.254.169.254", false)]
    [InlineData("169.254.0.0/16", "any.test", 443, "169.254.169.254", false)]
    [InlineData("meta.test:80", "meta.test", 80, "169.254.169.254", false)]
    [InlineData("169.254.169.254", "any.test", 80, "169.254.169.254", true)]
    public void An_allowance_covers_what_it_says_and_no_more(
        string entry, string host, int port, string address, bool allowed)
    {
        AllowedTarget.TryParse(entry, out var target).ShouldBeTrue();
        target.Allows(host, port, IPAddress.Parse(address)).ShouldBe(allowed);
    }

    [Theory]
    [InlineData("")]
    [InlineData("8080")]
    [InlineData("10.1")]
    [InlineData("localhost")]
    [InlineData("10.0.0.0/33")]
    [InlineData("host:0")]
    [InlineData("host:99999")]
    [InlineData("a b:80")]
    [InlineData(":80")]
    [InlineData("http://host:80")]
    public void An_allowance_that_cannot_be_read_is_told(string entry) =>
        AllowedTarget.TryParse(entry, out _).ShouldBeFalse();
}
